//! Requests as a store holds them, written down one by one.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use rayline_store::{Chunk, Column, Dimension, Number, Source, Span, Table, Wanted};
use rayline_verdict::{Code, Moment, RayId};
use serde_json::json;

/// 2026-11-21 10:00:00 UTC.
pub(crate) const TEN: i64 = 1_795_255_200;

/// A moment so many seconds after ten.
pub(crate) fn at(seconds: i64) -> Moment {
    Moment((TEN + seconds) * 1_000_000_000)
}

/// Every request, all of them kept.
#[derive(Clone, Default)]
pub(crate) struct History {
    asked: Vec<Asked>,
}

#[derive(Clone)]
struct Asked {
    at: i64,
    zone: String,
    code: &'static str,
    wait_us: u64,
    host: String,
}

const ORIGIN: &str = "192.0.2.10:443";

impl History {
    /// Requests that go well, one a second.
    pub(crate) fn fine(mut self, zone: &str, seconds: std::ops::Range<i64>) -> Self {
        self.asked.extend(seconds.map(|second| asked(zone, second, "", 20_000)));
        self
    }

    /// Requests that fail, one a second.
    pub(crate) fn failed(mut self, zone: &str, seconds: std::ops::Range<i64>, code: Code) -> Self {
        self.asked.extend(seconds.map(|second| asked(zone, second, code.name(), 0)));
        self
    }

    /// Requests that go well after a while, one a second.
    pub(crate) fn slow(mut self, zone: &str, seconds: std::ops::Range<i64>, wait_us: u64) -> Self {
        self.asked.extend(seconds.map(|second| asked(zone, second, "", wait_us)));
        self
    }

    /// What a host is called that fails from now on: words of whoever asks.
    pub(crate) fn named(mut self, host: &str) -> Self {
        for asked in &mut self.asked {
            host.clone_into(&mut asked.host);
        }
        self
    }
}

fn asked(zone: &str, second: i64, code: &'static str, wait_us: u64) -> Asked {
    let at = (TEN + second) * 1_000_000_000;
    Asked { at, zone: zone.to_owned(), code, wait_us, host: format!("www.{zone}") }
}

impl Source for History {
    /// Of the tables with counts each request is a row of its own: they add up to the same.
    fn chunks(&self, table: Table, span: Span, _wanted: &Wanted) -> io::Result<Vec<Arc<Chunk>>> {
        let unit = match table {
            Table::Requests => 1,
            Table::Minutes | Table::Times => 60_000_000_000,
            Table::Hours | Table::HourlyTimes => 3_600_000_000_000,
        };
        let mut rows: Vec<Asked> = self.asked.clone();
        for row in &mut rows {
            row.at = row.at.div_euclid(unit) * unit;
        }
        rows.retain(|row| span.contains(Moment(row.at)) && (!is_of_times(table) || row.wait_us > 0));
        rows.sort_by_key(|row| row.at);
        Ok(if rows.is_empty() { Vec::new() } else { vec![Arc::new(chunk(table, &rows))] })
    }
}

const fn is_of_times(table: Table) -> bool {
    matches!(table, Table::Times | Table::HourlyTimes)
}

fn chunk(table: Table, rows: &[Asked]) -> Chunk {
    let mut chunk = Chunk {
        at: rows.iter().map(|row| row.at).collect(),
        weight: vec![1; rows.len()].into(),
        rays: rows.iter().map(|row| RayId(row.at.unsigned_abs())).collect(),
        lines: rows.iter().map(line).collect(),
        ..Chunk::default()
    };
    let mut column = |dimension: Dimension, value: &dyn Fn(&Asked) -> String| {
        *chunk.columns.get_mut(dimension.index()).unwrap() = Some(dictionary(rows.iter().map(value)));
    };
    column(Dimension::Zone, &|row| row.zone.clone());
    column(Dimension::Host, &|row| row.host.clone());
    column(Dimension::Origin, &|_| ORIGIN.to_owned());
    if is_of_times(table) {
        column(Dimension::Phase, &|_| Number::Wait.name().to_owned());
        column(Dimension::Bucket, &|row| row.wait_us.to_string());
    } else {
        column(Dimension::Code, &|row| row.code.to_owned());
        column(Dimension::Party, &|row| row.code.split('.').next().unwrap().to_owned());
        column(Dimension::EdgeStatus, &|row| if row.code.is_empty() { "200" } else { "502" }.to_owned());
        *chunk.numbers.get_mut(Number::Wait.index()).unwrap() = Some(rows.iter().map(|row| row.wait_us).collect());
    }
    chunk
}

fn line(row: &Asked) -> Bytes {
    let evidence = json!({ "connect_error": "ECONNREFUSED", "peer": ORIGIN, "said": "<b>`*x*`</b>\u{7}" });
    Bytes::from(json!({ "VerdictCode": row.code, "VerdictEvidence": evidence }).to_string())
}

fn dictionary(texts: impl Iterator<Item = String>) -> Column {
    let mut values: Vec<Arc<str>> = Vec::new();
    let mut known: HashMap<String, u32> = HashMap::new();
    let mut codes = Vec::new();
    for text in texts {
        codes.push(*known.entry(text.clone()).or_insert_with(|| {
            values.push(text.into());
            u32::try_from(values.len() - 1).unwrap()
        }));
    }
    Column { codes: codes.into(), values: Arc::new(values) }
}
