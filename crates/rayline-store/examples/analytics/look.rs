//! Looking up a Ray ID, and export.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use rayline_store::{Format, Shelf, Source, Span, Table, Wanted, export};
use rayline_verdict::{Moment, RayId};
use rustix::fs::{Advice, fadvise};

use crate::clock::{Spent, quantile};
use crate::fill::{ALL, DAY, FROM};
use crate::report::{Figure, Section};

/// Ray IDs that are looked up.
const RAYS: usize = 200;

/// What is not there when a Ray ID is looked up.
#[derive(Clone, Copy)]
enum Cold {
    /// Neither the files' bytes in memory, nor a decoded column.
    All,
    /// The files' bytes are in memory.
    Columns,
    Nothing,
}

pub(crate) fn ray_ids(shelf: &Shelf, folder: &Path) -> io::Result<Section> {
    let (rays, rows) = some_rays(shelf)?;
    let missing: Vec<RayId> = rays.iter().map(|ray| RayId(ray.0 ^ (1 << 21))).collect();
    let mut figures = Vec::new();
    for (how, rays, cold) in [
        ("nothing in memory", &rays, Cold::All),
        ("files in memory, nothing decoded", &rays, Cold::Columns),
        ("columns decoded", &rays, Cold::Nothing),
        ("columns decoded, no such Ray ID", &missing, Cold::Nothing),
    ] {
        let (mut times, mut found) = (Vec::new(), 0);
        for ray in rays {
            cool(shelf, folder, cold)?;
            let begin = Instant::now();
            found += shelf.ray(*ray)?.len();
            times.push(begin.elapsed());
        }
        let scale = format!("{} Ray IDs among {rows} rows, {found} found", rays.len());
        for (name, share) in [("median", 0.5), ("p95", 0.95)] {
            let millis = quantile(&times, share).as_secs_f64() * 1e3;
            figures.push(Figure::new(format!("{how}: {name}"), millis, "ms", scale.as_str()));
        }
    }
    Ok(Section { title: "Looking up a Ray ID", figures })
}

fn cool(shelf: &Shelf, folder: &Path, cold: Cold) -> io::Result<()> {
    match cold {
        Cold::Nothing => return Ok(()),
        Cold::Columns => {}
        Cold::All => {
            for entry in fs::read_dir(folder)? {
                fadvise(File::open(entry?.path())?, 0, None, Advice::DontNeed)?;
            }
        }
    }
    shelf.forget_columns();
    Ok(())
}

/// Ray IDs from all over, and how many there are.
pub(crate) fn some_rays(shelf: &Shelf) -> io::Result<(Vec<RayId>, usize)> {
    let (mut rays, mut rows) = (Vec::new(), 0);
    shelf.visit(Table::Requests, ALL, &Wanted { rays: true, ..Wanted::default() }, &mut |chunk| {
        rows += chunk.len();
        rays.extend(chunk.rays.iter().step_by(97));
        Ok(())
    })?;
    let step = rays.len().div_ceil(RAYS).max(1);
    Ok((rays.into_iter().step_by(step).collect(), rows))
}

/// Counts bytes, and keeps none.
#[derive(Default)]
struct Sink(u64);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(crate) fn exports(shelf: &Shelf) -> io::Result<Section> {
    let day = Span { from: FROM, to: Moment(FROM.0 + DAY) };
    let mut figures = Vec::new();
    for format in Format::ALL {
        let (mut spent, mut sink) = (Spent::default(), Sink::default());
        let rows = spent.on(|| export(shelf, day, &[], format, &mut sink))?;
        let rows = usize::try_from(rows).unwrap_or(usize::MAX);
        let scale = format!("a day of {rows} rows, {:.0} MB", sink.0 as f64 / 1e6);
        let figure = |what: &str, value, unit| Figure::new(format!("{}: {what}", format.name()), value, unit, &*scale);
        figures.push(figure("by the clock", spent.rate(rows), "/s"));
        figures.push(figure("CPU per row", spent.micros_each(rows), "µs"));
    }
    Ok(Section { title: "Export", figures })
}

/// How long it takes to look one up, with all decoded.
pub(crate) fn look_up(shelf: &Shelf, rays: &[RayId]) -> io::Result<(Duration, Duration)> {
    let mut times = Vec::new();
    for ray in rays {
        let mut spent = Spent::default();
        spent.on(|| shelf.ray(*ray))?;
        times.push(spent);
    }
    let median = |of: fn(&Spent) -> Duration| quantile(&times.iter().map(of).collect::<Vec<_>>(), 0.5);
    Ok((median(|spent| spent.wall), median(|spent| spent.processor)))
}
