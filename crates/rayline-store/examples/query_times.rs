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
use rayline_store::{
    Chunk, Column, Dimension, Filter, Matching, Number, Query, Source, Span, Table, Wanted, rows, run,
};
use rayline_verdict::{Moment, RayId};

const SECOND: i64 = 1_000_000_000;
const HOUR: i64 = 3_600 * SECOND;
const START: i64 = 490_000 * HOUR;
const DAY: Span = Span { from: Moment(START), to: Moment(START + 24 * HOUR) };
const NOON: Moment = Moment(START + 12 * HOUR);
const CHUNK: usize = 1 << 17;
const ROUNDS: usize = 5;

/// The same chunks, whatever table is asked for: all of them are as large as the largest.
struct Generated(Vec<Arc<Chunk>>);

impl Source for Generated {
    fn chunks(&self, _table: Table, _span: Span, _wanted: &Wanted) -> io::Result<Vec<Arc<Chunk>>> {
        Ok(self.0.clone())
    }
}

fn main() -> io::Result<()> {
    let size = std::env::args().nth(1).and_then(|rows| rows.parse().ok()).unwrap_or(10_000_000);
    let source = generate(size);
    let mut out = io::stdout().lock();
    writeln!(out, "{size} rows in memory; the median of {ROUNDS}, in a processor's time")?;
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
        ("overview: budgets", Box::new(|source| budget(source, DAY, None, 0.999).is_ok())),
        ("overview: incidents", Box::new(|source| incidents(source, DAY).is_ok())),
        ("overview: impact", Box::new(|source| impact(source, DAY, &[]).is_ok())),
        ("overview: approaching trouble", Box::new(|source| approaching(source, evening, &limits).is_ok())),
        ("zones and origins: health", Box::new(|source| origins(source, DAY, limits.read_timeout).is_ok())),
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
        ("two dimensions, dense: hosts and codes", by(&[D::Host, D::Code])),
        ("two dimensions, wide: paths and hosts", by(&[D::Path, D::Host])),
        ("errors: status at edge and origin by 5 minutes", stepped(by(&[D::EdgeStatus, D::OriginStatus]), 300)),
        ("errors: codes of one party", Query { filters: vec![origin], ..by(&[D::Code]) }),
        ("errors: URLs that fail", failures(by(&[D::Host, D::Path]))),
        ("errors: clients that fail", failures(by(&[D::Client]))),
        ("errors: user agents", by(&[D::UserAgent])),
        ("errors: four dimensions", by(&[D::Host, D::Code, D::Origin, D::Country])),
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
    let mut random = fastrand::Rng::with_seed(7);
    let every = DAY.to.0.saturating_sub(DAY.from.0) / i64::try_from(rows.max(1)).unwrap_or(i64::MAX);
    let mut at = START;
    let mut chunks = Vec::new();
    let mut left = rows;
    while left > 0 {
        let size = left.min(CHUNK);
        left -= size;
        let mut chunk = Chunk {
            at: (0..size)
                .map(|_| {
                    at += every;
                    at
                })
                .collect(),
            ..Chunk::default()
        };
        let failed: Vec<bool> = (0..size).map(|_| random.u32(..50) == 0).collect();
        chunk.weight = failed.iter().map(|failed| if *failed { 1 } else { 10 }).collect();
        chunk.rays = (0..size).map(|_| RayId(random.u64(..))).collect();
        chunk.lines = std::iter::repeat_n(Bytes::from_static(b"{}"), size).collect();
        for dimension in Dimension::ALL {
            let column = column(dimension, &failed, &mut random);
            if let Some(slot) = chunk.columns.get_mut(dimension.index()) {
                *slot = Some(column);
            }
        }
        for number in [Number::ResponseBytes, Number::Wait] {
            if let Some(slot) = chunk.numbers.get_mut(number.index()) {
                *slot = Some((0..size).map(|_| random.u64(1..2_000_000)).collect());
            }
        }
        chunks.push(Arc::new(chunk));
    }
    Generated(chunks)
}

/// As many values as such a dimension has; the low numbers more often than the high ones. The first is that of successes
/// where a dimension tells these apart.
fn column(dimension: Dimension, failed: &[bool], random: &mut fastrand::Rng) -> Column {
    let (values, of_failures) = match dimension {
        Dimension::Code => (40, true),
        Dimension::Party => (7, true),
        Dimension::Path => (5_000, false),
        Dimension::Client => (20_000, false),
        Dimension::UserAgent => (1_000, false),
        Dimension::Host => (50, false),
        Dimension::Country => (100, false),
        Dimension::Bucket | Dimension::Phase => (1, false),
        Dimension::EdgeStatus | Dimension::OriginStatus => (12, true),
        Dimension::Zone
        | Dimension::Method
        | Dimension::Colo
        | Dimension::Origin
        | Dimension::Cache
        | Dimension::Plan
        | Dimension::Worker
        | Dimension::Rule
        | Dimension::Agent
        | Dimension::Protocol
        | Dimension::Scheme
        | Dimension::OriginProtocol => (8, false),
    };
    let text = |value: u32| match dimension {
        Dimension::EdgeStatus | Dimension::OriginStatus if value == 0 => "200".to_owned(),
        Dimension::EdgeStatus | Dimension::OriginStatus => (500 + value).to_string(),
        Dimension::Path => format!("/{value}"),
        _ if of_failures && value == 0 => String::new(),
        _ => format!("{}-{value}", dimension.name()),
    };
    let code = |failed: &bool| match (of_failures, *failed) {
        (true, false) => 0,
        (true, true) => random.u32(1..values),
        (false, _) => random.u32(..values).min(random.u32(..values)),
    };
    Column {
        codes: failed.iter().map(code).collect(),
        values: Arc::new((0..values).map(|value| text(value).into()).collect()),
    }
}
