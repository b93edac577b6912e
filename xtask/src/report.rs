//! How the steps of a chore fared: a heading and a time for each, a table at the end, and one line to search for.

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use crate::run::{run, say, shown};

/// The steps so far.
#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
}

struct Row {
    name: String,
    outcome: Result<(), String>,
    took: Duration,
}

impl Report {
    /// Runs a step. Whether it succeeded.
    pub(crate) fn step(&mut self, name: &str, command: &mut Command) -> bool {
        self.heading(name, &shown(command));
        let began = Instant::now();
        let outcome = run(command);
        self.keep(name, outcome, began.elapsed())
    }

    /// Does a step that is no command. Whether it succeeded.
    pub(crate) fn own_step(&mut self, name: &str, what: &str, work: impl FnOnce() -> Result<(), String>) -> bool {
        self.heading(name, what);
        let began = Instant::now();
        let outcome = work();
        self.keep(name, outcome, began.elapsed())
    }

    fn heading(&self, name: &str, what: &str) {
        let gap = if self.rows.is_empty() { "" } else { "\n" };
        say(format_args!("{gap}==== {name}: {what}"));
    }

    fn keep(&mut self, name: &str, outcome: Result<(), String>, took: Duration) -> bool {
        match &outcome {
            Ok(()) => say(format_args!("---- {name}: passed after {}", seconds(took))),
            Err(reason) => say(format_args!("---- {name}: failed after {}: {reason}", seconds(took))),
        }
        let passed = outcome.is_ok();
        self.rows.push(Row { name: name.to_owned(), outcome, took });
        passed
    }

    /// Prints the table, and says how it all ended.
    pub(crate) fn end(self) -> ExitCode {
        say(format_args!("\n{}", self.table()));
        if self.failed() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    fn failed(&self) -> usize {
        self.rows.iter().filter(|row| row.outcome.is_err()).count()
    }

    fn table(&self) -> String {
        let width = self.rows.iter().map(|row| row.name.len()).max().unwrap_or_default();
        let mut table = String::new();
        for Row { name, outcome, took } in &self.rows {
            let outcome = if outcome.is_ok() { "passed" } else { "failed" };
            table += &format!("{name:width$}  {outcome}  {:>9}\n", seconds(*took));
        }
        let failed = self.failed();
        table + &format!("{} passed, {failed} failed", self.rows.len() - failed)
    }
}

fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_ends_with_the_count() {
        let row = |name: &str, outcome, took| Row { name: name.to_owned(), outcome, took };
        let mut report = Report::default();
        assert_eq!(report.table(), "0 passed, 0 failed");
        report.rows.push(row("format", Ok(()), Duration::from_millis(740)));
        report.rows.push(row("lints", Err("a reason".to_owned()), Duration::from_secs(61)));
        assert_eq!(report.table(), "format  passed      0.7 s\nlints   failed     61.0 s\n1 passed, 1 failed");
    }
}
