//! The samples of one page: what they tell, and whether more of them would tell more.

use std::time::Duration;

use rayline_verdict::Phase;

use super::show::verdict;
use super::{Rate, Sample, Way};

/// The most samples where they disagree.
const MOST: u32 = 20;
/// The width of the rate's interval at which it is known well enough.
const KNOWN: f64 = 0.4;
/// So many requests tell whether a page that answers slowly always does the same.
const FEW: u32 = 2;
/// From here on an answer is slow.
const SLOW: Duration = Duration::from_secs(1);

/// The samples of one page.
pub(super) struct Tally {
    pub(super) samples: Vec<Sample>,
    timeout: Duration,
}

impl Tally {
    /// None yet. Each may wait as long as `timeout`.
    pub(super) const fn new(timeout: Duration) -> Self {
        Self { samples: Vec::new(), timeout }
    }

    /// Whether a way that was not gone yet may show something new. Where TCP does not come about, the version of HTTP makes
    /// no difference; and where all is silence, a family and a version that were both tried make none together.
    pub(super) fn is_worthwhile(&self, way: Way) -> bool {
        let any = |test: &dyn Fn(&Sample) -> bool| self.samples.iter().any(test);
        let same_family = |sample: &Sample| sample.way.ipv6 == way.ipv6;
        let unconnected = |sample: &Sample| verdict(&sample.exchange).is_some_and(|it| it.phase() == Phase::Connect);
        let both_tried = any(&same_family) && any(&|sample| sample.way.http2 == way.http2);
        let in_vain = any(&|sample| same_family(sample) && unconnected(sample)) || (self.is_late() && both_tried);
        !in_vain
    }

    /// Whether every sample failed by taking too long.
    fn is_late(&self) -> bool {
        self.all(|sample| sample.failing.is_some() && sample.exchange.timings.total >= self.timeout)
    }

    /// Whether every sample came out like the first, and took its time.
    fn is_slow(&self) -> bool {
        let first = self.samples.first().and_then(|sample| sample.failing);
        self.all(|sample| sample.failing == first && sample.exchange.timings.total >= SLOW)
    }

    fn all(&self, test: impl Fn(&Sample) -> bool) -> bool {
        !self.samples.is_empty() && self.samples.iter().all(test)
    }

    /// Whether a way is worth going again: it was gone, and as what it is called.
    pub(super) fn is_repeated(&self, way: Way) -> bool {
        self.samples.iter().any(|sample| sample.way == way && sample.is_as_asked())
    }

    /// How many more samples there should be, if `wanted` are wanted at least: those that take long count twice, and where
    /// nothing but time would be lost there are no more than a few.
    pub(super) fn missing(&self, wanted: u32) -> u32 {
        let rate = self.rate();
        let disagree = rate.failed > 0 && rate.failed < rate.of;
        let enough = if rate.of == 0 || self.is_late() {
            wanted.min(FEW)
        } else if self.is_slow() {
            wanted.div_ceil(2)
        } else if disagree && rate.width() >= KNOWN {
            wanted.max(MOST)
        } else {
            wanted
        };
        enough.saturating_sub(rate.of)
    }

    pub(super) fn rate(&self) -> Rate {
        let count = |samples: usize| u32::try_from(samples).unwrap_or(u32::MAX);
        let failed = self.samples.iter().filter(|sample| sample.failing.is_some()).count();
        Rate::new(count(failed), count(self.samples.len()))
    }
}
