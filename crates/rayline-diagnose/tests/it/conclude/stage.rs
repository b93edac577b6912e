//! What was seen, put together by hand: nobody is asked.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use rayline_diagnose::Case;
use rayline_diagnose::author::{Mark, Recognition, Role, Told, recognise};
use rayline_diagnose::case::Origin;
use rayline_diagnose::conclude::Seen;
use rayline_diagnose::direct::{Asked, Direct, Rival, RivalKind};
use rayline_diagnose::fetch::{Answer, BodyEnd, Exchange, Obstacle, Timings};
use rayline_diagnose::host::Host;
use rayline_diagnose::logs::{Cause, Joined, Named, Reading};
use rayline_diagnose::network::{Network, Tcp};
use rayline_diagnose::tls::{End, Http2, Mode, ModeReport, Report, Scheme};
use rayline_diagnose::visit::{Failing, Loop, Rate, Sample, Visit, Way};
use rayline_verdict::fault::{Cause as Met, OriginTlsCause};
use rayline_verdict::{Code, Fault, Verdict, attribute};

pub(super) const VISITED: &str = "203.0.113.10:443";
pub(super) const ORIGIN: &str = "198.51.100.7:443";
/// An origin on this very machine: what refuses here, refuses everybody.
pub(super) const NEAR: &str = "127.0.0.1:8443";

pub(super) fn case() -> Case {
    Case { samples: 4, ..Case::new("https://shop.example/cart".parse().unwrap()) }
}

/// The verdict of a probe that met this.
pub(super) fn met(cause: impl Into<Met>) -> Verdict {
    attribute(Fault::new(cause), Vec::new())
}

/// How a request ended.
#[derive(Clone, Debug)]
pub(super) enum Ends {
    Answered(u16),
    Large(u16, usize),
    Blank(u16),
    Broken(Verdict),
    Failed(Verdict),
    Silent(u64),
}

use Ends as E;

impl Ends {
    fn outcome(&self) -> Result<Answer, Obstacle> {
        let answer = |status, bytes: usize, end| Answer {
            status,
            fields: vec![("x".to_owned(), vec![b'x'; bytes])],
            body: Vec::new(),
            body_bytes: 100,
            end,
        };
        match self {
            Self::Answered(status) => Ok(answer(*status, 10, BodyEnd::Whole)),
            Self::Large(status, bytes) => Ok(answer(*status, *bytes, BodyEnd::Whole)),
            Self::Blank(status) => Ok(Answer { body_bytes: 0, ..answer(*status, 10, BodyEnd::Whole) }),
            Self::Broken(verdict) => Ok(answer(200, 10, BodyEnd::Broken(Box::new(verdict.clone())))),
            Self::Failed(verdict) => Err(Obstacle::Fault(Box::new(verdict.clone()))),
            Self::Silent(seconds) => Err(Obstacle::Silent { waited: Duration::from_secs(*seconds) }),
        }
    }

    fn failing(&self) -> Option<Failing> {
        match self {
            Self::Answered(500..) => Some(Failing::Status),
            Self::Answered(403 | 409 | 429) => Some(Failing::Refused),
            Self::Answered(_) | Self::Large(..) => None,
            Self::Blank(_) => Some(Failing::Blank),
            Self::Broken(_) => Some(Failing::Body),
            Self::Failed(_) => Some(Failing::NoAnswer),
            Self::Silent(_) => Some(Failing::Slow),
        }
    }
}

fn exchange(at: &str, end: &E) -> Exchange {
    Exchange {
        at: SystemTime::UNIX_EPOCH,
        address: at.parse().ok(),
        protocol: Some("HTTP/1.1"),
        tls: None,
        timings: Timings::default(),
        outcome: end.outcome(),
    }
}

pub(super) fn mark(name: &'static str, role: Role) -> Mark {
    Mark { name, role, rule: "header `server`", seen: name.to_owned() }
}

/// Who signed the answer, and what it passed.
pub(super) fn by(author: Option<Mark>, passed: &[Mark], told: Option<Told>) -> Recognition {
    Recognition { passed: passed.to_vec(), author, told, request_id: None }
}

pub(super) fn told(number: Option<u16>, codes: &[Code]) -> Option<Told> {
    Some(Told { number, words: "an error".to_owned(), codes: codes.to_vec(), cause: None })
}

