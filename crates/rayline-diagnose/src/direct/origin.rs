//! Asking each origin that a person named, by each way that it is spoken to.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::time::Duration;

use rayline_dial::{Dialer, Protocols};
use rayline_verdict::Phase;

use super::compare::differences;
use super::rivals;
use super::trial::{Entrance, Question, Trial};
use super::{Asked, Direct};
use crate::case::{Case, Origin};
use crate::fetch::Ask;
use crate::probe::{Probe, Watcher};
use crate::tls::Scheme;
use crate::visit::show::{probe, sentence, verdict};
use crate::visit::{Names, Sample, Visit, redirect};

/// Origins that are asked at most.
const MOST_ORIGINS: usize = 8;

/// Asks the case's origins for what visitors asked the site for, the page that fails if one does. Where the site fails and
/// an origin does not, it goes on to what else may be why.
pub async fn ask(case: &Case, visit: &Visit, dialer: &Dialer, watcher: &dyn Watcher) -> Direct {
    let question = Question { case, page: page(case, visit), dialer };
    let visited = visit.failing().or_else(|| visit.samples.iter().rfind(|sample| sample.url == question.page));
    let (names, seen) = (Names::new(case), RefCell::default());
    let asking = Asking { question: &question, visited, names: &names, watcher, seen: &seen };
    if case.origins.is_empty() {
        let said = "not asked: nobody said where the origin is (`--origin ADDR`)";
        asking.tell(Probe::new("direct", None, Duration::ZERO, said));
    }
    for origin in case.origins.iter().take(MOST_ORIGINS) {
        asking.ask(origin).await;
    }
    let asked = seen.borrow().asked.clone();
    if let Some(base) = base(&question, &asked)
        && let Some(fault) = rivals::fault(visit)
        && asking.is_safe()
    {
        let (rivals, probes) = rivals::try_all(&question, fault, base, &asked, &visit.addresses, &names, watcher).await;
        let mut seen = seen.borrow_mut();
        seen.rivals = rivals;
        seen.probes.extend(probes);
    }
    seen.into_inner()
}

/// The page to ask for: the one that fails, unless that is another site's.
fn page(case: &Case, visit: &Visit) -> url::Url {
    let mut own = case.url.clone();
    own.set_fragment(None);
    let failing = visit.failing().map(|sample| &sample.url);
    failing.filter(|url| redirect::same_site(url, &own)).cloned().unwrap_or(own)
}

/// The request that worked, of those as much like the visitor's as can be.
fn base<'a>(question: &Question<'_>, asked: &'a [Asked]) -> Option<&'a Asked> {
    let works = |asked: &&Asked| asked.failing.is_none() && !question.sends_back(&asked.exchange);
    let working = || asked.iter().filter(works);
    working().find(|asked| asked.scheme == question.scheme() && !asked.http2).or_else(|| working().next())
}

struct Asking<'a> {
    question: &'a Question<'a>,
    /// What a visitor got.
    visited: Option<&'a Sample>,
    names: &'a Names,
    watcher: &'a dyn Watcher,
    seen: &'a RefCell<Direct>,
}

