//! Measures the store's files on made-up requests: how fast rows are written, what they take on disk, how fast they are
//! read, and how long it takes to find one by its Ray ID.
//!
//! `cargo run --release -p rayline-store --example measure -- [ROWS [FOLDER]]`; a folder that holds a store already is only
//! read.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rayline_store::generate::{Requests, Shape, minutes_of};
use rayline_store::{Chunk, Dimension, Format, Number, Options, Shelf, Source, Span, Table, Wanted, export};
use rayline_verdict::{Moment, RayId};

/// Rows of a file that is sealed, about as many as a busy minute keeps.
const SEALED: usize = 20_000;
const DAY: i64 = 86_400_000_000_000;
const FROM: Moment = Moment(20_000 * DAY);
const TO: Moment = Moment(20_007 * DAY);
const SPAN: Span = Span { from: FROM, to: TO };

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let rows = arguments.next().and_then(|rows| rows.parse().ok()).unwrap_or(1_000_000);
    let temporary = tempfile::tempdir()?;
    let folder = arguments.next().map_or_else(|| temporary.path().to_owned(), PathBuf::from);
    let mut out = io::stdout();
    if !folder.join("lock").exists() {
        fill(&mut out, &folder, rows)?;
    }
    read(&mut out, &folder)
}

fn fill(out: &mut impl Write, folder: &Path, rows: usize) -> io::Result<()> {
    let shelf = Shelf::open(folder)?;
    let shape = Shape { seed: 1, from: FROM, to: TO, rows, weight: 10, failed: 0.1 };
    let mut requests = Requests::new(shape);
    let (mut made, mut sealed, mut summed) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    let mut lines = 0;
    let mut left = rows;
    while left > 0 {
        let begin = Instant::now();
        let chunk = requests.take(SEALED.min(left));
        let minutes = minutes_of(&chunk);
        made += begin.elapsed();
        left -= chunk.len();
        lines += chunk.lines.iter().map(|line| line.len()).sum::<usize>();
        let begin = Instant::now();
        shelf.add(Table::Requests, &chunk)?;
        sealed += begin.elapsed();
        let begin = Instant::now();
        shelf.add(Table::Minutes, &minutes)?;
        summed += begin.elapsed();
    }
    let per_second = |time: Duration| rows as f64 / time.as_secs_f64();
    writeln!(out, "{rows} rows over 7 days, {} bytes a line on average", lines / rows.max(1))?;
    writeln!(out, "made:     {:>9.0} rows/s (not part of the store)", per_second(made))?;
    writeln!(out, "sealed:   {:>9.0} rows/s, in files of {SEALED}", per_second(sealed))?;
    writeln!(out, "minutes:  {:>9.0} rows/s of the requests they count", per_second(summed))?;
    show_bytes(out, &shelf, folder, "before merging")?;
    let options = Options {
        folder: folder.to_owned(),
        requests_age: Duration::from_secs(30 * 86_400),
        counts_age: Duration::from_secs(90 * 86_400),
        max_bytes: u64::MAX,
        mask_addresses: false,
        mask_queries: false,
    };
    let begin = Instant::now();
    let merged = shelf.trim(TO, &options)?.merged;
    writeln!(out, "merged:   {:>9.0} rows/s, {merged} files", per_second(begin.elapsed()))?;
    show_bytes(out, &shelf, folder, "after merging")?;
    show_parts(out, folder)
}

fn show_bytes(out: &mut impl Write, shelf: &Shelf, folder: &Path, when: &str) -> io::Result<()> {
    for table in [Table::Requests, Table::Minutes, Table::Hours] {
        let mut rows = 0;
        shelf.visit(table, SPAN, &Wanted::default(), &mut |chunk| {
            rows += chunk.len();
            Ok(())
        })?;
        let (mut files, mut bytes) = (0, 0);
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(table.name()) {
                files += 1;
                bytes += entry.metadata()?.len();
            }
        }
        let each = bytes as f64 / rows.max(1) as f64;
        writeln!(
            out,
            "{when}: {:<8} {rows:>9} rows, {files:>5} files, {bytes:>11} bytes, {each:.1} a row",
            table.name()
        )?;
    }
    Ok(())
}

