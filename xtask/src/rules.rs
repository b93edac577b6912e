//! The measuring of rules, which is an example of their crate, and of whole programs with rules, which is a command of the
//! laboratory: built for release, as what they measure is.

use std::path::{Path, PathBuf};

use crate::report::Report;
use crate::run::{cargo, root};

/// Where the results go.
#[derive(clap::Args)]
pub(crate) struct Rules {
    /// Where the page goes, such as docs/rules-performance.md; it is printed in any case.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Measure whole programs too, Rayline beside nginx and HAProxy. Without it, a page keeps what it says of them.
    #[arg(long)]
    peers: bool,
    /// How often each program has its turn.
    #[arg(long, requires = "peers", default_value_t = 7, value_name = "N")]
    rounds: u32,
    /// How long a turn is.
    #[arg(long, requires = "peers", default_value_t = 3, value_name = "N")]
    seconds: u32,
}

/// Has rules measured.
pub(crate) fn rules(report: &mut Report, wanted: &Rules) {
    let mut example = cargo(["run", "--quiet", "--release", "--package", "rayline-rules", "--example", "rules", "--"]);
    if wanted.peers {
        let tables = root().join("target/rules-peers.md");
        if !beside_others(report, wanted, &tables) {
            return;
        }
        example.arg("--peers").arg(tables);
    }
    if let Some(file) = &wanted.out {
        example.arg("--out").arg(file);
    }
    report.step("rules", &mut example);
}

/// Whether whole programs were measured, and their tables are there.
fn beside_others(report: &mut Report, wanted: &Rules, tables: &Path) -> bool {
    if !report.step("build", &mut cargo(["build", "--release", "--package", "rayline"])) {
        return false;
    }
    let mut lab = cargo(["run", "--quiet", "--release", "--package", "rayline-lab", "--", "rules"]);
    lab.args(["--rounds", &wanted.rounds.to_string(), "--seconds", &wanted.seconds.to_string()]);
    report.step("peers", lab.arg("--out").arg(tables))
}
