//! Sending the request to the origin: its head at once, its body as the visitor sends it.

use std::collections::VecDeque;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use rayline_http1::{Fields, Version};
use rayline_verdict::Fault;
use rayline_verdict::evidence::Fact;
use rayline_verdict::fault::RequestCause;

use crate::deadline::Deadline;
use crate::exchange::{Exchange, Route};
use crate::origin::{Backlog, Link, Sent};
use crate::visitor::RequestBody;
use crate::visitor::body::{Interim, Piece};
use crate::worker::Worker;

mod head;

pub(crate) use head::CDN_TOKEN;

/// How long the origin may take to say `100 Continue` before the visitor is told to go on anyway: RFC 9110 §10.1.1
/// asks nobody to wait indefinitely, and some origins never say it.
const CONTINUE_PATIENCE: Duration = Duration::from_secs(1);

/// The most of a body that is kept in case the origin leaves the request aside: more than the window that most servers
/// begin with (64 KiB), which is what can have been sent by then.
const MOST_KEPT: usize = 128 * 1024;

/// How often within the write time-out the kernel is asked whether it gets on with what it has taken.
const LOOKS: u32 = 4;

/// How often a request is sent again that the origin says it has not looked at. One that retires its connections after so
/// many requests may say so of several in a row, while others hurry to the new ones too.
const MOST_REPEATS: u8 = 3;

/// A request on its way to the origin. The body that it sends stays the exchange's, and after that the answer's.
#[derive(Debug)]
pub(crate) struct Upload {
    /// The encoded head, kept until no repetition is possible any more.
    head: BytesMut,
    state: State,
    /// The time-out of whatever the state waits for.
    deadline: Deadline,
    write_timeout: Duration,
    /// The origin takes nothing at the moment.
    stall: Option<Stall>,
    /// What has been taken of the body, for as long as the request can be sent again.
    kept: Option<Kept>,
    /// The same, on its way once more.
    replay: VecDeque<Piece>,
    /// The method is idempotent (RFC 9110 §9.2.2).
    idempotent: bool,
    /// How often it was begun anew.
    repeats: u8,
}

/// What has been taken of a body.
#[derive(Debug, Default)]
struct Kept {
    data: Vec<Bytes>,
    bytes: usize,
    trailers: Option<Fields>,
}

/// An origin that takes nothing more.
#[derive(Clone, Copy, Debug)]
struct Stall {
    /// When the last sign of progress was seen.
    since: Instant,
    /// What the kernel had on its way when it was last asked.
    backlog: Option<Backlog>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The head is on its way.
    Head,
    /// The visitor waits for `100 Continue`, and so do we.
    AwaitingContinue,
    Body,
    /// The last piece of the body is on its way.
    Last,
    /// The origin does not take the rest: it may have answered already.
    Refused,
    Done,
}

/// Encodes the request as the origin will get it.
///
/// # Errors
/// A field that cannot be encoded; the codec lets none through, so that is malformed on our side.
pub(crate) fn prepare(exchange: &Exchange<'_>, route: &Route<'_>) -> Result<Upload, Fault> {
    let mut head = exchange.worker.buffer();
    head::encode(exchange, route, &mut head)
        .map_err(|field| Fault::new(RequestCause::Malformed).with(Fact::Internal(field.to_string())))?;
    Ok(Upload {
        head,
        state: State::Head,
        deadline: exchange.worker.deadline(),
        write_timeout: exchange.running.limits().write_timeout,
        stall: None,
        kept: Some(Kept::default()),
        replay: VecDeque::new(),
        idempotent: matches!(exchange.head.method(), "GET" | "HEAD" | "OPTIONS" | "PUT" | "DELETE"),
        repeats: 0,
    })
}

impl Upload {
    /// Starts over, on a connection that has seen nothing of the request yet.
    pub(crate) fn begin(&mut self, link: &mut Link, body: &RequestBody) {
        link.begin(&self.head, body.is_done() && self.replay.is_empty());
        self.state = State::Head;
        self.deadline.clear();
    }

