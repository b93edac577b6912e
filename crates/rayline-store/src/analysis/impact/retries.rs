//! Who got on another try what had failed at first. What was asked, and by whom, is compared as one number per request: no
//! text is looked at, however many requests went well.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use rayline_verdict::Moment;

use crate::analysis::both;
use crate::analysis::failures::Failures;
use crate::chunk::{ASKED, Chunk, Outcome, Shared, Source, Span, Table, Wanted, asked_of, hash_of};
use crate::dimension::Dimension;
use crate::query::failing::Failing;
use crate::query::groups::Groups;
use crate::query::plan::Piece;
use crate::query::scan::{Batch, OUT, Pass, Sink, part, scan};
use crate::query::{Filter, QueryError};

/// What was asked in vain.
struct InVain {
    /// When it first failed, and for which client.
    first: HashMap<u64, (i64, u32), RandomState>,
    sieve: Sieve,
}

impl InVain {
    fn of(failures: &Failures) -> Self {
        let hashes = ASKED
            .map(|dimension| failures.values(dimension).map(|text| hash_of(text.as_bytes())).collect::<Vec<u64>>());
        let mut asked = Self { first: HashMap::default(), sieve: Sieve::default() };
        for (row, at) in failures.at.iter().enumerate() {
            let codes = ASKED.map(|dimension| failures.codes(dimension).get(row).copied().unwrap_or_default());
            let [client, ..] = codes;
            let mut of_row = [0; ASKED.len()];
            for ((hash, code), hashes) in of_row.iter_mut().zip(codes).zip(&hashes) {
                *hash = hashes.get(code as usize).copied().unwrap_or_default();
            }
            let same = asked_of(of_row);
            asked.first.entry(same).or_insert((*at, client));
            asked.sieve.add(same);
        }
        asked
    }
}

/// How many addresses got what had failed them, later in the span.
pub(super) fn came_through(
    source: &dyn Source,
    span: Span,
    filters: &[Filter],
    failures: &Failures,
) -> Result<u64, QueryError> {
    // a success has no code and another status: filters on what failed would hide it
    let outcome = [Dimension::Code, Dimension::Party, Dimension::EdgeStatus, Dimension::OriginStatus];
    let filters: Vec<Filter> = filters.iter().filter(|filter| !outcome.contains(&filter.dimension)).cloned().collect();
    let mut dimensions: Vec<Dimension> = filters.iter().map(|filter| filter.dimension).collect();
    dimensions.extend([Dimension::Code, Dimension::EdgeStatus]);
    dimensions.sort_unstable();
    dimensions.dedup();
    let wanted = Wanted { dimensions, outcome: Outcome::Fine, asked: true, ..Wanted::default() };
    let pass = Pass { wanted: &wanted, filters: &filters, step: None };
    let in_vain = InVain::of(failures);
    let through = |span: Span| -> Result<Vec<bool>, QueryError> {
        let mut retries = Retries {
            in_vain: &in_vain,
            failing: Failing::default(),
            asked: Shared::default(),
            through: vec![false; failures.values(Dimension::Client).count()],
        };
        scan(source, &[Piece { table: Table::Requests, span }], &pass, &mut Groups::new(&[]), &mut retries)?;
        Ok(retries.through)
    };
    // When an address first failed is known by now, so each half can be looked through by itself.
    let middle = Moment(span.from.0.midpoint(span.to.0));
    let (early, late) = both(|| through(Span { to: middle, ..span }), || through(Span { from: middle, ..span }))?;
    Ok(early.into_iter().zip(late).filter(|(early, late)| *early || *late).count() as u64)
}

/// What was asked in vain, with one bit for each: so few that the processor has them at hand. What it does not hold need not be
/// looked up; what it holds was asked most likely.
struct Sieve(Vec<u64>);

impl Default for Sieve {
    fn default() -> Self {
        Self(vec![0; 1 << (Self::BITS - 6)])
    }
}

impl Sieve {
    /// Twenty times as many as there are failures at most.
    const BITS: u32 = 22;

    fn place(asked: u64) -> (usize, u64) {
        let bit = asked >> (u64::BITS - Self::BITS);
        ((bit >> 6) as usize, 1 << (bit & 63))
    }

    fn add(&mut self, asked: u64) {
        let (word, bit) = Self::place(asked);
        if let Some(word) = self.0.get_mut(word) {
            *word |= bit;
        }
    }

    fn may_hold(&self, asked: u64) -> bool {
        let (word, bit) = Self::place(asked);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }
}

struct Retries<'a> {
    in_vain: &'a InVain,
    failing: Failing,
    /// Of the chunk at hand.
    asked: Shared<u64>,
    /// By client, as failures number them.
    through: Vec<bool>,
}

impl Sink for Retries<'_> {
    fn begin(&mut self, chunk: &Chunk, _table: Table) {
        self.failing.begin(chunk);
        self.asked = chunk.asked();
    }

    fn take(&mut self, batch: &Batch<'_>) {
        let marks = self.failing.mark(batch.chunk, &batch.rows);
        let asked = part(&self.asked, &batch.rows);
        for (((row, cell), failed), asked) in batch.rows.clone().zip(batch.cells).zip(marks).zip(asked) {
            if !self.in_vain.sieve.may_hold(*asked) || *failed || *cell == OUT {
                continue;
            }
            let Some((first, client)) = self.in_vain.first.get(asked) else { continue };
            if let (Some(at), Some(through)) = (batch.chunk.at.get(row), self.through.get_mut(*client as usize)) {
                *through |= first < at;
            }
        }
    }
}
