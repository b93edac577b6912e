//! `[rollout]`.

use crate::document::{At, Fields};
use crate::plan::Rollout;

pub(crate) fn read_rollout(fields: &Fields<'_>) -> Rollout {
    let written: At<Vec<f64>> = fields.take("steps");
    let mut steps = written.value;
    if steps.is_empty() {
        fields.report.push(written.place.error("there is no step").hint("write at least `[100]`"));
    } else if !steps.is_sorted_by(|before, after| before < after) {
        let problem = written.place.error("each step must be larger than the one before");
        fields.report.push(problem.hint("write them as `[1, 5, 25, 50, 100]`"));
    }
    if steps.last().is_none_or(|last| *last < 100.0) {
        steps.push(100.0);
    }
    Rollout {
        steps,
        dwell: fields.take("dwell"),
        min_requests: fields.take("min_requests"),
        promote: fields.take("promote"),
    }
}
