//! What passes below the HTTP/2 library, read off the frame heads as the bytes go by (RFC 9113 §4.1).
//!
//! The library answers much by itself: it resets streams that no request was made of, and ends connections. This tap
//! sees what it did, counts what a stream was sent, and keeps a budget of frames that do nobody any good. It copies no
//! payload, judges no content, and knows nothing of HPACK.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::Waker;
use std::time::Instant;

use h2::Reason;
use rayline_verdict::{Fact, Fault, Snippet};

use super::budget::Budget;
use super::fault;

/// Bytes of a frame's payload that are kept: all of a RST_STREAM, of a GOAWAY its text too, of SETTINGS as many as there
/// are, and of HEADERS the first field's kind.
const KEPT: usize = 40;
/// Bytes from the beginning of a connection kept as evidence, until its SETTINGS have come.
const FIRST: usize = 64;
/// Requests that may be under way between the visitor and the pipeline, as many times as may be under way at all: what
/// arrives in one read has not been looked at.
const UNSEEN: usize = 16;

/// The kinds of frames (RFC 9113 §6), and one for all that the RFC does not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    Data,
    Headers,
    Priority,
    RstStream,
    Settings,
    PushPromise,
    Ping,
    GoAway,
    WindowUpdate,
    Continuation,
    #[default]
    Unknown,
}

impl Kind {
    pub(super) const COUNT: usize = Self::Unknown as usize + 1;

    fn of(number: u8) -> Self {
        match number {
            0 => Self::Data,
            1 => Self::Headers,
            2 => Self::Priority,
            3 => Self::RstStream,
            4 => Self::Settings,
            5 => Self::PushPromise,
            6 => Self::Ping,
            7 => Self::GoAway,
            8 => Self::WindowUpdate,
            9 => Self::Continuation,
            _ => Self::Unknown,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Data => "DATA",
            Self::Headers => "HEADERS",
            Self::Priority => "PRIORITY",
            Self::RstStream => "RST_STREAM",
            Self::Settings => "SETTINGS",
            Self::PushPromise => "PUSH_PROMISE",
            Self::Ping => "PING",
            Self::GoAway => "GOAWAY",
            Self::WindowUpdate => "WINDOW_UPDATE",
            Self::Continuation => "CONTINUATION",
            Self::Unknown => "unknown",
        }
    }
}

/// The head of a frame.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Head {
    pub(super) kind: Kind,
    flags: u8,
    stream: u32,
    pub(super) length: u32,
}

impl Head {
    /// The bytes of a frame's head.
    const BYTES: usize = 9;

    fn read(bytes: [u8; Self::BYTES]) -> Self {
        let [a, b, c, kind, flags, s, t, u, v] = bytes;
        Self {
            kind: Kind::of(kind),
            flags,
            stream: u32::from_be_bytes([s & 0x7f, t, u, v]),
            length: u32::from_be_bytes([0, a, b, c]),
        }
    }

    pub(super) fn ends_stream(self) -> bool {
        matches!(self.kind, Kind::Data | Kind::Headers) && self.flags & 0x1 != 0
    }

    /// SETTINGS and PING that answer others.
    pub(super) fn is_ack(self) -> bool {
        matches!(self.kind, Kind::Settings | Kind::Ping) && self.flags & 0x1 != 0
    }

    /// Whether it is as long as a frame of its kind is.
    fn has_its_length(self) -> bool {
        match self.kind {
            Kind::Priority => self.length == 5,
            Kind::RstStream | Kind::WindowUpdate => self.length == 4,
            Kind::Settings if self.is_ack() => self.length == 0,
            Kind::Settings => self.length.is_multiple_of(6),
            Kind::Ping => self.length == 8,
            Kind::GoAway => self.length >= 8,
            Kind::Data | Kind::Headers | Kind::PushPromise | Kind::Continuation | Kind::Unknown => true,
        }
    }

    fn ends_headers(self) -> bool {
        matches!(self.kind, Kind::Headers | Kind::Continuation) && self.flags & 0x4 != 0
    }
}

/// A step through a stream of frames.
enum Step<'a> {
    /// A head is whole.
    Head,
    /// Some bytes of the payload.
    Payload(usize),
    /// The frame is over; what was kept of its payload.
    End(&'a [u8]),
}

