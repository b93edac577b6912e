//! Taking records in: what a lane of the edge spends on each, what the store's thread spends on each that is kept, and what
//! sealing takes on disk. The lines are made beforehand, as the request log makes them anyway.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use rayline_store::{Shelf, Source, Store, Table, Wanted};
use rayline_verdict::{Record, log_line};

use crate::clock::{Spent, of_threads};
use crate::fill::{ALL, FROM, bytes_of, options};
use crate::records::Records;
use crate::report::{Figure, Section};

/// Records that a lane takes in one go, and how often the store's thread is waited for: it must not lose any.
const BATCH: usize = 1_000;
const SYNC: usize = 4;

/// One kind of traffic.
struct Traffic {
    name: &'static str,
    failed: bool,
    per_second: i64,
}

const TRAFFIC: [Traffic; 3] = [
    Traffic { name: "successes, 20,000 a second", failed: false, per_second: 20_000 },
    Traffic { name: "successes, 40 a second", failed: false, per_second: 40 },
    Traffic { name: "failures", failed: true, per_second: 1_000 },
];

/// What came of it.
#[derive(Default)]
struct Taken {
    /// The lane's thread.
    lane: Spent,
    /// All that went by, the making of lines left out.
    all: Spent,
    kept: usize,
    line_bytes: usize,
}

pub(crate) fn measure(folder: &Path, records: usize) -> io::Result<Section> {
    let mut figures = Vec::new();
    for (nth, traffic) in TRAFFIC.iter().enumerate() {
        let folder = folder.join(format!("ingest-{nth}"));
        figures.extend(one(&folder, traffic, records)?);
        fs::remove_dir_all(&folder)?;
    }
    Ok(Section { title: "Taking records in", figures })
}

fn one(folder: &Path, traffic: &Traffic, records: usize) -> io::Result<Vec<Figure>> {
    let store = Store::open(options(folder))?;
    let taken = take_in(&store, traffic, records)?;
    let thread = of_threads("store")?;
    let sealed_before = of_threads("store-seal")?;
    let mut sealing = Spent::default();
    sealing.on(|| {
        store.seal();
        store.sync();
        store.stop();
    });
    let lost = store.health();
    drop(store);

    let Taken { lane, all, kept, line_bytes } = taken;
    let scale = format!("{records} {}, {kept} of them kept", traffic.name);
    let figure =
        |what: &str, value, unit| Figure::new(format!("{}: {what}", traffic.name), value, unit, scale.as_str());
    let each = |spent: Duration| spent.as_secs_f64() * 1e6 / kept.max(1) as f64;
    let mut figures = vec![
        figure("a lane's CPU per record", lane.micros_each(records), "µs"),
        figure("records a second that a lane's core would take", 1e6 / lane.micros_each(records), "/s"),
        figure("records a second by the clock, all threads", all.rate(records), "/s"),
        figure("the store's thread, CPU per kept record", each(thread), "µs"),
        figure("lost", (lost.lost_failures + lost.lost_successes) as f64, "records"),
    ];
    let (rows, bytes) = on_disk(folder)?;
    if rows > 0 {
        // What is not sealed when it stops stays in the journal: of a few kept ones that may be all.
        let sealing = each(sealed_before + sealing.processor);
        figures.push(figure("sealing into files, CPU per kept record", sealing, "µs"));
        let line = line_bytes as f64 / kept.max(1) as f64;
        let scale = format!("{rows} rows in files of the store's own making, lines of {line:.0} bytes included");
        let what = format!("{}: on disk per row", traffic.name);
        figures.push(Figure::new(what, bytes as f64 / rows as f64, "bytes", scale));
    }
    Ok(figures)
}

fn take_in(store: &Store, traffic: &Traffic, records: usize) -> io::Result<Taken> {
    let gone = || io::Error::other("a store that is open for writing has no intake");
    let mut intake = store.intake().ok_or_else(gone)?;
    let mut take = intake.take();
    let mut source = Records::new(FROM, traffic.failed, traffic.per_second);
    let mut taken = Taken::default();
    let mut left = records;
    for batch in 1.. {
        let records = with_lines(source.take(BATCH.min(left)));
        left -= records.len();
        let (lane, all) = (&mut taken.lane, &mut taken.all);
        let (mut kept, mut bytes) = (0, 0);
        all.on(|| {
            lane.alone(|| {
                for (record, line) in &records {
                    if let Some(weight) = intake.count(record, &mut take) {
                        take.keep(record, weight, line);
                        kept += 1;
                        bytes += line.len();
                    }
                }
                take.hand_over();
            });
            if batch % SYNC == 0 || left == 0 {
                store.sync();
            }
        });
        taken.kept += kept;
        taken.line_bytes += bytes;
        if left == 0 {
            break;
        }
    }
    Ok(taken)
}

fn with_lines(records: Vec<Record>) -> Vec<(Record, Vec<u8>)> {
    let with_line = |record: Record| {
        let mut line = Vec::new();
        log_line::write(&record, &mut line);
        (record, line)
    };
    records.into_iter().map(with_line).collect()
}

/// Rows of requests in sealed files, and the bytes of these.
fn on_disk(folder: &Path) -> io::Result<(usize, u64)> {
    let mut rows = 0;
    Shelf::open_read_only(folder)?.visit(Table::Requests, ALL, &Wanted::default(), &mut |chunk| {
        rows += chunk.len();
        Ok(())
    })?;
    Ok((rows, bytes_of(folder, Table::Requests)?))
}
