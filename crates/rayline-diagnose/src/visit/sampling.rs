//! When a page is asked again, and by which way: each way once, and then those that serve, until it is known how often it
//! fails.
//!
//! What answers at once is asked one request after another. What does not is asked side by side: several that wait take no
//! longer than one.

use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, sleep_until};

use super::tally::Tally;
use super::visitor::{Page, Visitor};
use super::{Sample, Way};

/// The most requests for the page at once.
const AT_ONCE: usize = 3;
/// From one request to the next: ten a second.
const PACE: Duration = Duration::from_millis(100);
/// The most samples that a person may want.
const MOST_WANTED: u32 = 100;
/// After so long no more requests are begun: where more samples are wanted than usual, so long for each of them.
const SPAN: Duration = Duration::from_millis(2500);
const SPAN_EACH: Duration = Duration::from_millis(625);

/// The samples of one page, while they are taken.
pub(super) struct Sampling<'a> {
    visitor: &'a Visitor<'a>,
    page: &'a Page,
    tally: Tally,
    /// The ways of the requests that were begun, in order.
    begun: Vec<Way>,
    waiting: FuturesUnordered<LocalBoxFuture<'a, (usize, Sample)>>,
    began: Instant,
    last: Instant,
}

impl<'a> Sampling<'a> {
    /// None taken yet.
    pub(super) fn new(visitor: &'a Visitor<'a>, page: &'a Page) -> Self {
        let (now, tally) = (Instant::now(), Tally::new(visitor.case.timeout));
        Self { visitor, page, tally, begun: Vec::new(), waiting: FuturesUnordered::new(), began: now, last: now }
    }

    /// One taken already.
    pub(super) fn going_on(visitor: &'a Visitor<'a>, page: &'a Page, first: Sample) -> Self {
        let mut sampling = Self::new(visitor, page);
        sampling.begun.push(first.way);
        sampling.tally.samples.push(first);
        sampling
    }

    /// What comes of the first request. Where it takes long, others are begun meanwhile.
    pub(super) async fn first(&mut self) -> Option<Sample> {
        while let Some((index, sample)) = self.step().await {
            if index == 0 {
                return Some(sample);
            }
        }
        None
    }

    /// Takes the others, and gives them all in their order.
    pub(super) async fn rest(mut self) -> Tally {
        while self.step().await.is_some() {}
        self.tally.samples.sort_by_key(|sample| sample.exchange.at);
        self.tally
    }

    /// Begins what is to be begun until a request ends, and keeps what came of that. `None` if there is nothing more to do.
    async fn step(&mut self) -> Option<(usize, Sample)> {
        loop {
            let next = self.next();
            let at = next.map_or(self.last, |(_, at)| at);
            tokio::select! {
                biased;
                Some((index, sample)) = self.waiting.next() => {
                    self.keep(index, &sample);
                    return Some((index, sample));
                }
                () = sleep_until(at), if next.is_some() => self.begin(next.map(|(way, _)| way)),
                else => return None,
            }
        }
    }

    fn keep(&mut self, index: usize, sample: &Sample) {
        self.tally.samples.push(sample.clone());
        let is_new = self.begun.iter().take(index).all(|way| *way != sample.way);
        // Of the first the visitor tells, when it is known where that leads.
        if is_new && index > 0 {
            self.visitor.tell_of(sample);
        }
        let done = self.tally.samples.len() as u64;
        let missing = u64::from(self.tally.missing(self.wanted()));
        self.visitor.watcher.went_on("visit.rate", done, Some(done + missing));
    }

    fn begin(&mut self, way: Option<Way>) {
        let Some(way) = way else { return };
        if !self.begun.contains(&way) {
            self.visitor.began(way);
        }
        let (visitor, page, index) = (self.visitor, self.page, self.begun.len());
        self.begun.push(way);
        self.last = Instant::now();
        self.waiting.push(Box::pin(async move { (index, visitor.ask(page, way).await) }));
    }

    /// The way to go next, and when.
    fn next(&self) -> Option<(Way, Instant)> {
        if self.begun.is_empty() {
            return self.page.ways().into_iter().next().map(|way| (way, self.began));
        }
        let is_over = self.began.elapsed() > SPAN.max(SPAN_EACH * self.wanted());
        if self.waiting.len() >= AT_ONCE || is_over {
            return None;
        }
        let way = self.untried().or_else(|| self.repeated())?;
        let pause = if self.tally.samples.is_empty() { self.visitor.patience() } else { PACE };
        Some((way, self.last + pause))
    }

    fn untried(&self) -> Option<Way> {
        let ways = self.page.ways().into_iter();
        ways.filter(|way| !self.begun.contains(way)).find(|way| self.tally.is_worthwhile(*way))
    }

    /// The way that was gone least often, of those worth going again; none if enough samples are taken or under way.
    fn repeated(&self) -> Option<Way> {
        if self.waiting.len() >= self.tally.missing(self.wanted()) as usize {
            return None;
        }
        let unknown = self.tally.samples.is_empty();
        let ways = self.page.ways().into_iter().filter(|way| unknown || self.tally.is_repeated(*way));
        ways.min_by_key(|way| self.begun.iter().filter(|begun| *begun == way).count())
    }

    fn wanted(&self) -> u32 {
        self.visitor.case.samples.min(MOST_WANTED)
    }
}
