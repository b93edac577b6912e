//! Rules as they run: a zone's rules by phase, and what they make of one request.
//!
//! A [`Run`] holds one request against one phase after the other and keeps what its rules change in [`Changes`]. It does
//! nothing itself: what is blocked, rewritten or counted is the caller's to do. The edge, `rayline trace` and the tests
//! use the same.

mod changes;
mod fields;
mod redirect;
mod request;
mod trail;
mod uri;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::ruleset::{Access, Action, Condition, Phase, Redirect, RedirectList, Rule, Ruleset};
use crate::{Lists, Program, ProgramBuilder, Sequence};

pub use changes::{Changes, Routed, Skips};
pub use fields::{Edit, Edits, may_change_request, may_change_response};
pub use redirect::RedirectIndex;
pub use request::{Decision, End, Failure, FailureKind, Guards, Limits, NoGuards, Run};
pub use trail::{Change, Reached, Step, Trail};
pub use uri::{Seen, Uri, each_argument, normalize};

/// Everything that rules of a zone say. One is made when the configuration is compiled, and shared by all workers.
#[derive(Debug)]
pub struct ZoneRules {
    /// What stands before the rules.
    pub access: Access,
    /// In the order of [`Phase::ALL`].
    phases: [PhaseRules; Phase::ALL.len()],
    /// Every bulk redirect list that a rule names.
    redirects: Vec<RedirectIndex>,
    program: Program,
    overrides: Overrides,
    lists: Lists,
}

/// The rules of one phase.
#[derive(Debug, Default)]
struct PhaseRules {
    /// All of them, in order.
    rules: Vec<Rule>,
    /// The places of those that are enabled.
    enabled: Vec<usize>,
    /// The conditions of those.
    sequence: Option<Sequence>,
}

/// Which settings configuration rules may change that are looked at before rules would run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Whether HTTP is redirected to HTTPS or the other way: `always_use_https`, `ssl`.
    pub scheme: bool,
    /// `max_upload`.
    pub upload: bool,
}

impl ZoneRules {
    /// Sorts rulesets by their phase, and compiles their expressions, which are all of this builder. Two rulesets of one
    /// phase follow each other, as they were written.
    pub fn new(rulesets: Vec<Ruleset>, access: Access, mut expressions: ProgramBuilder<'_>) -> Self {
        let mut phases: [PhaseRules; Phase::ALL.len()] = Default::default();
        for Ruleset { phase, rules } in rulesets {
            if let Some(of_phase) = phases.get_mut(phase as usize) {
                of_phase.rules.extend(rules);
            }
        }
        for of_phase in &mut phases {
            let enabled = of_phase.rules.iter().enumerate().filter(|(_, rule)| rule.enabled);
            let (places, conditions): (Vec<usize>, Vec<Condition>) =
                enabled.map(|(place, rule)| (place, rule.condition)).unzip();
            if !places.is_empty() {
                of_phase.sequence = Some(expressions.sequence(&conditions));
            }
            of_phase.enabled = places;
        }
        let lists = expressions.lists().clone();
        let mut rules = Self {
            access,
            phases,
            redirects: Vec::new(),
            program: expressions.build(),
            overrides: Overrides::default(),
            lists,
        };
        rules.overrides = rules.find_overrides();
        rules.redirects = rules.find_redirects();
        rules
    }

    /// The rules of a phase, in order, those included that are not enabled.
    pub fn of(&self, phase: Phase) -> &[Rule] {
        self.phases.get(phase as usize).map_or(&[], |of_phase| &of_phase.rules)
    }

    /// Every rule with its phase, in the order in which they run.
    pub fn all(&self) -> impl Iterator<Item = (Phase, &Rule)> {
        Phase::ALL.into_iter().flat_map(|phase| self.of(phase).iter().map(move |rule| (phase, rule)))
    }

    /// Whether a phase has a rule that is enabled.
    pub fn runs(&self, phase: Phase) -> bool {
        self.phases.get(phase as usize).is_some_and(|of_phase| of_phase.sequence.is_some())
    }

    /// Whether there is nothing at all: such a zone is served as if it had none.
    pub fn is_empty(&self) -> bool {
        let Access { rules, lockdowns, user_agents } = &self.access;
        self.phases.iter().all(|of_phase| of_phase.rules.is_empty())
            && rules.is_empty()
            && lockdowns.is_empty()
            && user_agents.is_empty()
    }

    /// The expressions, compiled.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The lists that its expressions may name.
    pub fn lists(&self) -> &Lists {
        &self.lists
    }

    /// Which settings configuration rules may change that are looked at early.
    pub fn overrides(&self) -> Overrides {
        self.overrides
    }

    /// A list's items, ready to be looked up.
    fn redirects_of(&self, list: &Arc<RedirectList>) -> Option<&RedirectIndex> {
        self.redirects.iter().find(|index| index.is_of(list))
    }

    fn find_overrides(&self) -> Overrides {
        let mut overrides = Overrides::default();
        for rule in self.of(Phase::ConfigSettings).iter().filter(|rule| rule.enabled) {
            if let Action::SetConfig(config) = &rule.action {
                overrides.scheme |= config.always_use_https.is_some() || config.ssl.is_some();
                overrides.upload |= config.max_upload_bytes.is_some();
            }
        }
        overrides
    }

    fn find_redirects(&self) -> Vec<RedirectIndex> {
        let mut found: Vec<RedirectIndex> = Vec::new();
        for (_, rule) in self.all() {
            if let Action::Redirect(redirect) = &rule.action
                && let Redirect::List { list, .. } = &**redirect
                && !found.iter().any(|index| index.is_of(list))
            {
                found.push(RedirectIndex::new(Arc::clone(list)));
            }
        }
        found
    }
}
