//! Measures the store: taking records in, what they take on disk, the questions of each page, looking up a Ray ID, export;
//! and beside it the same rows in SQLite, and the request log's lines with `grep`. `cargo xtask analytics` runs it.
//!
//! Nothing here says whether a figure is good but for the one goal that is stated: it measures, and writes down the scale.

mod baseline;
mod clock;
mod fill;
mod ingest;
mod look;
mod page;
mod questions;
mod records;
mod report;

use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;

use rayline_store::Shelf;

use report::Report;

/// What to measure, and where the results go.
struct Wanted {
    rows: usize,
    baseline_rows: usize,
    rounds: usize,
    /// Where the store lies, and stays. One that is there already is asked as it is.
    store: Option<PathBuf>,
    /// A section of the page that was measured elsewhere, in Markdown.
    section: Option<PathBuf>,
    /// Only questions with this in their name.
    question: String,
    /// Nothing but this, and no page is written.
    only: Option<Only>,
    json: Option<PathBuf>,
    out: Option<PathBuf>,
}

/// A part that can be measured by itself.
#[derive(Clone, Copy, PartialEq)]
enum Only {
    Ingest,
    Questions,
}

fn main() -> io::Result<()> {
    let wanted = Wanted::read(std::env::args().skip(1))?;
    let folder = tempfile::tempdir()?;
    let mut report = Report::new(wanted.rows);
    report.section = wanted.section.as_ref().map_or_else(|| Ok(String::new()), fs::read_to_string)?;

    if wanted.only != Some(Only::Questions) {
        say("taking records in");
        let records = (wanted.rows / 10).clamp(1_000, 300_000);
        report.sections.push(ingest::measure(folder.path(), records)?);
    }
    if wanted.only == Some(Only::Ingest) {
        report.sections.iter().for_each(|section| say(&page::figures(section)));
        return Ok(());
    }
    let store = wanted.store.clone().unwrap_or_else(|| folder.path().join("store"));
    if !store.join("lock").exists() {
        say(&format!("writing {} rows", wanted.rows));
        report.sections.push(fill::measure(&store, wanted.rows)?);
    }
    let shelf = Shelf::open(&store)?;
    say("asking what the pages ask");
    report.questions = questions::measure(&shelf, &wanted.question, wanted.rounds)?;
    if wanted.only == Some(Only::Questions) {
        say(&page::questions(&report));
        return Ok(());
    }
    say("looking up Ray IDs, and exporting");
    report.sections.push(look::ray_ids(&shelf, &store)?);
    report.sections.push(look::exports(&shelf)?);
    say(&format!("the same in SQLite, {} rows, and with grep", wanted.baseline_rows));
    report.baselines = baseline::measure(&shelf, folder.path(), wanted.rows, wanted.baseline_rows)?;

    let page = page::markdown(&report);
    say(&format!("\n{page}"));
    if let Some(json) = wanted.json {
        fs::write(json, serde_json::to_string_pretty(&report)? + "\n")?;
    }
    wanted.out.map_or(Ok(()), |out| fs::write(out, page))
}

impl Wanted {
    fn read(mut arguments: impl Iterator<Item = String>) -> io::Result<Self> {
        let mut wanted = Self {
            rows: 10_000_000,
            baseline_rows: 0,
            rounds: 20,
            store: None,
            section: None,
            question: String::new(),
            only: None,
            json: None,
            out: None,
        };
        let number = |text: &str| text.parse().ok().filter(|number| *number > 0);
        while let Some(name) = arguments.next() {
            let value = arguments.next().unwrap_or_default();
            let wrong = || io::Error::other(format!("`{name} {value}` is not understood"));
            match name.as_str() {
                "--rows" => wanted.rows = number(&value).ok_or_else(wrong)?,
                "--baseline-rows" => wanted.baseline_rows = number(&value).ok_or_else(wrong)?,
                "--rounds" => wanted.rounds = number(&value).ok_or_else(wrong)?,
                "--section" => wanted.section = Some(value.into()),
                "--question" => wanted.question = value,
                "--only" if value == "ingest" => wanted.only = Some(Only::Ingest),
                "--only" if value == "questions" => wanted.only = Some(Only::Questions),
                "--store" => wanted.store = Some(value.into()),
                "--json" => wanted.json = Some(value.into()),
                "--out" => wanted.out = Some(value.into()),
                _ => return Err(wrong()),
            }
        }
        if wanted.baseline_rows == 0 || wanted.baseline_rows > wanted.rows {
            wanted.baseline_rows = wanted.rows;
        }
        Ok(wanted)
    }
}

/// One line for whoever waits. Whoever closed it does not want to know.
fn say(line: &str) {
    let _ = writeln!(io::stdout().lock(), "{line}");
}
