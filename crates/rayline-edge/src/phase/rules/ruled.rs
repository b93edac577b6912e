//! What rules know and have done of one exchange.

use rayline_rules::Memory;
use rayline_rules::run::{Changes, Trail};
use rayline_rules::waf::Scratch;
use rayline_verdict::rules::SecurityEvent;

use super::body::FirstBytes;
use super::facts::Texts;
use crate::exchange::Exchange;

/// Kept by the worker from one exchange to the next, so that a request that no rule changes costs no memory.
#[derive(Debug, Default)]
pub(crate) struct Ruled {
    pub(super) memory: Memory,
    /// What was changed.
    pub(crate) changes: Changes,
    pub(super) trail: Trail,
    pub(super) texts: Texts,
    /// What was read of the body.
    pub(super) body: FirstBytes,
    /// What the managed rules came to.
    pub(super) score: u32,
    /// Managed rules that matched.
    pub(super) managed: Vec<SecurityEvent>,
    pub(super) scratch: Scratch,
    /// How it stands against rate limits.
    pub(super) limits: super::guards::Limits,
    /// The answer is a rule's own response.
    pub(super) own_response: bool,
}

impl Ruled {
    /// Bytes of a visitor's that it holds.
    pub(crate) fn bytes(&self) -> usize {
        self.body.capacity() + self.texts.capacity()
    }

    /// Forgets the last exchange, and takes this one.
    pub(super) fn begin(&mut self, exchange: &Exchange<'_>) {
        self.changes.clear();
        self.trail.clear();
        self.body.clear();
        self.managed.clear();
        self.limits.clear();
        self.score = 0;
        self.own_response = false;
        self.texts.fill(exchange.visitor, exchange.head, &exchange.record);
    }
}
