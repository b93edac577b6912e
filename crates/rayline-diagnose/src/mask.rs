//! Secrets taken out of what is made to be handed on: cookies, tokens, values in queries.

use std::sync::LazyLock;

pub(crate) use rayline_verdict::snippet::MASKED as MASK;
use rayline_verdict::snippet::is_secret;
use regex::Regex;
use url::Url;

use crate::logs::mask::masked;

/// Whether secrets are taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Masking {
    /// They are.
    On,
    /// A person wants to see them.
    Off,
}

/// A URL: the names in its query stay, their values go, and so do a user's name and password and what follows `#`.
pub(crate) fn url(url: &Url, masking: Masking) -> String {
    if masking == Masking::Off {
        return url.to_string();
    }
    let mut masked = url.clone();
    masked.set_fragment(None);
    // Refused only by URLs that can hold neither.
    let _ = (masked.set_username(""), masked.set_password(None));
    if let Some(query) = url.query() {
        masked.set_query(Some(&masked_query(query)));
    }
    masked.to_string()
}

fn masked_query(query: &str) -> String {
    let pair = |pair: &str| match pair.split_once('=') {
        Some((name, _)) => format!("{name}={MASK}"),
        None if pair.is_empty() => String::new(),
        // a value without a name, such as a token
        None => MASK.to_owned(),
    };
    query.split('&').map(pair).collect::<Vec<_>>().join("&")
}

/// Parts of names whose fields carry a secret, whatever else the name says.
const SECRET_PARTS: [&str; 7] = ["token", "secret", "key", "auth", "session", "password", "cookie"];

/// A header field's value.
pub(crate) fn field(name: &str, value: &str, masking: Masking) -> String {
    let name = name.to_ascii_lowercase();
    if masking == Masking::Off {
        value.to_owned()
    } else if is_secret(&name) || SECRET_PARTS.iter().any(|part| name.contains(part)) {
        MASK.to_owned()
    } else if matches!(name.as_str(), "location" | "referer" | "content-location") {
        reference(value)
    } else if matches!(name.as_str(), "link" | "refresh") || value.contains("://") {
        masked(value)
    } else {
        value.to_owned()
    }
}

/// A URL, or the part of one that stands for all of it (RFC 3986 section 4.1), masked.
fn reference(text: &str) -> String {
    const NOWHERE: &str = "relative.invalid";
    let base = Url::parse(&format!("http://{NOWHERE}/"));
    let Ok(whole) = base.and_then(|base| base.join(text)) else { return MASK.to_owned() };
    if whole.host_str() != Some(NOWHERE) || !whole.username().is_empty() || whole.password().is_some() {
        return url(&whole, Masking::On);
    }
    let text = text.split_once('#').map_or(text, |(before, _)| before);
    match text.split_once('?') {
        Some((path, query)) => format!("{path}?{}", masked_query(query)),
        None => text.to_owned(),
    }
}

/// What a page carries in its forms and its head, such as `<input name="csrf" value="…">`.
#[expect(clippy::expect_used, reason = "the pattern is written here, and a test compiles it")]
static CARRIED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?i)(<(?:input|meta)\b[^>]*?\b(?:value|content)\s*=\s*)(?:"[^"]*"|'[^']*'|[^\s>]+)"#)
        .expect("a pattern that compiles")
});

/// The text of a page, without what looks like a secret and without these values.
pub(crate) fn page<'a>(text: &str, known: impl Iterator<Item = &'a str>) -> String {
    // what is shorter would be found everywhere
    let known = known.filter(|value| value.len() >= 6);
    let text = known.fold(text.to_owned(), |text, value| text.replace(value, MASK));
    masked(&CARRIED.replace_all(&text, format!("${{1}}\"{MASK}\"")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_in_queries_go() {
        for (given, masked) in [
            ("https://shop.example/cart", "https://shop.example/cart"),
            ("https://shop.example/?a=1&token=s3cret#top", "https://shop.example/?a=(masked)&token=(masked)"),
            ("https://shop.example/?s3cret", "https://shop.example/?(masked)"),
            ("https://shop.example/?", "https://shop.example/?"),
            ("https://me:s3cret@shop.example/", "https://shop.example/"),
        ] {
            assert_eq!(url(&given.parse().unwrap(), Masking::On), masked);
            assert_eq!(url(&given.parse().unwrap(), Masking::Off), given);
        }
    }

    #[test]
    fn secret_fields_go() {
        assert_eq!(field("set-cookie", "id=1", Masking::On), MASK);
        assert_eq!(field("Authorization", "Bearer x", Masking::On), MASK);
        assert_eq!(field("location", "/login?next=%2F&t=1", Masking::On), "/login?next=(masked)&t=(masked)");
        assert_eq!(field("server", "nginx", Masking::On), "nginx");
        for name in ["X-Shopify-Access-Token", "CF-Access-Client-Secret", "X-Api-Key", "X-Auth", "X-Session-Id"] {
            assert_eq!(field(name, "s3cret", Masking::On), MASK, "{name}");
        }
        assert_eq!(field("cookie", "id=1", Masking::Off), "id=1");
    }

    #[test]
    fn where_an_answer_points_is_told_without_secrets() {
        for (given, told) in [
            ("https://u:s3cret@shop.example/a#access_token=s3cret", "https://shop.example/a"),
            ("//u:s3cret@shop.example/a", "http://shop.example/a"),
            ("/a#s3cret", "/a"),
            ("a?s3cret", "a?(masked)"),
            ("https://[s3cret", MASK),
        ] {
            assert_eq!(field("location", given, Masking::On), told);
        }
        let link = field("link", "<https://shop.example/?t=s3cret>; rel=next", Masking::On);
        assert!(!link.contains("s3cret") && link.contains("rel=next"), "{link}");
    }

    #[test]
    fn a_page_is_told_without_secrets() {
        for text in [
            r#"{"token":"s3cretvalue"}"#,
            r#"<input type=hidden name="_csrf" value="s3cretvalue">"#,
            "<META content='s3cretvalue' name=csrf-token>",
            "you sent s3cretvalue",
            "asked for /cart?a=s3cretvalue",
        ] {
            let told = page(text, ["s3cretvalue", "e"].into_iter());
            assert!(!told.contains("s3cretvalue"), "{told}");
            if !text.starts_with("you") {
                assert!(!page(text, std::iter::empty()).contains("s3cretvalue"), "{text}");
            }
        }
    }
}
