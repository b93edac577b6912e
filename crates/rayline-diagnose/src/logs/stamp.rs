//! Times as logs write them, a dozen shapes of them, and the zones that they leave out.
//!
//! It does not guess a zone: who knows where the log was written resolves a [`Stamp`] with a [`Zone`].

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::{Date, Month, PrimitiveDateTime, Time};

/// A time as it is written in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Seconds since 1970 as if the zone were UTC.
    wall: i64,
    nanos: u32,
    /// Seconds east of UTC, where it is written down.
    offset: Option<i32>,
    /// The year is not written down, as in syslog's old form: `wall` is in the year 2000.
    yearless: bool,
}

/// Where a clock without a written zone stands.
#[derive(Clone, Debug)]
pub enum Zone {
    /// So many seconds east of UTC, all year.
    Fixed(i32),
    /// This machine's, summer time included.
    Machine(Box<tz::TimeZone>),
}

impl Zone {
    /// Coordinated Universal Time.
    pub const UTC: Self = Self::Fixed(0);

    /// This machine's zone; UTC where it has none that can be read.
    pub fn machine() -> Self {
        tz::TimeZone::local().map_or(Self::UTC, |zone| Self::Machine(Box::new(zone)))
    }

    /// Seconds since 1970 of a time that a clock on the wall here shows.
    fn seconds(&self, wall: i64) -> i64 {
        match self {
            Self::Fixed(offset) => wall - i64::from(*offset),
            Self::Machine(zone) => {
                let offset = |at| zone.find_local_time_type(at).map_or(0, |kind| i64::from(kind.ut_offset()));
                // The offset holds at the time itself, which is known but for the offset: once more from nearby.
                let nearly = wall - offset(wall);
                wall - offset(nearly)
            }
        }
    }
}

/// `UTC+02:00`; this machine's zone by that word.
impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(0) => f.write_str("UTC"),
            Self::Fixed(offset) => {
                let sign = if *offset < 0 { '-' } else { '+' };
                let minutes = offset.unsigned_abs() / 60;
                write!(f, "UTC{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
            Self::Machine(_) => f.write_str("local time"),
        }
    }
}

impl Stamp {
    /// Of nanoseconds since 1970, as programs count.
    pub fn of_nanos(nanos: i128) -> Option<Self> {
        let wall = i64::try_from(nanos.div_euclid(1_000_000_000)).ok()?;
        let nanos = u32::try_from(nanos.rem_euclid(1_000_000_000)).ok()?;
        // Ten years around now and then some: a number outside is no time.
        (946_684_800..7_258_118_400).contains(&wall).then_some(Self { wall, nanos, offset: Some(0), yearless: false })
    }

    /// Of a number that counts from 1970 in seconds, milliseconds, microseconds or nanoseconds.
    pub fn of_number(number: f64) -> Option<Self> {
        let unit: f64 = match number {
            1e9..1e10 => 1e9,
            1e12..1e13 => 1e6,
            1e15..1e16 => 1e3,
            1e18..1e19 => 1.0,
            _ => return None,
        };
        #[expect(clippy::cast_possible_truncation, reason = "the bounds above keep it below 1e19")]
        Self::of_nanos((number * unit) as i128)
    }

    /// Whether its zone is written down.
    pub const fn has_zone(&self) -> bool {
        self.offset.is_some()
    }

    /// The zone by which it is this moment.
    pub fn zone_at(&self, moment: SystemTime) -> Zone {
        let seconds = moment.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
        Zone::Fixed(i32::try_from(self.wall.saturating_sub(seconds)).unwrap_or(0))
    }

    /// The moment: in this zone if none is written down, in the year that brings it nearest to `about` if that is missing.
    pub fn resolve(&self, zone: &Zone, about: SystemTime) -> SystemTime {
        let seconds = |wall| self.offset.map_or_else(|| zone.seconds(wall), |offset| wall - i64::from(offset));
        let seconds = if self.yearless { self.nearest_year(about, seconds) } else { seconds(self.wall) };
        let moment = Duration::new(seconds.unsigned_abs(), self.nanos);
        let moved = if seconds < 0 { UNIX_EPOCH.checked_sub(moment) } else { UNIX_EPOCH.checked_add(moment) };
        moved.unwrap_or(UNIX_EPOCH)
    }

