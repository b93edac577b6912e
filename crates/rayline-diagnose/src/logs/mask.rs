//! Lines of logs as they may be shown: without secrets, without bytes that a terminal would act on, and short.

use std::sync::LazyLock;

use rayline_verdict::snippet::MASKED;
use regex::{Captures, Regex};

/// The most that is shown of a line, in bytes.
pub(super) const SHOWN_BYTES: usize = 512;

struct Rules {
    fields: Regex,
    schemes: Regex,
    tokens: Regex,
    user_info: Regex,
    assigned: Regex,
    query: Regex,
    mail: Regex,
    arguments: Regex,
}

#[expect(clippy::expect_used, reason = "the patterns are written here, and a test compiles them")]
static RULES: LazyLock<Rules> = LazyLock::new(|| {
    let rule = |pattern: &str| Regex::new(pattern).expect("a pattern that compiles");
    Rules {
        // Fields of a request or answer: to the end of what is quoted, or of the line.
        fields: rule(
            r#"(?i)\b((?:proxy-)?authorization|(?:set-)?cookie|x-api-key|x-auth-token|x-csrf-token)(["']?\s*[:=]\s*["'\[]*)[^"'\r\n]+"#,
        ),
        schemes: rule(r"(?i)\b(bearer|basic|digest)\s+[A-Za-z0-9._~+/=-]{8,}"),
        // Tokens that are known by their looks: JSON Web Tokens, keys of well-known services.
        tokens: rule(
            r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_.-]+|\b(?:sk|pk|rk|ghp|gho|xox[abp]|glpat|AKIA)[_-]?[A-Za-z0-9_-]{16,}",
        ),
        // `scheme://user:password@host`, and `user:password@tcp(host)`.
        user_info: rule(r#"(://|\b)[^\s:/@'"(]*:[^\s/@'"]+@"#),
        assigned: rule(
            r#"(?i)\b([\w.-]*(?:passw(?:or)?d|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential|session_?id|phpsessid|sid|csrf)[\w.-]*)(["']?\s*(?:=>|=|:)\s*["']?)([^\s"'&,;)\]}]+)"#,
        ),
        query: rule(r#"([?&;][^=&\s"'?#]{1,64}=)[^&\s"'#]+"#),
        mail: rule(r"\b[A-Za-z0-9._%+-]+@[A-Za-z][A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}\b"),
        // What functions were called with, in PHP's stack traces.
        arguments: rule(r"(#\d+ [^\n(]*(?:\([^)]*\))?: [^\n(]*\()[^\n]+"),
    }
});

/// The text without what may be secret.
pub(crate) fn masked(text: &str) -> String {
    let rules = &*RULES;
    let text = rules.fields.replace_all(text, format!("${{1}}${{2}}{MASKED}"));
    let text = rules.schemes.replace_all(&text, format!("${{1}} {MASKED}"));
    let text = rules.tokens.replace_all(&text, MASKED);
    let text = rules.user_info.replace_all(&text, format!("${{1}}{MASKED}@"));
    let text = rules.assigned.replace_all(&text, |found: &Captures<'_>| {
        let part = |index: usize| found.get(index).map_or("", |part| part.as_str());
        // `using password: YES` tells much, and nothing secret.
        let known = matches!(part(3), "YES" | "NO") || part(3).starts_with("(masked");
        let value = if known { part(3) } else { MASKED };
        format!("{}{}{value}", part(1), part(2))
    });
    let text = rules.query.replace_all(&text, format!("${{1}}{MASKED}"));
    let text = rules.mail.replace_all(&text, |found: &Captures<'_>| {
        let mail = found.get(0).map_or("", |mail| mail.as_str());
        // systemd's units are written like addresses.
        let unit = [".service", ".socket", ".timer", ".slice", ".scope"].iter().any(|end| mail.ends_with(end));
        if unit { mail.to_owned() } else { MASKED.to_owned() }
    });
    rules.arguments.replace_all(&text, format!("${{1}}{MASKED})")).into_owned()
}

/// The text's first so many bytes, or a few less where a character would be cut.
pub(super) fn begin(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|&end| text.is_char_boundary(end));
    text.get(..end.unwrap_or(0)).unwrap_or(text)
}

/// A line as it may be shown.
pub(super) fn shown(line: &str) -> String {
    // A secret may stand across the cut: masked first, of a piece that is surely long enough.
    let piece = begin(line, 8 * SHOWN_BYTES);
    let mut shown = String::with_capacity(piece.len());
    for at in masked(piece).chars() {
        match at {
            '\t' => shown.push(' '),
            at if at.is_control() => shown.extend(at.escape_default()),
            at => shown.push(at),
        }
    }
    if shown.len() > SHOWN_BYTES {
        shown.truncate(begin(&shown, SHOWN_BYTES - '…'.len_utf8()).len());
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked() {
        for (text, wanted) in [
            ("GET /a?id=1&token=abc HTTP/1.1", "GET /a?id=(masked)&token=(masked) HTTP/1.1"),
            ("Cookie: a=b; c=d", "Cookie: (masked)"),
            (r#"{"Authorization":["Bearer abcdefgh1"],"x":1}"#, r#"{"Authorization":["(masked)"],"x":1}"#),
            ("postgres://shop:hunter2@db:5432/shop", "postgres://(masked)@db:5432/shop"),
            ("dsn shop:hunter2@tcp(db:3306)/shop", "dsn (masked)@tcp(db:3306)/shop"),
            ("redis://:hunter2@cache:6379", "redis://(masked)@cache:6379"),
            ("password=hunter2, user=x", "password=(masked), user=x"),
            ("DB_PASSWORD: 'hunter2'", "DB_PASSWORD: '(masked)'"),
            ("user 'shop'@'localhost' (using password: YES)", "user 'shop'@'localhost' (using password: YES)"),
            ("mail to bob@shop.example failed", "mail to (masked) failed"),
            ("php@main.service: failed", "php@main.service: failed"),
            ("token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_", "token (masked)"),
            ("#0 /a.php(4): login('bob', 'hunter2')", "#0 /a.php(4): login((masked))"),
            ("[21/Nov/2026:10:00:00 +0000]", "[21/Nov/2026:10:00:00 +0000]"),
            ("connect to 127.0.0.1:3000 failed", "connect to 127.0.0.1:3000 failed"),
        ] {
            assert_eq!(masked(text), wanted);
            assert_eq!(masked(wanted), wanted, "masked once is masked");
        }
    }

    #[test]
    fn a_line_is_shown_short_and_plain() {
        assert_eq!(shown("a\tb\x1b[31m\r"), "a b\\u{1b}[31m\\r");
        let long = shown(&"é".repeat(5000));
        assert!(long.len() <= SHOWN_BYTES && long.ends_with('…'));
    }
}