/// What a failure and what a success takes: the same store with only one of them.
fn show_parts(out: &mut impl Write, folder: &Path) -> io::Result<()> {
    for (name, failed) in [("failed", 1.0), ("success", 0.0)] {
        let mut whole =
            Requests::new(Shape { seed: 2, from: FROM, to: TO, rows: 200_000, weight: 10, failed }).take(200_000);
        let wanted = |row: &u32| (whole.weight.get(*row as usize) == Some(&1)) == (failed > 0.5);
        let rows: Vec<u32> = (0..200_000).filter(wanted).collect();
        whole = whole.select(&rows);
        let part = folder.join(format!("part-{name}"));
        Shelf::open(&part)?.add(Table::Requests, &whole)?;
        let mut bytes = 0;
        for entry in fs::read_dir(&part)? {
            bytes += entry?.metadata()?.len();
        }
        fs::remove_dir_all(&part)?;
        let lines = whole.lines.iter().map(|line| line.len()).sum::<usize>() / whole.len().max(1);
        writeln!(
            out,
            "{name}: {:.1} bytes a row on disk, of {lines} bytes a line",
            bytes as f64 / whole.len().max(1) as f64
        )?;
    }
    Ok(())
}

fn read(out: &mut impl Write, folder: &Path) -> io::Result<()> {
    let begin = Instant::now();
    let shelf = Shelf::open(folder)?;
    writeln!(out, "opened in {:?}", begin.elapsed())?;
    let rays = some_rays(&shelf)?;
    look_up(out, &shelf, "one by one, nothing decoded yet", &rays, true)?;
    look_up(out, &shelf, "columns decoded already", &rays, false)?;
    let missing: Vec<RayId> = rays.iter().map(|ray| RayId(ray.0 ^ (1 << 21))).collect();
    look_up(out, &shelf, "not there", &missing, false)?;
    let wanted = Wanted {
        dimensions: vec![Dimension::EdgeStatus, Dimension::Host],
        numbers: vec![Number::Wait],
        ..Wanted::default()
    };
    shelf.forget_columns();
    for (name, wanted) in [("time and weight", Wanted::default()), ("two texts and a number more", wanted)] {
        for again in ["decoded", "from the cache"] {
            let begin = Instant::now();
            let mut rows = 0;
            shelf.visit(Table::Requests, SPAN, &wanted, &mut |chunk| {
                rows += chunk.len();
                Ok(())
            })?;
            let rate = rows as f64 / begin.elapsed().as_secs_f64() / 1e6;
            writeln!(out, "scan, {name}, {again}: {rows} rows in {:?}, {rate:.0} million/s", begin.elapsed())?;
        }
    }
    for format in Format::ALL {
        let begin = Instant::now();
        let day = Span { to: Moment(FROM.0 + DAY), ..SPAN };
        let rows = export(&shelf, day, &[], format, &mut io::sink())?;
        writeln!(out, "export of a day as {}: {rows} rows in {:?}", format.name(), begin.elapsed())?;
    }
    Ok(())
}

/// Ray IDs from all over.
fn some_rays(shelf: &Shelf) -> io::Result<Vec<RayId>> {
    let mut rays = Vec::new();
    let wanted = Wanted { rays: true, ..Wanted::default() };
    let some = |chunk: &Chunk, nth: usize| chunk.rays.get(nth * 7919 % chunk.len().max(1)).copied();
    shelf.visit(Table::Requests, SPAN, &wanted, &mut |chunk| {
        rays.extend(some(&chunk, rays.len()));
        Ok(())
    })?;
    let step = rays.len().div_ceil(200).max(1);
    Ok(rays.into_iter().step_by(step).collect())
}

fn look_up(out: &mut impl Write, shelf: &Shelf, how: &str, rays: &[RayId], cold: bool) -> io::Result<()> {
    let (mut times, mut found) = (Vec::new(), 0);
    for ray in rays {
        if cold {
            shelf.forget_columns();
        }
        let begin = Instant::now();
        found += shelf.ray(*ray)?.len();
        times.push(begin.elapsed());
    }
    times.sort_unstable();
    let at = |share: usize| times.get(times.len() * share / 100).copied().unwrap_or_default();
    writeln!(
        out,
        "look-up, {how}: {} Ray IDs, {found} found, median {:?}, p95 {:?}, worst {:?}",
        rays.len(),
        at(50),
        at(95),
        times.last().copied().unwrap_or_default()
    )
}
