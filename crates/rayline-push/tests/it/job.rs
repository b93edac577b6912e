//! Jobs: what was taken arrives, in order, whatever the receiver does meanwhile; what cannot arrive is counted.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rayline_observe::{Subject as TailSubject, TailFilter};
use rayline_push::client::Limits;
use rayline_push::job::{Destination, Feed, Filter, Job, OutputOptions, Retry, Sample, Spec, Status, TimestampFormat};
use rayline_testkit::Reserved;
use tempfile::TempDir;

use crate::receiver::{Play, Receiver, Seen};
use crate::records::{fine, line, lines, numbers, refused};

const PATIENCE: Duration = Duration::from_secs(60);

/// Ten lines a batch, and no long waits.
pub(crate) fn spec(destination: &str) -> Spec {
    let brief = Duration::from_millis(5);
    Spec {
        max_upload_records: 10,
        retry: Retry { first: brief, longest: brief * 4 },
        limits: Limits { response: Duration::from_secs(20), ..Limits::default() },
        ..Spec::new("test", Destination::parse(destination).unwrap())
    }
}

pub(crate) fn start(spec: Spec, data_dir: &Path) -> (Job, Feed) {
    Job::start(spec, data_dir, &[]).unwrap()
}

/// Waits until the job's status fulfils a condition.
fn wait(job: &Job, fulfils: impl Fn(&Status) -> bool) -> Status {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let status = job.status();
        if fulfils(&status) {
            return status;
        }
        assert!(Instant::now() < deadline, "{status:?}");
        std::thread::yield_now();
    }
}

#[test]
fn a_collector_that_takes_a_part_is_heard_and_not_asked_again() {
    // `partial_success`: `rejected_spans` 3, `error_message` "too old"
    let partial = "\x0a\x0b\x08\x03\x12\x07too old".to_owned();
    let receiver = Receiver::start(move |before, _| match before {
        0 => Play::Answer(200, vec![("content-type", "application/x-protobuf".to_owned())], partial.clone()),
        _ => Play::status(200),
    });
    let dir = TempDir::new().unwrap();
    let mut traces = spec(&format!("otlp+http://{}/v1/traces", receiver.addr));
    traces.max_upload_records = 2;
    let (job, mut feed) = start(traces, dir.path());
    feed.take(&lines((0..4).map(fine)));
    let status = wait(&job, |status| status.delivered_batches == 2);
    assert_eq!((status.rejected_spans, status.objection.as_deref()), (3, Some("too old")));
    assert_eq!((status.failed_attempts, status.error_message), (0, None), "it is no failure: nothing is sent again");
    job.stop(PATIENCE);
    assert_eq!(receiver.seen().len(), 2);
}

/// What arrived, by the batch's id: a batch that came twice must be the same both times.
fn batches(seen: &[Seen]) -> BTreeMap<String, Vec<u64>> {
    let mut batches = BTreeMap::new();
    for seen in seen {
        let numbers = numbers(&seen.plain());
        if let Some(before) = batches.insert(seen.header("idempotency-key").to_owned(), numbers.clone()) {
            assert_eq!(before, numbers, "two batches have one id");
        }
    }
    batches
}

#[test]
fn lines_arrive_in_batches_and_in_order() {
    let receiver = Receiver::start(|_, _| Play::status(204));
    let dir = TempDir::new().unwrap();
    let url = receiver.url("/logs?header_Authorization=Bearer%20s3cret&tag=a");
    let (job, mut feed) = start(spec(&url), dir.path());
    feed.take(&lines((0..25).map(fine)));
    job.flush();
    let seen = receiver.wait(|seen| seen.len() >= 3);
    assert_eq!(seen.iter().map(|seen| numbers(&seen.plain()).len()).collect::<Vec<_>>(), [10, 10, 5]);
    assert_eq!(seen.iter().flat_map(|seen| numbers(&seen.plain())).collect::<Vec<_>>(), (0..25).collect::<Vec<_>>());
    assert_eq!(batches(&seen).len(), 3);
    let first = &seen[0];
    assert_eq!((first.method.as_str(), first.uri.to_string().as_str()), ("POST", "/logs?tag=a"));
    for (name, value) in
        [("authorization", "Bearer s3cret"), ("content-encoding", "gzip"), ("content-type", "application/x-ndjson")]
    {
        assert_eq!(first.header(name), value);
    }
    let status = wait(&job, |status| status.delivered_batches == 3);
    assert_eq!((status.delivered_records, status.spooled_bytes, status.spooled_records, status.lag), (25, 0, 0, None));
    assert_eq!(
        (status.error_message, status.failed_attempts, status.destination),
        (None, 0, format!("http://{}", receiver.addr))
    );
    assert!(status.last_complete.is_some() && status.last_error.is_none());
    job.stop(PATIENCE);
}

