//! Where failures of one kind begin and end. A few failures all day long and a thousand in ten minutes are two things.

use std::collections::BTreeMap;

use super::{LEAST, MINUTE, QUIET, Scope};

/// A minute with less than this part of the busiest minute near it is not part of what happens in that one.
const FAINT: f64 = 0.05;
/// How far away the busiest minute is looked for, in minutes.
const NEAR: i64 = 10;

/// Failures of one code in one scope, one soon after the other.
#[derive(Debug)]
pub(super) struct Burst<'a> {
    pub(super) scope: Scope<'a>,
    pub(super) code: &'a str,
    pub(super) begin: i64,
    pub(super) end: i64,
    /// Which failures.
    pub(super) rows: Vec<usize>,
}

/// Cuts the failures of one kind, given in the order of time, into bursts.
pub(super) fn bursts<'a>(at: &[i64], rows: &[usize], scope: Scope<'a>, code: &'a str) -> Vec<Burst<'a>> {
    let time = |row: &usize| at.get(*row).copied().unwrap_or_default();
    let mut minutes: BTreeMap<i64, usize> = BTreeMap::new();
    for row in rows {
        *minutes.entry(time(row).div_euclid(MINUTE)).or_default() += 1;
    }
    let loud = |minute: i64, count: usize| {
        let busiest = minutes.range(minute - NEAR..=minute + NEAR).map(|(_, count)| *count).max().unwrap_or_default();
        count as f64 >= FAINT * busiest as f64
    };
    let level: BTreeMap<i64, bool> = minutes.iter().map(|(minute, count)| (*minute, loud(*minute, *count))).collect();
    let is_loud = |row: &usize| level.get(&time(row).div_euclid(MINUTE)).copied().unwrap_or_default();
    let loud: Vec<usize> = rows.iter().copied().filter(is_loud).collect();
    let mut bursts = Vec::new();
    for rows in loud.chunk_by(|a, b| time(b) - time(a) <= QUIET) {
        let times: Vec<i64> = rows.iter().map(time).collect();
        let rows = rows.get(first(&times)..).unwrap_or_default();
        if let (true, Some(begin), Some(end)) = (rows.len() >= LEAST, rows.first(), rows.last()) {
            bursts.push(Burst { scope, code, begin: time(begin), end: time(end), rows: rows.to_vec() });
        }
    }
    bursts
}

/// The first from which on failures come about as often as they do later: one may lie a little before it by chance.
fn first(times: &[i64]) -> usize {
    let mut gaps: Vec<i64> = times.windows(2).filter_map(|pair| Some(pair.last()? - pair.first()?)).collect();
    gaps.sort_unstable();
    let usual = gaps.get(gaps.len() / 2).copied().unwrap_or_default();
    let frequent =
        |three: &[i64]| three.last().zip(three.first()).is_some_and(|(last, first)| last - first <= 12 * usual);
    times.windows(LEAST).position(frequent).unwrap_or_default()
}
