//! A process that is killed between any two steps of sealing, summing up and merging loses nothing and doubles nothing.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use super::*;

const FOLDER: &str = "RAYLINE_STORE_FOLDER";
const STOP: &str = "RAYLINE_STORE_STOP";

/// What stands before the crash: sealed files enough to be merged.
fn prepare(folder: &Path) {
    let shelf = Shelf::open(folder).unwrap();
    for journal in 0..10 {
        shelf.seal(journal, Table::Requests, &requests(START + journal as i64 * MINUTE, 20)).unwrap();
        shelf.seal(journal, Table::Minutes, &minutes(START + journal as i64 * 15 * MINUTE, 15)).unwrap();
    }
}

/// What the process does that is killed, and what is done again by the one that finds what it has left.
fn work(shelf: &Shelf, folder: &Path) {
    shelf.seal(10, Table::Requests, &requests(START + 10 * MINUTE, 20)).unwrap();
    shelf.seal(10, Table::Minutes, &minutes(START + 150 * MINUTE, 15)).unwrap();
    shelf.trim(Moment(START + 2 * HOUR), &options(folder)).unwrap();
    shelf.seal(11, Table::Minutes, &minutes(START, 1)).unwrap();
    shelf.trim(Moment(START + 2 * DAY), &options(folder)).unwrap();
}

/// The process that is killed: the test below starts it.
#[test]
fn process() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        let folder = Path::new(&folder);
        work(&Shelf::open(folder).unwrap(), folder);
    }
}

/// Runs the work up to a step and kills it there; `false` if it ended without getting there.
fn killed_at(folder: &Path, step: &str) -> bool {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "shelf::tests::crash::process", "--nocapture"])
        .env(FOLDER, folder)
        .env(STOP, step)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let stopped = format!("stopped at {step}");
    let reached = BufReader::new(child.stdout.take().unwrap()).lines().any(|line| line.unwrap() == stopped);
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().success(), !reached);
    reached
}

#[test]
fn nothing_is_lost_or_doubled_wherever_it_is_killed() {
    let whole = tempfile::tempdir().unwrap();
    prepare(whole.path());
    let shelf = Shelf::open(whole.path()).unwrap();
    work(&shelf, whole.path());
    let (all_requests, all_hours) = (everything(&shelf, Table::Requests), hours(&shelf));
    let all_minutes = everything(&shelf, Table::Minutes);
    assert_eq!((all_requests.len(), all_minutes.len()), (220, 332));
    let mut kills = 0;
    for step in ["begun", "written", "synced", "named", "removed"] {
        for nth in 1.. {
            let folder = tempfile::tempdir().unwrap();
            prepare(folder.path());
            if !killed_at(folder.path(), &format!("{step} {nth}")) {
                break;
            }
            kills += 1;
            // Before the rest is done: what was there is there, once.
            let reader = Shelf::open_read_only(folder.path()).unwrap();
            let found = everything(&reader, Table::Requests);
            assert!(found == all_requests || found == all_requests[..200], "{step} {nth}: {} requests", found.len());
            let minutes: u64 = everything(&reader, Table::Minutes).iter().map(|row| u64::from(row.1)).sum();
            assert_eq!(hours(&reader).values().map(|sum| sum.0).sum::<u64>(), minutes, "{step} {nth}");
            let shelf = Shelf::open(folder.path()).unwrap();
            work(&shelf, folder.path());
            assert_eq!(everything(&shelf, Table::Requests), all_requests, "{step} {nth}");
            assert_eq!(everything(&shelf, Table::Minutes), all_minutes, "{step} {nth}");
            assert_eq!(hours(&shelf), all_hours, "{step} {nth}");
            assert_eq!(shelf.notes(), Vec::<String>::new());
            assert!(files(folder.path()).iter().all(|name| name.ends_with(".parquet")), "{:?}", files(folder.path()));
        }
    }
    assert!(kills > 40, "{kills}");
}
