//! When something was first seen. It tells nothing of what lies before the span, or is no longer kept.

use std::collections::BTreeMap;
use std::time::Duration;

use rayline_verdict::Moment;

use super::{Filter, Query, QueryError, run};
use crate::chunk::{Source, Span};
use crate::dimension::Dimension;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// When each value of a dimension was first seen in a span among the requests that pass the filters, to the minute; the order is that of
/// time, then of the values.
/// `""`, no value, is left out, and so is what lies beyond the foremost values that a query tells apart.
///
/// # Errors
///
/// As [`run`].
pub fn first_seen(
    source: &dyn Source,
    dimension: Dimension,
    span: Span,
    filters: &[Filter],
) -> Result<Vec<(String, Moment)>, QueryError> {
    let length = Duration::from_nanos(u64::try_from(span.to.0.saturating_sub(span.from.0)).unwrap_or_default());
    let finer = if length <= 6 * HOUR {
        MINUTE
    } else if length <= 20 * DAY {
        HOUR
    } else {
        DAY
    };
    let query = Query { by: vec![dimension], filters: filters.to_vec(), step: Some(finer), ..Query::new(span) };
    let mut first: BTreeMap<String, Moment> = BTreeMap::new();
    for group in run(source, &query)?.groups {
        if let (Some(value), Some(at)) = (group.key.into_iter().next(), group.at)
            && !value.is_empty()
        {
            first.entry(value).or_insert(at);
        }
    }
    let mut by_step: BTreeMap<Moment, Vec<String>> = BTreeMap::new();
    for (value, at) in first {
        by_step.entry(at).or_default().push(value);
    }
    let mut found = Vec::new();
    for (at, values) in by_step {
        if finer == MINUTE {
            found.extend(values.into_iter().map(|value| (value, at)));
            continue;
        }
        let end = at.0.saturating_add(i64::try_from(finer.as_nanos()).unwrap_or(i64::MAX));
        let within = Span { from: at.max(span.from), to: Moment(end).min(span.to) };
        let precise = first_seen(source, dimension, within, filters)?;
        found.extend(precise.into_iter().filter(|(value, _)| values.contains(value)));
    }
    Ok(found)
}
