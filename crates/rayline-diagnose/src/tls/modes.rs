//! What each SSL mode makes of an origin, from what it answered over plain HTTP and over TLS.
//!
//! The rules are those of the Cloudflare page "Encryption modes"; the edge has its own copy of them, in its own words.

use rayline_verdict::{Audience, Verdict};
use serde_json::{Value, json};

use super::request::Leg;

/// How a visitor comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// In clear.
    Http,
    /// Over TLS.
    Https,
}

impl Scheme {
    /// The scheme of its URLs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port of its URLs, unless they name another.
    pub const fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// The zone setting `ssl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// No TLS anywhere: visitors by HTTPS are sent to HTTP.
    Off,
    /// Plain HTTP to the origin.
    Flexible,
    /// The visitor's scheme; the certificate is not checked.
    Full,
    /// The visitor's scheme; the certificate is checked.
    Strict,
    /// Always TLS; the certificate is checked.
    OriginPull,
}

impl Mode {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Off, Self::Flexible, Self::Full, Self::Strict, Self::OriginPull];

    /// The setting's value.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Flexible => "flexible",
            Self::Full => "full",
            Self::Strict => "strict",
            Self::OriginPull => "origin_pull",
        }
    }
}

/// What the origin answered, by the way it was asked.
#[derive(Debug)]
pub(super) struct Legs {
    /// Plain HTTP, for a visitor by HTTP.
    pub(super) plain: Leg,
    /// Plain HTTP, for a visitor by HTTPS: the origin may heed `X-Forwarded-Proto`.
    pub(super) plain_for_https: Leg,
    /// TLS, unchecked.
    pub(super) full: Leg,
    /// TLS, checked.
    pub(super) strict: Leg,
    /// The same, for a visitor by HTTP.
    pub(super) strict_for_http: Leg,
}

impl Legs {
    /// The way that a mode asks; `None` where the edge itself sends the visitor to HTTP.
    fn of(&self, mode: Mode, visitor: Scheme) -> Option<&Leg> {
        match (mode, visitor) {
            (Mode::Off, Scheme::Https) => None,
            (Mode::Off | Mode::Flexible | Mode::Full | Mode::Strict, Scheme::Http) => Some(&self.plain),
            (Mode::Flexible, Scheme::Https) => Some(&self.plain_for_https),
            (Mode::Full, Scheme::Https) => Some(&self.full),
            (Mode::Strict | Mode::OriginPull, Scheme::Https) => Some(&self.strict),
            (Mode::OriginPull, Scheme::Http) => Some(&self.strict_for_http),
        }
    }
}

/// How a visit ends.
#[derive(Clone, Debug)]
pub enum End {
    /// With an answer of the origin; `None` if it took longer than the probe waits.
    Works {
        /// Its status.
        status: Option<u16>,
        /// Where it sends the visitor, if that is elsewhere.
        location: Option<String>,
    },
    /// Never: edge and origin send the visitor from one scheme to the other and back.
    RedirectLoop,
    /// With a page of the edge.
    Fails(Box<Verdict>),
}

/// A visit under one mode.
#[derive(Clone, Debug)]
pub struct Visit {
    /// How it ends.
    pub end: End,
    /// Whether the visitor was sent to the other scheme on the way.
    pub redirected: bool,
}

/// What a mode makes of the origin.
#[derive(Clone, Debug)]
pub struct ModeReport {
    /// The mode.
    pub mode: Mode,
    /// For visitors who come by HTTPS.
    pub https: Visit,
    /// For visitors who come by HTTP.
    pub http: Visit,
}

impl ModeReport {
    pub(super) fn new(mode: Mode, legs: &Legs, host: &str) -> Self {
        Self { mode, https: visit(mode, Scheme::Https, legs, host), http: visit(mode, Scheme::Http, legs, host) }
    }

    pub(super) fn to_json(&self) -> Value {
        json!({
            "mode": self.mode.name(),
            "works": self.https.end.works(),
            "visitor_https": self.https.to_json(),
            "visitor_http": self.http.to_json(),
        })
    }
}

impl End {
    /// Whether the visitor gets an answer of the origin.
    pub fn works(&self) -> bool {
        match self {
            Self::Works { .. } => true,
            Self::RedirectLoop | Self::Fails(_) => false,
        }
    }

    pub(super) fn to_json(&self) -> Value {
        let (outcome, status, location) = match self {
            Self::Works { status, location } => ("works", *status, location.as_deref()),
            Self::RedirectLoop => ("redirect_loop", None, None),
            Self::Fails(verdict) => ("fails", verdict.page_status(), None),
        };
        let verdict = self.verdict().map(|verdict| verdict.to_json(Audience::Owner));
        json!({ "outcome": outcome, "status": status, "location": location, "verdict": verdict })
    }

    /// The verdict of one that fails.
    pub fn verdict(&self) -> Option<&Verdict> {
        match self {
            Self::Fails(verdict) => Some(verdict),
            Self::Works { .. } | Self::RedirectLoop => None,
        }
    }
}