    fn nearest_year(&self, about: SystemTime, seconds: impl Fn(i64) -> i64) -> i64 {
        let about = about.duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(0));
        let year = time::OffsetDateTime::from_unix_timestamp(about).map_or(2000, |moment| moment.year());
        let written = time::OffsetDateTime::from_unix_timestamp(self.wall).ok();
        let in_year = |year| written.and_then(|written| written.replace_year(year).ok());
        let candidates = [year - 1, year, year + 1].into_iter().filter_map(in_year);
        let moments = candidates.map(|moment| seconds(moment.unix_timestamp()));
        moments.min_by_key(|moment| moment.abs_diff(about)).unwrap_or(0)
    }
}

/// The stamp that the text begins with, and the text behind it.
pub fn leading(text: &str) -> Option<(Stamp, &str)> {
    let bytes = text.as_bytes();
    match bytes {
        [b'0'..=b'9', ..] => match (bytes.get(1), bytes.get(2), bytes.get(4)) {
            (_, Some(b'/' | b'-'), _) if bytes.get(3).is_some_and(u8::is_ascii_alphabetic) => day_month_year(text),
            (_, _, Some(b'-' | b'/')) => year_month_day(text),
            (Some(b' '), ..) | (_, Some(b' '), _) => day_month_year(text),
            _ => short_year(text),
        },
        [b'A'..=b'Z', ..] => month_day(text),
        _ => None,
    }
}

/// `2026-11-21T10:00:00.123Z`, `2026-11-21 10:00:00,123`, `2026/11/21 10:00:00`.
fn year_month_day(text: &str) -> Option<(Stamp, &str)> {
    let rest = &mut &*text;
    let year = digits(rest, 4, 4)?;
    skip(rest, &['-', '/'])?;
    let month = digits(rest, 2, 2)?;
    skip(rest, &['-', '/'])?;
    let day = digits(rest, 2, 2)?;
    skip(rest, &['T', 't', ' ', '_'])?;
    clock(rest, Some(year), month, day).map(|stamp| (stamp, *rest))
}

/// `21/Nov/2026:10:00:00 +0000`, `21-Nov-2026 10:00:00.123`, `21 Nov 2026 10:00:00.123`.
fn day_month_year(text: &str) -> Option<(Stamp, &str)> {
    let rest = &mut &*text;
    let day = digits(rest, 1, 2)?;
    skip(rest, &['/', '-', ' '])?;
    let month = month_name(rest)?;
    skip(rest, &['/', '-', ' '])?;
    let year = digits(rest, 4, 4)?;
    skip(rest, &[':', ' '])?;
    clock(rest, Some(year), month, day).map(|stamp| (stamp, *rest))
}

/// `261121 10:00:00`, as MySQL wrote before 5.7.
fn short_year(text: &str) -> Option<(Stamp, &str)> {
    let rest = &mut &*text;
    let (year, month, day) = (digits(rest, 2, 2)?, digits(rest, 2, 2)?, digits(rest, 2, 2)?);
    skip(rest, &[' '])?;
    *rest = rest.trim_start_matches(' ');
    clock(rest, Some(2000 + year), month, day).map(|stamp| (stamp, *rest))
}

/// `Sat Nov 21 10:00:00.123456 2026`, `Nov 21 10:00:00`, `Nov  1, 2026 10:00:00 AM`.
fn month_day(text: &str) -> Option<(Stamp, &str)> {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let rest = &mut &*text;
    if let Some(day) = DAYS.iter().find_map(|day| rest.strip_prefix(day)) {
        *rest = day.trim_start_matches([',', ' ']);
    }
    let month = month_name(rest)?;
    skip(rest, &[' '])?;
    *rest = rest.trim_start_matches(' ');
    let day = digits(rest, 1, 2)?;
    let mut year = None;
    if rest.starts_with(", ") {
        skip(rest, &[','])?;
        skip(rest, &[' '])?;
        year = Some(digits(rest, 4, 4)?);
    }
    skip(rest, &[' '])?;
    let before = *rest;
    let mut stamp = clock(rest, year, month, day)?;
    if year.is_none() {
        // The year stands behind the time, where it stands at all.
        let tail = &mut &**rest;
        let behind = skip(tail, &[' ']).and_then(|()| digits(tail, 4, 4)).filter(|_| !starts_with_digit(tail));
        if let Some(year) = behind {
            let offset = stamp.offset;
            stamp = Stamp { offset, ..clock(&mut &*before, Some(year), month, day)? };
            *rest = tail;
        }
    } else {
        for (half, add) in [(" AM", 0), (" PM", 12 * 3600)] {
            if let Some(tail) = rest.strip_prefix(half) {
                let noon = stamp.wall.rem_euclid(24 * 3600) >= 12 * 3600;
                stamp.wall += if noon { add - 12 * 3600 } else { add };
                *rest = tail;
            }
        }
    }
    Some((stamp, *rest))
}

