//! All the steps, run side by side where they do not disturb each other, and what comes of them.

use std::cell::RefCell;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant, SystemTime};

use ipnet::IpNet;
use rayline_dial::{Dialer, TrustError};

use url::Url;

use crate::author::Recognition;
use crate::bisect::{self, Replays};
use crate::case::{Case, Origin};
use crate::conclude::{Conclusion, Seen, conclude};
use crate::edge::Records;
use crate::fetch::Exchange;
use crate::load::Load;
use crate::probe::{Probe, Watcher};
use crate::tls::{self, Scheme};
use crate::visit::{Names, Visit};
use crate::{direct, edge, fetch, host, load, logs, network, ranges, visit};

/// The most addresses of an edge that are looked at from the origin.
const MOST_EDGES: usize = 3;

/// A diagnosis that was made.
#[derive(Clone, Debug)]
pub struct Diagnosis {
    /// What was asked.
    pub case: Case,
    /// When it began.
    pub started_at: SystemTime,
    /// How long it took.
    pub took: Duration,
    /// What was seen.
    pub seen: Seen,
    /// What follows.
    pub conclusion: Conclusion,
}

/// A diagnosis under way. What was seen so far can be concluded from at any time, such as when a person has seen enough.
#[derive(Debug)]
pub struct Diagnosing {
    case: Case,
    dialer: Dialer,
    started_at: SystemTime,
    began: Instant,
    seen: RefCell<Seen>,
    /// What visitors met so far.
    visited: RefCell<Visit>,
    load: RefCell<Load>,
}

impl Diagnosing {
    /// One that has not looked at anything yet.
    ///
    /// # Errors
    /// Trust settings that cannot be used.
    pub fn new(case: Case) -> Result<Self, TrustError> {
        let dialer = fetch::dialer(&case.trust)?;
        let (started_at, began) = (SystemTime::now(), Instant::now());
        let (seen, visited, load) = (RefCell::default(), RefCell::default(), RefCell::default());
        Ok(Self { case, dialer, started_at, began, seen, visited, load })
    }

    /// Takes every step. What a person gave decides which there are.
    pub async fn look(&self, records: Option<&dyn Records>, watcher: &dyn Watcher) {
        tokio::join!(self.visit(watcher), self.direct(watcher), self.tls(watcher), self.network(watcher));
        tokio::join!(self.compare(watcher), self.edge(records, watcher), self.host(watcher));
        self.logs(watcher).await;
        self.toward(watcher).await;
    }

    /// Switches rules of the Rayline edge in front off, in copies of the request that failed: whether one of them makes it
    /// fail, and which. To be done after all else was looked at.
    pub async fn bisect<R: Replays<Error: std::fmt::Display>>(&self, replays: &R, watcher: &dyn Watcher) {
        let so_far = self.conclude();
        let asked = (&self.case, &self.dialer);
        let bisection = bisect::step::look(asked, &so_far.seen, &so_far.conclusion, replays, watcher).await;
        self.seen.borrow_mut().rules = Some(bisection);
    }

    /// Puts load on the first origin, as the person agreed to.
    pub async fn load(&self, options: &load::Options, watcher: &dyn Watcher) {
        load::ramp(&self.case, options, &self.load, watcher).await;
    }

    /// What follows from what was seen so far.
    pub fn conclude(&self) -> Diagnosis {
        let mut seen = self.seen.borrow().clone();
        seen.visit = self.visited.borrow().clone();
        let load = self.load.borrow();
        seen.load = (!load.steps.is_empty() || !load.probes.is_empty()).then(|| load.clone());
        let conclusion = conclude(&self.case, &seen);
        let (case, started_at) = (self.case.clone(), self.started_at);
        Diagnosis { case, started_at, took: self.began.elapsed(), seen, conclusion }
    }

    async fn visit(&self, watcher: &dyn Watcher) {
        visit::visit_into(&self.visited, &self.case, &self.dialer, watcher).await;
        self.seen.borrow_mut().visit = self.visited.borrow().clone();
    }

