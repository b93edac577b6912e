//! Whether a question can be asked at all. It does not look at what there is to answer it.

use std::time::Duration;

use super::plan::{Steps, TIMES};
use super::{Query, QueryError};
use crate::dimension::Dimension;

/// The longest span.
const LONGEST: Duration = Duration::from_secs(400 * 24 * 60 * 60);
const MOST_DIMENSIONS: usize = 4;
const MOST_STEPS: usize = 5_000;
const MOST_QUANTILES: usize = 16;
const MOST_FILTERS: usize = 32;
const MOST_VALUES: usize = 1_000;

/// Refuses what makes no sense, and what would take more than anybody could read.
///
/// # Errors
///
/// [`QueryError::Invalid`], which names the limit.
pub(super) fn check(query: &Query) -> Result<(), QueryError> {
    let length = i128::from(query.span.to.0) - i128::from(query.span.from.0);
    if length <= 0 {
        return invalid("the span ends before it begins: `from` must be earlier than `to`");
    }
    if u128::try_from(length).is_ok_and(|length| length > LONGEST.as_nanos()) {
        return invalid("the span is longer than 400 days");
    }
    if query.by.len() > MOST_DIMENSIONS {
        return invalid(format!(
            "requests can be grouped by {MOST_DIMENSIONS} dimensions at most, not {}",
            query.by.len()
        ));
    }
    for (place, dimension) in query.by.iter().enumerate() {
        if query.by.iter().skip(place + 1).any(|other| other == dimension) {
            return invalid(format!("`by` names `{}` twice", dimension.name()));
        }
    }
    if let Some(step) = query.step {
        if step.is_zero() {
            return invalid("a step must be longer than nothing");
        }
        let count = Steps::new(query.span, step).count;
        if count > MOST_STEPS {
            return invalid(format!(
                "the span has {count} steps, and {MOST_STEPS} are the limit: ask for longer steps"
            ));
        }
    }
    if query.quantiles.len() > MOST_QUANTILES {
        return invalid(format!("{MOST_QUANTILES} quantiles at most, not {}", query.quantiles.len()));
    }
    if let Some((number, share)) = query.quantiles.iter().find(|(_, share)| !(0.0..=1.0).contains(share)) {
        return invalid(format!("a quantile lies between 0 and 1, and `{}:{share}` does not", number.name()));
    }
    if query.filters.len() > MOST_FILTERS {
        return invalid(format!("{MOST_FILTERS} filters at most, not {}", query.filters.len()));
    }
    for filter in &query.filters {
        let name = filter.dimension.name();
        if filter.values.is_empty() {
            return invalid(format!("the filter on `{name}` has no value"));
        }
        if filter.values.len() > MOST_VALUES {
            return invalid(format!("the filter on `{name}` has more than {MOST_VALUES} values"));
        }
    }
    check_times(query)
}

/// What only the times know cannot be asked together with what they do not know.
fn check_times(query: &Query) -> Result<(), QueryError> {
    let asked = || query.by.iter().copied().chain(query.filters.iter().map(|filter| filter.dimension));
    let Some(of_times) = asked().find(|dimension| matches!(dimension, Dimension::Phase | Dimension::Bucket)) else {
        return Ok(());
    };
    match asked().find(|dimension| !TIMES.contains(dimension)) {
        None => Ok(()),
        Some(stranger) => invalid(format!(
            "`{}` is only kept together with `zone`, `host` and `origin`, not with `{}`",
            of_times.name(),
            stranger.name()
        )),
    }
}

fn invalid<T>(why: impl Into<String>) -> Result<T, QueryError> {
    Err(QueryError::Invalid(why.into()))
}
