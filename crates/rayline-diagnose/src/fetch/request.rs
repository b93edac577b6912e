//! A request as it goes out: the same words over HTTP/1.1 and over HTTP/2.
//!
//! It has no body: nothing that changes a site is sent along.

use bytes::BytesMut;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use rayline_http1::encode;
use url::{Position, Url};

use super::Ask;

/// Who asks.
const USER_AGENT: &str = concat!("Rayline-Diagnose/", env!("CARGO_PKG_VERSION"));
/// A page as a browser wants it: edges choose the form of their error pages by this.
const ACCEPT: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

/// Fields that are the client's own affair, whatever a person gives along: they frame the message or are of the connection.
const OURS: [&str; 9] = [
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The method.
    pub(crate) method: String,
    /// Host and port for `Host`.
    pub(crate) authority: String,
    /// The request target, in origin form.
    pub(crate) target: String,
    /// The other fields.
    pub(crate) fields: Vec<(String, String)>,
}

impl Request {
    /// What is asked.
    pub(crate) fn of(ask: &Ask) -> Self {
        Self::new(&ask.method, authority(&ask.url), target(&ask.url), &ask.fields)
    }

    /// One with these fields beside the usual ones, of which they may take the place.
    pub(crate) fn new(method: &str, authority: String, target: String, given: &[(String, String)]) -> Self {
        let find = |name: &str| given.iter().find(|(field, _)| field.eq_ignore_ascii_case(name));
        let mut fields = Vec::with_capacity(given.len() + 3);
        for (name, value) in [("User-Agent", USER_AGENT), ("Accept", ACCEPT)] {
            if find(name).is_none() {
                fields.push((name.to_owned(), value.to_owned()));
            }
        }
        let is_ours = |name: &str| OURS.iter().any(|ours| name.eq_ignore_ascii_case(ours));
        fields.extend(given.iter().filter(|(name, _)| !is_ours(name)).cloned());
        if ["POST", "PUT", "PATCH"].contains(&method) {
            fields.push(("Content-Length".to_owned(), "0".to_owned()));
        }
        let authority = find("host").map_or(authority, |(_, value)| value.clone());
        Self { method: method.to_owned(), authority, target, fields }
    }

    /// The head as HTTP/1.1 has it.
    ///
    /// # Errors
    /// What of it would break out of its line.
    pub(super) fn http1(&self) -> Result<BytesMut, String> {
        let mut head = BytesMut::new();
        let encoded = encode::request_line(&mut head, &self.method, &self.target).and_then(|()| {
            encode::field(&mut head, "Host", &self.authority)?;
            self.fields.iter().try_for_each(|(name, value)| encode::field(&mut head, name, value))
        });
        encoded.map_err(|error| format!("the request cannot be sent: {error}"))?;
        encode::end(&mut head);
        Ok(head)
    }

    /// The head as HTTP/2 has it.
    ///
    /// # Errors
    /// What of it cannot be expressed there.
    pub(super) fn http2(&self, secured: bool) -> Result<http::Request<()>, String> {
        let told = |error: &dyn std::fmt::Display| format!("the request cannot be sent over HTTP/2: {error}");
        let mut fields = HeaderMap::new();
        for (name, value) in &self.fields {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| told(&error))?;
            let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|error| told(&error))?;
            fields.try_append(name, value).map_err(|error| told(&error))?;
        }
        let mut uri = http::uri::Parts::default();
        uri.scheme = Some(if secured { Scheme::HTTPS } else { Scheme::HTTP });
        uri.authority = Some(Authority::try_from(self.authority.as_str()).map_err(|error| told(&error))?);
        uri.path_and_query = Some(PathAndQuery::try_from(self.target.as_str()).map_err(|error| told(&error))?);
        let mut request = http::Request::new(());
        *request.method_mut() = Method::from_bytes(self.method.as_bytes()).map_err(|error| told(&error))?;
        *request.uri_mut() = Uri::from_parts(uri).map_err(|error| told(&error))?;
        *request.version_mut() = http::Version::HTTP_2;
        *request.headers_mut() = fields;
        Ok(request)
    }
}

/// Host and port as they stand in `Host`: the port only where it is not the scheme's.
fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Path and query. A backquote, which URLs of the web may hold, is one that libraries refuse.
fn target(url: &Url) -> String {
    url[Position::BeforePath..Position::AfterQuery].replace('`', "%60")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn ask(url: &str, fields: &[(&str, &str)]) -> Ask {
        Ask {
            url: url.parse().unwrap(),
            method: "GET".to_owned(),
            fields: fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            protocols: rayline_dial::Protocols::Http1,
            tls: rayline_dial::Tls::Off,
            timeout: Duration::from_secs(1),
            body_bytes: 0,
        }
    }

    #[test]
    fn it_says_the_same_over_both_versions() {
        let fields = [("X-One", "1"), ("accept", "a/b"), ("Content-Length", "5"), ("connection", "close")];
        let request = Request::of(&ask("http://[::1]:8080/a b?q=`x`#part", &fields));
        let head = String::from_utf8(request.http1().unwrap().to_vec()).unwrap();
        let lines: Vec<_> = head.split("\r\n").collect();
        let agent = format!("User-Agent: {USER_AGENT}");
        let expected = ["GET /a%20b?q=%60x%60 HTTP/1.1", "Host: [::1]:8080", &agent, "X-One: 1", "accept: a/b", "", ""];
        assert_eq!(lines, expected);
        let request = request.http2(false).unwrap();
        assert_eq!(request.uri().to_string(), "http://[::1]:8080/a%20b?q=%60x%60");
        assert_eq!(request.headers().len(), 3);
    }

    #[test]
    fn a_person_may_say_another_host_and_nothing_may_break_its_line() {
        let request = Request::of(&ask("https://shop.example:443/", &[("Host", "other.example")]));
        assert_eq!((request.authority.as_str(), request.target.as_str()), ("other.example", "/"));
        assert_eq!(Request::of(&ask("https://shop.example:443/", &[])).authority, "shop.example");
        let request = Request::of(&ask("https://shop.example/", &[("X", "1\r\nY: 2")]));
        assert!(request.http1().is_err() && request.http2(true).is_err());
    }
}
