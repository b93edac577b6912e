//! Whether those who are asked for a name say the same of it.
//!
//! Many zones answer each asker differently on purpose, so that other addresses alone are no fault: they are told, and
//! left to be weighed.

use std::net::IpAddr;

use rayline_verdict::fault::ResolveCause;

use super::listed;
use super::reading::Reading;
use super::zone::Told;
use crate::network::edge_of;

/// What comparing came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Compared {
    /// As a probe has it.
    pub(super) ok: Option<bool>,
    /// A sentence for each difference.
    pub(super) differences: Vec<String>,
}

/// How two answers differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Difference {
    /// To one the name leads somewhere, to the other nowhere.
    Existence,
    /// They lead elsewhere.
    Target,
}

/// Compares what the resolver and each of the zone's servers say; `edge` is the edge that the resolver leads to.
pub(super) fn compare(resolver: &Reading, told: &[Told], edge: Option<&'static str>) -> Compared {
    let (failing, answering): (Vec<_>, Vec<_>) = told.iter().partition(|told| fails(&told.reading));
    let mut compared = Compared { ok: Some(true), differences: Vec::new() };
    let why = |told: &Told| told.reading.answered.failed.clone().unwrap_or_default();
    let Some((first, others)) = answering.split_first() else {
        // Networks exist that let nobody but their own resolver ask: silence alone convicts no server.
        let ok = told.iter().any(|told| refuses(&told.reading)).then_some(false);
        let each: Vec<_> = failing.iter().map(|told| format!("`{}`: {}", told.server, why(told))).collect();
        compared.add(ok, format!("none of its servers answers for the name here ({})", each.join(", ")));
        return compared;
    };
    for told in &failing {
        let said = format!("its server `{}` does not answer for the name: {}", told.server, why(told));
        compared.add(Some(false), said);
    }
    for other in others {
        if let Some(difference) = differ(&first.reading, &other.reading) {
            let (one, two) = (in_words(&first.reading), in_words(&other.reading));
            let said = format!(
                "its servers do not agree: `{}` says {one}, `{}` says {two}, as when a change has not reached all of them",
                first.server, other.server
            );
            compared.add(difference.ok(), said);
        }
    }
    if fails(resolver) {
        let failed = resolver.answered.failed.as_deref().unwrap_or_default();
        compared.add(
            None,
            format!("the zone's servers say {}, and the resolver fails: {failed}", in_words(&first.reading)),
        );
    } else if let Some(difference) = differ(resolver, &first.reading).filter(|_| !same_edge(&first.reading, edge)) {
        let (here, there) = (in_words(resolver), in_words(&first.reading));
        let why = if is_private(resolver) && !is_private(&first.reading) {
            "this network has a view of its own (split horizon)".to_owned()
        } else {
            let ttl = resolver.answered.ttl.map(|ttl| format!(" for up to {ttl} s more")).unwrap_or_default();
            format!("the resolver may keep an older answer{ttl}, or has a view of its own")
        };
        compared.add(difference.ok(), format!("the resolver says {here}, the zone's servers say {there}: {why}"));
    }
    compared
}

impl Compared {
    fn add(&mut self, ok: Option<bool>, said: String) {
        self.ok = if self.ok == Some(false) { self.ok } else { ok };
        self.differences.push(said);
    }
}

impl Difference {
    fn ok(self) -> Option<bool> {
        match self {
            Self::Existence => Some(false),
            Self::Target => None,
        }
    }
}

/// Whether it says nothing of the name at all.
fn fails(reading: &Reading) -> bool {
    match reading.cause {
        Some(ResolveCause::ServFail | ResolveCause::Refused | ResolveCause::TimedOut | ResolveCause::Unreachable) => {
            true
        }
        None
        | Some(
            ResolveCause::NxDomain
            | ResolveCause::NoAddress
            | ResolveCause::AliasLoop
            | ResolveCause::ProhibitedAddress
            | ResolveCause::PointsToEdge,
        ) => false,
    }
}

/// Whether it says that it will or can not answer.
fn refuses(reading: &Reading) -> bool {
    matches!(reading.cause, Some(ResolveCause::ServFail | ResolveCause::Refused))
}

fn differ(one: &Reading, other: &Reading) -> Option<Difference> {
    let nowhere = |reading: &Reading| reading.answered.addresses.is_empty() && !reading.leads_elsewhere();
    if nowhere(one) != nowhere(other) {
        return Some(Difference::Existence);
    }
    let alias = |reading: &Reading| reading.answered.aliases.first().cloned();
    let (one_set, other_set) = (&one.answered.addresses, &other.answered.addresses);
    let elsewhere = if one.leads_elsewhere() || other.leads_elsewhere() {
        // Who is at the alias is for another zone to say.
        alias(one) != alias(other)
    } else {
        !one_set.is_empty() && !one_set.iter().any(|ip| other_set.contains(ip))
    };
    elsewhere.then_some(Difference::Target)
}

fn same_edge(reading: &Reading, edge: Option<&'static str>) -> bool {
    let addresses = &reading.answered.addresses;
    edge.is_some() && !addresses.is_empty() && addresses.iter().all(|ip| edge_of(*ip) == edge)
}

fn is_private(reading: &Reading) -> bool {
    let addresses: &[IpAddr] = &reading.answered.addresses;
    !addresses.is_empty() && addresses.iter().all(|ip| rayline_dial::prohibited(*ip))
}

fn in_words(reading: &Reading) -> String {
    let answered = &reading.answered;
    match (answered.addresses.as_slice(), answered.aliases.first(), &answered.failed) {
        ([], Some(alias), _) => format!("that it is an alias of `{alias}`"),
        ([], None, Some(failed)) => failed.clone(),
        ([], None, None) => "nothing".to_owned(),
        (addresses, _, _) => listed(addresses),
    }
}
