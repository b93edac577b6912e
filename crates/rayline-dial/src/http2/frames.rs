//! What an origin's frames say of its connection, seen as they pass.
//!
//! Looks at the nine bytes in front of each frame (RFC 9113 §4.1) and at the payload of GOAWAY, and checks nothing: that is
//! the library's business.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rayline_verdict::snippet::{SNIPPET_BYTES, Snippet};

/// Bytes in front of a frame's payload.
const HEAD: usize = 9;
/// Bytes in front of the text of a GOAWAY.
const GO_AWAY: usize = 8;
/// Too large header blocks that are remembered.
const MOST_OVERSIZE: usize = 64;
/// Streams whose end is remembered: as many as are usually open at once.
const MOST_ENDED: usize = 128;

const HEADERS: u8 = 0x1;
const SETTINGS: u8 = 0x4;
const GOAWAY: u8 = 0x7;
const CONTINUATION: u8 = 0x9;
const DATA: u8 = 0x0;
const WINDOW_UPDATE: u8 = 0x8;
const ACK: u8 = 0x1;
const END_STREAM: u8 = 0x1;
const END_HEADERS: u8 = 0x4;

/// Frames within [`FLOOD_TIME`] that carry nothing of an answer: some origins ask by PING how long the way is whenever
/// they send, none needs thousands a second.
const FLOOD: u32 = 4096;
const FLOOD_TIME: Duration = Duration::from_secs(1);

/// The frames received on one connection.
#[derive(Debug)]
pub(super) struct Frames {
    spoken: Spoken,
    /// The first bytes, until it is known what they are.
    first: Vec<u8>,
    head: [u8; HEAD],
    /// Bytes of `head` received.
    have: usize,
    /// Bytes of the frame's payload still to come.
    left: usize,
    /// The payload of a GOAWAY under way.
    payload: Option<Vec<u8>>,
    go_away: Option<GoAway>,
    /// The stream whose header block came last, and the bytes of it.
    block: (u32, usize),
    header_bytes: usize,
    oversize: Vec<(u32, usize)>,
    /// The stream that ends with the frame under way.
    ending: Option<u32>,
    /// The streams that ended last.
    ended: VecDeque<u32>,
    /// Frames that carried nothing, since when.
    idle_talk: (u32, Option<Instant>),
    flood: Option<Flood>,
}

/// Frames in numbers that no answer needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flood {
    pub(super) kind: &'static str,
    pub(super) count: u32,
    pub(super) limit: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spoken {
    Unknown,
    Http2,
    Other,
}

/// A GOAWAY of the origin: the last one counts.
#[derive(Clone, Debug)]
pub(super) struct GoAway {
    pub(super) code: u32,
    pub(super) debug: Bytes,
}

impl Frames {
    /// Header blocks are too large from `header_bytes` on.
    pub(super) fn new(header_bytes: usize) -> Self {
        Self {
            spoken: Spoken::Unknown,
            first: Vec::new(),
            head: [0; HEAD],
            have: 0,
            left: 0,
            payload: None,
            go_away: None,
            block: (0, 0),
            header_bytes,
            oversize: Vec::new(),
            ending: None,
            ended: VecDeque::new(),
            idle_talk: (0, None),
            flood: None,
        }
    }

    /// Looks at what came.
    pub(super) fn see(&mut self, mut bytes: &[u8]) {
        if self.spoken != Spoken::Http2 {
            let room = SNIPPET_BYTES.saturating_sub(self.first.len());
            self.first.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        }
        while self.spoken != Spoken::Other && !bytes.is_empty() {
            if self.left == 0 {
                bytes = self.see_head(bytes);
            } else {
                let (fresh, rest) = bytes.split_at(self.left.min(bytes.len()));
                self.see_payload(fresh);
                bytes = rest;
            }
        }
    }

