//! The clinic, which is a command of the laboratory: it says what it needs, and builds the program itself.

use crate::report::Report;
use crate::run::cargo;

/// Has `rayline diagnose` look at sites that are broken for real.
pub(crate) fn clinic(report: &mut Report, arguments: &[String]) {
    let mut command = cargo(["run", "--quiet", "--package", "rayline-lab", "--", "clinic"]);
    report.step("clinic", command.args(arguments));
}
