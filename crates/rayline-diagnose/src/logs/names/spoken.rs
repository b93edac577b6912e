//! What of a message its own program says, and how it is repeated: bounded, on one line, without secrets.

use std::borrow::Cow;
use std::sync::LazyLock;

use rayline_verdict::snippet::MASKED;
use regex::Regex;

/// The most characters of a particular that are repeated.
const PARTICULAR: usize = 160;

/// The message, or its beginning and end with `half` bytes each.
pub(super) fn ends(message: &str, half: usize) -> Cow<'_, str> {
    if message.len() <= 2 * half {
        return Cow::Borrowed(message);
    }
    // A character is at most four bytes long.
    let head = (0..4).find_map(|less| message.get(..half.checked_sub(less)?));
    let tail = (0..4).find_map(|less| message.get(message.len() - half + less..));
    Cow::Owned(format!("{}\n{}", head.unwrap_or_default(), tail.unwrap_or_default()))
}

/// The message without what a visitor wrote, where nginx, Apache or Caddy quote it beside their own words.
pub(super) fn without_visitors_words(message: &str) -> Cow<'_, str> {
    static QUOTED: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(concat!(
            r#"(?P<nginx>, (?:request|referrer|host): ")[^"]*"#,
            r#"|(?P<upstream>, upstream: "[a-z0-9+]+://(?:unix:[^":]+|[^"/?]+))[^"]*"#,
            r#"|(?P<apache>, referer: )[^\n]*"#,
            r#"|(?P<caddy>"uri":")(?:[^"\\]|\\.)*"#,
            r#"|(?P<fields>"headers":\{)[^}]*"#,
        ))
        .ok()
    });
    match &*QUOTED {
        Some(regex)
            if message.contains(", client: ") || message.contains(", referer: ") || message.contains("\"uri\":") =>
        {
            regex.replace_all(message, "$nginx$upstream$apache$caddy$fields")
        }
        _ => Cow::Borrowed(message),
    }
}

/// A particular as it is repeated: on one line, of bounded length, with passwords in URLs and query values masked, and
/// without the marks that set it off in a sentence.
pub(super) fn tidy(particular: &str) -> String {
    static SECRET: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r#"(?P<user>://[^/\s:@]*:)[^/\s@]+@|(?P<query>[?&][A-Za-z0-9_.\-\[\]]{1,64}=)[^&\s"'<>)]+"#).ok()
    });
    // Cut before it is masked: what is masked is not worth more than the line is long.
    let cut: String = particular.chars().take(4 * PARTICULAR).collect();
    let masked = match &*SECRET {
        Some(regex) => regex.replace_all(&cut, |found: &regex::Captures<'_>| match found.name("user") {
            Some(user) => format!("{}{MASKED}@", user.as_str()),
            None => format!("{}{MASKED}", found.name("query").map_or("", |query| query.as_str())),
        }),
        None => Cow::Borrowed(""),
    };
    let mut words = String::new();
    for word in masked.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
    }
    let mut out: String = words.chars().take(PARTICULAR).map(|c| if c == '`' { '\'' } else { c }).collect();
    if words.chars().nth(PARTICULAR).is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_repeated_is_masked_and_short() {
        assert_eq!(tidy("postgres://shop:hunter2@db/x"), "postgres://shop:(masked)@db/x");
        assert_eq!(tidy("https://a.example/b?token=abc&c=d e"), "https://a.example/b?token=(masked)&c=(masked) e");
        assert_eq!(tidy("a\n\u{1b}[31m`b`\t c"), "a [31m'b' c");
        assert_eq!(tidy(&"x".repeat(1000)).chars().count(), PARTICULAR + 1);
    }

    #[test]
    fn a_visitor_cannot_speak_for_the_server() {
        let said = without_visitors_words(
            r#"*3 open() "/a" failed (2: x), client: ::1, request: "GET /Out of memory HTTP/1.1", upstream: "http://127.0.0.1:3000/ECONNREFUSED", host: "EMFILE""#,
        );
        assert_eq!(
            said,
            r#"*3 open() "/a" failed (2: x), client: ::1, request: "", upstream: "http://127.0.0.1:3000", host: """#
        );
        assert_eq!(without_visitors_words("AH00124: x, referer: http://ENOSPC"), "AH00124: x, referer: ");
    }

    #[test]
    fn a_long_message_keeps_both_ends() {
        let long = format!("é{}é", "x".repeat(100));
        assert_eq!(ends(&long, 3), "éx\nxé");
        assert_eq!(ends("short", 3), "short");
    }
}
