//! The project's own chores, as `cargo xtask`: run everything that a change must pass, fuzz, refresh generated pages.
//!
//! It runs tools in order and says how each fared. What is right or wrong about the tree is not decided here but in
//! tests: those of the crates, and those over the tree itself in `tests/it`.

mod again;
mod analytics;
mod bench;
mod clinic;
mod fuzz;
mod peers;
mod report;
mod rules;
mod run;
mod test;
mod tools;
mod waf;

use std::process::ExitCode;

use clap::Parser;

use crate::report::Report;

/// The project's own chores.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Chore {
    /// Run everything that a change must pass: format, lints, tests, documentation, release build.
    Test {
        /// Install the tools that the tests need and that are missing, with apt-get and rustup.
        #[arg(long)]
        install: bool,
        /// Leave out what rarely breaks on its own: documentation and the release build.
        #[arg(long)]
        fast: bool,
    },
    /// Fuzz what reads bytes from outside. Needs cargo-fuzz, not nightly.
    Fuzz {
        /// How long each target runs.
        #[arg(long, default_value_t = 60, value_name = "N")]
        seconds: u64,
        /// The targets in fuzz/fuzz_targets, without `.rs`; all if none is named.
        #[arg(value_name = "TARGET")]
        targets: Vec<String>,
    },
    /// Measure Rayline beside other proxies. `cargo xtask bench --help` says what can be chosen.
    #[command(disable_help_flag = true)]
    Bench {
        /// What the benchmark is told.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
        arguments: Vec<String>,
    },
    /// Measure what store and log add to a request's CPU time. `cargo xtask overhead --help` says what can be chosen.
    #[command(disable_help_flag = true)]
    Overhead {
        /// What the measuring is told.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
        arguments: Vec<String>,
    },
    /// Show what Rayline and other proxies say of the same broken origins. `cargo xtask peers --help` says what can be
    /// chosen.
    #[command(disable_help_flag = true)]
    Peers {
        /// What the peer table is told.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
        arguments: Vec<String>,
    },
    /// Break sites in known ways and score what `rayline diagnose` says of them. `cargo xtask clinic --help` says what can
    /// be chosen.
    #[command(disable_help_flag = true)]
    Clinic {
        /// What the clinic is told.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
        arguments: Vec<String>,
    },
    /// Measure the store: taking records in, the dashboard's questions, look-up, export, beside SQLite and `grep`.
    Analytics(analytics::Analytics),
    /// Measure rules: what a request against 1 to 1,000 of them takes, long lists, compiling, memory.
    Rules(rules::Rules),
    /// Measure the managed rules: what they find, what they get wrong, how long they take.
    Waf(waf::Waf),
    /// Write the pages and lists anew that are made from the code.
    Docs,
}

fn main() -> ExitCode {
    let mut report = Report::default();
    match Chore::parse() {
        Chore::Test { install, fast } => test::test(&mut report, install, fast),
        Chore::Fuzz { seconds, targets } => fuzz::fuzz(&mut report, seconds, &targets),
        Chore::Bench { arguments } => bench::bench(&mut report, &arguments),
        Chore::Overhead { arguments } => {
            bench::overhead(&mut report, &arguments);
        }
        Chore::Peers { arguments } => peers::peers(&mut report, &arguments),
        Chore::Clinic { arguments } => clinic::clinic(&mut report, &arguments),
        Chore::Analytics(wanted) => analytics::analytics(&mut report, &wanted),
        Chore::Rules(wanted) => rules::rules(&mut report, &wanted),
        Chore::Waf(wanted) => waf::waf(&mut report, &wanted),
        Chore::Docs => refresh(&mut report),
    }
    report.end()
}

/// A test that holds a generated file against its source is named `…_is_current`, and writes the file when it is told
/// so by `UPDATE_EXPECT`.
fn refresh(report: &mut Report) {
    let mut command = run::cargo(["test", "--workspace", "--test", "it", "--", "is_current"]);
    report.step("docs", command.env("UPDATE_EXPECT", "1"));
}
