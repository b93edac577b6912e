//! How much load an origin takes: a bounded ramp of requests, that ends where errors or latency begin.

use crate::probe::Probe;

/// What a ramp showed.
#[derive(Clone, Debug, Default)]
pub struct Load {
    /// What a person reads of it.
    pub probes: Vec<Probe>,
}
