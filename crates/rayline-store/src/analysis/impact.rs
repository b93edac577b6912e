//! Whom failures met. It counts what can be told apart by address and `User-Agent`, which is not quite people.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use foldhash::fast::RandomState;
use rayline_verdict::Moment;

use super::both;
use super::failures::{Failures, UNSEEN};
use crate::chunk::{Chunk, Source, Span, Table, Wanted};
use crate::dimension::Dimension;
use crate::query::failing::Failing;
use crate::query::groups::Groups;
use crate::query::plan::Piece;
use crate::query::scan::{Batch, OUT, Pass, Shared, Sink, column, part, scan};
use crate::query::{Filter, QueryError};

const NEEDED: [Dimension; 6] =
    [Dimension::Client, Dimension::Agent, Dimension::UserAgent, Dimension::Method, Dimension::Host, Dimension::Path];
const MOST_PAGES: usize = 20;

/// Failures in terms of people.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Impact {
    /// Failed requests.
    pub failed: u64,
    /// Addresses from which browsers, and programs that cannot be told from them, met failures. An estimate of visitors:
    /// several may share an address, and a masked address stands for a network.
    pub visitors: u64,
    /// Addresses from which programs did.
    pub api_clients: u64,
    /// Crawlers that did, by `User-Agent`.
    pub crawlers: Vec<String>,
    /// Monitors that did, by `User-Agent`.
    pub monitors: Vec<String>,
    /// The first and the last failure.
    pub first: Option<Moment>,
    /// See `first`.
    pub last: Option<Moment>,
    /// How long there were failures: the minutes in which there was at least one.
    pub minutes: Duration,
    /// Pages that visitors and crawlers asked for in vain (`GET`, by what is no program), those that met the most addresses
    /// first.
    pub pages: Vec<Page>,
    /// Addresses that got the same page or resource after it had failed them. At least: of successes only a part is kept.
    pub came_through: u64,
    /// All addresses that met a failure: what `came_through` is a part of.
    pub addresses: u64,
    /// One in so many failures was looked at, because there were very many; the counts of addresses are then too low.
    pub looked_at_one_in: u64,
}

/// A page that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its host.
    pub host: String,
    /// Its path.
    pub path: String,
    /// From how many addresses it was asked for in vain.
    pub addresses: u64,
    /// How often.
    pub failed: u64,
}

/// Whom the failures that pass the filters met.
///
/// # Errors
///
/// If the source cannot be read.
pub fn impact(source: &dyn Source, span: Span, filters: &[Filter]) -> Result<Impact, QueryError> {
    let failures = Failures::read(source, span, filters, &NEEDED)?;
    let mut impact = Impact { looked_at_one_in: failures.stride, ..Impact::default() };
    impact.failed = failures.len() as u64 * failures.stride;
    impact.first = failures.at.first().copied().map(Moment);
    impact.last = failures.at.last().copied().map(Moment);
    let minutes: HashSet<i64> = failures.at.iter().map(|at| at.div_euclid(60_000_000_000)).collect();
    impact.minutes = Duration::from_secs(60 * minutes.len() as u64);

    let askers: Vec<Asker> = failures.values(Dimension::Agent).map(Asker::of).collect();
    let gets: Vec<bool> = failures.values(Dimension::Method).map(|method| method == "GET").collect();
    let [mut visitors, mut programs, mut addresses] = [(); 3].map(|()| Marks::of(&failures, Dimension::Client));
    let [mut crawlers, mut monitors] = [(); 2].map(|()| Marks::of(&failures, Dimension::UserAgent));
    let mut asked = Vec::new();
    for row in 0..failures.len() {
        let [client, agent, user_agent, method, host, path] =
            NEEDED.map(|dimension| failures.codes(dimension).get(row).copied().unwrap_or_default());
        addresses.set(client);
        let asker = askers.get(agent as usize).copied().unwrap_or(Asker::Visitor);
        match asker {
            Asker::Visitor => visitors.set(client),
            Asker::Program => programs.set(client),
            Asker::Crawler => crawlers.set(user_agent),
            Asker::Monitor => monitors.set(user_agent),
        }
        let reads_pages = matches!(asker, Asker::Visitor | Asker::Crawler);
        if reads_pages && gets.get(method as usize) == Some(&true) {
            asked.push(((host, path), client));
        }
    }
    impact.visitors = visitors.count();
    impact.api_clients = programs.count();
    impact.addresses = addresses.count();
    impact.crawlers = crawlers.names(&failures, Dimension::UserAgent);
    impact.monitors = monitors.names(&failures, Dimension::UserAgent);
    impact.pages = foremost(asked, &failures);
    impact.came_through = came_through(source, span, filters, &failures)?;
    Ok(impact)
}