/// What is seen, by steps.
#[derive(Clone, Debug, Default)]
pub(super) struct Stage(pub(super) Seen);

impl Stage {
    /// A visitor's requests, all alike.
    pub(super) fn visit(end: E, recognition: Recognition) -> Self {
        let mut stage = Self(Seen {
            visit: Visit { addresses: vec![VISITED.parse().unwrap()], ..Visit::default() },
            ..Seen::default()
        });
        for http2 in [false, true] {
            stage = stage.sample(&end, recognition.clone(), Way { ipv6: false, http2 });
        }
        stage
    }

    pub(super) fn sample(mut self, end: &E, recognition: Recognition, way: Way) -> Self {
        self.0.visit.samples.push(Sample {
            url: case().url,
            way,
            exchange: exchange(VISITED, end),
            recognition,
            failing: end.failing(),
        });
        self
    }

    /// Straight at a server that nobody stands before.
    pub(super) fn bare(end: E) -> Self {
        Self::visit(end, Recognition::default())
    }

    /// Straight at a server that signs its pages.
    pub(super) fn server(name: &'static str, status: u16, codes: &[Code]) -> Self {
        let server = mark(name, Role::Server);
        Self::visit(E::Answered(status), by(Some(server.clone()), &[server], told(None, codes)))
    }

    /// A page of Cloudflare's with this number.
    pub(super) fn cloudflare(status: u16, number: u16) -> Self {
        let answer = Answer {
            status,
            fields: [("server", "cloudflare"), ("cf-ray", "8a1b2c3d4e5f6789-AMS"), ("content-type", "text/plain")]
                .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
                .to_vec(),
            body: format!("error code: {number}").into_bytes(),
            body_bytes: 16,
            end: BodyEnd::Whole,
        };
        Self::visit(E::Answered(status), recognise(&answer))
    }

    pub(super) fn cloudflare_says(status: u16, number: u16, codes: &[Code]) -> Self {
        let edge = mark("Cloudflare", Role::Edge);
        Self::visit(E::Answered(status), by(Some(edge.clone()), &[edge], told(Some(number), codes)))
    }

    /// An answer that passed Cloudflare and was signed by another.
    pub(super) fn through_cloudflare(end: E, author: Option<Mark>) -> Self {
        Self::visit(end, by(author, &[mark("Cloudflare", Role::Edge)], None))
    }

    /// A page of Rayline's that names its code.
    pub(super) fn rayline(status: u16, code: Code) -> Self {
        let edge = mark("Rayline", Role::Edge);
        let number = Some(code.entry().number()).filter(|number| *number != 0);
        Self::visit(E::Answered(status), by(Some(edge.clone()), &[edge], told(number, &[code])))
    }

    /// Past the edge, at this address.
    pub(super) fn direct(self, end: E) -> Self {
        self.direct_at(ORIGIN, Scheme::Https, end)
    }

    pub(super) fn direct_at(mut self, at: &str, scheme: Scheme, end: E) -> Self {
        let address: SocketAddr = at.parse().unwrap();
        self.0.direct.get_or_insert_with(Direct::default).asked.push(Asked {
            origin: origin(at),
            scheme,
            http2: false,
            address,
            failing: end.failing(),
            exchange: exchange(at, &end),
            recognition: Recognition::default(),
            differences: Vec::new(),
        });
        self
    }

    pub(super) fn direct_h2(self, end: E) -> Self {
        let mut stage = self.direct(end);
        if let Some(asked) = stage.0.direct.as_mut().and_then(|direct| direct.asked.last_mut()) {
            asked.http2 = true;
        }
        stage
    }

    pub(super) fn rival(mut self, kind: RivalKind, fails: Option<bool>) -> Self {
        let seen = format!("{kind:?} was tried");
        self.0.direct.get_or_insert_with(Direct::default).rivals.push(Rival { kind, fails, seen });
        self
    }

    pub(super) fn rivals_hold(self) -> Self {
        use RivalKind::{Concurrency, EdgeFields, Firewall, HeaderSize, Http2, Port, Reuse};
        let all = [Firewall, Concurrency, EdgeFields, Http2, Port, Reuse, HeaderSize];
        all.into_iter().fold(self, |stage, kind| stage.rival(kind, Some(false)))
    }

