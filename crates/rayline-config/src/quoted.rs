//! Places inside a string of the configuration: which bytes of the TOML text became which bytes of the value.
//!
//! It does not decode: the parser has. It walks both side by side.

use std::ops::Range;

use crate::source::{Source, Span};

/// Where bytes `inner` of `value` stand in the text, if `value` was written as the string at `span`.
///
/// `None` where that is no string, or not of this value. An empty range stays one, so that a mark between two
/// characters, or behind the last, points there.
pub(crate) fn place_inside(source: &Source, span: Span, value: &str, inner: &Range<usize>) -> Option<Span> {
    let raw = source.text.get(span.start..span.end)?;
    let (quotes, is_basic) = match raw.as_bytes().first()? {
        b'"' => (if raw.len() >= 6 && raw.starts_with("\"\"\"") { 3 } else { 1 }, true),
        b'\'' => (if raw.len() >= 6 && raw.starts_with("'''") { 3 } else { 1 }, false),
        _ => return None,
    };
    let mut walk = Walk { raw: raw.get(..raw.len().checked_sub(quotes)?)?, at: quotes, is_basic };
    if quotes == 3 {
        let rest = walk.rest();
        walk.at += if rest.starts_with("\r\n") { 2 } else { usize::from(rest.starts_with('\n')) };
    }
    let (mut start, mut end) = (None, None);
    for (offset, character) in value.char_indices() {
        let before = walk.pass(character)?;
        if offset <= inner.start {
            start = Some(before);
        }
        if end.is_none() && offset + character.len_utf8() >= inner.end && inner.end > inner.start {
            end = Some(walk.at);
        }
    }
    walk.skip_breaks();
    if inner.start >= value.len() {
        start = Some(walk.at);
    }
    let start = start?;
    Some(Span { start: span.start + start, end: span.start + end.unwrap_or(start).max(start) })
}

/// A place in the text of a string, quotes included.
struct Walk<'a> {
    raw: &'a str,
    at: usize,
    is_basic: bool,
}

impl Walk<'_> {
    fn rest(&self) -> &str {
        self.raw.get(self.at..).unwrap_or_default()
    }

    /// Goes past what stands for `character`, and says where that begins.
    fn pass(&mut self, character: char) -> Option<usize> {
        self.skip_breaks();
        let before = self.at;
        let rest = self.rest();
        if self.is_basic && rest.starts_with('\\') {
            self.at += match rest.as_bytes().get(1)? {
                b'x' => 4,
                b'u' => 6,
                b'U' => 10,
                _ => 2,
            };
        } else if rest.starts_with(character) {
            self.at += character.len_utf8();
        } else if character == '\n' && rest.starts_with("\r\n") {
            self.at += 2;
        } else {
            return None;
        }
        Some(before)
    }

    /// Goes past backslashes at the ends of lines, each with the white space behind it.
    fn skip_breaks(&mut self) {
        while self.is_basic
            && let Some(rest) = self.rest().strip_prefix('\\')
            && rest.starts_with([' ', '\t', '\r', '\n'])
        {
            self.at += 1 + (rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use proptest::prelude::*;
    use toml::de::{DeTable, DeValue};

    use super::place_inside;
    use crate::source::Source;

    /// What the mark under `wanted` in the value of `a` covers in the text.
    fn marked(text: &str, wanted: &str) -> String {
        let source = Source { name: String::new(), text: text.to_owned(), base: PathBuf::new() };
        let table = DeTable::parse(text).unwrap();
        let value = table.get_ref().get("a").unwrap();
        let DeValue::String(decoded) = value.get_ref() else { panic!("a string") };
        let start = decoded.find(wanted).unwrap();
        let span = place_inside(&source, value.span().into(), decoded, &(start..start + wanted.len())).unwrap();
        text[span.start..span.end].to_owned()
    }

    #[test]
    fn the_mark_is_under_what_is_meant() {
        let rows = [
            ("a = 'ab cd'", "cd", "cd"),
            ("a = \"ab cd\"", "cd", "cd"),
            (r#"a = "x \"é\" cd""#, "cd", "cd"),
            (r#"a = "x \"é\" cd""#, "\"é\"", r#"\"é\""#),
            (r#"a = "\u00e9\t\x41\U0001F600 cd e""#, "cd", "cd"),
            (r#"a = "\u00e9\t\x41 cd""#, "A", r"\x41"),
            ("a = '''\nab\ncd'''", "cd", "cd"),
            ("a = '''\r\nab\r\ncd'''", "cd", "cd"),
            ("a = \"\"\"\nab\ncd\"\"\"", "cd", "cd"),
            ("a = \"\"\"\r\nab\r\ncd \"\"\"", "cd", "cd"),
            ("a = \"\"\"\nab \\\n   \\\n  cd\"\"\"", "cd", "cd"),
            ("a = \"\"\"\nab \\   \n   cd\"\"\"", "ab cd", "ab \\   \n   cd"),
            ("a = '''x'y''cd'''", "cd", "cd"),
            ("a = \"\"", "", ""),
        ];
        for (text, wanted, expected) in rows {
            assert_eq!(marked(text, wanted), expected, "{text}");
        }
    }

    #[test]
    fn behind_the_last_character_is_before_the_quotes() {
        for text in ["a = \"ab\"", "a = '''ab'''", "a = \"\"\"ab\\\n  \"\"\""] {
            let source = Source { name: String::new(), text: text.to_owned(), base: PathBuf::new() };
            let table = DeTable::parse(text).unwrap();
            let value = table.get_ref().get("a").unwrap();
            let span = place_inside(&source, value.span().into(), "ab", &(2..2)).unwrap();
            assert!(["\"", "'''", "\"\"\""].contains(&&text[span.start..]), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_string_has_its_places(value in "[a-z\"'\\\\\u{e9}\n\t ]{0,12}", from in 0_usize..12, length in 0_usize..12) {
            let text = format!("a = {}", toml::Value::String(value.clone()));
            let source = Source { name: String::new(), text: text.clone(), base: PathBuf::new() };
            let table = DeTable::parse(&text).unwrap();
            let span = table.get_ref().get("a").unwrap().span();
            let place = place_inside(&source, span.into(), &value, &(from..from + length));
            prop_assert!(place.is_some_and(|place| text.get(place.start..place.end).is_some()));
        }
    }
}
