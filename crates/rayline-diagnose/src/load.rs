//! How much load an origin takes: a bounded ramp of requests, that ends where errors or latency begin.
//!
//! It is for an origin of one's own, and sends nothing by itself: whoever calls [`ramp`] has asked the person, with the
//! words of [`plan`]. Connections are kept, as an edge keeps them. What it finds is about one page from one place; it is no
//! benchmark.

mod judge;
mod step;
mod target;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rayline_verdict::Verdict;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::case::Case;
use crate::probe::{Probe, Watcher};
use crate::visit::show::masked;

pub use self::judge::Limit;

use self::target::Target;

const NAME: &str = "load";
/// What part of the wanted rate is asked for at first.
const FIRST_RATE: u32 = 8;

/// How far the ramp goes.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The most connections at once. Each step has twice as many as the last, unless there is a rate.
    pub connections: u32,
    /// How long a step lasts.
    pub step: Duration,
    /// How long all of it may take.
    pub total: Duration,
    /// The most requests in all; a step ends when it has had its share.
    pub requests: u64,
    /// Requests per second, whether or not those before are answered (an open loop), up to this many: each step has twice as
    /// many as the last. `None`: each connection asks again when it is answered.
    pub rate: Option<u32>,
}

/// How much a step asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Height {
    connections: u32,
    rate: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connections: 64,
            step: Duration::from_secs(3),
            total: Duration::from_secs(60),
            requests: 50_000,
            rate: None,
        }
    }
}

impl Options {
    /// As much at once, and less of it: for what is repeated.
    #[must_use]
    pub fn light(self) -> Self {
        Self { step: Duration::from_secs(1), total: Duration::from_secs(10), requests: 2_000, ..self }
    }

    /// How much each step asks for.
    fn steps(&self) -> Vec<Height> {
        let connections = self.connections.max(1);
        match self.rate {
            None => doubled(1, connections).map(|connections| Height { connections, rate: None }).collect(),
            Some(rate) => {
                let rates = doubled((rate / FIRST_RATE).max(1), rate.max(1));
                rates.map(|rate| Height { connections, rate: Some(rate) }).collect()
            }
        }
    }
}

/// Twice as many each time, up to the most.
fn doubled(first: u32, most: u32) -> impl Iterator<Item = u32> {
    let doubled = std::iter::successors(Some(first), |count| count.checked_mul(2));
    doubled.take_while(move |count| *count < most).chain([most])
}

/// What a ramp showed.
#[derive(Clone, Debug, Default)]
pub struct Load {
    /// The steps that were made.
    pub steps: Vec<Step>,
    /// What was the limit; `None` while it goes on, or when it was broken off.
    pub limit: Option<Limit>,
    /// What the edge would say of what was met most often at the limit.
    pub verdict: Option<Box<Verdict>>,
    /// What a person reads of it.
    pub probes: Vec<Probe>,
}

/// A step of the ramp.
#[derive(Clone, Debug, Default)]
pub struct Step {
    /// Connections at once; at most, if there is a rate.
    pub connections: u32,
    /// Requests per second that were due; `None`: as many as were answered.
    pub rate: Option<u32>,
    /// Requests that were due, and not sent before the step ended: all connections waited for answers.
    pub unsent: u64,
    /// How long it took.
    pub took: Duration,
    /// Requests that came to an end.
    pub requests: u64,
    /// Those of them that failed: by a fault, by silence, with 429 or with a status of 500 or more.
    pub failed: u64,
    /// How long the middle one of the requests that did not fail took; with a rate, since it was due.
    pub p50: Duration,
    /// How long 95 of 100 of them took at most.
    pub p95: Duration,
    /// Answers by status.
    pub statuses: BTreeMap<u16, u64>,
    /// Faults by their code; `silent` where no answer came in time.
    pub faults: BTreeMap<&'static str, u64>,
    /// Failing answers that an edge wrote.
    pub by_edge: u64,
    /// The share of one core that this program used.
    pub own_cpu: f64,
    /// The verdict of the first that failed.
    pub verdict: Option<Box<Verdict>>,
}

impl Step {
    /// Requests per second.
    #[expect(clippy::cast_precision_loss, reason = "far fewer requests than a float counts")]
    pub fn per_second(&self) -> f64 {
        if self.took.is_zero() { 0.0 } else { self.requests as f64 / self.took.as_secs_f64() }
    }

    /// The share of requests that failed, from 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "far fewer requests than a float counts")]
    pub fn failing(&self) -> f64 {
        if self.requests == 0 { 0.0 } else { self.failed as f64 / self.requests as f64 }
    }

