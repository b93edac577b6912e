mod crash;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use proptest::prelude::*;
use rayline_verdict::{Moment, RayId};

use super::*;
use crate::chunk::{Column, Texts};
use crate::dimension::{Dimension, Number};
use crate::generate::{Requests, Shape, times_of};
use crate::query::{Query, run};
use crate::segment::tests::rows_of;
use crate::store::Options;

const MINUTE: i64 = 60_000_000_000;
const DAY: i64 = 24 * HOUR;
/// A day's beginning.
const START: i64 = 20_000 * DAY;

fn requests(from: i64, rows: usize) -> Chunk {
    let mut codes = Texts::default();
    let code = (0..rows).map(|row| codes.place(if row % 3 == 0 { "origin.connect.refused" } else { "" })).collect();
    let mut chunk = Chunk {
        at: (0..rows as i64).map(|row| from + row * 1_000_000).collect(),
        weight: vec![1; rows].into(),
        rays: (0..rows as i64).map(|row| ray_at(from + row * 1_000_000)).collect(),
        lines: (0..rows).map(|row| Bytes::from(format!("{{\"from\":{from},\"row\":{row}}}"))).collect(),
        ..Chunk::default()
    };
    chunk.columns[Dimension::Code.index()] = Some(Column { codes: code, values: Arc::new(codes.values) });
    chunk.numbers[Number::Wait.index()] = Some((0..rows as u64).collect());
    chunk
}

/// The same where none failed, so that they are one row group.
fn fine_requests(from: i64, rows: usize) -> Chunk {
    let mut chunk = requests(from, rows);
    chunk.columns[Dimension::Code.index()] = None;
    chunk
}

fn ray_at(at: i64) -> RayId {
    RayId(((at / 1_000_000) as u64) << 22 | 7)
}

fn minutes(from: i64, count: i64) -> Chunk {
    let mut hosts = Texts::default();
    let rows: Vec<_> = (0..count).flat_map(|minute| ["a", "b"].map(|host| (from + minute * MINUTE, host))).collect();
    let codes = rows.iter().map(|(_, host)| hosts.place(host)).collect();
    let mut chunk = Chunk {
        at: rows.iter().map(|(at, _)| *at).collect(),
        weight: (1..=rows.len() as u32).collect(),
        ..Chunk::default()
    };
    chunk.columns[Dimension::Host.index()] = Some(Column { codes, values: Arc::new(hosts.values) });
    chunk.numbers[Number::ResponseBytes.index()] = Some((0..rows.len() as u64).map(|row| row * 100).collect());
    chunk
}

const ALWAYS: Span = Span { from: Moment(i64::MIN), to: Moment(i64::MAX) };

fn everything(shelf: &Shelf, table: Table) -> Vec<crate::segment::tests::Row> {
    let chunks = shelf.chunks(table, ALWAYS, &Wanted::all()).unwrap();
    let mut rows: Vec<_> = chunks.iter().flat_map(|chunk| rows_of(chunk)).collect();
    rows.sort();
    rows
}

/// Weight and bytes by hour and host.
fn hours(shelf: &Shelf) -> BTreeMap<(i64, String), (u64, u64)> {
    let mut hours = BTreeMap::new();
    for (at, weight, _, texts, numbers, _) in everything(shelf, Table::Hours) {
        assert_eq!(at % HOUR, 0);
        let sum: &mut (u64, u64) = hours.entry((at, texts[0].1.clone())).or_default();
        sum.0 += u64::from(weight);
        sum.1 += numbers[0].1;
    }
    hours
}

fn options(folder: &Path) -> Options {
    Options {
        folder: folder.to_owned(),
        requests_age: Duration::from_secs(7 * 86400),
        counts_age: Duration::from_secs(90 * 86400),
        max_bytes: u64::MAX,
        mask_addresses: false,
        mask_queries: false,
    }
}

fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name != "lock");
    names.sort();
    names
}

#[test]
fn spans_and_columns_are_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = Shelf::open(folder.path()).unwrap();
    for minute in [2, 0, 1] {
        shelf.add(Table::Requests, &fine_requests(START + minute * MINUTE, 100)).unwrap();
    }
    let span = Span { from: Moment(START + 1), to: Moment(START + MINUTE) };
    let wanted = Wanted { numbers: vec![Number::Wait, Number::Dns], ..Wanted::default() };
    let chunks = shelf.chunks(Table::Requests, span, &wanted).unwrap();
    assert_eq!(chunks.len(), 1);
    // of a row group that begins before the span, its rows in the span
    assert_eq!((chunks[0].len(), chunks[0].at[0]), (99, requests(START, 2).at[1]));
    assert!(chunks[0].rays.is_empty() && chunks[0].lines.is_empty());
    assert!(chunks[0].columns.iter().all(Option::is_none));
    assert_eq!(chunks[0].numbers[Number::Wait.index()].as_ref().unwrap()[98], 99);
    assert!(chunks[0].numbers[Number::Dns.index()].is_none());
    assert!(shelf.chunks(Table::Times, ALWAYS, &Wanted::all()).unwrap().is_empty());
    let firsts: Vec<_> =
        shelf.chunks(Table::Requests, ALWAYS, &wanted).unwrap().iter().map(|chunk| chunk.at[0]).collect();
    assert_eq!(firsts, [START, START + MINUTE, START + 2 * MINUTE]);
    assert!(files(folder.path())[0].starts_with("requests_2024-10-04T000000Z_2024-10-04T000000Z_"));
}

#[test]
fn failed_requests_are_kept_apart_and_nothing_else_is_read_for_them() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = Shelf::open(folder.path()).unwrap();
    for minute in 0..3 {
        shelf.add(Table::Requests, &requests(START + minute * MINUTE, 99)).unwrap();
    }
    let rows = |outcome: Outcome| {
        let wanted = Wanted { dimensions: vec![Dimension::Code], outcome, ..Wanted::default() };
        let chunks = shelf.chunks(Table::Requests, ALWAYS, &wanted).unwrap();
        chunks.iter().map(|chunk| chunk.len()).sum::<usize>()
    };
    let all = [Outcome::Any, Outcome::Failed, Outcome::Fine];
    assert_eq!(all.map(rows), [297, 99, 198]);
    shelf.trim(Moment(START + 2 * DAY), &options(folder.path())).unwrap();
    assert_eq!((files(folder.path()).len(), all.map(rows)), (1, [297, 99, 198]));
    // a number's bounds tell that none is so great
    let at_least = |least: u64| {
        let at_least = Some((Number::RequestBytes, least));
        shelf.chunks(Table::Requests, ALWAYS, &Wanted { at_least, ..Wanted::default() }).unwrap().len()
    };
    let mut large = fine_requests(START + HOUR, 9);
    large.numbers[Number::RequestBytes.index()] = Some((0..9).collect());
    shelf.add(Table::Requests, &large).unwrap();
    assert_eq!((at_least(8), at_least(9)), (3, 2), "what is not known counts too");
}

#[test]
fn many_row_groups_come_in_order_and_only_as_long_as_they_are_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = Shelf::open(folder.path()).unwrap();
    for minute in 0..30 {
        shelf.add(Table::Requests, &fine_requests(START + (minute * 7 % 30) * MINUTE, 5)).unwrap();
    }
    let mut firsts = Vec::new();
    let mut visited = |most: usize| {
        firsts.clear();
        shelf.visit(Table::Requests, ALWAYS, &Wanted::all(), &mut |chunk| {
            firsts.push(chunk.at[0]);
            if firsts.len() == most { Err(io::Error::other("enough")) } else { Ok(()) }
        })
    };
    visited(usize::MAX).unwrap();
    assert_eq!(visited(12).unwrap_err().to_string(), "enough");
    assert!(firsts.iter().copied().eq((0..12).map(|minute| START + minute * MINUTE)));
}

