//! The whole store: what goes in is there, wherever it lies at the moment and whatever has happened to the process.

mod full;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use proptest::prelude::*;

use super::*;
use crate::dimension::Dimension;
use crate::intake::Take;
use crate::journal;
use crate::query::Sum;
use crate::samples::{NOON, fine, ray, refused, take_in};
use crate::writer::Limits;

const MINUTE: i64 = 60_000_000_000;

fn lane(store: &Store) -> (Intake, Take) {
    let intake = store.intake().unwrap();
    let take = intake.take();
    (intake, take)
}

fn open(folder: &Path) -> Store {
    Store::open(Options { mask_addresses: true, ..Options::new(folder.to_owned()) }).unwrap()
}

/// The requests of an hour from noon by a dimension.
fn ask(store: &Store, by: Dimension) -> Vec<(String, Sum)> {
    let span = Span { from: Moment(NOON), to: Moment(NOON + 60 * MINUTE) };
    let query = Query { span, filters: Vec::new(), by: vec![by], step: None, top: 0, quantiles: Vec::new() };
    let mut groups: Vec<_> =
        store.query(&query).unwrap().groups.into_iter().map(|group| (group.key.join(""), group.sum)).collect();
    groups.sort_by(|(a, _), (b, _)| a.cmp(b));
    groups
}

fn until(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    while !so() {
        assert!(std::time::Instant::now() < deadline, "not within a minute: {what}");
        std::thread::yield_now();
    }
}

fn journals(folder: &Path) -> Vec<u64> {
    journal::numbers(folder).unwrap()
}

#[test]
fn what_is_asked_is_the_same_in_memory_in_files_and_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let (mut intake, mut take) = lane(&store);
    let mut expected = 0;
    for nth in 0..20_000 {
        let at = nth as i64 * 100_000;
        take_in(&fine(at, nth), &mut intake, &mut take);
        if nth % 100 == 0 {
            take_in(&refused(at, nth), &mut intake, &mut take);
            expected += 1;
        }
    }
    take.hand_over();
    store.sync();
    let looks_right = |store: &Store| {
        let codes = ask(store, Dimension::Code);
        let [(fine, successes), (refused, failures)] = &codes[..] else { panic!("{codes:?}") };
        assert_eq!((fine.as_str(), refused.as_str()), ("", "origin.connect.refused"));
        assert_eq!((successes.requests, successes.failed), (20_000.0, 0));
        assert_eq!((failures.requests, failures.failed, failures.error), (200.0, expected, 0.0));
        // by what is not rolled up: estimated
        let [(agent, all)] = &ask(store, Dimension::Agent)[..] else { panic!("more than one agent") };
        assert_eq!((agent.as_str(), all.failed), ("browser", expected));
        assert!((all.requests - 20_200.0).abs() <= 4.0 * all.error, "{all:?}");
        let lines = store.rays(ray(Moment(NOON + 500 * 100_000), 500)).unwrap();
        let refused = lines.iter().filter(|line| line.windows(7).any(|part| part == b"Verdict")).count();
        assert_eq!(refused, 1);
        assert!(lines.iter().all(|line| line.ends_with(b"}")));
        (codes, all.clone())
    };
    let in_memory = looks_right(&store);
    store.seal();
    store.sync();
    until("the journal is sealed", || journals(folder.path()) == [2]);
    assert_eq!(looks_right(&store), in_memory);
    // more, which stays in memory
    take_in(&refused(MINUTE, 1), &mut intake, &mut take);
    take.hand_over();
    store.stop();
    assert_eq!(store.health(), Health { rows: store.health().rows, bytes: store.health().bytes, ..Health::default() });
    drop((store, intake, take));
    let read = Store::read(folder.path()).unwrap();
    assert_eq!(ask(&read, Dimension::Code)[1].1.failed, expected + 1);
    assert!(read.intake().is_none());
    let again = open(folder.path());
    assert_eq!(ask(&again, Dimension::Code)[1].1.failed, expected + 1);
    assert_eq!(journals(folder.path()), [2]);
    assert_eq!(again.rays(refused(MINUTE, 1).ray).unwrap().len(), 1);
    again.stop();
}

#[test]
fn rows_move_to_files_while_somebody_looks_at_them() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let (mut intake, mut take) = lane(&store);
    for nth in 0..10_000 {
        take_in(&refused(nth as i64, nth), &mut intake, &mut take);
        if nth % 1000 == 999 {
            take.hand_over();
            store.sync();
        }
    }
    let always = Span { from: Moment(i64::MIN), to: Moment(i64::MAX) };
    let mut lines = 0;
    let visited = store.visit(Table::Requests, always, &Wanted::all(), &mut |chunk| {
        store.seal();
        until("the journal is sealed", || journals(folder.path()) == [2]);
        lines += chunk.lines.iter().filter(|line| line.ends_with(b"}")).count();
        Ok(())
    });
    visited.unwrap();
    assert_eq!(lines, 10_000);
    store.stop();
}

