//! The observer from outside: records in, files, metrics and tails out.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "all of this crate is tests, their shared functions included: one that cannot go on should stop"
)]

mod lanes;
mod log;
mod metrics;
mod records;
mod store;
mod tail;

use std::path::Path;
use std::time::{Duration, Instant};

use rayline_observe::{Lane, Observer, Options, Target};

/// An observer with one lane.
fn observer(log: Target) -> (Observer, Lane) {
    let (observer, mut lanes) = Observer::start(Options { log, lanes: 1, lane_capacity: 4096 }).unwrap();
    (observer, lanes.remove(0))
}

/// Looks until it is so; fails after 10 s.
fn until(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !so() {
        assert!(Instant::now() < deadline, "not within 10 s: {what}");
        std::thread::yield_now();
    }
}

/// The request URIs in a log that is complete: every line must be a whole object.
fn uris(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    assert!(text.is_empty() || text.ends_with('\n'), "the last line is not whole: {text:?}");
    text.lines().map(|line| uri(line.as_bytes())).collect()
}

/// The same of a log that is being written: a reader may meet a write half done, so what follows the last line's end
/// is left for later.
fn uris_so_far(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
    whole.lines().map(|line| uri(line.as_bytes())).collect()
}

fn uri(line: &[u8]) -> String {
    let object: serde_json::Value = serde_json::from_slice(line).unwrap();
    object["ClientRequestURI"].as_str().unwrap().to_owned()
}
