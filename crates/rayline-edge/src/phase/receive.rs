//! Receiving the origin's response: its head becomes the answer's, its body streams through.

use std::task::{Context, Poll, ready};
use std::time::Duration;

use rayline_dial::Pipe;
use rayline_http1::{Framing, ResponseHead};
use rayline_rules::run::Changes;
use rayline_verdict::evidence::Fact;
use rayline_verdict::fault::{ReceiveCause, ReplyCause, RequestCause, SendCause, WaitCause};
use rayline_verdict::{Cause, Fault};

use super::reply;
use super::reply::Answered;
use super::resolve::Target;
use super::send::Upload;
use crate::answer::AnswerBody;
use crate::exchange::{Exchange, micros};
use crate::lookout::Side;
use crate::origin::{Link, timer};
use crate::tunnel::{Upgrade, WEBSOCKET};
use crate::visitor::RequestBody;
use crate::visitor::body::Piece;

/// A body of this many bytes is worth a pipe.
const LARGE: u64 = 512 * 1024;

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
    let took = micros(exchange.record.started(), exchange.now);
    exchange.origin().response_us = took;
    exchange.record.cache = rayline_verdict::record::CacheStatus::Dynamic;
    if let Some(zone) = exchange.zone {
        let (lookout, limit) = (&exchange.running.edition.lookout, exchange.running.limits().response_header_bytes);
        lookout.section(Side::Response, &zone.name, &exchange.record.host, head.raw().len(), limit);
    }
    if head.status >= 500 {
        let fault = error_status(exchange, &link, &head);
        let settings = exchange.zone.map(|zone| &zone.zone);
        let ruled = exchange.changes().and_then(Changes::passes_error_pages);
        let passes =
            settings.is_none_or(|zone| zone.paused || ruled.unwrap_or(zone.settings.origin_error_page_pass_thru));
        if matches!(head.status, 502 | 504) && !passes {
            return Err(fault);
        }
        reply::judge(exchange, fault);
    }
    match exchange.upgrade {
        Some(_) if head.status == 101 => {
            exchange.body.open_tunnel();
            upload.open_tunnel();
        }
        // Whoever opened a stream as a tunnel would take any success for one.
        Some(_) if exchange.body.awaits_tunnel() && (200..300).contains(&head.status) => {
            return Err(link.testify(Upgrade::refused(head.status, String::new())));
        }
        Some(_) | None => {}
    }
    upload.release(exchange.worker);
    let body = OriginBody::new(exchange, target, link, &head, upload);
    Ok(Answered::passed(head, AnswerBody::Origin(body)))
}

fn error_status(exchange: &mut Exchange<'_>, link: &Link, head: &ResponseHead) -> Fault {
    exchange.attempts.push(rayline_verdict::Attempt {
        address: link.address(),
        reused: link.is_reused(),
        outcome: rayline_verdict::Outcome::Answered(head.status),
        took_ms: exchange.record.elapsed_ms(),
    });
    Fault::new(WaitCause::ErrorStatus)
        .with(Fact::OriginStatus(head.status))
        .with(Fact::OriginAddress(link.address()))
        .with(Fact::FirstBytes(link.first_bytes(head)))
}

/// The body of an origin's response, pulled piece by piece. The request's body goes on being sent meanwhile, if the
/// origin answered before it had all of it.
#[derive(Debug)]
pub(crate) struct OriginBody {
    /// `None` once the body is over.
    link: Option<Link>,
    framing: Framing,
    /// It is no body, but one half of a conversation in another protocol.
    is_tunnel: bool,
    upload: Upload,
    target: Target,
    /// The longest silence.
    patience: Duration,
    last: Tail,
}

impl OriginBody {
    fn new(
        exchange: &Exchange<'_>,
        target: Target,
        mut link: Link,
        head: &ResponseHead,
        mut upload: Upload,
    ) -> Box<Self> {
        upload.answered(&exchange.body);
        let limits = exchange.running.response_limits();
        let is_tunnel = head.status == 101;
        if is_tunnel {
            link.begin_tunnel(&limits);
        } else {
            link.begin_body(head, &limits, exchange.now);
        }
        link.deadline().clear();
        Box::new(Self {
            link: Some(link),
            framing: if is_tunnel { Framing::Close } else { head.framing() },
            is_tunnel,
            upload,
            target,
            patience: if is_tunnel {
                exchange.running.limits().websocket_idle_timeout
            } else {
                exchange.read_timeout()
            },
            last: Tail::default(),
        })
    }

