//! Following along.

use std::task::{Context, Poll, Waker};

use rayline_observe::{TailFilter, TailStream, Tailed, Target};

use crate::{observer, records, uri};

fn filter(pairs: &[(&str, &str)]) -> TailFilter {
    TailFilter::from_pairs(pairs.iter().copied()).unwrap()
}

/// What is there without waiting. After the observer has stopped, that is everything.
fn collect(stream: &mut TailStream) -> Vec<Tailed> {
    let mut all = Vec::new();
    let mut context = Context::from_waker(Waker::noop());
    while let Poll::Ready(Some(tailed)) = std::pin::pin!(stream.next()).poll(&mut context) {
        all.push(tailed);
    }
    all
}

fn seen(stream: &mut TailStream) -> Vec<String> {
    let lines = collect(stream).into_iter().map(|tailed| match tailed {
        Tailed::Line(line) => uri(&line),
        Tailed::Missed(count) => format!("missed {count}"),
    });
    lines.collect()
}

#[test]
fn every_follower_gets_what_its_filter_lets_through_as_the_log_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("requests.ndjson");
    let (observer, mut lane) = observer(Target::File(path.clone()));
    let mut all = observer.subscribe(TailFilter::default());
    let mut failures = observer.subscribe(filter(&[("failures", "true")]));
    let mut origins = observer.subscribe(filter(&[("party", "origin"), ("status", "5xx")]));
    let mut resolving = observer.subscribe(filter(&[("code", "owner.resolve."), ("status", "1016")]));
    let mut elsewhere = observer.subscribe(filter(&[("zone", "other.example")]));
    for record in [records::fine("/fine"), records::refused("/refused"), records::nowhere("/nowhere")] {
        lane.record(record);
    }
    observer.stop();
    let lines: Vec<u8> = collect(&mut all)
        .into_iter()
        .flat_map(|tailed| match tailed {
            Tailed::Line(line) => line,
            Tailed::Missed(count) => panic!("missed {count}"),
        })
        .collect();
    assert_eq!(std::fs::read(&path).unwrap(), lines);
    assert_eq!(seen(&mut failures), ["/refused", "/nowhere"]);
    assert_eq!(seen(&mut origins), ["/refused"]);
    assert_eq!(seen(&mut resolving), ["/nowhere"]);
    assert_eq!(seen(&mut elsewhere), [""; 0]);
}

#[test]
fn a_slow_follower_is_told_how_much_it_missed() {
    let (observer, mut lane) = observer(Target::Off);
    let mut stream = observer.subscribe(TailFilter::default());
    for _ in 0..3000 {
        lane.record(records::fine("/fast"));
    }
    observer.stop();
    let tailed = collect(&mut stream);
    let lines = tailed.iter().filter(|tailed| matches!(tailed, Tailed::Line(_))).count() as u64;
    let missed: u64 = tailed.iter().map(|tailed| if let Tailed::Missed(count) = tailed { *count } else { 0 }).sum();
    assert!(missed > 0);
    assert_eq!(lines + missed, 3000);
}

#[test]
fn a_tail_ends_with_the_observer() {
    let (observer, _lane) = observer(Target::Off);
    let mut before = observer.subscribe(TailFilter::default());
    let again = observer.clone();
    observer.stop();
    let mut after = again.subscribe(TailFilter::default());
    let mut context = Context::from_waker(Waker::noop());
    for stream in [&mut before, &mut after] {
        assert_eq!(std::pin::pin!(stream.next()).poll(&mut context), Poll::Ready(None));
    }
}
