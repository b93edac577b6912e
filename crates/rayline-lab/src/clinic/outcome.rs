//! What the program said: its JSON, its exit code, and how long it took.

use std::io;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// What the program said of a site.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    /// Its exit code; `None` if a signal ended it.
    pub(super) exit: Option<i32>,
    pub(super) took: Duration,
    answer: Value,
    /// What it said on standard error.
    said: String,
}

impl Outcome {
    /// Runs it.
    ///
    /// # Errors
    /// It cannot be run. Whatever it says is none.
    pub(super) fn of(command: &mut Command) -> io::Result<Self> {
        let began = Instant::now();
        let output = command.output()?;
        let took = began.elapsed();
        let answer = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        Ok(Self { exit: output.status.code(), took, answer, said })
    }

    /// One that was said so.
    #[cfg(test)]
    pub(super) fn said(exit: i32, answer: Value) -> Self {
        Self { exit: Some(exit), took: Duration::ZERO, answer, said: String::new() }
    }

    fn text(&self, pointer: &str) -> Option<&str> {
        self.answer.pointer(pointer)?.as_str()
    }

    /// The verdict's code.
    pub(super) fn code(&self) -> Option<&str> {
        self.text("/verdict/code")
    }

    /// The verdict's party.
    pub(super) fn party(&self) -> Option<&str> {
        self.text("/verdict/party")
    }

    /// How sure the verdict is.
    pub(super) fn certainty(&self) -> Option<&str> {
        self.text("/verdict/certainty")
    }

    /// The cause inside the origin.
    pub(super) fn cause(&self) -> Option<&str> {
        self.text("/verdict/cause/name")
    }

    /// The code of the likeliest hypothesis.
    pub(super) fn guess(&self) -> Option<&str> {
        self.text("/hypotheses/0/code")
    }

    /// What is of interest when it is wrong: the verdict, the hypotheses, and what the probes said.
    pub(super) fn essence(&self) -> String {
        if self.answer.is_null() {
            return format!("no JSON; exit {:?}: {}", self.exit, self.said.trim());
        }
        let verdict = self.answer.get("verdict").cloned().unwrap_or_default();
        let kept = |name: &&str| Some(((*name).to_owned(), verdict.get(*name)?.clone()));
        let verdict: serde_json::Map<String, Value> =
            ["code", "certainty", "rivals", "hop", "summary", "clues", "cause"].iter().filter_map(kept).collect();
        let probes = self.answer.get("probes").and_then(Value::as_array);
        let probes = probes.into_iter().flatten().map(|probe| {
            let text = |name: &str| probe.get(name).map(Value::to_string).unwrap_or_default();
            format!("{} {} {}", text("name"), text("ok"), text("said"))
        });
        let essence = json!({
            "verdict": verdict,
            "hypotheses": self.answer.get("hypotheses"),
            "probes": probes.collect::<Vec<_>>(),
        });
        format!("{essence:#}{}", self.said)
    }
}
