//! Managed rules, and the counters of rate limits, as rules ask for them.

use std::sync::Arc;

use rayline_rules::Evaluation;
use rayline_rules::facts::Facts;
use rayline_rules::ruleset::{Execute, ManagedAction, RateLimit, Rule};
use rayline_rules::run::{Decision, Guards};
use rayline_rules::waf::{Action, Body, Scratch};
use rayline_verdict::rules::SecurityEvent;

use super::body::FirstBytes;
use crate::running::ZonePlan;

/// Who decides where a rule and a request are not enough.
pub(super) struct EdgeGuards<'a> {
    pub(super) zone: &'a ZonePlan,
    pub(super) content_type: Option<&'a [u8]>,
    pub(super) body: &'a FirstBytes,
    pub(super) scratch: &'a mut Scratch,
    /// Takes the managed rules that matched.
    pub(super) managed: &'a mut Vec<SecurityEvent>,
    /// Takes the score that they came to.
    pub(super) score: &'a mut u32,
}

impl Guards for EdgeGuards<'_> {
    /// Nothing counts yet.
    fn limit<'r>(&mut self, _: &'r Rule, _: &'r RateLimit, _: &mut Evaluation<'_>) -> Decision<'r> {
        Decision::Pass
    }

    fn managed<'r>(&mut self, rule: &'r Rule, _: &'r Execute, skipped: &[Arc<str>], facts: &dyn Facts) -> Decision<'r> {
        let Some(managed) = self.zone.managed(&rule.id) else { return Decision::Pass };
        let body = self.body.was_read().then(|| Body {
            bytes: self.body.bytes(),
            truncated: self.body.is_truncated(),
            content_type: self.content_type,
        });
        let outcome = managed.inspect(facts, body, skipped, self.scratch);
        *self.score = self.score.saturating_add(outcome.score);
        self.managed.extend(outcome.matches.iter().map(|matched| SecurityEvent {
            action: match matched.action {
                ManagedAction::Score => "score",
                ManagedAction::Block => "block",
                ManagedAction::Challenge => "managed_challenge",
                ManagedAction::Log => "log",
            },
            rule: Arc::from(&*matched.rule.id),
            source: "firewallManaged",
            ended: false,
        }));
        match outcome.action {
            Action::Pass => Decision::Pass,
            Action::LogOnly => Decision::Log,
            Action::Challenge => Decision::Challenge,
            Action::Block => Decision::Block(None),
        }
    }
}
