//! What is asked: the site, and everything that a person gave along.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use url::Url;

use crate::target::Target;
use crate::tls::Scheme;
use crate::trust::Trust;

/// What to find the culprit of.
#[derive(Clone, Debug)]
pub struct Case {
    /// What fails: `http` or `https`, with a host.
    pub url: Url,
    /// The method to ask with.
    pub method: String,
    /// Fields to send beside the usual ones.
    pub fields: Vec<(String, String)>,
    /// Where the site's origin is, as a person said; empty: nobody knows.
    pub origins: Vec<Origin>,
    /// Where the edge in front connects to, as its configuration says; empty: nobody knows.
    pub edge_origins: Vec<Origin>,
    /// Where names lead, in place of DNS.
    pub resolved: Vec<Resolve>,
    /// Name servers to ask in place of the system's.
    pub name_servers: Vec<SocketAddr>,
    /// Files and folders of the origin's logs.
    pub logs: Vec<PathBuf>,
    /// Whether this machine is the origin.
    pub here: bool,
    /// What certificates are judged by, beside the public CAs.
    pub trust: Trust,
    /// How long a probe may take, unless it looks for a longer limit.
    pub timeout: Duration,
    /// How many times the site is asked at least.
    pub samples: u32,
}

impl Case {
    /// A case of which only the URL is known: asked with GET, once, with 5 s for each probe.
    pub fn new(url: Url) -> Self {
        Self {
            url,
            method: "GET".to_owned(),
            fields: Vec::new(),
            origins: Vec::new(),
            edge_origins: Vec::new(),
            resolved: Vec::new(),
            name_servers: Vec::new(),
            logs: Vec::new(),
            here: false,
            trust: Trust::default(),
            timeout: Duration::from_secs(5),
            samples: 1,
        }
    }

    /// The URL's host as it is asked for: a name, or an address without brackets.
    pub fn host(&self) -> &str {
        let host = self.url.host_str().unwrap_or_default();
        host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(host)
    }

    /// Whether asking again changes nothing (RFC 9110 section 9.2.1).
    pub fn is_safe(&self) -> bool {
        matches!(self.method.as_str(), "GET" | "HEAD" | "OPTIONS")
    }

    /// The URL's scheme.
    pub fn scheme(&self) -> Scheme {
        if self.url.scheme() == Scheme::Http.name() { Scheme::Http } else { Scheme::Https }
    }

    /// The URL's port, or its scheme's.
    pub fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or(443)
    }
}

/// An origin as a person writes it: `ADDR`, `ADDR:PORT`, `http://ADDR:PORT`, `https://ADDR`; a name will do too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// How it is spoken to; `None`: both ways are tried.
    pub scheme: Option<Scheme>,
    /// Its address or name, with its port if that is not the scheme's.
    pub target: Target,
}

impl Origin {
    /// The ports that it is asked on: the one that was said, or those of the schemes that will do.
    pub fn ports(&self) -> Vec<u16> {
        match (self.target.port, self.scheme) {
            (Some(port), _) => vec![port],
            (None, Some(Scheme::Http)) => vec![80],
            (None, Some(Scheme::Https)) => vec![443],
            (None, None) => vec![80, 443],
        }
    }
}

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (scheme, rest) = match text.split_once("://") {
            None => (None, text),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (Some(Scheme::Http), rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (Some(Scheme::Https), rest),
            Some((scheme, _)) => return Err(format!("an origin speaks `http` or `https`, not `{scheme}`")),
        };
        let rest = if scheme.is_some() { rest.strip_suffix('/').unwrap_or(rest) } else { rest };
        Ok(Self { scheme, target: rest.parse()? })
    }
}

/// Where a name and port lead, as `curl --resolve` takes it: `HOST:PORT:ADDR`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolve {
    /// The name, lower case.
    pub host: String,
    /// The port that the URL has.
    pub port: u16,
    /// Where it leads; the port stays.
    pub address: IpAddr,
}

impl FromStr for Resolve {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = || "write `HOST:PORT:ADDR`, such as `shop.example:443:192.0.2.7`".to_owned();
        let (host, rest) = text.split_once(':').ok_or_else(wanted)?;
        let (port, address) = rest.split_once(':').ok_or_else(wanted)?;
        let bare = address.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(address);
        let port = port.parse().ok().filter(|port| *port > 0).ok_or_else(wanted)?;
        Ok(Self { host: crate::target::host_name(host)?, port, address: bare.parse().map_err(|_| wanted())? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_written_in_four_ways() {
        let target = |host: &str, port| Target { host: host.to_owned(), port };
        for (text, scheme, target) in [
            ("192.0.2.7", None, target("192.0.2.7", None)),
            ("192.0.2.7:8080", None, target("192.0.2.7", Some(8080))),
            ("http://[2001:db8::1]:81/", Some(Scheme::Http), target("2001:db8::1", Some(81))),
            ("HTTPS://origin.shop.example", Some(Scheme::Https), target("origin.shop.example", None)),
        ] {
            assert_eq!(text.parse(), Ok(Origin { scheme, target }), "{text}");
        }
        for text in ["", "ftp://192.0.2.7", "http://", "https://a/b", "a:0", "[::1"] {
            assert!(text.parse::<Origin>().is_err(), "{text}");
        }
    }

    #[test]
    fn where_a_name_leads_is_written_as_for_curl() {
        let resolve = "Shop.Example:443:[::1]".parse::<Resolve>().unwrap();
        assert_eq!(
            (resolve.host.as_str(), resolve.port, resolve.address),
            ("shop.example", 443, "::1".parse().unwrap())
        );
        for text in ["", "a", "a:1", "a:0:127.0.0.1", "a:1:b", ":1:127.0.0.1"] {
            assert!(text.parse::<Resolve>().is_err(), "{text}");
        }
    }
}