#[test]
fn rows_that_come_out_of_order_are_stored_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = Shelf::open(folder.path()).unwrap();
    let mixed = Chunk::concat(&[Arc::new(fine_requests(START + MINUTE, 10)), Arc::new(minutes(START, 3))]);
    shelf.add(Table::Requests, &mixed).unwrap();
    let chunks = shelf.chunks(Table::Requests, ALWAYS, &Wanted::all()).unwrap();
    assert!(chunks[0].at.is_sorted());
    assert_eq!(chunks[0].len(), 16);
    let hosts = chunks[0].columns[Dimension::Host.index()].as_ref().unwrap();
    assert_eq!(&*hosts.values[hosts.codes[2] as usize], "");
}

#[test]
fn a_journal_is_sealed_once() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = Shelf::open(folder.path()).unwrap();
    shelf.seal(3, Table::Requests, &requests(START, 10)).unwrap();
    drop(shelf);
    let shelf = Shelf::open(folder.path()).unwrap();
    assert!(shelf.has_sealed(3, Table::Requests) && !shelf.has_sealed(3, Table::Minutes));
    shelf.seal(3, Table::Requests, &requests(START, 10)).unwrap();
    shelf.seal(3, Table::Minutes, &minutes(START, 10)).unwrap();
    assert_eq!(everything(&shelf, Table::Requests).len(), 10);
    assert_eq!(everything(&shelf, Table::Minutes).len(), 20);
    for journal in 4..12 {
        shelf.seal(journal, Table::Requests, &requests(START + journal as i64 * MINUTE, 10)).unwrap();
    }
    assert!(shelf.trim(Moment(START + HOUR), &options(folder.path())).unwrap().merged > 0);
    assert!((3..12).all(|journal| shelf.has_sealed(journal, Table::Requests)));
    assert!(!shelf.has_sealed(12, Table::Requests));
}

#[test]
fn a_ray_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = Shelf::open(folder.path()).unwrap();
    for minute in 0..5 {
        shelf.add(Table::Requests, &requests(START + minute * MINUTE, 5000)).unwrap();
    }
    let lines = shelf.ray(ray_at(START + 3 * MINUTE + 4_321_000_000)).unwrap();
    assert_eq!(lines, [Bytes::from(format!("{{\"from\":{},\"row\":4321}}", START + 3 * MINUTE))]);
    assert!(shelf.ray(RayId(5)).unwrap().is_empty());
    // The same twice: both.
    shelf.add(Table::Requests, &requests(START, 10)).unwrap();
    assert_eq!(shelf.ray(ray_at(START)).unwrap().len(), 2);
}

