//! Writing an answer over HTTP/2: the head, the body as the visitor's window takes it, and an honest end.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use h2::Reason;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use rayline_http1::Framing;
use rayline_verdict::fault::ReplyCause;
use rayline_verdict::{Fault, surface};

use super::frames::{Sent, SharedFrames};
use super::reply::{SharedReply, put, put_made, put_received};
use crate::answer::{Answer, AnswerHead, stalled};
use crate::deadline::Deadline;
use crate::exchange::micros;
use crate::grpc;
use crate::hop::{Hops, passes_to_visitor};
use crate::phase::reply::notice;
use crate::visitor::RequestBody;
use crate::visitor::body::Piece;
use crate::visitor::fields::{self, Passing, is_bodyless};
use crate::worker::Worker;

/// Writes an answer and closes its record. True if the visitor has all of it.
pub(super) async fn write(worker: &Rc<Worker>, frames: &SharedFrames, reply: &SharedReply, mut answer: Answer) -> bool {
    let status = answer.status();
    let sent = Rc::clone(&reply.borrow().sent);
    if status == 0 {
        reply.borrow_mut().reset(Reason::CANCEL);
        answer.record.client_body_bytes = answer.request_body.as_ref().map_or(0, RequestBody::received);
        answer.record.close();
        return false;
    }
    let bare =
        answer.head_only || is_bodyless(status) || matches!(answer.body.framing(), Framing::None | Framing::Length(0));
    if let AnswerHead::Passed(head) = &answer.head
        && is_call(&answer)
    {
        answer.record.grpc_status = grpc::status(&head.fields);
    }
    let head = head(worker, &answer);
    answer.record.first_byte_us = micros(answer.record.started(), answer.ready);
    if bare {
        answer.body.discard();
    }
    let mut writing = Writing {
        reply,
        frames,
        sent,
        seen: 0,
        queued: 0,
        piece: Bytes::new(),
        next: None,
        stage: if bare { Stage::Finished } else { Stage::Body },
        stalled: worker.deadline(),
        patience: worker.running().server().client_write_timeout,
    };
    let begun = reply.borrow_mut().begin(head, bare);
    let outcome = match begun {
        Some(()) => poll_fn(|cx| writing.poll(&mut answer, cx)).await,
        None => Err(poll_fn(|cx| reply.borrow_mut().poll_over(cx)).await),
    };
    writing.note(&mut answer);
    worker.give_back_deadline(writing.stalled);
    match outcome {
        Ok(()) => {
            answer.record.close();
            true
        }
        Err(fault) if is_call(&answer) && fault.cause != ReplyCause::Gone.into() => {
            end_call(worker, reply, &writing.sent, &mut answer, fault).await;
            answer.record.close();
            true
        }
        Err(fault) => {
            reply.borrow_mut().reset(Reason::INTERNAL_ERROR);
            answer.record.close_with(fault);
            false
        }
    }
}

fn is_call(answer: &Answer) -> bool {
    matches!(&answer.head, AnswerHead::Passed(head) if grpc::is_call(&head.fields))
}

/// Ends the answer to a gRPC call whose messages broke off: by trailers that say whose fault it was, where any other
/// answer is cut. A caller takes no message for whole that is not, for each has its length.
async fn end_call(worker: &Rc<Worker>, reply: &SharedReply, sent: &Sent, answer: &mut Answer, fault: Fault) {
    answer.record.judge(fault);
    let running = worker.running();
    let mut fields = HeaderMap::new();
    if let Some(notice) = notice(&running, &answer.record, "") {
        surface::grpc::trailers(&notice, |name, value| {
            put(&mut fields, name.as_bytes(), HeaderValue::from_bytes(value))
        });
    }
    answer.record.grpc_status = answer.record.verdict.as_deref().map(surface::grpc::status);
    if let Some(stream) = reply.borrow_mut().stream() {
        let _ = stream.send_trailers(fields);
    }
    let mut patience = worker.deadline();
    patience.set_after(running.server().client_write_timeout);
    poll_fn(|cx| {
        sent.wake(cx.waker());
        if sent.ended.get() || reply.borrow_mut().poll_over(cx).is_ready() {
            return Poll::Ready(());
        }
        patience.poll(cx)
    })
    .await;
    worker.give_back_deadline(patience);
}

/// The status as it is sent: a tunnel is open by `200` here (RFC 8441 §5).
fn status(answer: &Answer) -> u16 {
    match answer.status() {
        101 => 200,
        other => other,
    }
}

fn head(worker: &Worker, answer: &Answer) -> Response<()> {
    let mut response = Response::new(());
    // The codec takes no status beyond the three digits that this holds.
    *response.status_mut() = StatusCode::from_u16(status(answer)).unwrap_or_default();
    let mut has_date = false;
    let out = response.headers_mut();
    if let AnswerHead::Passed(head) = &answer.head {
        out.reserve(head.fields.len() + 6);
        let length =
            matches!(answer.body.framing(), Framing::Length(_)) || answer.head_only || is_bodyless(head.status);
        let mut passing = Passing::new(head, answer, length);
        // The answer to a key that the visitor has not sent.
        let is_accept = |name: &[u8]| head.status == 101 && name.eq_ignore_ascii_case(b"sec-websocket-accept");
        put_received(out, head, |name| !is_accept(name) && passing.passes(name));
        has_date = passing.has_date;
    }
    let mut copy = |name: &'static str, value: &[u8]| put_made(out, name, value);
    fields::put_own(answer, &mut copy);
    fields::put_amended(answer, |(name, value)| put(out, name.as_bytes(), HeaderValue::from_bytes(value)));
    let copy = |name: &'static str, value: &[u8]| put_made(out, name, value);
    fields::put_usual(worker, &answer.record, has_date, copy);
    response
}