/// Who asks, as far as it matters here.
#[derive(Clone, Copy)]
enum Asker {
    Visitor,
    Program,
    Crawler,
    Monitor,
}

impl Asker {
    fn of(agent: &str) -> Self {
        match agent {
            "api" => Self::Program,
            "crawler" => Self::Crawler,
            "monitor" => Self::Monitor,
            _ => Self::Visitor,
        }
    }
}

/// Some of the values of a dimension.
struct Marks(Vec<bool>);

impl Marks {
    fn of(failures: &Failures, dimension: Dimension) -> Self {
        Self(vec![false; failures.values(dimension).count()])
    }

    fn set(&mut self, code: u32) {
        if let Some(mark) = self.0.get_mut(code as usize) {
            *mark = true;
        }
    }

    fn count(&self) -> u64 {
        self.0.iter().filter(|mark| **mark).count() as u64
    }

    fn names(&self, failures: &Failures, dimension: Dimension) -> Vec<String> {
        let marked = failures.values(dimension).zip(&self.0).filter(|(name, mark)| **mark && !name.is_empty());
        let mut names: Vec<String> = marked.map(|(name, _)| name.to_owned()).collect();
        names.sort_unstable();
        names
    }
}

/// The pages that met the most addresses, of every host and path asked for and by whom.
fn foremost(mut asked: Vec<((u32, u32), u32)>, failures: &Failures) -> Vec<Page> {
    asked.sort_unstable();
    let pages = asked.chunk_by(|(a, _), (b, _)| a == b).filter_map(|of_page| {
        let addresses = of_page.chunk_by(|(_, a), (_, b)| a == b).count() as u64;
        Some((addresses, of_page.len() as u64 * failures.stride, of_page.first()?.0))
    });
    let [hosts, paths] = [Dimension::Host, Dimension::Path].map(|of| failures.values(of).collect::<Vec<&str>>());
    let page = |(addresses, failed, (host, path)): (u64, u64, (u32, u32))| Page {
        host: hosts.get(host as usize).copied().unwrap_or_default().to_owned(),
        path: paths.get(path as usize).copied().unwrap_or_default().to_owned(),
        addresses,
        failed,
    };
    let mut found: Vec<_> = pages.collect();
    // Those with as much as the last that is listed are all compared by their names.
    let order = |page: &(u64, u64, (u32, u32))| std::cmp::Reverse((page.0, page.1));
    found.sort_unstable_by_key(order);
    let least = found.get(MOST_PAGES - 1).map(order);
    let mut pages: Vec<Page> =
        found.into_iter().take_while(|page| least.is_none_or(|least| order(page) <= least)).map(page).collect();
    pages.sort_by(|a, b| (b.addresses, b.failed, &a.host, &a.path).cmp(&(a.addresses, a.failed, &b.host, &b.path)));
    pages.truncate(MOST_PAGES);
    pages
}

/// What a page is asked for by, and which: that it came on another try is only known of the same address.
const ASKED: [Dimension; 3] = [Dimension::Client, Dimension::Host, Dimension::Path];