    /// Moves the request on as far as both sides let it. Ready when all of it is sent, or the origin takes no more.
    ///
    /// # Errors
    /// The visitor's faults while it sends the body; an origin that does not read for the write time-out.
    pub(crate) fn poll_progress(
        &mut self,
        link: &mut Link,
        body: &mut RequestBody,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Fault>> {
        self.join_head_and_body(link, body, cx)?;
        while !self.is_over() {
            let taken = link.taken();
            let flushed = link.poll_flush(cx);
            if link.taken() != taken {
                self.deadline.clear();
                self.stall = None;
            }
            match flushed {
                Poll::Ready(Ok(())) => self.stall = None,
                Poll::Ready(Err(_)) => {
                    // The origin closed its receiving side. It may have answered before it did, so reading decides.
                    self.give_up();
                    break;
                }
                Poll::Pending => {
                    ready!(self.poll_stalled(link, cx));
                    return Poll::Ready(Err(link.stalled(self.write_timeout)));
                }
            }
            match self.state {
                State::Head if body.awaits_continue => {
                    self.state = State::AwaitingContinue;
                    self.deadline.set_after(CONTINUE_PATIENCE);
                }
                State::Head => self.state = State::Body,
                State::AwaitingContinue => {
                    ready!(self.deadline.poll(cx));
                    self.go_on(body);
                }
                State::Body => {
                    self.deadline.clear();
                    let piece = ready!(self.poll_piece(link, body, cx))?;
                    self.queue(piece, link, body);
                }
                State::Last => self.state = State::Done,
                State::Refused | State::Done => break,
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Ready when nothing has moved for the write time-out. That the socket takes no more is not enough: on a slow or lossy
    /// way the kernel may be busy for long with what it has, and that is no fault of an origin that reads.
    fn poll_stalled(&mut self, link: &Link, cx: &mut Context<'_>) -> Poll<()> {
        let stall = self.stall.get_or_insert_with(|| Stall { since: Instant::now(), backlog: None });
        loop {
            self.deadline.set_after_if_unset(self.write_timeout / LOOKS);
            ready!(self.deadline.poll(cx));
            self.deadline.clear();
            let backlog = link.backlog();
            if stall.backlog.is_some() && backlog.is_some() && stall.backlog != backlog {
                stall.since = Instant::now();
            }
            stall.backlog = backlog;
            if stall.since.elapsed() >= self.write_timeout {
                return Poll::Ready(());
            }
        }
    }

    /// Keeps a piece that may have to be sent again, or gives that up: there is too much, or nobody could ask for it.
    fn keep(&mut self, piece: &Piece, link: &Link) {
        let fits = |kept: &Kept, more: usize| link.may_leave_requests() && kept.bytes + more <= MOST_KEPT;
        match (&mut self.kept, piece) {
            (Some(kept), Piece::Data(data)) if fits(kept, data.len()) => {
                kept.bytes += data.len();
                kept.data.push(data.clone());
            }
            (Some(kept), Piece::Trailers(fields)) if fits(kept, 0) => kept.trailers = Some(fields.clone()),
            (_, Piece::Data(_) | Piece::Trailers(_)) => self.kept = None,
            (_, Piece::End) => {}
        }
    }

    /// What is there of the body already goes out together with the head.
    fn join_head_and_body(
        &mut self,
        link: &mut Link,
        body: &mut RequestBody,
        cx: &mut Context<'_>,
    ) -> Result<(), Fault> {
        if self.state == State::Head
            && !body.awaits_continue
            && link.takes_body_with_head()
            && let Poll::Ready(piece) = self.poll_piece(link, body, cx)
        {
            self.state = State::Body;
            self.queue(piece?, link, body);
        }
        Ok(())
    }

    /// The next piece of the body: one that has to be sent again, or the next that the visitor sends.
    fn poll_piece(&mut self, link: &Link, body: &mut RequestBody, cx: &mut Context<'_>) -> Poll<Result<Piece, Fault>> {
        let piece = match self.replay.pop_front() {
            Some(piece) => piece,
            None => ready!(body.poll_next(cx))?,
        };
        self.keep(&piece, link);
        Poll::Ready(Ok(piece))
    }

    fn queue(&mut self, piece: Piece, link: &mut Link, body: &RequestBody) {
        if !matches!(piece, Piece::Data(_)) {
            self.state = State::Last;
        }
        link.queue(piece, body.framing());
    }

    /// The origin said `100 Continue`, or took too long to: the body may come, and a waiting visitor is told so.
    pub(crate) fn go_on(&mut self, body: &mut RequestBody) {
        if self.state == State::AwaitingContinue {
            self.state = State::Body;
            self.deadline.clear();
        }
        if body.awaits_continue {
            body.awaits_continue = false;
            body.queue_interim(Interim::Continue);
        }
    }

    /// The origin has answered for good: a visitor that still waits for `100 Continue` is not told to go on, for the
    /// answer is all it will get.
    pub(crate) fn answered(&mut self, body: &RequestBody) {
        if body.awaits_continue {
            self.give_up();
        }
    }

    /// The origin has switched: what the visitor sends from here on is sent as it is, until it ends.
    pub(crate) fn open_tunnel(&mut self) {
        if self.is_done() {
            self.state = State::Body;
        }
    }

    /// Gives back what is no longer needed once the origin has answered: there will be no repetition.
    pub(crate) fn release(&mut self, worker: &Worker) {
        worker.give_back(std::mem::take(&mut self.head));
        self.kept = None;
        if self.is_over() {
            worker.give_back_deadline(std::mem::take(&mut self.deadline));
        }
    }

    /// Sends no more of it.
    pub(crate) fn give_up(&mut self) {
        self.state = State::Refused;
        self.deadline.clear();
    }

    /// Whether the whole request is with the origin's connection.
    pub(crate) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// How far it is.
    pub(crate) fn sent(&self) -> Sent {
        if self.is_done() { Sent::Whole } else { Sent::Partly }
    }

    fn is_over(&self) -> bool {
        matches!(self.state, State::Refused | State::Done)
    }

    /// Whether the very same request can be sent once more, on a connection that has sent `sent` bytes of it: nothing
    /// of the body is gone, and the method allows it or not a byte went out (RFC 9110 §9.2.2, RFC 9112 §9.3.1).
    pub(crate) fn is_repeatable(&self, sent: u64) -> bool {
        self.is_whole() && self.repeats == 0 && (self.idempotent || sent == 0)
    }

    /// Whether all of it is still here, and was not repeated too often.
    pub(crate) fn is_whole(&self) -> bool {
        self.kept.is_some() && self.repeats < MOST_REPEATS
    }

    /// It is to be sent again, on a connection that is made for it.
    pub(crate) fn repeat(&mut self) {
        self.repeats += 1;
        // What is sent again is kept again, for the next time.
        let Kept { data, trailers, .. } = self.kept.replace(Kept::default()).unwrap_or_default();
        self.replay.extend(data.into_iter().map(Piece::Data));
        self.replay.extend(trailers.map(Piece::Trailers));
    }

    /// Whether it is being sent again.
    pub(crate) fn is_repeated(&self) -> bool {
        self.repeats > 0
    }
}

/// Whether a version of HTTP knows interim responses (RFC 9110 §15.2).
pub(crate) fn takes_interim(version: Version) -> bool {
    version == Version::Http11
}