/// Finds the frames in a stream of bytes that comes in any pieces.
#[derive(Debug)]
struct Scanner {
    /// Bytes before the first frame that are still to come.
    before: usize,
    head: [u8; Head::BYTES],
    have: usize,
    frame: Head,
    left: usize,
    kept: [u8; KEPT],
    keeps: usize,
}

impl Scanner {
    fn behind(before: usize) -> Self {
        Self { before, head: [0; 9], have: 0, frame: Head::default(), left: 0, kept: [0; KEPT], keeps: 0 }
    }

    fn scan(&mut self, mut bytes: &[u8], mut see: impl FnMut(Head, Step<'_>)) {
        let skipped = self.before.min(bytes.len());
        self.before -= skipped;
        bytes = bytes.get(skipped..).unwrap_or_default();
        while !bytes.is_empty() {
            if self.have < Head::BYTES {
                let (taken, rest) = bytes.split_at(bytes.len().min(Head::BYTES - self.have));
                self.head.iter_mut().skip(self.have).zip(taken).for_each(|(place, byte)| *place = *byte);
                self.have += taken.len();
                bytes = rest;
                if self.have < Head::BYTES {
                    return;
                }
                self.frame = Head::read(self.head);
                self.left = self.frame.length as usize;
                self.keeps = 0;
                see(self.frame, Step::Head);
            } else {
                let (taken, rest) = bytes.split_at(bytes.len().min(self.left));
                if matches!(self.frame.kind, Kind::Headers | Kind::RstStream | Kind::Settings | Kind::GoAway) {
                    let places = self.kept.iter_mut().skip(self.keeps);
                    self.keeps += places.zip(taken).map(|(place, byte)| *place = *byte).count();
                }
                self.left -= taken.len();
                bytes = rest;
                see(self.frame, Step::Payload(taken.len()));
            }
            if self.left == 0 {
                self.have = 0;
                see(self.frame, Step::End(self.kept.get(..self.keeps).unwrap_or_default()));
            }
        }
    }
}

/// What one stream was sent, as far as the socket has taken it.
#[derive(Debug, Default)]
pub(super) struct Sent {
    /// All bytes of its frames, their heads included.
    pub(super) bytes: Cell<u64>,
    /// Bytes of content.
    pub(super) body: Cell<u64>,
    /// The frame that ends it is out.
    pub(super) ended: Cell<bool>,
    /// The error code by which the visitor reset it.
    pub(super) left: Cell<Option<u32>>,
    waker: RefCell<Option<Waker>>,
}

impl Sent {
    /// Has the task woken when another frame is out.
    pub(super) fn wake(&self, waker: &Waker) {
        let mut kept = self.waker.borrow_mut();
        match &mut *kept {
            Some(kept) => kept.clone_from(waker),
            None => *kept = Some(waker.clone()),
        }
    }
}

/// A stream that the library refused: no request came of it.
#[derive(Debug)]
pub(super) struct Refused {
    /// When its first byte came.
    pub(super) opened: Instant,
    /// The status that was sent, 0 if none.
    pub(super) status: u16,
    /// The bytes that were sent.
    pub(super) bytes: u64,
    pub(super) fault: Fault,
}

/// One connection's frames, both ways.
#[derive(Debug)]
pub(super) struct Frames {
    received: Scanner,
    sent: Scanner,
    first: Vec<u8>,
    /// The visitor's SETTINGS have come.
    pub(super) is_set_up: bool,
    /// Streams whose head came, and that the pipeline has not seen yet; the newest is the last.
    opened: Vec<(u32, Instant)>,
    newest: u32,
    /// The frame that comes opens a stream.
    is_new: bool,
    /// How many streams may be open, as the visitor was told.
    most: u32,
    serving: Vec<(u32, Rc<Sent>)>,
    pub(super) refused: Vec<Refused>,
    /// When the head began that is not whole yet.
    pub(super) head_since: Option<Instant>,
    budget: Budget,
    /// The error by which we ended the connection.
    pub(super) ended_by: Option<u32>,
    /// The text of our GOAWAY.
    goaway_text: Option<Snippet>,
    /// What the visitor did that must end the connection.
    pub(super) broken: Option<Broken>,
}

/// What must end the connection, and the error to end it by.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) reason: Reason,
    pub(super) fault: Fault,
}

pub(super) type SharedFrames = Rc<RefCell<Frames>>;