    /// How the origin tells its end.
    pub(crate) fn framing(&self) -> Framing {
        self.framing
    }

    /// A pipe for a body that is worth it: nobody but the visitor has to see it.
    pub(crate) fn pipe(&self) -> Option<Pipe> {
        let is_large = matches!(self.framing, Framing::Length(length) if length >= LARGE);
        (is_large && self.link.as_ref().is_some_and(Link::takes_pipe)).then(Pipe::open).flatten()
    }

    /// The next piece, behind what has gone into the pipe meanwhile. After `End` always `End`.
    ///
    /// # Errors
    /// A body that was cut, broken or stalled.
    pub(crate) fn poll_next(&mut self, pipe: Option<&mut Pipe>, cx: &mut Context<'_>) -> Poll<Result<Piece, Fault>> {
        let Some(link) = &mut self.link else { return Poll::Ready(Ok(Piece::End)) };
        if let Poll::Ready(piece) = link.poll_piece(pipe, cx) {
            return Poll::Ready(self.pass(piece));
        }
        let deadline = link.deadline();
        deadline.set_after_if_unset(self.patience);
        ready!(deadline.poll(cx));
        if self.is_tunnel {
            let timer = timer("websocket_idle_timeout", self.patience);
            let idle = Fault::new(ReplyCause::Idle).with(timer).with(Upgrade::fact(WEBSOCKET.to_owned()));
            return Poll::Ready(Err(link.testify(idle)));
        }
        let timer = timer("proxy_read_timeout", self.patience);
        let fault = link.testify(Fault::new(ReceiveCause::TimedOut).with(timer));
        Poll::Ready(Err(self.with_body(fault)))
    }

    /// The next piece, if it has been received already.
    pub(crate) fn next_buffered(&mut self) -> Option<Result<Piece, Fault>> {
        let Some(link) = &mut self.link else { return Some(Ok(Piece::End)) };
        let piece = link.next_piece()?;
        Some(self.pass(piece))
    }

    /// Takes note of a piece on its way to the visitor. At the end both sides are looked at, and the connection is kept if
    /// they are at rest: nobody asks for what is behind.
    fn pass(&mut self, piece: Result<Piece, Fault>) -> Result<Piece, Fault> {
        match &piece {
            Ok(Piece::Data(data)) => {
                if let Some(link) = &mut self.link {
                    link.deadline().clear();
                }
                self.last.keep(data);
            }
            Ok(Piece::Trailers(_) | Piece::End) => {
                if let Some(link) = self.link.take() {
                    link.finish(&self.target, self.upload.is_done());
                }
            }
            Err(_) => {}
        }
        piece.map_err(|fault| self.with_body(fault))
    }

    /// Goes on sending the request. True once the origin has all of it.
    ///
    /// # Errors
    /// The visitor's faults. An origin that does not read the rest has none: its answer is under way, and it may have done
    /// all it will with the request, or go on reading when its own words have been heard.
    pub(crate) fn poll_upload(&mut self, body: &mut RequestBody, cx: &mut Context<'_>) -> Result<bool, Fault> {
        let Some(link) = &mut self.link else { return Ok(self.upload.is_done()) };
        let taken = link.taken();
        let progress = self.upload.poll_progress(link, body, cx);
        // Either direction keeps a conversation alive, of gRPC as in a tunnel.
        if link.taken() != taken {
            link.deadline().clear();
        }
        let Poll::Ready(Err(mut fault)) = progress else { return Ok(self.upload.is_done()) };
        match fault.cause {
            // In a tunnel neither side can do without the other.
            Cause::Send(SendCause::TimedOut | SendCause::FlowControlStalled) if !self.is_tunnel => {
                return Ok(self.upload.is_done());
            }
            // Its answer has begun: a conversation has no body to be whole, and whoever breaks it off has left.
            Cause::Request(RequestCause::BodyTruncated) => fault.cause = ReplyCause::Gone.into(),
            _ => {}
        }
        Err(fault)
    }

    fn with_body(&self, mut fault: Fault) -> Fault {
        let expected = match self.framing {
            Framing::Length(length) => Some(length),
            Framing::None | Framing::Chunked | Framing::Close => None,
        };
        let received = self.link.as_ref().map_or(0, Link::body_received);
        fault.evidence.add(Fact::Body { received, expected });
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
