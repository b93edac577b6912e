//! Which trouble failed the requests: what is near them, belongs to them, and explains the others.
//!
//! It weighs what the logs name, each by itself and then together. Whether that is what visitors met is not known here.

use std::time::SystemTime;

use super::entry::Level;
use super::gather::{Gathered, Group, Occurrence, Tie};
use super::join::{MOST, Part, in_time, moved};
use super::profile::seconds_between;
use super::wanted::Request;
use super::{Cause, Named};

/// The likelihood of what has nothing to do with any request but that it stands in the same log.
const FAR: f64 = 0.12;

/// How likely a cause and a symptom must be, each by itself, for the one to explain the other.
const EXPLAINS: f64 = 0.4;

/// How likely a symptom is at most, as a part of what its likeliest cause is.
const BEHIND_ITS_CAUSE: f64 = 0.9;

/// The likelihood of a program's last words that carry no time.
const LAST_WORDS: f64 = 0.62;

/// The likelihood of the last words, however old, of a program that does not run any more.
const ENDED_WITH: f64 = 0.45;

/// How many entries at the end of a file tell what ended a program: who runs it adds some.
const ENDING: u64 = 15;

/// How many entries at the end of a file are last words: what is started again adds some.
const LAST_ENTRIES: u64 = 50;

/// How long before a request last words may have been written, in seconds.
const LAST_WORDS_BEFORE: i64 = 600;

/// How long after a request last words may have been written, in seconds: it may have ended the program slowly.
const LAST_WORDS_AFTER: i64 = 60;

/// How likely each group is what failed the requests, the likeliest first; a cause before the symptoms that it explains.
pub(super) fn rank(gathered: &Gathered<'_>, requests: &[Request], skew: f64, part: &Part) -> Vec<Named> {
    let mut near = Nearness { gathered, requests, skew, part, is_refused: false };
    near.is_refused = near.is_refused();
    let mut named: Vec<Named> = gathered.groups().iter().map(|group| near.named(group)).collect();
    if !requests.is_empty() {
        explain(&mut named);
    }
    named.sort_by(|one, other| {
        let last = |named: &Named| named.between.map(|(_, last)| last);
        other.likelihood.total_cmp(&one.likelihood).then(other.count.cmp(&one.count)).then(last(other).cmp(&last(one)))
    });
    named
}

/// Sets causes before symptoms. Who sees a symptom in a request knows that it failed then, and a cause of the same moments
/// says why: the one makes the other likelier.
fn explain(named: &mut [Named]) {
    let likeliest = |named: &[Named], is_symptom: bool| {
        let of = named.iter().filter(|named| named.cause.row().is_symptom == is_symptom);
        of.map(|named| named.likelihood).fold(0.0, f64::max)
    };
    let symptom = likeliest(named, true);
    if likeliest(named, false) < EXPLAINS || symptom < EXPLAINS {
        return;
    }
    let explains = |named: &&mut Named| !named.cause.row().is_symptom && named.likelihood >= EXPLAINS;
    for cause in named.iter_mut().filter(explains) {
        let likelier = cause.likelihood + (1.0 - cause.likelihood) * symptom / 2.0;
        cause.likelihood = cause.likelihood.max(likelier.min(MOST));
    }
    let most = likeliest(named, false) * BEHIND_ITS_CAUSE;
    for symptom in named.iter_mut().filter(|named| named.cause.row().is_symptom) {
        symptom.likelihood = symptom.likelihood.min(most);
    }
}

/// What the nearness of a trouble to the requests goes by.
struct Nearness<'a> {
    gathered: &'a Gathered<'a>,
    requests: &'a [Request],
    skew: f64,
    part: &'a Part,
    /// Whether nobody takes the requests: whatever ran there does not run any more.
    is_refused: bool,
}

