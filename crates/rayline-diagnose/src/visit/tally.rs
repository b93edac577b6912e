//! The samples of one page: what they tell, and whether more of them would tell more.

use std::time::Duration;

use rayline_verdict::Phase;

use super::show::verdict;
use super::{Rate, Sample, Way};

/// The most samples where they disagree.
pub(super) const MOST: u32 = 20;
/// The width of the rate's interval at which it is known well enough.
const KNOWN: f64 = 0.4;

/// The samples of one page.
pub(super) struct Tally(pub(super) Vec<Sample>);

impl Tally {
    /// Whether a way that was not gone yet may show something new. Where TCP does not come about, the version of HTTP makes
    /// no difference; and where all is silence, a family and a version that were both tried make none together.
    pub(super) fn is_worthwhile(&self, way: Way, timeout: Duration) -> bool {
        let any = |test: &dyn Fn(&Sample) -> bool| self.0.iter().any(test);
        let same_family = |sample: &Sample| sample.way.ipv6 == way.ipv6;
        let unconnected = |sample: &Sample| verdict(&sample.exchange).is_some_and(|it| it.phase() == Phase::Connect);
        let both_tried = any(&same_family) && any(&|sample| sample.way.http2 == way.http2);
        let gone = any(&|sample| sample.way == way);
        let in_vain =
            any(&|sample| same_family(sample) && unconnected(sample)) || (self.is_late(timeout) && both_tried);
        !gone && !in_vain
    }

    /// Whether every sample failed by taking too long.
    fn is_late(&self, timeout: Duration) -> bool {
        self.0.iter().all(|sample| sample.failing.is_some() && sample.exchange.timings.total >= timeout)
    }

    /// Whether a way is worth going again: it was gone, and as what it is called.
    pub(super) fn is_repeated(&self, way: Way) -> bool {
        self.0.iter().any(|sample| sample.way == way && sample.is_as_asked())
    }

    /// How many more samples there should be, if `wanted` are wanted at least: none, where nothing but time would be lost.
    pub(super) fn missing(&self, wanted: u32, timeout: Duration) -> u32 {
        let rate = self.rate();
        let disagree = rate.failed > 0 && rate.failed < rate.of;
        if self.is_late(timeout) {
            0
        } else if disagree && rate.width() >= KNOWN {
            wanted.max(MOST).saturating_sub(rate.of)
        } else {
            wanted.saturating_sub(rate.of)
        }
    }

    pub(super) fn rate(&self) -> Rate {
        let count = |samples: usize| u32::try_from(samples).unwrap_or(u32::MAX);
        let failed = self.0.iter().filter(|sample| sample.failing.is_some()).count();
        Rate::new(count(failed), count(self.0.len()))
    }
}