    async fn direct(&self, watcher: &dyn Watcher) {
        if self.case.origins.is_empty() {
            return;
        }
        let direct = direct::ask(&self.case, &self.dialer, watcher).await;
        self.seen.borrow_mut().direct = Some(direct);
    }

    /// Holds what the origin said against what visitors met.
    async fn compare(&self, watcher: &dyn Watcher) {
        let (direct, visit) = {
            let seen = self.seen.borrow();
            (seen.direct.clone(), seen.visit.clone())
        };
        if let Some(direct) = direct {
            let direct = direct::compare(direct, &self.case, &visit, &self.dialer, watcher).await;
            self.seen.borrow_mut().direct = Some(direct);
        }
    }

    async fn tls(&self, watcher: &dyn Watcher) {
        let Some((origin, options)) = self.tls_options() else { return };
        watcher.began("tls", &format!("looking at the TLS of {}", origin.target));
        let began = Instant::now();
        let probe = match tls::probe(options).await {
            Ok(report) => {
                let fault = report.findings(SystemTime::now()).into_iter().find(|finding| finding.is_fault);
                let (ok, said) = match fault {
                    Some(fault) => (Some(false), fault.text),
                    None => (Some(true), "works under `strict`".to_owned()),
                };
                let verdict = report.verdict().cloned().map(Box::new);
                let facts = report.to_json(SystemTime::now());
                self.seen.borrow_mut().tls = Some(report);
                Probe::new("tls", ok, began.elapsed(), said).with("report", facts).judged(verdict)
            }
            Err(trouble) => Probe::new("tls", None, began.elapsed(), trouble.to_string()),
        };
        watcher.ended(&probe);
        self.seen.borrow_mut().probes.push(probe);
    }

    /// The first origin that speaks TLS as somebody said, or by its port, and how it is looked at. What another port speaks
    /// is for the direct request to find out: an edge need not come there by TLS.
    fn tls_options(&self) -> Option<(&Origin, tls::Options)> {
        let is_tls = |origin: &&Origin| match origin.scheme {
            Some(scheme) => scheme == Scheme::Https,
            None => origin.target.port.is_none_or(|port| port == 443),
        };
        let origin = self.case.origins.iter().find(is_tls)?;
        let name = self.case.host();
        let name = name.parse::<IpAddr>().is_err().then(|| name.to_owned());
        let plain = self.case.origins.iter().find(|origin| origin.scheme == Some(Scheme::Http));
        let http_port = plain.and_then(|origin| origin.target.port).unwrap_or(80);
        let (target, trust, timeout) = (origin.target.clone(), self.case.trust.clone(), self.case.timeout);
        Some((origin, tls::Options { target, name, http_port, trust, client: None, timeout }))
    }

    async fn network(&self, watcher: &dyn Watcher) {
        let names = Names::new(&self.case);
        let site = names.resolve(self.case.host(), self.case.port()).await.unwrap_or_default();
        let places =
            self.case.origins.iter().flat_map(|origin| origin.ports().into_iter().map(move |port| (origin, port)));
        let mut origins = Vec::new();
        for (origin, port) in places {
            let addresses = names.resolve(&origin.target.host, port).await.unwrap_or_default();
            origins.extend(addresses.first());
        }
        let network = network::look(&self.case, &site, &origins, watcher).await;
        self.seen.borrow_mut().network = Some(network);
    }

    async fn host(&self, watcher: &dyn Watcher) {
        if !self.case.here {
            return;
        }
        let mut ports: Vec<u16> = self.case.origins.iter().flat_map(Origin::ports).collect();
        match self.case.url.port() {
            Some(port) if ports.is_empty() => ports.push(port),
            None if ports.is_empty() => ports.extend([80, 443]),
            Some(_) | None => {}
        }
        let host = host::look(&ports, &self.edge_nets(), watcher).await;
        self.seen.borrow_mut().host = Some(host);
    }

