//! Who asks whom for what, and which faults go on.

use std::sync::Arc;

use fastrand::Rng;
use rayline_verdict::Moment;

use super::Request;
use crate::dimension::Dimension;

const HOSTS: usize = 24;
const PATHS: usize = 4_000;
const CLIENTS: usize = 60_000;
const COUNTRIES: [&str; 12] = ["us", "de", "gb", "fr", "in", "br", "jp", "nl", "pl", "es", "it", "se"];
const METHODS: [&str; 3] = ["GET", "POST", "HEAD"];
/// Of successes, the frequent ones first.
pub(super) const STATUSES: [&str; 5] = ["200", "304", "404", "301", "206"];
const AGENTS: [(&str, &str); 6] = [
    (
        "browser",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36",
    ),
    (
        "browser",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
    ),
    ("browser", "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"),
    ("crawler", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"),
    ("api", "okhttp/4.12.0"),
    ("monitor", "UptimeRobot/2.0"),
];

/// A way to fail.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) code: &'static str,
    pub(super) party: &'static str,
    pub(super) edge_status: &'static str,
    pub(super) origin_status: &'static str,
    /// Until it was known, in microseconds, about.
    pub(super) wait: f64,
    /// As in the log.
    pub(super) evidence: &'static str,
}

/// The frequent ones first.
static FAILURES: [Failure; 7] = [
    Failure {
        code: "origin.wait.server_error",
        party: "origin",
        edge_status: "503",
        origin_status: "503",
        wait: 30_000.0,
        evidence: r#"{"retry_after":"30","server":"nginx/1.24.0","body_start":"<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>"}"#,
    },
    Failure {
        code: "origin.wait.timed_out",
        party: "origin",
        edge_status: "524",
        origin_status: "0",
        wait: 100_000_000.0,
        evidence: r#"{"waited_ms":100000,"limit_ms":100000,"bytes_unacknowledged":0,"last_byte_sent_ms":2}"#,
    },
    Failure {
        code: "network.connect.timed_out",
        party: "network",
        edge_status: "522",
        origin_status: "0",
        wait: 19_000_000.0,
        evidence: r#"{"syn_sent":5,"limit_ms":19000,"answers":"none"}"#,
    },
    Failure {
        code: "origin.connect.refused",
        party: "origin",
        edge_status: "521",
        origin_status: "0",
        wait: 700.0,
        evidence: r#"{"errno":"ECONNREFUSED","after_us":412}"#,
    },
    Failure {
        code: "origin.receive.closed",
        party: "origin",
        edge_status: "520",
        origin_status: "0",
        wait: 60_000.0,
        evidence: r#"{"bytes_received":0,"closed_by":"origin","how":"FIN","connection_age_ms":61342,"requests_before":17}"#,
    },
    Failure {
        code: "origin.origin_tls.certificate_expired",
        party: "origin",
        edge_status: "526",
        origin_status: "0",
        wait: 8_000.0,
        evidence: r#"{"not_after":"2026-10-31T23:59:59Z","subject":"CN=www.shop.example","issuer":"C=US, O=Example Trust, CN=E5"}"#,
    },
    Failure {
        code: "visitor.reply.gone",
        party: "visitor",
        edge_status: "499",
        origin_status: "0",
        wait: 400_000.0,
        evidence: r#"{"after_ms":812,"bytes_sent":0}"#,
    },
];

/// Something that goes on for a while at one host.
#[derive(Debug)]
struct Fault {
    from: i64,
    to: i64,
    host: usize,
    share: f64,
    failure: &'static Failure,
}

/// All that does not change from request to request.
#[derive(Debug)]
pub(super) struct World {
    from: Moment,
    texts: [Option<Arc<Vec<Arc<str>>>>; Dimension::ALL.len()],
    faults: Vec<Fault>,
}

impl World {
    /// A world whose faults lie in a span.
    pub(super) fn new(random: &mut Rng, from: Moment, to: Moment) -> Self {
        let span = to.0.saturating_sub(from.0);
        let faults = (0..12).map(|nth| {
            let start = from.0 + random.i64(0..=span.max(1));
            let length = random.i64(0..=(span / 40).max(1));
            let failure = FAILURES.get(nth % FAILURES.len()).unwrap_or(&FAILURES[0]);
            Fault {
                from: start,
                to: start + length,
                host: skewed(random, HOSTS),
                share: 0.2 + random.f64() * 0.7,
                failure,
            }
        });
        let mut world = Self { from, faults: faults.collect(), texts: Default::default() };
        for dimension in Dimension::ALL {
            if let Some(place) = world.texts.get_mut(dimension.index()) {
                *place = values(random, dimension).map(|values| Arc::new(values.into_iter().map(Into::into).collect()));
            }
        }
        world
    }

    pub(super) fn hosts(&self) -> usize {
        HOSTS
    }

    pub(super) fn paths(&self) -> usize {
        PATHS
    }

    pub(super) fn clients(&self) -> usize {
        CLIENTS
    }

    pub(super) fn agents(&self) -> usize {
        AGENTS.len()
    }

    /// The version of the configuration then: one every day and a half.
    pub(super) fn plan(&self, at: Moment) -> u64 {
        (at.0.saturating_sub(self.from.0) / 129_600_000_000_000).cast_unsigned() % 8
    }

