//! The measuring of rules, which is an example of their crate: built for release, as what it measures is.

use std::path::PathBuf;

use crate::report::Report;
use crate::run::cargo;

/// Where the results go.
#[derive(clap::Args)]
pub(crate) struct Rules {
    /// Where the page goes, such as docs/rules-performance.md; it is printed in any case.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Has rules measured.
pub(crate) fn rules(report: &mut Report, wanted: &Rules) {
    let mut command = cargo(["run", "--quiet", "--release", "--package", "rayline-rules", "--example", "rules", "--"]);
    if let Some(file) = &wanted.out {
        command.arg("--out").arg(file);
    }
    report.step("rules", &mut command);
}
