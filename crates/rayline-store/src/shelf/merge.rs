//! Many small files become few big ones, and what is by the minute is summed up to hours. Each row stays where it counts exactly once:
//! what a new file replaces, or has summed up, is written in the file itself.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rayline_verdict::Moment;

use super::{HOUR, Shelf, folder};
use crate::chunk::{Chunk, Table};
use crate::segment::{Facts, Ranges, Segment, Slot};

/// A file of so many bytes is big enough.
const BIG: u64 = 128 * 1024 * 1024;
/// Files of about the same size that are worth a merge.
const ENOUGH: usize = 8;
/// Files by the minute that are not summed up in a file by the hour.
pub(super) fn unsummed(segments: &[Arc<Segment>], by_minute: Table) -> Vec<Arc<Segment>> {
    let mut summed = Ranges::default();
    for segment in segments.iter().filter(|segment| segment.facts.table.by_minute() == Some(by_minute)) {
        summed.extend(&segment.facts.sums);
    }
    let is_unsummed = |segment: &&Arc<Segment>| {
        let facts = &segment.facts;
        facts.table == by_minute && !facts.summed && !summed.contains(facts.number)
    };
    segments.iter().filter(is_unsummed).cloned().collect()
}

/// Rows that are summed up at once, about: those of times have few columns.
const fn summed_rows(table: Table) -> usize {
    match table {
        Table::Times | Table::HourlyTimes => 2 * 1024 * 1024,
        Table::Requests | Table::Minutes | Table::Hours => 512 * 1024,
    }
}

impl Shelf {
    /// Merges as long as there is something worth it; how many files are no more.
    pub(super) fn merge_all(&self, refuse: &mut Vec<PathBuf>, now: Moment) -> io::Result<usize> {
        let mut merged = 0;
        self.sum_up(Table::Minutes, Table::Hours, now)?;
        self.sum_up(Table::Times, Table::HourlyTimes, now)?;
        // Every merge leaves fewer files, so this ends. What is damaged is not tried again.
        let mut damaged = Vec::new();
        while let Some(files) = worth_merging(&self.segments()?, now, &damaged) {
            match self.merge(refuse, &files) {
                Ok(()) => merged += files.len(),
                Err((Some(segment), error)) if error.kind() == io::ErrorKind::InvalidData => {
                    self.unless_damaged::<()>(&segment, Err(error))?;
                    damaged.push(segment.id);
                }
                Err((_, error)) => return Err(error),
            }
        }
        Ok(merged)
    }

    /// The error comes with the file that could not be read, if it was that.
    fn merge(
        &self,
        refuse: &mut Vec<PathBuf>,
        files: &[Arc<Segment>],
    ) -> Result<(), (Option<Arc<Segment>>, io::Error)> {
        let segments = self.segments().map_err(|error| (None, error))?;
        let facts = facts_of(files, &segments, self.next_number());
        let mut slots: Vec<_> = files.iter().flat_map(|file| file.slots()).copied().collect();
        slots.sort_by_key(|slot| slot.index());
        slots.dedup();
        let mut groups: Vec<_> =
            files.iter().flat_map(|file| (0..file.groups.len()).map(move |group| (file, group))).collect();
        groups.sort_by_key(|(file, group)| file.groups.get(*group).map(|group| group.first));
        let mut unreadable = None;
        let made = folder::create(&self.folder, slots, &facts, |writer| {
            for (file, group) in groups {
                let chunk = whole(file, group).inspect_err(|_| unreadable = Some(Arc::clone(file)))?;
                writer.add(Arc::new(chunk))?;
            }
            Ok(())
        });
        let made = made.map_err(|error| (unreadable, error))?;
        self.replace(files, Some(made));
        self.clear_away(refuse, files).map_err(|error| (None, error))
    }

