//! Waiting for the head of the origin's response, while the request's body is still being sent.

use std::future::poll_fn;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use rayline_http1::{RequestKind, ResponseHead};
use rayline_verdict::attribute::outcome_of;
use rayline_verdict::evidence::Fact;
use rayline_verdict::fault::{ReplyCause, SendCause, WaitCause};
use rayline_verdict::{Attempt, Cause, Fault};

use super::connect;
use super::resolve::Target;
use super::send::{Upload, takes_interim};
use crate::exchange::{Exchange, micros};
use crate::grpc;
use crate::origin::{Failure, Link, Repeat, timer};
use crate::tunnel::Upgrade;
use crate::visitor::RequestBody;
use crate::visitor::body::Interim;

/// The most interim (1xx) responses to one request. Early hints come in ones and twos; progress reports once a
/// second for as long as an answer may take stay below it.
const MAX_INTERIM: u32 = 128;

/// What came of waiting.
#[derive(Debug)]
pub(crate) enum Waited {
    /// The final response's head.
    Head(Box<ResponseHead>),
    /// The origin did nothing with the request, or may be supposed to: it is to be sent again, on another connection.
    Again,
}

/// Sends what is left of the request and waits for the head of the final response.
///
/// # Errors
/// Every way in which an origin can fail to answer; the visitor's faults while it sends its body, and its leaving.
pub(crate) async fn head(
    exchange: &mut Exchange<'_>,
    target: &Target,
    link: &mut Link,
    upload: &mut Upload,
) -> Result<Waited, Fault> {
    let began = exchange.now;
    let mut waiting = Waiting::new(exchange, link);
    let body = &mut exchange.body;
    let outcome = poll_fn(|cx| waiting.poll(link, upload, body, cx)).await;
    let now = Instant::now();
    let sent_at = waiting.sent_at.unwrap_or(now);
    let took = micros(began, now);
    exchange.now = now;
    let origin = exchange.origin();
    origin.send_us = micros(began, sent_at);
    origin.header_us = micros(sent_at, now);
    let attempt =
        |outcome| Attempt { address: link.address(), reused: link.is_reused(), outcome, took_ms: took / 1000 };
    match outcome {
        Ok(head) => {
            origin.status = link.status(&head);
            Ok(Waited::Head(Box::new(head)))
        }
        Err(Failure { fault, repeat }) => {
            let fault = link.testify_of_head(fault);
            if is_silence(fault.cause) {
                link.doubt();
            }
            exchange.attempts.push(attempt(outcome_of(&fault)));
            let again = match repeat {
                Repeat::Never => false,
                Repeat::Unprocessed => upload.is_whole(),
                Repeat::OverHttp1 => {
                    // What it says of tunnels it does not say of requests.
                    if exchange.upgrade.is_none() {
                        connect::require_http1(exchange, target, link.address());
                    }
                    upload.is_whole()
                }
                Repeat::Stale if upload.is_repeatable(link.sent()) => true,
                Repeat::Stale => {
                    return Err(Fault { cause: SendCause::StaleConnection.into(), evidence: fault.evidence });
                }
            };
            if again {
                upload.repeat();
                return Ok(Waited::Again);
            }
            Err(fault)
        }
    }
}

/// Whether a timer has run out over an origin that says nothing. What a caller allows says little of the connection.
fn is_silence(cause: Cause) -> bool {
    matches!(cause, Cause::Wait(WaitCause::TimedOut) | Cause::Send(SendCause::Unacknowledged | SendCause::TimedOut))
}

/// The state of one wait.
struct Waiting {
    kind: RequestKind,
    takes_interim: bool,
    upgrade: Option<Upgrade>,
    interim: u32,
    sent_at: Option<Instant>,
    read_timeout: Duration,
    /// When a gRPC caller gives up, and how long it waits from its request's begin.
    due: Option<(Instant, Duration)>,
    ack_timeout: Duration,
    /// The acknowledgement of the request has been looked for.
    ack_checked: bool,
}

impl Waiting {
    fn new(exchange: &Exchange<'_>, link: &mut Link) -> Self {
        let limits = exchange.running.limits();
        let read_timeout = exchange.read_timeout();
        link.deadline().clear();
        let timeout = exchange.is_call().then(|| grpc::timeout(&exchange.head.fields)).flatten();
        let due = timeout.and_then(|timeout| Some((exchange.record.started().checked_add(timeout)?, timeout)));
        if let Some((due, _)) = due {
            link.deadline().set_after(due.saturating_duration_since(Instant::now()));
        }
        Self {
            kind: RequestKind::of(exchange.head.method()),
            takes_interim: takes_interim(exchange.head.version),
            upgrade: exchange.upgrade,
            interim: 0,
            sent_at: None,
            read_timeout,
            due,
            ack_timeout: limits.ack_timeout,
            ack_checked: false,
        }
    }

