//! How each origin address is, as seen by real traffic. It sends no request, and knows nothing of addresses that none was
//! sent to.

use std::collections::BTreeMap;
use std::time::Duration;

use rayline_verdict::Moment;

use super::{is_of_origin, share};
use crate::chunk::{Chunk, Source, Span, Table, Wanted};
use crate::dimension::{Dimension, Number};
use crate::query::groups::Groups;
use crate::query::plan::Piece;
use crate::query::scan::{Batch, OUT, Pass, Shared, Sink, column, part, scan};
use crate::query::{Filter, Query, QueryError, run};

/// From which part of the read time-out on an origin is called slow.
const NEAR: f64 = 0.8;

/// An address that requests were sent to.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    /// Address and port.
    pub address: String,
    /// The zones whose requests it got.
    pub zones: Vec<String>,
    /// Requests that it was asked for.
    pub requests: f64,
    /// The standard error of `requests`; 0 where they are counted exactly.
    pub error: f64,
    /// Those that it, or the way to it, failed.
    pub failed: u64,
    /// By code, the most frequent first.
    pub codes: Vec<(String, u64)>,
    /// The newest request that it, or the way to it, failed.
    pub last_failure: Option<Moment>,
    /// The newest request known to have been answered well; of sampled ones, so there may have been a newer one.
    pub last_success: Option<Moment>,
    /// Half of the connections were made sooner; `None` where none had to be made.
    pub connect_p50: Option<Duration>,
    /// Half of the TLS handshakes were done sooner.
    pub tls_p50: Option<Duration>,
    /// Half of the answers' heads came sooner. At most the upper bound of the bucket it was counted in.
    pub wait_p50: Option<Duration>,
    /// 99 % of the answers' heads came sooner.
    pub wait_p99: Option<Duration>,
    /// The share of answered requests for which no connection had to be made; `None` if no time was measured.
    pub reused: Option<f64>,
    /// Whether `wait_p99` nears the read time-out: 80 % of it and more.
    pub slow: bool,
}

/// Every origin that requests passing the filters went to, the one with the highest share of failures first.
///
/// # Errors
///
/// As [`run`].
pub fn origins(
    source: &dyn Source,
    span: Span,
    filters: &[Filter],
    read_timeout: Duration,
) -> Result<Vec<Origin>, QueryError> {
    let mut found = counts(source, span, filters)?;
    let quantiles = vec![(Number::Wait, 0.5), (Number::Wait, 0.99), (Number::Tcp, 0.5), (Number::Tls, 0.5)];
    let filtered = Query { filters: filters.to_vec(), ..Query::new(span) };
    let times = run(source, &Query { by: vec![Dimension::Origin], quantiles, ..filtered })?;
    for group in times.groups {
        let Some(origin) = group.key.first().and_then(|address| found.get_mut(address)) else { continue };
        let time =
            |nth: usize| group.sum.quantiles.get(nth).copied().flatten().map(|time| Duration::from_micros(time as u64));
        (origin.wait_p50, origin.wait_p99) = (time(0), time(1));
        (origin.connect_p50, origin.tls_p50) = (time(2), time(3));
        origin.slow = origin.wait_p99.is_some_and(|wait| wait >= read_timeout.mul_f64(NEAR));
    }
    for (address, seen) in last_seen(source, span, filters)? {
        let Some(origin) = found.get_mut(&address) else { continue };
        (origin.last_failure, origin.last_success) = (seen.failure.map(Moment), seen.success.map(Moment));
        origin.reused = (seen.answered > 0).then(|| share(seen.reused as f64, seen.answered as f64));
    }
    let mut origins: Vec<Origin> = found.into_values().collect();
    let rate = |origin: &Origin| share(origin.failed as f64, origin.requests);
    origins.sort_by(|a, b| {
        let worse = rate(b).total_cmp(&rate(a)).then_with(|| b.failed.cmp(&a.failed));
        worse.then_with(|| a.address.cmp(&b.address))
    });
    Ok(origins)
}

