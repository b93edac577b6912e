//! What the lanes give to a store: every count, and the lines that it keeps.

use std::time::Duration;

use rayline_observe::{Observer, Options, Target};
use rayline_store::{Dimension, Query, Span, Store};
use rayline_verdict::Moment;

use crate::metrics::samples;
use crate::records;

/// Requests and failures by code.
fn codes(store: &Store) -> Vec<(String, f64, u64)> {
    let at = records::fine("/").start.0;
    let span = Span { from: Moment(at), to: Moment(at + 60_000_000_000) };
    let query =
        Query { span, filters: Vec::new(), by: vec![Dimension::Code], step: None, top: 0, quantiles: Vec::new() };
    let groups = store.query(&query).unwrap().groups;
    groups.into_iter().map(|group| (group.key.concat(), group.sum.requests, group.sum.failed)).collect()
}

fn open(folder: &std::path::Path) -> Store {
    let options = rayline_store::Options {
        folder: folder.join("store"),
        requests_age: Duration::from_secs(u32::MAX.into()),
        counts_age: Duration::from_secs(u32::MAX.into()),
        max_bytes: u64::MAX,
        mask_addresses: true,
        mask_queries: true,
    };
    Store::open(options).unwrap()
}

#[test]
fn a_store_gets_every_count_and_the_lines_that_it_keeps() {
    for log in [Target::Off, Target::File("log".into())] {
        let folder = tempfile::tempdir().unwrap();
        let log = match log {
            Target::File(name) => Target::File(folder.path().join(name)),
            other => other,
        };
        let store = open(folder.path());
        // some records find no room; they are counted all the same
        let options = Options { log, lanes: 2, lane_capacity: 500 };
        let (observer, lanes) = Observer::start_with(options, Some(store.clone()), Vec::new()).unwrap();
        std::thread::scope(|scope| {
            for mut lane in lanes {
                scope.spawn(move || {
                    for turn in 0..5_000 {
                        lane.record(records::fine("/"));
                        if turn % 10 == 0 {
                            lane.record(records::refused("/refused"));
                        }
                    }
                });
            }
        });
        observer.clone().stop();
        store.sync();
        assert_eq!(codes(&store), [("origin.connect.refused".to_owned(), 1000.0, 1000), (String::new(), 10_000.0, 0)]);
        let health = store.health();
        let samples = samples(&observer.metrics());
        assert_eq!(samples["rayline_store_rows_total"], health.rows as f64);
        assert_eq!(samples["rayline_store_lost_total{kind=\"failure\"}"], health.lost_failures as f64);
        assert!(samples["rayline_store_bytes"] > 0.0);
        let lines = store.rays(records::refused("/").ray).unwrap();
        let failures = lines.iter().filter(|line| line.windows(11).any(|part| part == b"VerdictCode")).count();
        assert_eq!(failures as u64 + health.lost_failures, 1000);
        assert_eq!(lines.len() as u64, health.rows);
        store.stop();
    }
}