#[test]
fn what_is_kept_is_masked_on_disk_too() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let (mut intake, mut take) = lane(&store);
    let record = refused(0, 5);
    take_in(&record, &mut intake, &mut take);
    take.hand_over();
    store.sync();
    let line = String::from_utf8(store.rays(record.ray).unwrap().remove(0).to_vec()).unwrap();
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["ClientIP"], "192.0.2.0");
    assert_eq!(line["ClientRequestURI"], "/item/5?token=*");
    assert_eq!(line["VerdictEvidence"]["first_bytes"], r"GET /?token=* HTTP/1.1\r\n192.0.2.0");
    assert_eq!(ask(&store, Dimension::Client)[0].0, "192.0.2.0");
    assert_eq!(ask(&store, Dimension::Path)[0].0, "/item/5");
    let journal = std::fs::read(journal::path(folder.path(), 1)).unwrap();
    let journal = String::from_utf8_lossy(&journal);
    assert!(!journal.contains("s3cret") && !journal.contains("192.0.2.77"), "{journal}");
    store.stop();
}

#[test]
fn what_finds_no_room_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let (mut intake, mut take) = lane(&store);
    // the thread that takes everything in waits here
    let held = store.shared.open();
    for nth in 0..20_000 {
        for record in [fine(0, nth), refused(0, nth)] {
            let weight = intake.count(&record, &mut take).unwrap_or(std::num::NonZeroU32::MIN);
            let mut line = Vec::new();
            rayline_verdict::log_line::write(&record, &mut line);
            take.keep(&record, weight, &line);
        }
        if nth % 100 == 0 {
            take.hand_over();
        }
    }
    drop(held);
    take.hand_over();
    store.sync();
    take.hand_over();
    store.sync();
    let health = store.health();
    assert!(health.lost_successes > 0 && health.lost_failures > 0, "{health:?}");
    assert_eq!(health.rows + health.lost_successes + health.lost_failures, 40_000);
    // and the counts are exact all the same
    let codes = ask(&store, Dimension::Code);
    assert_eq!(codes.iter().map(|(_, sum)| sum.requests).collect::<Vec<_>>(), [20_000.0, 20_000.0]);
    store.stop();
}

#[test]
fn a_disk_that_takes_no_more_is_said_once_and_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    // where the first journal would be there is something else
    let obstacle = journal::path(folder.path(), 1);
    let store = open(folder.path());
    std::fs::create_dir(&obstacle).unwrap();
    let (mut intake, mut take) = lane(&store);
    for nth in 0..10 {
        take_in(&refused(0, nth), &mut intake, &mut take);
    }
    take.hand_over();
    store.sync();
    let health = store.health();
    assert_eq!((health.rows, health.lost_failures), (0, 10));
    assert!(health.error.unwrap().contains("cannot be kept"));
    // counts are there for as long as the process is
    assert_eq!(ask(&store, Dimension::Code)[0].1.failed, 10);
    std::fs::remove_dir(&obstacle).unwrap();
    let mut tries = 0;
    until("the store has recovered", || {
        tries += 1;
        take_in(&refused(0, 100 + tries), &mut intake, &mut take);
        take.hand_over();
        store.sync();
        store.health().error.is_none()
    });
    assert_eq!(store.health().rows + store.health().lost_failures, 10 + tries);
    store.stop();
}

#[test]
fn only_one_process_writes_and_others_read_along() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let (mut intake, mut take) = lane(&store);
    take_in(&refused(0, 1), &mut intake, &mut take);
    take.hand_over();
    store.sync();
    let error = Store::open(Options::new(folder.path().to_owned())).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    let read = Store::read(folder.path()).unwrap();
    assert_eq!(ask(&read, Dimension::Code)[0].1.failed, 1);
    assert_eq!(read.rays(refused(0, 1).ray).unwrap().len(), 1);
    store.stop();
}

