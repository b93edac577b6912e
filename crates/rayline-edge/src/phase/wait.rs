//! Waiting for the head of the origin's response, while the request's body is still being sent.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use rayline_dial::http1::response_fault;
use rayline_dial::{Break, session_fault};
use rayline_http1::{Parsed, RequestKind, ResponseHead};
use rayline_verdict::evidence::Fact;
use rayline_verdict::fault::{OriginTlsCause, ReplyCause, SendCause, WaitCause};
use rayline_verdict::{Attempt, Fault, Outcome};

use super::send::{Upload, takes_interim};
use crate::exchange::{Exchange, micros};
use crate::link::Link;
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
    /// The kept-alive connection was closed under the request, which can be repeated on another.
    Stale,
}

/// Sends what is left of the request and waits for the head of the final response.
///
/// # Errors
/// Every way in which an origin can fail to answer; the visitor's faults while it sends its body, and its leaving.
pub(crate) async fn head(exchange: &mut Exchange<'_>, link: &mut Link, upload: &mut Upload) -> Result<Waited, Fault> {
    let began = Instant::now();
    let mut waiting = Waiting::new(exchange, link);
    let body = &mut exchange.body;
    let outcome = poll_fn(|cx| waiting.poll(link, upload, body, cx)).await;
    let sent_at = waiting.sent_at.unwrap_or_else(Instant::now);
    let took = micros(began);
    let origin = exchange.origin();
    origin.send_us = u64::try_from(sent_at.saturating_duration_since(began).as_micros()).unwrap_or(u64::MAX);
    origin.header_us = micros(sent_at);
    let address = link.connection.address();
    let attempt = |outcome| Attempt { address, reused: link.connection.is_reused(), outcome, took_ms: took / 1000 };
    match outcome {
        Ok(head) => {
            origin.status = head.status;
            Ok(Waited::Head(Box::new(head)))
        }
        Err(fault) => {
            let fault = link.testify_of_head(fault);
            let code = rayline_verdict::attribute::code_of(fault.cause, &fault.evidence);
            exchange.attempts.push(attempt(Outcome::Failed(code)));
            if !is_stale(&fault, link) {
                return Err(fault);
            }
            if upload.is_repeatable(link.sent()) {
                return Ok(Waited::Stale);
            }
            Err(Fault { cause: SendCause::StaleConnection.into(), evidence: fault.evidence })
        }
    }
}

/// A reused connection that ended before a byte of the answer: an origin that closes idle connections does so without
/// knowing that a request is on its way (RFC 9112 §9.3.1).
fn is_stale(fault: &Fault, link: &Link) -> bool {
    use rayline_verdict::Cause::{Send, Wait};
    let ended = matches!(
        fault.cause,
        Wait(WaitCause::Reset | WaitCause::ClosedEmpty | WaitCause::TlsBroken) | Send(SendCause::Reset)
    );
    ended && link.connection.is_reused() && link.received == 0
}

/// The state of one wait.
struct Waiting {
    kind: RequestKind,
    takes_interim: bool,
    interim: u32,
    sent_at: Option<Instant>,
    read_timeout: Duration,
    ack_timeout: Duration,
    /// The acknowledgement of the request has been looked for.
    ack_checked: bool,
}

