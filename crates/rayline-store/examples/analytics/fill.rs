//! A store of generated rows: seven days, one in ten failed, a success standing for ten. What writing and merging them
//! costs, and what they take on disk.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use rayline_store::generate::{Requests, Shape, minutes_of, times_of};
use rayline_store::{Options, Shelf, Source, Span, Table, Wanted};
use rayline_verdict::Moment;

use crate::clock::Spent;
use crate::report::{Figure, Section};

/// Rows of a file as it is sealed first.
const SEALED: usize = 20_000;
pub(crate) const DAY: i64 = 86_400_000_000_000;
pub(crate) const FROM: Moment = Moment(20_000 * DAY);
pub(crate) const TO: Moment = Moment(FROM.0 + 7 * DAY);
/// All of the rows.
pub(crate) const ALL: Span = Span { from: FROM, to: TO };

pub(crate) fn measure(folder: &Path, rows: usize) -> io::Result<Section> {
    let shelf = Shelf::open(folder)?;
    let shape = Shape { seed: 1, from: FROM, to: TO, rows, weight: 10, failed: 0.1 };
    let mut requests = Requests::new(shape);
    let (mut sealed, mut counted) = (Spent::default(), Spent::default());
    let mut left = rows;
    while left > 0 {
        let chunk = requests.take(SEALED.min(left));
        left -= chunk.len();
        let (minutes, times) = (minutes_of(&chunk), times_of(&chunk));
        sealed.on(|| shelf.add(Table::Requests, &chunk))?;
        counted.on(|| shelf.add(Table::Minutes, &minutes).and_then(|()| shelf.add(Table::Times, &times)))?;
    }
    let mut merging = Spent::default();
    // A day later than the last row: what is of a day that is over is merged for good.
    merging.on(|| shelf.trim(Moment(TO.0 + DAY), &options(folder)))?;

    let scale = format!("{rows} rows over 7 days, in files of {SEALED}");
    let mut figures = vec![
        Figure::new("sealing requests, CPU per row", sealed.micros_each(rows), "µs", scale.as_str()),
        Figure::new("sealing minutes and times, CPU per request", counted.micros_each(rows), "µs", scale.as_str()),
        Figure::new("merging and summing up, CPU per request", merging.micros_each(rows), "µs", scale.as_str()),
    ];
    for table in Table::ALL {
        let bytes = bytes_of(folder, table)? as f64;
        let mut of_table = 0;
        shelf.visit(table, ALL, &Wanted::default(), &mut |chunk| {
            of_table += chunk.len();
            Ok(())
        })?;
        let what = format!("`{}` on disk per request", table.name());
        let scale = format!("{of_table} rows of it, {:.0} MB, of {rows} requests", bytes / 1e6);
        figures.push(Figure::new(what, bytes / rows.max(1) as f64, "bytes", scale));
    }
    Ok(Section { title: "Writing and keeping generated rows", figures })
}

/// Nothing is too old or too much: the rows are of a day long ago.
pub(crate) fn options(folder: &Path) -> Options {
    Options {
        folder: folder.to_owned(),
        requests_age: Duration::MAX,
        counts_age: Duration::MAX,
        max_bytes: u64::MAX,
        mask_addresses: false,
        mask_queries: true,
    }
}

/// Bytes of a table's files.
pub(crate) fn bytes_of(folder: &Path, table: Table) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(table.name()) {
            bytes += entry.metadata()?.len();
        }
    }
    Ok(bytes)
}