#[test]
fn lines_do_not_wait_longer_than_the_interval() {
    let receiver = Receiver::start(|_, _| Play::status(200));
    let dir = TempDir::new().unwrap();
    let spec = Spec { max_upload_interval: Duration::from_millis(50), ..spec(&receiver.url("/")) };
    let (_job, mut feed) = start(spec, dir.path());
    for number in 0..3 {
        feed.take(&line(&fine(number)));
        receiver.wait(|seen| seen.iter().flat_map(|seen| numbers(&seen.plain())).any(|seen| seen == number));
    }
}

#[test]
fn nothing_is_lost_to_a_receiver_that_fails_in_every_way() {
    let plays = [
        Play::Answer(503, vec![("retry-after", "0".to_owned())], "overloaded, Bearer s3cret".to_owned()),
        Play::Answer(429, vec![("retry-after", "1".to_owned())], String::new()),
        Play::Close,
        Play::status(200),
        Play::Cut,
        Play::Stall,
        Play::status(401),
        Play::Answer(302, vec![("location", "/elsewhere".to_owned())], String::new()),
        Play::status(400),
        Play::status(500),
    ];
    let script = plays.clone();
    let receiver = Receiver::start(move |nth, _| script.get(nth).cloned().unwrap_or_else(|| Play::status(200)));
    let dir = TempDir::new().unwrap();
    let mut spec = spec(&receiver.url("/?header_Authorization=Bearer%20s3cret"));
    spec.limits.response = Duration::from_millis(500);
    let (job, mut feed) = start(spec, dir.path());
    feed.take(&lines((0..40).map(fine)));
    let failed = wait(&job, |status| status.failed_attempts > 0 && status.error_message.is_some());
    assert!(!format!("{failed:?}").contains("s3cret"), "{failed:?}");
    let status = wait(&job, |status| status.delivered_records == 40);
    assert_eq!((status.dropped_records, status.refused_records, status.error_message), (0, 0, None));
    // a connection that was kept and breaks is replaced by the client, which is no failure of the attempt
    assert!(status.failed_attempts >= 6, "{}", status.failed_attempts);
    let seen = receiver.seen();
    assert!(seen.len() >= plays.len() + 3, "every failure was played");
    let batches = batches(&seen);
    assert_eq!(batches.values().flatten().copied().collect::<Vec<_>>().len(), 40, "a batch is sent again under its id");
    let firsts: BTreeSet<u64> = batches.values().flatten().copied().collect();
    assert_eq!(firsts, (0..40).collect());
    job.stop(PATIENCE);
}

#[test]
fn what_a_job_could_not_send_is_sent_by_the_next() {
    let port = Reserved::new().unwrap();
    let dir = TempDir::new().unwrap();
    let url = format!("http://{}/", port.addr());
    let (job, mut feed) = start(spec(&url), dir.path());
    feed.take(&lines((0..15).map(fine)));
    wait(&job, |status| status.error_message.as_ref().is_some_and(|why| why.contains("connecting failed")));
    let again = Job::start(spec(&url), dir.path(), &[]).unwrap_err();
    assert_eq!(again.kind(), std::io::ErrorKind::WouldBlock, "two jobs must not share a spool");
    job.stop(Duration::ZERO);
    drop(feed);

    port.lend().unwrap();
    let receiver = Receiver::start_at(port.addr(), |_, _| Play::status(200));
    let (job, mut feed) = start(spec(&url), dir.path());
    feed.take(&lines((15..17).map(fine)));
    job.stop(PATIENCE);
    let seen = receiver.seen();
    assert_eq!(seen.iter().flat_map(|seen| numbers(&seen.plain())).collect::<Vec<_>>(), (0..17).collect::<Vec<_>>());
}

