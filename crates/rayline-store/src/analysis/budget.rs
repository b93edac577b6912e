//! How much of each zone's traffic went well, and who lost the rest. It judges nothing but requests that came.

use std::collections::BTreeMap;

use super::{counts_against_site, share};
use crate::chunk::{Source, Span};
use crate::dimension::Dimension;
use crate::query::{Filter, Query, QueryError, run};

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

impl Budget {
    /// What the site lost: without what visitors and rules brought about.
    pub fn lost(&self) -> u64 {
        self.losses.iter().filter(|loss| loss.against_site).map(|loss| loss.failed).sum()
    }

    /// All that failed.
    pub fn failed(&self) -> u64 {
        self.losses.iter().map(|loss| loss.failed).sum()
    }

    /// The balance of several zones together, held against the same objective.
    pub fn together(budgets: &[Self], objective: f64) -> Self {
        let mut all = Self::of(String::new());
        for budget in budgets {
            all.requests += budget.requests;
            all.error = all.error.hypot(budget.error);
            budget.losses.iter().for_each(|loss| all.lose(&loss.party, loss.failed));
        }
        all.losses.sort_by(|a, b| b.failed.cmp(&a.failed).then_with(|| a.party.cmp(&b.party)));
        balance(all, objective)
    }

    fn of(zone: String) -> Self {
        Self { zone, requests: 0.0, error: 0.0, losses: Vec::new(), success: 1.0, burn: 0.0 }
    }

    fn lose(&mut self, party: &str, failed: u64) {
        if let Some(loss) = self.losses.iter_mut().find(|loss| loss.party == party) {
            loss.failed += failed;
        } else if failed > 0 {
            let against_site = counts_against_site(party);
            self.losses.push(Loss { party: party.to_owned(), failed, share: 0.0, against_site });
        }
    }
}

/// The balance of every zone that requests passing the filters were for: the one that lost the most first. `objective` is
/// the success that is aimed at, such as 0.999.
///
/// # Errors
///
/// As [`run`], and if the objective is no share.
pub fn budget(source: &dyn Source, span: Span, filters: &[Filter], objective: f64) -> Result<Vec<Budget>, QueryError> {
    if !(0.0..=1.0).contains(&objective) {
        return Err(QueryError::Invalid(format!("an objective lies between 0 and 1, and {objective} does not")));
    }
    let query = Query { by: vec![Dimension::Zone, Dimension::Party], filters: filters.to_vec(), ..Query::new(span) };
    let mut zones: BTreeMap<String, Budget> = BTreeMap::new();
    // groups come with the most failed first, and so do a zone's losses
    for group in run(source, &query)?.groups {
        let [zone, party] = group.key.as_slice() else { continue };
        let budget = zones.entry(zone.clone()).or_insert_with(|| Budget::of(zone.clone()));
        budget.requests += group.sum.requests;
        budget.error = budget.error.hypot(group.sum.error);
        budget.lose(party, group.sum.failed);
    }
    let mut budgets: Vec<Budget> = zones.into_values().map(|budget| balance(budget, objective)).collect();
    budgets.sort_by(|a, b| {
        let lost = b.lost().cmp(&a.lost()).then_with(|| a.success.total_cmp(&b.success));
        lost.then_with(|| b.requests.total_cmp(&a.requests)).then_with(|| a.zone.cmp(&b.zone))
    });
    Ok(budgets)
}

fn balance(mut budget: Budget, objective: f64) -> Budget {
    let by_others = budget.failed() - budget.lost();
    let lost_by_site = share(budget.lost() as f64, budget.requests - by_others as f64);
    budget.success = 1.0 - lost_by_site;
    budget.burn = if lost_by_site > 0.0 { lost_by_site / (1.0 - objective) } else { 0.0 };
    for loss in &mut budget.losses {
        loss.share = share(loss.failed as f64, budget.requests);
    }
    budget
}
