//! Rules of zones: rulesets, lists, access by address, Page Rules, as the types that run.
//!
//! What an expression means is not known here: the program that it becomes part of knows.

mod access;
mod actions;
mod expression;
mod headers;
mod kinds;
mod lists;
mod page_rules;
mod ratelimit;
mod rule;
mod settings;

use std::collections::HashMap;
use std::sync::Arc;

use rayline_rules::ZoneRules;
use rayline_rules::ruleset::{Phase, Rule, Ruleset};

use crate::document::{At, Fields, Place, Report, shown};
use crate::plan::Settings;
use expression::Expressions;

pub(crate) use kinds::{
    AccessTargetKind, ActionKind, Algorithm, CacheLevel, LockdownTarget, OperationKind, UserAgentMode,
};
pub(super) use lists::{Named, read_named};

/// The longest `id`.
const LONGEST_ID: usize = 64;

/// Which ids of a zone are taken, and where.
#[derive(Default)]
struct Ids(HashMap<String, Place>);

impl Ids {
    /// The `id` that was written, if it is one and free.
    fn read(&mut self, fields: &Fields<'_>) -> Option<Arc<str>> {
        let written: At<String> = fields.optional("id")?;
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if !written.value.chars().all(fits) || written.value.len() > LONGEST_ID {
            let message = format!(
                "`{}` is no id: letters, digits, `-`, `_` and `.`, at most {LONGEST_ID}",
                shown(&written.value)
            );
            return fields.report.refuse(written.place.error(message));
        }
        if let Some(first) = self.0.insert(written.value.clone(), written.place.clone()) {
            let problem = written.place.error(format!("`{}` is the id of another rule of this zone", written.value));
            return fields.report.refuse(problem.hint("give each an id of its own").related(&first, "first here"));
        }
        Some(written.value.into())
    }
}

/// The rules of a zone; `None` where there is nothing that would have to be looked at for a request.
pub(super) fn read_zone_rules(zone: &Fields<'_>, settings: &Settings, named: &Named) -> Option<Arc<ZoneRules>> {
    let mut expressions = Expressions::new(&named.lists, zone.report);
    let mut ids = Ids::default();
    let mut written = read_rulesets(zone, &mut expressions, &mut ids, named);
    let access = access::read(zone, &mut ids, named);
    let page_rules = page_rules::read(&zone.tables("page_rules"), &mut expressions, &mut ids);

    let mut rulesets = Vec::new();
    for phase in Phase::ALL {
        let own = written.remove(&phase).unwrap_or_default();
        let translated: Vec<Rule> =
            page_rules.iter().filter(|(of, _)| *of == phase).map(|(_, rule)| rule.clone()).collect();
        // a rule wins over a Page Rule: the first redirect is the one, of settings the last
        let rules = match phase {
            Phase::DynamicRedirect => [own, translated].concat(),
            _ => [translated, own].concat(),
        };
        if !rules.is_empty() {
            rulesets.push(Ruleset { phase, rules });
        }
    }
    let has_settings = settings.browser_check || settings.hotlink_protection;
    let rules = ZoneRules::new(rulesets, access, expressions.into_program());
    (!rules.is_empty() || has_settings).then(|| Arc::new(rules))
}

/// The rules of each phase that was written.
fn read_rulesets(
    zone: &Fields<'_>,
    expressions: &mut Expressions<'_>,
    ids: &mut Ids,
    named: &Named,
) -> HashMap<Phase, Vec<Rule>> {
    let mut rulesets = HashMap::new();
    let mut places: HashMap<Phase, Place> = HashMap::new();
    for fields in zone.tables("rulesets") {
        let phase: Option<At<Phase>> = fields.required("phase");
        let _notes = (fields.optional::<String>("name"), fields.optional::<String>("description"));
        if let Some(phase) = &phase
            && let Some(first) = places.insert(phase.value, phase.place.clone())
        {
            let problem = phase.place.error(format!("there are two rulesets of `{}`", phase.value.name()));
            zone.report.push(problem.hint("put the rules of both into one").related(&first, "first here"));
        }
        let phase = phase.map(|at| at.value);
        let tables = fields.tables("rules");
        let rules = tables
            .iter()
            .enumerate()
            .filter_map(|(index, rule)| {
                rule::read(rule, phase, index + 1, &mut rule::Context { expressions, ids, named })
            })
            .collect();
        if let Some(phase) = phase {
            rulesets.insert(phase, rules);
        }
    }
    rulesets
}

/// Names in a sentence: "`a`, `b`".
fn quoted<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// A text that is cut where it is longer than `longest` bytes: a problem, not a cut.
fn within(text: String, longest: usize, place: &Place, report: &Report<'_>) -> Option<String> {
    if text.len() <= longest {
        return Some(text);
    }
    report.refuse(place.error(format!("this is {} bytes long, and at most {longest} are taken", text.len())))
}