/// How far a writing is.
#[derive(Debug)]
enum Stage {
    Body,
    /// All is queued.
    Finished,
    /// The body broke: what came before that is to go out first.
    Broken(Fault),
}

/// The state of one writing.
struct Writing<'a> {
    reply: &'a SharedReply,
    frames: &'a SharedFrames,
    sent: Rc<Sent>,
    /// The bytes that were out when last looked.
    seen: u64,
    /// Bytes of content queued.
    queued: u64,
    /// What waits for room in the window.
    piece: Bytes,
    /// What was found behind the piece, and waits for its turn.
    next: Option<Result<Piece, Fault>>,
    stage: Stage,
    stalled: Deadline,
    /// The longest a visitor may take none of an answer.
    patience: Duration,
}

impl Writing<'_> {
    fn poll(&mut self, answer: &mut Answer, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        self.note(answer);
        answer.poll_upload(cx)?;
        let waits_for_body = self.fill(answer, cx);
        let is_out = match &self.stage {
            Stage::Finished => self.sent.ended.get(),
            Stage::Broken(_) => self.sent.body.get() == self.queued,
            Stage::Body => false,
        };
        if is_out {
            return Poll::Ready(match std::mem::replace(&mut self.stage, Stage::Finished) {
                Stage::Broken(fault) => Err(fault),
                Stage::Finished | Stage::Body => Ok(()),
            });
        }
        self.sent.wake(cx.waker());
        if let Poll::Ready(over) = self.reply.borrow_mut().poll_over(cx) {
            return Poll::Ready(Err(over));
        }
        if waits_for_body && self.sent.body.get() == self.queued {
            self.stalled.clear();
            return Poll::Pending;
        }
        self.stalled.set_after_if_unset(self.patience);
        self.stalled.poll(cx).map(|()| Err(stalled(self.patience)))
    }

    /// Queues what there is of the body and room for. True when the body has nothing at the moment.
    fn fill(&mut self, answer: &mut Answer, cx: &mut Context<'_>) -> bool {
        while let Stage::Body = self.stage {
            if !self.piece.is_empty() {
                match self.poll_room(cx) {
                    Poll::Ready(Some(room)) => self.queue(room),
                    // The stream is over: whoever looks whether the visitor is gone will see it.
                    Poll::Ready(None) | Poll::Pending => return false,
                }
                continue;
            }
            let next = match self.next.take() {
                Some(next) => next,
                None => match answer.body.poll_next(None, cx) {
                    Poll::Ready(next) => next,
                    Poll::Pending => return true,
                },
            };
            match next {
                Ok(Piece::Data(data)) => {
                    self.piece = data;
                    self.next = answer.body.next_buffered();
                }
                Ok(Piece::Trailers(trailers)) => {
                    answer.record.grpc_status = grpc::status(&trailers);
                    let mut fields = HeaderMap::with_capacity(trailers.len());
                    for (name, value) in &trailers {
                        if passes_to_visitor(name, &Hops::default()) {
                            put(&mut fields, name, HeaderValue::from_bytes(value));
                        }
                    }
                    if let Some(stream) = self.reply.borrow_mut().stream() {
                        // It fails where the stream is over.
                        let _ = stream.send_trailers(fields);
                    }
                    self.stage = Stage::Finished;
                }
                Ok(Piece::End) => {
                    if let Some(stream) = self.reply.borrow_mut().stream() {
                        let _ = stream.send_data(Bytes::new(), true);
                    }
                    self.stage = Stage::Finished;
                }
                Err(fault) => self.stage = Stage::Broken(fault),
            }
        }
        false
    }

    /// Waits for room in the windows and in the send buffer. `None`: the stream is over.
    fn poll_room(&self, cx: &mut Context<'_>) -> Poll<Option<usize>> {
        let mut reply = self.reply.borrow_mut();
        let Some(stream) = reply.stream() else { return Poll::Ready(None) };
        stream.reserve_capacity(self.piece.len());
        match stream.capacity() {
            0 => stream.poll_capacity(cx).map(|room| room.and_then(Result::ok)),
            room => Poll::Ready(Some(room)),
        }
    }

    /// Queues as much of the piece as there is room for, and the end with the last of it.
    fn queue(&mut self, room: usize) {
        let data = self.piece.split_to(room.min(self.piece.len()));
        if self.piece.is_empty() {
            self.frames.borrow_mut().queued_piece();
        }
        let end = self.piece.is_empty() && matches!(self.next, Some(Ok(Piece::End)));
        self.queued += data.len() as u64;
        if let Some(stream) = self.reply.borrow_mut().stream() {
            let _ = stream.send_data(data, end);
        }
        if end {
            self.stage = Stage::Finished;
        }
    }

    /// Writes into the record how far both sides are: the answer may be dropped at any time.
    fn note(&mut self, answer: &mut Answer) {
        let bytes = self.sent.bytes.get();
        if bytes != self.seen {
            self.seen = bytes;
            self.stalled.clear();
        }
        let status = status(answer);
        let record = &mut answer.record;
        record.edge_status = if bytes > 0 { status } else { 0 };
        record.edge_bytes = bytes;
        record.edge_body_bytes = self.sent.body.get();
        record.client_body_bytes = answer.request_body.as_ref().map_or(0, RequestBody::received);
    }
}
