//! How often alike requests came: counters of a bounded number of keys, shared by all threads without a lock.
//!
//! A count is that of a sliding window, estimated from two fixed ones: what came in this period, and of the period before
//! the share that the window still covers. For an even stream it is exact; it is off by at most the requests of the period
//! before. Threads that count the same key at once lose nothing, once it has its place. A key may be at any place of two
//! sets, so that the table is nearly full before one is in want of a place: then the key that counts least of those in
//! both is forgotten, and [`RateTable::forgotten`] says how often.
//!
//! It has no clock: the time is an argument, in milliseconds of any clock that does not go back.

mod limiter;

use std::sync::atomic::{AtomicU64, Ordering};

pub use limiter::{Limiter, Standing};

/// Places in a set.
const WAYS: usize = 8;
/// Makes of a key's lower bits others (2^64 by the golden ratio).
const SCATTER: u64 = 0x9e37_79b9_7f4a_7c15;
/// Bits of one count; it stops at the highest.
const COUNT_BITS: u32 = 20;
/// The highest count.
pub const MOST_COUNTED: u32 = (1 << COUNT_BITS) - 1;
/// Bits of the number of a period: they come round after years, by when a counter has long been left alone.
const PERIOD_BITS: u32 = 24;
const PERIOD_MASK: u64 = (1 << PERIOD_BITS) - 1;

/// Counters by key.
#[derive(Debug)]
pub struct RateTable {
    sets: Box<[Set]>,
    forgotten: AtomicU64,
}

/// Places that are looked at together: the names of their keys in one line of a processor's cache, then the counters.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Set {
    /// 0: nobody's.
    keys: [AtomicU64; WAYS],
    counters: [Counter; WAYS],
}

/// One counter. What it holds may be another key's in the very moment in which a key is forgotten: then a few requests
/// count for the new key that were the old one's.
#[derive(Debug, Default)]
struct Counter {
    /// Period, count of the period before, count of this one.
    window: AtomicU64,
    /// Until when its requests are acted upon, in milliseconds; 0: they are not.
    until: AtomicU64,
    /// When it may be forgotten, in milliseconds.
    stale: AtomicU64,
}

/// A place: whose it is, and what it counts.
type Place<'a> = (&'a AtomicU64, &'a Counter);

impl Set {
    fn places(&self) -> impl Iterator<Item = Place<'_>> {
        self.keys.iter().zip(&self.counters)
    }

    fn free(&self) -> impl Iterator<Item = Place<'_>> {
        self.places().filter(|(name, _)| name.load(Ordering::Relaxed) == 0)
    }
}

impl Counter {
    fn clear(&self) {
        self.window.store(0, Ordering::Relaxed);
        self.until.store(0, Ordering::Relaxed);
        self.stale.store(0, Ordering::Relaxed);
    }

    /// How little is lost with it: the least is forgotten first.
    fn rank(&self, now_ms: u64) -> (bool, bool, u32) {
        let alive = self.stale.load(Ordering::Relaxed) > now_ms;
        let mitigated = self.until.load(Ordering::Relaxed) > now_ms;
        let window = Window::unpack(self.window.load(Ordering::Relaxed));
        (alive, mitigated, window.before.saturating_add(window.now))
    }
}

/// The counts of two periods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Window {
    period: u64,
    before: u32,
    now: u32,
}

impl Window {
    fn unpack(packed: u64) -> Self {
        let count = |shift: u32| u32::try_from((packed >> shift) & u64::from(MOST_COUNTED)).unwrap_or(MOST_COUNTED);
        Self { period: packed >> (2 * COUNT_BITS), before: count(COUNT_BITS), now: count(0) }
    }

    fn pack(self) -> u64 {
        self.period << (2 * COUNT_BITS) | u64::from(self.before) << COUNT_BITS | u64::from(self.now)
    }

    /// The same, seen from a period. One that is before its own is that of a thread whose time was read a moment ago.
    fn moved_to(self, period: u64) -> Self {
        match period.wrapping_sub(self.period) & PERIOD_MASK {
            0 => self,
            late if late > PERIOD_MASK / 2 => self,
            1 => Self { period, before: self.now, now: 0 },
            _ => Self { period, before: 0, now: 0 },
        }
    }

    fn plus(self, more: u32) -> Self {
        Self { now: self.now.saturating_add(more).min(MOST_COUNTED), ..self }
    }

    /// Requests in the period that ends now, rounded down.
    fn estimate(self, now_ms: u64, period_ms: u64) -> u32 {
        let left = period_ms - now_ms % period_ms;
        let before = u64::from(self.before) * left / period_ms;
        u32::try_from(before).unwrap_or(MOST_COUNTED).saturating_add(self.now)
    }
}

impl RateTable {
    /// Room for about `keys` keys that are alive at once: 32 bytes each, rounded up to a power of two.
    pub fn new(keys: usize) -> Self {
        let places = keys.clamp(WAYS, 1 << 26).next_power_of_two();
        Self { sets: (0..places / WAYS).map(|_| Set::default()).collect(), forgotten: AtomicU64::new(0) }
    }