impl Frames {
    pub(super) fn new(most: u32) -> Self {
        Self {
            received: Scanner::behind(super::PREFACE.len()),
            sent: Scanner::behind(0),
            first: Vec::new(),
            is_set_up: false,
            opened: Vec::new(),
            newest: 0,
            is_new: false,
            most,
            serving: Vec::new(),
            refused: Vec::new(),
            head_since: None,
            budget: Budget::new(Instant::now()),
            ended_by: None,
            goaway_text: None,
            broken: None,
        }
    }

    /// The beginning of the connection, as evidence.
    pub(super) fn first(&self) -> &[u8] {
        &self.first
    }

    /// The text of our GOAWAY, once it is out.
    pub(super) fn goaway_text(&self) -> Option<Snippet> {
        self.goaway_text.clone()
    }

    /// The kind of frame that used most of the budget.
    pub(super) fn costliest(&self) -> Option<Fact> {
        self.budget.costliest()
    }

    /// The library has made a request of a stream. When it began, and what is to be counted of it. One that the visitor
    /// has reset in the same breath is known to the library alone.
    pub(super) fn accept(&mut self, stream: u32) -> (Instant, Rc<Sent>) {
        let place = self.opened.iter().position(|(opened, _)| *opened == stream);
        let began = place.map_or_else(Instant::now, |place| self.opened.remove(place).1);
        let sent = Rc::new(Sent::default());
        self.serving.push((stream, Rc::clone(&sent)));
        (began, sent)
    }

    /// The pipeline is done with a stream.
    pub(super) fn forget(&mut self, stream: u32) {
        if let Some(place) = self.serving.iter().position(|(serving, _)| *serving == stream) {
            self.serving.swap_remove(place);
        }
    }

    /// The fault of a stream that the library has reset.
    pub(super) fn reset(&self, code: u32) -> Fault {
        fault::refused(code, self.most)
    }

    /// A request was answered: a visitor that makes use of its connection may spend more.
    pub(super) fn answered(&mut self) {
        self.budget.earn_answer();
    }

    /// A piece of content was queued to its end.
    pub(super) fn queued_piece(&mut self) {
        self.budget.earn_piece();
    }

    /// Notes it once the budget is used up.
    fn judge(&mut self) {
        if self.budget.is_over()
            || self.opened.len() > usize::try_from(self.most).unwrap_or(usize::MAX).saturating_mul(UNSEEN)
        {
            let costliest = self.budget.costliest();
            let flood = || Broken { reason: Reason::ENHANCE_YOUR_CALM, fault: fault::flood(costliest) };
            self.broken.get_or_insert_with(flood);
        }
    }

    /// Bytes came. `false`: the library is not to see them, for it would say less exactly what is wrong, or nothing.
    pub(super) fn receive(&mut self, bytes: &[u8]) -> bool {
        if !self.is_set_up {
            self.first.extend_from_slice(bytes.get(..bytes.len().min(FIRST - self.first.len())).unwrap_or_default());
        }
        let Self { received, is_set_up, is_new, opened, newest, head_since, budget, broken, first, serving, .. } = self;
        let mut now = None;
        let mut fits = true;
        let mut refuse = |broken: &mut Option<Broken>, reason, fault| {
            fits = false;
            broken.get_or_insert(Broken { reason, fault });
        };
        received.scan(bytes, |frame, step| match step {
            Step::Head => {
                let now = *now.get_or_insert_with(Instant::now);
                if !*is_set_up && (frame.kind != Kind::Settings || frame.is_ack()) {
                    let fault = fault::not_settings(frame.kind, first);
                    broken.get_or_insert(Broken { reason: Reason::PROTOCOL_ERROR, fault });
                }
                *is_set_up = true;
                if !frame.has_its_length() {
                    refuse(broken, Reason::FRAME_SIZE_ERROR, fault::wrong_length(frame));
                }
                *is_new = false;
                if frame.kind == Kind::Headers {
                    head_since.get_or_insert(now);
                    *is_new = frame.stream > *newest;
                    if *is_new {
                        *newest = frame.stream;
                        opened.push((frame.stream, now));
                    }
                }
                if !*is_new {
                    budget.spend(frame, now);
                }
            }
            Step::Payload(_) => {}
            Step::End(kept) => {
                if frame.ends_headers() {
                    *head_since = None;
                }
                if frame.kind == Kind::Headers && !*is_new && begins_with_pseudo(frame, kept) {
                    refuse(broken, Reason::PROTOCOL_ERROR, fault::pseudo_trailer());
                }
                if frame.kind == Kind::Settings && has_too_large_a_window(kept) {
                    refuse(broken, Reason::FLOW_CONTROL_ERROR, fault::too_large_a_window());
                }
                if frame.kind == Kind::RstStream
                    && let Some((_, sent)) = serving.iter().find(|(id, _)| *id == frame.stream)
                {
                    sent.left.set(Some(fault::code(kept)));
                }
            }
        });
        self.judge();
        fits
    }

