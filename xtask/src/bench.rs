//! The benchmark and the measuring of what seeing costs, commands of the laboratory: built for release, as what they measure
//! is.

use crate::report::Report;
use crate::run::cargo;

/// Builds the program, then measures it beside others.
pub(crate) fn bench(report: &mut Report, arguments: &[String]) {
    measure(report, "bench", arguments);
}

/// Builds the program, then measures it beside itself without store and log. Whether that succeeded.
pub(crate) fn overhead(report: &mut Report, arguments: &[String]) -> bool {
    measure(report, "overhead", arguments)
}

fn measure(report: &mut Report, what: &'static str, arguments: &[String]) -> bool {
    if !report.step("build", &mut cargo(["build", "--release", "--package", "rayline"])) {
        return false;
    }
    let mut command = cargo(["run", "--quiet", "--release", "--package", "rayline-lab", "--", what]);
    report.step(what, command.args(arguments))
}