    /// Sums the minutes of hours that are over up to rows of hours.
    fn sum_up(&self, by_minute: Table, by_hour: Table, now: Moment) -> io::Result<()> {
        let over = now.0.saturating_sub(now.0.rem_euclid(HOUR)).saturating_sub(HOUR / 12);
        loop {
            let mut ripe = unsummed(&self.segments()?, by_minute);
            ripe.retain(|segment| segment.bounds().1 < over);
            ripe.sort_by_key(|segment| segment.bounds());
            let mut rows = 0;
            let fits = |segment: &Arc<Segment>| {
                rows += segment.rows();
                rows == segment.rows() || rows <= summed_rows(by_minute)
            };
            let mut facts = Facts::new(by_hour, self.next_number());
            let mut chunks = Vec::new();
            for segment in ripe.into_iter().take_while(fits) {
                facts.sums.insert(segment.facts.number);
                for group in 0..segment.groups.len() {
                    let read = whole(&segment, group);
                    chunks.extend(self.unless_damaged(&segment, read)?.map(|chunk| Arc::new(chunk.by_hour())));
                }
            }
            let hours = Arc::new(Chunk::concat(&chunks).summed());
            if hours.is_empty() {
                return Ok(());
            }
            let made =
                folder::create(&self.folder, Slot::all_of(&hours), &facts, |writer| writer.add(Arc::clone(&hours)))?;
            self.replace(&[], Some(made));
        }
    }
}

/// What a file says of itself that takes the place of others.
fn facts_of(files: &[Arc<Segment>], all: &[Arc<Segment>], number: u64) -> Facts {
    let table = files.first().map_or(Table::Requests, |file| file.facts.table);
    let mut facts = Facts::new(table, number);
    for file in files {
        facts.replaces.insert(file.facts.number);
        facts.journals.extend(&file.facts.journals);
    }
    // Of what is gone nobody asks any more whether it was summed up.
    let is_summed_here = |number| files.iter().any(|file| file.facts.sums.contains(number));
    for segment in all.iter().filter(|segment| is_summed_here(segment.facts.number)) {
        facts.sums.insert(segment.facts.number);
    }
    let still_to_sum = unsummed(all, table);
    facts.summed =
        table.by_hour().is_some() && !still_to_sum.iter().any(|segment| facts.replaces.contains(segment.facts.number));
    facts
}

/// All columns of a row group, past the cache: they are needed once.
fn whole(segment: &Segment, group: usize) -> io::Result<Chunk> {
    let mut chunk = Chunk::default();
    for slot in segment.slots() {
        if let Some(column) = segment.read(group, *slot)? {
            column.put_into(&mut chunk, *slot);
        }
    }
    Ok(chunk)
}

/// Files that should be one: of the same table and period, and of about the same size; all that are not big yet once the
/// period is over.
fn worth_merging(segments: &[Arc<Segment>], now: Moment, damaged: &[u64]) -> Option<Vec<Arc<Segment>>> {
    let still_to_sum = [Table::Minutes, Table::Times].map(|table| unsummed(segments, table)).concat();
    let mut periods: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for segment in segments.iter().filter(|segment| segment.bytes < BIG && !damaged.contains(&segment.id)) {
        let table = segment.facts.table;
        let period = segment.bounds().0.div_euclid(period_of(table));
        // What is summed up and what is not must not mix.
        let unsummed = still_to_sum.iter().any(|other| other.id == segment.id);
        periods.entry((table, period, unsummed)).or_default().push(Arc::clone(segment));
    }
    for ((table, period, _), mut files) in periods {
        files.sort_by_key(|segment| segment.bounds());
        let end = period.saturating_add(1).saturating_mul(period_of(table)).saturating_add(HOUR);
        if now.0 >= end && files.len() > 1 {
            let files = together(files);
            if files.len() > 1 {
                return Some(files);
            }
            continue;
        }
        let mut sizes: BTreeMap<u32, Vec<Arc<Segment>>> = BTreeMap::new();
        for file in files {
            sizes.entry((file.bytes / (256 * 1024)).checked_ilog(8).unwrap_or(0)).or_default().push(file);
        }
        if let Some(files) = sizes.into_values().find(|files| files.len() >= ENOUGH) {
            return Some(together(files));
        }
    }
    None
}

/// As many of them, from the first on, as become one big file.
fn together(files: Vec<Arc<Segment>>) -> Vec<Arc<Segment>> {
    let mut bytes = 0;
    files
        .into_iter()
        .take_while(|file| {
            bytes += file.bytes;
            bytes <= 2 * BIG
        })
        .collect()
}

/// Files that begin in the same period may be merged: rows are removed by file, so files must not span too much.
const fn period_of(table: Table) -> i64 {
    match table {
        Table::Requests | Table::Minutes | Table::Times => 24 * HOUR,
        Table::Hours | Table::HourlyTimes => 30 * 24 * HOUR,
    }
}
