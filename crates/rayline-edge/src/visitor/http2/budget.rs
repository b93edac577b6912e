//! A budget of frames that do nobody any good: pings, settings, resets, empty frames, small window updates.
//!
//! Every client sends some. The budget refills with time, with bytes that are really sent and with requests that are
//! answered, so that only a visitor that sends them for their own sake, or to have work done for nothing, uses it up.

use std::time::Instant;

use rayline_verdict::Fact;

use super::frames::{Head, Kind};

/// The whole budget, in points.
const WHOLE: u64 = 4000;
/// Points that come back in a second.
const PER_SECOND: u64 = 100;
/// Points that an answered request brings: as many as cancelling one takes, so that half of all requests may be.
const PER_ANSWER: u64 = 20;
/// Points that come back with each frame of content that goes out, and bytes of it for which another does: enough for
/// updates of both windows with every frame, and for every kilobyte.
const PER_FRAME: u64 = 4;
const BYTES_PER_POINT: u64 = 256;
/// A frame of fewer bytes brings less: nobody shall have content sent byte by byte.
const SLIVER: u64 = 64;

/// What a frame from the visitor costs, beside those that begin a request.
fn cost(frame: Head) -> u64 {
    match frame.kind {
        Kind::Data if frame.length > 0 || frame.ends_stream() => 0,
        // A request given up: the pipeline has begun to work on it.
        Kind::RstStream => 20,
        // Both have to be answered.
        Kind::Settings if !frame.is_ack() => 20,
        Kind::Ping if !frame.is_ack() => 4,
        Kind::Headers if frame.ends_stream() => 1,
        Kind::Data
        | Kind::Headers
        | Kind::Priority
        | Kind::Settings
        | Kind::PushPromise
        | Kind::Ping
        | Kind::GoAway
        | Kind::WindowUpdate
        | Kind::Continuation
        | Kind::Unknown => 2,
    }
}

/// What a stream costs that we have to reset for what the visitor did with it.
const BROKEN_STREAM: u64 = 20;

/// The budget of one connection.
#[derive(Debug)]
pub(super) struct Budget {
    left: u64,
    refilled: Instant,
    bytes: u64,
    over: bool,
    /// By kind: frames that cost something, and what they cost.
    spent: [(u64, u64); Kind::COUNT],
    costliest: Kind,
}

impl Budget {
    pub(super) fn new(now: Instant) -> Self {
        let costliest = Kind::Unknown;
        Self { left: WHOLE, refilled: now, bytes: 0, over: false, spent: [(0, 0); Kind::COUNT], costliest }
    }

    /// A frame came.
    pub(super) fn spend(&mut self, frame: Head, now: Instant) {
        self.take(frame.kind, cost(frame), now);
    }

    /// We reset a stream with this code. Those that are ours alone to explain cost the visitor nothing.
    pub(super) fn spend_reset(&mut self, code: u32, now: Instant) {
        // NO_ERROR, INTERNAL_ERROR, CANCEL.
        if !matches!(code, 0 | 2 | 8) {
            self.take(Kind::Headers, BROKEN_STREAM, now);
        }
    }

    fn take(&mut self, kind: Kind, cost: u64, now: Instant) {
        if cost == 0 {
            return;
        }
        let refill = now.saturating_duration_since(self.refilled).as_millis() * u128::from(PER_SECOND) / 1000;
        if refill > 0 {
            self.refilled = now;
            self.earn(u64::try_from(refill).unwrap_or(WHOLE));
        }
        self.over |= self.left < cost;
        self.left = self.left.saturating_sub(cost);
        let most = self.spent.get(self.costliest as usize).map_or(0, |(_, spent)| *spent);
        if let Some((count, spent)) = self.spent.get_mut(kind as usize) {
            *count += 1;
            *spent += cost;
            if *spent > most {
                self.costliest = kind;
            }
        }
    }

    fn earn(&mut self, points: u64) {
        self.left = self.left.saturating_add(points).min(WHOLE);
    }

    /// A request was answered.
    pub(super) fn earn_answer(&mut self) {
        self.earn(PER_ANSWER);
    }

    /// A piece of content went out as it came, however small: no window was in its way.
    pub(super) fn earn_piece(&mut self) {
        self.earn(PER_FRAME);
    }

    /// A frame of content went out.
    pub(super) fn earn_bytes(&mut self, count: u32) {
        let count = u64::from(count);
        self.bytes += count;
        self.earn(PER_FRAME * count.min(SLIVER) / SLIVER + self.bytes / BYTES_PER_POINT);
        self.bytes %= BYTES_PER_POINT;
    }

    /// Whether it is used up.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// The kind that cost most, how many there were, and how many a fresh connection may send at once.
    pub(super) fn costliest(&self) -> Option<Fact> {
        let (count, spent) = self.spent.get(self.costliest as usize).copied().filter(|(count, _)| *count > 0)?;
        let limit = WHOLE * count / spent.max(1);
        Some(Fact::Frames { kind: self.costliest.name(), count, limit })
    }
}