#[test]
fn hours_are_sums_of_minutes_before_and_after_they_are_summed_up() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = Shelf::open(folder.path()).unwrap();
    for part in 0..15 {
        shelf.add(Table::Minutes, &minutes(START + part * 10 * MINUTE, 10)).unwrap();
    }
    let (before, all) = (hours(&shelf), everything(&shelf, Table::Minutes));
    assert_eq!(before.len(), 6);
    let trimmed = shelf.trim(Moment(START + 2 * HOUR + HOUR / 2), &options(folder.path())).unwrap();
    assert!(trimmed.merged > 0);
    assert_eq!(hours(&shelf), before);
    assert!(everything(&shelf, Table::Hours).len() < all.len());
    assert_eq!(everything(&shelf, Table::Minutes), all);
    // Late ones for an hour that is summed up, and again after a day.
    shelf.add(Table::Minutes, &minutes(START, 1)).unwrap();
    let with_late = hours(&shelf);
    assert_eq!(with_late.values().map(|sum| sum.0).sum::<u64>(), before.values().map(|sum| sum.0).sum::<u64>() + 3);
    shelf.trim(Moment(START + 2 * DAY), &options(folder.path())).unwrap();
    assert_eq!(hours(&shelf), with_late);
    drop(shelf);
    let shelf = Shelf::open(folder.path()).unwrap();
    assert_eq!(hours(&shelf), with_late);
    assert_eq!(files(folder.path()).len(), 3, "{:?}", files(folder.path()));
    assert_eq!(shelf.trim(Moment(START + 2 * DAY), &options(folder.path())).unwrap(), Trimmed::default());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn quantiles_of_times_are_the_same_before_and_after_they_are_summed_up(seed: u64, minute in 0..60_i64, rows in 500..3_000_usize) {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(folder.path()).unwrap();
        let (from, to) = (Moment(START), Moment(START + 8 * HOUR));
        let mut made = Requests::new(Shape { seed, from, to, rows, weight: 3, failed: 0.1 });
        for _ in 0..4 {
            shelf.add(Table::Times, &times_of(&made.take(rows / 4))).unwrap();
        }
        let span = Span { from: Moment(START + minute * MINUTE), to: Moment(START + 7 * HOUR + minute * MINUTE) };
        let quantiles = vec![(Number::Wait, 0.5), (Number::Wait, 0.99), (Number::Tcp, 0.9), (Number::Duration, 1.0)];
        let counted = || run(&shelf, &Query { by: vec![Dimension::Phase, Dimension::Origin], quantiles: quantiles.clone(), ..Query::new(span) }).unwrap();
        let before = counted();
        prop_assert_eq!(before.table, Table::HourlyTimes);
        prop_assert!(everything(&shelf, Table::HourlyTimes).len() >= before.groups.len());
        let sums = |shelf: &Shelf| everything(shelf, Table::HourlyTimes).iter().map(|row| u64::from(row.1)).sum::<u64>();
        let sum = sums(&shelf);
        shelf.trim(Moment(START + 9 * HOUR), &options(folder.path())).unwrap();
        prop_assert!(files(folder.path()).iter().any(|name| name.starts_with("hourly_times")));
        let after = counted();
        prop_assert_eq!((&before.groups, &before.others, &before.total), (&after.groups, &after.others, &after.total));
        prop_assert_eq!(sums(&shelf), sum);
    }
}

#[test]
fn the_old_goes_and_the_oldest_of_too_much() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = Shelf::open(folder.path()).unwrap();
    for day in 0..3 {
        shelf.add(Table::Requests, &requests(START + day * DAY, 1000)).unwrap();
        shelf.add(Table::Minutes, &minutes(START + day * DAY, 5)).unwrap();
    }
    let mut options = options(folder.path());
    options.requests_age = Duration::from_secs(2 * 86400);
    let trimmed = shelf.trim(Moment(START + 2 * DAY + HOUR), &options).unwrap();
    assert_eq!(trimmed.files, 1);
    assert_eq!(everything(&shelf, Table::Requests).len(), 2000);
    let counts: u64 =
        shelf.segments().unwrap().iter().filter(|it| it.facts.table != Table::Requests).map(|it| it.bytes).sum();
    let newest =
        shelf.segments().unwrap().iter().filter(|it| it.facts.table == Table::Requests).map(|it| it.bytes).max();
    options.max_bytes = counts + newest.unwrap() + 1;
    shelf.trim(Moment(START + 2 * DAY + HOUR), &options).unwrap();
    assert_eq!(everything(&shelf, Table::Requests).len(), 1000);
    assert!(everything(&shelf, Table::Requests)[0].0 >= START + 2 * DAY);
    options.max_bytes = 0;
    shelf.trim(Moment(START + 2 * DAY + HOUR), &options).unwrap();
    assert_eq!(files(folder.path()), Vec::<String>::new());
    assert!(hours(&shelf).is_empty());
}

