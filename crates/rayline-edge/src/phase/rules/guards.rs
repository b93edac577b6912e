//! Managed rules, and the counters of rate limits, as rules ask for them.

use std::sync::Arc;

use rayline_http1::Fields;
use rayline_rules::Evaluation;
use rayline_rules::challenge::Visitor;
use rayline_rules::facts::Facts;
use rayline_rules::rate::Standing;
use rayline_rules::ruleset::{Execute, LimitAction, ManagedAction, RateLimit, Rule};
use rayline_rules::run::{Decision, Guards};
use rayline_rules::waf::{Action, Body, Scratch};
use rayline_verdict::Moment;
use rayline_verdict::rules::SecurityEvent;

use super::body::FirstBytes;
use super::challenge;
use crate::guard::Guard;
use crate::running::ZonePlan;

/// How a request stands against the limits that it has met.
#[derive(Debug, Default)]
pub(super) struct Limits {
    /// Those that count once the answer is known.
    pub(super) pending: Vec<Pending>,
    /// The one that has least left: the rule, its policy and what is left.
    pub(super) tightest: Option<Tightest>,
}

/// A limit that counts once the answer is known.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) rule: Arc<str>,
    pub(super) key: u64,
}

/// What visitors are told of a limit (draft-ietf-httpapi-ratelimit-headers).
#[derive(Debug)]
pub(super) struct Tightest {
    rule: Arc<str>,
    quota: u32,
    window: u64,
    standing: Standing,
}

impl Limits {
    pub(super) fn clear(&mut self) {
        self.pending.clear();
        self.tightest = None;
    }

    /// How many seconds to wait, where a limit is passed.
    pub(super) fn wait(&self) -> Option<u32> {
        match self.tightest.as_ref()?.standing {
            Standing::Beyond(seconds) => Some(seconds),
            Standing::Within(_) => None,
        }
    }

    fn note(&mut self, rule: &Rule, limit: &RateLimit, standing: Standing) {
        let left = |standing| match standing {
            Standing::Within(left) => left,
            Standing::Beyond(_) => 0,
        };
        let is_tighter = self.tightest.as_ref().is_none_or(|known| match (known.standing, standing) {
            (Standing::Beyond(_), _) => false,
            (Standing::Within(_), Standing::Beyond(_)) => true,
            (known, new) => left(new) < left(known),
        });
        if is_tighter {
            let (quota, window) = (limit.requests_per_period, limit.period.as_secs());
            self.tightest = Some(Tightest { rule: Arc::clone(&rule.id), quota, window, standing });
        }
    }
}

impl Tightest {
    /// `RateLimit-Policy`: the quota of a window. The name is a string (RFC 9651 §3.3.3).
    pub(super) fn policy(&self) -> String {
        format!("\"{}\";q={};w={}", self.name(), self.quota, self.window)
    }

    /// `RateLimit`: what is left of it, and where nothing is, for how long.
    pub(super) fn left(&self) -> String {
        match self.standing {
            Standing::Within(left) => format!("\"{}\";r={left}", self.name()),
            Standing::Beyond(seconds) => format!("\"{}\";r=0;t={seconds}", self.name()),
        }
    }

    /// The rule's id, as far as a string can have it.
    fn name(&self) -> String {
        self.rule.chars().filter(|char| (' '..='~').contains(char) && !matches!(char, '"' | '\\')).collect()
    }
}

/// Who decides where a rule and a request are not enough.
pub(super) struct EdgeGuards<'a> {
    pub(super) zone: &'a ZonePlan,
    pub(super) guard: &'a Guard,
    /// The time on the clock of the counters.
    pub(super) now_ms: u64,
    pub(super) now: Moment,
    pub(super) visitor: Visitor<'a>,
    pub(super) fields: &'a Fields,
    /// Takes how the request stands against limits.
    pub(super) limits: &'a mut Limits,
    pub(super) content_type: Option<&'a [u8]>,
    pub(super) body: &'a FirstBytes,
    pub(super) scratch: &'a mut Scratch,
    /// Takes the managed rules that matched.
    pub(super) managed: &'a mut Vec<SecurityEvent>,
    /// Takes the score that they came to.
    pub(super) score: &'a mut u32,
}

impl Guards for EdgeGuards<'_> {
    fn limit<'r>(
        &mut self,
        rule: &'r Rule,
        limit: &'r RateLimit,
        facts: &dyn Facts,
        evaluation: &mut Evaluation<'_>,
    ) -> Decision<'r> {
        let limiter = self.guard.limiter();
        let key = limiter.key(&self.zone.zone.name, rule, limit, facts, evaluation);
        let by_answer = limit.counts_responses || limit.requests_to_origin;
        let counts = !by_answer && limit.counting.is_none_or(|counting| evaluation.is_true(counting));
        let standing = limiter.ask(key, limit, counts, self.now_ms);
        if by_answer {
            self.limits.pending.push(Pending { rule: Arc::clone(&rule.id), key });
        }
        self.limits.note(rule, limit, standing);
        match (standing, &limit.action) {
            (Standing::Within(_), _) => Decision::Pass,
            (Standing::Beyond(_), LimitAction::Block(own)) => Decision::Block(own.as_ref()),
            (Standing::Beyond(_), LimitAction::Challenge) => Decision::Challenge,
            (Standing::Beyond(_), LimitAction::Log) => Decision::Log,
        }
    }

    fn is_cleared(&mut self, _: &dyn Facts) -> bool {
        challenge::is_clear(self.guard, self.visitor, self.fields, self.now)
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
