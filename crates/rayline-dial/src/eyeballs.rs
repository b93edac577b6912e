//! Happy eyeballs (RFC 8305): several addresses raced, so that one dead address costs 250 ms and not the whole budget.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use rayline_verdict::attribute::outcome_of;
use rayline_verdict::fault::{Cause, ConnectCause, ReplyCause};
use rayline_verdict::{Attempt, Fact, Fault, Outcome};
use tokio::net::TcpStream;
use tokio::time::{sleep_until, timeout};

use crate::connect::{Connecting, milliseconds, timed_out};
use crate::dial::Timeouts;

/// The Connection Attempt Delay that RFC 8305 §5 recommends.
const STAGGER: Duration = Duration::from_millis(250);

/// A connection that won.
#[derive(Debug)]
pub(crate) struct Connected {
    pub(crate) stream: TcpStream,
    pub(crate) address: SocketAddr,
    pub(crate) started: Instant,
    pub(crate) took: Duration,
}

/// Connects to the first of these addresses that answers, within the budget of `connect` for all together.
///
/// Each address that failed, and each that was still under way when another won, is logged in `attempts`; the winner is
/// not. When all fail, the fault is that of the most telling one: see [`telling`].
pub(crate) async fn race(
    addresses: &[SocketAddr],
    timeouts: &Timeouts,
    attempts: &mut Vec<Attempt>,
) -> Result<Connected, Fault> {
    let Timeouts { connect: budget, keepalive, tls: _ } = *timeouts;
    let mut race =
        Race { waiting: interleave(addresses), keepalive, running: Vec::new(), most_telling: None, attempts };
    // An origin that is near has refused by now, and there is nothing to wait for.
    if race.start_one().is_none() {
        return Err(race.verdict());
    }
    let outcome = timeout(budget, race.run()).await;
    match outcome {
        Ok(Some(winner)) => {
            race.abandon_rest();
            let took = winner.started.elapsed();
            Ok(Connected { address: winner.address, started: winner.started, took, stream: winner.finish() })
        }
        Ok(None) => Err(race.verdict()),
        Err(_) => {
            race.give_up(budget);
            Err(race.verdict())
        }
    }
}

struct Race<'a> {
    waiting: VecDeque<SocketAddr>,
    keepalive: Duration,
    running: Vec<Connecting>,
    /// The most telling fault so far.
    most_telling: Option<Fault>,
    attempts: &'a mut Vec<Attempt>,
}

impl Race<'_> {
    /// The first to be connected, or `None` when all have failed.
    async fn run(&mut self) -> Option<Connecting> {
        loop {
            self.start_one()?;
            let next = tokio::time::Instant::now() + STAGGER;
            let more = !self.waiting.is_empty();
            tokio::select! {
                biased;
                (index, outcome) = poll_fn(|cx| first_done(&mut self.running, cx)) => {
                    let done = self.running.remove(index);
                    match outcome {
                        Ok(()) => return Some(done),
                        Err(fault) => self.failed(done.address, done.started, fault),
                    }
                    let _ = self.start_next();
                }
                () = sleep_until(next), if more => {
                    let _ = self.start_next();
                }
            }
        }
    }

    /// Starts addresses until one is under way, `None` when all have failed: a failure starts the next address at once, so
    /// that only silence costs the delay.
    fn start_one(&mut self) -> Option<()> {
        while self.running.is_empty() {
            self.start_next()?;
        }
        Some(())
    }

    /// Starts the next address that waits, `None` when none does.
    fn start_next(&mut self) -> Option<()> {
        let address = self.waiting.pop_front()?;
        let started = Instant::now();
        match Connecting::begin(address, self.keepalive, started) {
            Ok(connecting) => self.running.push(connecting),
            Err(fault) => self.failed(address, started, fault),
        }
        Some(())
    }

    fn failed(&mut self, address: SocketAddr, started: Instant, fault: Fault) {
        self.log(address, started, outcome_of(&fault));
        if self.most_telling.as_ref().is_none_or(|most_telling| telling(&fault) > telling(most_telling)) {
            self.most_telling = Some(fault);
        }
    }

    fn abandon_rest(&mut self) {
        for loser in std::mem::take(&mut self.running) {
            self.log(loser.address, loser.started, Outcome::Abandoned);
        }
    }

    /// The budget is used up: every address under way has timed out. Those that never got their turn were not tried.
    fn give_up(&mut self, budget: Duration) {
        for late in std::mem::take(&mut self.running) {
            let fault = late.timed_out(budget);
            self.failed(late.address, late.started, fault);
        }
        // A budget of nothing: no address had its turn.
        if let (None, Some(address)) = (&self.most_telling, self.waiting.pop_front()) {
            self.failed(address, Instant::now(), timed_out(address, budget));
        }
    }

    fn log(&mut self, address: SocketAddr, started: Instant, outcome: Outcome) {
        let took_ms = milliseconds(started.elapsed());
        self.attempts.push(Attempt { address, reused: false, outcome, took_ms });
    }

    /// Every address has failed. (Without an address there is nothing to connect to, which the caller rules out.)
    fn verdict(self) -> Fault {
        self.most_telling.unwrap_or_else(|| {
            Fault::new(ReplyCause::Unclassified).with(Fact::Internal("no address to connect to".to_owned()))
        })
    }
}

