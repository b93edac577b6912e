//! The request log under everything that happens to files.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use rayline_observe::{Observer, Target};

use crate::{observer, records, until, uris, uris_so_far};

#[test]
fn the_file_is_appended_to_and_not_everybody_may_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("made/for/it/requests.ndjson");
    for uri in ["/one", "/two"] {
        let (observer, mut lane) = observer(Target::File(path.clone()));
        lane.record(records::fine(uri));
        observer.stop();
    }
    assert_eq!(uris(&path), ["/one", "/two"]);
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o137, 0, "{mode:o}");
}

#[test]
fn after_a_rotation_the_name_is_opened_anew() {
    let folder = tempfile::tempdir().unwrap();
    let (path, rotated) = (folder.path().join("requests.ndjson"), folder.path().join("requests.ndjson.1"));
    let (observer, mut lane) = observer(Target::File(path.clone()));
    lane.record(records::fine("/before"));
    until("the record is in the file", || !uris_so_far(&path).is_empty());
    fs::rename(&path, &rotated).unwrap();
    lane.record(records::fine("/between"));
    until("the old file is written on", || uris_so_far(&rotated).len() == 2);
    observer.reopen();
    lane.record(records::fine("/after"));
    observer.stop();
    assert_eq!(uris(&rotated), ["/before", "/between"]);
    assert_eq!(uris(&path), ["/after"]);
}

#[test]
fn a_removed_folder_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log/requests.ndjson");
    let (observer, mut lane) = observer(Target::File(path.clone()));
    fs::remove_dir_all(path.parent().unwrap()).unwrap();
    until("there is a new file", || path.exists());
    lane.record(records::fine("/"));
    observer.stop();
    assert_eq!(uris(&path), ["/"]);
}

#[test]
fn a_full_disk_is_counted_and_nothing_is_lost_once_it_has_room() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("requests.ndjson");
    symlink("/dev/full", &path).unwrap();
    let (observer, mut lane) = observer(Target::File(path.clone()));
    lane.record(records::fine("/one"));
    until("the error is seen", || observer.health().log_error.is_some());
    let health = observer.health();
    assert!(health.log_write_errors > 0);
    assert!(health.log_error.unwrap().contains("No space left on device"));

    lane.record(records::fine("/two"));
    make_room(&path, folder.path());
    observer.reopen();
    until("the trouble is over", || observer.health().log_error.is_none());
    lane.record(records::fine("/three"));
    observer.clone().stop();
    assert_eq!(uris(&path), ["/one", "/two", "/three"]);
    assert_eq!(observer.health().records_lost, 0);
}

#[test]
fn what_a_full_disk_keeps_waiting_too_long_is_lost_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("requests.ndjson");
    symlink("/dev/full", &path).unwrap();
    let (observer, mut lane) = observer(Target::File(path.clone()));
    let long = format!("/{}", "x".repeat(8000));
    let mut sent = 0;
    until("records are lost", || {
        lane.record(records::refused(&long));
        sent += 1;
        observer.health().records_lost > 0
    });
    make_room(&path, folder.path());
    observer.reopen();
    until("the trouble is over", || observer.health().log_error.is_none());
    observer.clone().stop();
    assert_eq!(uris(&path).len() as u64 + observer.health().records_lost, sent);
}

#[test]
fn a_log_that_cannot_be_opened_does_not_keep_the_edge_from_starting() {
    let folder = tempfile::tempdir().unwrap();
    let blocker = folder.path().join("blocker");
    fs::write(&blocker, "a file where a folder should be").unwrap();
    let path = blocker.join("requests.ndjson");
    let (observer, mut lane) = observer(Target::File(path.clone()));
    lane.record(records::fine("/"));
    assert!(observer.health().log_error.unwrap().contains("cannot be opened"));
    fs::remove_file(&blocker).unwrap();
    until("the file is there after all", || !uris_so_far(&path).is_empty());
    observer.stop();
    assert_eq!(uris(&path), ["/"]);
}

#[test]
fn a_failed_reopening_leaves_the_old_file_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let (path, rotated) = (folder.path().join("requests.ndjson"), folder.path().join("requests.ndjson.1"));
    let (observer, mut lane) = observer(Target::File(path.clone()));
    fs::rename(&path, &rotated).unwrap();
    fs::create_dir(&path).unwrap();
    observer.reopen();
    until("the error is seen", || observer.health().log_error.is_some());
    lane.record(records::fine("/kept"));
    until("the old file is written on", || uris_so_far(&rotated) == ["/kept"]);
    fs::remove_dir(&path).unwrap();
    until("the name is opened at last", || path.is_file());
    until("the trouble is over", || observer.health().log_error.is_none());
    observer.stop();
}

#[test]
fn stopping_twice_is_harmless_and_an_observer_that_is_off_counts_all_the_same() {
    let (observer, mut lane) = observer(Target::Off);
    lane.record(records::refused("/"));
    let again: Observer = observer.clone();
    observer.stop();
    again.clone().stop();
    assert!(again.metrics().contains("code=\"origin.connect.refused\""));
    lane.record(records::fine("/too-late"));
}

/// Lets the name lead to a file instead of the full device.
fn make_room(path: &Path, folder: &Path) {
    let file = folder.join("room");
    fs::write(&file, "").unwrap();
    fs::rename(&file, path).unwrap();
}
