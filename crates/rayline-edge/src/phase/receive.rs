//! Receiving the origin's response: its head becomes the answer's, its body streams through.

use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rayline_dial::http1::response_fault;
use rayline_dial::{Break, session_fault};
use rayline_http1::{BodyDecoder, Decoded, Framing, ResponseHead};
use rayline_verdict::Fault;
use rayline_verdict::evidence::Fact;
use rayline_verdict::fault::{ReceiveCause, ReplyCause, SendCause, WaitCause};

use super::reply::Answered;
use super::resolve::Target;
use super::send::Upload;
use super::{connect, reply};
use crate::answer::AnswerBody;
use crate::exchange::{Exchange, micros};
use crate::link::Link;
use crate::visitor::RequestBody;
use crate::visitor::body::Piece;
use crate::worker::Worker;

/// The least and most read at once while a body streams.
const READ: std::ops::RangeInclusive<u64> = 16 * 1024..=256 * 1024;

/// Makes the answer of an origin's response.
///
/// # Errors
/// An origin's own 502 or 504, whose place our page takes, unless the zone has `origin_error_page_pass_thru`.
pub(crate) fn answer(
    exchange: &mut Exchange<'_>,
    target: Target,
    link: Link,
    head: Box<ResponseHead>,
    mut upload: Upload,
) -> Result<Answered, Fault> {
    let took = micros(exchange.record.started());
    exchange.origin().response_us = took;
    exchange.record.cache = rayline_verdict::record::CacheStatus::Dynamic;
    if head.status >= 500 {
        let fault = error_status(exchange, &link, &head);
        let settings = exchange.zone.map(|zone| &zone.zone);
        let passes = settings.is_none_or(|zone| zone.paused || zone.settings.origin_error_page_pass_thru);
        if matches!(head.status, 502 | 504) && !passes {
            return Err(fault);
        }
        reply::judge(exchange, fault);
    }
    upload.release(exchange.worker);
    let body = OriginBody::new(exchange, target, link, &head, upload);
    Ok(Answered::passed(head, AnswerBody::Origin(Box::new(body))))
}

fn error_status(exchange: &mut Exchange<'_>, link: &Link, head: &ResponseHead) -> Fault {
    exchange.attempts.push(rayline_verdict::Attempt {
        address: link.connection.address(),
        reused: link.connection.is_reused(),
        outcome: rayline_verdict::Outcome::Answered(head.status),
        took_ms: exchange.record.elapsed_ms(),
    });
    Fault::new(WaitCause::ErrorStatus)
        .with(Fact::OriginStatus(head.status))
        .with(Fact::OriginAddress(link.connection.address()))
        .with(Fact::FirstBytes(rayline_verdict::Snippet::first(head.raw())))
}

/// The body of an origin's response, pulled piece by piece. The request's body goes on being sent meanwhile, if the
/// origin answered before it had all of it.
#[derive(Debug)]
pub(crate) struct OriginBody {
    /// `None` once the body is over.
    link: Option<Link>,
    decoder: BodyDecoder,
    framing: Framing,
    upload: Upload,
    target: Target,
    keep_alive: bool,
    read_timeout: Duration,
    last: Tail,
    worker: Rc<Worker>,
}

impl OriginBody {
    fn new(exchange: &Exchange<'_>, target: Target, mut link: Link, head: &ResponseHead, mut upload: Upload) -> Self {
        upload.answered(&exchange.body);
        let limits = exchange.running.response_limits();
        let read_timeout = exchange.read_timeout();
        link.deadline.clear();
        Self {
            link: Some(link),
            decoder: BodyDecoder::new(head.framing(), &limits),
            framing: head.framing(),
            upload,
            target,
            keep_alive: head.keep_alive(),
            read_timeout,
            last: Tail::default(),
            worker: Rc::clone(exchange.worker),
        }
    }

    /// How the origin tells its end.
    pub(crate) fn framing(&self) -> Framing {
        self.framing
    }