    /// The origin's TLS: what `full` and `strict` come to; `None`: they work.
    pub(super) fn tls(mut self, full: Option<Verdict>, strict: Option<Verdict>) -> Self {
        let works = || End::Works { status: Some(200), location: None };
        let end =
            |verdict: &Option<Verdict>| verdict.clone().map_or_else(works, |verdict| End::Fails(Box::new(verdict)));
        let modes = Mode::ALL.map(|mode| {
            let end = match mode {
                Mode::Off | Mode::Flexible => works(),
                Mode::Full => end(&full),
                Mode::Strict | Mode::OriginPull => end(&strict),
            };
            let visit = || rayline_diagnose::tls::Visit { end: end.clone(), redirected: false };
            ModeReport { mode, https: visit(), http: visit() }
        });
        self.0.tls = Some(Report {
            target: ORIGIN.parse().unwrap(),
            name: None,
            addresses: Vec::new(),
            modes,
            chain: Vec::new(),
            stapled: false,
            revocation: Vec::new(),
            revoked: None,
            without_client: None,
            offers: Vec::new(),
            without_name: None,
            alpn: None,
            http2: Http2::NotOffered,
            system_only: false,
        });
        self
    }

    pub(super) fn flexible_loops(self) -> Self {
        let mut stage = self.tls(None, None);
        if let Some(report) = &mut stage.0.tls {
            let flexible = report.modes.iter_mut().find(|report| report.mode == Mode::Flexible).unwrap();
            flexible.https.end = End::RedirectLoop;
        }
        stage
    }

    /// What browsers say of the certificate.
    pub(super) fn certificate(mut self, cause: OriginTlsCause) -> Self {
        self.0.visit.certificate = Some(Box::new(met(cause)));
        self
    }

    pub(super) fn tcp(mut self, at: &str, is_site: bool, outcome: Option<Verdict>) -> Self {
        let outcome = outcome.map_or(Ok(Duration::from_millis(9)), |verdict| Err(Box::new(verdict)));
        let tcp = Tcp { address: at.parse().unwrap(), is_site, named: true, outcome };
        self.0.network.get_or_insert_with(Network::default).tcp.push(tcp);
        self
    }

    pub(super) fn log(mut self, cause: Cause, likelihood: f64) -> Self {
        self.0.logs.get_or_insert_with(Reading::default).named.push(named(cause, likelihood));
        self
    }

    pub(super) fn host(mut self, cause: Cause, likelihood: f64) -> Self {
        self.0.host.get_or_insert_with(Host::default).troubles.push(named(cause, likelihood));
        self
    }

    pub(super) fn logged(mut self, status: u16) -> Self {
        self.0.logs.get_or_insert_with(Reading::default).joined.push(Joined {
            found: (PathBuf::from("/var/log/nginx/access.log"), 7),
            line: "GET /cart".to_owned(),
            status: Some(status),
            by: "Ray ID",
            likelihood: 0.99,
        });
        self
    }

    pub(super) fn rate(mut self, failed: u32, of: u32) -> Self {
        self.0.visit.rate = Some(Rate { failed, of, between: (0.18, 0.57) });
        self
    }

    pub(super) fn record(mut self, code: Code, certainty: &str) -> Self {
        let record = serde_json::json!({ "VerdictCode": code.name(), "VerdictCertainty": certainty });
        self.0.edge.get_or_insert_with(Default::default).record = Some(record);
        self
    }

    pub(super) fn circle(flexible: bool) -> Self {
        let mut stage = Self::visit(E::Answered(301), by(None, &[mark("Cloudflare", Role::Edge)], None));
        stage.0.visit.looping = Some(Loop { flexible, urls: vec![case().url] });
        stage
    }

    /// The same without an edge.
    pub(super) fn unmarked(mut self) -> Self {
        self.0.visit.samples.iter_mut().for_each(|sample| sample.recognition = Recognition::default());
        self
    }
}

/// As a person says it: the usual ports go without saying.
fn origin(at: &str) -> Origin {
    at.trim_end_matches(":443").trim_end_matches(":80").parse().unwrap()
}

fn named(cause: Cause, likelihood: f64) -> Named {
    Named {
        cause,
        sentence: cause.row().sentence.to_owned(),
        place: Some("/srv/www/cart.php:12".to_owned()),
        source: "PHP",
        line: "a line".to_owned(),
        found: None,
        count: 3,
        between: None,
        likelihood,
    }
}
