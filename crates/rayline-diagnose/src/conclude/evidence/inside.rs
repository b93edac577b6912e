//! What logs and machine say.

use rayline_verdict::Code;

use super::{Observation, What};
use crate::conclude::scene::Scene;
use crate::conclude::weigh::{SURE, explained};
use crate::logs::{Joined, Named};

/// From which likelihood on a trouble counts as the request's own.
pub(in crate::conclude) const TELLING: f64 = 0.3;

pub(in crate::conclude) fn observe(scene: &Scene<'_>) -> Vec<Observation> {
    let mut all: Vec<Observation> = named(scene)
        .map(|named| Observation::new(What::Named(named.cause), said(named)).counting(named.likelihood))
        .collect();
    if let Some(line) = joined(scene)
        && let Some(status) = line.status
    {
        let (file, number) = &line.found;
        let sentence =
            format!("the origin's log has this request with {status} ({}:{number}, by {})", file.display(), line.by);
        let seen = if status >= 500 {
            Observation::new(What::LoggedError, sentence).of(Code::OriginWaitErrorStatus).answering(status)
        } else {
            Observation::new(What::LoggedFine, sentence)
        };
        all.push(seen.counting(line.likelihood));
    }
    all
}

/// The line of the origin's logs that is likeliest the request's.
fn joined<'a>(scene: &Scene<'a>) -> Option<&'a Joined> {
    let all = scene.seen.logs.iter().flat_map(|logs| &logs.joined).filter(|line| line.likelihood >= TELLING);
    all.max_by(|one, other| one.likelihood.total_cmp(&other.likelihood))
}

/// Whether the origin's logs have the request's error for sure, or why it came to it.
pub(in crate::conclude) fn has_error(scene: &Scene<'_>) -> bool {
    let line = joined(scene).filter(|line| line.likelihood >= SURE);
    let mut named = scene.seen.logs.iter().flat_map(|logs| &logs.named);
    line.and_then(|line| line.status).is_some_and(|status| status >= 500)
        || named.any(|named| named.likelihood >= SURE && explained(named.cause, Code::OriginWaitErrorStatus) > 0.0)
}

/// Everything that logs and machine name.
pub(in crate::conclude) fn named<'a>(scene: &Scene<'a>) -> impl Iterator<Item = &'a Named> + use<'a> {
    let logs = scene.seen.logs.iter().flat_map(|logs| &logs.named);
    let host = scene.seen.host.iter().flat_map(|host| &host.troubles);
    logs.chain(host)
}

/// What a trouble says, and who says so.
pub(in crate::conclude) fn said(named: &Named) -> String {
    let often = if named.count > 1 { format!(", {} times", named.count) } else { String::new() };
    format!("{}: {}{often}", named.source, named.sentence.trim_end_matches('.'))
}
