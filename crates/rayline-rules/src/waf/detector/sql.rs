//! Whether a text could be SQL at all, before libinjection's method is asked, which takes microseconds.
//!
//! The method says yes to certain rows of tokens. In every one of them is a word of SQL, a variable, a comment, `&&`, `||`,
//! a parenthesis, or a string together with an operator or a semicolon: names, numbers and punctuation make no SQL. This is
//! a gate and finds nothing itself.

use std::collections::HashSet;
use std::sync::LazyLock;

use libinjectionrs::sqli::sqli_data::SQL_KEYWORDS;

/// Bytes of the longest word that the method looks up.
const WORD_BYTES: usize = 31;

/// Names that become functions in front of a parenthesis are not needed: a parenthesis alone opens the gate.
static WORDS: LazyLock<HashSet<&'static [u8], foldhash::fast::FixedState>> = LazyLock::new(|| {
    // `F` are the rows of tokens; what consists of several words is taken apart
    let words = SQL_KEYWORDS.iter().filter(|keyword| keyword.token_type != b'F').map(|keyword| keyword.word.as_bytes());
    words.flat_map(|word| word.split(|byte| !is_of_word(*byte))).filter(|word| !word.is_empty()).collect()
});

const fn is_of_word(byte: u8) -> bool {
    // the method takes 0xa0 for a space
    byte.is_ascii_alphanumeric() || byte == b'_' || (byte >= 0x80 && byte != 0xa0)
}

/// Whether something in the text could be more than names, numbers, operators and punctuation.
pub(super) fn is_possible(text: &[u8]) -> bool {
    let (mut is_quoted, mut is_joined) = (false, false);
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        if is_of_word(*first) {
            let length = rest.iter().take_while(|byte| is_of_word(**byte)).count();
            let (word, after) = rest.split_at(length);
            if has_word(word) {
                return true;
            }
            rest = after;
            continue;
        }
        match first {
            b' ' | b'\t' | b'\n' | b'\r' | b'.' | b',' | b'?' => {}
            b'\'' | b'"' => is_quoted = true,
            b':' | b';' | b'!' | b'+' | b'*' | b'%' | b'=' | b'<' | b'>' | b'~' | b'^' => is_joined = true,
            b'-' | b'&' | b'|' if after.first() != Some(first) => is_joined = true,
            b'/' if after.first() != Some(&b'*') => is_joined = true,
            _ => return true,
        }
        rest = after;
    }
    is_quoted && is_joined
}

/// Whether a word of SQL could be read here: behind the digits that it begins with, a word may begin anywhere.
fn has_word(word: &[u8]) -> bool {
    if !word.first().is_some_and(u8::is_ascii_digit) {
        return is_known(word);
    }
    word.len() > WORD_BYTES && !word.iter().all(u8::is_ascii_digit)
        || (1..word.len()).any(|at| word.get(at..).is_some_and(is_known))
}

fn is_known(word: &[u8]) -> bool {
    let mut upper = [0; WORD_BYTES];
    upper.get_mut(..word.len()).is_some_and(|upper| {
        upper.copy_from_slice(word);
        upper.make_ascii_uppercase();
        WORDS.contains(&*upper)
    })
}

#[cfg(test)]
mod tests {
    use libinjectionrs::detect_sqli;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_numbers_and_punctuation_are_let_by() {
        for text in [
            "4711",
            "Ann; 50 % off!",
            "2026-11-21T10:00:00Z",
            "https://www.example.com/a?b=c&d=1",
            "Grüße",
            "a+b<c",
            "O'Neill, \"Jo\"",
        ] {
            assert!(!is_possible(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn everything_else_is_looked_at() {
        for text in
            ["1 or 1", "1or 1", "a--", "a/*", "a&&b", "a||b", "' + 1", "\";", "@x", "(1)", "`", "#", "à\u{a0}", "$1"]
        {
            assert!(is_possible(text.as_bytes()), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn what_is_let_by_is_no_sql(
            pieces in prop::collection::vec(
                prop_oneof![
                    "[a-z0-9_.,:;?!+*%=<>~^/&|'\" \t-]{1,3}",
                    "[0-9]{1,3}[a-fxeE.]{0,2}",
                    prop::sample::select(vec![
                        "or", "and", "union", "select", "1=1", "user", "--", "0x1f", "1e5", "1.e", "1.", ".5", "next",
                        "value", "x.y", "null", "\u{e9}", "\u{a0}", "in", "group", "by", "u", "n", "q", "b", "e", "null;",
                        "!!", "<=>", ":=", "::", "\\N", "0b1", "1d", "1f", "sp_password", "'", "\"", "n'", "x'41'",
                    ]).prop_map(str::to_owned),
                ],
                0..12,
            ),
            between in prop::sample::select(vec!["", " "]),
        ) {
            let text = pieces.join(between);
            if !is_possible(text.as_bytes()) {
                prop_assert!(!detect_sqli(text.as_bytes()).is_injection(), "{}", text);
            }
        }
    }
}