    /// Counts `more` requests of `key`, and tells how many came in the `period_ms` until now, these among them.
    pub fn count(&self, key: u64, now_ms: u64, period_ms: u64, more: u32) -> u32 {
        let period_ms = period_ms.max(1);
        let period = (now_ms / period_ms) & PERIOD_MASK;
        let place = self.place_for(key, now_ms);
        place.stale.fetch_max(now_ms.saturating_add(2 * period_ms), Ordering::Relaxed);
        let counted = |packed| Window::unpack(packed).moved_to(period).plus(more);
        let was =
            place.window.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |packed| Some(counted(packed).pack()));
        counted(was.unwrap_or_else(std::convert::identity)).estimate(now_ms, period_ms)
    }

    /// Counts a request of `key`, unless `most` came in the `period_ms` until now. How many came, this one among them.
    ///
    /// # Errors
    /// How many came, if those are `most` or more; this one is not counted.
    pub fn admit(&self, key: u64, now_ms: u64, period_ms: u64, most: u32) -> Result<u32, u32> {
        let period_ms = period_ms.max(1);
        let period = (now_ms / period_ms) & PERIOD_MASK;
        let place = self.place_for(key, now_ms);
        place.stale.fetch_max(now_ms.saturating_add(2 * period_ms), Ordering::Relaxed);
        let estimate = |packed| Window::unpack(packed).moved_to(period).estimate(now_ms, period_ms);
        let admitted = place.window.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |packed| {
            (estimate(packed) < most).then(|| Window::unpack(packed).moved_to(period).plus(1).pack())
        });
        admitted.map(|before| estimate(before).saturating_add(1)).map_err(estimate)
    }

    /// How many requests of `key` came in the `period_ms` until now. It counts nothing.
    pub fn counted(&self, key: u64, now_ms: u64, period_ms: u64) -> u32 {
        let period_ms = period_ms.max(1);
        let period = (now_ms / period_ms) & PERIOD_MASK;
        self.find(key).map_or(0, |place| {
            Window::unpack(place.window.load(Ordering::Relaxed)).moved_to(period).estimate(now_ms, period_ms)
        })
    }

    /// From now on the requests of `key` are acted upon, until then.
    pub fn mitigate(&self, key: u64, now_ms: u64, until_ms: u64) {
        let place = self.place_for(key, now_ms);
        place.until.fetch_max(until_ms, Ordering::Relaxed);
        place.stale.fetch_max(until_ms, Ordering::Relaxed);
    }

    /// Until when the requests of `key` are acted upon; `None` if they are not.
    pub fn mitigated_until(&self, key: u64, now_ms: u64) -> Option<u64> {
        let until = self.find(key)?.until.load(Ordering::Relaxed);
        (until > now_ms).then_some(until)
    }

    /// Keys that were alive and had to make room.
    pub fn forgotten(&self) -> u64 {
        self.forgotten.load(Ordering::Relaxed)
    }

    /// Bytes of memory that it takes.
    pub fn bytes(&self) -> usize {
        std::mem::size_of_val(&*self.sets)
    }

    /// The two sets that a key may be in, which may be one.
    fn sets(&self, key: u64) -> impl DoubleEndedIterator<Item = &Set> + Clone {
        // their number is a power of two
        let mask = self.sets.len() - 1;
        let first = usize::try_from(key).unwrap_or_default() & mask;
        let second = usize::try_from(key.wrapping_mul(SCATTER) >> 32).unwrap_or_default() & mask;
        [first, second].into_iter().filter_map(|set| self.sets.get(set))
    }

    fn find(&self, key: u64) -> Option<&Counter> {
        let mut places = self.sets(key).flat_map(Set::places);
        places.find(|(name, _)| name.load(Ordering::Acquire) == named(key)).map(|(_, counter)| counter)
    }

    /// The counter of a key; a new key takes a free one, one whose key is stale, or the one that counts least.
    fn place_for(&self, key: u64, now_ms: u64) -> &Counter {
        if let Some(counter) = self.find(key) {
            return counter;
        }
        loop {
            // there is always one: a set is never empty
            let Some((name, counter)) = self.room_for(key, now_ms) else { continue };
            let was = name.load(Ordering::Relaxed);
            let (alive, ..) = counter.rank(now_ms);
            let taken = name.compare_exchange(was, named(key), Ordering::AcqRel, Ordering::Relaxed).is_ok();
            if taken && was != 0 {
                counter.clear();
                self.forgotten.fetch_add(u64::from(alive), Ordering::Relaxed);
            }
            match self.find(key) {
                // somebody was quicker with the same key: of two places the first is the key's
                Some(first) if taken && !std::ptr::eq(first, counter) => {
                    counter.clear();
                    name.store(0, Ordering::Release);
                    return first;
                }
                Some(first) => return first,
                // somebody was quicker with another key
                None => {}
            }
        }
    }

    /// Where a new key goes: into that of its sets which has more room, or else where least is lost.
    fn room_for(&self, key: u64, now_ms: u64) -> Option<Place<'_>> {
        let sets = self.sets(key);
        let emptier = sets.clone().rev().max_by_key(|set| set.free().count());
        let free = emptier.and_then(|set| set.free().next());
        free.or_else(|| sets.flat_map(Set::places).min_by_key(|(_, counter)| counter.rank(now_ms)))
    }
}

/// 0 stands for nobody.
fn named(key: u64) -> u64 {
    key.max(1)
}

#[cfg(test)]
mod tests;
