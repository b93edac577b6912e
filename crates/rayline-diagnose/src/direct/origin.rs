//! Asking each origin that a person named, by each way that it is spoken to.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::join_all;
use rayline_dial::{Dialer, Protocols};
use rayline_verdict::Phase;
use tokio::time::timeout;
use url::Url;

use super::compare::differences;
use super::rivals;
use super::trial::{Entrance, Question, Trial};
use super::{Asked, Direct};
use crate::case::{Case, Origin};
use crate::fetch::Ask;
use crate::probe::{Probe, Watcher};
use crate::tls::Scheme;
use crate::visit::show::{probe, sentence, verdict};
use crate::visit::{Names, PROMPT, Visit, redirect};

/// Origins that are asked at most.
const MOST_ORIGINS: usize = 8;

/// Asks the case's origins for the page that visitors ask for. It needs nothing of what they got.
pub async fn ask(case: &Case, dialer: &Dialer, watcher: &dyn Watcher) -> Direct {
    ask_for(own(case), case, dialer, watcher).await
}

/// Holds what the origins answered against what visitors got. If those were led on to a page that fails, the origins are
/// asked for that one; and where the site fails and an origin does not, it goes on to what else may be why.
pub async fn compare(direct: Direct, case: &Case, visit: &Visit, dialer: &Dialer, watcher: &dyn Watcher) -> Direct {
    let page = page(case, visit);
    let is_another = page != own(case) && case.is_safe();
    let mut direct = if is_another { ask_for(page.clone(), case, dialer, watcher).await } else { direct };
    let visited = visit.failing().or_else(|| visit.samples.iter().rfind(|sample| sample.url == page));
    for asked in &mut direct.asked {
        asked.differences =
            visited.map(|sample| differences(sample, &asked.exchange, &asked.recognition)).unwrap_or_default();
        direct.probes.push(shown(asked).with("differences", asked.differences.clone()));
    }
    let question = Question { case, page, dialer };
    if let Some(base) = base(&question, &direct.asked)
        && let Some(fault) = rivals::fault(visit)
        && case.is_safe()
    {
        let names = Names::new(case);
        let tried = rivals::try_all(&question, fault, base, &direct.asked, &visit.addresses, &names, watcher).await;
        let caught = tried.caught.map(|trial| Asked {
            exchange: trial.exchange,
            recognition: trial.recognition,
            failing: trial.failing,
            ..base.clone()
        });
        direct.rivals = tried.rivals;
        direct.probes.extend(tried.probes);
        direct.asked.extend(caught);
    }
    direct
}

async fn ask_for(page: Url, case: &Case, dialer: &Dialer, watcher: &dyn Watcher) -> Direct {
    let question = Question { case, page, dialer };
    let (names, seen) = (Names::new(case), RefCell::default());
    let asking = Asking { question: &question, names: &names, watcher, seen: &seen };
    if case.origins.is_empty() {
        let said = "not asked: nobody said where the origin is (`--origin ADDR`)";
        asking.tell(Probe::new("direct", None, Duration::ZERO, said));
    }
    join_all(case.origins.iter().take(MOST_ORIGINS).map(|origin| asking.ask(origin))).await;
    let mut direct = seen.into_inner();
    // In the order in which the person named them, whichever answered first.
    let place = |asked: &Asked| case.origins.iter().position(|origin| *origin == asked.origin);
    direct.asked.sort_by_key(|asked| (place(asked), asked.scheme == Scheme::Https, asked.http2));
    direct
}

/// The URL as it was asked for.
fn own(case: &Case) -> Url {
    let mut own = case.url.clone();
    own.set_fragment(None);
    own
}

/// The probe of a request.
fn shown(asked: &Asked) -> Probe {
    let name = format!("direct.{}{}", asked.scheme.name(), if asked.http2 { ".http2" } else { "" });
    probe(&name, &asked.exchange, &asked.recognition, asked.failing)
        .with("origin", asked.origin.target.to_string())
        .judged(verdict(&asked.exchange).cloned().map(Box::new))
}

/// The page to ask for: the one that fails, unless that is another site's.
fn page(case: &Case, visit: &Visit) -> Url {
    let own = own(case);
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
    names: &'a Names,
    watcher: &'a dyn Watcher,
    seen: &'a RefCell<Direct>,
}

/// What came of asking one entrance by HTTP/1.1, and by HTTP/2 if that was not put off.
struct Tried {
    entrance: Entrance,
    trial: Trial,
    by_http2: Option<Trial>,
}