/// How many addresses got what had failed them, later in the span.
fn came_through(source: &dyn Source, span: Span, filters: &[Filter], failures: &Failures) -> Result<u64, QueryError> {
    let mut first: HashMap<[u32; 3], i64, RandomState> = HashMap::default();
    for (row, at) in failures.at.iter().enumerate() {
        let asked = ASKED.map(|dimension| failures.codes(dimension).get(row).copied().unwrap_or_default());
        first.entry(asked).or_insert(*at);
    }
    // a success has no code and another status: filters on what failed would hide it
    let outcome = [Dimension::Code, Dimension::Party, Dimension::EdgeStatus, Dimension::OriginStatus];
    let filters: Vec<Filter> = filters.iter().filter(|filter| !outcome.contains(&filter.dimension)).cloned().collect();
    let mut dimensions: Vec<Dimension> = filters.iter().map(|filter| filter.dimension).collect();
    dimensions.extend(ASKED);
    dimensions.extend([Dimension::Code, Dimension::EdgeStatus]);
    dimensions.sort_unstable();
    dimensions.dedup();
    let wanted = Wanted { dimensions, ..Wanted::default() };
    let pass = Pass { wanted: &wanted, filters: &filters, step: None };
    let mut sieve = Sieve::default();
    first.keys().for_each(|asked| sieve.add(*asked));
    let through = |span: Span| -> Result<Marks, QueryError> {
        let mut retries = Retries {
            failures,
            first: &first,
            sieve: &sieve,
            failing: Failing::default(),
            shared: Default::default(),
            of_failures: Default::default(),
            waiting: Vec::new(),
            through: Marks::of(failures, Dimension::Client),
        };
        scan(source, &[Piece { table: Table::Requests, span }], &pass, &mut Groups::new(&[]), &mut retries)?;
        Ok(retries.through)
    };
    // When an address first failed is known by now, so each half can be looked through by itself.
    let middle = Moment(span.from.0.midpoint(span.to.0));
    let (mut early, late) = both(|| through(Span { to: middle, ..span }), || through(Span { from: middle, ..span }))?;
    early.0.iter_mut().zip(late.0).for_each(|(mark, other)| *mark |= other);
    Ok(early.count())
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

    fn place([client, host, path]: [u32; 3]) -> (usize, u64) {
        let asked = u64::from(client) << 32 | u64::from(path);
        let mixed = (asked ^ u64::from(host).rotate_right(12)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ (mixed >> 32)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let bit = mixed >> (u64::BITS - Self::BITS);
        ((bit >> 6) as usize, 1 << (bit & 63))
    }

    fn add(&mut self, asked: [u32; 3]) {
        let (word, bit) = Self::place(asked);
        if let Some(word) = self.0.get_mut(word) {
            *word |= bit;
        }
    }

    fn may_hold(&self, asked: [u32; 3]) -> bool {
        let (word, bit) = Self::place(asked);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }
}

struct Retries<'a> {
    failures: &'a Failures,
    /// When each address first asked for each page in vain.
    first: &'a HashMap<[u32; 3], i64, RandomState>,
    sieve: &'a Sieve,
    failing: Failing,
    shared: [Shared; 3],
    /// Of the chunk at hand, by what is asked: the code that failures have for each of its codes, or [`UNSEEN`].
    of_failures: [Vec<u32>; 3],
    /// Which of its addresses have failed and not come through yet.
    waiting: Vec<bool>,
    through: Marks,
}

impl Sink for Retries<'_> {
    fn begin(&mut self, chunk: &Chunk, _table: Table) {
        self.failing.begin(chunk);
        for ((known, shared), dimension) in self.of_failures.iter_mut().zip(&mut self.shared).zip(ASKED) {
            if !shared.stays(column(chunk, dimension)) {
                *known = self.failures.codes_of(dimension, shared);
                if dimension == Dimension::Client {
                    let waits = |code: &u32| self.through.0.get(*code as usize) == Some(&false);
                    self.waiting = known.iter().map(waits).collect();
                }
            }
        }
    }

    fn take(&mut self, batch: &Batch<'_>) {
        let codes = ASKED.map(|dimension| column(batch.chunk, dimension).map(|column| column.codes.as_slice()));
        let [Some(clients), Some(hosts), Some(paths)] = codes else { return };
        let [of_client, of_host, of_path] = &self.of_failures;
        let known = |of: &[u32], codes: &[u32], row: usize| {
            of.get(*codes.get(row)? as usize).copied().filter(|code| *code != UNSEEN)
        };
        let marks = self.failing.mark(batch.chunk, &batch.rows);
        let clients_of_rows = part(clients, &batch.rows);
        for (((row, cell), failed), client) in batch.rows.clone().zip(batch.cells).zip(marks).zip(clients_of_rows) {
            // most are through soon, and cost no more than this
            let Some(waiting) = self.waiting.get_mut(*client as usize).filter(|waiting| **waiting) else { continue };
            if *failed || *cell == OUT {
                continue;
            }
            let Some(client) = known(of_client, clients, row) else { continue };
            let (Some(host), Some(path)) = (known(of_host, hosts, row), known(of_path, paths, row)) else { continue };
            let asked = [client, host, path];
            if !self.sieve.may_hold(asked) {
                continue;
            }
            let failed_at = self.first.get(&asked);
            if failed_at.zip(batch.chunk.at.get(row)).is_some_and(|(failed, at)| failed < at) {
                self.through.set(client);
                *waiting = false;
            }
        }
    }
}