#[test]
fn damaged_files_are_set_aside_and_noted() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = Shelf::open(folder.path()).unwrap();
    for minute in 0..3 {
        shelf.add(Table::Requests, &fine_requests(START + minute * MINUTE, 1000)).unwrap();
    }
    let names = files(folder.path());
    drop(shelf);
    let (cut, overwritten) = (folder.path().join(&names[0]), folder.path().join(&names[1]));
    let bytes = fs::read(&cut).unwrap();
    fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    let mut bytes = fs::read(&overwritten).unwrap();
    bytes[4..200].fill(0x55);
    fs::write(&overwritten, bytes).unwrap();
    fs::write(folder.path().join("requests_9.unfinished"), "half").unwrap();
    fs::write(folder.path().join("somebody's notes.txt"), "stays").unwrap();
    let shelf = Shelf::open(folder.path()).unwrap();
    assert!(shelf.notes()[0].contains("set aside"), "{:?}", shelf.notes());
    assert!(folder.path().join(format!("{}.damaged", names[0])).exists());
    assert!(!folder.path().join("requests_9.unfinished").exists());
    assert!(folder.path().join("somebody's notes.txt").exists());
    assert_eq!(everything(&shelf, Table::Requests).len(), 1000);
    assert!(shelf.notes()[1].contains("left out"), "{:?}", shelf.notes());
    // A day later, when all of them should become one, what cannot be read stays as it is.
    shelf.add(Table::Requests, &fine_requests(START + 9 * MINUTE, 1000)).unwrap();
    shelf.trim(Moment(START + 2 * DAY), &options(folder.path())).unwrap();
    assert_eq!(everything(&shelf, Table::Requests).len(), 2000);
    assert!(overwritten.exists());
}

#[test]
fn one_writes_and_others_read_along() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = Shelf::open(folder.path()).unwrap();
    assert_eq!(Shelf::open(folder.path()).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    let reader = Shelf::open_read_only(folder.path()).unwrap();
    assert!(everything(&reader, Table::Requests).is_empty());
    for minute in 0..20 {
        shelf.add(Table::Requests, &requests(START + minute * MINUTE, 10)).unwrap();
        assert_eq!(everything(&reader, Table::Requests).len(), 10 * (minute as usize + 1));
    }
    shelf.trim(Moment(START + HOUR), &options(folder.path())).unwrap();
    assert_eq!(everything(&reader, Table::Requests).len(), 200);
    assert_eq!(reader.add(Table::Requests, &requests(START, 1)).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    assert!(reader.trim(Moment(START), &options(folder.path())).is_err());
}

/// While one thread adds and tidies up, others never see a row twice or miss one that was there.
#[test]
fn reading_goes_on_while_files_are_merged() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = Shelf::open(folder.path()).unwrap();
    let reader = Shelf::open_read_only(folder.path()).unwrap();
    let (added, done) = (AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let _done = Done(&done);
            for part in 0..60 {
                shelf.add(Table::Minutes, &minutes(START + part * 5 * MINUTE, 5)).unwrap();
                added.fetch_add(10, Ordering::SeqCst);
                shelf.trim(Moment(START + part * 5 * MINUTE), &options(folder.path())).unwrap();
            }
        });
        for shelf in [&shelf, &reader] {
            let (added, done) = (&added, &done);
            scope.spawn(move || {
                while !done.load(Ordering::SeqCst) {
                    let least = added.load(Ordering::SeqCst);
                    let rows = everything(shelf, Table::Minutes);
                    let most = added.load(Ordering::SeqCst) + 10;
                    assert!((least..=most).contains(&(rows.len() as u64)), "{least} {} {most}", rows.len());
                    assert!(rows.windows(2).all(|pair| pair[0] != pair[1]));
                }
            });
        }
    });
    assert_eq!(everything(&reader, Table::Minutes).len(), 600);
    assert_eq!(hours(&reader), hours(&shelf));
}

/// Says so, also if its thread panics.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}
