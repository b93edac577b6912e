//! What a zone's rules did to one request, as its record keeps it.

use std::fmt;
use std::sync::Arc;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use crate::evidence::object;

/// The most matches that a record keeps.
pub const MOST_MATCHES: usize = 64;
/// The most bytes of a value before or after a change that a record keeps.
pub const MOST_VALUE: usize = 256;
/// The most bytes of a header field or cookie that rules have put into the log.
pub const MOST_LOGGED: usize = 1024;

/// Everything that rules did to a request. A record without any rule that matched has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleFacts {
    /// The rules that matched, in the order in which they ran, at most [`MOST_MATCHES`].
    pub matches: Vec<RuleMatch>,
    /// What rules of security did, in order.
    pub security: Vec<SecurityEvent>,
    /// Header fields of the request that a rule has put into the log.
    pub request_headers: Vec<Logged>,
    /// The same of the answer.
    pub response_headers: Vec<Logged>,
    /// Cookies of the request.
    pub cookies: Vec<Logged>,
}

/// A rule that matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleMatch {
    /// Its id.
    pub id: Arc<str>,
    /// Its phase, by the name in the API.
    pub phase: &'static str,
    /// Its action, by the name in the API.
    pub action: &'static str,
    /// Whether the request ended with it.
    pub ended: bool,
    /// What it changed.
    pub changes: Vec<RuleChange>,
}

/// One thing that a rule changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleChange {
    /// `path`, `query`, `location`, a setting, or a field such as `request.header.x-user`.
    pub what: Box<str>,
    /// How it was; nothing if there was none.
    pub before: Option<Value>,
    /// How it is; nothing if it is gone.
    pub after: Option<Value>,
}

/// A value as it was seen: bounded, and masked where it is a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value(Box<[u8]>);

/// A header field or a cookie that a rule has put into the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// Its name, as the rule has it.
    pub name: Arc<str>,
    /// Its value, at most [`MOST_LOGGED`] bytes.
    pub value: Box<[u8]>,
}

/// What a rule of security did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityEvent {
    /// `block`, `managed_challenge`, `log`, `skip`.
    pub action: &'static str,
    /// The rule.
    pub rule: Arc<str>,
    /// What kind of rule it is, by the data set's names: `firewallCustom`, `firewallManaged`, `ratelimit`, `ip`, `country`,
    /// `zoneLockdown`, `uaBlock`, `bic`, `hot`.
    pub source: &'static str,
    /// Whether the request ended with it.
    pub ended: bool,
}

impl RuleFacts {
    /// Adds a match, if there is room.
    pub fn add(&mut self, matched: RuleMatch) {
        if self.matches.len() < MOST_MATCHES {
            self.matches.push(matched);
        }
    }

    /// Adds what a rule of security did, if there is room.
    pub fn add_security(&mut self, event: SecurityEvent) {
        if self.security.len() < MOST_MATCHES {
            self.security.push(event);
        }
    }

    /// What ended the request, if a rule of security did.
    pub fn ended_by(&self) -> Option<&SecurityEvent> {
        self.security.iter().rev().find(|event| event.ended)
    }

    /// Whether there is nothing to be said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Value {
    /// Keeps the first [`MOST_VALUE`] bytes.
    pub fn new(bytes: &[u8]) -> Self {
        Self(bytes.get(..MOST_VALUE).unwrap_or(bytes).into())
    }

    /// Stands for a secret.
    pub fn masked() -> Self {
        Self(crate::snippet::MASKED.as_bytes().into())
    }
}

/// As text; what is not UTF-8 becomes U+FFFD.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// An object of `Rules`.
impl Serialize for RuleMatch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        object!(serializer, {
            "id": &*self.id,
            "phase": self.phase,
            "action": self.action,
            "ended": self.ended,
            "changes": self.changes,
        })
    }
}

impl Serialize for RuleChange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        object!(serializer, { "what": &*self.what, "before": self.before, "after": self.after })
    }
}

/// Names and values as one object. Of two with one name the last counts, as a reader would have it.
pub(crate) struct AsObject<'a>(pub(crate) &'a [Logged]);

impl Serialize for AsObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|logged| (&*logged.name, String::from_utf8_lossy(&logged.value))))
    }
}
