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
use rayline_store::{Dimension, Format, Number, Options, Shelf, Source, Span, Table, Wanted, export};
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

/// Time that went by, and how much of it was this thread's on a processor: the machine may have other things to do.
#[derive(Debug, Default)]
struct Spent {
    wall: Duration,
    processor: Duration,
}

impl Spent {
    fn on<T>(&mut self, work: impl FnOnce() -> T) -> io::Result<T> {
        let (wall, processor) = (Instant::now(), on_processor()?);
        let done = work();
        self.wall += wall.elapsed();
        self.processor += on_processor()?.saturating_sub(processor);
        Ok(done)
    }

    fn by_row(&self, rows: usize) -> String {
        let micros = |time: Duration| time.as_secs_f64() * 1e6 / rows.max(1) as f64;
        let (wall, processor) = (micros(self.wall), micros(self.processor));
        format!("{processor:.2} µs of a processor a row ({:.0} rows/s), {wall:.2} µs by the clock", 1e6 / processor)
    }
}

/// Linux counts it in nanoseconds ("proc_pid_schedstat").
fn on_processor() -> io::Result<Duration> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(Duration::from_nanos(text.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or_default()))
}

fn fill(out: &mut impl Write, folder: &Path, rows: usize) -> io::Result<()> {
    let shelf = Shelf::open(folder)?;
    let shape = Shape { seed: 1, from: FROM, to: TO, rows, weight: 10, failed: 0.1 };
    let mut requests = Requests::new(shape);
    let (mut made, mut sealed, mut summed) = (Spent::default(), Spent::default(), Spent::default());
    let mut lines = 0;
    let mut left = rows;
    while left > 0 {
        let (chunk, minutes) = made.on(|| {
            let chunk = requests.take(SEALED.min(left));
            let minutes = minutes_of(&chunk);
            (chunk, minutes)
        })?;
        left -= chunk.len();
        lines += chunk.lines.iter().map(|line| line.len()).sum::<usize>();
        sealed.on(|| shelf.add(Table::Requests, &chunk))??;
        summed.on(|| shelf.add(Table::Minutes, &minutes))??;
    }
    writeln!(out, "{rows} rows over 7 days, {} bytes a line on average", lines / rows.max(1))?;
    writeln!(out, "made, which is not part of the store: {}", made.by_row(rows))?;
    writeln!(out, "sealed, in files of {SEALED}: {}", sealed.by_row(rows))?;
    writeln!(out, "minutes, by request that they count: {}", summed.by_row(rows))?;
    show_bytes(out, &shelf, folder, "before merging")?;
    let options = Options {
        folder: folder.to_owned(),
        requests_age: Duration::from_secs(30 * 86_400),
        counts_age: Duration::from_secs(90 * 86_400),
        max_bytes: u64::MAX,
        mask_addresses: false,
        mask_queries: false,
    };
    let mut merging = Spent::default();
    let merged = merging.on(|| shelf.trim(TO, &options))??.merged;
    writeln!(out, "merged, {merged} files: {}", merging.by_row(rows))?;
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

/// Ray IDs from all over: every so many-th.
fn some_rays(shelf: &Shelf) -> io::Result<Vec<RayId>> {
    let mut rays = Vec::new();
    shelf.visit(Table::Requests, SPAN, &Wanted { rays: true, ..Wanted::default() }, &mut |chunk| {
        rays.extend(chunk.rays.iter().step_by(997));
        Ok(())
    })?;
    let step = rays.len().div_ceil(300).max(1);
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