    /// The share of what was due that was not sent, from 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "far fewer requests than a float counts")]
    pub fn behind(&self) -> f64 {
        if self.unsent == 0 { 0.0 } else { self.unsent as f64 / (self.requests + self.unsent) as f64 }
    }

    fn to_json(&self) -> Value {
        let milliseconds = |duration: Duration| (duration.as_secs_f64() * 10_000.0).round() / 10.0;
        json!({
            "connections": self.connections,
            "rate": self.rate,
            "unsent": self.unsent,
            "took_ms": milliseconds(self.took),
            "requests": self.requests,
            "failed": self.failed,
            "per_second": (self.per_second() * 10.0).round() / 10.0,
            "p50_ms": milliseconds(self.p50),
            "p95_ms": milliseconds(self.p95),
            "statuses": self.statuses.iter().map(|(status, count)| (status.to_string(), json!(count))).collect::<serde_json::Map<_, _>>(),
            "faults": self.faults,
            "by_edge": self.by_edge,
            "own_cpu": (self.own_cpu * 100.0).round() / 100.0,
        })
    }
}

impl Load {
    /// The object for programs.
    pub fn to_json(&self) -> Value {
        json!({
            "steps": self.steps.iter().map(Step::to_json).collect::<Vec<_>>(),
            "limit": self.limit.map(Limit::name),
            "verdict": self.verdict.as_ref().map(|verdict| verdict.to_json(rayline_verdict::Audience::Operator)),
        })
    }
}

/// What [`ramp`] will do, in words.
pub fn plan(case: &Case, options: &Options) -> String {
    let to = case
        .origins
        .first()
        .map_or_else(|| "no origin, for none is known".to_owned(), |origin| format!("`{}`", origin.target));
    let steps = options.steps();
    let how = match (options.rate, steps.first().and_then(|first| first.rate)) {
        (Some(rate), Some(first)) => format!(
            "{first} per second at first, then twice as many, up to {rate}, whether or not those before are answered, over \
             at most {} connections",
            options.connections.max(1)
        ),
        (Some(_) | None, _) => format!(
            "over 1 connection at first, then over twice as many, up to {}, as fast as they are answered",
            options.connections.max(1)
        ),
    };
    let share = options.requests / steps.len().max(1) as u64;
    format!(
        "{} requests for {} go straight to {to}: {how}; each step ends after {} s or {share} requests, whichever comes first. \
         At most {} requests, for at most {} s. It stops as soon as more than {} % fail or answers take {} times as long. \
         Real visitors may notice",
        case.method,
        masked(&case.url),
        options.step.as_secs_f64(),
        options.requests,
        options.total.as_secs(),
        judge::FAILING * 100.0,
        judge::SLOWER,
    )
}

/// Loads the first origin of a case step by step, until something is the limit. What is found stands in `so_far` after each
/// step, so that whoever drops this before its end has that.
pub async fn ramp(case: &Case, options: &Options, so_far: &RefCell<Load>, watcher: &dyn Watcher) {
    watcher.began(NAME, "loading the origin step by step");
    let began = Instant::now();
    let probe = match Target::of(case).await {
        Ok(target) => {
            climb(&target, options, so_far, watcher).await;
            let mut load = so_far.borrow_mut();
            load.verdict = judge::verdict(&load);
            judge::probe(NAME, &load, began.elapsed()).with("address", target.address.to_string())
        }
        Err(why) => Probe::new(NAME, None, began.elapsed(), why),
    };
    watcher.ended(&probe);
    so_far.borrow_mut().probes.push(probe);
}

/// Makes the steps.
async fn climb(target: &Target, options: &Options, so_far: &RefCell<Load>, watcher: &dyn Watcher) {
    let heights = options.steps();
    let count = heights.len().max(1) as u64;
    let steps = async {
        for (place, height) in (0_u64..).zip(heights) {
            watcher.went_on(NAME, place, Some(count));
            let bounds = step::Bounds { height, lasts: options.step, requests: options.requests / count };
            let step = step::make(target, bounds).await;
            let mut load = so_far.borrow_mut();
            load.steps.push(step);
            load.limit = judge::limit(&load.steps);
            if load.limit.is_some() {
                return;
            }
        }
        so_far.borrow_mut().limit = Some(Limit::Connections);
    };
    if timeout(options.total, steps).await.is_err() {
        so_far.borrow_mut().limit = Some(Limit::Time);
    }
}
