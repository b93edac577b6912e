//! When a ramp stops, who was the limit, and what a person reads of it.

use std::time::Duration;

use rayline_verdict::Verdict;

use super::{Load, Step};
use crate::probe::Probe;
use crate::visit::show::in_words;

/// The share of failing requests above which it stops.
pub(super) const FAILING: f64 = 0.05;
/// How many times as slow as the first step it may become.
pub(super) const SLOWER: u32 = 4;
/// Latency below which nobody minds.
const UNNOTICED: Duration = Duration::from_millis(250);
/// The share of one core that this program may use: it works on one.
const BUSY: f64 = 0.9;

/// What ended a ramp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// The origin: it began to fail.
    OriginFails,
    /// The origin: it became slow.
    OriginSlow,
    /// An edge in the way, which began to refuse.
    Edge,
    /// This program, which cannot ask for more.
    Generator,
    /// Nothing: all steps were made.
    Connections,
    /// Nothing: time was up.
    Time,
}

impl Limit {
    /// In one word, for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OriginFails => "origin_fails",
            Self::OriginSlow => "origin_slow",
            Self::Edge => "edge",
            Self::Generator => "generator",
            Self::Connections => "connections",
            Self::Time => "time",
        }
    }

    /// Whether somebody other than this program could not go on.
    pub const fn is_fault(self) -> bool {
        match self {
            Self::OriginFails | Self::OriginSlow | Self::Edge => true,
            Self::Generator | Self::Connections | Self::Time => false,
        }
    }
}

/// What the last of these steps ran into. What fails, fails whoever asks; but slowness is not believed of a program that
/// had no time to look at the clock.
pub(super) fn limit(steps: &[Step]) -> Option<Limit> {
    let (first, last) = (steps.first()?, steps.last()?);
    if last.failing() > FAILING {
        return Some(if last.by_edge * 2 > last.failed { Limit::Edge } else { Limit::OriginFails });
    }
    if last.own_cpu > BUSY {
        return Some(Limit::Generator);
    }
    let slow = last.p95 > UNNOTICED && last.p95 > first.p95 * SLOWER;
    (slow || last.behind() > FAILING).then_some(Limit::OriginSlow)
}

/// The verdict of what was met at the limit.
pub(super) fn verdict(load: &Load) -> Option<Box<Verdict>> {
    match load.limit? {
        Limit::OriginFails => load.steps.last()?.verdict.clone(),
        Limit::OriginSlow | Limit::Edge | Limit::Generator | Limit::Connections | Limit::Time => None,
    }
}

/// What a person reads.
pub(super) fn probe(name: &str, load: &Load, took: Duration) -> Probe {
    let ok = match load.limit {
        Some(Limit::OriginFails | Limit::OriginSlow | Limit::Edge) => Some(false),
        Some(Limit::Connections | Limit::Time) if !load.steps.is_empty() => Some(true),
        Some(Limit::Generator | Limit::Connections | Limit::Time) | None => None,
    };
    let mut probe = Probe::new(name, ok, took, sentence(load)).judged(load.verdict.clone());
    if let serde_json::Value::Object(facts) = load.to_json() {
        probe.facts.extend(facts.into_iter().filter(|(fact, _)| fact != "verdict"));
    }
    probe
}

fn sentence(load: &Load) -> String {
    let Some((last, before)) = load.steps.split_last() else { return "no step came to its end".to_owned() };
    let good = before.last().map(|step| format!("; with {} it still did well: {}", many(step), pace(step)));
    let good = good.unwrap_or_default();
    match load.limit {
        Some(Limit::OriginFails) if before.is_empty() => {
            format!("the origin fails already when it is asked with {}: {}", many(last), failures(last))
        }
        Some(Limit::OriginFails) => {
            format!("the origin begins to fail at {}: {}{good}", many(last), failures(last))
        }
        Some(Limit::Edge) => {
            format!("an edge in the way begins to refuse at {}: {}{good}", many(last), failures(last))
        }
        Some(Limit::OriginSlow) => {
            format!("the origin becomes slow at {}: {}{good}", many(last), pace(last))
        }
        Some(Limit::Generator) => {
            format!("this program cannot ask for more than that, the origin can take it: {}", pace(last))
        }
        Some(Limit::Connections | Limit::Time) | None => {
            format!("the origin takes {}: {}", many(last), pace(last))
        }
    }
}