impl Asking<'_> {
    /// Whether asking again changes nothing (RFC 9110 §9.2.1).
    fn is_safe(&self) -> bool {
        matches!(self.question.case.method.as_str(), "GET" | "HEAD" | "OPTIONS")
    }

    async fn ask(&self, origin: &Origin) {
        match (origin.scheme, origin.target.port) {
            (Some(scheme), port) => self.ask_by(origin, scheme, port).await,
            (None, Some(port)) => self.ask_at(origin, port).await,
            // What changes something is not asked twice.
            (None, None) if !self.is_safe() => self.ask_by(origin, self.question.scheme(), None).await,
            (None, None) => {
                let (plain, secured) =
                    tokio::join!(self.look(origin, Scheme::Http, None), self.look(origin, Scheme::Https, None));
                for (entrance, trial) in [plain, secured].into_iter().flatten() {
                    self.keep(origin, &entrance, trial).await;
                }
            }
        }
    }

    async fn ask_by(&self, origin: &Origin, scheme: Scheme, port: Option<u16>) {
        if let Some((entrance, trial)) = self.look(origin, scheme, port).await {
            self.keep(origin, &entrance, trial).await;
        }
    }

    async fn look(&self, origin: &Origin, scheme: Scheme, port: Option<u16>) -> Option<(Entrance, Trial)> {
        let port = port.unwrap_or(match scheme {
            Scheme::Http => 80,
            Scheme::Https => 443,
        });
        let entrance = self.entrance(origin, scheme, port).await?;
        let trial = self.try_first(&entrance).await;
        Some((entrance, trial))
    }

    /// Nobody said what is spoken on this port. What is no TLS is tried in clear.
    async fn ask_at(&self, origin: &Origin, port: u16) {
        let Some(secured) = self.entrance(origin, Scheme::Https, port).await else { return };
        let trial = self.try_first(&secured).await;
        match trial.phase() {
            Some(Phase::OriginTls) => {
                let clear = Entrance { scheme: Scheme::Http, ..secured.clone() };
                let in_clear = self.try_first(&clear).await;
                let answers = in_clear.exchange.outcome.is_ok();
                let (entrance, trial) = if answers { (clear, in_clear) } else { (secured, trial) };
                self.keep(origin, &entrance, trial).await;
            }
            Some(Phase::Connect) => {
                let entrance = Entrance { scheme: self.question.scheme(), ..secured };
                self.keep(origin, &entrance, trial).await;
            }
            Some(_) | None => self.keep(origin, &secured, trial).await,
        }
    }

    async fn entrance(&self, origin: &Origin, scheme: Scheme, port: u16) -> Option<Entrance> {
        match self.names.resolve(&origin.target.host, port).await {
            Ok(addresses) => Some(Entrance { scheme, addresses }),
            Err(verdict) => {
                let said = format!("the origin `{}` leads nowhere: {}", origin.target.host, sentence(&verdict));
                self.tell(Probe::new("direct.name", Some(false), Duration::ZERO, said).judged(Some(verdict)));
                None
            }
        }
    }

    async fn try_first(&self, entrance: &Entrance) -> Trial {
        let scheme = entrance.scheme.name();
        let place = entrance.addresses.first().map(SocketAddr::to_string).unwrap_or_default();
        self.watcher.began(&format!("direct.{scheme}"), &format!("asking the origin at {place}, past the edge"));
        self.question.ask(&self.question.plain(entrance.scheme), &entrance.addresses).await
    }

    /// Keeps what came of HTTP/1.1, and asks by HTTP/2 where TLS may agree on it.
    async fn keep(&self, origin: &Origin, entrance: &Entrance, trial: Trial) {
        let reached = !matches!(trial.phase(), Some(Phase::Connect | Phase::OriginTls));
        let http2 = trial.exchange.protocol == Some("HTTP/2");
        self.note(origin, entrance, trial, http2);
        if http2 || entrance.scheme == Scheme::Http || !reached || !self.is_safe() {
            return;
        }
        let plain = self.question.plain(entrance.scheme);
        let ask = Ask { protocols: Protocols::Http2OrHttp1, ..plain };
        let trial = self.question.ask(&ask, &entrance.addresses).await;
        if trial.exchange.protocol == Some("HTTP/2") {
            self.note(origin, entrance, trial, true);
        }
    }

    fn note(&self, origin: &Origin, entrance: &Entrance, trial: Trial, http2: bool) {
        let Some(address) = entrance.addresses.first().copied() else { return };
        let Trial { exchange, recognition, failing } = trial;
        let differences = self.visited.map(|visited| differences(visited, &exchange, &recognition)).unwrap_or_default();
        let name = format!("direct.{}{}", entrance.scheme.name(), if http2 { ".http2" } else { "" });
        let told = probe(&name, &exchange, &recognition, failing)
            .with("origin", origin.target.to_string())
            .with("differences", differences.clone())
            .judged(verdict(&exchange).cloned().map(Box::new));
        self.tell(told);
        self.seen.borrow_mut().asked.push(Asked {
            origin: origin.clone(),
            scheme: entrance.scheme,
            http2,
            address,
            exchange,
            recognition,
            failing,
            differences,
        });
    }

    fn tell(&self, probe: Probe) {
        self.watcher.ended(&probe);
        self.seen.borrow_mut().probes.push(probe);
    }
}
