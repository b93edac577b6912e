//! How long the questions of each page take on generated requests in memory: `query_times [ROWS]`, 10 million without it.
//! It measures the engine alone, on one core; reading files is not in it. Linux only.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rayline_store::analysis::approaching::{Limits, approaching};
use rayline_store::analysis::budget::budget;
use rayline_store::analysis::changes::changes;
use rayline_store::analysis::impact::impact;
use rayline_store::analysis::incidents::incidents;
use rayline_store::analysis::origins::origins;
use rayline_store::generate::{Requests, Shape, minutes_of};
use rayline_store::{Chunk, Dimension, Filter, Matching, Number, Query, Source, Span, Table, Wanted, rows, run};
use rayline_verdict::Moment;

const SECOND: i64 = 1_000_000_000;
const HOUR: i64 = 3_600 * SECOND;
const START: i64 = 490_000 * HOUR;
const DAY: Span = Span { from: Moment(START), to: Moment(START + 24 * HOUR) };
const NOON: Moment = Moment(START + 12 * HOUR);
const CHUNK: usize = 1 << 17;
const ROUNDS: usize = 5;

/// Requests and minutes; hours have not been summed up yet, and times are not kept.
#[derive(Default)]
struct Generated {
    requests: Vec<Arc<Chunk>>,
    minutes: Vec<Arc<Chunk>>,
}

impl Source for Generated {
    fn chunks(&self, table: Table, span: Span, _wanted: &Wanted) -> io::Result<Vec<Arc<Chunk>>> {
        let chunks = match table {
            Table::Requests => self.requests.as_slice(),
            Table::Minutes => self.minutes.as_slice(),
            Table::Hours | Table::Times | Table::HourlyTimes => &[],
        };
        let touches = |chunk: &&Arc<Chunk>| {
            let ends = chunk.at.first().zip(chunk.at.last());
            ends.is_some_and(|(first, last)| *first < span.to.0 && span.from.0 <= *last)
        };
        Ok(chunks.iter().filter(touches).cloned().collect())
    }
}

fn main() -> io::Result<()> {
    let size = std::env::args().nth(1).and_then(|rows| rows.parse().ok()).unwrap_or(10_000_000);
    let source = generate(size);
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{size} requests and {} rows of minutes in memory; the median of {ROUNDS}, in a processor's time",
        source.minutes.iter().map(|chunk| chunk.len()).sum::<usize>()
    )?;
    for (name, query) in questions() {
        let mut groups = 0;
        let took = median(|| {
            groups = run(&source, &query).map_or(0, |answer| answer.groups.len());
        });
        writeln!(out, "{:>6} ms  {name} ({groups} groups)", took.as_millis())?;
    }
    let failed = [Filter { dimension: Dimension::Code, matching: Matching::IsNot, values: vec![String::new()] }];
    let (morning, evening) = (Span { to: NOON, ..DAY }, Span { from: NOON, ..DAY });
    let limits = Limits {
        read_timeout: Duration::from_secs(125),
        connect_timeout: Duration::from_secs(19),
        tls_timeout: Duration::from_secs(19),
        request_body_bytes: 1 << 30,
        memory: Duration::from_secs(3_600),
    };
    let works: [(&str, Work<'_>); 7] = [
        ("errors: the newest 50 failures", Box::new(|source| rows(source, DAY, &failed, 50).is_ok())),
        ("errors: what changed since the morning", Box::new(|source| changes(source, evening, morning, &[]).is_ok())),
        ("overview: budgets", Box::new(|source| budget(source, DAY, &[], 0.999).is_ok())),
        ("overview: incidents", Box::new(|source| incidents(source, DAY, &[]).is_ok())),
        ("overview: impact", Box::new(|source| impact(source, DAY, &[]).is_ok())),
        ("overview: approaching trouble", Box::new(|source| approaching(source, evening, &[], &limits).is_ok())),
        ("zones and origins: health", Box::new(|source| origins(source, DAY, &[], limits.read_timeout).is_ok())),
    ];
    for (name, work) in works {
        let took = median(|| {
            work(&source);
        });
        writeln!(out, "{:>6} ms  {name}", took.as_millis())?;
    }
    Ok(())
}

type Work<'a> = Box<dyn Fn(&Generated) -> bool + 'a>;

/// Of the processor's time: it is the same however busy the machine is.
fn median(mut work: impl FnMut()) -> Duration {
    let mut took: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let begin = busy();
            work();
            busy().saturating_sub(begin)
        })
        .collect();
    took.sort_unstable();
    took.get(ROUNDS / 2).copied().unwrap_or_default()
}

/// How long this thread has run.
fn busy() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = told.split_whitespace().next().and_then(|text| text.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or_default())
}

fn questions() -> Vec<(&'static str, Query)> {
    let by = |by: &[Dimension]| Query { by: by.to_vec(), top: 20, ..Query::new(DAY) };
    let failed = Filter { dimension: Dimension::Code, matching: Matching::IsNot, values: vec![String::new()] };
    let origin = Filter { dimension: Dimension::Party, matching: Matching::Is, values: vec!["origin".to_owned()] };
    let stepped = |query: Query, seconds| Query { step: Some(Duration::from_secs(seconds)), ..query };
    let failures = |query: Query| Query { filters: vec![failed.clone()], ..query };
    use Dimension as D;
    vec![
        ("overview: all of a day", by(&[])),
        ("overview: parties by minute", stepped(by(&[D::Party]), 60)),
        ("overview: zones and parties", by(&[D::Zone, D::Party])),
        ("two dimensions of minutes: hosts and codes", by(&[D::Host, D::Code])),
        ("two dimensions of requests: agents and hosts", by(&[D::Agent, D::Host])),
        ("two dimensions of requests: paths and hosts", by(&[D::Path, D::Host])),
        ("errors: status at edge and origin by 5 minutes", stepped(by(&[D::EdgeStatus, D::OriginStatus]), 300)),
        ("errors: codes of one party", Query { filters: vec![origin], ..by(&[D::Code]) }),
        ("errors: URLs that fail", failures(by(&[D::Host, D::Path]))),
        ("errors: clients that fail", failures(by(&[D::Client]))),
        ("errors: user agents", by(&[D::UserAgent])),
        ("errors: four dimensions", by(&[D::Host, D::Path, D::Origin, D::Country])),
        (
            "zones and origins: two quantiles of the wait, by origin",
            Query {
                quantiles: vec![(Number::Wait, 0.5), (Number::Wait, 0.99)],
                filters: vec![path()],
                ..by(&[D::Origin])
            },
        ),
    ]
}

/// Lets everything pass, and is known of requests alone: the quantiles cannot come from sketches.
fn path() -> Filter {
    Filter { dimension: Dimension::Path, matching: Matching::StartsWith, values: vec!["/".to_owned()] }
}

fn generate(rows: usize) -> Generated {
    let shape = Shape { seed: 7, from: DAY.from, to: DAY.to, rows, weight: 10, failed: 0.02 };
    let mut made = Requests::new(shape);
    let mut generated = Generated::default();
    let mut left = rows;
    while left > 0 {
        let size = left.min(CHUNK);
        left -= size;
        let mut chunk = made.take(size);
        generated.minutes.push(Arc::new(minutes_of(&chunk)));
        // lines are what takes the most memory, and no question reads more than fifty
        chunk.lines = std::iter::repeat_n(Bytes::from_static(b"{}"), size).collect();
        generated.requests.push(Arc::new(chunk));
    }
    generated
}
