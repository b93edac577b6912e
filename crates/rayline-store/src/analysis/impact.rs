//! Whom failures met. It counts what can be told apart by address and `User-Agent`, which is not quite people.

mod retries;

use std::collections::HashSet;
use std::time::Duration;

use rayline_verdict::Moment;

use super::failures::Failures;
use crate::chunk::{Source, Span};
use crate::dimension::Dimension;
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
    impact.came_through = retries::came_through(source, span, filters, &failures)?;
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
