//! What each page of the dashboard asks, asked of all seven days and of the last of them. The spans end within a minute,
//! as a span does that ends now.

use std::time::{Duration, Instant};
use std::{io, iter};

use rayline_store::analysis::approaching::{Limits, approaching};
use rayline_store::analysis::budget::budget;
use rayline_store::analysis::changes::changes;
use rayline_store::analysis::impact::impact;
use rayline_store::analysis::incidents::incidents;
use rayline_store::analysis::origins::origins;
use rayline_store::{
    Dimension, Filter, Matching, Number, Query, QueryError, Shelf, Source, Span, Table, Wanted, rows, run,
};
use rayline_verdict::Moment;

use crate::clock::{Spent, quantile};
use crate::fill::{DAY, FROM, TO};
use crate::report::Asked;

const HOUR: i64 = DAY / 24;
/// The moment that pages call now.
const NOW: Moment = Moment(TO.0 - 1_043_000_000_000);

/// A span, and how long the bars of its time line are.
const SPANS: [(&str, i64, u64); 2] = [("7 days", 7 * DAY, 10_800), ("24 hours", DAY, 1_800)];

/// A page's rounds end after so long, but not before there were a few.
const LONG_ENOUGH: Duration = Duration::from_secs(60);
const FEW: usize = 5;

/// How many rows were read, where that is counted.
type Seen = Result<Option<u64>, QueryError>;

/// Asks one thing about a span with bars of so many seconds.
type Ask = Box<dyn Fn(&Shelf, Span, u64) -> Seen>;

/// A page, and what it asks, each by its name.
type Page = (&'static str, Vec<(&'static str, Ask)>);

pub(crate) fn measure(shelf: &Shelf, wanted: &str, rounds: usize) -> io::Result<Vec<Asked>> {
    let mut found = Vec::new();
    for (page, mut questions) in pages(some_failure(shelf)?) {
        questions.retain(|(name, _)| name.contains(wanted));
        for (name, length, step) in SPANS {
            let span = Span { from: Moment(NOW.0 - length).max(FROM), to: NOW };
            let mut times: Vec<Vec<Spent>> = questions.iter().map(|_| Vec::new()).collect();
            let (mut seen, mut first) = (Vec::new(), Vec::new());
            for (_, ask) in &questions {
                shelf.forget_columns();
                let mut spent = Spent::default();
                seen.push(spent.on(|| ask(shelf, span, step)).map_err(io::Error::other)?);
                first.push(spent.wall);
            }
            let begin = Instant::now();
            for round in 0..rounds {
                if round >= FEW && begin.elapsed() > LONG_ENOUGH {
                    break;
                }
                for ((_, ask), times) in iter::zip(&questions, &mut times) {
                    let mut spent = Spent::default();
                    spent.on(|| ask(shelf, span, step)).map_err(io::Error::other)?;
                    times.push(spent);
                }
            }
            for ((((question, _), times), rows), first) in questions.iter().zip(times).zip(seen).zip(first) {
                found.push(asked(page, question, name, &times, rows, first));
            }
        }
    }
    Ok(found)
}

fn asked(
    page: &'static str,
    question: &'static str,
    span: &'static str,
    times: &[Spent],
    rows: Option<u64>,
    first: Duration,
) -> Asked {
    let millis = |time: Duration| time.as_secs_f64() * 1e3;
    let wall: Vec<Duration> = times.iter().map(|spent| spent.wall).collect();
    let processor: Vec<Duration> = times.iter().map(|spent| spent.processor).collect();
    Asked {
        page,
        question,
        span,
        rows,
        rounds: times.len(),
        median_ms: millis(quantile(&wall, 0.5)),
        p95_ms: millis(quantile(&wall, 0.95)),
        processor_ms: millis(quantile(&processor, 0.5)),
        first_ms: millis(first),
    }
}

/// What the page of a Ray ID looks around.
struct Failure {
    at: Moment,
    filters: Vec<Filter>,
}

/// One from the last day.
fn some_failure(shelf: &Shelf) -> io::Result<Failure> {
    let of = [Dimension::Code, Dimension::Host, Dimension::Origin];
    let wanted = Wanted { dimensions: of.to_vec(), ..Wanted::default() };
    let mut found = None;
    let span = Span { from: Moment(NOW.0 - HOUR), to: NOW };
    shelf.visit(Table::Requests, span, &wanted, &mut |chunk| {
        let text = |dimension: Dimension, row: usize| {
            let column = chunk.columns.get(dimension.index())?.as_ref()?;
            column.values.get(*column.codes.get(row)? as usize).map(ToString::to_string)
        };
        let failed = (0..chunk.len()).find(|row| text(Dimension::Code, *row).is_some_and(|code| !code.is_empty()));
        if let (None, Some(row)) = (&found, failed) {
            let filter = |dimension| Some(only(dimension, &text(dimension, row)?));
            let at = Moment(chunk.at.get(row).copied().unwrap_or_default());
            found = Some(Failure { at, filters: of.into_iter().filter_map(filter).collect() });
        }
        Ok(())
    })?;
    found.ok_or_else(|| io::Error::other("too few rows: there is no failure in the last hour"))
}

