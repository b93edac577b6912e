//! What a file is, seen from its ends: its format, its writer, and the zone of its clock.

use std::time::{Duration, SystemTime};

use super::format::{self, Format};
use super::lines::Lines;
use super::source::Source;
use super::stamp::{self, Stamp, Zone};

/// How many lines are looked at of a part.
const LINES: usize = 300;

/// Clocks of zones differ by whole quarters of hours.
const QUARTER: i64 = 900;

/// How far a zone may be from UTC, in quarters of hours.
const QUARTERS: i64 = 14 * 4;

/// How near the last line's time must come to the file's own, in seconds, to show the zone.
const WRITTEN: i64 = 3;

/// How near the last line must come to a request, in seconds, where the file's own time tells nothing.
const ASKED: i64 = 20;

/// What shows from the ends of a file.
#[derive(Debug, Default)]
pub(super) struct Profile {
    /// Who writes it.
    pub(super) source: Source,
    /// What most lines are.
    pub(super) format: Option<Format>,
    /// The first time in it.
    pub(super) first: Option<Stamp>,
    /// The last time in it.
    last: Option<Stamp>,
    /// The zone that stands in it by name, as PHP writes it.
    named: Option<Zone>,
}

impl Profile {
    /// Of the parts of a file: its beginning, and its end if that is another part.
    pub(super) fn new(source: Source, parts: &[&[u8]]) -> Self {
        let mut profile = Self { source, ..Self::default() };
        let mut counts: Vec<(Format, usize)> = Vec::new();
        for part in parts {
            profile.look(part, &mut counts);
        }
        profile.format = counts.iter().max_by_key(|(_, count)| *count).map(|&(format, _)| format);
        if source == Source::Unknown {
            profile.source = profile.format.map(Format::source).unwrap_or_default();
        }
        profile
    }

    fn look(&mut self, part: &[u8], counts: &mut Vec<(Format, usize)>) {
        let mut lines = Lines::new(part);
        let mut seen = 0;
        // Bytes in memory do not fail.
        while let Ok(Some(line)) = lines.next() {
            let Some((format, entry)) = format::read(&line, self.source) else { continue };
            seen += 1;
            if seen <= LINES {
                match counts.iter_mut().find(|(known, _)| *known == format) {
                    Some((_, count)) => *count += 1,
                    None => counts.push((format, 1)),
                }
            }
            if self.named.is_none() {
                self.named = named_zone(&line);
            }
            self.first = self.first.or(entry.at);
            self.last = entry.at.or(self.last);
        }
    }

    /// The zone of times that carry none, and what to say of it where it is not the one assumed: the one that the file
    /// names; the one assumed, if the last line then fits the file's own time; the one by which it does; the one by which it
    /// fits a request.
    pub(super) fn zone(
        &self,
        assumed: &Zone,
        modified: Option<SystemTime>,
        requests: &[SystemTime],
        about: SystemTime,
    ) -> (Zone, Option<String>) {
        if let Some(zone) = &self.named {
            return (zone.clone(), None);
        }
        let Some((first, last)) = self.first.zip(self.last).filter(|(_, last)| !last.has_zone()) else {
            return (assumed.clone(), None);
        };
        let ended = last.resolve(assumed, about);
        let shift = |to: SystemTime, near: i64| {
            let ahead = seconds_between(to, ended);
            let quarters = (ahead + QUARTER.div_euclid(2)).div_euclid(QUARTER);
            ((ahead - quarters * QUARTER).abs() <= near && quarters.abs() <= QUARTERS).then_some(quarters)
        };
        let by_file = modified.and_then(|modified| shift(modified, WRITTEN));
        let quarters = by_file.or_else(|| {
            let began = first.resolve(assumed, about);
            let fits = |at: &SystemTime| (began..=ended).contains(at);
            let latest = requests.iter().max().filter(|_| !requests.iter().any(fits))?;
            shift(*latest, ASKED)
                .filter(|_| modified.is_none_or(|modified| seconds_between(modified, ended).abs() > QUARTER))
        });
        match quarters {
            None | Some(0) => (assumed.clone(), None),
            Some(quarters) => {
                let zone = last.zone_at(moved(ended, -quarters * QUARTER));
                let said = format!("its times carry no zone: they fit when they are taken for {zone}");
                (zone, Some(said))
            }
        }
    }
}

/// Seconds from one moment to a later one; negative if it is earlier.
pub(super) fn seconds_between(from: SystemTime, to: SystemTime) -> i64 {
    let whole = |span: Duration| i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
    to.duration_since(from).map_or_else(|error| -whole(error.duration()), whole)
}

fn moved(at: SystemTime, seconds: i64) -> SystemTime {
    let by = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 { at.checked_sub(by) } else { at.checked_add(by) }.unwrap_or(at)
}

/// The zone in `[21-Nov-2026 10:00:00 Europe/Berlin]`, if this machine knows it.
fn named_zone(line: &str) -> Option<Zone> {
    let (inner, _) = line.strip_prefix('[')?.split_once(']')?;
    let (_, name) = stamp::leading(inner)?;
    let name = name.strip_prefix(' ')?;
    // It becomes a path.
    let (area, city) = name.split_once('/')?;
    let is_name = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_alphabetic())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'/'))
    };
    let fits = is_name(area) && is_name(city);
    let zone = fits.then(|| tz::TimeZone::from_posix_tz(name).ok())??;
    Some(Zone::Machine(Box::new(zone)))
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    /// 2026-11-21 10:00:00 UTC.
    const TEN: u64 = 1_795_255_200;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn zone(text: &str, modified: Option<u64>, request: Option<u64>) -> (i64, Option<String>) {
        let profile = Profile::new(Source::Unknown, &[text.as_bytes()]);
        let requests: Vec<SystemTime> = request.map(at).into_iter().collect();
        let (zone, said) = profile.zone(&Zone::UTC, modified.map(at), &requests, at(TEN));
        let (stamp, _) = stamp::leading("2026-11-21 10:00:00").unwrap();
        (seconds_between(stamp.resolve(&zone, at(TEN)), at(TEN)), said)
    }

    #[test]
    fn a_zone_that_is_not_written_shows_elsewhere() {
        let line = "2026/11/21 12:00:00 [error] 1#1: *1 x";
        assert_eq!(zone(line, None, None).0, 0, "nothing tells");
        assert_eq!(zone(line, Some(TEN + 1), None).0, 7200, "by the file's own time");
        assert_eq!(zone(line, Some(TEN + 7200), Some(TEN)).0, 0, "the file's own time fits");
        assert_eq!(zone(line, Some(TEN + 400_000), Some(TEN - 5)).0, 7200, "by the request");
        assert_eq!(zone(line, Some(TEN + 400_000), Some(TEN - 100)).0, 0, "by neither");
        let (_, said) = zone(line, Some(TEN), None);
        assert_eq!(said.as_deref(), Some("its times carry no zone: they fit when they are taken for UTC+02:00"));
        assert_eq!(zone("2026-11-21T12:00:00Z ERROR x", Some(TEN), None).0, 0, "it is written");
        assert_eq!(zone("[21-Nov-2026 12:00:00 ../../etc/passwd] PHP Notice: x", None, None).0, 0);
    }
}