/// The first connection under way that is over, by its place.
fn first_done(running: &mut [Connecting], cx: &mut Context<'_>) -> Poll<(usize, Result<(), Fault>)> {
    running
        .iter_mut()
        .enumerate()
        .find_map(|(index, connecting)| match connecting.poll(cx) {
            Poll::Ready(outcome) => Some(Poll::Ready((index, outcome))),
            Poll::Pending => None,
        })
        .unwrap_or(Poll::Pending)
}

/// How much a failed address says of the origin. What the origin said itself comes first, then what a router said, then
/// silence, and last what only this machine said: an edge without IPv6 meets `ENETUNREACH` at once on the one address
/// while the other, the one that counts, times out. Between equals the earlier address counts.
fn telling(fault: &Fault) -> u8 {
    let said_by_router = fault.evidence.facts().iter().any(|fact| matches!(fact, Fact::Icmp { .. }));
    match fault.cause {
        Cause::Connect(ConnectCause::Refused) => 6,
        Cause::Connect(ConnectCause::Unreachable) if said_by_router => 5,
        Cause::Connect(ConnectCause::Prohibited) => 5,
        Cause::Connect(ConnectCause::TimedOut | ConnectCause::NoNeighbour) => 4,
        Cause::Connect(ConnectCause::Exhausted) => 3,
        Cause::Connect(ConnectCause::Forbidden) => 2,
        Cause::Connect(ConnectCause::Unreachable | ConnectCause::NoRoute) => 1,
        Cause::Accept(_)
        | Cause::ClientTls(_)
        | Cause::Request(_)
        | Cause::Route(_)
        | Cause::Rules(_)
        | Cause::Resolve(_)
        | Cause::OriginTls(_)
        | Cause::Send(_)
        | Cause::Wait(_)
        | Cause::Receive(_)
        | Cause::Reply(_)
        | Cause::Outside(_) => 0,
    }
}

/// The addresses with their families by turns, beginning with the family of the first (RFC 8305 §4, with a First
/// Address Family Count of 1).
fn interleave(addresses: &[SocketAddr]) -> VecDeque<SocketAddr> {
    let [first, _, ..] = addresses else { return addresses.iter().copied().collect() };
    let (mut same, mut other): (VecDeque<_>, VecDeque<_>) =
        addresses.iter().copied().partition(|address| address.is_ipv4() == first.is_ipv4());
    let mut order = VecDeque::with_capacity(addresses.len());
    while let Some(address) = same.pop_front() {
        order.push_back(address);
        order.extend(other.pop_front());
    }
    order.extend(other);
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| SocketAddr::new(text.parse().unwrap(), 80)).collect()
    }

    #[test]
    fn families_take_turns_from_the_first() {
        let mixed = addresses(&["::1", "::2", "::3", "1.0.0.1", "1.0.0.2"]);
        assert_eq!(interleave(&mixed), addresses(&["::1", "1.0.0.1", "::2", "1.0.0.2", "::3"]));
        let v4_first = addresses(&["1.0.0.1", "::1", "::2"]);
        assert_eq!(interleave(&v4_first), addresses(&["1.0.0.1", "::1", "::2"]));
        assert_eq!(interleave(&[]), addresses(&[]));
    }

    #[test]
    fn the_origins_word_tells_more_than_a_routers_and_silence_more_than_this_machines() {
        let icmp = Fact::Icmp { kind: 3, code: 1, meaning: "host unreachable", from: None };
        let ranked = [
            Fault::new(ConnectCause::Refused),
            Fault::new(ConnectCause::Unreachable).with(icmp),
            Fault::new(ConnectCause::NoNeighbour),
            Fault::new(ConnectCause::Exhausted),
            Fault::new(ConnectCause::Forbidden),
            Fault::new(ConnectCause::NoRoute),
        ];
        assert!(ranked.is_sorted_by(|more, less| telling(more) > telling(less)));
    }
}
