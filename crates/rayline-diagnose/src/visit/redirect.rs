//! Where redirects lead, with the cookies that a browser would keep on the way.

use url::Url;

use crate::case::Case;
use crate::fetch::{Answer, bare};
use crate::visit::Loop;

/// The most cookies that are kept, and the most bytes of one.
const MOST_COOKIES: usize = 50;
const MOST_BYTES: usize = 4096;

/// Where an answer sends its visitor on to, if it does.
pub(crate) fn next(url: &Url, answer: &Answer) -> Option<Url> {
    if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let mut next = url.join(&answer.field("location")?).ok()?;
    next.set_fragment(None);
    (matches!(next.scheme(), "http" | "https") && next.has_host()).then_some(next)
}

/// The circle that these URLs close, of which the last stands for the first that it repeats.
pub(super) fn circle(urls: &[Url]) -> Option<Loop> {
    let (last, before) = urls.split_last()?;
    let start = before.iter().rposition(|url| url == last)?;
    let urls = before.get(start..).unwrap_or_default().to_vec();
    // Asked by `https`, something behind the edge sends to `https`: it was asked by `http`.
    let flexible = matches!(urls.as_slice(), [only] if only.scheme() == "https");
    Some(Loop { flexible, urls })
}

/// Whether two URLs seem to be of one site: of the same name, or of one below the other.
pub(crate) fn same_site(one: &Url, other: &Url) -> bool {
    let below =
        |name: &str, parent: &str| name.strip_suffix(parent).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    match (one.host_str(), other.host_str()) {
        (Some(one), Some(other)) => below(one, other) || below(other, one),
        (Some(_) | None, _) => false,
    }
}

/// The fields to ask for `url` with: what a person gave for the site is told to nobody else, at no other port, nor in clear
/// where it was meant for TLS.
pub(super) fn fields(case: &Case, url: &Url, jar: &Jar) -> Vec<(String, String)> {
    let may_see = url.origin() == case.url.origin() || is_upgrade(&case.url, url);
    let mut fields = if may_see { case.fields.clone() } else { Vec::new() };
    if let Some(kept) = jar.of(url) {
        match fields.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case("cookie")) {
            Some((_, value)) => *value = format!("{value}; {kept}"),
            None => fields.push(("Cookie".to_owned(), kept)),
        }
    }
    fields
}

/// Whether `to` is the same site over TLS, each at the usual port.
fn is_upgrade(from: &Url, to: &Url) -> bool {
    let schemes = (from.scheme(), to.scheme()) == ("http", "https");
    schemes && from.host() == to.host() && from.port().is_none() && to.port().is_none()
}

/// The cookies that were set on the way.
#[derive(Debug, Default)]
pub(super) struct Jar(Vec<Cookie>);

#[derive(Debug)]
struct Cookie {
    name: String,
    value: String,
    host: String,
    /// It is for the names below its host, too.
    below: bool,
    secure: bool,
}

impl Jar {
    /// Keeps what an answer sets. Paths and dates are not heeded: the way is short.
    pub(super) fn keep(&mut self, url: &Url, answer: &Answer) {
        let host = bare(url.host_str().unwrap_or_default());
        let set = answer.fields.iter().filter(|(name, value)| name == "set-cookie" && value.len() <= MOST_BYTES);
        for (_, value) in set {
            let Some(cookie) = std::str::from_utf8(value).ok().and_then(|value| Cookie::read(value, host)) else {
                continue;
            };
            self.0.retain(|kept| (&kept.name, &kept.host) != (&cookie.name, &cookie.host));
            if self.0.len() < MOST_COOKIES {
                self.0.push(cookie);
            }
        }
    }

