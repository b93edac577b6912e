//! Segments: how they are begun, found again, and given up.

use tempfile::TempDir;

use super::*;

const NOW: Moment = Moment(1_795_262_400_000_000_000);

fn bounds() -> Bounds {
    Bounds { segment_bytes: 40, segment_records: 4, segment_age: Duration::from_secs(30), total_bytes: 130 }
}

fn open(dir: &TempDir) -> Spool {
    Spool::open(dir.path(), bounds(), NOW).unwrap()
}

/// Puts a line of ten bytes.
fn put(spool: &mut Spool, number: u64) {
    spool.append(format!("line {number:04}\n").as_bytes(), 1, (NOW, Instant::now())).unwrap();
}

fn lines(spool: &Spool) -> Vec<String> {
    spool.sealed.iter().map(|batch| fs::read_to_string(spool.lines(batch)).unwrap()).collect()
}

#[test]
fn a_segment_ends_when_it_is_full() {
    let dir = TempDir::new().unwrap();
    let mut spool = open(&dir);
    let seven: String = (0..7).map(|number| format!("line {number:04}\n")).collect();
    spool.append(seven.as_bytes(), 7, (NOW, Instant::now())).unwrap();
    assert_eq!(lines(&spool), ["line 0000\nline 0001\nline 0002\nline 0003\n"]);
    // one that is longer than a segment has one to itself
    let long = format!("{}\n", "x".repeat(50));
    spool.append(long.as_bytes(), 1, (NOW, Instant::now())).unwrap();
    spool.seal(NOW).unwrap();
    assert_eq!(lines(&spool)[1..], ["line 0004\nline 0005\nline 0006\n".to_owned(), long]);
    let held = spool.held();
    assert_eq!((held.records, held.bytes, held.lost, held.oldest), (8, 121, 0, Some(NOW)));
}

#[test]
fn what_is_sealed_is_handed_out_to_be_synced_once() {
    use std::os::unix::fs::MetadataExt as _;
    let dir = TempDir::new().unwrap();
    let mut spool = open(&dir);
    put(&mut spool, 0);
    assert!(spool.unsynced().is_empty(), "the open one is the system's to write");
    spool.seal(NOW).unwrap();
    let unsynced = spool.unsynced();
    let inode = |meta: io::Result<fs::Metadata>| meta.unwrap().ino();
    let sealed = inode(fs::metadata(spool.lines(&spool.oldest().unwrap())));
    assert_eq!(unsynced.files.iter().map(|file| inode(file.metadata())).collect::<Vec<_>>(), [sealed]);
    unsynced.sync().unwrap();
    assert!(spool.unsynced().is_empty());
}

#[test]
fn a_new_process_finds_everything_but_half_a_line() {
    let dir = TempDir::new().unwrap();
    let mut first = open(&dir);
    for number in 0..6 {
        put(&mut first, number);
    }
    let id = first.oldest().unwrap().id;
    // the process ends while it writes
    let half = first.open.as_mut().unwrap();
    half.file.write_all(b"half of a li").unwrap();
    drop(first);
    fs::write(dir.path().join("0000000000000099.open"), "nothing whole").unwrap();
    fs::write(dir.path().join("notes.txt"), "somebody's").unwrap();
    fs::write(dir.path().join("other.ndjson"), "somebody's\n").unwrap();

    let mut second = open(&dir);
    assert_eq!(lines(&second), ["line 0000\nline 0001\nline 0002\nline 0003\n", "line 0004\nline 0005\n"]);
    let oldest = second.oldest().unwrap();
    assert_eq!((oldest.id, oldest.records), (id, 4), "a batch keeps its id");
    assert_eq!(second.held().records, 6);
    put(&mut second, 6);
    second.seal(NOW).unwrap();
    assert_eq!(second.sealed.iter().map(|batch| batch.sequence).collect::<Vec<_>>(), [0, 1, 2]);
    assert!(dir.path().join("notes.txt").exists() && dir.path().join("other.ndjson").exists());
}

#[test]
fn one_spool_is_one_processs() {
    let dir = TempDir::new().unwrap();
    let first = open(&dir);
    assert_eq!(Spool::open(dir.path(), bounds(), NOW).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    drop(first);
    open(&dir);
}

#[test]
fn what_was_refused_goes_before_the_oldest() {
    let dir = TempDir::new().unwrap();
    let mut spool = open(&dir);
    for number in 0..8 {
        put(&mut spool, number);
    }
    let second = spool.sealed.back().cloned().unwrap();
    spool.set_aside(&second).unwrap();
    assert_eq!((spool.held().refused, spool.held().records), (4, 4));
    for number in 8..17 {
        put(&mut spool, number);
    }
    assert_eq!((spool.held().refused, spool.held().lost, spool.held().bytes), (0, 0, 130));
    put(&mut spool, 17);
    let held = spool.held();
    assert_eq!((held.lost, held.records), (4, 10));
    let gone = spool.sealed.front().unwrap().clone();
    assert_eq!(fs::read_to_string(spool.lines(&gone)).unwrap().lines().next(), Some("line 0008"));
    // what was dropped while it was under way is neither an error nor counted again
    let dropped = Batch { sequence: 0, ..gone };
    spool.arrived(&dropped).unwrap();
    spool.unreadable(&dropped);
    assert_eq!(spool.held(), held);
}
