//! What is said of a failed request: the code, how sure, what it rests on, what was tried.

use std::net::SocketAddr;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::code::{Code, Reached, Sent};
use crate::evidence::{Address, Audience, Evidence, object};
use crate::number::Number;
use crate::party::{Party, Phase};

/// How sure a verdict is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// The evidence fits no other code.
    Proven,
    /// The evidence fits the rivals too; this code is the likeliest.
    Inferred,
}

impl Certainty {
    /// The word in the request log's `VerdictCertainty`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::Inferred => "inferred",
        }
    }
}

/// One try at an origin address.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// The address tried.
    pub address: SocketAddr,
    /// Whether a kept-alive connection was used.
    pub reused: bool,
    /// What came of it.
    pub outcome: Outcome,
    /// Milliseconds from the attempt's start to its outcome.
    pub took_ms: u64,
}

/// What came of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A response head with this status.
    Answered(u16),
    /// It failed.
    Failed {
        /// How.
        code: Code,
        /// Whether the request reached the application all the same.
        reached: Reached,
    },
    /// Another address was faster.
    Abandoned,
}

impl Attempt {
    /// The object in `VerdictAttempts`, see its [`Serialize`].
    pub fn to_json(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// The object in `VerdictAttempts`.
impl Serialize for Attempt {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (status, code) = match self.outcome {
            Outcome::Answered(status) => (Some(status), None),
            Outcome::Failed { code, reached: _ } => (None, Some(code.name())),
            Outcome::Abandoned => (None, None),
        };
        object!(serializer, {
            "address": Address(self.address),
            "reused": self.reused,
            "status": status,
            "code": code,
            "took_ms": self.took_ms,
        })
    }
}

/// A verdict on one request.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// What failed.
    pub code: Code,
    /// The number shown and recorded: 520, 1016, the origin's own status, or 0 where there is none.
    pub number: u16,
    /// How sure.
    pub certainty: Certainty,
    /// What else it could be. Empty when proven.
    pub rivals: Vec<Code>,
    /// Whether the request reached the application.
    pub reached: Reached,
    /// What it rests on.
    pub evidence: Evidence,
    /// What was tried, in order.
    pub attempts: Vec<Attempt>,
}

impl Verdict {
    /// The same where somebody else's observations leave these codes open as well: inferred, unless there are none.
    #[must_use]
    pub fn with_rivals(mut self, rivals: Vec<Code>) -> Self {
        let new =
            rivals.into_iter().filter(|code| *code != self.code && !self.rivals.contains(code)).collect::<Vec<_>>();
        self.rivals.extend(new);
        self.certainty = if self.rivals.is_empty() { Certainty::Proven } else { Certainty::Inferred };
        self
    }

    /// Who can act.
    pub fn party(&self) -> Party {
        self.code.entry().party
    }

    /// Where it happened.
    pub fn phase(&self) -> Phase {
        self.code.entry().phase
    }

    /// What depends on the number alone; `None` for an origin's own status and where nothing is sent.
    pub fn shown(&self) -> Option<&'static Number> {
        Number::find(self.number)
    }

    /// The HTTP status of a page of ours, where the visitor gets one.
    pub fn page_status(&self) -> Option<u16> {
        match self.code.entry().sent {
            Sent::Page(_) => self.shown().map(|number| number.status),
            Sent::Origin if matches!(self.number, 502 | 504) => Some(self.number),
            Sent::Origin | Sent::Cut(_) | Sent::Nothing(_) | Sent::Outside => None,
        }
    }

    /// One sentence that a visitor may read.
    pub fn sentence(&self) -> &'static str {
        self.code.entry().sentence
    }

    /// The object that `--json` and the API print.
    pub fn to_json(&self, audience: Audience) -> Value {
        let attempts = (audience > Audience::Visitor).then(|| self.attempts_json());
        json!({
            "code": self.code.name(),
            "party": self.party().name(),
            "phase": self.phase().name(),
            "status": self.number,
            "certainty": self.certainty.name(),
            "rivals": self.rivals.iter().map(|code| code.name()).collect::<Vec<_>>(),
            "reached": self.reached.name(),
            "summary": self.sentence(),
            "evidence": self.evidence.to_json(audience),
            "attempts": attempts,
            "remedies": self.code.entry().fix,
        })
    }

    /// The array `VerdictAttempts`.
    pub fn attempts_json(&self) -> Value {
        self.attempts.iter().map(Attempt::to_json).collect()
    }
}
