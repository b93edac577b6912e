//! How large incidents are: how many requests their scopes had meanwhile, and which version of the configuration they began
//! with. All are measured in one pass over each table, however many there are.

use rayline_verdict::Moment;

use super::{Incident, MINUTE, PlanSwitch};
use crate::analysis::share;
use crate::chunk::{Chunk, Source, Span, Table, Wanted};
use crate::dimension::Dimension;
use crate::query::groups::Groups;
use crate::query::plan::{Piece, Plan};
use crate::query::scan::{Batch, OUT, Pass, Sink, column, part, scan};
use crate::query::{Query, QueryError, first_seen};

/// How long before an incident a version of the configuration must have been in use not to be new.
const BEFORE: i64 = 10 * MINUTE;

/// Fills in what the failures alone do not know.
///
/// # Errors
///
/// As [`first_seen`].
pub(super) fn measure(source: &dyn Source, incidents: &mut [Incident]) -> Result<(), QueryError> {
    let requests = requests(source, incidents)?;
    for (incident, requests) in incidents.iter_mut().zip(requests) {
        incident.requests = requests as f64;
        incident.share = share(incident.failed as f64, incident.requests).min(1.0);
    }
    plans(source, incidents)
}

/// The requests that each incident's scope had while it lasted: those of its origins, or else of its zones.
fn requests(source: &dyn Source, incidents: &[Incident]) -> Result<Vec<u64>, QueryError> {
    let mut windows = Vec::new();
    for (place, incident) in incidents.iter().enumerate() {
        let during = Span { from: incident.begin, to: Moment(incident.last.0.saturating_add(1)) };
        let by = vec![dimension_of(incident)];
        // where a query of this one alone would be answered from
        let plan = Plan::new(&Query { by, ..Query::new(during) });
        windows.extend(plan.pieces(source)?.into_iter().map(|piece| Window { place, piece }));
    }
    let mut counting =
        Counting { incidents, windows: &windows, open: [Vec::new(), Vec::new()], counts: vec![0; incidents.len()] };
    let wanted = Wanted { dimensions: vec![Dimension::Zone, Dimension::Origin], ..Wanted::default() };
    let pass = Pass { wanted: &wanted, filters: &[], step: None };
    scan(source, &joined(&windows), &pass, &mut Groups::new(&[]), &mut counting)?;
    Ok(counting.counts)
}

fn dimension_of(incident: &Incident) -> Dimension {
    if incident.origins.is_empty() { Dimension::Zone } else { Dimension::Origin }
}

fn is_of(incident: &Incident, value: &str) -> bool {
    let names = if incident.origins.is_empty() { &incident.zones } else { &incident.origins };
    // requests of no zone have an empty one, which no incident names
    names.iter().any(|name| name == value) || (names.is_empty() && value.is_empty())
}

/// Where rows of one incident's time are.
struct Window {
    place: usize,
    piece: Piece,
}

/// The same rows, each once.
fn joined(windows: &[Window]) -> Vec<Piece> {
    let mut all: Vec<&Piece> = windows.iter().map(|window| &window.piece).collect();
    all.sort_by_key(|piece| (piece.table, piece.span.from));
    let mut joined: Vec<Piece> = Vec::new();
    for piece in all {
        match joined.last_mut().filter(|last| last.table == piece.table && piece.span.from <= last.span.to) {
            Some(last) => last.span.to = last.span.to.max(piece.span.to),
            None => joined.push(piece.clone()),
        }
    }
    joined
}

/// By what a row is told to be of an incident.
const BY: [Dimension; 2] = [Dimension::Zone, Dimension::Origin];

struct Counting<'a> {
    incidents: &'a [Incident],
    windows: &'a [Window],
    /// Of the chunk at hand: for each code of the zone's and of the origin's column, the windows it may count in.
    open: [Vec<Vec<usize>>; 2],
    counts: Vec<u64>,
}

impl Sink for Counting<'_> {
    fn begin(&mut self, chunk: &Chunk, table: Table) {
        let windows_of = |dimension: Dimension, value: &str| -> Vec<usize> {
            let is_met = |window: &Window| {
                window.piece.table == table
                    && self
                        .incidents
                        .get(window.place)
                        .is_some_and(|incident| dimension_of(incident) == dimension && is_of(incident, value))
            };
            self.windows.iter().enumerate().filter(|(_, window)| is_met(window)).map(|(nth, _)| nth).collect()
        };
        self.open = BY.map(|dimension| {
            let values = column(chunk, dimension).map(|column| column.values.as_slice()).unwrap_or_default();
            values.iter().map(|value| windows_of(dimension, value)).collect()
        });
    }

    fn take(&mut self, batch: &Batch<'_>) {
        let at = part(&batch.chunk.at, &batch.rows);
        let weights = part(&batch.chunk.weight, &batch.rows);
        let (Some(first), Some(last)) = (at.iter().min(), at.iter().max()) else { return };
        // rows side by side are of about the same time, in which few incidents lie
        let is_near = |nth: &usize| {
            let window = self.windows.get(*nth).map(|window| window.piece.span);
            window.is_some_and(|span| span.from.0 <= *last && *first < span.to.0)
        };
        for (dimension, open) in BY.into_iter().zip(&self.open) {
            let Some(column) = column(batch.chunk, dimension) else { continue };
            let open: Vec<Vec<usize>> =
                open.iter().map(|windows| windows.iter().copied().filter(is_near).collect()).collect();
            if open.iter().all(Vec::is_empty) {
                continue;
            }
            let rows = part(&column.codes, &batch.rows).iter().zip(at).zip(weights).zip(batch.cells);
            for (((code, at), weight), cell) in rows {
                let windows = open.get(*code as usize).map(Vec::as_slice).unwrap_or_default();
                for window in windows.iter().filter_map(|nth| self.windows.get(*nth)).filter(|_| *cell != OUT) {
                    if let Some(count) =
                        self.counts.get_mut(window.place).filter(|_| window.piece.span.contains(Moment(*at)))
                    {
                        *count = count.saturating_add(u64::from(*weight));
                    }
                }
            }
        }
    }
}

/// Which version each began with, if that was first seen within a minute before.
fn plans(source: &dyn Source, incidents: &mut [Incident]) -> Result<(), QueryError> {
    let begins = || incidents.iter().map(|incident| incident.begin.0);
    let (Some(first), Some(last)) = (begins().min(), begins().max()) else { return Ok(()) };
    let around = Span { from: Moment(first.saturating_sub(BEFORE)), to: Moment(last.saturating_add(1)) };
    let plans = first_seen(source, Dimension::Plan, around, &[])?;
    for incident in incidents {
        // minutes are all that is known, so the begin's own and the one before it count
        let earliest = incident.begin.0.saturating_sub(MINUTE).div_euclid(MINUTE) * MINUTE;
        // the first of all was there already
        let mut new = plans.iter().skip(1).rev();
        let new = new.find(|(_, since)| (earliest..=incident.begin.0).contains(&since.0));
        incident.plan = new.map(|(version, since)| PlanSwitch { version: version.clone(), since: *since });
    }
    Ok(())
}
