//! What switching the edge's rules off showed.

use rayline_verdict::{Code, Phase};

use super::{Observation, What};
use crate::bisect::step::Bisection;
use crate::bisect::{Culprit, Tried};
use crate::conclude::scene::Scene;

pub(in crate::conclude) fn observe(scene: &Scene<'_>) -> Option<Observation> {
    let bisection = scene.seen.rules.as_ref()?;
    if bisection.clears_rules() {
        let sentence = format!(
            "no rule has to do with it: with all {} switched off, a copy of the request fails the same",
            bisection.parts.len()
        );
        return Some(Observation::new(What::RulesCleared, sentence));
    }
    let last = bisection.culprits().last()?;
    let (what, without) = match last.without {
        Tried::Works => (What::RuleCauses, "works"),
        Tried::Fails | Tried::Otherwise => (What::RuleChanges, "fails in another way"),
    };
    let all: Vec<String> = bisection.culprits().iter().map(|culprit| without_it(bisection, culprit)).collect();
    let sentence = format!("{}, a copy of the request {without}", all.join(" and "));
    Some(Observation::new(what, sentence).of(code(bisection)))
}

fn without_it(bisection: &Bisection, culprit: &Culprit) -> String {
    format!("without {}", bisection.named(culprit))
}

/// What the edge says of the rule; where it blames somebody else, the rule made it so.
fn code(bisection: &Bisection) -> Code {
    let said = bisection.baseline.code.as_deref().and_then(Code::find);
    said.filter(|code| code.entry().phase == Phase::Rules).unwrap_or(Code::OwnerRulesBreaksRequest)
}
