//! Writing an answer over HTTP/1.1: the head, the body as it comes, and an honest end.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::{BufMut, BytesMut};
use rayline_dial::Pipe;
use rayline_http1::{Framing, encode, standard_reason};
use rayline_verdict::fault::ReplyCause;
use rayline_verdict::{Fault, Verdict};

use crate::answer::{Answer, AnswerHead, stalled};
use crate::deadline::Deadline;
use crate::exchange::micros;
use crate::hop::{Hops, passes_to_visitor, put_trailers};
use crate::output::Output;
use crate::tunnel::WEBSOCKET;
use crate::visitor::RequestBody;
use crate::visitor::body::Piece;
use crate::visitor::fields::{self, Passing, is_bodyless};
use crate::visitor::io::SharedIo;
use crate::worker::Worker;

/// How the visitor is told where the body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// There is no body to send.
    Bare,
    Length,
    Chunked,
    /// By closing: the visitor speaks HTTP/1.0 and the length is not known.
    Close,
    /// It is no body, but another protocol with an end of its own.
    Tunnel,
}

/// What becomes of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// Another request may follow: nobody has asked for anything since then.
    Next { since: Instant },
    /// The visitor has said and sent all: there is nothing to wait for.
    Close,
    /// It closes, and the visitor may still be sending.
    Linger,
}

/// Writes an answer and closes its record.
pub(crate) async fn write(worker: &Rc<Worker>, io: &SharedIo, mut answer: Answer) -> After {
    if answer.status() == 0 {
        answer.record.client_body_bytes = answer.request_body.as_ref().map_or(0, RequestBody::received);
        answer.record.close();
        return After::Linger;
    }
    let ending = ending(&answer);
    let keep_alive = answer.keep_alive
        && !matches!(ending, Ending::Close | Ending::Tunnel)
        && answer.request_is_read()
        && !worker.is_draining();
    let mut output = Output { prefix: worker.buffer(), ..Output::default() };
    encode_head(worker, &answer, ending, keep_alive, &mut output.prefix);
    answer.record.first_byte_us = micros(answer.record.started(), answer.ready);
    io.borrow_mut().reset_on_drop = ending == Ending::Close;
    let mut writing = Writing {
        ending,
        pipe: (ending == Ending::Length && io.borrow().takes_pipe()).then(|| answer.body.pipe()).flatten(),
        finished: false,
        next: None,
        queued: 0,
        stalled: worker.deadline(),
        patience: worker.running().server().client_write_timeout,
    };
    if ending == Ending::Bare {
        answer.body.discard();
        writing.finished = true;
    }
    let outcome = poll_fn(|cx| writing.poll(io, &mut output, &mut answer, cx)).await;
    writing.note(&output, &mut answer);
    let Writing { stalled, .. } = writing;
    worker.give_back_deadline(stalled);
    worker.give_back(output.prefix);
    match outcome {
        Ok(()) => {
            io.borrow_mut().reset_on_drop = false;
            let is_over = answer.is_last && answer.request_is_read() && io.borrow().input.is_empty();
            let since = answer.record.close();
            match keep_alive {
                true => After::Next { since },
                false if is_over => After::Close,
                false => After::Linger,
            }
        }
        Err(fault) => {
            // Cut: for a length or chunks a close without the end says so, for anything else a reset does.
            answer.record.close_with(fault);
            After::Linger
        }
    }
}

fn ending(answer: &Answer) -> Ending {
    let status = answer.status();
    match answer.body.framing() {
        _ if answer.head_only || is_bodyless(status) => Ending::Bare,
        Framing::None => Ending::Bare,
        _ if status == 101 => Ending::Tunnel,
        Framing::Length(_) => Ending::Length,
        Framing::Chunked | Framing::Close if answer.record.protocol == "HTTP/1.0" => Ending::Close,
        Framing::Chunked | Framing::Close => Ending::Chunked,
    }
}

/// Encodes the head. Fields made here are well formed, and those passed on were checked by the codec, so nothing can
/// be refused.
fn encode_head(worker: &Worker, answer: &Answer, ending: Ending, keep_alive: bool, out: &mut BytesMut) {
    let record = &answer.record;
    let mut has_date = false;
    match &answer.head {
        AnswerHead::Passed(head) => {
            let status = answer.status();
            let _ = encode::status_line(out, status, Some(head.reason()).filter(|_| status == head.status));
            // With the other endings a length would be a second word on it.
            let mut passing = Passing::new(head, answer, matches!(ending, Ending::Length | Ending::Bare));
            encode::copy_fields(out, &head.fields, |name, _| passing.passes(name));
            has_date = passing.has_date;
        }
        AnswerHead::Made { .. } => {
            let status = answer.status();
            // The statuses that no registry has a phrase for say in the first line already what they mean.
            let title = record.verdict.as_deref().and_then(Verdict::shown).map(|number| number.title.as_bytes());
            let reason = title.filter(|_| standard_reason(status).is_empty());
            let _ = encode::status_line(out, status, reason);
        }
    }
    fields::put_own(answer, |name, value| {
        let _ = encode::own_field(out, name, value);
    });
    fields::put_amended(answer, |(name, value)| {
        let _ = encode::field(out, name, value);
    });
    out.reserve(256);
    fields::put_usual(worker, record, has_date, |name, value| {
        out.put_slice(name.as_bytes());
        out.put_slice(b": ");
        out.put_slice(value);
        out.put_slice(b"\r\n");
    });
    if ending == Ending::Chunked {
        out.put_slice(b"transfer-encoding: chunked\r\n");
    }
    if ending == Ending::Tunnel {
        out.put_slice(b"upgrade: ");
        out.put_slice(WEBSOCKET.as_bytes());
        out.put_slice(b"\r\nconnection: upgrade\r\n");
    } else if !keep_alive {
        out.put_slice(b"connection: close\r\n");
    } else if record.protocol == "HTTP/1.0" {
        out.put_slice(b"connection: keep-alive\r\n");
    }
    encode::end(out);
}