#[test]
fn a_full_spool_drops_the_oldest_and_counts_them() {
    let well = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&well);
    let receiver = Receiver::start(move |_, _| Play::status(if told.load(Ordering::SeqCst) { 200 } else { 503 }));
    let dir = TempDir::new().unwrap();
    let size = line(&fine(0)).len() as u64;
    let spec = Spec { max_spool_bytes: size * 35, ..spec(&receiver.url("/")) };
    let (job, mut feed) = start(spec, dir.path());
    for number in 0..100 {
        feed.take(&line(&fine(number)));
        assert!(job.status().spooled_bytes <= size * 36, "one line more at most");
    }
    let status = job.status();
    assert_eq!(status.dropped_records + status.spooled_records, 100);
    assert!(status.dropped_records >= 60, "{status:?}");
    well.store(true, Ordering::SeqCst);
    job.flush();
    wait(&job, |status| status.spooled_records == 0);
    let arrived: BTreeSet<u64> = receiver.seen().iter().flat_map(|seen| numbers(&seen.plain())).collect();
    assert!((status.dropped_records..100).all(|number| arrived.contains(&number)), "the newest arrive");
}

#[test]
fn a_batch_that_its_receiver_calls_bad_is_set_aside() {
    let receiver = Receiver::start(|_, seen| {
        let bad = numbers(&seen.plain()).contains(&3);
        if bad { Play::Answer(400, Vec::new(), "line 4 is\nnone".to_owned()) } else { Play::status(200) }
    });
    let dir = TempDir::new().unwrap();
    let (job, mut feed) = start(spec(&receiver.url("/")), dir.path());
    feed.take(&lines((0..20).map(fine)));
    let status = wait(&job, |status| status.delivered_records == 10);
    assert_eq!((status.refused_records, status.dropped_records, status.failed_attempts), (10, 0, 3));
    assert_eq!(receiver.seen().len(), 4);
    let kept = std::fs::read_dir(dir.path().join("push/test")).unwrap().map(|entry| entry.unwrap().path());
    let kept: Vec<_> = kept.filter(|path| path.extension().is_some_and(|kind| kind == "refused")).collect();
    assert_eq!(numbers(&std::fs::read(&kept[0]).unwrap()), (0..10).collect::<Vec<_>>());
}

#[test]
fn filters_samples_and_fields_are_as_in_logpush() {
    let receiver = Receiver::start(|_, _| Play::status(200));
    let dir = TempDir::new().unwrap();
    let words = TailFilter::from_pairs([("party", "origin"), ("status", "5xx")]).unwrap();
    let filter = Filter::new(move |subject| {
        let verdict = subject.verdict.map(|(code, number)| (code.into(), number));
        words.admits(&TailSubject { zone: subject.zone.into(), edge_status: subject.edge_status, verdict })
    });
    let output_options = OutputOptions {
        field_names: ["RayID", "EdgeEndTimestamp", "VerdictCode"].map(str::to_owned).to_vec(),
        timestamp_format: TimestampFormat::Unix,
    };
    let spec = Spec {
        filter: Some(filter),
        sample: Sample::of_all(0.5),
        output_options,
        max_upload_records: 10_000,
        ..spec(&receiver.url("/"))
    };
    let (job, mut feed) = start(spec, dir.path());
    feed.take(&lines((0..1000).map(fine).chain((1000..2000).map(refused))));
    job.flush();
    let seen = receiver.wait(|seen| !seen.is_empty());
    let body = seen[0].plain();
    let numbers = numbers(&body);
    assert!(numbers.iter().all(|number| *number >= 1000) && (400..600).contains(&numbers.len()), "{}", numbers.len());
    let first = String::from_utf8(body).unwrap().lines().next().unwrap().to_owned();
    let expected = format!(
        "{{\"RayID\":\"{:016x}\",\"EdgeEndTimestamp\":1795262400,\"VerdictCode\":\"origin.connect.refused\"}}",
        numbers[0]
    );
    assert_eq!(first, expected);
}

