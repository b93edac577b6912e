//! The measuring of the store, which is an example of its crate: built for release, as what it measures is.

use std::path::PathBuf;

use crate::bench;
use crate::report::Report;
use crate::run::{cargo, root};

/// What is measured, and where the results go.
#[derive(clap::Args)]
pub(crate) struct Analytics {
    /// Requests that are generated and asked about. Each takes up to a kilobyte of temporary files.
    #[arg(long, default_value_t = 10_000_000, value_name = "N")]
    rows: u64,
    /// So many of them, from the first on, go into SQLite too; all if not said.
    #[arg(long, value_name = "N")]
    baseline_rows: Option<u64>,
    /// How often each page asks what it asks.
    #[arg(long, default_value_t = 20, value_name = "N")]
    rounds: u64,
    /// Where the generated store lies, and stays; one that is there already is asked as it is.
    #[arg(long, value_name = "FOLDER")]
    store: Option<PathBuf>,
    /// Leave out what store and log add to a request, which needs `wrk`, `h2load` and nginx.
    #[arg(long)]
    no_overhead: bool,
    /// Where the figures go as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Where the page goes, such as docs/analytics-performance.md; it is printed in any case.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Has the store measured, and what it costs the edge.
pub(crate) fn analytics(report: &mut Report, wanted: &Analytics) {
    let overhead = root().join("target/overhead.md");
    let told = ["--out".to_owned(), overhead.display().to_string()];
    let has_overhead = !wanted.no_overhead && bench::overhead(report, &told);
    let mut command =
        cargo(["run", "--quiet", "--release", "--package", "rayline-store", "--example", "analytics", "--"]);
    command.args(["--rows", &wanted.rows.to_string(), "--rounds", &wanted.rounds.to_string()]);
    if let Some(rows) = wanted.baseline_rows {
        command.args(["--baseline-rows", &rows.to_string()]);
    }
    for (name, file) in [("--store", &wanted.store), ("--json", &wanted.json), ("--out", &wanted.out)] {
        if let Some(file) = file {
            command.arg(name).arg(file);
        }
    }
    if has_overhead {
        command.arg("--section").arg(&overhead);
    }
    report.step("analytics", &mut command);
}
