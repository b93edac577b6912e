//! What a visitor asks a site for: the page, on along redirects, and again; beside it what the edge says of itself.

use std::cell::RefCell;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant, SystemTime};

use rayline_dial::{Dialer, Protocols, Tls};
use rayline_verdict::Verdict;
use url::Url;

use super::redirect::{self, Jar};
use super::sampling::Sampling;
use super::show::{masked, probe, sentence, verdict};
use super::{Loop, Names, Rate, Sample, Visit, Way, failing, trace};
use crate::author::{Recognition, recognise};
use crate::case::Case;
use crate::fetch::{Ask, Exchange, Obstacle, Timings, bare, fetch, wants_http2};
use crate::probe::{Probe, Watcher};
use crate::tls::Scheme;

/// Bytes of a page that are kept to be read.
const PAGE: usize = 64 * 1024;
/// Redirects that are followed.
const MOST_REDIRECTS: usize = 10;
/// An answer that takes longer than this is not waited for alone.
pub(crate) const PROMPT: Duration = Duration::from_millis(500);

/// Asks for the site as visitors do. It takes about as many requests as the case wants samples, ten a second and three at
/// once at most, and one more for what the edge says of itself.
pub async fn visit(case: &Case, dialer: &Dialer, watcher: &dyn Watcher) -> Visit {
    let so_far = RefCell::default();
    visit_into(&so_far, case, dialer, watcher).await;
    so_far.into_inner()
}

/// The same, written down as it goes: whoever drops this before its end has what was seen so far.
pub(crate) async fn visit_into(so_far: &RefCell<Visit>, case: &Case, dialer: &Dialer, watcher: &dyn Watcher) {
    Visitor { case, dialer, watcher, names: Names::new(case), seen: so_far }.run().await;
}

pub(super) struct Visitor<'a> {
    pub(super) case: &'a Case,
    dialer: &'a Dialer,
    pub(super) watcher: &'a dyn Watcher,
    names: Names,
    seen: &'a RefCell<Visit>,
}

/// A page, and where its name leads.
pub(super) struct Page {
    url: Url,
    addresses: Result<Vec<SocketAddr>, Box<Verdict>>,
    fields: Vec<(String, String)>,
}

