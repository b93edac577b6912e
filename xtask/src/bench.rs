//! The benchmark, which is a command of the laboratory: built for release, as what it measures is.

use crate::report::Report;
use crate::run::cargo;

/// Builds the program, then measures it.
pub(crate) fn bench(report: &mut Report, arguments: &[String]) {
    if report.step("build", &mut cargo(["build", "--release", "--package", "rayline"])) {
        let mut command = cargo(["run", "--quiet", "--release", "--package", "rayline-lab", "--", "bench"]);
        report.step("bench", command.args(arguments));
    }
}
