//! A zone's rules, ready to run: by phase, beside what stands before them.

use crate::ruleset::{Access, Phase, Rule, Ruleset};

/// Everything that rules of a zone say. One is made when the configuration is compiled, and shared by all workers.
#[derive(Debug, Default)]
pub struct ZoneRules {
    /// What stands before the rules.
    pub access: Access,
    /// The rules of each phase, in the order of [`Phase::ALL`].
    phases: [Vec<Rule>; Phase::ALL.len()],
}

impl ZoneRules {
    /// Sorts rulesets by their phase. Two of one phase follow each other, as they were written.
    pub fn new(rulesets: Vec<Ruleset>, access: Access) -> Self {
        let mut rules = Self { access, ..Self::default() };
        for Ruleset { phase, rules: more } in rulesets {
            if let Some(place) = rules.phases.get_mut(phase as usize) {
                place.extend(more);
            }
        }
        rules
    }

    /// The rules of a phase, in order, those included that are not enabled.
    pub fn of(&self, phase: Phase) -> &[Rule] {
        self.phases.get(phase as usize).map_or(&[], Vec::as_slice)
    }

    /// Every rule with its phase, in the order in which they run.
    pub fn all(&self) -> impl Iterator<Item = (Phase, &Rule)> {
        Phase::ALL.into_iter().flat_map(|phase| self.of(phase).iter().map(move |rule| (phase, rule)))
    }

    /// Whether there is nothing at all: such a zone is served as if it had none.
    pub fn is_empty(&self) -> bool {
        let Access { rules, lockdowns, user_agents } = &self.access;
        self.phases.iter().all(Vec::is_empty) && rules.is_empty() && lockdowns.is_empty() && user_agents.is_empty()
    }
}
