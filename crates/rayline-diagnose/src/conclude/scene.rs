//! Who stands where, and what the visitor meets: read out of what was seen, before anything is weighed.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use rayline_verdict::{Code, Phase, Verdict};
use url::Url;

use super::Seen;
use crate::author::{Mark, Role};
use crate::case::Case;
use crate::fetch::{Answer, BodyEnd, Obstacle};
use crate::visit::{Failing, Loop, Sample};

/// How long an edge waits for an answer: Cloudflare's default, "Connection limits". What takes less is slow, and no fault.
pub(super) const PATIENCE: Duration = Duration::from_secs(100);

/// An edge of our own, whose pages and records name a code.
pub(super) const RAYLINE: &str = "Rayline";

/// The question with everything that was seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scene<'a> {
    pub(super) case: &'a Case,
    pub(super) seen: &'a Seen,
    /// The edge in front of the origin; `None`: visitors ask the origin itself.
    pub(super) edge: Option<Front<'a>>,
}

/// An edge in front.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Front<'a> {
    /// Who it is, if that is known.
    pub(super) name: Option<&'a str>,
    /// Whether it is one of those that stand in front of many sites, so that what a web server says beside it comes from
    /// behind it. Else it may be a web server itself, used as an edge.
    pub(super) is_known: bool,
}

impl<'a> Scene<'a> {
    pub(super) fn of(case: &'a Case, seen: &'a Seen) -> Self {
        Self { case, seen, edge: front(seen) }
    }

    /// Whether the edge is Rayline, by its answers, its records or its configuration.
    pub(super) fn is_rayline(&self) -> bool {
        let samples = self.seen.visit.samples.iter().map(|sample| &sample.recognition);
        let mut marks = samples.flat_map(|seen| seen.passed.iter().chain(&seen.author));
        let recorded = self.seen.edge.as_ref().is_some_and(|side| side.record.is_some());
        recorded || !self.case.edge_origins.is_empty() || marks.any(|mark| mark.name == RAYLINE)
    }

    /// The address of the edge to which large packets from here vanish.
    pub(super) fn hole_before_edge(&self) -> Option<SocketAddr> {
        let network = self.seen.network.as_ref()?;
        network.edge_black_hole.or(network.black_hole.filter(|_| self.knows_edge_alone()))
    }

    /// The address of the origin to which large packets from here vanish.
    pub(super) fn hole_before_origin(&self) -> Option<SocketAddr> {
        self.seen.network.as_ref()?.black_hole.filter(|_| !self.knows_edge_alone())
    }

    /// Whether the site's address is an edge's, and nobody knows the origin's.
    fn knows_edge_alone(&self) -> bool {
        self.edge.is_some() && self.case.origins.is_empty()
    }

    /// The edge as it stands in a sentence.
    pub(super) fn edge_name(&self) -> &'a str {
        self.edge.and_then(|edge| edge.name).unwrap_or("the edge")
    }
}

fn front(seen: &Seen) -> Option<Front<'_>> {
    let samples = || seen.visit.samples.iter();
    let marks = || samples().flat_map(|sample| sample.recognition.passed.iter().chain(&sample.recognition.author));
    let named = marks().find(|mark| mark.role == Role::Edge).map(|mark| mark.name);
    let by_range = seen.network.as_ref().and_then(|network| network.dns.edge);
    if let Some(name) = named.or(by_range) {
        return Some(Front { name: Some(name), is_known: true });
    }
    let elsewhere = seen.edge.as_ref().is_some_and(|side| side.record.is_some()) || is_elsewhere(seen);
    elsewhere.then(|| {
        let outermost = |mark: &&Mark| mark.role == Role::Server;
        let said = samples().filter(|sample| sample.failing.is_some()).flat_map(|sample| &sample.recognition.passed);
        Front { name: said.chain(marks()).find(outermost).map(|mark| mark.name), is_known: false }
    })
}

/// Whether the origin that was named is another place than the one that visitors come to.
fn is_elsewhere(seen: &Seen) -> bool {
    let Some(direct) = &seen.direct else { return false };
    let visited: Vec<SocketAddr> = {
        let taken = seen.visit.samples.iter().filter_map(|sample| sample.exchange.address);
        seen.visit.addresses.iter().copied().chain(taken).collect()
    };
    !visited.is_empty()
        && !direct.asked.is_empty()
        && direct.asked.iter().all(|asked| !visited.contains(&asked.address))
}