    fn see_head<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let (fresh, rest) = bytes.split_at((HEAD - self.have).min(bytes.len()));
        for (place, byte) in self.head.iter_mut().skip(self.have).zip(fresh) {
            *place = *byte;
        }
        self.have += fresh.len();
        if self.have < HEAD {
            return rest;
        }
        self.have = 0;
        let [high, middle, low, kind, flags, stream @ ..] = self.head;
        self.left = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        let stream = u32::from_be_bytes(stream) & 0x7fff_ffff;
        if self.spoken == Spoken::Unknown {
            // The first frame of a server is SETTINGS (RFC 9113 §3.4).
            let settings = kind == SETTINGS && stream == 0 && flags & ACK == 0;
            self.spoken = if settings { Spoken::Http2 } else { Spoken::Other };
        }
        self.payload = (kind == GOAWAY).then(Vec::new);
        let ends = match kind {
            DATA => flags & END_STREAM != 0,
            HEADERS => flags & END_STREAM != 0 && flags & END_HEADERS != 0,
            _ => false,
        };
        self.ending = ends.then_some(stream);
        if self.left == 0 {
            self.see_end();
        }
        if !matches!(kind, HEADERS | CONTINUATION | WINDOW_UPDATE) && (kind != DATA || self.left == 0) {
            self.talk(kind);
        }
        match kind {
            HEADERS => self.block = (stream, self.left),
            CONTINUATION if self.block.0 == stream => self.block.1 = self.block.1.saturating_add(self.left),
            _ => return rest,
        }
        if self.block.1 > self.header_bytes {
            self.oversize.retain(|(known, _)| *known != stream);
            if self.oversize.len() < MOST_OVERSIZE {
                self.oversize.push(self.block);
            }
        }
        rest
    }

    /// Counts a frame that carries nothing of an answer. The clock is asked once for many.
    fn talk(&mut self, kind: u8) {
        let (count, since) = &mut self.idle_talk;
        *count += 1;
        if *count < FLOOD && since.is_some() {
            return;
        }
        let now = Instant::now();
        if since.is_some_and(|since| now.saturating_duration_since(since) < FLOOD_TIME) {
            self.flood = Some(Flood { kind: name(kind), count: *count, limit: FLOOD });
        }
        self.idle_talk = (0, Some(now));
    }

    /// The origin sends too many frames of that kind, as whoever reads them found.
    pub(super) fn condemn(&mut self, flood: Flood) {
        self.flood.get_or_insert(flood);
    }

    /// What there is too much of.
    pub(super) fn flood(&self) -> Option<Flood> {
        self.flood
    }

    /// The frame has come whole.
    fn see_end(&mut self) {
        if let Some(stream) = self.ending.take() {
            if self.ended.len() == MOST_ENDED {
                self.ended.pop_front();
            }
            self.ended.push_back(stream);
        }
    }

    /// Whether the origin has said all it had to say on a stream. Of one that ended long ago, or in the pieces of a large
    /// header block, this is not known.
    pub(super) fn is_ended(&self, stream: u32) -> bool {
        self.ended.contains(&stream)
    }

    fn see_payload(&mut self, fresh: &[u8]) {
        self.left -= fresh.len();
        if self.left == 0 {
            self.see_end();
        }
        let Some(payload) = &mut self.payload else { return };
        let room = (GO_AWAY + SNIPPET_BYTES).saturating_sub(payload.len());
        payload.extend_from_slice(fresh.get(..room).unwrap_or(fresh));
        if self.left == 0
            && let Some([_, _, _, _, code @ ..]) = payload.first_chunk::<GO_AWAY>()
        {
            let debug = Bytes::copy_from_slice(payload.get(GO_AWAY..).unwrap_or_default());
            self.go_away = Some(GoAway { code: u32::from_be_bytes(*code), debug });
            self.payload = None;
        }
    }

    /// The origin's last GOAWAY.
    pub(super) fn go_away(&self) -> Option<&GoAway> {
        self.go_away.as_ref()
    }

    /// Whether the origin's settings are known.
    pub(super) fn is_settled(&self) -> bool {
        // The library has them as soon as what was read together with them is worked off.
        self.spoken != Spoken::Unknown && self.left == 0
    }

    /// What came instead of HTTP/2.
    pub(super) fn foreign(&self) -> Option<Snippet> {
        let other = match self.spoken {
            Spoken::Http2 => false,
            Spoken::Other => true,
            // The end came before nine bytes had: SETTINGS begins with a length far below 64 KiB.
            Spoken::Unknown => self.first.first().is_some_and(|byte| *byte != 0),
        };
        other.then(|| Snippet::first(&self.first))
    }

    /// The most bytes of a header section.
    pub(super) fn header_bytes(&self) -> usize {
        self.header_bytes
    }

    /// The bytes of a header block, this stream's or any, if they are more than a header section may have.
    pub(super) fn oversize(&self, stream: Option<u32>) -> Option<usize> {
        let wanted = |(known, _): &&(u32, usize)| stream.is_none_or(|stream| stream == *known);
        self.oversize.iter().find(wanted).map(|(_, bytes)| *bytes)
    }
}