impl Visitor<'_> {
    async fn run(&self) {
        let mut url = self.case.url.clone();
        url.set_fragment(None);
        let start = self.page(url, &Jar::default()).await;
        match &start.addresses {
            Ok(addresses) => self.seen.borrow_mut().addresses.clone_from(addresses),
            Err(verdict) => {
                let said = format!("`{}` leads nowhere: {}", self.case.host(), sentence(verdict));
                let probe = Probe::new("visit.name", Some(false), Duration::ZERO, said);
                self.tell(probe.judged(Some(verdict.clone())));
                self.seen.borrow_mut().unresolved = Some(verdict.clone());
                return;
            }
        }
        self.tell_of_families(&start);
        let Some(way) = start.ways().into_iter().next() else { return };
        tokio::join!(self.ask_for(&start, way), self.trace(&start, way));
        self.tell_of_certificate();
    }

    /// Asks for the page, and for the one that it leads to, as often as it takes.
    async fn ask_for(&self, start: &Page, way: Way) {
        if !self.case.is_safe() {
            self.began(way);
            let only = self.ask(start, way).await;
            self.tell_of(&only);
            self.seen.borrow_mut().samples.push(only);
            return;
        }
        let (page, sample);
        let mut sampling = Sampling::new(self, start);
        let Some(first) = sampling.first().await else { return };
        (page, sample) = self.follow(start, first).await;
        self.tell_of(&sample);
        let is_led_on = !self.seen.borrow().redirects.is_empty();
        if self.seen.borrow().looping.is_some() {
            return;
        }
        if !is_led_on {
            self.seen.borrow_mut().samples.push(sample.clone());
        }
        let sampling = if is_led_on {
            // What was begun of the first page meanwhile is let go.
            Sampling::going_on(self, page.as_ref().unwrap_or(start), sample)
        } else {
            sampling
        };
        self.sample(sampling).await;
    }

    /// Goes where redirects lead. Gives the page to go on with, if that is another one, and what came of asking for it.
    async fn follow(&self, start: &Page, first: Sample) -> (Option<Page>, Sample) {
        let began = Instant::now();
        let (mut jar, mut visited, mut urls) = (Jar::default(), Vec::new(), vec![start.url.clone()]);
        let (mut page, mut sample, mut circle) = (None, first.clone(), None);
        while let Some(next) = self.next(&sample) {
            visited.push((sample.url.clone(), jar.of(&sample.url)));
            if let Ok(answer) = &sample.exchange.outcome {
                jar.keep(&sample.url, answer);
            }
            urls.push(next.clone());
            if visited.contains(&(next.clone(), jar.of(&next))) || urls.len() > MOST_REDIRECTS + 1 {
                circle = redirect::circle(&urls);
                break;
            }
            let hop = self.page(next, &jar).await;
            let ways = hop.ways();
            let way =
                ways.iter().copied().find(|way| *way == sample.way).or(ways.first().copied()).unwrap_or(sample.way);
            self.seen.borrow_mut().samples.push(sample);
            sample = self.ask(&hop, way).await;
            page = Some(hop);
        }
        if urls.len() > 1 {
            self.seen.borrow_mut().samples.push(sample.clone());
            self.tell_of_redirects(&urls, circle.is_some(), began.elapsed());
            let mut seen = self.seen.borrow_mut();
            // Ever new URLs bring a visitor no nearer than a circle.
            let endless = (urls.len() > MOST_REDIRECTS + 1).then(|| Loop { flexible: false, urls: urls.clone() });
            (seen.redirects, seen.looping) = (urls, circle.or(endless));
        }
        // Another site is not to be bothered more than it takes.
        let elsewhere = page.as_ref().is_some_and(|page| !redirect::same_site(&page.url, &start.url));
        if elsewhere && sample.failing.is_none() { (None, first) } else { (page, sample) }
    }

    fn next(&self, sample: &Sample) -> Option<Url> {
        let answer = sample.exchange.outcome.as_ref().ok().filter(|_| self.case.is_safe())?;
        redirect::next(&sample.url, answer)
    }

    async fn page(&self, url: Url, jar: &Jar) -> Page {
        let fields = redirect::fields(self.case, &url, jar);
        let port = url.port_or_known_default().unwrap_or(443);
        let addresses = self.names.resolve(bare(url.host_str().unwrap_or_default()), port).await;
        Page { url, addresses, fields }
    }

    /// Asks by the other ways, and again until it is known how often the page fails.
    async fn sample(&self, sampling: Sampling<'_>) {
        let began = Instant::now();
        self.watcher.began("visit.rate", "asking again, to know how often it fails");
        let tally = sampling.rest().await;
        let rate @ Rate { failed, of, between: (low, high) } = tally.rate();
        let between = format!("from {:.0} to {:.0} of 100", low * 100.0, high * 100.0);
        let said = match (failed, of) {
            (0, 1) => "the only request does not fail".to_owned(),
            (1, 1) => format!("the only request fails: {between}"),
            (0, _) => format!("none of {of} requests fails"),
            (all, _) if all == of => format!("all of {of} requests fail: {between}"),
            (some, _) => format!("{some} of {of} requests fail: {between}"),
        };
        let probe = Probe::new("visit.rate", Some(failed == 0), began.elapsed(), said);
        self.tell(probe.with("failed", failed).with("of", of).with("low", low).with("high", high));
        let mut seen = self.seen.borrow_mut();
        seen.rate = Some(rate);
        // The first is there already.
        seen.samples.extend(tally.samples.into_iter().skip(1));
    }

    /// How long an answer may take before others are asked for beside it.
    pub(super) fn patience(&self) -> Duration {
        PROMPT.min(self.case.timeout / 4)
    }

    pub(super) async fn ask(&self, page: &Page, way: Way) -> Sample {
        let ask = Ask {
            url: page.url.clone(),
            method: self.case.method.clone(),
            fields: page.fields.clone(),
            protocols: if way.http2 { Protocols::Http2OrHttp1 } else { Protocols::Http1 },
            tls: if page.is_secured() { Tls::Strict } else { Tls::Off },
            timeout: self.case.timeout,
            body_bytes: PAGE,
        };
        self.judged(&page.url, way, self.fetch(ask, page, way).await)
    }

    fn judged(&self, url: &Url, way: Way, exchange: Exchange) -> Sample {
        let recognition = exchange.outcome.as_ref().map_or_else(|_| Recognition::default(), recognise);
        let failing = failing(&self.case.method, &exchange, &recognition);
        Sample { url: url.clone(), way, exchange, recognition, failing }
    }

    /// One request, by the addresses of the way's family. The certificate is checked until it turns out bad.
    async fn fetch(&self, mut ask: Ask, page: &Page, way: Way) -> Exchange {
        let addresses: Vec<_> = match &page.addresses {
            Ok(addresses) => addresses.iter().copied().filter(|address| address.is_ipv6() == way.ipv6).collect(),
            Err(verdict) => return unsent(verdict.clone()),
        };
        if ask.tls == Tls::Strict && self.seen.borrow().certificate.is_some() {
            ask.tls = Tls::Full;
        }
        let mut exchange = fetch(&ask, &addresses, self.dialer).await;
        // A browser offers both versions.
        if wants_http2(&ask, &exchange) {
            ask.protocols = Protocols::Http2OrHttp1;
            exchange = fetch(&ask, &addresses, self.dialer).await;
        }
        let Some(bad) = verdict(&exchange).filter(|verdict| is_of_certificate(verdict)) else { return exchange };
        self.seen.borrow_mut().certificate.get_or_insert_with(|| Box::new(bad.clone()));
        ask.tls = Tls::Full;
        fetch(&ask, &addresses, self.dialer).await
    }

    async fn trace(&self, start: &Page, way: Way) {
        let began = Instant::now();
        self.watcher.began("visit.trace", "asking the edge what it sees");
        let ask = Ask {
            url: trace::url(&start.url),
            method: "GET".to_owned(),
            fields: Vec::new(),
            protocols: Protocols::Http1,
            tls: if start.is_secured() { Tls::Strict } else { Tls::Off },
            timeout: self.case.timeout,
            body_bytes: trace::MOST_BYTES,
        };
        let exchange = self.fetch(ask, start, way).await;
        let lines = exchange.outcome.as_ref().ok().and_then(trace::read);
        let probe = match &lines {
            None if exchange.outcome.is_err() => {
                Probe::new("visit.trace", None, began.elapsed(), format!("`{}` gets no answer", trace::PATH))
            }
            None => Probe::new("visit.trace", None, began.elapsed(), format!("there is no `{}`", trace::PATH)),
            Some(lines) => {
                let said = format!("`{}` has {} lines", trace::PATH, lines.len());
                let probe = Probe::new("visit.trace", Some(true), began.elapsed(), said);
                lines.iter().fold(probe, |probe, (key, value)| probe.with(key, value.as_str()))
            }
        };
        self.tell(probe);
        self.seen.borrow_mut().trace = lines;
    }

    /// That this machine has no IPv6 is no fault of the site's.
    fn tell_of_families(&self, page: &Page) {
        let ways = page.ways();
        for ipv6 in [false, true] {
            if page.has(ipv6) && !ways.iter().any(|way| way.ipv6 == ipv6) {
                let way = Way { ipv6, http2: false };
                let said = format!("not asked over {}: this machine has no route there", family(way));
                self.tell(Probe::new(format!("visit.{}", way.name()), None, Duration::ZERO, said));
            }
        }
    }

    pub(super) fn began(&self, way: Way) {
        let version = if way.http2 { "HTTP/2" } else { "HTTP/1.1" };
        let doing = format!("asking as a visitor does, by {version} over {}", family(way));
        self.watcher.began(&format!("visit.{}", way.name()), &doing);
    }

    pub(super) fn tell_of(&self, sample: &Sample) {
        let name = format!("visit.{}", sample.way.name());
        let mut probe = probe(&name, &sample.exchange, &sample.recognition, sample.failing);
        if !sample.is_as_asked() {
            let missing = if sample.way.http2 { "HTTP/2" } else { "HTTP/1.1" };
            probe.said.push_str(&format!(" ({missing} is not offered)"));
        }
        self.tell(probe);
    }

    fn tell_of_redirects(&self, urls: &[Url], circle: bool, took: Duration) {
        let trail: Vec<_> = urls.iter().map(masked).collect();
        let (ok, said) = match (circle, urls.last()) {
            (true, _) => (Some(false), format!("redirects go in a circle: {}", trail.join(" → "))),
            (false, Some(_)) if urls.len() > MOST_REDIRECTS + 1 => {
                (Some(false), format!("more than {MOST_REDIRECTS} redirects, without an end"))
            }
            (false, _) => (Some(true), trail.join(" → ")),
        };
        self.tell(Probe::new("visit.redirects", ok, took, said).with("urls", trail));
    }

    fn tell_of_certificate(&self) {
        let seen = self.seen.borrow();
        let handshake = seen.samples.iter().find_map(|sample| sample.exchange.timings.tls);
        let (bad, took) = (seen.certificate.clone(), handshake.unwrap_or_default());
        drop(seen);
        let probe = match bad {
            Some(bad) => Probe::new("visit.certificate", Some(false), took, sentence(&bad)).judged(Some(bad)),
            None if handshake.is_some() => Probe::new("visit.certificate", Some(true), took, "a browser takes it"),
            None => return,
        };
        self.tell(probe);
    }

    fn tell(&self, probe: Probe) {
        self.watcher.ended(&probe);
        self.seen.borrow_mut().probes.push(probe);
    }
}