    fn poll(
        &mut self,
        link: &mut Link,
        upload: &mut Upload,
        body: &mut RequestBody,
        cx: &mut Context<'_>,
    ) -> Poll<Result<ResponseHead, Failure>> {
        loop {
            if upload.poll_progress(link, body, cx)?.is_ready() && self.sent_at.is_none() {
                let now = Instant::now();
                self.sent_at = Some(now);
                let wait = self.until_due(self.ack_timeout.min(self.read_timeout), now);
                link.deadline().set((now + wait).into());
            }
            match link.poll_head(self.kind, upload.sent(), cx)? {
                Poll::Ready(head) if head.status == 101 => {
                    return Poll::Ready(self.switched(head).map_err(Failure::from));
                }
                Poll::Ready(head) if head.is_informational() => self.pass_on(&head, link, upload, body)?,
                Poll::Ready(head) => return Poll::Ready(Ok(head)),
                Poll::Pending => break,
            }
        }
        body.poll_interim(cx);
        if upload.is_done() && body.poll_gone(cx).is_ready() {
            return Poll::Ready(Err(Fault::new(ReplyCause::Gone).into()));
        }
        self.poll_timers(link, cx).map_err(Failure::from)
    }

    /// The origin has changed the protocol: to what was asked for, or against the rules.
    fn switched(&self, head: ResponseHead) -> Result<ResponseHead, Fault> {
        match self.upgrade {
            Some(upgrade) => upgrade.check(&head).map(|()| head),
            None => Err(Fault::new(WaitCause::UnexpectedUpgrade).with(Fact::OriginStatus(101))),
        }
    }

    /// Passes an interim response on. A `100 Continue` lets the body come.
    fn pass_on(
        &mut self,
        head: &ResponseHead,
        link: &Link,
        upload: &mut Upload,
        body: &mut RequestBody,
    ) -> Result<(), Fault> {
        self.interim += 1;
        if self.interim > MAX_INTERIM {
            link.condemn(self.interim, MAX_INTERIM);
            return Err(Fault::new(WaitCause::InformationalFlood).with(Fact::Informational(self.interim)));
        }
        if head.status == 100 {
            upload.go_on(body);
        } else if self.takes_interim {
            body.queue_interim(Interim::Passed(head));
        }
        Ok(())
    }

    /// No longer than a caller waits.
    fn until_due(&self, wait: Duration, now: Instant) -> Duration {
        self.due.map_or(wait, |(due, _)| wait.min(due.saturating_duration_since(now)))
    }

    fn poll_timers(&mut self, link: &mut Link, cx: &mut Context<'_>) -> Poll<Result<ResponseHead, Fault>> {
        loop {
            ready!(link.deadline().poll(cx));
            if let Some((_, timeout)) = self.due.filter(|(due, _)| *due <= Instant::now()) {
                let timer = timer("grpc-timeout", timeout);
                return Poll::Ready(Err(Fault::new(WaitCause::DeadlineExceeded).with(timer)));
            }
            let Some(sent_at) = self.sent_at else { return Poll::Pending };
            let elapsed = sent_at.elapsed();
            if elapsed >= self.read_timeout {
                let timer = timer("proxy_read_timeout", self.read_timeout);
                return Poll::Ready(Err(Fault::new(WaitCause::TimedOut).with(timer)));
            }
            if !self.ack_checked && elapsed >= self.ack_timeout {
                let tcp = link.tcp_state().unwrap_or_default();
                if tcp.is_unacknowledged() {
                    let timer = timer("ack_timeout", self.ack_timeout);
                    return Poll::Ready(Err(Fault::new(SendCause::Unacknowledged).with(timer)));
                }
                self.ack_checked = tcp.unacked_segments == 0;
            }
            let left = self.read_timeout.saturating_sub(elapsed);
            // What is on its way is looked at again, when it has been acknowledged or sent once more.
            let left = if self.ack_checked { left } else { left.min(self.ack_timeout / 4) };
            link.deadline().set_after(self.until_due(left, Instant::now()));
        }
    }
}