    /// The next piece. After `End` always `End`.
    ///
    /// # Errors
    /// A body that was cut, broken or stalled.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Piece, Fault>> {
        loop {
            if let Some(piece) = self.next_buffered() {
                return Poll::Ready(piece);
            }
            let Some(link) = &mut self.link else { return Poll::Ready(Ok(Piece::End)) };
            let want = self.decoder.remaining_hint().unwrap_or(*READ.end() / 4).clamp(*READ.start(), *READ.end());
            match link.poll_fill(cx, usize::try_from(want).unwrap_or(usize::MAX)) {
                Poll::Ready(Ok(1..)) => {}
                Poll::Ready(Ok(0)) => match self.decoder.eof() {
                    Ok(()) => {
                        self.keep_alive = false;
                        self.finish();
                        return Poll::Ready(Ok(Piece::End));
                    }
                    Err(_) => return Poll::Ready(Err(self.ended(None))),
                },
                Poll::Ready(Err(error)) => return Poll::Ready(Err(self.ended(Some(&error)))),
                Poll::Pending => {
                    link.deadline.set_after_if_unset(self.read_timeout);
                    ready!(link.deadline.poll(cx));
                    let limit_ms = u64::try_from(self.read_timeout.as_millis()).unwrap_or(u64::MAX);
                    let timer = Fact::Timer { setting: "proxy_read_timeout", limit_ms };
                    let fault = link.testify(Fault::new(ReceiveCause::TimedOut).with(timer));
                    return Poll::Ready(Err(self.with_body(fault)));
                }
            }
        }
    }

    /// The next piece, if it has been received already.
    pub(crate) fn next_buffered(&mut self) -> Option<Result<Piece, Fault>> {
        let Some(link) = &mut self.link else { return Some(Ok(Piece::End)) };
        match self.decoder.decode(&mut link.input) {
            Ok(Decoded::Data(data)) => {
                link.deadline.clear();
                self.last.keep(&data);
                Some(Ok(Piece::Data(data)))
            }
            // The decoder is done with them, and nobody asks for what is behind.
            Ok(Decoded::Trailers(fields)) => {
                self.finish();
                Some(Ok(Piece::Trailers(fields)))
            }
            Ok(Decoded::End) => {
                self.finish();
                Some(Ok(Piece::End))
            }
            Ok(Decoded::NeedMore) => None,
            Err(refusal) => {
                let fault = link.testify(response_fault(&refusal));
                Some(Err(self.with_body(fault)))
            }
        }
    }

    /// Goes on sending the request. True once the origin has all of it.
    ///
    /// # Errors
    /// The visitor's faults. An origin that does not read the rest has none: its answer is under way, and it has done
    /// all it will with the request.
    pub(crate) fn poll_upload(&mut self, body: &mut RequestBody, cx: &mut Context<'_>) -> Result<bool, Fault> {
        if let Some(link) = &mut self.link
            && let Poll::Ready(Err(fault)) = self.upload.poll_progress(link, body, cx)
        {
            if fault.cause != SendCause::TimedOut.into() {
                return Err(fault);
            }
            self.upload.give_up();
        }
        Ok(self.upload.is_done())
    }

    /// Keeps the connection if both sides are at rest: the request sent whole, the response read whole and nothing
    /// behind it.
    fn finish(&mut self) {
        let Some(link) = self.link.take() else { return };
        if self.keep_alive && self.upload.is_done() && link.input.is_empty() && self.framing != Framing::Close {
            connect::keep(&self.worker, &self.target, link);
        }
    }

    fn ended(&self, error: Option<&std::io::Error>) -> Fault {
        let Some(link) = &self.link else { return Fault::new(ReceiveCause::Truncated) };
        let broken = error.map(|error| session_fault(&link.connection, error));
        let how = broken.as_ref().map_or(Break::Closed, |broken| broken.how);
        let cause = match how {
            // Under TLS, where the close is the body's only end: it may have been whole.
            Break::Closed if self.framing == Framing::Close => ReceiveCause::TlsBroken.into(),
            Break::Closed => ReceiveCause::Truncated.into(),
            Break::Reset => ReceiveCause::Reset.into(),
            Break::TlsBroken | Break::ClientCertificateRefused => ReceiveCause::TlsBroken.into(),
            Break::Silent => ReceiveCause::Lost.into(),
            Break::Other => ReplyCause::Unclassified.into(),
        };
        let mut evidence = broken.map(|broken| broken.evidence).unwrap_or_default();
        if how == Break::Closed && error.is_some() {
            evidence.add(Fact::TlsError("closed without close_notify".to_owned()));
        }
        self.with_body(link.testify(Fault { cause, evidence }))
    }

    fn with_body(&self, mut fault: Fault) -> Fault {
        let expected = match self.framing {
            Framing::Length(length) => Some(length),
            Framing::None | Framing::Chunked | Framing::Close => None,
        };
        fault.evidence.add(Fact::Body { received: self.decoder.received(), expected });
        fault.evidence.add(Fact::LastBytes(rayline_verdict::Snippet::first(self.last.bytes())));
        fault
    }
}

/// The last bytes of a body, for the evidence of a fault. Copied, so that no buffer is held for them.
#[derive(Debug, Default)]
struct Tail {
    kept: [u8; Self::MOST],
    len: usize,
}

impl Tail {
    const MOST: usize = 32;

    fn keep(&mut self, data: &[u8]) {
        let tail = data.get(data.len().saturating_sub(Self::MOST)..).unwrap_or_default();
        if let Some(place) = self.kept.get_mut(..tail.len()) {
            place.copy_from_slice(tail);
            self.len = tail.len();
        }
    }

    fn bytes(&self) -> &[u8] {
        self.kept.get(..self.len).unwrap_or_default()
    }
}