#[test]
fn files_are_whole_or_not_there() {
    let dir = TempDir::new().unwrap();
    let folder = dir.path().join("out");
    let (job, mut feed) = start(spec(&format!("file://{}/{{DATE}}", folder.display())), dir.path());
    feed.take(&lines((0..15).map(fine)));
    drop(feed);
    job.stop(PATIENCE);
    let days: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(days.len(), 1);
    let mut files: Vec<_> = std::fs::read_dir(&days[0]).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.iter().all(|file| file.to_str().unwrap().ends_with(".log.gz")), "{files:?}");
    let mut arrived: Vec<u64> = files
        .iter()
        .flat_map(|file| {
            let mut plain = Vec::new();
            std::io::Read::read_to_end(
                &mut flate2::read::GzDecoder::new(std::fs::File::open(file).unwrap()),
                &mut plain,
            )
            .unwrap();
            numbers(&plain)
        })
        .collect();
    arrived.sort_unstable();
    assert_eq!(arrived, (0..15).collect::<Vec<_>>());
}

#[test]
fn a_job_that_is_off_takes_nothing_and_a_bad_one_does_not_start() {
    let dir = TempDir::new().unwrap();
    let (job, mut feed) = start(Spec { enabled: false, ..spec("https://logs.example/") }, dir.path());
    feed.take(&line(&fine(1)));
    assert_eq!((job.status().spooled_records, job.status().enabled), (0, false));
    job.stop(PATIENCE);
    for bad in ["", "../up", ".hidden", "a/b", &"a".repeat(65)] {
        let spec = Spec { name: bad.to_owned(), ..spec("https://logs.example/") };
        assert_eq!(Job::start(spec, dir.path(), &[]).unwrap_err().kind(), std::io::ErrorKind::InvalidInput, "{bad}");
    }
}

/// What tells a process of this test that it is the one to be killed: the folder, the receiver and its number.
const VICTIM: &str = "RAYLINE_PUSH_VICTIM";

/// Lives of the process that is killed.
const LIVES: u64 = 8;

/// Takes lines for ever, and says of each when it was taken.
fn victim(role: &str) {
    let (life, rest) = role.split_once(' ').unwrap();
    let (url, dir) = rest.split_once(' ').unwrap();
    let life: u64 = life.parse().unwrap();
    let (job, mut feed) = start(Spec { max_upload_records: 100, ..spec(url) }, Path::new(dir));
    for number in 0.. {
        if life == LIVES {
            // an attempt that fails while the job stops would leave the rest for another life
            wait(&job, |status| status.spooled_records == 0);
            return job.stop(PATIENCE);
        }
        feed.take(&line(&fine(life * 1_000_000 + number)));
        println!("taken {}", life * 1_000_000 + number);
    }
}

#[test]
fn what_was_taken_survives_kill_9() {
    if let Ok(role) = std::env::var(VICTIM) {
        return victim(&role);
    }
    // every third answer is lost on the way, so batches are under way more than once
    let receiver = Receiver::start(|nth, _| if nth % 3 == 0 { Play::Close } else { Play::status(200) });
    let dir = TempDir::new().unwrap();
    let mut taken = BTreeSet::new();
    for life in 0..=LIVES {
        let role = format!("{life} {} {}", receiver.url("/"), dir.path().display());
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "job::what_was_taken_survives_kill_9", "--nocapture"])
            .env(VICTIM, role)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        let numbers =
            said.map(Result::unwrap).filter_map(|line| line.strip_prefix("taken ").map(|n| n.parse::<u64>().unwrap()));
        if life < LIVES {
            taken.extend(numbers.take(usize::try_from(37 * (life + 1)).unwrap()));
            child.kill().unwrap();
        } else {
            assert_eq!(numbers.count(), 0);
        }
        child.wait().unwrap();
    }
    let batches = batches(&receiver.seen());
    let mut arrived = BTreeSet::new();
    for number in batches.values().flatten() {
        assert!(arrived.insert(*number), "{number} is in two batches");
    }
    let lost: Vec<_> = taken.difference(&arrived).collect();
    assert!(lost.is_empty(), "{lost:?}");
    assert!(taken.len() >= 37 * 8);
}
