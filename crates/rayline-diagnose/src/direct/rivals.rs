//! What else may be why the way through the edge fails and the direct one does not: each tried, as far as it can be tried
//! from here.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rayline_dial::Protocols;
use rayline_verdict::Phase;

use super::compare::explains;
use super::trial::{Question, Trial};
use super::{Asked, Rival, RivalKind};
use crate::fetch::{Ask, fetch_again};
use crate::probe::{Probe, Watcher};
use crate::tls::Scheme;
use crate::visit::show::verdict;
use crate::visit::{Names, Sample, Visit};

/// How long a connection rests before it is used again. Servers keep theirs for longer or shorter.
const REST: Duration = Duration::from_secs(1);
/// A failure that takes longer than this is not looked into field by field.
const QUICK: Duration = Duration::from_secs(1);
/// The bytes of a large cookie: what most servers take at the very most.
const COOKIE: usize = 16 * 1024;
/// Requests at once.
const AT_ONCE: usize = 8;
/// A visitor's address that is nobody's (RFC 5737).
const SOMEBODY: &str = "192.0.2.1";

/// How the way through the edge fails.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault<'a> {
    Sample(&'a Sample),
    /// Redirects go in a circle.
    Circle,
}

/// How it does, if the edge was reached: else nothing behind it is why.
pub(super) fn fault(visit: &Visit) -> Option<Fault<'_>> {
    let Some(sample) = visit.failing() else { return visit.looping.as_ref().map(|_| Fault::Circle) };
    let phase = verdict(&sample.exchange).map(rayline_verdict::Verdict::phase);
    let unreached = matches!(phase, Some(Phase::Resolve | Phase::Connect | Phase::OriginTls));
    (!unreached).then_some(Fault::Sample(sample))
}

/// What came of trying them all.
pub(super) struct Tried {
    pub(super) rivals: Vec<Rival>,
    pub(super) probes: Vec<Probe>,
    /// A plain request that failed all the same: the origin fails now and then, and `base` was lucky.
    pub(super) caught: Option<Trial>,
}

/// Tries them all. `base` is a direct request that works.
pub(super) async fn try_all(
    question: &Question<'_>,
    fault: Fault<'_>,
    base: &Asked,
    asked: &[Asked],
    edge: &[SocketAddr],
    names: &Names,
    watcher: &dyn Watcher,
) -> Tried {
    let trying = Trying { question, fault, base, asked, edge, names, caught: RefCell::default() };
    // Many at once would disturb the others, but not the connection that rests.
    let (reuse, (http2, fields, port, size, concurrency)) =
        tokio::join!(timed(watcher, RivalKind::Reuse, trying.reuse()), async {
            let (http2, fields, port, size) = tokio::join!(
                timed(watcher, RivalKind::Http2, trying.http2()),
                timed(watcher, RivalKind::EdgeFields, trying.edge_fields()),
                timed(watcher, RivalKind::Port, trying.port()),
                timed(watcher, RivalKind::HeaderSize, trying.header_size()),
            );
            (http2, fields, port, size, timed(watcher, RivalKind::Concurrency, trying.concurrency()).await)
        });
    let firewall = timed(watcher, RivalKind::Firewall, async { firewall() }).await;
    let (rivals, probes) = [http2, fields, port, size, concurrency, firewall, reuse].into_iter().unzip();
    Tried { rivals, probes, caught: trying.caught.into_inner() }
}

/// Whether the origin fails under it, and what was seen.
type Finding = (Option<bool>, String);

async fn timed(watcher: &dyn Watcher, kind: RivalKind, finding: impl Future<Output = Finding>) -> (Rival, Probe) {
    let (began, name) = (Instant::now(), format!("direct.rival.{}", kind.name()));
    watcher.began(&name, kind.doing());
    let (fails, seen) = finding.await;
    let probe = Probe::new(name, fails.map(|fails| !fails), began.elapsed(), seen.clone());
    watcher.ended(&probe);
    (Rival { kind, fails, seen }, probe)
}

impl RivalKind {
    /// What trying it does.
    const fn doing(self) -> &'static str {
        match self {
            Self::Firewall => "looking for a firewall that keeps the edge out",
            Self::Concurrency => "asking for several at once",
            Self::EdgeFields => "adding the fields that edges add",
            Self::Http2 => "asking by HTTP/2",
            Self::Port => "asking at the ports of the other SSL modes",
            Self::Reuse => "using a connection again after a rest",
            Self::HeaderSize => "sending a large cookie",
        }
    }
}