impl Page {
    fn is_secured(&self) -> bool {
        self.url.scheme() == Scheme::Https.name()
    }

    fn addresses(&self) -> &[SocketAddr] {
        self.addresses.as_deref().unwrap_or_default()
    }

    fn has(&self, ipv6: bool) -> bool {
        self.addresses().iter().any(|address| address.is_ipv6() == ipv6)
    }

    /// Whether this machine has a way to addresses of that family, as far as it knows without sending anything.
    fn is_routed(&self, ipv6: bool) -> bool {
        let mut addresses = self.addresses().iter().filter(|address| address.is_ipv6() == ipv6);
        addresses.any(|address| has_route(*address))
    }

    /// The ways there are to it, in the order of asking. A family that this machine has no route for is none, unless
    /// there is no other.
    pub(super) fn ways(&self) -> Vec<Way> {
        let there: Vec<_> = [false, true].into_iter().filter(|ipv6| self.has(*ipv6)).collect();
        let routed: Vec<_> = there.iter().copied().filter(|ipv6| self.is_routed(*ipv6)).collect();
        let families = if routed.is_empty() { there } else { routed };
        let versions: &[bool] = if self.is_secured() { &[false, true] } else { &[false] };
        families.iter().flat_map(|ipv6| versions.iter().map(|http2| Way { ipv6: *ipv6, http2: *http2 })).collect()
    }
}

/// Whether the kernel knows a way there. Connecting a socket of UDP sends nothing.
fn has_route(address: SocketAddr) -> bool {
    let any: SocketAddr =
        if address.is_ipv6() { (Ipv6Addr::UNSPECIFIED, 0).into() } else { (Ipv4Addr::UNSPECIFIED, 0).into() };
    UdpSocket::bind(any).and_then(|socket| socket.connect(address)).is_ok()
}

/// What comes of asking where a name leads nowhere.
fn unsent(verdict: Box<Verdict>) -> Exchange {
    let (timings, outcome) = (Timings::default(), Err(Obstacle::Fault(verdict)));
    Exchange { at: SystemTime::now(), address: None, protocol: None, tls: None, timings, outcome }
}

/// Whether it is the certificate that is bad: all such faults show as 526.
fn is_of_certificate(verdict: &Verdict) -> bool {
    verdict.code.entry().number() == 526
}

fn family(way: Way) -> &'static str {
    if way.ipv6 { "IPv6" } else { "IPv4" }
}
