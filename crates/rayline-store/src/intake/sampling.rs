//! Which successes are kept: all of them where there are few, one in ten or in a hundred where there are many.
//!
//! The decision looks at how many there were before and at the Ray ID, mixed, and at nothing that the request is or became:
//! so what is kept, counted by its weight, is an unbiased estimate of all.

use std::num::NonZeroU32;

use rayline_verdict::RayId;

/// One in how many is kept, and the successes per second beyond which that is too many.
const STEPS: [(NonZeroU32, u32); 3] = [(NonZeroU32::MIN, 50), (ten(1), 1_000), (ten(2), u32::MAX)];

/// Seconds of less than half of what a step up takes, until it is taken down again.
const CALM: i64 = 5;

const fn ten(power: u32) -> NonZeroU32 {
    match NonZeroU32::new(10_u32.pow(power)) {
        Some(number) => number,
        None => NonZeroU32::MIN,
    }
}

/// One lane's state.
#[derive(Debug, Default)]
pub(super) struct Sampling {
    step: usize,
    /// The second that is being counted, since 1970.
    second: i64,
    successes: u32,
    calm: i64,
}

impl Sampling {
    /// For how many requests this success stands, if it is kept. `second` is when it ended.
    pub(super) fn admit(&mut self, ray: RayId, second: i64) -> Option<NonZeroU32> {
        if second != self.second {
            self.turn(second);
        }
        self.successes = self.successes.saturating_add(1);
        let &(one_in, most) = STEPS.get(self.step)?;
        if self.successes > most {
            self.step += 1;
            self.calm = 0;
            // The weight must be that of the draw, so the next one is the first at the new step.
        }
        // The top of the range falls to each of `one_in` equal parts alike; what one in 100 keeps, one in 10 keeps too.
        let part = ((mixed(ray) >> 32) * u64::from(one_in.get())) >> 32;
        (part == 0).then_some(one_in)
    }

    /// A second is over. A clock that was set, or a pause, counts as calm.
    fn turn(&mut self, second: i64) {
        let below = self.step.checked_sub(1).and_then(|below| STEPS.get(below));
        if let Some((_, most)) = below {
            let passed = second.checked_sub(self.second).filter(|passed| (1..CALM).contains(passed)).unwrap_or(CALM);
            // The seconds between the last that had successes and this one had none.
            self.calm = if self.successes < most / 2 { self.calm + passed } else { passed - 1 };
            if self.calm >= CALM {
                self.step -= 1;
                self.calm = 0;
            }
        }
        self.second = second;
        self.successes = 0;
    }
}

/// Spreads a Ray ID's few changing bits over all: the finalizer of SplitMix64.
fn mixed(ray: RayId) -> u64 {
    let mut bits = ray.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The interval after each second with so many successes.
    fn intervals(seconds: &[u32]) -> Vec<u32> {
        let mut sampling = Sampling::default();
        let mut ray = 0;
        let each = seconds.iter().enumerate().map(|(second, successes)| {
            for _ in 0..*successes {
                ray += 1;
                sampling.admit(RayId(ray), second as i64);
            }
            STEPS[sampling.step].0.get()
        });
        each.collect()
    }

    #[test]
    fn much_is_thinned_out_at_once_and_less_only_after_calm() {
        assert_eq!(intervals(&[50, 51, 10, 10]), [1, 10, 10, 10]);
        assert_eq!(intervals(&[2_000, 2_000]), [100, 100]);
        assert_eq!(intervals(&[60, 24, 24, 24, 24, 24, 24]), [10, 10, 10, 10, 10, 10, 1]);
        // around the threshold nothing flaps
        assert_eq!(intervals(&[60, 40, 40, 40, 40, 40, 40, 60, 40]), [10; 9]);
        assert_eq!(
            intervals(&[2_000, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1]),
            [100, 100, 100, 100, 100, 100, 100, 10, 10, 10, 10, 10, 10, 10, 1]
        );
    }
}