fn many(step: &Step) -> String {
    match (step.rate, step.connections) {
        (Some(1), _) => "1 request per second".to_owned(),
        (Some(rate), _) => format!("{rate} requests per second"),
        (None, 1) => "1 connection".to_owned(),
        (None, connections) => format!("{connections} connections at once"),
    }
}

fn pace(step: &Step) -> String {
    let unsent = match step.unsent {
        0 => String::new(),
        unsent => format!(", and {unsent} more were due and found all {} connections waiting", step.connections),
    };
    format!(
        "{:.0} requests per second, half of them within {}, 95 of 100 within {}{unsent}",
        step.per_second(),
        in_words(step.p50),
        in_words(step.p95)
    )
}

/// What failed, the most frequent first.
fn failures(step: &Step) -> String {
    let statuses = step.statuses.iter().filter(|(status, _)| **status == 429 || **status >= 500);
    let mut kinds: Vec<_> = statuses.map(|(status, count)| (*count, format!("status {status}"))).collect();
    kinds.extend(step.faults.iter().map(|(fault, count)| (*count, format!("`{fault}`"))));
    kinds.sort_by(|(one, _), (other, _)| other.cmp(one));
    let kinds: Vec<_> = kinds.into_iter().map(|(count, kind)| format!("{count} times {kind}")).collect();
    format!("{} of {} requests, {}", step.failed, step.requests, kinds.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(connections: u32, failed: u64, p95_ms: u64) -> Step {
        let p95 = Duration::from_millis(p95_ms);
        Step { connections, requests: 100, failed, p95, took: Duration::from_secs(1), ..Step::default() }
    }

    #[test]
    fn each_limit_is_told() {
        let first = step(1, 0, 100);
        let with = |last: Step| limit(&[first.clone(), last]);
        assert_eq!(with(step(2, 5, 400)), None);
        assert_eq!(with(step(2, 6, 0)), Some(Limit::OriginFails));
        assert_eq!(with(Step { by_edge: 6, ..step(2, 6, 0) }), Some(Limit::Edge));
        assert_eq!(with(step(2, 0, 401)), Some(Limit::OriginSlow));
        assert_eq!(with(Step { own_cpu: 0.95, ..step(2, 0, 401) }), Some(Limit::Generator));
        assert_eq!(limit(&[step(1, 0, 10), step(2, 0, 240)]), None);
        assert_eq!(limit(&[]), None);
        let open = |unsent| Step { rate: Some(100), unsent, ..step(8, 0, 10) };
        assert_eq!((limit(&[open(0)]), limit(&[open(5)])), (None, None));
        assert_eq!(limit(&[open(6)]), Some(Limit::OriginSlow));
    }

    #[test]
    fn the_sentence_says_where_it_begins() {
        let steps = vec![step(1, 0, 10), Step { statuses: [(503, 20)].into(), ..step(2, 20, 10) }];
        let load = Load { steps, limit: Some(Limit::OriginFails), ..Load::default() };
        let probe = probe("load", &load, Duration::ZERO);
        assert_eq!(probe.ok, Some(false));
        assert!(
            probe.said.starts_with("the origin begins to fail at 2 connections at once: 20 of 100"),
            "{}",
            probe.said
        );
        assert!(probe.said.contains("20 times status 503"), "{}", probe.said);
        assert_eq!(probe.facts["limit"], "origin_fails");
        assert_eq!(Load::default().to_json()["limit"], serde_json::Value::Null);
    }
}
