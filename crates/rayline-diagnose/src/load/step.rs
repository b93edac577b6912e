//! One step of a ramp: so many connections at once, for so long.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant, SystemTime};

use futures_util::future::join_all;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use rayline_dial::Connection;
use rayline_verdict::fault::WaitCause;
use rayline_verdict::{Code, Fact, Fault, Verdict, attribute};
use tokio::time::{sleep, sleep_until};

use super::{Height, Step, Target};
use crate::author::{Role, recognise};
use crate::fetch::{Answer, BodyEnd, Exchange, Measure, Obstacle, Request, carry_first, talk, target};

/// The bytes of a body that are kept, to see whose it is.
const KEPT: usize = 4096;
/// How long a connection rests after a failure: what refuses at once would else be asked thousands of times a second.
const REST: Duration = Duration::from_millis(50);

/// How far a step goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) height: Height,
    /// Requests that are under way at its end may end.
    pub(super) lasts: Duration,
    /// The most requests.
    pub(super) requests: u64,
}

/// When requests are due.
#[derive(Debug)]
struct Pace {
    /// The time between two of them; `None`: as soon as a connection is free.
    between: Option<Duration>,
    /// When the next one is due.
    next: Cell<Instant>,
    /// When none are sent any more.
    until: Instant,
    /// How many may still be sent.
    left: Cell<u64>,
}

impl Pace {
    fn new(bounds: Bounds, began: Instant) -> Self {
        let between = bounds.height.rate.map(|rate| Duration::from_secs(1) / rate.max(1));
        Self { between, next: Cell::new(began), until: began + bounds.lasts, left: Cell::new(bounds.requests) }
    }

    /// Waits for a turn, and gives the moment at which it was due; `None` if there are no more. Who comes late, because all
    /// connections were waiting for answers, finds the turns that were missed.
    async fn turn(&self) -> Option<Instant> {
        let now = Instant::now();
        let due = self.between.map_or(now, |_| self.next.get());
        if due >= self.until || now >= self.until || self.left.get() == 0 {
            return None;
        }
        self.left.set(self.left.get() - 1);
        if let Some(between) = self.between {
            self.next.set(due + between);
            sleep_until(due.into()).await;
        }
        Some(due)
    }

    /// The requests that were due, and for which no connection was free.
    fn unsent(&self) -> u64 {
        let Some(between) = self.between.filter(|between| !between.is_zero()) else { return 0 };
        let missed = self.until.saturating_duration_since(self.next.get()).as_nanos().div_ceil(between.as_nanos());
        u64::try_from(missed).unwrap_or(u64::MAX).min(self.left.get())
    }
}

/// What is counted meanwhile.
#[derive(Debug, Default)]
struct Tally {
    step: Step,
    /// How long those took that did not fail.
    times: Vec<Duration>,
}

/// Makes the step.
pub(super) async fn make(to: &Target, bounds: Bounds) -> Step {
    let (began, cpu, Height { connections, rate }) = (Instant::now(), own_cpu(), bounds.height);
    let tally = RefCell::new(Tally { step: Step { connections, rate, ..Step::default() }, times: Vec::new() });
    let pace = Pace::new(bounds, began);
    join_all((0..connections).map(|_| keep_asking(to, &pace, &tally))).await;
    let Tally { mut step, mut times } = tally.into_inner();
    step.took = began.elapsed();
    step.unsent = pace.unsent();
    let used = own_cpu().zip(cpu).map(|(now, before)| now.saturating_sub(before));
    step.own_cpu = used.unwrap_or_default().as_secs_f64() / step.took.as_secs_f64().max(f64::MIN_POSITIVE);
    times.sort_unstable();
    step.p50 = percentile(&times, 50);
    step.p95 = percentile(&times, 95);
    step
}

/// Asks over one connection again and again; over a new one when that is gone.
async fn keep_asking(to: &Target, pace: &Pace, tally: &RefCell<Tally>) {
    let request = Request::of(&to.ask);
    let mut kept = None;
    while let Some(due) = pace.turn().await {
        let (exchange, connection) = once(to, &request, kept.take()).await;
        kept = connection;
        let failed = tally.borrow_mut().count(exchange, due.elapsed());
        if failed {
            sleep(REST).await;
        }
    }
}

