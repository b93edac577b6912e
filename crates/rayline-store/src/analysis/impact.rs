//! Whom failures met. It counts what can be told apart by address and `User-Agent`, which is not quite people.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use foldhash::fast::RandomState;
use rayline_verdict::Moment;

use super::failures::Failures;
use crate::chunk::{Chunk, Source, Span, Table, Wanted};
use crate::dimension::Dimension;
use crate::query::failing::Failing;
use crate::query::groups::Groups;
use crate::query::plan::Piece;
use crate::query::scan::{Batch, OUT, Pass, Sink, column, scan};
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

    let (mut visitors, mut programs, mut addresses) = (Distinct::default(), Distinct::default(), Distinct::default());
    let (mut crawlers, mut monitors) = (Distinct::default(), Distinct::default());
    let mut pages: HashMap<(&str, &str), (u64, Distinct<&str>), RandomState> = HashMap::default();
    for row in 0..failures.len() {
        let text = |dimension| failures.text(row, dimension);
        let (client, user_agent) = (text(Dimension::Client), text(Dimension::UserAgent));
        addresses.insert(client);
        let reads_pages = match text(Dimension::Agent) {
            "api" => {
                programs.insert(client);
                false
            }
            "crawler" => {
                crawlers.insert(user_agent);
                true
            }
            "monitor" => {
                monitors.insert(user_agent);
                false
            }
            _ => {
                visitors.insert(client);
                true
            }
        };
        if reads_pages && text(Dimension::Method) == "GET" {
            let page = pages.entry((text(Dimension::Host), text(Dimension::Path))).or_default();
            page.0 += failures.stride;
            page.1.insert(client);
        }
    }
    impact.visitors = visitors.len() as u64;
    impact.api_clients = programs.len() as u64;
    impact.addresses = addresses.len() as u64;
    impact.crawlers = sorted(crawlers);
    impact.monitors = sorted(monitors);
    impact.pages = foremost(pages);
    impact.came_through = came_through(source, span, filters, &failures)?;
    Ok(impact)
}

type Distinct<T> = HashSet<T, RandomState>;

fn sorted(texts: Distinct<&str>) -> Vec<String> {
    let mut texts: Vec<String> = texts.into_iter().filter(|text| !text.is_empty()).map(str::to_owned).collect();
    texts.sort_unstable();
    texts
}

fn foremost(pages: HashMap<(&str, &str), (u64, Distinct<&str>), RandomState>) -> Vec<Page> {
    let page = |((host, path), (failed, addresses)): ((&str, &str), (u64, Distinct<&str>))| Page {
        host: host.to_owned(),
        path: path.to_owned(),
        addresses: addresses.len() as u64,
        failed,
    };
    let mut pages: Vec<Page> = pages.into_iter().map(page).collect();
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
    let mut retries = Retries {
        failures,
        first,
        failing: Failing::default(),
        of_failures: Default::default(),
        through: HashSet::default(),
    };
    scan(source, &[Piece { table: Table::Requests, span }], &pass, &mut Groups::new(&[]), &mut retries)?;
    Ok(retries.through.len() as u64)
}

struct Retries<'a> {
    failures: &'a Failures,
    /// When each address first asked for each page in vain.
    first: HashMap<[u32; 3], i64, RandomState>,
    failing: Failing,
    /// Of the chunk at hand, by what is asked: the code that failures have for each of its codes.
    of_failures: [Vec<Option<u32>>; 3],
    through: Distinct<u32>,
}

impl Sink for Retries<'_> {
    fn begin(&mut self, chunk: &Chunk, _table: Table) {
        self.failing.begin(chunk);
        for (known, dimension) in self.of_failures.iter_mut().zip(ASKED) {
            let texts = column(chunk, dimension).map(|column| column.values.as_slice()).unwrap_or_default();
            *known = texts.iter().map(|text| self.failures.code(dimension, text)).collect();
        }
    }

    fn take(&mut self, batch: &Batch<'_>) {
        let codes = ASKED.map(|dimension| column(batch.chunk, dimension).map(|column| column.codes.as_slice()));
        let [Some(clients), Some(hosts), Some(paths)] = codes else { return };
        let [of_client, of_host, of_path] = &self.of_failures;
        let known =
            |of: &[Option<u32>], codes: &[u32], row: usize| of.get(*codes.get(row)? as usize).copied().flatten();
        let marks = self.failing.mark(batch.chunk, &batch.rows);
        for ((row, cell), failed) in batch.rows.clone().zip(batch.cells).zip(marks) {
            if *failed || *cell == OUT {
                continue;
            }
            let Some(client) = known(of_client, clients, row) else { continue };
            let (Some(host), Some(path)) = (known(of_host, hosts, row), known(of_path, paths, row)) else { continue };
            let failed_at = self.first.get(&[client, host, path]);
            if failed_at.zip(batch.chunk.at.get(row)).is_some_and(|(failed, at)| failed < at) {
                self.through.insert(client);
            }
        }
    }
}
