//! The peer table: what each proxy says of the same broken origins, to the visitor, in a header and in its logs, and how
//! many failures are told apart by it.
//!
//! It judges nothing: what is the same to the letter, once times, addresses and identifiers are gone, was not told apart.
//! Nobody is asked over a network; everything is on loopback.

mod essence;
mod fault;
mod markdown;
mod peer;
mod report;
mod score;
mod stage;
mod visit;

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;

use crate::tools;
use fault::{FAULTS, Role};
use peer::{PEERS, Peer};
use report::{Report, Row};
use stage::Stage;

/// The folder of the workspace.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
/// The page that is kept.
const PAGE: &str = "docs/peers.md";

/// Ask Rayline, nginx, HAProxy, Envoy, Caddy, Traefik and Varnish for the same broken origins, and show what each says.
#[derive(Clone, Debug, clap::Args)]
pub struct Peers {
    /// Only these proxies.
    #[arg(long, num_args = 1.., value_name = "NAME", value_parser = names(PEERS.iter().map(|peer| peer.tool.name)))]
    peer: Vec<String>,
    /// Only these failures.
    #[arg(long, num_args = 1.., value_name = "NAME", value_parser = names(failures()))]
    fault: Vec<String>,
    /// Where the report goes; target/peers if not said.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print the report as JSON, rather than a table.
    #[arg(long)]
    json: bool,
    /// Write docs/peers.md anew.
    #[arg(long, conflicts_with_all = ["peer", "fault"])]
    update: bool,
    /// Get missing proxies from Python's index, into a virtual environment in target/lab/venv.
    #[arg(long)]
    install: bool,
    /// The `rayline` to ask, rather than the one that is built for it.
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
}

fn names(names: impl Iterator<Item = &'static str>) -> PossibleValuesParser {
    PossibleValuesParser::new(names)
}

fn failures() -> impl Iterator<Item = &'static str> {
    FAULTS.iter().filter(|fault| fault.role == Role::Fault).map(|fault| fault.name)
}

/// Asks, and writes `peers.md` and `peers.json`.
///
/// # Errors
/// The program does not build, there are no origins, or the report cannot be written. A proxy that is not there or does
/// not start is no error: the report says so.
pub fn run(peers: &Peers) -> io::Result<()> {
    let root = Path::new(ROOT).canonicalize()?;
    let venv = root.join("target/lab/venv");
    if peers.install {
        tools::install(&venv, PEERS.iter().map(|peer| peer.tool))?;
    }
    let program = match &peers.program {
        Some(program) => program.canonicalize()?,
        None => crate::program::rayline(false)?,
    };
    let wanted = |names: &[String], name: &str| names.is_empty() || names.iter().any(|wanted| wanted == name);
    let faults = FAULTS.iter().filter(|fault| fault.role != Role::Fault || wanted(&peers.fault, fault.name));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let rows = runtime.block_on(async {
        let stage = Stage::start(faults)?;
        let mut rows = Vec::new();
        for peer in PEERS.iter().filter(|peer| wanted(&peers.peer, peer.tool.name)) {
            rows.push(ask(&stage, peer, peer.tool.find(&program, &venv)).await);
        }
        Ok::<_, io::Error>(rows)
    })?;
    let report = Report { date: time::OffsetDateTime::now_utc().date().to_string(), peers: rows };
    let out = peers.out.clone().unwrap_or_else(|| root.join("target/peers"));
    fs::create_dir_all(&out)?;
    let (page, json) = (markdown::page(&report), serde_json::to_string_pretty(&report)? + "\n");
    fs::write(out.join("peers.md"), &page)?;
    fs::write(out.join("peers.json"), &json)?;
    if peers.update {
        fs::write(root.join(PAGE), &page)?;
    }
    io::stdout().lock().write_all(if peers.json { json } else { markdown::terminal(&report) }.as_bytes())?;
    note(&format!("written to {}", out.display()));
    Ok(())
}

async fn ask(stage: &Stage, peer: &'static Peer, program: Option<PathBuf>) -> Row {
    let Some(program) = program else {
        note(&format!("{}: skipped: it is not there; {}", peer.tool.name, peer.tool.remedy()));
        return Row::missing(peer);
    };
    let version = match peer.tool.version(&program) {
        Ok(version) => version,
        Err(error) => return Row::in_trouble(peer, None, error.to_string()),
    };
    note(&format!("{}: version {version}, from {}", peer.tool.name, program.display()));
    match stage.ask(peer, &program).await {
        Ok(observations) => Row::of(peer, version, observations),
        Err(error) => {
            note(&format!("{}: {error}", peer.tool.name));
            Row::in_trouble(peer, Some(version), error.to_string())
        }
    }
}

/// One line for whoever waits; the report has standard output to itself.
fn note(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