/// The kind's name (RFC 9113 §6).
fn name(kind: u8) -> &'static str {
    match kind {
        DATA => "DATA",
        HEADERS => "HEADERS",
        0x2 => "PRIORITY",
        0x3 => "RST_STREAM",
        SETTINGS => "SETTINGS",
        0x5 => "PUSH_PROMISE",
        0x6 => "PING",
        GOAWAY => "GOAWAY",
        WINDOW_UPDATE => "WINDOW_UPDATE",
        CONTINUATION => "CONTINUATION",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let mut bytes = length[1..].to_vec();
        bytes.extend([kind, flags]);
        bytes.extend(stream.to_be_bytes());
        bytes.extend(payload);
        bytes
    }

    #[test]
    fn sees_the_same_however_the_bytes_are_cut() {
        let mut bytes = frame(SETTINGS, 0, 0, &[0; 12]);
        bytes.extend(frame(HEADERS, 0, 3, &[1; 40]));
        bytes.extend(frame(CONTINUATION, 4, 3, &[1; 30]));
        bytes.extend(frame(DATA, END_STREAM, 5, b"x"));
        bytes.extend(frame(DATA, END_STREAM, 7, b""));
        bytes.extend(frame(HEADERS, END_STREAM, 9, b"x"));
        bytes.extend(frame(HEADERS, END_STREAM | END_HEADERS, 11, b"x"));
        bytes.extend(frame(GOAWAY, 0, 0, b"\0\0\0\x01\0\0\0\x0bcalm"));
        for cut in 1..bytes.len() {
            let mut frames = Frames::new(64);
            for part in bytes.chunks(cut) {
                frames.see(part);
            }
            let go_away = frames.go_away().unwrap();
            assert_eq!((go_away.code, &*go_away.debug), (11, b"calm".as_slice()), "cut at {cut}");
            assert_eq!(
                (frames.oversize(Some(3)), frames.oversize(Some(1)), frames.oversize(None)),
                (Some(70), None, Some(70))
            );
            assert!(frames.is_settled() && frames.foreign().is_none());
            assert_eq!(frames.ended, [5, 7, 11], "cut at {cut}");
            frames.see(&frame(DATA, END_STREAM, 3, b"two")[..HEAD + 2]);
            assert!(!frames.is_ended(3), "not whole");
        }
    }

    #[test]
    fn tells_what_is_not_http2() {
        for foreign in [b"HTTP/1.1 400 Bad Request\r\n\r\n".as_slice(), b"no", &frame(HEADERS, 0, 1, b"x")] {
            let mut frames = Frames::new(64);
            frames.see(foreign);
            assert!(frames.foreign().is_some());
        }
        let mut frames = Frames::new(64);
        assert!(frames.foreign().is_none());
        frames.see(&[0, 0]);
        assert!(frames.foreign().is_none());
    }
}
