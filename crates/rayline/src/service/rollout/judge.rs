//! Whether a version that is being rolled out fails more often than the one before, in the same window.
//!
//! Only failures whose party is owner or edge are looked at: a configuration cannot break what the origin, the network or a
//! visitor does. Two shares are compared by the bounds of their difference that Wilson's intervals give ("Interval
//! estimation for the difference between independent proportions", Newcombe 1998, method 10): they hold for few requests
//! and for shares near zero, where the usual test by standard error does not.

use rayline_control::{CodeCount, Evidence, Sample};
use rayline_edge::{Compared, Outcome};
use rayline_verdict::{Code, Party};

/// Standard deviations beyond which failures are taken to have risen. It is looked at twice a second for as long as a
/// rollout lasts, and each look can be wrong: that is why 95 % would not do.
const RISEN: f64 = 4.0;
/// Standard deviations beyond which it is not taken for granted that they have not.
const DOUBTFUL: f64 = 1.645;
/// What one-sided confidence so many standard deviations are, in percent.
const CONFIDENCE: [(f64, f64); 5] = [(4.0, 99.997), (3.719, 99.99), (3.090, 99.9), (2.326, 99.0), (DOUBTFUL, 95.0)];
/// Requests of either version, below which nothing is said.
const LEAST: u64 = 10;
/// Visitors who must have met the failures, unless there are fewer: one alone may be a scanner that asks for what no
/// configuration has.
const FAILING_VISITORS: u64 = 3;

/// What two outcomes come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// There are not enough requests to say.
    TooFew,
    /// Nothing speaks against the new version.
    Fine,
    /// It may be worse.
    Doubtful,
    /// It fails more often.
    Worse,
}

/// A share of something.
#[derive(Clone, Copy, Debug)]
struct Proportion {
    hits: f64,
    of: f64,
}

impl Proportion {
    fn new(hits: u64, of: u64) -> Self {
        Self { hits: hits as f64, of: (of as f64).max(1.0) }
    }

    fn share(self) -> f64 {
        self.hits / self.of
    }

    /// Between which bounds the true share lies, `z` standard deviations either way ("Probable inference, the law of
    /// succession, and statistical inference", Wilson 1927).
    fn bounds(self, z: f64) -> (f64, f64) {
        let (share, squared) = (self.share(), z * z);
        let middle = share + squared / (2.0 * self.of);
        let reach = z * (share * (1.0 - share) / self.of + squared / (4.0 * self.of * self.of)).sqrt();
        let whole = 1.0 + squared / self.of;
        (((middle - reach) / whole).max(0.0), ((middle + reach) / whole).min(1.0))
    }

    /// Whether it is larger than another, `z` standard deviations sure.
    fn exceeds(self, other: Self, z: f64) -> bool {
        let (difference, (low, _), (_, high)) = (self.share() - other.share(), self.bounds(z), other.bounds(z));
        difference - ((self.share() - low).powi(2) + (high - other.share()).powi(2)).sqrt() > 0.0
    }
}

/// What to make of a window, and what that rests on.
pub(super) fn judge(compared: &Compared, min_requests: u64, seconds: u64) -> (Judgement, Evidence) {
    let (old, new) = (&compared.old, &compared.new);
    let mut evidence = Evidence {
        conclusion: String::new(),
        confidence: 0.0,
        seconds,
        old: sample(old),
        new: sample(new),
        codes: codes(old, new),
    };
    let failing = new.failing_visitors;
    let of_one = failing < FAILING_VISITORS.min(new.visitors);
    let z = deviations(old, new);
    evidence.confidence = CONFIDENCE.iter().find(|(least, _)| z >= *least).map_or(0.0, |(_, percent)| *percent);
    let (judgement, conclusion) = if old.requests.min(new.requests) < LEAST {
        (Judgement::TooFew, too_few(old, new, LEAST))
    } else if z >= RISEN && !of_one {
        (Judgement::Worse, risen(&evidence))
    } else if z >= DOUBTFUL {
        let of_few =
            format!("failures have risen, but of {failing} visitor{} alone", if failing == 1 { "" } else { "s" });
        (
            Judgement::Doubtful,
            if of_one { of_few } else { "failures may have risen: more requests will tell".to_owned() },
        )
    } else if old.requests.min(new.requests) < min_requests {
        (Judgement::TooFew, too_few(old, new, min_requests))
    } else {
        (Judgement::Fine, "failures of owner and edge have not risen".to_owned())
    };
    evidence.conclusion = conclusion;
    (judgement, evidence)
}