    /// Where the edge connects from: the networks of a known one; else the addresses that visitors come to, because a
    /// machine that is used as an edge seldom has others; else those of all known ones.
    fn edge_nets(&self) -> Vec<IpNet> {
        let seen = self.seen.borrow();
        // On the origin, the site's name may lead to the very machine.
        let visited = seen.visit.addresses.iter().map(SocketAddr::ip).filter(|address| !address.is_loopback());
        let addresses: Vec<IpAddr> = visited.collect();
        let known: Vec<&ranges::Edge> = addresses.iter().filter_map(|address| ranges::edge_of(*address)).collect();
        match (known.as_slice(), addresses.as_slice()) {
            ([], []) => ranges::EDGES.iter().flat_map(ranges::Edge::nets).collect(),
            ([], addresses) => addresses.iter().copied().map(IpNet::from).collect(),
            ([edge, ..], _) => edge.nets(),
        }
    }

    async fn edge(&self, records: Option<&dyn Records>, watcher: &dyn Watcher) {
        let visit = self.seen.borrow().visit.clone();
        let side = edge::look(&visit, records, watcher).await;
        self.seen.borrow_mut().edge = Some(side);
    }

    async fn logs(&self, watcher: &dyn Watcher) {
        if self.case.logs.is_empty() && !self.case.here {
            return;
        }
        let reading = logs::read(&self.wanted(), watcher);
        self.seen.borrow_mut().logs = Some(reading);
    }

    /// From the origin toward the edge: to the addresses that its logs have most often.
    async fn toward(&self, watcher: &dyn Watcher) {
        if !self.case.here {
            return;
        }
        let nets = self.edge_nets();
        let edges: Vec<SocketAddr> = {
            let seen = self.seen.borrow();
            let clients = seen.logs.iter().flat_map(|logs| &logs.clients).map(|(client, _)| *client);
            let of_edge = clients.filter(|client| nets.iter().any(|net| net.contains(client)));
            of_edge.take(MOST_EDGES).map(|client| SocketAddr::new(client, Scheme::Https.port())).collect()
        };
        let ways = network::toward(&self.case, &edges, watcher).await;
        let mut seen = self.seen.borrow_mut();
        let network = seen.network.get_or_insert_default();
        network.toward_black_hole = ways.black_holes.first().copied();
        network.paths.extend(ways.paths);
        network.probes.extend(ways.probes);
    }

    /// The lines to look for: those around the requests that failed, or around all of them if none did.
    fn wanted(&self) -> logs::Wanted {
        let seen = self.seen.borrow();
        let visits = seen
            .visit
            .samples
            .iter()
            .map(|sample| (sample.failing.is_some(), &sample.url, &sample.exchange, &sample.recognition));
        let direct = seen.direct.iter().flat_map(|direct| &direct.asked);
        let direct = direct.map(|asked| (asked.failing.is_some(), &self.case.url, &asked.exchange, &asked.recognition));
        let all: Vec<_> = visits.chain(direct).collect();
        let some_fail = all.iter().any(|(is_failing, ..)| *is_failing);
        let chosen = all.into_iter().filter(|(is_failing, ..)| *is_failing || !some_fail);
        let requests =
            chosen.map(|(_, url, exchange, recognition)| self.wanted_request(url, exchange, recognition)).collect();
        logs::Wanted { paths: self.case.logs.clone(), here: self.case.here, requests, ..logs::Wanted::default() }
    }

    fn wanted_request(&self, url: &Url, exchange: &Exchange, recognition: &Recognition) -> logs::Request {
        let answer = exchange.outcome.as_ref().ok();
        logs::Request {
            at: exchange.at,
            took: exchange.timings.total,
            method: self.case.method.clone(),
            path_and_query: url[url::Position::BeforePath..url::Position::AfterQuery].to_owned(),
            host: url.host_str().unwrap_or_default().to_owned(),
            status: answer.map(|answer| answer.status),
            ray_id: recognition.request_id.clone(),
            client: None,
            body_bytes: answer.map(|answer| answer.body_bytes),
        }
    }
}
