//! The same rules in one phase and in several, with what one phase worked out at hand in the next, and without.

use rayline_rules::ruleset::{Access, Action, Phase, Rule, Ruleset};
use rayline_rules::run::{Changes, Limits, NoGuards, Run, Trail};
use rayline_rules::{Lists, Memory, ProgramBuilder, Stage, ZoneRules};

use crate::nanoseconds;
use crate::zone::{Request, mixed};

/// Rules in all.
pub(crate) const RULES: usize = 60;
/// Phases that they stand in.
const PHASES: [Phase; 6] = [
    Phase::DynamicRedirect,
    Phase::RequestTransform,
    Phase::ConfigSettings,
    Phase::Origin,
    Phase::FirewallCustom,
    Phase::LateTransform,
];

/// Where the rules stand, and nanoseconds of a request.
pub(crate) fn measure(memory: &mut Memory) -> Vec<(&'static str, f64)> {
    let (steady, changing) = (Request::default(), Request { steady: false, ..Request::default() });
    let (one, six) = (zone(&PHASES[..1]), zone(&PHASES));
    vec![
        ("60 rules in one phase", nanoseconds(|| run(&one, &steady, memory))),
        ("10 in each of six phases", nanoseconds(|| run(&six, &steady, memory))),
        ("the same, where each phase finds the request changed", nanoseconds(|| run(&six, &changing, memory))),
    ]
}

/// Rules of all kinds in turn, evenly over these phases.
fn zone(phases: &[Phase]) -> ZoneRules {
    let lists = Lists::default();
    let mut expressions = ProgramBuilder::new(&lists);
    let each = RULES / phases.len();
    let rulesets = phases.iter().enumerate().map(|(place, phase)| {
        let rules = (0..each).map(|number| {
            let text = mixed(place * each + number);
            Rule {
                id: format!("{place}-{number}").into(),
                description: "".into(),
                condition: expressions.condition(&text, Stage::Request).unwrap(),
                expression: text.into(),
                enabled: true,
                logging: true,
                action: Action::Log,
            }
        });
        Ruleset { phase: *phase, rules: rules.collect() }
    });
    let rulesets = rulesets.collect();
    ZoneRules::new(rulesets, Access::default(), expressions)
}

/// Runs every phase.
fn run(rules: &ZoneRules, request: &Request, memory: &mut Memory) -> usize {
    let (mut changes, mut trail) = (Changes::default(), Trail::default());
    let limits = Limits { uri: 8_192, fields: 8_192 };
    for phase in PHASES {
        let mut run = Run { rules, limits, memory, changes: &mut changes, trail: &mut trail };
        run.phase(phase, request, &mut NoGuards).unwrap();
    }
    trail.steps.len()
}