impl Waiting {
    fn new(exchange: &Exchange<'_>, link: &mut Link) -> Self {
        let limits = exchange.running.limits();
        let read_timeout = exchange.read_timeout();
        link.deadline.clear();
        Self {
            kind: RequestKind::of(exchange.head.method()),
            takes_interim: takes_interim(exchange.head.version),
            interim: 0,
            sent_at: None,
            read_timeout,
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
    ) -> Poll<Result<ResponseHead, Fault>> {
        loop {
            // What has come first: a `100 Continue` in it lets the body go on.
            if let Some(head) = self.parse(link, upload, body)? {
                return Poll::Ready(Ok(head));
            }
            if upload.poll_progress(link, body, cx)?.is_ready() && self.sent_at.is_none() {
                self.sent_at = Some(Instant::now());
                link.deadline.set_after(self.ack_timeout.min(self.read_timeout));
            }
            match link.poll_fill(cx, 1) {
                Poll::Ready(Ok(1..)) => {}
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(ended(link, upload, None))),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(ended(link, upload, Some(&error)))),
                Poll::Pending => break,
            }
        }
        body.poll_interim(cx);
        if upload.is_done() && body.poll_gone(cx).is_ready() {
            return Poll::Ready(Err(Fault::new(ReplyCause::Gone)));
        }
        self.poll_timers(link, cx)
    }

    /// The head, if it is whole. Interim responses are passed on and done with.
    fn parse(
        &mut self,
        link: &mut Link,
        upload: &mut Upload,
        body: &mut RequestBody,
    ) -> Result<Option<ResponseHead>, Fault> {
        while !link.input.is_empty() {
            let head =
                match link.parser.parse(&mut link.input, self.kind).map_err(|refusal| response_fault(&refusal))? {
                    Parsed::Partial => return Ok(None),
                    Parsed::Complete(head) if !head.is_informational() => return Ok(Some(head)),
                    Parsed::Complete(head) => head,
                };
            self.interim += 1;
            if head.status == 101 {
                return Err(Fault::new(WaitCause::UnexpectedUpgrade).with(Fact::OriginStatus(101)));
            }
            if self.interim > MAX_INTERIM {
                return Err(Fault::new(WaitCause::InformationalFlood).with(Fact::Informational(self.interim)));
            }
            if head.status == 100 {
                upload.go_on(body);
            } else if self.takes_interim {
                body.queue_interim(Interim::Passed(&head));
            }
        }
        Ok(None)
    }

    fn poll_timers(&mut self, link: &mut Link, cx: &mut Context<'_>) -> Poll<Result<ResponseHead, Fault>> {
        loop {
            ready!(link.deadline.poll(cx));
            let Some(sent_at) = self.sent_at else { return Poll::Pending };
            let elapsed = sent_at.elapsed();
            if elapsed >= self.read_timeout {
                let timer = timer("proxy_read_timeout", self.read_timeout);
                return Poll::Ready(Err(Fault::new(WaitCause::TimedOut).with(timer)));
            }
            if !self.ack_checked && elapsed >= self.ack_timeout {
                let tcp = link.connection.tcp_state().unwrap_or_default();
                if tcp.is_unacknowledged() {
                    let timer = timer("ack_timeout", self.ack_timeout);
                    return Poll::Ready(Err(Fault::new(SendCause::Unacknowledged).with(timer)));
                }
                self.ack_checked = tcp.unacked_segments == 0;
            }
            let left = self.read_timeout.saturating_sub(elapsed);
            // What is on its way is looked at again, when it has been acknowledged or sent once more.
            link.deadline.set_after(if self.ack_checked { left } else { left.min(self.ack_timeout / 4) });
        }
    }
}

fn timer(setting: &'static str, limit: Duration) -> Fact {
    Fact::Timer { setting, limit_ms: u64::try_from(limit.as_millis()).unwrap_or(u64::MAX) }
}

/// The fault of a connection that ended before the head was whole.
fn ended(link: &Link, upload: &Upload, error: Option<&io::Error>) -> Fault {
    let broken = error.map(|error| session_fault(&link.connection, error));
    let how = broken.as_ref().map_or(Break::Closed, |broken| broken.how);
    // Interim responses are heads of their own, and gone from the buffer.
    let begun = !link.input.is_empty();
    let cause = match how {
        Break::ClientCertificateRefused => OriginTlsCause::ClientCertificateRefused.into(),
        Break::Silent => WaitCause::Lost.into(),
        Break::Other => ReplyCause::Unclassified.into(),
        Break::Closed | Break::Reset | Break::TlsBroken if begun => WaitCause::HalfHead.into(),
        Break::TlsBroken => WaitCause::TlsBroken.into(),
        // The origin would not take the rest of the request, and said nothing.
        Break::Closed | Break::Reset if upload.is_refused() || !upload.is_done() => SendCause::Reset.into(),
        Break::Closed => WaitCause::ClosedEmpty.into(),
        Break::Reset => WaitCause::Reset.into(),
    };
    Fault { cause, evidence: broken.map(|broken| broken.evidence).unwrap_or_default() }
}
