//! The peer table, which is a command of the laboratory: it says what it needs, and builds the program itself.

use crate::report::Report;
use crate::run::cargo;

/// Asks every proxy for the same broken origins.
pub(crate) fn peers(report: &mut Report, arguments: &[String]) {
    let mut command = cargo(["run", "--quiet", "--package", "rayline-lab", "--", "peers"]);
    report.step("peers", command.args(arguments));
}