/// How many of the known standard deviations it is sure that failures have risen: all together, or those of one code,
/// which a common one may hide. A code that rises while all together do not has taken another's place.
fn deviations(old: &Outcome, new: &Outcome) -> f64 {
    let all = (Proportion::new(new.blamed(), new.requests), Proportion::new(old.blamed(), old.requests));
    if all.0.share() <= all.1.share() {
        return 0.0;
    }
    let of_code = |(code, count): &(Code, u64)| {
        (Proportion::new(*count, new.requests), Proportion::new(old.of_code(*code), old.requests))
    };
    let pairs: Vec<(Proportion, Proportion)> = new.by_code.iter().map(of_code).chain([all]).collect();
    let sure = |z: f64| pairs.iter().any(|(new, old)| new.exceeds(*old, z));
    CONFIDENCE.iter().map(|(z, _)| *z).find(|z| sure(*z)).unwrap_or(0.0)
}

fn too_few(old: &Outcome, new: &Outcome, least: u64) -> String {
    let fewer = if new.requests <= old.requests { new } else { old };
    format!("version {} has served {} of the {least} requests that it takes to judge", fewer.version, fewer.requests)
}

fn risen(evidence: &Evidence) -> String {
    let Evidence { old, new, codes, .. } = evidence;
    let worst = codes.iter().find(|code| code.new > 0).map(|code| format!(", most of them {}", code.code));
    format!(
        "under version {} {} of {} requests failed by owner or edge ({:.1} %){}; under version {} in the same time {} of {} ({:.1} %)",
        new.version,
        new.blamed,
        new.requests,
        new.percent,
        worst.unwrap_or_default(),
        old.version,
        old.blamed,
        old.requests,
        old.percent,
    )
}

fn sample(outcome: &Outcome) -> Sample {
    let share = Proportion::new(outcome.blamed(), outcome.requests);
    let (low, high) = share.bounds(1.96);
    let others = Party::ALL.into_iter().zip(outcome.by_party);
    let others = others.filter(|(party, count)| *count > 0 && !matches!(party, Party::Owner | Party::Edge));
    Sample {
        version: outcome.version,
        requests: outcome.requests,
        blamed: outcome.blamed(),
        percent: rounded(share.share()),
        percent_low: rounded(low),
        percent_high: rounded(if outcome.requests == 0 { 1.0 } else { high }),
        visitors: outcome.visitors,
        failing_visitors: outcome.failing_visitors,
        others: others.map(|(party, count)| (party.name().to_owned(), count)).collect(),
    }
}

/// A share in percent, to a thousandth.
fn rounded(share: f64) -> f64 {
    (share * 100_000.0).round() / 1000.0
}