/// The state of one writing.
struct Writing {
    ending: Ending,
    /// What of a large body goes to the visitor unread.
    pipe: Option<Pipe>,
    /// The body's end has been queued.
    finished: bool,
    /// What was found behind the piece in the output, and waits for its turn.
    next: Option<Result<Piece, Fault>>,
    /// Bytes of content queued, without those in the pipe.
    queued: u64,
    stalled: Deadline,
    /// The longest a visitor may take none of an answer.
    patience: Duration,
}

impl Writing {
    fn poll(
        &mut self,
        io: &SharedIo,
        output: &mut Output,
        answer: &mut Answer,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Fault>> {
        loop {
            let sent = answer.poll_upload(cx)?;
            // What is there of the body goes out together with the head, and its end with its last piece.
            let waiting = self.fill(output, answer, cx)?;
            let written = self.written(output);
            let flushed = io.borrow_mut().poll_flush(self.pipe.as_mut(), output, cx);
            if self.written(output) != written {
                self.stalled.clear();
                self.note(output, answer);
            }
            match flushed {
                Poll::Ready(Ok(())) => self.stalled.clear(),
                Poll::Ready(Err(_)) => return Poll::Ready(Err(Fault::new(ReplyCause::Gone))),
                Poll::Pending => {
                    self.stalled.set_after_if_unset(self.patience);
                    return self.stalled.poll(cx).map(|()| Err(stalled(self.patience)));
                }
            }
            if self.finished {
                return Poll::Ready(Ok(()));
            }
            if waiting {
                // A visitor that still sends is read by the upload.
                let gone = if sent && self.ending != Ending::Tunnel { answer.poll_gone(cx) } else { Poll::Pending };
                return gone.map(|()| Err(Fault::new(ReplyCause::Gone)));
            }
        }
    }

    /// Bytes that the visitor's socket took so far.
    fn written(&self, output: &Output) -> u64 {
        output.written + self.piped()
    }

    /// Those of them that were not read.
    fn piped(&self) -> u64 {
        self.pipe.as_ref().map_or(0, Pipe::drained)
    }

    /// Writes into the record how far both sides are: the answer may be dropped at any time.
    fn note(&self, output: &Output, answer: &mut Answer) {
        let status = answer.status();
        let record = &mut answer.record;
        record.edge_status = if output.written > 0 { status } else { 0 };
        record.edge_bytes = self.written(output);
        record.edge_body_bytes = self.queued - output.data.len() as u64 + self.piped();
        record.client_body_bytes = answer.request_body.as_ref().map_or(0, RequestBody::received);
    }

    /// Queues the next piece, if there is room for one. True when the body has nothing at the moment.
    ///
    /// # Errors
    /// The body's, once everything before it is out.
    fn fill(&mut self, output: &mut Output, answer: &mut Answer, cx: &mut Context<'_>) -> Result<bool, Fault> {
        // The end of a chunk is not to be overtaken by the next one.
        while !self.finished && output.data.is_empty() && output.suffix.is_empty() {
            let next = match self.next.take() {
                Some(next) => next,
                // Behind a head that is still here nothing may go past it.
                None => match answer.body.poll_next(self.pipe.as_mut().filter(|_| output.is_empty()), cx) {
                    Poll::Ready(next) => next,
                    Poll::Pending => return Ok(true),
                },
            };
            match next {
                Ok(piece) => self.queue(output, piece),
                Err(fault) if output.is_empty() && self.pipe.as_ref().is_none_or(|pipe| pipe.held() == 0) => {
                    return Err(fault);
                }
                Err(fault) => {
                    self.next = Some(Err(fault));
                    return Ok(false);
                }
            }
        }
        if !self.finished && self.next.is_none() && !output.data.is_empty() {
            match answer.body.next_buffered() {
                Some(Ok(Piece::End)) => self.queue(output, Piece::End),
                other => self.next = other,
            }
        }
        Ok(false)
    }

    fn queue(&mut self, output: &mut Output, piece: Piece) {
        let chunked = self.ending == Ending::Chunked;
        match piece {
            Piece::Data(data) => {
                if chunked {
                    output.prefix.extend_from_slice(&encode::chunk_head(data.len()));
                    output.suffix = encode::CHUNK_END;
                }
                self.queued += data.len() as u64;
                output.data = data;
            }
            Piece::Trailers(fields) => {
                if chunked {
                    put_trailers(&mut output.prefix, &fields, |name| passes_to_visitor(name, &Hops::default()));
                }
                self.finished = true;
            }
            Piece::End => {
                self.finished = true;
                if chunked {
                    output.suffix = if output.suffix.is_empty() { encode::LAST_CHUNK } else { CHUNK_END_LAST_CHUNK };
                }
            }
        }
    }
}

/// The end of a chunk and the last chunk behind it, in one piece.
const CHUNK_END_LAST_CHUNK: &[u8] = b"\r\n0\r\n\r\n";