/// What the visitor meets.
#[derive(Clone, Copy, Debug)]
pub(super) enum Symptom<'a> {
    /// The name leads nowhere.
    Unresolved(&'a Verdict),
    /// Nothing was asked.
    NothingAsked,
    /// Nothing fails.
    Fine,
    /// Everything is answered, to those who look past the certificate.
    Certificate(&'a Verdict),
    /// Redirects go in a circle.
    Looping(&'a Loop),
    /// No answer came.
    NoAnswer(&'a Sample, &'a Verdict),
    /// No answer came yet.
    Slow(&'a Sample, Duration),
    /// A status that says that it failed.
    Status(&'a Sample, &'a Answer),
    /// The edge refused.
    Refused(&'a Sample, &'a Answer),
    /// A page without a byte.
    Blank(&'a Sample, &'a Answer),
    /// A body that broke.
    Body(&'a Sample, &'a Verdict),
}

impl<'a> Symptom<'a> {
    /// What most of the failing samples meet; of equals, the first.
    pub(super) fn of(seen: &'a Seen) -> Self {
        match (Self::of_samples(seen), &seen.visit.certificate) {
            (Self::Fine, Some(verdict)) => Self::Certificate(verdict),
            (symptom, _) => symptom,
        }
    }

    fn of_samples(seen: &'a Seen) -> Self {
        let visit = &seen.visit;
        if let Some(looping) = &visit.looping {
            return Self::Looping(looping);
        }
        let failing: Vec<Self> = visit.samples.iter().filter_map(Self::of_sample).collect();
        let mut count: HashMap<Kind, usize> = HashMap::new();
        for symptom in &failing {
            *count.entry(symptom.kind()).or_default() += 1;
        }
        let often = |symptom: &Self| (!symptom.is_ours(), count.get(&symptom.kind()).copied().unwrap_or_default());
        let mut most: Option<Self> = None;
        for symptom in failing {
            if most.is_none_or(|most| often(&symptom) > often(&most)) {
                most = Some(symptom);
            }
        }
        match most {
            // What this machine cannot do is no fault of the site as long as it can be asked another way.
            Some(symptom) if symptom.is_ours() && visit.samples.iter().any(|sample| sample.failing.is_none()) => {
                Self::Fine
            }
            Some(symptom) => symptom,
            None => match &visit.unresolved {
                Some(verdict) if visit.samples.is_empty() => Self::Unresolved(verdict),
                _ if visit.samples.is_empty() => Self::NothingAsked,
                _ => Self::Fine,
            },
        }
    }

    fn of_sample(sample: &'a Sample) -> Option<Self> {
        let failing = sample.failing?;
        Some(match (&sample.exchange.outcome, failing) {
            (Err(Obstacle::Fault(verdict)), _) => Self::NoAnswer(sample, verdict),
            (Err(Obstacle::Silent { waited }), _) => Self::Slow(sample, *waited),
            (Ok(answer), Failing::Status | Failing::NoAnswer) => Self::Status(sample, answer),
            (Ok(answer), Failing::Refused) => Self::Refused(sample, answer),
            (Ok(answer), Failing::Blank) => Self::Blank(sample, answer),
            (Ok(answer), Failing::Body) => match &answer.end {
                BodyEnd::Broken(verdict) => Self::Body(sample, verdict),
                BodyEnd::Whole | BodyEnd::Left => Self::Slow(sample, sample.exchange.timings.total),
            },
            (Ok(_), Failing::Slow) => Self::Slow(sample, sample.exchange.timings.total),
        })
    }

    /// The sample that shows it.
    pub(super) fn sample(&self) -> Option<&'a Sample> {
        match *self {
            Self::Unresolved(_) | Self::NothingAsked | Self::Fine | Self::Certificate(_) | Self::Looping(_) => None,
            Self::NoAnswer(sample, _)
            | Self::Slow(sample, _)
            | Self::Status(sample, _)
            | Self::Refused(sample, _)
            | Self::Blank(sample, _)
            | Self::Body(sample, _) => Some(sample),
        }
    }

    /// The host, with its port if it has one, at which it fails, where that is another place than the one asked for: a
    /// redirect led there.
    pub(super) fn elsewhere(&self, scene: &Scene<'_>) -> Option<String> {
        let (url, asked) = (&self.sample()?.url, &scene.case.url);
        let place = |url: &Url| {
            let host = url.host_str()?;
            Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
        };
        place(url).filter(|found| place(asked).as_ref() != Some(found))
    }

    /// The answer, if one came.
    pub(super) fn answer(&self) -> Option<&'a Answer> {
        self.sample().and_then(|sample| sample.exchange.outcome.as_ref().ok())
    }

    /// The number that the edge's page shows, else the status; 0 if no answer came.
    pub(super) fn number(&self) -> u16 {
        let told = self.sample().and_then(|sample| sample.recognition.told.as_ref()?.number);
        told.or_else(|| self.answer().map(|answer| answer.status)).unwrap_or_default()
    }

    /// Whether all that is known is that no answer came in less time than an edge waits: no edge says that it gave up.
    pub(super) fn is_short_silence(&self, scene: &Scene<'_>) -> bool {
        let gave_up = |sample: &Sample| {
            let status = sample.exchange.outcome.as_ref().ok().map(|answer| answer.status);
            let number = sample.recognition.told.as_ref().and_then(|told| told.number);
            [status, number].into_iter().flatten().any(|number| matches!(number, 504 | 522 | 524))
        };
        matches!(self, Self::Slow(_, waited) if *waited < PATIENCE) && !scene.seen.visit.samples.iter().any(gave_up)
    }

    /// Whether it is this machine that cannot: nobody was asked.
    fn is_ours(&self) -> bool {
        matches!(self, Self::NoAnswer(_, verdict) if is_ours(verdict.code))
    }

    fn kind(&self) -> Kind {
        match *self {
            Self::Unresolved(_) | Self::NothingAsked | Self::Fine | Self::Certificate(_) | Self::Looping(_) => {
                Kind::Whole
            }
            Self::NoAnswer(_, verdict) => Kind::NoAnswer(verdict.code),
            Self::Slow(..) => Kind::Slow,
            Self::Status(_, answer) => Kind::Status(answer.status),
            Self::Refused(_, answer) => Kind::Refused(answer.status),
            Self::Blank(..) => Kind::Blank,
            Self::Body(_, verdict) => Kind::Body(verdict.code),
        }
    }
}

/// What makes two samples fail alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Whole,
    NoAnswer(Code),
    Slow,
    Status(u16),
    Refused(u16),
    Blank,
    Body(Code),
}

/// Whether a fault of a client is the fault of the machine that it runs on.
pub(super) fn is_ours(code: Code) -> bool {
    matches!(code, Code::EdgeConnectNoRoute | Code::EdgeConnectForbidden | Code::EdgeConnectExhausted)
}

/// Whether a fault is met before a request is sent.
pub(super) fn is_before_request(code: Code) -> bool {
    matches!(code.entry().phase, Phase::Resolve | Phase::Connect | Phase::OriginTls)
}