#[test]
fn what_is_of_another_format_is_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(journal::path(folder.path(), 4), b"rayline journal 9\nsomething").unwrap();
    std::fs::write(journal::path(folder.path(), 5), b"rayline jour").unwrap();
    let store = open(folder.path());
    let health = store.health();
    assert!(health.notes[0].contains("journal-4.damaged"), "{health:?}");
    assert!(folder.path().join("journal-4.damaged").exists());
    assert_eq!((health.notes.len(), journals(folder.path())), (1, vec![5]));
    store.stop();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn journals_of_any_bytes_are_opened(first: Vec<u8>, last: Vec<u8>, begun: bool) {
        let folder = tempfile::tempdir().unwrap();
        for (number, bytes) in [(1, &first), (2, &last)] {
            let head: &[u8] = if begun { b"rayline journal 1\n" } else { b"" };
            std::fs::write(journal::path(folder.path(), number), [head, bytes].concat()).unwrap();
        }
        let store = open(folder.path());
        let (mut intake, mut take) = lane(&store);
        take_in(&refused(0, 1), &mut intake, &mut take);
        take.hand_over();
        store.sync();
        prop_assert_eq!(ask(&store, Dimension::Code)[0].1.failed, 1);
        store.stop();
    }
}

/// In its environment: the folder of the store that [`writes_until_it_is_killed`] writes to, and its first number.
const FOLDER: &str = "RAYLINE_STORE_TEST_FOLDER";
const FIRST: &str = "RAYLINE_STORE_TEST_FIRST";

/// Requests that are handed over at once.
const BATCH: u64 = 100;

/// Not a test by itself: the process that [`a_killed_process_loses_nothing_that_was_written`] kills. It says the number of
/// each batch that is written.
#[test]
fn writes_until_it_is_killed() {
    let (Ok(folder), Ok(first)) = (std::env::var(FOLDER), std::env::var(FIRST)) else { return };
    let limits = Limits { rows: 700, bytes: 1 << 20, age: Duration::from_millis(50) };
    let store = Store::open_with(Options::new(folder.into()), limits).unwrap();
    let (mut intake, mut take) = lane(&store);
    let mut next: u64 = first.parse().unwrap();
    loop {
        for nth in next..next + BATCH {
            take_in(&refused(nth as i64 * 1000, nth), &mut intake, &mut take);
        }
        next += BATCH;
        take.hand_over();
        store.sync();
        // More would be lost, and counted: the files of a debug build take their time.
        until("files are made", || store.shared.open().sealing.len() < 2);
        assert_eq!(store.health().lost_failures, 0);
        writeln!(std::io::stderr(), "written {next}").unwrap();
    }
}

#[test]
fn a_killed_process_loses_nothing_that_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let (mut first, mut written, mut ends) = (0_u64, 0, Vec::new());
    for round in 0..12_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "store::tests::writes_until_it_is_killed", "--nocapture"])
            .env(FOLDER, folder.path())
            .env(FIRST, first.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut last = first;
        // so that it is killed in the middle of all kinds of things
        let batches = 3 + round * 5 % 17;
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let said = |line: String| line.strip_prefix("written ").map(|next| next.parse::<u64>().unwrap());
        for next in lines.by_ref().map(Result::unwrap).filter_map(said).take(batches as usize) {
            last = next;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        last = lines.map_while(Result::ok).filter_map(said).last().unwrap_or(last);
        assert!(last > first, "the process has written nothing");
        written += last - first;
        ends.push(first..last);
        first = last + 10 * BATCH;
    }
    let store = open(folder.path());
    assert_eq!(store.health().notes, Vec::<String>::new());
    let check = || {
        let always = Span { from: Moment(i64::MIN), to: Moment(i64::MAX) };
        let wanted = Wanted { dimensions: vec![Dimension::Path], ..Wanted::default() };
        let mut seen: Vec<u64> = Vec::new();
        for chunk in store.chunks(Table::Requests, always, &wanted).unwrap() {
            let column = chunk.columns[Dimension::Path.index()].as_ref().unwrap();
            let paths = column.codes.iter().map(|code| &column.values[*code as usize]);
            seen.extend(paths.map(|path| path.strip_prefix("/item/").unwrap().parse::<u64>().unwrap()));
        }
        seen.sort_unstable();
        let twice = seen.windows(2).find(|pair| pair[0] == pair[1]);
        assert_eq!(twice, None);
        for number in ends.iter().cloned().flatten() {
            assert!(seen.binary_search(&number).is_ok(), "{number} was written and is gone");
        }
        let most = written + BATCH * ends.len() as u64;
        assert!(seen.len() as u64 <= most);
        let counted = ask(&store, Dimension::Code)[0].1.failed;
        assert!((written..=most).contains(&counted), "{counted} were counted, {written} written");
        (seen, counted)
    };
    let before = check();
    store.seal();
    until("everything is sealed", || store.shared.open().sealing.is_empty());
    assert_eq!(check(), before);
    store.stop();
}
