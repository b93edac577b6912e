//! Managed rules: each against the examples in its own data, and the engine against hostile requests.

mod data;
mod engine;
mod work;

use rayline_rules::ruleset::{Execute, ManagedOverride, ManagedTarget, Sensitivity};
use rayline_rules::waf::{Managed, Outcome, RULESET, Scratch};

use crate::request::Request;

/// Every rule up to the level.
fn execute(paranoia_level: u8) -> Execute {
    Execute {
        id: RULESET.into(),
        action: None,
        enabled: None,
        sensitivity: Sensitivity::High,
        paranoia_level,
        anomaly_threshold: None,
        overrides: Vec::new(),
    }
}

/// One rule alone.
fn only(rule: &str) -> Managed {
    let meant = ManagedOverride { target: ManagedTarget::Rule(rule.into()), action: None, enabled: Some(true) };
    Managed::compile(&Execute { enabled: Some(false), overrides: vec![meant], ..execute(4) }).unwrap()
}

fn outcome(managed: &Managed, request: &Request) -> Outcome {
    managed.inspect(request, request.body(), &[], &mut Scratch::default())
}

fn names(outcome: &Outcome) -> Vec<&str> {
    outcome.matches.iter().map(|found| &*found.rule.id).collect()
}
