//! What seeing costs: the edge as it is, with log, metrics and store, beside the same without the store, and without the log
//! too. In interleaved rounds, by CPU time for each request, all threads of the process together.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use super::config;
use super::peer::{Peer, Setup, Start};
use super::report::{Sample, Spread, Table, ratio};
use super::scenario::SCENARIOS;
use super::stage::Stage;
use super::{machine, say, today};
use crate::tools::{self, Tool};

/// What may be added to a request's CPU time.
const GOAL: f64 = 1.05;

/// What visitors do: the cheapest request there is, the same over TLS and HTTP/2, and failures, all of which are kept.
const ASKED: [&str; 3] = ["small", "http2", "refused-json"];

const WITH: Peer = Peer::new(Tool { name: "everything on", ..tools::RAYLINE }, config::rayline);
const WITHOUT_STORE: Peer = Peer::new(Tool { name: "without the store", ..tools::RAYLINE }, without_store);
const WITHOUT_BOTH: Peer = Peer::new(Tool { name: "without store and log", ..tools::RAYLINE }, without_both);

static EDGES: [Peer; 3] = [WITH, WITHOUT_STORE, WITHOUT_BOTH];

/// Measure what the store, and the log, add to the CPU time of a request.
#[derive(Clone, Debug, clap::Args)]
pub struct Overhead {
    /// How often each has its turn.
    #[arg(long, default_value_t = 9, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// How long a turn is.
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Where the table goes as Markdown; it is printed in any case.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The `rayline` to measure, rather than the one that is built for it.
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
}

/// Measures, and prints a table.
///
/// # Errors
/// The program does not build, there is no origin, or the table cannot be written.
pub fn run(overhead: &Overhead) -> io::Result<()> {
    let program = match &overhead.program {
        Some(program) => program.canonicalize()?,
        None => crate::program::rayline(true)?,
    };
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default().to_owned();
    let peers = EDGES.iter().map(|edge| (edge, Some(program.clone()))).collect();
    let stage = Stage::new(peers, overhead.rounds, overhead.seconds)?;
    let asked = SCENARIOS.iter().filter(|scenario| ASKED.contains(&scenario.name));
    let tables: Vec<Table> = asked.map(|scenario| stage.measure(scenario)).collect();
    let page = page(overhead, &load, &tables);
    say(&format!("\n{page}"));
    overhead.out.as_ref().map_or(Ok(()), |out| std::fs::write(out, page))
}

fn without_store(setup: &Setup) -> io::Result<Start> {
    but_with(setup, "[store]\nenabled = \"off\"\n")
}

fn without_both(setup: &Setup) -> io::Result<Start> {
    but_with(setup, "[store]\nenabled = \"off\"\n\n[log]\nrequests = \"off\"\n")
}

fn but_with(setup: &Setup, more: &str) -> io::Result<Start> {
    let start = config::rayline(setup)?;
    let file = setup.folder.join("rayline.toml");
    std::fs::write(&file, format!("{}\n{more}", std::fs::read_to_string(&file)?))?;
    Ok(start)
}

fn page(overhead: &Overhead, load: &str, tables: &[Table]) -> String {
    let mut page = format!(
        "## What seeing costs a request\n\nCPU time for each request, user and system, of all threads of the edge: lane, log, \
         store and sealing. One worker, in front of an nginx that serves 1 KB; {} rounds of {} seconds, in which all have their \
         turns one after the other. A ratio is that of the same round: its median, and the least and the greatest. The goal for \
         everything on is {GOAL} times the edge without the store. Measured on {} on {}, load average {load} at the start, with \
         `cargo xtask overhead`.\n\n| visitors | edge | requests a round | user µs | system µs | µs | everything on takes |\n\
         | --- | --- | ---: | ---: | ---: | ---: | ---: |\n",
        overhead.rounds,
        overhead.seconds,
        today(),
        machine(),
    );
    for table in tables {
        let with = table.row(WITH.tool.name);
        for edge in &EDGES {
            let Some(row) = table.row(edge.tool.name) else {
                // Writing to a `String` cannot fail.
                let _ = writeln!(page, "| {} | {} | failed | | | | |", table.title, edge.tool.name);
                continue;
            };
            let Sample { requests, user_us, system_us, .. } = row.median;
            let times = with.filter(|_| edge.tool.name != WITH.tool.name);
            let times = times.and_then(|with| ratio(&with.rounds, &row.rounds, Sample::cpu_us)).map(told);
            let _ = writeln!(
                page,
                "| {} | {} | {requests} | {user_us:.2} | {system_us:.2} | {:.2} | {} |",
                table.title,
                edge.tool.name,
                row.median.cpu_us(),
                times.unwrap_or_default(),
            );
        }
    }
    page
}

fn told(Spread { median, least, greatest }: Spread) -> String {
    format!("{median:.3} times ({least:.3} to {greatest:.3})")
}