    /// How a request fails, if it does.
    pub(super) fn failure(&self, random: &mut Rng, at: Moment, host: usize, usual: f64) -> Option<&'static Failure> {
        let fault = self.faults.iter().find(|fault| fault.host == host && fault.from <= at.0 && at.0 < fault.to);
        if let Some(fault) = fault
            && random.f64() < fault.share
        {
            return Some(fault.failure);
        }
        let fails = random.f64() < usual;
        let which = skewed(random, FAILURES.len());
        FAILURES.get(which).filter(|_| fails)
    }

    /// The texts of a dimension; `None` if requests have not got it.
    pub(super) fn texts(&self, dimension: Dimension) -> Option<&Arc<Vec<Arc<str>>>> {
        self.texts.get(dimension.index())?.as_ref()
    }

    /// Which of them a request has.
    pub(super) fn code(&self, dimension: Dimension, request: &Request) -> u32 {
        let failure = || {
            let place = |failure: &Failure| FAILURES.iter().position(|have| have.code == failure.code);
            request.failure.and_then(place).map_or(0, |place| place + 1)
        };
        let place = match dimension {
            Dimension::Zone => request.host / 4,
            Dimension::Host => request.host,
            Dimension::Method => request.method,
            Dimension::Code | Dimension::Party => failure(),
            Dimension::EdgeStatus | Dimension::OriginStatus => match failure() {
                0 => request.status,
                failed => STATUSES.len() + failed - 1,
            },
            Dimension::Origin => request.host / 4 * 2 + request.origin,
            Dimension::Country => request.client % COUNTRIES.len(),
            Dimension::Plan => usize::try_from(request.plan).unwrap_or_default(),
            Dimension::Path => request.path,
            Dimension::Client => request.client,
            Dimension::UserAgent | Dimension::Agent => request.agent,
            Dimension::Protocol => request.client % 2,
            Dimension::Colo
            | Dimension::Cache
            | Dimension::Worker
            | Dimension::Rule
            | Dimension::Scheme
            | Dimension::OriginProtocol
            | Dimension::Phase
            | Dimension::Bucket => 0,
        };
        u32::try_from(place).unwrap_or_default()
    }

    /// A request's text.
    pub(super) fn text(&self, dimension: Dimension, request: &Request) -> &str {
        let values = self.texts(dimension).map_or(&[][..], |values| values.as_slice());
        values.get(self.code(dimension, request) as usize).map_or("", |text| text)
    }
}

fn values(random: &mut Rng, dimension: Dimension) -> Option<Vec<String>> {
    let listed = |texts: &[&str]| Some(texts.iter().map(|text| (*text).to_owned()).collect());
    let failed = |of: fn(&'static Failure) -> &'static str| FAILURES.iter().map(of).collect::<Vec<_>>();
    let zone = |zone: usize| format!("site-{zone}.example");
    match dimension {
        Dimension::Zone => Some((0..HOSTS / 4).map(zone).collect()),
        Dimension::Host => {
            let name = |host: usize| ["www", "api", "shop", "static"].get(host % 4).map_or("www", |name| name);
            Some((0..HOSTS).map(|host| format!("{}.{}", name(host), zone(host / 4))).collect())
        }
        Dimension::Method => listed(&METHODS),
        Dimension::EdgeStatus => listed(&[&STATUSES[..], &failed(|failure| failure.edge_status)].concat()),
        Dimension::OriginStatus => listed(&[&STATUSES[..], &failed(|failure| failure.origin_status)].concat()),
        Dimension::Code => listed(&[&[""][..], &failed(|failure| failure.code)].concat()),
        Dimension::Party => listed(&[&[""][..], &failed(|failure| failure.party)].concat()),
        Dimension::Colo => listed(&["FRA"]),
        Dimension::Origin => Some((0..HOSTS / 2).map(|origin| format!("192.0.2.{}:443", origin + 10)).collect()),
        Dimension::Cache => listed(&["dynamic"]),
        Dimension::Country => listed(&COUNTRIES),
        Dimension::Plan => Some((1..=8).map(|version| version.to_string()).collect()),
        Dimension::Worker | Dimension::Rule => listed(&[""]),
        Dimension::Path => Some((0..PATHS).map(|path| path_of(random, path)).collect()),
        Dimension::Client => {
            Some((0..CLIENTS).map(|_| format!("{}.{}.{}.0", random.u8(1..224), random.u8(..), random.u8(..))).collect())
        }
        Dimension::UserAgent => listed(&AGENTS.map(|(_, text)| text)),
        Dimension::Agent => listed(&AGENTS.map(|(kind, _)| kind)),
        Dimension::Protocol => listed(&["HTTP/2", "HTTP/1.1"]),
        Dimension::Scheme => listed(&["https"]),
        Dimension::OriginProtocol => listed(&["HTTP/1.1"]),
        Dimension::Phase | Dimension::Bucket => None,
    }
}

fn path_of(random: &mut Rng, path: usize) -> String {
    let section = ["product", "category", "blog", "api/v2/orders", "assets/js", "search"].get(path % 6);
    format!("/{}/{}-{:x}", section.map_or("", |section| section), path, random.u32(..))
}

/// One of so many, the first ones by far the most often.
pub(super) fn skewed(random: &mut Rng, of: usize) -> usize {
    let place = of as f64 * random.f64().powi(4);
    (place as usize).min(of.saturating_sub(1))
}