fn pages(failure: Failure) -> Vec<Page> {
    use Dimension as D;
    let around = Span { from: Moment(failure.at.0 - HOUR / 12), to: Moment(failure.at.0 + HOUR / 12) };
    let times = vec![(Number::Tcp, 0.5), (Number::Tls, 0.5), (Number::Wait, 0.5), (Number::Wait, 0.99)];
    let first_byte = vec![(Number::FirstByte, 0.5), (Number::FirstByte, 0.99)];
    let top = |by: D| plain(move |span| Query { top: 8, ..by_all(&[by], span) });
    let overview: Vec<(&str, Ask)> = vec![
        ("failures over time, by party", stepped(&[D::Party])),
        ("requests over time", stepped(&[])),
        ("zones and parties", plain(|span| by_all(&[D::Zone, D::Party], span))),
        (
            "codes that fail most, by zone",
            plain(|span| Query { filters: vec![failed()], top: 6, ..by_all(&[D::Code, D::Zone], span) }),
        ),
        ("the newest 8 failures", newest(8)),
        ("incidents", analysis(|shelf, span| incidents(shelf, span, &[]).map(drop))),
        ("impact on people", analysis(|shelf, span| impact(shelf, span, &[]).map(drop))),
        ("approaching trouble", analysis(|shelf, span| approaching(shelf, span, &[], &limits()).map(drop))),
        ("error budget", analysis(|shelf, span| budget(shelf, span, &[], 0.999).map(drop))),
    ];
    let errors: Vec<(&str, Ask)> = vec![
        ("failures over time, by code", stepped(&[D::Code])),
        ("all requests", plain(|span| by_all(&[], span))),
        (
            "all requests of the period before",
            plain(|span| by_all(&[], Span { from: Moment(span.from.0 - (span.to.0 - span.from.0)), to: span.from })),
        ),
        (
            "status at the edge and at the origin",
            plain(|span| Query { top: 60, ..by_all(&[D::EdgeStatus, D::OriginStatus], span) }),
        ),
        ("codes", top(D::Code)),
        ("hosts", top(D::Host)),
        ("paths", top(D::Path)),
        ("origins", top(D::Origin)),
        ("client addresses", top(D::Client)),
        ("countries", top(D::Country)),
        ("user agents", top(D::UserAgent)),
        ("who asks", top(D::Agent)),
        ("methods", top(D::Method)),
        ("protocols", top(D::Protocol)),
        ("edges", top(D::Colo)),
        ("plan versions", top(D::Plan)),
        ("the newest 15 failures", newest(15)),
        (
            "what changed since the half before",
            analysis(|shelf, span| {
                let half = Moment(span.from.0.midpoint(span.to.0));
                changes(shelf, Span { from: half, ..span }, Span { to: half, ..span }, &[]).map(drop)
            }),
        ),
    ];
    let ray: Vec<(&str, Ask)> = vec![(
        "its neighbours: same code, host, origin, 5 minutes around",
        Box::new(move |shelf, _, _| rows(shelf, around, &failure.filters, 20).map(|_| None)),
    )];
    let origins_page: Vec<(&str, Ask)> = vec![
        (
            "origins, four quantiles of times",
            plain(move |span| Query { top: 100, quantiles: times.clone(), ..by_all(&[D::Origin], span) }),
        ),
        ("origins and codes", plain(|span| Query { top: 400, ..by_all(&[D::Origin, D::Code], span) })),
        (
            "zones, two quantiles of the first byte",
            plain(move |span| Query { top: 100, quantiles: first_byte.clone(), ..by_all(&[D::Zone], span) }),
        ),
        (
            "health of each origin",
            analysis(|shelf, span| origins(shelf, span, &[], Duration::from_secs(100)).map(drop)),
        ),
    ];
    vec![("overview", overview), ("errors", errors), ("ray", ray), ("zones and origins", origins_page)]
}

pub(crate) fn by_all(by: &[Dimension], span: Span) -> Query {
    Query { by: by.to_vec(), ..Query::new(span) }
}

fn plain(query: impl Fn(Span) -> Query + 'static) -> Ask {
    Box::new(move |shelf, span, _| run(shelf, &query(span)).map(|answer| Some(answer.rows)))
}

fn stepped(by: &'static [Dimension]) -> Ask {
    Box::new(move |shelf, span, step| {
        let query = Query { step: Some(Duration::from_secs(step)), top: 7, ..by_all(by, span) };
        run(shelf, &query).map(|answer| Some(answer.rows))
    })
}

fn newest(how_many: usize) -> Ask {
    Box::new(move |shelf, span, _| rows(shelf, span, &[failed()], how_many).map(|_| None))
}

fn analysis(work: impl Fn(&Shelf, Span) -> Result<(), QueryError> + 'static) -> Ask {
    Box::new(move |shelf, span, _| work(shelf, span).map(|()| None))
}

pub(crate) fn failed() -> Filter {
    Filter { dimension: Dimension::Code, matching: Matching::IsNot, values: vec![String::new()] }
}

fn only(dimension: Dimension, value: &str) -> Filter {
    Filter { dimension, matching: Matching::Is, values: vec![value.to_owned()] }
}

fn limits() -> Limits {
    Limits {
        read_timeout: Duration::from_secs(125),
        connect_timeout: Duration::from_secs(19),
        tls_timeout: Duration::from_secs(19),
        request_body_bytes: 1 << 30,
        memory: Duration::from_secs(3_600),
    }
}