/// No machine can see from its own address what another's meets.
fn firewall() -> Finding {
    let seen = "it cannot be tried from this address: run this program on the origin (`--here`), or look whether the \
                origin's log has the edge's requests at all, and whether its firewall lets the edge's addresses in \
                (`rayline ips`)";
    (None, seen.to_owned())
}

struct Trying<'a> {
    question: &'a Question<'a>,
    fault: Fault<'a>,
    base: &'a Asked,
    asked: &'a [Asked],
    /// Where visitors are served.
    edge: &'a [SocketAddr],
    names: &'a Names,
    caught: RefCell<Option<Trial>>,
}

impl Trying<'_> {
    fn plain(&self) -> Ask {
        self.question.plain(self.base.scheme)
    }

    /// The request with more fields.
    fn with(&self, fields: &[(&str, String)]) -> Ask {
        let mut ask = self.plain();
        ask.fields.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        ask
    }

    /// Whether what came of a request is what visitors should not see.
    fn is_bad(&self, trial: &Trial) -> bool {
        match self.fault {
            Fault::Sample(_) => trial.failing.is_some(),
            Fault::Circle => trial.failing.is_some() || self.question.sends_back(&trial.exchange),
        }
    }

    /// The address that answered.
    fn address(&self) -> SocketAddr {
        self.base.exchange.address.unwrap_or(self.base.address)
    }

    async fn try_it(&self, ask: &Ask) -> Trial {
        self.question.ask(ask, &[self.address()]).await
    }

    /// Whether the origin fails when it is asked so, and only then.
    async fn under(&self, how: &str, ask: &Ask) -> Finding {
        self.confirmed(how, ask, &self.try_it(ask).await).await
    }

    /// The same, of which this came first: what fails now and then would fail so, too.
    async fn confirmed(&self, how: &str, ask: &Ask, trial: &Trial) -> Finding {
        let seen = format!("asked past the edge {how}: {}", trial.line());
        if !self.is_bad(trial) {
            return (Some(false), seen);
        }
        let plain = self.plain();
        let (plain, again) = tokio::join!(self.try_it(&plain), self.try_it(ask));
        if !self.is_bad(&plain) && self.is_bad(&again) {
            (Some(true), seen)
        } else {
            (None, format!("{seen}; but it comes and goes, also without"))
        }
    }

    async fn http2(&self) -> Finding {
        let spoken =
            |asked: &&Asked| asked.http2 && asked.origin == self.base.origin && asked.scheme == self.base.scheme;
        let Some(asked) = self.asked.iter().find(spoken) else {
            return (Some(false), "the origin does not offer HTTP/2".to_owned());
        };
        let Asked { exchange, recognition, failing, .. } = asked.clone();
        let ask = Ask { protocols: Protocols::Http2OrHttp1, ..self.plain() };
        self.confirmed("by HTTP/2", &ask, &Trial { exchange, recognition, failing }).await
    }

    async fn edge_fields(&self) -> Finding {
        let fields = edge_fields(self.question.scheme());
        let began = Instant::now();
        let together = self.under("with the fields that edges add", &self.with(&fields)).await;
        if together.0 == Some(true) && began.elapsed() < QUICK {
            for field in &fields {
                let how = format!("with `{}: {}`", field.0, field.1);
                let alone = self.under(&how, &self.with(std::slice::from_ref(field))).await;
                if alone.0 == Some(true) {
                    return alone;
                }
            }
        }
        together
    }

    /// The ports that an edge connects to by its SSL mode, where they were not asked yet.
    async fn port(&self) -> Finding {
        let entrances = match self.question.page.port() {
            Some(port) => [(Scheme::Http, port), (Scheme::Https, port)],
            None => [(Scheme::Http, 80), (Scheme::Https, 443)],
        };
        let (mut explained, mut seen) = (Some(false), Vec::new());
        for (scheme, port) in entrances {
            if (scheme, port) == (self.base.scheme, self.base.address.port()) {
                continue;
            }
            let Ok(addresses) = self.names.resolve(&self.base.origin.target.host, port).await else { continue };
            // The edge itself may stand on the origin's machine.
            if addresses.iter().any(|address| self.edge.contains(address)) {
                continue;
            }
            let trial = self.at(scheme, &addresses).await;
            explained = match (explained, self.is_it(&trial)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (None, _) | (_, None) => None,
                (Some(false), Some(false)) => Some(false),
            };
            seen.push(format!("asked past the edge by {} at port {port}: {}", scheme.name(), trial.line()));
        }
        if seen.is_empty() {
            return (None, "there is no other port to ask".to_owned());
        }
        (explained, seen.join("; "))
    }

    /// Asks as an edge would on behalf of the visitor.
    async fn at(&self, scheme: Scheme, addresses: &[SocketAddr]) -> Trial {
        let mut ask = self.question.plain(scheme);
        ask.fields.push(("X-Forwarded-Proto".to_owned(), self.question.scheme().name().to_owned()));
        self.question.ask(&ask, addresses).await
    }

    /// Whether visitors would get what they get if this is what the edge got.
    fn is_it(&self, trial: &Trial) -> Option<bool> {
        match self.fault {
            Fault::Sample(sample) => explains(trial, sample),
            Fault::Circle => Some(self.question.sends_back(&trial.exchange)),
        }
    }

    async fn header_size(&self) -> Finding {
        let cookie = format!("rayline_probe={}", "x".repeat(COOKIE));
        let mut ask = self.plain();
        match ask.fields.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case("cookie")) {
            Some((_, value)) => *value = format!("{value}; {cookie}"),
            None => ask.fields.push(("Cookie".to_owned(), cookie)),
        }
        let trial = self.try_it(&ask).await;
        let refused = trial.failing.is_some() || matches!(trial.status(), Some(400 | 413 | 431 | 494));
        // Most servers refuse so much: it is why only if visitors see the same.
        let same = match self.fault {
            Fault::Sample(sample) => {
                sample.exchange.outcome.as_ref().ok().map(|answer| answer.status) == trial.status()
            }
            Fault::Circle => false,
        };
        (Some(refused && same), format!("asked past the edge with a cookie of {} KB: {}", COOKIE / 1024, trial.line()))
    }

    async fn concurrency(&self) -> Finding {
        if self.question.case.method != "GET" {
            return (None, format!("not tried with {}", self.question.case.method));
        }
        let plain = self.plain();
        let one = || self.try_it(&plain);
        let (a, b, c, d, e, f, g, h) = tokio::join!(one(), one(), one(), one(), one(), one(), one(), one());
        let failed: Vec<_> = [a, b, c, d, e, f, g, h].into_iter().filter(|trial| self.is_bad(trial)).collect();
        let Some(first) = failed.first() else {
            return (Some(false), format!("{AT_ONCE} requests at once past the edge all work"));
        };
        let seen = format!("{} of {AT_ONCE} requests at once past the edge fail: {}", failed.len(), first.line());
        // One may be chance, and so may all be if one alone fails now, too.
        let alone = self.try_it(&plain).await;
        if self.is_bad(&alone) {
            self.caught.replace(Some(alone));
            return (None, format!("{seen}; and one alone does, too"));
        }
        ((failed.len() > 1).then_some(true), seen)
    }

    async fn reuse(&self) -> Finding {
        let rested = async || {
            let (first, second) = fetch_again(&self.plain(), &[self.address()], self.question.dialer, REST).await;
            (self.question.judge(first), second.map(|second| self.question.judge(second)))
        };
        let (first, Some(second)) = rested().await else {
            return (Some(false), "the origin ends connections by itself, which an edge sees".to_owned());
        };
        let rest = format!("on a connection that rested {} s (it may take longer to show)", REST.as_secs());
        let seen = format!("asked past the edge {rest}: {}", second.line());
        if !self.is_bad(&second) || self.is_bad(&first) {
            return ((!self.is_bad(&second)).then_some(false), seen);
        }
        let (first, second) = rested().await;
        let again = !self.is_bad(&first) && second.is_some_and(|second| self.is_bad(&second));
        (again.then_some(true), seen)
    }
}

/// What edges add to a visitor's request.
fn edge_fields(scheme: Scheme) -> Vec<(&'static str, String)> {
    let scheme = scheme.name();
    vec![
        ("X-Forwarded-Proto", scheme.to_owned()),
        ("X-Forwarded-For", SOMEBODY.to_owned()),
        ("CF-Connecting-IP", SOMEBODY.to_owned()),
        ("CF-IPCountry", "XX".to_owned()),
        ("CF-Ray", "0000000000000000-XXX".to_owned()),
        ("CF-Visitor", format!("{{\"scheme\":\"{scheme}\"}}")),
        ("CDN-Loop", "cloudflare; loops=1".to_owned()),
        ("Via", "1.1 edge".to_owned()),
        ("Accept-Encoding", "gzip".to_owned()),
    ]
}
