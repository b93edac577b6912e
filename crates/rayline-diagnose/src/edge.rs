//! The edge's side: what a Rayline edge recorded of the very request, and what to look up at other edges.

use serde_json::Value;

use crate::probe::Probe;

/// What the edge knows.
#[derive(Clone, Debug, Default)]
pub struct Side {
    /// The request-log record of a failing sample, with the field names of the log.
    pub record: Option<Value>,
    /// Steps for a person, where the edge is another's: what to look up, where.
    pub steps: Vec<String>,
    /// What a person reads of all that.
    pub probes: Vec<Probe>,
}