fn codes(old: &Outcome, new: &Outcome) -> Vec<CodeCount> {
    let count = |code: Code| CodeCount { code: code.name().to_owned(), old: old.of_code(code), new: new.of_code(code) };
    let gone = old.by_code.iter().filter(|(code, _)| new.of_code(*code) == 0);
    new.by_code.iter().chain(gone).map(|(code, _)| count(*code)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NXDOMAIN: &str = "owner.resolve.nxdomain";

    fn outcome(version: u64, requests: u64, failed: &[(&str, u64)], visitors: u64, failing: u64) -> Outcome {
        let mut outcome = Outcome { version, requests, visitors, failing_visitors: failing, ..Outcome::default() };
        for (name, count) in failed {
            let code = Code::find(name).unwrap();
            let party = code.entry().party;
            outcome.by_party[party as usize] += count;
            if matches!(party, Party::Owner | Party::Edge) {
                outcome.by_code.push((code, *count));
            }
        }
        outcome
    }

    fn judged(old: Outcome, new: Outcome) -> (Judgement, Evidence) {
        judge(&Compared { old, new }, 100, 60)
    }

    #[test]
    fn what_owner_or_edge_broke_is_worse() {
        for code in [NXDOMAIN, "edge.reply.unclassified"] {
            for (old, requests, failed) in [(100, 10, 10), (10_000, 100, 8), (10_000, 10_000, 60)] {
                let (judgement, evidence) =
                    judged(outcome(1, old, &[], 50, 0), outcome(2, requests, &[(code, failed)], 40, 8));
                assert_eq!(judgement, Judgement::Worse, "{code}: {failed} of {requests} against 0 of {old}");
                assert_eq!((evidence.confidence, evidence.codes[0].code.as_str()), (99.997, code));
                assert!(evidence.conclusion.contains(code), "{}", evidence.conclusion);
            }
        }
    }

    #[test]
    fn what_others_broke_is_not() {
        for code in
            ["origin.connect.refused", "network.connect.timed_out", "visitor.request.malformed", "policy.reply.idle"]
        {
            let (judgement, evidence) = judged(outcome(1, 5000, &[], 50, 0), outcome(2, 5000, &[(code, 5000)], 50, 0));
            assert_eq!(judgement, Judgement::Fine, "{code}");
            assert_eq!(evidence.new.others, [(code.split('.').next().unwrap().to_owned(), 5000)]);
        }
    }

    #[test]
    fn what_was_broken_before_does_not_count_against_the_new() {
        let both = |version| outcome(version, 2000, &[(NXDOMAIN, 200)], 100, 30);
        assert_eq!(judged(both(1), both(2)).0, Judgement::Fine);
        let better = outcome(2, 2000, &[("owner.resolve.alias_loop", 150)], 100, 20);
        assert_eq!(judged(both(1), better).0, Judgement::Fine, "one code took another's place");
        let worse = outcome(2, 2000, &[(NXDOMAIN, 200), ("owner.resolve.alias_loop", 30)], 100, 30);
        assert_eq!(judged(both(1), worse).0, Judgement::Worse, "a new code stands out of the common one");
    }

    #[test]
    fn few_requests_say_nothing_and_a_single_failure_is_waited_on() {
        let old = || outcome(1, 5000, &[], 50, 0);
        assert_eq!(judged(old(), outcome(2, 9, &[(NXDOMAIN, 9)], 9, 9)).0, Judgement::TooFew);
        assert_eq!(judged(old(), outcome(2, 50, &[], 9, 0)).0, Judgement::TooFew);
        assert_eq!(judged(old(), outcome(2, 100, &[], 9, 0)).0, Judgement::Fine);
        assert_eq!(judged(old(), outcome(2, 100, &[(NXDOMAIN, 1)], 9, 1)).0, Judgement::Doubtful);
        assert_eq!(judged(outcome(1, 0, &[], 0, 0), outcome(2, 5000, &[], 9, 0)).0, Judgement::TooFew);
    }

    #[test]
    fn one_visitor_alone_rolls_nothing_back_where_there_are_others() {
        let old = || outcome(1, 5000, &[], 500, 0);
        let failed = [(NXDOMAIN, 400)];
        assert_eq!(judged(old(), outcome(2, 1000, &failed, 40, 1)).0, Judgement::Doubtful);
        assert_eq!(judged(old(), outcome(2, 1000, &failed, 40, 3)).0, Judgement::Worse);
        assert_eq!(judged(old(), outcome(2, 400, &failed, 1, 1)).0, Judgement::Worse, "there is nobody else");
    }

    /// The bounds against those printed for 81 of 263 and 15 of 148 in Newcombe's article, and for the difference of 56 of
    /// 70 and 48 of 80 in its second part.
    #[test]
    fn bounds_are_those_of_the_literature() {
        for (hits, of, low, high) in [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)] {
            let bounds = Proportion::new(hits, of).bounds(1.96);
            assert!((bounds.0 - low).abs() < 1e-4 && (bounds.1 - high).abs() < 1e-4, "{bounds:?} of {hits}/{of}");
        }
        let (one, other) = (Proportion::new(56, 70), Proportion::new(48, 80));
        assert!(one.exceeds(other, 1.96) && !one.exceeds(other, 3.0) && !other.exceeds(one, 0.0));
    }
}
