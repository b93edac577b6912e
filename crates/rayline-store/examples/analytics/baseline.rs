//! The same rows elsewhere: in SQLite, one row each with indexes on time and Ray ID, and as the log's lines in a file. Both are
//! asked by Python: its `sqlite3` is SQLite itself, and its `json` reads a line about as fast as other scripts do.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use rayline_store::{Chunk, Dimension, Query, Shelf, Source, Span, Table, Wanted, rows, run};
use rayline_verdict::{Moment, RayId};
use serde::Deserialize;
use serde_json::json;

use crate::clock::{Spent, quantile};
use crate::fill::{DAY, FROM};
use crate::look::{look_up, some_rays};
use crate::questions::{by_all, failed};
use crate::report::Compared;

/// Python's part.
const SCRIPT: &str = include_str!("baseline.py");
/// What SQLite gets of a row besides time, Ray ID and weight. It gets no lines.
const COLUMNS: [Dimension; 8] = [
    Dimension::Zone,
    Dimension::Host,
    Dimension::Path,
    Dimension::Client,
    Dimension::EdgeStatus,
    Dimension::OriginStatus,
    Dimension::Code,
    Dimension::Party,
];
/// Lines that are written for `grep`, at most: they take a kilobyte each.
const LINES: usize = 1_000_000;
const HOUR: i64 = DAY / 24;
const TIMES: usize = 5;

/// A question in both languages. What SQLite answers has the greatest number of failures last in its first row.
struct Question {
    name: &'static str,
    query: fn(Span) -> Query,
    sql: &'static str,
}

const QUESTIONS: [Question; 5] = [
    Question {
        name: "zones and parties",
        query: |span| by_all(&[Dimension::Zone, Dimension::Party], span),
        sql: "select zone, party, sum(weight), sum(code <> '') as failed from rows group by zone, party order by failed desc",
    },
    Question {
        name: "parties by 3 hours",
        query: |span| Query { step: Some(std::time::Duration::from_secs(10_800)), ..by_all(&[Dimension::Party], span) },
        sql: "select at / 10800000000000, party, sum(weight), sum(code <> '') as failed from rows group by 1, 2 \
              order by failed desc",
    },
    Question {
        name: "status at the edge and at the origin",
        query: |span| Query { top: 60, ..by_all(&[Dimension::EdgeStatus, Dimension::OriginStatus], span) },
        sql: "select edge_status, origin_status, sum(weight), sum(code <> '') as failed from rows group by 1, 2 \
              order by failed desc limit 60",
    },
    Question {
        name: "paths that fail most",
        query: |span| Query { top: 8, ..by_all(&[Dimension::Path], span) },
        sql: "select path, sum(weight), sum(code <> '') as failed from rows group by path order by failed desc limit 8",
    },
    Question {
        name: "clients that fail most",
        query: |span| Query { top: 8, ..by_all(&[Dimension::Client], span) },
        sql: "select client, sum(weight), sum(code <> '') as failed from rows group by client order by failed desc limit 8",
    },
];

const NEWEST: &str = "select ray, at from rows where code <> '' order by at desc limit 15";

