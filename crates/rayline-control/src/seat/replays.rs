//! Replays: requests that the edge serves with parts of its plan switched off, for whoever looks for the guilty one.

use std::io;

use serde::Serialize;

/// Whoever can let single requests be served without parts of the plan. Calls may come from any thread at any time; those
/// that name another version may block for its file.
pub trait Replays: Send + Sync {
    /// The parts that can be switched off for requests to a host name, in the order in which they act; `None` if no zone
    /// has that name.
    fn parts(&self, host: &str) -> Option<Vec<Part>>;

    /// What makes this one request, within a minute, be served without these parts, and by another version if one is named.
    /// Whatever else bears it is served as ever.
    ///
    /// # Errors
    ///
    /// One sentence: no URL, too many parts, no such version, or one that cannot run beside this one.
    fn sign(&self, request: &Asked, off: &[String], version: Option<u64>) -> io::Result<SignedReplay>;
}

/// A request that is to be replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Its method.
    pub method: String,
    /// Its URL.
    pub url: String,
}

/// A part of the plan that can be switched off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// What it is called: a rule's id.
    pub id: String,
    /// What it belongs to: a phase, or `access`.
    pub group: String,
    /// Its description; may be empty.
    pub description: String,
    /// What it does, by the name in the API.
    pub action: String,
    /// When it does it; may be empty.
    pub expression: String,
    /// Where it is written, such as `rayline.toml:31`; empty if that is not known.
    pub place: String,
}

/// A header field that a replayed request bears.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SignedReplay {
    /// Its name.
    pub field: String,
    /// Its value.
    pub value: String,
}
