//! Everything that a change must pass, as a table of cargo commands.

use crate::again;
use crate::report::Report;
use crate::run::{cargo, say, shown};
use crate::tools;

/// The step whose failures are looked at twice.
const TESTS: &str = "tests";

/// One step.
struct Step {
    name: &'static str,
    /// What cargo is told.
    arguments: &'static [&'static str],
    environment: &'static [(&'static str, &'static str)],
    /// What follows cannot run if this fails.
    needed_by_the_rest: bool,
    /// Left out by `--fast`.
    slow: bool,
}

impl Step {
    const fn new(name: &'static str, arguments: &'static [&'static str]) -> Self {
        Self { name, arguments, environment: &[], needed_by_the_rest: false, slow: false }
    }
}

/// In order. The world is built three times and no more: checked (lints, whose work on the dependencies documentation
/// uses again), for tests, and for release.
const STEPS: &[Step] = &[
    Step::new("format", &["fmt", "--all", "--check"]),
    Step::new("format of fuzz", &["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"]),
    Step::new("lints", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
    Step { needed_by_the_rest: true, ..Step::new("build", &["test", "--workspace", "--no-run"]) },
    Step::new(TESTS, &["test", "--workspace", "--no-fail-fast"]),
    Step {
        environment: &[("RUSTDOCFLAGS", "-D warnings")],
        slow: true,
        ..Step::new("documentation", &["doc", "--workspace", "--no-deps"])
    },
    Step {
        needed_by_the_rest: true,
        slow: true,
        ..Step::new("release", &["build", "--release", "--package", "rayline"])
    },
];

/// Looks for the tools, then takes every step, unless one fails without which the others make no sense.
pub(crate) fn test(report: &mut Report, install: bool, fast: bool) {
    if !report.own_step("tools", "what the tests need besides cargo", || tools::provide(install)) {
        return;
    }
    for step in STEPS.iter().filter(|step| !(fast && step.slow)) {
        let mut command = cargo(step.arguments);
        command.envs(step.environment.iter().copied());
        let passed = if step.name == TESTS {
            let shown = shown(&command);
            report.own_step(step.name, &shown, || again::tests(&mut command))
        } else {
            report.step(step.name, &mut command)
        };
        if !passed && step.needed_by_the_rest {
            say("the steps after this one need it, and are not taken");
            return;
        }
    }
}