impl From<Leg> for End {
    fn from(leg: Leg) -> Self {
        match leg {
            Leg::Answered { status, location, .. } => Self::Works { status: Some(status), location },
            Leg::Silent { .. } => Self::Works { status: None, location: None },
            Leg::Failed(verdict) => Self::Fails(verdict),
        }
    }
}

impl Visit {
    fn to_json(&self) -> Value {
        let mut object = self.end.to_json();
        if let Some(members) = object.as_object_mut() {
            members.insert("redirected".to_owned(), self.redirected.into());
        }
        object
    }
}

/// Follows a visitor of `/` until there is an answer that does not merely change the scheme.
fn visit(mode: Mode, came_by: Scheme, legs: &Legs, host: &str) -> Visit {
    let (mut scheme, mut seen) = (came_by, Vec::new());
    loop {
        if seen.contains(&scheme) {
            return Visit { end: End::RedirectLoop, redirected: true };
        }
        seen.push(scheme);
        let end = match legs.of(mode, scheme) {
            None => {
                scheme = Scheme::Http;
                continue;
            }
            Some(Leg::Failed(verdict)) => End::Fails(verdict.clone()),
            Some(Leg::Silent { .. }) => End::Works { status: None, location: None },
            Some(Leg::Answered { status, location, .. }) => {
                let location = location.as_deref().filter(|_| matches!(status, 301 | 302 | 303 | 307 | 308));
                if let Some(next) = location.and_then(|location| same_page(location, host, scheme)) {
                    scheme = next;
                    continue;
                }
                End::Works { status: Some(*status), location: location.map(str::to_owned) }
            }
        };
        return Visit { end, redirected: scheme != came_by };
    }
}

/// The scheme that a `Location` leads to, if it leads to `/` of the same host.
fn same_page(location: &str, host: &str, scheme: Scheme) -> Option<Scheme> {
    if location == "/" {
        return Some(scheme);
    }
    let (name, rest) = location.split_once("://")?;
    let (scheme, default_port) = match name.to_ascii_lowercase().as_str() {
        "http" => (Scheme::Http, ":80"),
        "https" => (Scheme::Https, ":443"),
        _ => return None,
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let authority = authority.strip_suffix(default_port).unwrap_or(authority);
    (path.is_empty() && authority.trim_end_matches('.').eq_ignore_ascii_case(host)).then_some(scheme)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, location: Option<&str>) -> Leg {
        let address = Some(([127, 0, 0, 1], 443).into());
        Leg::Answered { address, status, location: location.map(str::to_owned) }
    }

    fn legs(plain: Leg, plain_for_https: Leg, secured: &Leg) -> Legs {
        let (full, strict, strict_for_http) = (secured.clone(), secured.clone(), secured.clone());
        Legs { plain, plain_for_https, full, strict, strict_for_http }
    }

    fn loops(legs: &Legs) -> Vec<(&'static str, bool, bool)> {
        let is_loop = |visit: &Visit| matches!(visit.end, End::RedirectLoop);
        let reports = Mode::ALL.map(|mode| ModeReport::new(mode, legs, "shop.example"));
        reports.iter().map(|report| (report.mode.name(), is_loop(&report.https), is_loop(&report.http))).collect()
    }

    #[test]
    fn an_origin_that_insists_on_https_loops_without_tls_to_it() {
        let to_https = || answered(301, Some("https://Shop.example:443/"));
        let legs = legs(to_https(), to_https(), &answered(200, None));
        let rows = [
            ("off", true, true),
            ("flexible", true, true),
            ("full", false, false),
            ("strict", false, false),
            ("origin_pull", false, false),
        ];
        assert_eq!(loops(&legs), rows);
    }

    #[test]
    fn one_that_heeds_the_forwarded_scheme_loops_only_where_https_is_off() {
        let legs = legs(answered(301, Some("https://shop.example/")), answered(200, None), &answered(200, None));
        let looping: Vec<_> = loops(&legs).into_iter().filter(|row| row.1 || row.2).map(|row| row.0).collect();
        assert_eq!(looping, ["off"]);
    }

    #[test]
    fn an_origin_that_insists_on_http_loops_where_the_edge_uses_tls() {
        let to_http = answered(302, Some("http://shop.example"));
        let plain = || answered(200, None);
        let rows = loops(&legs(plain(), plain(), &to_http));
        assert_eq!(rows[2], ("full", false, false), "HTTP visitors are asked for in clear");
        assert_eq!(rows[4], ("origin_pull", true, true));
    }

    #[test]
    fn another_page_is_no_loop() {
        for location in ["https://www.shop.example/", "/shop", "https://shop.example/shop", "ftp://shop.example/", "//"]
        {
            assert_eq!(same_page(location, "shop.example", Scheme::Http), None, "{location}");
        }
        assert_eq!(same_page("/", "shop.example", Scheme::Http), Some(Scheme::Http));
    }
}
