//! The JSON of `rayline diagnose --json`. It is for whoever asked, and says all of it but the values in the
//! URL's query, unless a person wants them.

use rayline_verdict::Audience;
use rayline_verdict::moment::rfc3339_seconds;
use serde_json::{Map, Value, json};

use crate::conclude::{Hop, Hypothesis};
use crate::diagnosis::Diagnosis;
use crate::logs::Named;
use crate::mask::Masking;
use crate::probe::Probe;

impl Diagnosis {
    /// When it began: RFC 3339 in UTC, whole seconds.
    pub fn began(&self) -> String {
        let since = self.started_at.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        rfc3339_seconds(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    }

    /// Every step that was made, in the order in which a person reads them.
    pub fn probes(&self) -> impl Iterator<Item = &Probe> {
        let seen = &self.seen;
        let visit = seen.visit.probes.iter();
        let direct = seen.direct.iter().flat_map(|direct| &direct.probes);
        let network = seen.network.iter().flat_map(|network| &network.probes);
        let edge = seen.edge.iter().flat_map(|edge| &edge.probes);
        let rules = seen.rules.iter().flat_map(|rules| &rules.probes);
        let host = seen.host.iter().flat_map(|host| &host.probes);
        let logs = seen.logs.iter().flat_map(|logs| &logs.probes);
        let load = seen.load.iter().flat_map(|load| &load.probes);
        visit
            .chain(direct)
            .chain(&seen.probes)
            .chain(network)
            .chain(edge)
            .chain(rules)
            .chain(host)
            .chain(logs)
            .chain(load)
    }

    /// The object that `rayline diagnose --json` prints.
    pub fn to_json(&self, masking: Masking) -> Value {
        let conclusion = &self.conclusion;
        json!({
            "url": super::url(self, masking),
            "started_at": self.began(),
            "took_ms": u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX),
            "outcome": conclusion.outcome.name(),
            "edge_seen": conclusion.edge_seen,
            "summary": conclusion.sentence,
            "verdict": self.verdict_json(),
            "hypotheses": conclusion.hypotheses.iter().map(Hypothesis::to_json).collect::<Vec<_>>(),
            "next": conclusion.next,
            "probes": self.probes().map(Probe::to_json).collect::<Vec<_>>(),
        })
    }

    fn verdict_json(&self) -> Value {
        let conclusion = &self.conclusion;
        let Some(verdict) = &conclusion.verdict else { return Value::Null };
        let Value::Object(mut object) = verdict.to_json(Audience::Operator) else { return Value::Null };
        let more = json!({
            "summary": conclusion.sentence,
            "hop": conclusion.hop.map(Hop::name),
            "cause": conclusion.cause.as_ref().map(Named::to_json),
            "clues": conclusion.clues,
            "remedies": conclusion.fix,
            "next": conclusion.next,
        });
        if let Value::Object(more) = more {
            object.extend(more);
        }
        Value::Object(object)
    }
}

impl Hypothesis {
    /// The object in `hypotheses`.
    pub fn to_json(&self) -> Value {
        json!({
            "code": self.code.name(),
            "cause": self.cause.map(|cause| cause.name()),
            "likelihood": rounded(self.likelihood),
            "sentence": self.sentence,
            "for": self.speaks_for,
            "against": self.speaks_against,
            "decide": self.decide,
        })
    }
}

impl Named {
    /// The object in `cause`.
    pub fn to_json(&self) -> Value {
        let mut object = Map::new();
        let mut add = |name: &str, value: Value| object.insert(name.to_owned(), value);
        add("name", self.cause.name().into());
        add("summary", self.sentence.as_str().into());
        add("source", self.source.into());
        add("line", self.line.as_str().into());
        add("file", self.found.as_ref().map(|(file, _)| file.display().to_string()).into());
        add("line_number", self.found.as_ref().map(|(_, number)| *number).into());
        add("place", self.place.as_deref().into());
        add("count", self.count.into());
        add("likelihood", rounded(self.likelihood).into());
        Value::Object(object)
    }
}

/// Two digits are more than is known.
fn rounded(likelihood: f64) -> f64 {
    (likelihood * 100.0).round() / 100.0
}
