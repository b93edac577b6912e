//! How much of each zone's traffic went well, and who lost the rest. It judges nothing but requests that came.

use std::collections::BTreeMap;

use super::{counts_against_site, only, share};
use crate::chunk::{Source, Span};
use crate::dimension::Dimension;
use crate::query::{Query, QueryError, run};

/// A zone's balance.
///
/// A request counts as lost if it has a verdict or a status of 500 and more, so an answer that was only degraded (a stale
/// copy, a body that was cut) is lost too. What visitors and rules of the site bring about is named, but counts neither as
/// lost nor among the requests that success is measured by.
#[derive(Clone, Debug, PartialEq)]
pub struct Budget {
    /// Its name; empty for requests that no zone has.
    pub zone: String,
    /// All requests.
    pub requests: f64,
    /// The standard error of `requests`; 0 where they are counted exactly.
    pub error: f64,
    /// Who lost how many, the most first.
    pub losses: Vec<Loss>,
    /// The share that went well of those requests that neither a visitor nor a rule spoilt; 1 if there are none.
    pub success: f64,
    /// How fast the error budget is spent: 1 spends exactly what the objective leaves. Infinite if the objective leaves
    /// nothing and something was lost.
    pub burn: f64,
}

/// What one party lost.
#[derive(Clone, Debug, PartialEq)]
pub struct Loss {
    /// Its name; empty for a status of 500 and more that has no verdict.
    pub party: String,
    /// How many: exact.
    pub failed: u64,
    /// Of all the zone's requests.
    pub share: f64,
    /// Whether it counts against the site.
    pub against_site: bool,
}

/// The balance of every zone, or of one: those with the lowest success first. `objective` is the success that is aimed at,
/// such as 0.999.
///
/// # Errors
///
/// As [`run`], and if the objective is no share.
pub fn budget(source: &dyn Source, span: Span, zone: Option<&str>, objective: f64) -> Result<Vec<Budget>, QueryError> {
    if !(0.0..=1.0).contains(&objective) {
        return Err(QueryError::Invalid(format!("an objective lies between 0 and 1, and {objective} does not")));
    }
    let filters = zone.map(|zone| only(Dimension::Zone, zone)).into_iter().collect();
    let query = Query { by: vec![Dimension::Zone, Dimension::Party], filters, ..Query::new(span) };
    let mut zones: BTreeMap<String, Budget> = BTreeMap::new();
    for group in run(source, &query)?.groups {
        let [zone, party] = group.key.as_slice() else { continue };
        let empty =
            || Budget { zone: zone.clone(), requests: 0.0, error: 0.0, losses: Vec::new(), success: 1.0, burn: 0.0 };
        let budget = zones.entry(zone.clone()).or_insert_with(empty);
        budget.requests += group.sum.requests;
        budget.error = budget.error.hypot(group.sum.error);
        if group.sum.failed > 0 {
            budget.losses.push(Loss {
                party: party.clone(),
                failed: group.sum.failed,
                share: 0.0,
                against_site: counts_against_site(party),
            });
        }
    }
    let mut budgets: Vec<Budget> = zones.into_values().map(|budget| balance(budget, objective)).collect();
    budgets.sort_by(|a, b| a.success.total_cmp(&b.success).then_with(|| a.zone.cmp(&b.zone)));
    Ok(budgets)
}

fn balance(mut budget: Budget, objective: f64) -> Budget {
    let lost = |against_site: bool| -> f64 {
        budget.losses.iter().filter(|loss| loss.against_site == against_site).map(|loss| loss.failed as f64).sum()
    };
    let lost_by_site = share(lost(true), budget.requests - lost(false));
    budget.success = 1.0 - lost_by_site;
    budget.burn = if lost_by_site > 0.0 { lost_by_site / (1.0 - objective) } else { 0.0 };
    for loss in &mut budget.losses {
        loss.share = share(loss.failed as f64, budget.requests);
    }
    budget
}