/// `10:00:00`, with fraction and zone if they are there.
fn clock(rest: &mut &str, year: Option<u32>, month: u32, day: u32) -> Option<Stamp> {
    let hour = digits(rest, 1, 2)?;
    skip(rest, &[':'])?;
    let minute = digits(rest, 2, 2)?;
    skip(rest, &[':'])?;
    let second = digits(rest, 2, 2)?;
    let nanos = fraction(rest);
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    let date = Date::from_calendar_date(i32::try_from(year.unwrap_or(2000)).ok()?, month, u8::try_from(day).ok()?);
    // A leap second is the last one of its minute to us.
    let time = Time::from_hms(u8::try_from(hour).ok()?, u8::try_from(minute).ok()?, u8::try_from(second.min(59)).ok()?);
    let wall = PrimitiveDateTime::new(date.ok()?, time.ok()?).assume_utc().unix_timestamp();
    Some(Stamp { wall, nanos, offset: zone(rest), yearless: year.is_none() })
}

/// Nanoseconds of `.123` or `,123456`.
fn fraction(rest: &mut &str) -> u32 {
    let Some(tail) = rest.strip_prefix(['.', ',']) else { return 0 };
    let written = tail.bytes().take_while(u8::is_ascii_digit).count();
    if written == 0 {
        return 0;
    }
    let digits = tail.bytes().take(written).chain(std::iter::repeat(b'0')).take(9);
    let nanos = digits.fold(0, |nanos, digit| nanos * 10 + u32::from(digit - b'0'));
    *rest = tail.get(written..).unwrap_or_default();
    nanos
}

/// The offset of `Z`, `UTC`, `CET`, `+0100`, ` -05:00`, in seconds.
fn zone(rest: &mut &str) -> Option<i32> {
    const NAMES: &[(&str, i32)] = &[
        ("UTC", 0),
        ("GMT", 0),
        ("WET", 0),
        ("WEST", 60),
        ("CET", 60),
        ("CEST", 120),
        ("EET", 120),
        ("EEST", 180),
        ("MSK", 180),
        ("EST", -300),
        ("EDT", -240),
        ("CDT", -300),
        ("MST", -420),
        ("MDT", -360),
        ("PST", -480),
        ("PDT", -420),
        ("JST", 540),
        ("KST", 540),
        ("AEST", 600),
        ("AEDT", 660),
        ("Z", 0),
    ];
    let text = rest.strip_prefix(' ').unwrap_or(rest);
    let word = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    if let Some(&(_, minutes)) = NAMES.iter().find(|(name, _)| text.get(..word) == Some(name)) {
        *rest = text.get(word..).unwrap_or_default();
        return Some(minutes * 60);
    }
    let tail = &mut text.strip_prefix(['+', '-'])?;
    let hours = digits(tail, 2, 2)?;
    *tail = tail.strip_prefix(':').unwrap_or(tail);
    let minutes = digits(tail, 2, 2)?;
    if hours > 14 || minutes > 59 || starts_with_digit(tail) {
        return None;
    }
    let seconds = i32::try_from(hours * 3600 + minutes * 60).ok()?;
    *rest = tail;
    Some(if text.starts_with('-') { -seconds } else { seconds })
}

fn month_name(rest: &mut &str) -> Option<u32> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let name = rest.get(..3)?;
    let index = MONTHS.iter().position(|month| month.eq_ignore_ascii_case(name))?;
    *rest = rest.get(3..)?;
    u32::try_from(index + 1).ok()
}

fn digits(rest: &mut &str, least: usize, most: usize) -> Option<u32> {
    let count = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
    if count < least {
        return None;
    }
    let number = rest.get(..count)?.parse().ok()?;
    *rest = rest.get(count..)?;
    Some(number)
}

fn skip(rest: &mut &str, any: &[char]) -> Option<()> {
    *rest = rest.strip_prefix(any)?;
    Some(())
}

fn starts_with_digit(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit())
}

#[cfg(test)]
mod tests;
