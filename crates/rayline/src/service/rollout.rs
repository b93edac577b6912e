//! A rollout: its steps, what it waits for, and what to do next. It moves nobody: [`super::steering`] does what is said here.

mod judge;

use std::time::{Duration, Instant};

use rayline_control::{Evidence, Pace};
use rayline_edge::{Compared, Share, Spread};
use serde::{Deserialize, Serialize};

use judge::{Judgement, judge};

/// A version on its way to everybody, as it is kept on disk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Rollout {
    /// What is rolled out.
    pub(super) version: u64,
    /// What the others run on.
    pub(super) from: u64,
    salt: u64,
    /// Percent, rising; the last is 100.
    pub(super) steps: Vec<f64>,
    /// Which of them it is at.
    step: usize,
    /// Nanoseconds since 1970 when that began.
    pub(super) since: i64,
    pub(super) dwell: Duration,
    min_requests: u64,
    /// The next step begins by itself.
    pub(super) promote: bool,
}

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Next {
    /// Nothing, until this.
    Wait(String),
    /// The next step.
    Widen,
    /// All is well: everybody.
    Finish,
    /// It is worse than what was.
    RollBack,
}

impl Rollout {
    /// A rollout as the configuration that runs wants it, but for what is asked.
    ///
    /// # Errors
    ///
    /// What is wrong with what is asked.
    pub(super) fn new(
        (version, from): (u64, u64),
        salt: u64,
        configured: &rayline_config::Rollout,
        pace: &Pace,
    ) -> Result<Self, String> {
        let mut steps = pace.steps.clone().unwrap_or_else(|| configured.steps.clone());
        let first = pace.percent.unwrap_or(0.0);
        if steps.iter().chain(&pace.percent).any(|percent| !(0.01..=100.0).contains(percent)) {
            return Err("a step is a number of percent from 0.01 to 100".to_owned());
        }
        if !steps.is_sorted_by(|before, after| before < after) {
            return Err("each step must be larger than the one before".to_owned());
        }
        steps.retain(|percent| *percent > first);
        steps.splice(0..0, pace.percent);
        if steps.last().is_none_or(|last| *last < 100.0) {
            steps.push(100.0);
        }
        if steps.len() < 2 {
            return Err("a rollout to 100 % at once is none: leave it out".to_owned());
        }
        Ok(Self {
            version,
            from,
            salt,
            steps,
            step: 0,
            since: 0,
            dwell: pace.dwell_seconds.map_or(configured.dwell, Duration::from_secs),
            min_requests: pace.min_requests.unwrap_or(configured.min_requests),
            promote: pace.promote.unwrap_or(configured.promote),
        })
    }

    /// Percent of the visitors, now.
    pub(super) fn percent(&self) -> f64 {
        self.steps.get(self.step).copied().unwrap_or(100.0)
    }

    pub(super) fn spread(&self) -> Spread {
        Spread { share: Share::percent(self.percent()), salt: self.salt }
    }

    /// Goes to the next step; `false` if that is everybody.
    pub(super) fn widen(&mut self) -> bool {
        self.step += 1;
        self.percent() < 100.0
    }

    /// What to do, a step having lasted since `began`, and what that rests on.
    pub(super) fn next(&self, compared: &Compared, began: Instant, now: Instant) -> (Next, Evidence) {
        let lasted = now.saturating_duration_since(began);
        let (judgement, evidence) = judge(compared, self.min_requests, lasted.as_secs());
        let next = match judgement {
            Judgement::Worse => Next::RollBack,
            Judgement::TooFew | Judgement::Doubtful => Next::Wait(evidence.conclusion.clone()),
            Judgement::Fine if lasted < self.dwell => {
                Next::Wait(format!("the step to have lasted {}", in_words(self.dwell)))
            }
            Judgement::Fine if !self.promote => Next::Wait("`rayline config rollout promote`".to_owned()),
            Judgement::Fine if self.steps.get(self.step + 1).is_none_or(|next| *next >= 100.0) => Next::Finish,
            Judgement::Fine => Next::Widen,
        };
        (next, evidence)
    }
}

/// A time of whole seconds or minutes.
pub(super) fn in_words(time: Duration) -> String {
    match time.as_secs() {
        seconds if seconds >= 60 && seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use rayline_edge::Outcome;
    use rayline_verdict::Code;

    use super::*;

    fn configured() -> rayline_config::Rollout {
        rayline_config::Rollout {
            steps: vec![1.0, 5.0, 25.0, 50.0, 100.0],
            dwell: Duration::from_secs(600),
            min_requests: 100,
            promote: true,
        }
    }

    fn begun(pace: &Pace) -> Result<Rollout, String> {
        Rollout::new((8, 7), 3, &configured(), pace)
    }

    #[test]
    fn steps_are_those_of_the_configuration_or_of_who_asks() {
        let steps = |pace: Pace| begun(&pace).map(|rollout| rollout.steps);
        assert_eq!(steps(Pace::default()), Ok(vec![1.0, 5.0, 25.0, 50.0, 100.0]));
        assert_eq!(steps(Pace { percent: Some(5.0), ..Pace::default() }), Ok(vec![5.0, 25.0, 50.0, 100.0]));
        assert_eq!(steps(Pace { percent: Some(10.0), ..Pace::default() }), Ok(vec![10.0, 25.0, 50.0, 100.0]));
        assert_eq!(steps(Pace { steps: Some(vec![20.0]), ..Pace::default() }), Ok(vec![20.0, 100.0]));
        for wrong in [
            Pace { percent: Some(0.0), ..Pace::default() },
            Pace { percent: Some(f64::NAN), ..Pace::default() },
            Pace { percent: Some(100.0), ..Pace::default() },
            Pace { steps: Some(vec![5.0, 5.0]), ..Pace::default() },
            Pace { steps: Some(vec![101.0]), ..Pace::default() },
        ] {
            assert!(steps(wrong.clone()).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn steps_follow_each_other_while_all_is_well() {
        let mut rollout = begun(&Pace::default()).unwrap();
        let began = Instant::now();
        let side = |version| Outcome { version, requests: 500, visitors: 90, ..Outcome::default() };
        let well = Compared { old: side(7), new: side(8) };
        let later = began + Duration::from_secs(600);
        assert_eq!(rollout.next(&well, began, began).0, Next::Wait("the step to have lasted 10 min".to_owned()));
        let mut percents = vec![rollout.percent()];
        while rollout.next(&well, began, later).0 == Next::Widen {
            assert!(rollout.widen());
            percents.push(rollout.percent());
        }
        assert_eq!((rollout.next(&well, began, later).0, percents), (Next::Finish, vec![1.0, 5.0, 25.0, 50.0]));

        let few = Compared { new: Outcome { requests: 20, ..side(8) }, ..well.clone() };
        assert!(matches!(rollout.next(&few, began, later).0, Next::Wait(_)));
        let by_hand = begun(&Pace { promote: Some(false), ..Pace::default() }).unwrap();
        assert!(matches!(by_hand.next(&well, began, later).0, Next::Wait(why) if why.contains("promote")));
        let mut broken = well;
        broken.new.by_party[2] = 250;
        broken.new.by_code = vec![(Code::find("owner.resolve.nxdomain").unwrap(), 250)];
        broken.new.failing_visitors = 40;
        assert_eq!(rollout.next(&broken, began, began).0, Next::RollBack, "at once, not when the step is over");
    }
}