/// One request, over the connection that was kept if it still stands. That it does not is nobody's failure: an edge asks
/// once more then, and so does this.
async fn once(to: &Target, request: &Request, kept: Option<Connection>) -> (Exchange, Option<Connection>) {
    let measure = Measure { timeout: to.ask.timeout, body_bytes: Some(KEPT) };
    if let Some(connection) = kept {
        let began = (SystemTime::now(), Instant::now());
        let (exchange, connection) = talk(connection, Vec::new(), request, measure, began).await;
        if !matches!(exchange.outcome, Err(Obstacle::Fault(_))) {
            return (exchange, connection);
        }
    }
    carry_first(request, &target(&to.ask, &[to.address]), measure, &to.dialer).await
}

impl Tally {
    /// Counts it, which took so long since it was due, and says whether it failed.
    fn count(&mut self, exchange: Exchange, took: Duration) -> bool {
        let step = &mut self.step;
        step.requests += 1;
        let verdict = match exchange.outcome {
            Ok(answer) => {
                *step.statuses.entry(answer.status).or_default() += 1;
                let verdict = failure(&answer);
                if verdict.is_some() && wrote_an_edge(&answer) {
                    step.by_edge += 1;
                }
                verdict
            }
            Err(Obstacle::Fault(verdict)) => {
                *step.faults.entry(verdict.code.name()).or_default() += 1;
                Some(verdict)
            }
            Err(Obstacle::Silent { waited }) => {
                *step.faults.entry("silent").or_default() += 1;
                let limit_ms = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
                let timer = Fact::Timer { setting: "timeout", limit_ms };
                let verdict = attribute(Fault::new(WaitCause::TimedOut).with(timer), Vec::new());
                // It was we who gave up: the answer may be under way, or the request lost.
                Some(Box::new(verdict.with_rivals(vec![Code::NetworkSendUnacknowledged])))
            }
        };
        let failed = verdict.is_some();
        if failed {
            step.failed += 1;
            step.verdict = step.verdict.take().or(verdict);
        } else {
            self.times.push(took);
        }
        failed
    }
}

/// Why an answer counts as failed.
fn failure(answer: &Answer) -> Option<Box<Verdict>> {
    if let BodyEnd::Broken(verdict) = &answer.end {
        return Some(verdict.clone());
    }
    let status = answer.status;
    let refused = status == 429 || status >= 500;
    let fault = || Fault::new(WaitCause::ErrorStatus).with(Fact::OriginStatus(status));
    refused.then(|| Box::new(attribute(fault(), Vec::new())))
}

fn wrote_an_edge(answer: &Answer) -> bool {
    recognise(answer).author.is_some_and(|mark| mark.role == Role::Edge)
}

/// The value that so many of a hundred do not exceed.
fn percentile(sorted: &[Duration], of_hundred: usize) -> Duration {
    let place = (sorted.len() * of_hundred).div_ceil(100).saturating_sub(1);
    sorted.get(place).copied().unwrap_or_default()
}

/// How long this thread, which does all the asking, has kept a processor busy.
fn own_cpu() -> Option<Duration> {
    #[cfg(target_os = "linux")]
    let who = UsageWho::RUSAGE_THREAD;
    #[cfg(not(target_os = "linux"))]
    let who = UsageWho::RUSAGE_SELF;
    let usage = getrusage(who).ok()?;
    let micros = |time: TimeVal| {
        let micros = i128::from(time.tv_sec()) * 1_000_000 + i128::from(time.tv_usec());
        Duration::from_micros(u64::try_from(micros).unwrap_or_default())
    };
    Some(micros(usage.user_time()) + micros(usage.system_time()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_met() {
        let times: Vec<_> = (1..=20).map(Duration::from_millis).collect();
        assert_eq!(percentile(&times, 50), Duration::from_millis(10));
        assert_eq!(percentile(&times, 95), Duration::from_millis(19));
        assert_eq!(percentile(&times[..1], 95), Duration::from_millis(1));
        assert_eq!(percentile(&[], 95), Duration::ZERO);
    }
}
