//! Secrets taken out of what is made to be handed on: cookies, tokens, values in queries.

use rayline_verdict::snippet::is_secret;
use url::Url;

/// What stands in a secret's place.
pub(crate) const MASK: &str = "***";

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

/// A header field's value.
pub(crate) fn field(name: &str, value: &str, masking: Masking) -> String {
    if masking == Masking::On && is_secret(name) {
        return MASK.to_owned();
    }
    if masking == Masking::On
        && matches!(name, "location" | "referer" | "content-location" | "link")
        && let Some((before, query)) = value.split_once('?')
    {
        return format!("{before}?{}", masked_query(query));
    }
    value.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_in_queries_go() {
        for (given, masked) in [
            ("https://shop.example/cart", "https://shop.example/cart"),
            ("https://shop.example/?a=1&token=s3cret#top", "https://shop.example/?a=***&token=***"),
            ("https://shop.example/?s3cret", "https://shop.example/?***"),
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
        assert_eq!(field("location", "/login?next=%2F&t=1", Masking::On), "/login?next=***&t=***");
        assert_eq!(field("server", "nginx", Masking::On), "nginx");
        assert_eq!(field("cookie", "id=1", Masking::Off), "id=1");
    }
}