impl Asking<'_> {
    async fn ask(&self, origin: &Origin) {
        match (origin.scheme, origin.target.port) {
            (Some(scheme), port) => self.ask_by(origin, scheme, port).await,
            (None, Some(port)) => self.ask_at(origin, port).await,
            // What changes something is not asked twice.
            (None, None) if !self.question.case.is_safe() => {
                self.ask_by(origin, self.question.scheme(), None).await;
            }
            (None, None) => {
                tokio::join!(self.ask_by(origin, Scheme::Http, None), self.ask_by(origin, Scheme::Https, None));
            }
        }
    }

    async fn ask_by(&self, origin: &Origin, scheme: Scheme, port: Option<u16>) {
        let port = port.unwrap_or(scheme.port());
        if let Some(entrance) = self.entrance(origin, scheme, port).await {
            let tried = self.try_first(entrance).await;
            self.keep(origin, tried).await;
        }
    }

    /// Nobody said what is spoken on this port. What is no TLS is tried in clear.
    async fn ask_at(&self, origin: &Origin, port: u16) {
        let Some(secured) = self.entrance(origin, Scheme::Https, port).await else { return };
        let clear = Entrance { scheme: Scheme::Http, ..secured.clone() };
        let (tried, in_clear) = if self.question.case.is_safe() {
            beside(self.try_first(secured), self.try_first(clear.clone())).await
        } else {
            (self.try_first(secured).await, None)
        };
        match tried.trial.phase() {
            Some(Phase::OriginTls) => {
                let in_clear = match in_clear {
                    Some(in_clear) => in_clear,
                    None => self.try_first(clear).await,
                };
                let answers = in_clear.trial.exchange.outcome.is_ok();
                self.keep(origin, if answers { in_clear } else { tried }).await;
            }
            Some(Phase::Connect) => {
                let entrance = Entrance { scheme: self.question.scheme(), ..tried.entrance };
                self.keep(origin, Tried { entrance, ..tried }).await;
            }
            Some(_) | None => self.keep(origin, tried).await,
        }
    }

    async fn entrance(&self, origin: &Origin, scheme: Scheme, port: u16) -> Option<Entrance> {
        match self.names.resolve(&origin.target.host, port).await {
            Ok(addresses) => Some(Entrance { scheme, addresses }),
            Err(verdict) => {
                let said = format!("the origin `{}` leads nowhere: {}", origin.target.host, sentence(&verdict));
                // A name leads nowhere by either scheme.
                let is_told = self.seen.borrow().probes.iter().any(|probe| probe.said == said);
                if !is_told {
                    self.tell(Probe::new("direct.name", Some(false), Duration::ZERO, said).judged(Some(verdict)));
                }
                None
            }
        }
    }

    /// Asks by HTTP/1.1; where that takes long, by HTTP/2 beside it.
    async fn try_first(&self, entrance: Entrance) -> Tried {
        let scheme = entrance.scheme.name();
        let place = entrance.addresses.first().map(SocketAddr::to_string).unwrap_or_default();
        self.watcher.began(&format!("direct.{scheme}"), &format!("asking the origin at {place}, past the edge"));
        let plain = self.question.plain(entrance.scheme);
        let first = self.question.ask(&plain, &entrance.addresses);
        let (trial, by_http2) = if self.may_agree(&entrance) {
            beside(first, self.try_http2(&entrance)).await
        } else {
            (first.await, None)
        };
        Tried { entrance, trial, by_http2 }
    }

    async fn try_http2(&self, entrance: &Entrance) -> Trial {
        let ask = Ask { protocols: Protocols::Http2OrHttp1, ..self.question.plain(entrance.scheme) };
        self.question.ask(&ask, &entrance.addresses).await
    }

    /// Whether TLS may agree on HTTP/2, and asking by it changes nothing.
    fn may_agree(&self, entrance: &Entrance) -> bool {
        entrance.scheme == Scheme::Https && self.question.case.is_safe()
    }

    /// Keeps what came of HTTP/1.1, and of HTTP/2 where TLS agrees on it.
    async fn keep(&self, origin: &Origin, tried: Tried) {
        let Tried { entrance, trial, by_http2 } = tried;
        let reached = !matches!(trial.phase(), Some(Phase::Connect | Phase::OriginTls));
        let http2 = trial.exchange.protocol == Some("HTTP/2");
        self.note(origin, &entrance, trial, http2);
        if http2 || !reached || !self.may_agree(&entrance) {
            return;
        }
        let trial = match by_http2 {
            Some(trial) => trial,
            None => self.try_http2(&entrance).await,
        };
        if trial.exchange.protocol == Some("HTTP/2") {
            self.note(origin, &entrance, trial, true);
        }
    }

    fn note(&self, origin: &Origin, entrance: &Entrance, trial: Trial, http2: bool) {
        let Some(address) = entrance.addresses.first().copied() else { return };
        let Trial { exchange, recognition, failing } = trial;
        let (origin, scheme, differences) = (origin.clone(), entrance.scheme, Vec::new());
        let asked = Asked { origin, scheme, http2, address, exchange, recognition, failing, differences };
        self.watcher.ended(&shown(&asked));
        self.seen.borrow_mut().asked.push(asked);
    }

    fn tell(&self, probe: Probe) {
        self.watcher.ended(&probe);
        self.seen.borrow_mut().probes.push(probe);
    }
}

/// What comes of the first; of the other too, which is begun if the first takes long.
async fn beside<T>(first: impl Future<Output = T>, other: impl Future<Output = T>) -> (T, Option<T>) {
    let mut first = pin!(first);
    match timeout(PROMPT, first.as_mut()).await {
        Ok(first) => (first, None),
        Err(_slow) => {
            let (first, other) = tokio::join!(first, other);
            (first, Some(other))
        }
    }
}
