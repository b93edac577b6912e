//! The benchmark: Rayline beside its peers, one worker each, in front of the same origin, in interleaved rounds.
//!
//! What counts is CPU time for each request, by the kernel's count over all processes of a proxy: it hardly depends on
//! what else the machine does, where throughput and latency do. Nothing is pinned to a core.

mod chart;
mod config;
mod idle;
mod load;
mod markdown;
mod origin;
pub mod overhead;
mod peer;
mod report;
pub mod rules;
mod scenario;
mod stage;
mod usage;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;

use crate::process::find;
use crate::tools;
use peer::PEERS;
use report::Report;
use scenario::{SCENARIOS, Scenario, Visitors};
use stage::Stage;

/// Files that proxies may open: 10,000 visitors, and as many connections to the origin.
const FILES: u32 = 20_000;
/// The folder of the workspace.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Measure Rayline beside nginx, HAProxy, Envoy and Caddy.
#[derive(Clone, Debug, clap::Args)]
pub struct Bench {
    /// Only these scenarios.
    #[arg(long, num_args = 1.., value_name = "NAME", value_parser = names(SCENARIOS.iter().map(|scenario| scenario.name)))]
    scenario: Vec<String>,
    /// Only these proxies.
    #[arg(long, num_args = 1.., value_name = "NAME", value_parser = names(PEERS.iter().map(|peer| peer.tool.name)))]
    peer: Vec<String>,
    /// How often each proxy has its turn.
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// How long a turn is.
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Where the report goes; target/bench if not said.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Get missing proxies from Python's index, into a virtual environment in target/lab/venv.
    #[arg(long)]
    install: bool,
    /// One round of one second of a few scenarios, to see that it works.
    #[arg(long, conflicts_with_all = ["rounds", "seconds"])]
    quick: bool,
    /// The `rayline` to measure, rather than the one that is built for it.
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
}

fn names(names: impl Iterator<Item = &'static str>) -> PossibleValuesParser {
    PossibleValuesParser::new(names)
}

/// Measures, and writes `bench.md`, `bench.json` and `bench.svg`.
///
/// # Errors
/// The program does not build, there is no origin, or the report cannot be written. A proxy that fails in a scenario is
/// no error: the report says so.
pub fn run(bench: &Bench) -> io::Result<()> {
    let root = Path::new(ROOT).canonicalize()?;
    let venv = root.join("target/lab/venv");
    if bench.install {
        tools::install(&venv, PEERS.iter().map(|peer| peer.tool))?;
    }
    let program = match &bench.program {
        Some(program) => program.canonicalize()?,
        None => crate::program::rayline(true)?,
    };
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default().to_owned();
    // Before anything is started, for it is inherited.
    let files = idle::allow_files(FILES);
    let (rounds, seconds) = if bench.quick { (1, 1) } else { (bench.rounds, bench.seconds) };
    let wanted = |names: &[String], name: &str| names.is_empty() || names.iter().any(|wanted| wanted == name);
    let peers = PEERS.iter().filter(|peer| wanted(&bench.peer, peer.tool.name));
    let peers = peers.map(|peer| (peer, peer.tool.find(&program, &venv))).collect();
    let stage = Stage::new(peers, rounds, seconds)?;
    let named = |scenario: &&Scenario| {
        wanted(&bench.scenario, scenario.name) && (scenario.quick || !bench.quick || !bench.scenario.is_empty())
    };
    let mut tables = Vec::new();
    for scenario in SCENARIOS.iter().filter(named) {
        match obstacle(scenario, &files) {
            Some(obstacle) => say(&format!("{}: skipped: {obstacle}", scenario.name)),
            None => tables.push(stage.measure(scenario)),
        }
    }
    let report = Report { date: today(), machine: machine(), load, rounds, seconds, peers: stage.present(), tables };
    let out = bench.out.clone().unwrap_or_else(|| root.join("target/bench"));
    std::fs::create_dir_all(&out)?;
    std::fs::write(out.join("bench.json"), serde_json::to_string_pretty(&report)? + "\n")?;
    std::fs::write(out.join("bench.svg"), chart::svg(&report)?)?;
    let page = markdown::page(&report, "bench.svg");
    std::fs::write(out.join("bench.md"), &page)?;
    say(&format!("\n{page}\nwritten to {}", out.display()));
    Ok(())
}

/// Why a scenario cannot be measured here.
fn obstacle(scenario: &Scenario, files: &io::Result<()>) -> Option<String> {
    if let Some((program, package)) = load::program(scenario.visitors)
        && find(program).is_none()
    {
        return Some(format!("`{program}` is missing; Debian has it in the package `{package}`"));
    }
    match (scenario.visitors, files) {
        (Visitors::Idle { .. }, Err(error)) => Some(format!("too few open files: {error}")),
        (Visitors::Idle { .. }, Ok(())) | (Visitors::Http1 { .. } | Visitors::Http2 { .. }, _) => None,
    }
}

/// One line for whoever waits.
fn say(line: &str) {
    let _ = writeln!(io::stdout().lock(), "{line}");
}

/// The day, in UTC.
fn today() -> String {
    time::OffsetDateTime::now_utc().date().to_string()
}

/// What it ran on, as far as it matters: the processor, its cores, the kernel.
fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown processor", |(_, model)| model);
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let release = read("/proc/sys/kernel/osrelease");
    let version: Vec<&str> = release.trim().split(['.', '-']).take(2).collect();
    format!("{cores} cores of {model}, Linux {}", version.join("."))
}
