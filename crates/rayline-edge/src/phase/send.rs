//! Sending the request to the origin: its head at once, its body as the visitor sends it.

use std::io::Write;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{BufMut, BytesMut};
use rayline_http1::{Fields, Framing, Version, encode};
use rayline_verdict::Fault;
use rayline_verdict::evidence::Fact;
use rayline_verdict::fault::{RequestCause, SendCause};

use super::request::path_and_query;
use crate::deadline::Deadline;
use crate::exchange::{Exchange, Route};
use crate::hop::{Hops, Known};
use crate::link::Link;
use crate::output::Output;
use crate::visitor::RequestBody;
use crate::visitor::body::Piece;

/// Our name in `CDN-Loop` (RFC 8586).
pub(crate) const CDN_TOKEN: &[u8] = b"rayline";
/// How long the origin may take to say `100 Continue` before the visitor is told to go on anyway: RFC 9110 §10.1.1
/// asks nobody to wait indefinitely, and some origins never say it.
const CONTINUE_PATIENCE: Duration = Duration::from_secs(1);

/// A request on its way to the origin.
#[derive(Debug)]
pub(crate) struct Upload {
    /// The encoded head, kept until no repetition is possible any more.
    head: BytesMut,
    body: RequestBody,
    output: Output,
    state: State,
    stalled: Deadline,
    write_timeout: Duration,
    /// Body bytes have been taken from the visitor: the request cannot be repeated.
    consumed: bool,
    /// The method is idempotent (RFC 9110 §9.2.2).
    idempotent: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The visitor waits for `100 Continue`, and so do we.
    AwaitingContinue,
    Sending,
    /// The origin does not take the rest: it may have answered already.
    Refused,
    Done,
}

/// Encodes the request as the origin will get it, and takes its body over.
///
/// # Errors
/// A field that cannot be encoded; the codec lets none through, so that is malformed on our side.
pub(crate) fn prepare(exchange: &mut Exchange<'_>, route: &Route<'_>) -> Result<Upload, Fault> {
    let mut head = exchange.worker.buffer();
    encode_head(exchange, route, &mut head)
        .map_err(|field| Fault::new(RequestCause::Malformed).with(Fact::Internal(field.to_string())))?;
    let Some(body) = exchange.body.take() else {
        return Err(Fault::new(rayline_verdict::fault::ReplyCause::Unclassified)
            .with(Fact::Internal("the request's body was taken twice".to_owned())));
    };
    Ok(Upload {
        head,
        body,
        output: Output::default(),
        state: State::Sending,
        stalled: exchange.worker.deadline(),
        write_timeout: exchange.running.limits().write_timeout,
        consumed: false,
        idempotent: matches!(exchange.head.method(), "GET" | "HEAD" | "OPTIONS" | "PUT" | "DELETE"),
    })
}

/// Queues the head for this connection.
pub(crate) fn begin(upload: &mut Upload) {
    upload.output = Output::default();
    upload.output.prefix.extend_from_slice(&upload.head);
    upload.state = if upload.body.awaits_continue { State::AwaitingContinue } else { State::Sending };
}

impl Upload {
    /// Moves the request on as far as both sides let it. Ready when all of it is sent, or the origin takes no more.
    ///
    /// # Errors
    /// The visitor's faults while it sends the body; an origin that does not read for the write time-out.
    pub(crate) fn poll_progress(&mut self, link: &mut Link, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        loop {
            match link.poll_flush(&mut self.output, cx) {
                Poll::Ready(Ok(())) => self.stalled.clear(),
                Poll::Ready(Err(_)) => {
                    // The origin closed its receiving side. It may have answered before it did, so reading decides.
                    self.state = State::Refused;
                    return Poll::Ready(Ok(()));
                }
                Poll::Pending => {
                    self.stalled.set_after_if_unset(self.write_timeout);
                    ready!(self.stalled.poll(cx));
                    let limit_ms = u64::try_from(self.write_timeout.as_millis()).unwrap_or(u64::MAX);
                    let timer = Fact::Timer { setting: "write_timeout", limit_ms };
                    return Poll::Ready(Err(link.testify(Fault::new(SendCause::TimedOut).with(timer))));
                }
            }
            match self.state {
                State::Done | State::Refused => return Poll::Ready(Ok(())),
                State::AwaitingContinue => {
                    self.stalled.set_after_if_unset(CONTINUE_PATIENCE);
                    if self.stalled.poll(cx).is_pending() {
                        return Poll::Pending;
                    }
                    self.go_on();
                    self.tell_continue();
                }
                State::Sending => {
                    let piece = ready!(self.body.poll_next(cx))?;
                    self.queue(piece);
                }
            }
        }
    }

    fn queue(&mut self, piece: Piece) {
        let chunked = self.body.framing() == Framing::Chunked;
        match piece {
            Piece::Data(data) => {
                self.consumed = true;
                if chunked {
                    self.output.prefix.extend_from_slice(&encode::chunk_head(data.len()));
                    self.output.suffix = encode::CHUNK_END;
                }
                self.output.data = data;
            }
            Piece::Trailers(fields) => {
                // The trailers bring the last chunk with them.
                encode::trailers(&mut self.output.prefix, &fields);
                self.state = State::Done;
            }
            Piece::End => {
                if chunked {
                    self.output.suffix = encode::LAST_CHUNK;
                }
                self.state = State::Done;
            }
        }
    }

