//! What rules did to one request, step by step: for its record, and for whoever asks why.

use std::sync::Arc;

use crate::ruleset::{Action, Phase, Rule};

/// The steps so far.
#[derive(Debug, Default)]
pub struct Trail {
    /// Whether rules that did nothing are written down too.
    pub everything: bool,
    /// In order.
    pub steps: Vec<Step>,
}

/// One rule that was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its id.
    pub rule: Arc<str>,
    /// Its description.
    pub description: Arc<str>,
    /// Its phase.
    pub phase: Phase,
    /// Its action, by the name in the API.
    pub action: &'static str,
    /// Whether its match belongs into the record.
    pub logging: bool,
    /// What came of it.
    pub reached: Reached,
    /// What it changed, in order.
    pub changes: Vec<Change>,
}

/// What came of asking a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reached {
    /// It matched, and did what it does.
    Matched,
    /// It matched, and the request ends with it.
    Ended,
    /// It does not hold for this request.
    NotMatched,
    /// It was left out: another rule said so.
    Skipped,
    /// It is not enabled.
    Disabled,
}

/// One thing that a rule changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What: `path`, `query`, `location`, a setting by its name, or a header field as `request.header.NAME`.
    pub what: Box<str>,
    /// How it was; nothing if there was none.
    pub before: Option<Box<[u8]>>,
    /// How it is; nothing if it is gone.
    pub after: Option<Box<[u8]>>,
}

impl Change {
    /// Of this, so before, so after.
    pub fn new(what: impl Into<Box<str>>, before: Option<&[u8]>, after: Option<&[u8]>) -> Self {
        Self { what: what.into(), before: before.map(Into::into), after: after.map(Into::into) }
    }
}

impl Trail {
    /// Nothing is written down any more.
    pub fn clear(&mut self) {
        self.steps.clear();
        self.everything = false;
    }

    pub(super) fn note(&mut self, phase: Phase, rule: &Rule, reached: Reached, changes: Vec<Change>) {
        self.steps.push(Step {
            rule: Arc::clone(&rule.id),
            description: Arc::clone(&rule.description),
            phase,
            action: rule.action.name(),
            logging: rule.logging,
            reached,
            changes,
        });
    }

    /// Writes down rules that did nothing, if those are wanted.
    pub(super) fn pass_over<'r>(&mut self, phase: Phase, rules: impl IntoIterator<Item = &'r Rule>, skipped: bool) {
        if !self.everything {
            return;
        }
        for rule in rules {
            let reached = match (rule.enabled, skipped) {
                (false, _) => Reached::Disabled,
                (true, true) => Reached::Skipped,
                (true, false) => Reached::NotMatched,
            };
            self.note(phase, rule, reached, Vec::new());
        }
    }
}

impl Reached {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Matched => "matched",
            Self::Ended => "ended",
            Self::NotMatched => "not_matched",
            Self::Skipped => "skipped",
            Self::Disabled => "disabled",
        }
    }
}

impl Action {
    /// Its name in the API.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Block(_) => "block",
            Self::Challenge => "managed_challenge",
            Self::Skip(_) => "skip",
            Self::Log => "log",
            Self::Execute(_) => "execute",
            Self::Rewrite(_) => "rewrite",
            Self::Redirect(_) => "redirect",
            Self::Route(_) => "route",
            Self::SetConfig(_) => "set_config",
            Self::SetCacheSettings(_) => "set_cache_settings",
            Self::ServeError(_) => "serve_error",
            Self::CompressResponse(_) => "compress_response",
            Self::LogCustomField(_) => "log_custom_field",
            Self::RateLimit(limit) => match limit.action {
                crate::ruleset::LimitAction::Block(_) => "block",
                crate::ruleset::LimitAction::Challenge => "managed_challenge",
                crate::ruleset::LimitAction::Log => "log",
            },
        }
    }
}