/// What Python measured of one thing.
#[derive(Deserialize)]
struct Measured {
    wall: f64,
    processor: f64,
    result: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct OfSqlite {
    load: Measured,
    asked: Vec<Measured>,
    ray: Measured,
    bytes: u64,
}

#[derive(Deserialize)]
struct OfLines {
    count: Measured,
    ray: Measured,
    group: Measured,
}

pub(crate) fn measure(shelf: &Shelf, folder: &Path, rows: usize, wanted: usize) -> io::Result<Vec<Compared>> {
    let mut compared = sqlite(shelf, &folder.join("rows.db"), first_rows(rows, wanted))?;
    compared.extend(lines(shelf, &folder.join("requests.ndjson"), first_rows(rows, wanted.min(LINES)))?);
    Ok(compared)
}

/// The span of about so many rows from the first on, in whole hours.
fn first_rows(rows: usize, wanted: usize) -> Span {
    let hours = (7 * 24 * wanted).div_ceil(rows.max(1)).clamp(1, 7 * 24);
    Span { from: FROM, to: Moment(FROM.0 + HOUR * i64::try_from(hours).unwrap_or(1)) }
}

fn sqlite(shelf: &Shelf, path: &Path, span: Span) -> io::Result<Vec<Compared>> {
    let (rays, _) = some_rays(shelf)?;
    let rays: Vec<RayId> = rays.into_iter().filter(|ray| span.contains(Moment(started(*ray)))).collect();
    let kind = |name| (name, "text");
    let columns: Vec<(&str, &str)> = ["at", "ray", "weight"]
        .into_iter()
        .map(|name| (name, "integer"))
        .chain(COLUMNS.map(|dimension| kind(dimension.name())))
        .collect();
    let questions: Vec<&str> = QUESTIONS.iter().map(|question| question.sql).chain([NEWEST]).collect();
    let numbers: Vec<u64> = rays.iter().map(|ray| ray.0).collect();
    let job = json!({ "what": "sqlite", "path": path, "columns": columns, "questions": questions, "rays": numbers });
    let mut count = 0;
    let answer: OfSqlite = python(&job, |out| {
        let wanted = Wanted { dimensions: COLUMNS.to_vec(), rays: true, ..Wanted::default() };
        shelf.visit(Table::Requests, span, &wanted, &mut |chunk| {
            count += write_rows(out, &chunk, span)?;
            Ok(())
        })
    })?;
    fs::remove_file(path)?;
    let compare =
        |question, spent: Timed, other: &Measured, agree| spent.beside(question, "SQLite", count, other, agree);
    let mut compared = Vec::new();
    for (question, other) in QUESTIONS.iter().zip(&answer.asked) {
        let query = (question.query)(span);
        let spent =
            timed(|| run(shelf, &query).map(|answer| answer.groups.iter().map(|group| group.sum.failed).max()))?;
        let agree = other.result.as_ref().and_then(serde_json::Value::as_u64) == spent.result.flatten();
        compared.push(compare(question.name, spent.into(), other, Some(agree)));
    }
    if let Some(other) = answer.asked.last() {
        let spent = timed(|| rows(shelf, span, &[failed()], 15).map(|rows| rows.first().map(|row| row.at.0)))?;
        let agree = other.result.as_ref().and_then(serde_json::Value::as_i64) == spent.result.flatten();
        compared.push(compare("the newest 15 failures", spent.into(), other, Some(agree)));
    }
    let (wall, processor) = look_up(shelf, &rays)?;
    compared.push(compare("one Ray ID", Timed { wall, processor }, &answer.ray, None));
    crate::say(&format!(
        "SQLite took {:.1} µs of a processor a row to load and index, and {:.1} bytes a row, without lines",
        answer.load.processor * 1e6 / count.max(1) as f64,
        answer.bytes as f64 / count.max(1) as f64
    ));
    Ok(compared)
}

/// When the request of a Ray ID began, in nanoseconds: its upper bits are milliseconds.
fn started(ray: RayId) -> i64 {
    (ray.0 >> 22).cast_signed() * 1_000_000
}

fn lines(shelf: &Shelf, path: &Path, span: Span) -> io::Result<Vec<Compared>> {
    let mut count = 0;
    let mut last = RayId(0);
    let mut file = BufWriter::new(File::create(path)?);
    let wanted = Wanted { rays: true, lines: true, ..Wanted::default() };
    shelf.visit(Table::Requests, span, &wanted, &mut |chunk| {
        for (line, ray) in chunk.lines.iter().zip(&chunk.rays) {
            file.write_all(line)?;
            file.write_all(b"\n")?;
            last = *ray;
            count += 1;
        }
        Ok(())
    })?;
    file.flush()?;
    drop(file);
    let job = json!({ "what": "lines", "path": path, "ray": last.to_string() });
    let answer: OfLines = python(&job, |_| Ok(()))?;
    fs::remove_file(path)?;

    let all = timed(|| run(shelf, &by_all(&[], span)).map(|answer| answer.total.failed))?;
    let agree = answer.count.result.as_ref().and_then(serde_json::Value::as_u64) == all.result;
    let groups = timed(|| {
        run(shelf, &by_all(&[Dimension::Zone, Dimension::Party], span))
            .map(|found| found.groups.iter().map(|group| group.sum.failed).max())
    })?;
    let same_groups = answer.group.result.as_ref().and_then(serde_json::Value::as_u64) == groups.result.flatten();
    let (wall, processor) = look_up(shelf, &[last])?;
    let found = answer.ray.result.as_ref().and_then(serde_json::Value::as_u64) == Some(1);
    Ok(vec![
        Timed::from(all).beside("how many failed", "`grep -c`", count, &answer.count, Some(agree)),
        Timed { wall, processor }.beside("one Ray ID", "`grep -F`", count, &answer.ray, Some(found)),
        Timed::from(groups).beside(
            "zones and parties",
            "a script with `json`",
            count,
            &answer.group,
            Some(same_groups),
        ),
    ])
}

/// What the store took, and what it said.
struct Answered<T> {
    times: Vec<Spent>,
    result: Option<T>,
}

/// The medians.
struct Timed {
    wall: std::time::Duration,
    processor: std::time::Duration,
}

impl<T> From<Answered<T>> for Timed {
    fn from(answered: Answered<T>) -> Self {
        let median =
            |of: fn(&Spent) -> std::time::Duration| quantile(&answered.times.iter().map(of).collect::<Vec<_>>(), 0.5);
        Self { wall: median(|spent| spent.wall), processor: median(|spent| spent.processor) }
    }
}

impl Timed {
    fn beside(
        &self,
        question: &'static str,
        other: &'static str,
        rows: usize,
        measured: &Measured,
        agree: Option<bool>,
    ) -> Compared {
        Compared {
            question,
            other,
            rows,
            store_ms: self.wall.as_secs_f64() * 1e3,
            store_processor_ms: self.processor.as_secs_f64() * 1e3,
            other_ms: measured.wall * 1e3,
            other_processor_ms: measured.processor * 1e3,
            agree,
        }
    }
}

fn timed<T>(mut work: impl FnMut() -> Result<T, rayline_store::QueryError>) -> io::Result<Answered<T>> {
    let (mut times, mut result) = (Vec::new(), None);
    for _ in 0..TIMES {
        let mut spent = Spent::default();
        result = Some(spent.on(&mut work).map_err(io::Error::other)?);
        times.push(spent);
    }
    Ok(Answered { times, result })
}

/// The rows of a span as lines of columns, parted by tabs. How many.
fn write_rows(out: &mut dyn Write, chunk: &Chunk, span: Span) -> io::Result<usize> {
    let mut count = 0;
    for (row, ((at, ray), weight)) in chunk.at.iter().zip(&chunk.rays).zip(&chunk.weight).enumerate() {
        if !span.contains(Moment(*at)) {
            continue;
        }
        write!(out, "{at}\t{}\t{weight}", ray.0)?;
        for dimension in COLUMNS {
            let column = chunk.columns.get(dimension.index()).and_then(Option::as_ref);
            let value = column.and_then(|column| column.values.get(*column.codes.get(row)? as usize));
            write!(out, "\t{}", value.map_or("", |value| value))?;
        }
        out.write_all(b"\n")?;
        count += 1;
    }
    Ok(count)
}

/// Runs the script with rows on its standard input. What it says.
fn python<T: serde::de::DeserializeOwned>(
    job: &serde_json::Value,
    feed: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<T> {
    let mut command = Command::new("python3");
    command.args(["-c", SCRIPT, &job.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child =
        command.spawn().map_err(|error| io::Error::other(format!("`python3` cannot be started: {error}")))?;
    let fed = child.stdin.take().map_or(Ok(()), |stdin| {
        let mut out = BufWriter::with_capacity(1 << 16, stdin);
        feed(&mut out).and_then(|()| out.flush())
    });
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return Err(io::Error::other("the baseline's script failed: its last line says why"));
    }
    fed?;
    Ok(serde_json::from_slice(&output.stdout)?)
}
