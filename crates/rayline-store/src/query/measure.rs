//! Quantiles of the groups that an answer lists. It counts values in buckets and keeps none of them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use foldhash::fast::RandomState;
use indexmap::IndexSet;

use super::groups::Cells;
use super::plan::{Piece, Plan, asked as asked_for};
use super::scan::{Batch, OUT, Pass, Shared, Sink, column, part, scan};
use super::{Query, QueryError};
use crate::chunk::{Chunk, Source, Table, Wanted};
use crate::dimension::{Dimension, Number};

/// Up to so many counts lie in an array.
const DENSE: usize = 1 << 21;

/// What was measured, by quantile asked for.
pub(super) struct Quantiles {
    asked: Vec<Asked>,
    steps: usize,
    rows: u64,
}

struct Asked {
    number: Number,
    share: f64,
    /// By cell, as they are counted; and of all cells.
    cells: HashMap<usize, u64, RandomState>,
    others: Option<u64>,
    all: Option<u64>,
}

/// Reads whatever is asked for.
pub(super) fn measure(
    source: &dyn Source,
    query: &Query,
    plan: &Plan,
    groups: &mut impl Cells,
) -> Result<Quantiles, QueryError> {
    let asked = query.quantiles.iter();
    let mut asked = asked.map(|(number, share)| Asked::new(*number, *share)).collect::<Vec<_>>();
    let mut rows = 0;
    for sketched in [true, false] {
        let mut numbers: Vec<Number> = asked
            .iter()
            .map(|asked| asked.number)
            .filter(|number| sketched == (plan.sketched && number.is_time()))
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        if numbers.is_empty() {
            continue;
        }
        let (pieces, mut wanted, buckets) = if sketched {
            let dimensions = asked_for(query, &[Dimension::Phase, Dimension::Bucket]);
            let pieces = plan.pieces_of_times(source)?;
            (pieces, Wanted { dimensions, ..Wanted::default() }, Buckets::Listed(IndexSet::default()))
        } else {
            let wanted = Wanted { dimensions: asked_for(query, &[]), numbers: numbers.clone(), ..Wanted::default() };
            (vec![Piece { table: Table::Requests, span: query.span }], wanted, Buckets::Computed)
        };
        wanted.untimed = query.step.is_none();
        let mut measuring = Measuring::new(&numbers, buckets, plan.steps.count);
        let pass = Pass { wanted: &wanted, filters: &query.filters, step: query.step.map(|_| plan.steps) };
        rows += scan(source, &pieces, &pass, groups, &mut measuring)?;
        for (nth, number) in numbers.iter().enumerate() {
            let histograms = measuring.histograms(nth);
            for asked in asked.iter_mut().filter(|asked| asked.number == *number) {
                asked.fill(&histograms, plan.steps.count);
            }
        }
    }
    Ok(Quantiles { asked, steps: plan.steps.count, rows })
}

impl Quantiles {
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    pub(super) fn of_cell(&self, cell: usize) -> Vec<Option<f64>> {
        if cell < self.steps {
            return self.of_others();
        }
        self.asked.iter().map(|asked| asked.cells.get(&cell).map(|value| *value as f64)).collect()
    }

    pub(super) fn of_others(&self) -> Vec<Option<f64>> {
        self.asked.iter().map(|asked| asked.others.map(|value| value as f64)).collect()
    }

    pub(super) fn of_all(&self) -> Vec<Option<f64>> {
        self.asked.iter().map(|asked| asked.all.map(|value| value as f64)).collect()
    }
}

impl Asked {
    fn new(number: Number, share: f64) -> Self {
        Self { number, share, cells: HashMap::default(), others: None, all: None }
    }

    fn fill(&mut self, histograms: &BTreeMap<usize, Histogram>, steps: usize) {
        let (mut all, mut others) = (Histogram::new(), Histogram::new());
        for (cell, histogram) in histograms {
            if let Some(value) = quantile(histogram, self.share) {
                self.cells.insert(*cell, value);
            }
            add(&mut all, histogram);
            if *cell < steps {
                add(&mut others, histogram);
            }
        }
        self.all = quantile(&all, self.share);
        self.others = quantile(&others, self.share);
    }
}

/// How often a value fell into a bucket, by the highest value of that bucket.
type Histogram = BTreeMap<u64, u64>;

fn add(sum: &mut Histogram, histogram: &Histogram) {
    for (bound, count) in histogram {
        let all = sum.entry(*bound).or_default();
        *all = all.saturating_add(*count);
    }
}

/// The highest value of the bucket in which the value of that rank lies.
fn quantile(histogram: &Histogram, share: f64) -> Option<u64> {
    let all = histogram.values().fold(0_u64, |all, count| all.saturating_add(*count));
    let rank = ((share * all as f64).ceil() as u64).clamp(1, all.max(1));
    let mut passed = 0_u64;
    let found = histogram.iter().find(|(_, count)| {
        passed = passed.saturating_add(**count);
        passed >= rank
    });
    found.map(|(bound, _)| *bound)
}

/// Where the bounds of the buckets come from.
enum Buckets {
    /// Every value below 64 has its own; above, each doubling is cut into 64, so a bound is at most 1/64 too high.
    Computed,
    /// Those that the sketches have, as they were met.
    Listed(IndexSet<u64, RandomState>),
}

const FINE_BITS: u32 = 6;
/// More than there are when they are computed, and more than any sketch has.
const MOST_BUCKETS: usize = 4096;

/// The bucket of a value, where they are computed.
fn bucket(value: u64) -> u32 {
    let doublings = (63 - FINE_BITS).saturating_sub((value | 1).leading_zeros());
    // the leading 1 of the shifted value is the 64 that the next doubling begins with
    (doublings << FINE_BITS) + ((value >> doublings) as u32)
}