    /// The value of `Cookie` for this URL.
    pub(super) fn of(&self, url: &Url) -> Option<String> {
        let host = bare(url.host_str().unwrap_or_default());
        let is_for = |cookie: &&Cookie| {
            let below = || host.strip_suffix(&cookie.host).is_some_and(|rest| rest.ends_with('.'));
            let reaches = host == cookie.host || (cookie.below && below());
            reaches && (!cookie.secure || url.scheme() == "https")
        };
        let pairs: Vec<_> = self.0.iter().filter(is_for).map(|c| format!("{}={}", c.name, c.value)).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

impl Cookie {
    fn read(text: &str, host: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let (name, value) = parts.next()?.split_once('=')?;
        let mut cookie = Self {
            name: name.trim().to_owned(),
            value: value.trim().to_owned(),
            host: host.to_owned(),
            below: false,
            secure: false,
        };
        for part in parts {
            let (attribute, value) = part.split_once('=').unwrap_or((part, ""));
            if attribute.eq_ignore_ascii_case("secure") {
                cookie.secure = true;
            } else if attribute.eq_ignore_ascii_case("domain") {
                let domain = value.trim_start_matches('.').to_ascii_lowercase();
                let covers = host == domain || host.strip_suffix(&domain).is_some_and(|rest| rest.ends_with('.'));
                if !covers || !domain.contains('.') {
                    return None;
                }
                (cookie.host, cookie.below) = (domain, true);
            }
        }
        (!cookie.name.is_empty()).then_some(cookie)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::BodyEnd;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    fn answer(status: u16, fields: &[(&str, &str)]) -> Answer {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
        Answer { status, fields, body: Vec::new(), body_bytes: 0, end: BodyEnd::Whole }
    }

    #[test]
    fn a_redirect_leads_on_and_nothing_else_does() {
        let here = url("https://shop.example/a?b#c");
        for (status, location, expected) in [
            (301, "/x", Some("https://shop.example/x")),
            (302, "http://shop.example/a?b#d", Some("http://shop.example/a?b")),
            (307, "//www.shop.example", Some("https://www.shop.example/")),
            (302, "ftp://shop.example/", None),
            (302, "javascript:alert(1)", None),
            (304, "/x", None),
            (200, "/x", None),
        ] {
            let next = next(&here, &answer(status, &[("location", location)]));
            assert_eq!(next.as_ref().map(Url::as_str), expected, "{location}");
        }
    }

    #[test]
    fn a_circle_is_flexible_where_https_is_sent_to_itself() {
        let of = |urls: &[&str]| circle(&urls.iter().map(|text| url(text)).collect::<Vec<_>>());
        assert_eq!(of(&["https://a.example/", "https://www.a.example/"]), None);
        let flexible = of(&["http://a.example/", "https://a.example/", "https://a.example/"]).unwrap();
        assert_eq!((flexible.flexible, flexible.urls.len()), (true, 1));
        let other = of(&["https://a.example/", "https://www.a.example/", "https://a.example/"]).unwrap();
        assert_eq!((other.flexible, other.urls.len()), (false, 2));
        assert!(!of(&["http://a.example/", "http://a.example/"]).unwrap().flexible);
    }

    #[test]
    fn a_site_is_a_name_and_those_below_it() {
        for (one, other, same) in [
            ("http://shop.example/", "https://www.shop.example/x", true),
            ("https://shop.example/", "https://shop.example/", true),
            ("https://shop.example/", "https://workshop.example/", false),
        ] {
            assert_eq!((same_site(&url(one), &url(other)), same_site(&url(other), &url(one))), (same, same), "{one}");
        }
    }

    #[test]
    fn cookies_go_where_they_belong() {
        let mut jar = Jar::default();
        let set = [
            ("set-cookie", "a=1; Path=/; HttpOnly"),
            ("set-cookie", "a=2"),
            ("set-cookie", "b=3; Domain=.example.org; Secure"),
            ("set-cookie", "c=4; Domain=elsewhere.org"),
            ("set-cookie", "d=5; Domain=org"),
            ("set-cookie", "no cookie"),
        ];
        jar.keep(&url("https://shop.example.org/"), &answer(302, &set));
        assert_eq!(jar.of(&url("https://shop.example.org/")).as_deref(), Some("a=2; b=3"));
        assert_eq!(jar.of(&url("http://shop.example.org/")).as_deref(), Some("a=2"));
        assert_eq!(jar.of(&url("https://www.example.org/")).as_deref(), Some("b=3"));
        assert_eq!(jar.of(&url("https://anexample.org/")), None);
    }
}
