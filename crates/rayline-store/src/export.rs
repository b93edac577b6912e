//! Requests in the forms that other tools read: the log's lines, a table as CSV, or Parquet. It takes them as they are kept;
//! nothing is estimated or summed up.

use std::io::{self, Write};
use std::sync::Arc;

use rayline_verdict::Moment;

use crate::chunk::{Chunk, Source, Span, Table, Wanted};
use crate::dimension::{Dimension, Number};
use crate::query::{Filter, matches};
use crate::segment::{Facts, GROUP_ROWS, Slot, Writer};

/// The form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The request log's lines, one JSON object each.
    Ndjson,
    /// A column per dimension and number, with a line of names (RFC 4180). A text that a spreadsheet would take for a
    /// formula has `'` before it (OWASP, "CSV Injection").
    Csv,
    /// The columns and the log's lines in one Parquet file.
    Parquet,
}

impl Format {
    /// Every form.
    pub const ALL: [Self; 3] = [Self::Ndjson, Self::Csv, Self::Parquet];

    /// The name in commands and links, and what a file's name ends with.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        }
    }

    /// The form of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// The media type (RFC 4180 for CSV, IANA's registry for Parquet).
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }
}

/// Writes the requests of a span that pass the filters, in the order of time, and says how many there were. A few
/// row groups at a time are in memory.
///
/// # Errors
///
/// If they cannot be read, or not be written.
pub fn export(
    source: &dyn Source,
    span: Span,
    filters: &[Filter],
    format: Format,
    out: &mut (dyn Write + Send),
) -> io::Result<u64> {
    match format {
        Format::Ndjson => export_lines(source, span, filters, out),
        Format::Csv => export_csv(source, span, filters, out),
        Format::Parquet => export_parquet(source, span, filters, out),
    }
}

/// Visits requests so that rows come in the order of time, where chunks lie side by side: failed requests and others of the
/// same time are kept apart. Those of files that overlap by more come as they are.
fn visit_in_order(
    source: &dyn Source,
    span: Span,
    wanted: &Wanted,
    visit: &mut dyn FnMut(Arc<Chunk>) -> io::Result<()>,
) -> io::Result<()> {
    let mut held: Vec<Arc<Chunk>> = Vec::new();
    let mut flush = |held: &mut Vec<Arc<Chunk>>| match std::mem::take(held).as_slice() {
        [] => Ok(()),
        [one] => visit(Arc::clone(one)),
        several => visit(Arc::new(Chunk::concat(several).sorted())),
    };
    source.visit(Table::Requests, span, wanted, &mut |chunk| {
        let last = held.iter().filter_map(|chunk| chunk.at.last()).max();
        let is_later = last.zip(chunk.at.first()).is_some_and(|(last, first)| last <= first);
        if is_later || held.iter().map(|chunk| chunk.len()).sum::<usize>() + chunk.len() > GROUP_ROWS {
            flush(&mut held)?;
        }
        held.push(chunk);
        Ok(())
    })?;
    flush(&mut held)
}

fn export_lines(source: &dyn Source, span: Span, filters: &[Filter], out: &mut dyn Write) -> io::Result<u64> {
    let dimensions = filters.iter().map(|filter| filter.dimension).collect();
    let wanted = Wanted { dimensions, lines: true, ..Wanted::default() };
    let mut count = 0;
    visit_in_order(source, span, &wanted, &mut |chunk| {
        for line in matches(&chunk, span, filters).filter_map(|row| chunk.lines.get(row)) {
            out.write_all(line)?;
            out.write_all(b"\n")?;
            count += 1;
        }
        Ok(())
    })?;
    Ok(count)
}

fn export_csv(source: &dyn Source, span: Span, filters: &[Filter], out: &mut dyn Write) -> io::Result<u64> {
    let wanted = Wanted { lines: false, ..Wanted::all_of_requests() };
    let mut table = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
    let names = wanted.dimensions.iter().map(|dimension| dimension.name());
    let numbers = wanted.numbers.iter().map(|number| number.name());
    table.write_record(["at", "ray", "weight"].into_iter().chain(names).chain(numbers))?;
    let mut count = 0;
    visit_in_order(source, span, &wanted, &mut |chunk| {
        for row in matches(&chunk, span, filters) {
            table.write_record(fields(&chunk, row, &wanted))?;
            count += 1;
        }
        Ok(())
    })?;
    table.flush()?;
    Ok(count)
}

fn fields(chunk: &Chunk, row: usize, wanted: &Wanted) -> Vec<String> {
    let ray = chunk.rays.get(row).map(ToString::to_string);
    let mut fields = vec![
        chunk.at.get(row).map(|at| Moment(*at).to_nanoseconds()).unwrap_or_default(),
        ray.unwrap_or_default(),
        chunk.weight.get(row).map(u32::to_string).unwrap_or_default(),
    ];
    fields.extend(wanted.dimensions.iter().map(|dimension| unlike_a_formula(text(chunk, *dimension, row))));
    fields.extend(wanted.numbers.iter().map(|number| {
        let numbers = chunk.numbers.get(number.index()).and_then(Option::as_ref);
        numbers.and_then(|numbers| numbers.get(row)).map(u64::to_string).unwrap_or_default()
    }));
    fields
}

fn text(chunk: &Chunk, dimension: Dimension, row: usize) -> &str {
    let column = chunk.columns.get(dimension.index()).and_then(Option::as_ref);
    let value = column.and_then(|column| column.values.get(*column.codes.get(row)? as usize));
    value.map_or("", |value| value)
}

fn unlike_a_formula(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { format!("'{text}") } else { text.to_owned() }
}

fn export_parquet(
    source: &dyn Source,
    span: Span,
    filters: &[Filter],
    out: &mut (dyn Write + Send),
) -> io::Result<u64> {
    let wanted = Wanted::all_of_requests();
    let mut writer = Writer::new(out, Slot::all_wanted(&wanted), &Facts::new(Table::Requests, 0))?;
    let mut count = 0;
    source.visit(Table::Requests, span, &wanted, &mut |chunk| {
        let rows: Vec<u32> = matches(&chunk, span, filters).filter_map(|row| u32::try_from(row).ok()).collect();
        count += rows.len() as u64;
        if rows.is_empty() { Ok(()) } else { writer.add(Arc::new(chunk.select(&rows))) }
    })?;
    writer.finish()?.flush()?;
    Ok(count)
}

impl Wanted {
    /// All that requests have; the columns of the times are not theirs.
    fn all_of_requests() -> Self {
        let is_theirs = |dimension: &Dimension| !matches!(dimension, Dimension::Phase | Dimension::Bucket);
        Self {
            dimensions: Dimension::ALL.into_iter().filter(is_theirs).collect(),
            numbers: Number::ALL.to_vec(),
            rays: true,
            lines: true,
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests;