impl Nearness<'_> {
    /// Whether nobody takes the requests, as their status or a web server tells.
    fn is_refused(&self) -> bool {
        /// Cloudflare's "web server is down": the origin refused the connection.
        const DOWN: u16 = 521;
        let told = |group: &&Group| group.meaning.cause == Cause::ServerUpstreamRefused;
        self.requests.iter().any(|request| request.status.is_none_or(|status| status == DOWN))
            || self.gathered.groups().iter().filter(told).any(|group| self.likelihood(group) >= EXPLAINS)
    }

    fn likelihood(&self, group: &Group) -> f64 {
        let near = |at: SystemTime| self.requests.iter().any(|request| in_time(Some(at), request, self.skew) >= 0.3);
        let only_then = group.between.is_some_and(|(first, last)| near(first) && near(last));
        let of = |time: &Occurrence| {
            let ended = self.is_refused && group.source.is_application() && self.ended_with(time);
            let least = if ended { ENDED_WITH } else { 0.0 };
            self.closeness(time, only_then).max(least) * weight(time.level)
        };
        group.times.iter().map(of).fold(0.0, f64::max)
    }

    fn named(&self, group: &Group) -> Named {
        let found = group.found.as_ref().map(|(path, number)| (path.to_path_buf(), *number));
        Named {
            cause: group.meaning.cause,
            sentence: group.meaning.sentence.clone(),
            place: group.meaning.place.clone(),
            source: group.source.name(),
            line: group.shown(),
            found,
            count: group.count,
            between: group.between,
            likelihood: self.likelihood(group),
        }
    }

    /// How near an occurrence is to the nearest request.
    fn closeness(&self, time: &Occurrence, only_then: bool) -> f64 {
        if self.requests.is_empty() {
            return 0.5;
        }
        if time.is_of_another_path {
            return FAR;
        }
        let to = |at: SystemTime| {
            let each = self.requests.iter().enumerate();
            each.map(|(index, request)| self.to(index, request, time, at, only_then)).fold(0.0, f64::max)
        };
        match (time.at, time.written) {
            (Some(at), _) => to(at),
            // Where a file alone tells when, its last words are meant, or any before them.
            (None, Some(written)) if self.are_last_words(time, written) => LAST_WORDS.max(to(written) * 0.9),
            (None, Some(written)) => to(written) * 0.6,
            (None, None) => 0.25,
        }
    }

    /// How near an occurrence at this moment is to a request.
    fn to(&self, index: usize, request: &Request, time: &Occurrence, at: SystemTime, only_then: bool) -> f64 {
        let near = in_time(Some(at), request, self.skew);
        let tied = match time.tie {
            Some(Tie::Ray(tied)) if tied == index => return 0.98,
            Some(Tie::Ray(_)) => false,
            // Requests alike are tied to the first of them.
            Some(Tie::Line(tied)) => {
                let tied = self.requests.get(tied);
                tied.is_some_and(|tied| tied.method == request.method && tied.path() == request.path())
            }
            None => false,
        };
        match (tied, near >= 1.0, near >= 0.3) {
            (true, true, _) => 0.95,
            (true, false, true) => 0.7,
            (true, false, false) => 0.4,
            (false, true, _) if self.part.took(time) => 0.85,
            (false, true, _) => 0.7,
            (false, false, true) if only_then => 0.5,
            (false, false, true) => 0.35,
            (false, false, false) => FAR,
        }
    }

    /// Whether an occurrence is among the last things in its file, and from before a request ended.
    fn ended_with(&self, time: &Occurrence) -> bool {
        let is_before = |at: SystemTime| self.requests.iter().any(|request| moved(at, -self.skew) <= request.ended());
        !time.is_of_another_path
            && self.gathered.behind(time) < ENDING
            && time.at.or(time.written).is_some_and(is_before)
    }

    /// Whether an occurrence without a time is among the last things in a file that was written last shortly before a
    /// request, or while it went on: what ended a program is the last that it says.
    fn are_last_words(&self, time: &Occurrence, written: SystemTime) -> bool {
        let written = moved(written, -self.skew);
        let fits = |request: &Request| {
            let early = seconds_between(written, request.at);
            (-LAST_WORDS_AFTER..=LAST_WORDS_BEFORE).contains(&early)
        };
        self.gathered.behind(time) < LAST_ENTRIES && self.requests.iter().any(fits)
    }
}

/// How much a level says.
const fn weight(level: Level) -> f64 {
    match level {
        Level::Critical | Level::Error => 1.0,
        Level::Warning => 0.9,
        Level::Notice | Level::Info => 0.7,
        Level::Debug => 0.5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(cause: Cause, likelihood: f64) -> Named {
        Named {
            cause,
            sentence: String::new(),
            place: None,
            source: "nginx",
            line: String::new(),
            found: None,
            count: 1,
            between: None,
            likelihood,
        }
    }

    #[test]
    fn a_cause_goes_before_the_symptom_that_it_explains() {
        let of = |symptom: f64, cause: f64| {
            let mut all = [named(Cause::ServerUpstreamClosed, symptom), named(Cause::ServerWorkerKilled, cause)];
            explain(&mut all);
            (all[0].likelihood, all[1].likelihood)
        };
        let (symptom, cause) = of(0.95, 0.63);
        assert!(cause > symptom && cause > 0.63 && symptom > 0.5, "{symptom} {cause}");
        assert_eq!(of(0.95, 0.35), (0.95, 0.35), "it has little to do with the request itself");
        assert_eq!(of(0.12, 0.7), (0.12, 0.7), "the symptom is another's");
        let mut alone = [named(Cause::ServerStopped, 0.5), named(Cause::ServerUpstreamRefused, 0.95)];
        explain(&mut alone);
        assert_eq!(alone.map(|named| named.likelihood), [0.5, 0.95], "symptoms do not explain each other");
    }
}
