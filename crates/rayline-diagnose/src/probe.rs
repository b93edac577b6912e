//! One look at something, with what it showed; and whoever watches while it goes on.
//!
//! A probe is what a person or a program reads of a step. What is concluded from is not read out of it again: the steps
//! hand on data of their own types.

use std::time::Duration;

use rayline_verdict::{Audience, Verdict};
use serde_json::{Map, Value, json};

/// A step that was made.
#[derive(Clone, Debug)]
pub struct Probe {
    /// Its name, dotted: `visit.http1`, `direct.https`, `tls.strict`, `network.dns`, `logs`, `host.disk`.
    pub name: String,
    /// Whether what it looked at is as it should be; `None` if it could not be made, or tells neither.
    pub ok: Option<bool>,
    /// How long it took.
    pub took: Duration,
    /// What it showed, in one line.
    pub said: String,
    /// The same as data. Names end in their unit where they have one: `_ms`, `_bytes`.
    pub facts: Map<String, Value>,
    /// What the edge would say of it.
    pub verdict: Option<Box<Verdict>>,
}

impl Probe {
    /// One that showed this.
    pub fn new(name: impl Into<String>, ok: Option<bool>, took: Duration, said: impl Into<String>) -> Self {
        Self { name: name.into(), ok, took, said: said.into(), facts: Map::new(), verdict: None }
    }

    /// The same with one more fact.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.facts.insert(name.to_owned(), value.into());
        self
    }

    /// The same with what the edge would say.
    #[must_use]
    pub fn judged(mut self, verdict: Option<Box<Verdict>>) -> Self {
        self.verdict = verdict;
        self
    }

    /// The object in `probes`.
    pub fn to_json(&self) -> Value {
        json!({
            "name": self.name,
            "ok": self.ok,
            "took_ms": u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX),
            "said": self.said,
            "facts": self.facts,
            "verdict": self.verdict.as_ref().map(|verdict| verdict.to_json(Audience::Operator)),
        })
    }
}

/// Who is told what goes on, such as a live view.
pub trait Watcher {
    /// A step begins: its name, and what it does in a few words.
    fn began(&self, name: &str, doing: &str);
    /// A step came further: so many of so many, if that is known.
    fn went_on(&self, name: &str, done: u64, of: Option<u64>);
    /// A step has ended.
    fn ended(&self, probe: &Probe);
}

/// Nobody watches.
#[derive(Clone, Copy, Debug)]
pub struct Unwatched;

impl Watcher for Unwatched {
    fn began(&self, _name: &str, _doing: &str) {}
    fn went_on(&self, _name: &str, _done: u64, _of: Option<u64>) {}
    fn ended(&self, _probe: &Probe) {}
}
