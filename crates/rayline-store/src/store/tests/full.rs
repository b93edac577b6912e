//! A disk that is full: a small one of the test's own, in a mount namespace.

use std::fs;
use std::io::Write as _;

use super::*;

/// Set in the process that has the small disk: where it is.
const DISK: &str = "RAYLINE_STORE_SMALL_DISK";
const TEST: &str = "store::tests::full::a_full_disk_costs_rows_and_nothing_else";

/// Rows that are handed over at once.
const BATCH: u64 = 50;

#[test]
fn a_full_disk_costs_rows_and_nothing_else() {
    if let Some(disk) = std::env::var_os(DISK) {
        return fill_and_empty(Path::new(&disk));
    }
    let folder = tempfile::tempdir().unwrap();
    let mount = format!("mount -t tmpfs -o size=3m none '{}'", folder.path().display());
    let unshare = |own_user: bool, line: &str| {
        let mut command = Command::new("unshare");
        command.args(own_user.then_some(["--user", "--map-root-user"]).into_iter().flatten());
        command.args(["--mount", "--propagation", "private", "sh", "-ec", line, "sh"]);
        command
    };
    let can = |own_user| unshare(own_user, &mount).output().is_ok_and(|output| output.status.success());
    let Some(own_user) = [false, true].into_iter().find(|own_user| can(*own_user)) else {
        // Past the capture of a passing test's output: nobody is to believe that it ran.
        let line = format!("{TEST} is skipped: no `tmpfs` in a mount namespace with `unshare`\n");
        return std::io::stderr().write_all(line.as_bytes()).unwrap();
    };
    let output = unshare(own_user, &format!("{mount}; exec \"$@\""))
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", TEST, "--nocapture"])
        .env(DISK, folder.path())
        .output()
        .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    assert_eq!(said.matches("cannot be kept: No space left").count(), 2, "said once each time: {said}");
    assert!(said.contains("its journal is written again; requests lost so far: "), "{said}");
}

/// A lane and what it has handed over.
struct Traffic {
    intake: Intake,
    take: Take,
    sent: u64,
}

impl Traffic {
    fn send(&mut self, store: &Store) {
        for _ in 0..BATCH {
            take_in(&refused(self.sent as i64, self.sent), &mut self.intake, &mut self.take);
            self.sent += 1;
        }
        self.take.hand_over();
        store.sync();
    }
}

fn fill_and_empty(disk: &Path) {
    let store = open(&disk.join("store"));
    let (intake, take) = lane(&store);
    let mut traffic = Traffic { intake, take, sent: 0 };
    let filler = disk.join("filler");
    for _ in 0..2 {
        fs::write(&filler, vec![1; 1 << 20]).unwrap();
        until("the disk is full", || {
            traffic.send(&store);
            store.health().error.is_some_and(|error| error.contains("cannot be kept: No space left"))
        });
        // What is there can be asked for, counts are exact, and rows are either kept or counted as lost.
        let health = store.health();
        assert!(health.lost_failures > 0);
        assert_eq!(health.rows + health.lost_failures, traffic.sent);
        assert_eq!(ask(&store, Dimension::Code)[0].1.failed, traffic.sent);
        assert_eq!(ask(&store, Dimension::Agent)[0].1.failed, health.rows);
        // Neither a new journal nor a file finds room; what was tried is in nobody's way later.
        store.seal();
        store.sync();
        fs::remove_file(&filler).unwrap();
        until("the store writes again", || {
            traffic.send(&store);
            store.health().error.is_none()
        });
        // Both threads are well again: what is in memory goes to files.
        let before = journals(&disk.join("store")).into_iter().max();
        until("a new journal is begun, and the one before is sealed", || {
            store.seal();
            store.sync();
            let numbers = journals(&disk.join("store"));
            numbers.len() == 1 && numbers.into_iter().max() > before
        });
    }
    let health = store.health();
    assert_eq!((health.rows + health.lost_failures, health.error), (traffic.sent, None));
    store.stop();
    drop(store);
    let store = open(&disk.join("store"));
    assert_eq!(ask(&store, Dimension::Agent)[0].1.failed, health.rows);
    store.stop();
}