impl Buckets {
    /// The highest value of a bucket.
    fn bound(&self, bucket: usize) -> u64 {
        match self {
            Self::Computed => {
                let doublings = (bucket >> FINE_BITS).saturating_sub(1);
                let fine = bucket - (doublings << FINE_BITS);
                let above = (fine as u128 + 1) << doublings;
                u64::try_from(above - 1).unwrap_or(u64::MAX)
            }
            Self::Listed(bounds) => bounds.get_index(bucket).copied().unwrap_or_default(),
        }
    }

    /// The bucket of each text.
    fn list(&mut self, texts: &[Arc<str>]) -> Vec<Option<u32>> {
        match self {
            Self::Computed => Vec::new(),
            Self::Listed(bounds) => texts
                .iter()
                .map(|text| {
                    let index = bounds.insert_full(text.parse().ok()?).0;
                    u32::try_from(index).ok().filter(|_| index < MOST_BUCKETS)
                })
                .collect(),
        }
    }
}

#[cfg(test)]
pub(super) fn bound_of(value: u64) -> u64 {
    Buckets::Computed.bound(bucket(value) as usize)
}

/// Counts values by number, cell with step, and bucket.
struct Measuring {
    numbers: Vec<Number>,
    buckets: Buckets,
    steps: usize,
    dense: Vec<u64>,
    sparse: HashMap<usize, u64, RandomState>,
    /// Of the chunk at hand, if it has sketches: which of `numbers` a phase is, and which bucket a text.
    phases: Vec<Option<usize>>,
    bounds: Vec<Option<u32>>,
    shared: [Shared; 2],
}

impl Measuring {
    fn new(numbers: &[Number], buckets: Buckets, steps: usize) -> Self {
        Self {
            numbers: numbers.to_vec(),
            buckets,
            steps,
            dense: Vec::new(),
            sparse: HashMap::default(),
            phases: Vec::new(),
            bounds: Vec::new(),
            shared: Default::default(),
        }
    }

    fn add(&mut self, cell: usize, nth: usize, bucket: u32, weight: u32) {
        let place = (cell * self.numbers.len() + nth) * MOST_BUCKETS + bucket as usize;
        let count = if place < DENSE {
            if place >= self.dense.len() {
                self.dense.resize((place + 1).next_multiple_of(MOST_BUCKETS), 0);
            }
            let Some(count) = self.dense.get_mut(place) else { return };
            count
        } else {
            self.sparse.entry(place).or_default()
        };
        *count = count.saturating_add(u64::from(weight));
    }

    /// The histograms of one number, by cell.
    fn histograms(&self, nth: usize) -> BTreeMap<usize, Histogram> {
        let mut histograms: BTreeMap<usize, Histogram> = BTreeMap::new();
        let dense = self.dense.iter().enumerate().filter(|(_, count)| **count > 0);
        for (place, count) in dense.chain(self.sparse.iter().map(|(place, count)| (*place, count))) {
            let series = place / MOST_BUCKETS;
            if series % self.numbers.len() == nth {
                let bound = self.buckets.bound(place % MOST_BUCKETS);
                histograms.entry(series / self.numbers.len()).or_default().insert(bound, *count);
            }
        }
        histograms
    }

    fn take_sketches(&mut self, batch: &Batch<'_>) {
        let (Some(phases), Some(buckets)) =
            (column(batch.chunk, Dimension::Phase), column(batch.chunk, Dimension::Bucket))
        else {
            return;
        };
        let codes = part(&phases.codes, &batch.rows).iter().zip(part(&buckets.codes, &batch.rows));
        let weights = part(&batch.chunk.weight, &batch.rows);
        for ((cell, (phase, bucket)), weight) in batch.cells.iter().zip(codes).zip(weights) {
            let phase = self.phases.get(*phase as usize).copied().flatten();
            let bucket = self.bounds.get(*bucket as usize).copied().flatten();
            if let (true, Some(nth), Some(bucket)) = (*cell != OUT, phase, bucket) {
                self.add(*cell as usize * self.steps + batch.step, nth, bucket, *weight);
            }
        }
    }

    fn take_requests(&mut self, batch: &Batch<'_>) {
        let weights = part(&batch.chunk.weight, &batch.rows);
        for nth in 0..self.numbers.len() {
            let Some(number) = self.numbers.get(nth).copied() else { continue };
            let Some(Some(values)) = batch.chunk.numbers.get(number.index()) else { continue };
            for ((cell, value), weight) in batch.cells.iter().zip(part(values, &batch.rows)).zip(weights) {
                let measured = *value > 0 || !number.is_time();
                if *cell != OUT && measured {
                    self.add(*cell as usize * self.steps + batch.step, nth, bucket(*value), *weight);
                }
            }
        }
    }
}

impl Sink for Measuring {
    fn begin(&mut self, chunk: &Chunk, _table: Table) {
        let [of_phases, of_buckets] = &mut self.shared;
        let nth = |text: &str| self.numbers.iter().position(|number| number.name() == text);
        if !of_phases.stays(column(chunk, Dimension::Phase)) {
            self.phases = of_phases.texts().iter().map(|text| nth(text)).collect();
        }
        if !of_buckets.stays(column(chunk, Dimension::Bucket)) {
            self.bounds = self.buckets.list(of_buckets.texts());
        }
    }

    fn take(&mut self, batch: &Batch<'_>) {
        match self.buckets {
            Buckets::Computed => self.take_requests(batch),
            Buckets::Listed(_) => self.take_sketches(batch),
        }
    }
}
