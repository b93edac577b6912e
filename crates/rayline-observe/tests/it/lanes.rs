//! What the lanes promise the edge: quick delivery, and counting instead of waiting.

use rayline_observe::{Feed, Observer, Options, Target};

use crate::metrics::samples;
use crate::{observer, records, until, uris, uris_so_far};

#[test]
fn a_record_is_in_the_file_without_another_one_behind_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("requests.ndjson");
    let (observer, mut lane) = observer(Target::File(path.clone()));
    for count in 1..=5 {
        lane.record(records::fine("/"));
        until("the record is in the file", || uris_so_far(&path).len() == count);
    }
    observer.stop();
    assert_eq!(uris(&path).len(), 5);
}

#[test]
fn records_of_all_lanes_land_and_the_last_ones_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("requests.ndjson");
    let options = Options { log: Target::File(path.clone()), lanes: 3, lane_capacity: 50_000 };
    let (observer, lanes) = Observer::start(options).unwrap();
    std::thread::scope(|scope| {
        for (number, mut lane) in lanes.into_iter().enumerate() {
            scope.spawn(move || {
                for turn in 0..10_000 {
                    lane.record(records::fine(&format!("/{number}/{turn}")));
                }
            });
        }
    });
    observer.stop();
    let uris = uris(&path);
    assert_eq!(uris.len(), 30_000);
    for number in 0..3 {
        let mine = uris.iter().filter_map(|uri| uri.strip_prefix(&format!("/{number}/")));
        assert!(mine.eq((0..10_000).map(|turn| turn.to_string())), "lane {number} is out of order");
    }
}

#[test]
fn a_full_lane_loses_records_and_counts_failures_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("requests.ndjson");
    let options = Options { log: Target::File(path.clone()), lanes: 1, lane_capacity: 8 };
    let (observer, mut lanes) = Observer::start(options).unwrap();
    for _ in 0..10_000 {
        lanes[0].record(records::fine("/fine"));
        lanes[0].record(records::refused("/refused"));
    }
    observer.clone().stop();
    let kept = uris(&path);
    let kept = |uri: &str| kept.iter().filter(|kept| *kept == uri).count() as f64;
    let samples = samples(&observer.metrics());
    let lost = |kind: &str| samples[&format!("rayline_records_lost_total{{kind=\"{kind}\",reason=\"lane_full\"}}")];
    assert!(lost("failure") > 0.0, "eight places were enough for 20,000 records");
    assert_eq!(kept("/fine") + lost("success"), 10_000.0);
    assert_eq!(kept("/refused") + lost("failure"), 10_000.0);
    assert_eq!(observer.health().records_lost as f64, lost("success") + lost("failure"));
}

#[test]
fn whoever_takes_every_line_gets_it_with_a_log_and_without() {
    let folder = tempfile::tempdir().unwrap();
    for log in [Target::Off, Target::File(folder.path().join("log"))] {
        let taken = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let feeds = (0..2).map(|_| {
            let taken = std::sync::Arc::clone(&taken);
            Box::new(move |lines: &[u8]| {
                assert!(lines.ends_with(b"\n"), "whole lines");
                taken.lock().unwrap().extend_from_slice(lines);
            }) as Feed
        });
        let options = Options { log, lanes: 1, lane_capacity: 16 };
        let (observer, mut lanes) = Observer::start_with(options, None, feeds.collect()).unwrap();
        lanes.remove(0).record(records::fine("/fed"));
        observer.stop();
        let taken = String::from_utf8(taken.lock().unwrap().clone()).unwrap();
        assert_eq!(taken.matches("\"ClientRequestURI\":\"/fed\"").count(), 2, "{taken}");
    }
}