    /// The origin said `100 Continue`, or took too long to: the body may come.
    pub(crate) fn go_on(&mut self) {
        if self.state == State::AwaitingContinue {
            self.state = State::Sending;
            self.stalled.clear();
        }
    }

    /// Tells a waiting visitor to send its body.
    pub(crate) fn tell_continue(&mut self) {
        if self.body.awaits_continue {
            self.body.awaits_continue = false;
            self.body.io().borrow_mut().queue_interim(b"HTTP/1.1 100 Continue\r\n\r\n");
        }
    }

    /// Whether the whole request is with the origin's connection.
    pub(crate) fn is_done(&self) -> bool {
        self.state == State::Done && self.output.is_empty()
    }

    /// Whether the origin stopped taking it.
    pub(crate) fn is_refused(&self) -> bool {
        self.state == State::Refused
    }

    /// Whether the very same request can be sent once more, on a connection that has sent `sent` bytes of it: nothing
    /// of the body is gone, and the method allows it or not a byte went out (RFC 9110 §9.2.2, RFC 9112 §9.3.1).
    pub(crate) fn is_repeatable(&self, sent: u64) -> bool {
        !self.consumed && (self.idempotent || sent == 0)
    }

    pub(crate) fn body(&mut self) -> &mut RequestBody {
        &mut self.body
    }
}

fn encode_head(exchange: &Exchange<'_>, route: &Route<'_>, out: &mut BytesMut) -> Result<(), encode::IllegalField> {
    let head = exchange.head;
    encode::request_line(out, head.method(), path_and_query(head).as_ref())?;
    encode::field(out, "Host", head.host().unwrap_or(route.host))?;
    let hops = Hops::of(&head.fields);
    let mut forwarded_for = None;
    let mut others = 0_usize;
    let mut loops = None;
    encode::copy_fields(out, &head.fields, |name, value| match Known::of(name) {
        None => !hops.nominates(name),
        Some(Known::ForwardedFor) => {
            others += 1;
            forwarded_for = Some(value);
            false
        }
        Some(Known::CdnLoop) => {
            loops = Some(value);
            false
        }
        Some(Known::ContentLength | Known::EndToEnd) => true,
        Some(Known::Hop | Known::Host | Known::Ours) => false,
    });
    match exchange.body.as_ref().map_or(Framing::None, RequestBody::framing) {
        // The length itself was copied with the other fields.
        Framing::None | Framing::Length(_) | Framing::Close => {}
        Framing::Chunked => encode::field(out, "Transfer-Encoding", "chunked")?,
    }
    if hops.trailers {
        encode::field(out, "TE", "trailers")?;
        encode::field(out, "Connection", "TE")?;
    }
    added_fields(exchange, out, forwarded_for.filter(|_| others == 1), others, loops);
    encode::end(out);
    Ok(())
}

/// The fields that an edge adds toward an origin (HTTP headers page of the Cloudflare fundamentals). `Via` is not
/// among them, against RFC 9110 §7.6.3: origins such as nginx stop compressing when they see it, and `CDN-Loop` does
/// what it is for.
fn added_fields(
    exchange: &Exchange<'_>,
    out: &mut BytesMut,
    forwarded_for: Option<&[u8]>,
    forwarded_lines: usize,
    loops: Option<&[u8]>,
) {
    let record = &exchange.record;
    let client = record.client_ip;
    let peer = exchange.visitor.ip();
    let scheme = exchange.visitor.scheme();
    out.reserve(256);
    out.put_slice(b"X-Forwarded-For: ");
    match forwarded_for {
        Some(value) => {
            out.put_slice(value);
            out.put_slice(b", ");
        }
        None if forwarded_lines > 1 => join(out, &exchange.head.fields, "x-forwarded-for"),
        None => {}
    }
    display(out, peer);
    out.put_slice(b"\r\nX-Forwarded-Proto: ");
    out.put_slice(scheme.as_bytes());
    out.put_slice(b"\r\nCF-Visitor: {\"scheme\":\"");
    out.put_slice(scheme.as_bytes());
    out.put_slice(b"\"}\r\nCF-Connecting-IP: ");
    display(out, client);
    out.put_slice(b"\r\nCF-Ray: ");
    out.put_slice(&record.ray.digits());
    out.put_slice(b"-");
    out.put_slice(record.colo.as_str().as_bytes());
    out.put_slice(b"\r\nCDN-Loop: ");
    if let Some(value) = loops {
        out.put_slice(value);
        out.put_slice(b", ");
    }
    out.put_slice(CDN_TOKEN);
    out.put_slice(b"; loops=1\r\n");
}

/// Several lines of one list field, as one list (RFC 9110 §5.3).
fn join(out: &mut BytesMut, fields: &Fields, name: &str) {
    for value in fields.all(name) {
        out.put_slice(value);
        out.put_slice(b", ");
    }
}

fn display(out: &mut BytesMut, ip: std::net::IpAddr) {
    // Writing into memory does not fail.
    let _ = write!(out.writer(), "{ip}");
}

/// Whether a version of HTTP knows interim responses (RFC 9110 §15.2).
pub(crate) fn takes_interim(version: Version) -> bool {
    version == Version::Http11
}
