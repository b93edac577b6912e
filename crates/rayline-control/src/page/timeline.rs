//! Failures over time, split by whatever dimension: what two pages show.

use std::collections::BTreeMap;

use maud::Markup;
use rayline_store::{Answer, Dimension, Query, QueryError, Source, Span, Sum};
use rayline_verdict::{Moment, Party};

use super::chart::{Bar, Chart, Series};
use super::parts;
use crate::scope::Scope;
use crate::show;

/// Colours for values that have none of their own, and so how many values are told apart.
const COLOURS: [&str; 7] = ["s-0", "s-1", "s-2", "s-3", "s-4", "s-5", "s-6"];
const OTHERS: &str = "s-7";

/// What a chart is drawn from.
#[derive(Debug)]
pub(crate) struct Timeline {
    split: Dimension,
    split_by: Answer,
    all: Answer,
}

impl Timeline {
    /// Reads it.
    pub(crate) fn read(store: &dyn Source, scope: &Scope, split: Dimension) -> Result<Self, QueryError> {
        let step = Some(scope.step());
        let top = if split == Dimension::Party { Party::ALL.len() + 1 } else { COLOURS.len() };
        let split_by = rayline_store::run(store, &Query { step, top, ..scope.query(&[split]) })?;
        let all = rayline_store::run(store, &Query { step, ..scope.query(&[]) })?;
        Ok(Self { split, split_by, all })
    }

    /// Whether nothing failed.
    pub(crate) fn is_empty(&self) -> bool {
        self.all.total.failed == 0
    }

    /// Draws it. Values and bars lead to `path` with them as a filter.
    pub(crate) fn draw(&self, scope: &Scope, path: &str, caption: &str, is_low: bool) -> Markup {
        let names = self.names();
        let mut series: Vec<Series> =
            names.iter().enumerate().map(|(place, name)| self.series(scope, path, place, name)).collect();
        let places: BTreeMap<&str, usize> =
            names.iter().enumerate().map(|(place, name)| (name.as_str(), place)).collect();
        let mut bars: BTreeMap<Moment, Vec<f64>> = BTreeMap::new();
        for group in &self.split_by.groups {
            let place = group.key.first().and_then(|key| places.get(key.as_str()));
            if let (Some(place), Some(at)) = (place, group.at) {
                let parts = bars.entry(at).or_insert_with(|| vec![0.0; names.len() + 1]);
                if let Some(part) = parts.get_mut(*place) {
                    *part += group.sum.failed as f64;
                }
            }
        }
        let all: BTreeMap<Moment, &Sum> =
            self.all.groups.iter().filter_map(|group| Some((group.at?, &group.sum))).collect();
        let step = scope.step();
        let length = i64::try_from(step.as_nanos()).unwrap_or(i64::MAX);
        let mut has_others = false;
        let bars: Vec<Bar> = scope
            .steps()
            .map(|at| {
                let mut parts = bars.remove(&at).unwrap_or_else(|| vec![0.0; names.len() + 1]);
                let whole = all.get(&at);
                let shown: f64 = parts.iter().sum();
                let rest = whole.map_or(0.0, |sum| sum.failed as f64) - shown;
                if let Some(others) = parts.last_mut().filter(|_| rest > 0.0) {
                    *others = rest;
                    has_others = true;
                }
                let span = Span { from: at, to: Moment(at.0.saturating_add(length)) };
                let more = whole.map_or_else(String::new, |sum| {
                    format!(
                        "; {} of {} requests",
                        show::percent(sum.failed as f64, sum.requests),
                        show::rounded(sum.requests)
                    )
                });
                Bar { at, parts, more, link: Some(scope.within(span).link(path)) }
            })
            .collect();
        if has_others {
            series.push(Series { name: "others".to_owned(), class: OTHERS, link: None });
        }
        Chart { caption, unit: "failed requests", step, series: &series, bars: &bars, is_low }.draw()
    }

    /// Values with a failure, in the order in which they are stacked.
    fn names(&self) -> Vec<String> {
        let mut failed: Vec<(String, u64)> = Vec::new();
        for group in self.split_by.groups.iter().filter(|group| group.sum.failed > 0) {
            let Some(key) = group.key.first() else { continue };
            match failed.iter_mut().find(|(name, _)| name == key) {
                Some((_, sum)) => *sum = sum.saturating_add(group.sum.failed),
                None => failed.push((key.clone(), group.sum.failed)),
            }
        }
        failed.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        failed.truncate(if self.split == Dimension::Party { Party::ALL.len() + 1 } else { COLOURS.len() });
        failed.into_iter().map(|(name, _)| name).collect()
    }

    fn series(&self, scope: &Scope, path: &str, place: usize, name: &str) -> Series {
        let class = match self.split {
            Dimension::Party => parts::party_class(name),
            _ => COLOURS.get(place).copied().unwrap_or(OTHERS),
        };
        let link = Some(scope.with(self.split, name).link(path));
        Series { name: named(self.split, name), class, link }
    }
}

/// A value as people call it.
pub(crate) fn named(dimension: Dimension, value: &str) -> String {
    match (dimension, value) {
        (Dimension::EdgeStatus, "0" | "") => "no answer".to_owned(),
        (Dimension::OriginStatus, "0" | "") => "none came".to_owned(),
        (Dimension::Party, "") => "no verdict".to_owned(),
        (Dimension::Code, "") => "no verdict".to_owned(),
        (Dimension::Origin, "") => "no origin asked".to_owned(),
        (Dimension::Zone, "") => "no zone".to_owned(),
        (Dimension::Country, "") => "unknown".to_owned(),
        (_, "") => "(empty)".to_owned(),
        (Dimension::Country, country) => country.to_uppercase(),
        (_, value) => value.to_owned(),
    }
}