    /// Bytes were written.
    pub(super) fn send(&mut self, bytes: &[u8]) {
        let Self { sent, serving, opened, refused, budget, goaway_text, most, .. } = self;
        sent.scan(bytes, |frame, step| {
            let stream = serving.iter().rev().find(|(id, _)| *id == frame.stream).map(|(_, sent)| sent);
            match (step, stream) {
                (Step::Head, Some(sent)) => sent.bytes.set(sent.bytes.get() + Head::BYTES as u64),
                (Step::Payload(count), Some(sent)) => {
                    sent.bytes.set(sent.bytes.get() + count as u64);
                    if frame.kind == Kind::Data {
                        sent.body.set(sent.body.get() + count as u64);
                    }
                }
                (Step::End(kept), stream) => {
                    if frame.kind == Kind::Data {
                        budget.earn_bytes(frame.length);
                    }
                    if frame.kind == Kind::GoAway {
                        let text = kept.get(8..).filter(|text| !text.is_empty());
                        *goaway_text = text.map(Snippet::first);
                    }
                    let code = (frame.kind == Kind::RstStream).then(|| fault::code(kept));
                    if let Some(code) = code {
                        budget.spend_reset(code, Instant::now());
                    }
                    if let Some(sent) = stream {
                        sent.ended.set(sent.ended.get() || frame.ends_stream() || code.is_some());
                        if let Some(waker) = sent.waker.take() {
                            waker.wake();
                        }
                    } else if (code.is_some() || frame.ends_stream())
                        && let Some(place) = opened.iter().position(|(id, _)| *id == frame.stream)
                    {
                        let (_, opened) = opened.remove(place);
                        refused.push(Refused {
                            opened,
                            // The one answer that the library gives by itself.
                            status: if code.is_none() { 431 } else { 0 },
                            bytes: u64::from(frame.length) + Head::BYTES as u64,
                            fault: code.map_or_else(fault::too_large, |code| fault::refused(code, *most)),
                        });
                    }
                }
                (Step::Head | Step::Payload(_), None) => {}
            }
        });
        self.judge();
    }
}

/// Whether the first field of HEADERS is a pseudo-header field, as far as that shows without the dynamic table (RFC 7541
/// section 6). If one is among trailers it is the first, for the library refuses it behind others; but there it drops
/// it without a word.
fn begins_with_pseudo(frame: Head, payload: &[u8]) -> bool {
    const PADDED: u8 = 0x8;
    const PRIORITY: u8 = 0x20;
    /// The static table has the pseudo-header fields first.
    const LAST: u8 = 14;
    let padding = usize::from(frame.flags & PADDED != 0);
    let priority = if frame.flags & PRIORITY != 0 { 5 } else { 0 };
    let mut block = payload.get(padding + priority..).unwrap_or_default().iter().copied();
    let mut first = block.next();
    // Changes of the table's size come before it, each a number of one byte or more.
    while let Some(size @ 0x20..0x40) = first {
        if size & 0x1f == 0x1f {
            let _last = block.find(|byte| byte & 0x80 == 0);
        }
        first = block.next();
    }
    let name = match first {
        Some(indexed @ 0x80..) => indexed & 0x7f,
        Some(literal @ 0x40..) => literal & 0x3f,
        Some(literal) => literal & 0x0f,
        None => return false,
    };
    match name {
        0 => match (block.next(), block.next()) {
            // A colon, which is 1011100 in Huffman's code.
            (Some(0x80..), Some(name)) => name & 0xfe == 0xb8,
            (Some(_), Some(name)) => name == b':',
            (Some(_) | None, None) | (None, Some(_)) => false,
        },
        name => name <= LAST,
    }
}

/// Whether SETTINGS ask for an initial window larger than a window can be (RFC 9113 section 6.5.2).
fn has_too_large_a_window(payload: &[u8]) -> bool {
    payload.chunks_exact(6).any(|setting| matches!(setting, [0, 4, 0x80..=0xff, ..]))
}