fn counts(source: &dyn Source, span: Span, filters: &[Filter]) -> Result<BTreeMap<String, Origin>, QueryError> {
    let by = vec![Dimension::Origin, Dimension::Zone, Dimension::Code];
    let query = Query { by, filters: filters.to_vec(), ..Query::new(span) };
    let mut found: BTreeMap<String, Origin> = BTreeMap::new();
    for group in run(source, &query)?.groups {
        let [address, zone, code] = group.key.as_slice() else { continue };
        if address.is_empty() {
            continue;
        }
        let origin = found.entry(address.clone()).or_insert_with(|| Origin::new(address));
        origin.requests += group.sum.requests;
        origin.error = origin.error.hypot(group.sum.error);
        if !origin.zones.contains(zone) {
            origin.zones.push(zone.clone());
        }
        if is_of_origin(code) {
            origin.failed += group.sum.failed;
            match origin.codes.iter_mut().find(|(known, _)| known == code) {
                Some((_, failed)) => *failed += group.sum.failed,
                None => origin.codes.push((code.clone(), group.sum.failed)),
            }
        }
    }
    for origin in found.values_mut() {
        origin.zones.sort_unstable();
        origin.codes.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    }
    Ok(found)
}

impl Origin {
    fn new(address: &str) -> Self {
        Self {
            address: address.to_owned(),
            zones: Vec::new(),
            requests: 0.0,
            error: 0.0,
            failed: 0,
            codes: Vec::new(),
            last_failure: None,
            last_success: None,
            connect_p50: None,
            tls_p50: None,
            wait_p50: None,
            wait_p99: None,
            reused: None,
            slow: false,
        }
    }
}

/// What only requests themselves know.
#[derive(Clone, Copy, Debug, Default)]
struct Latest {
    failure: Option<i64>,
    success: Option<i64>,
    answered: u64,
    reused: u64,
}

fn last_seen(source: &dyn Source, span: Span, filters: &[Filter]) -> Result<Vec<(String, Latest)>, QueryError> {
    let by = [Dimension::Origin];
    let mut dimensions = vec![Dimension::Origin, Dimension::Code];
    dimensions.extend(filters.iter().map(|filter| filter.dimension));
    dimensions.sort_unstable();
    dimensions.dedup();
    let wanted = Wanted { dimensions, numbers: vec![Number::Tcp, Number::Wait], ..Wanted::default() };
    let mut groups = Groups::new(&by);
    let mut looking = Looking::default();
    let pass = Pass { wanted: &wanted, filters, step: None };
    scan(source, &[Piece { table: Table::Requests, span }], &pass, &mut groups, &mut looking)?;
    Ok(groups.texts().map(|texts| texts.concat()).zip(looking.cells.into_iter().skip(1)).collect())
}

#[derive(Default)]
struct Looking {
    cells: Vec<Latest>,
    /// Of the chunk at hand: by code whether it is a success, and whether it is the origin's failure.
    successes: Vec<bool>,
    failures: Vec<bool>,
    shared: Shared,
}

impl Sink for Looking {
    fn begin(&mut self, chunk: &Chunk, _table: Table) {
        if !self.shared.stays(column(chunk, Dimension::Code)) {
            let codes = self.shared.texts();
            self.successes = codes.iter().map(|code| code.is_empty()).collect();
            self.failures = codes.iter().map(|code| is_of_origin(code)).collect();
        }
    }

    fn take(&mut self, batch: &Batch<'_>) {
        let Batch { chunk, rows, cells, .. } = batch;
        let codes = column(chunk, Dimension::Code).map(|column| part(&column.codes, rows)).unwrap_or_default();
        let number = |number: Number| {
            let values = chunk.numbers.get(number.index()).and_then(Option::as_ref);
            values.map(|values| part(values, rows)).unwrap_or_default()
        };
        let (tcp, wait, weights) = (number(Number::Tcp), number(Number::Wait), part(&chunk.weight, rows));
        for (nth, (cell, at)) in cells.iter().zip(part(&chunk.at, rows)).enumerate() {
            if *cell == OUT {
                continue;
            }
            if self.cells.len() <= *cell as usize {
                self.cells.resize(*cell as usize + 1, Latest::default());
            }
            let Some(latest) = self.cells.get_mut(*cell as usize) else { continue };
            let code = codes.get(nth).map_or(usize::MAX, |code| *code as usize);
            if self.failures.get(code) == Some(&true) {
                latest.failure = latest.failure.max(Some(*at));
            } else if self.successes.get(code) == Some(&true) {
                latest.success = latest.success.max(Some(*at));
            }
            if let (Some(tcp), Some(1..), Some(weight)) = (tcp.get(nth), wait.get(nth), weights.get(nth)) {
                latest.answered += u64::from(*weight);
                latest.reused += if *tcp == 0 { u64::from(*weight) } else { 0 };
            }
        }
    }
}
