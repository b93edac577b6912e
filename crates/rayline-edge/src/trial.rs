//! Two plans at once: which of them serves a request, and what came of each.
//!
//! It decides nothing about the trial's end: whoever began it reads the counts, and widens, promotes or withdraws.

use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rayline_verdict::{Code, Party, Record, TABLE};

use crate::running::Running;

/// Bits by which visitors are told apart: enough to tell a handful from hundreds, not to count crowds.
const WORDS: usize = 64;

/// Which share of the visitors a new plan serves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share(f64);

impl Share {
    /// So many percent, from 0 to 100; what lies outside is the nearer end.
    pub fn percent(percent: f64) -> Self {
        Self(percent.clamp(0.0, 100.0))
    }

    /// Below this number a visitor's place belongs to the new plan.
    fn bound(self) -> u64 {
        (self.0 / 100.0 * u64::MAX as f64) as u64
    }
}

/// How a trial spreads visitors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Which share the new plan gets.
    pub share: Share,
    /// Who is among them: the same salt chooses the same visitors, and a larger share adds to them.
    pub salt: u64,
}

/// What came of the requests under one version, in one window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The version.
    pub version: u64,
    /// All requests, and connections that never became one.
    pub requests: u64,
    /// Those with a verdict, by party, in the order of [`Party::ALL`].
    pub by_party: [u64; Party::ALL.len()],
    /// Those whose party is owner or edge, by code, the commonest first.
    pub by_code: Vec<(Code, u64)>,
    /// About how many visitors there were; saturates at some hundreds.
    pub visitors: u64,
    /// About how many of them met a failure whose party is owner or edge.
    pub failing_visitors: u64,
}

impl Outcome {
    /// Failures that the configuration can be to blame for: those whose party is owner or edge.
    pub fn blamed(&self) -> u64 {
        let of = |(party, count): (Party, u64)| if can_blame(party) { count } else { 0 };
        Party::ALL.into_iter().zip(self.by_party).map(of).sum()
    }

    /// How often a code of theirs occurred.
    pub fn of_code(&self, code: Code) -> u64 {
        self.by_code.iter().find(|(known, _)| *known == code).map_or(0, |(_, count)| *count)
    }
}

/// Whether a plan can be to blame for a failure of this party.
fn can_blame(party: Party) -> bool {
    match party {
        Party::Owner | Party::Edge => true,
        Party::Visitor | Party::Policy | Party::Network | Party::Origin => false,
    }
}

/// What came of both versions in one window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// The version that runs.
    pub old: Outcome,
    /// The one on trial.
    pub new: Outcome,
}

/// One worker's counts of one window. The worker alone writes; anybody reads.
#[derive(Debug)]
pub(crate) struct Window {
    old: Side,
    new: Side,
}

#[derive(Debug)]
struct Side {
    version: u64,
    requests: AtomicU64,
    by_party: [AtomicU64; Party::ALL.len()],
    by_code: Box<[AtomicU64]>,
    visitors: Visitors,
    failing: Visitors,
}

/// A set of visitors, each a bit at a place by their address.
#[derive(Debug)]
struct Visitors([AtomicU64; WORDS]);

impl Default for Visitors {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

impl Visitors {
    fn add(&self, place: u64) {
        // The upper bits choose the plan, so among the visitors of a small share only the lower ones differ.
        if let Some(word) = self.0.get(place as usize / 64 % WORDS) {
            let bit = 1 << (place % 64);
            if word.load(Ordering::Relaxed) & bit == 0 {
                word.fetch_or(bit, Ordering::Relaxed);
            }
        }
    }

    fn collect(&self, into: &mut [u64; WORDS]) {
        for (into, word) in into.iter_mut().zip(&self.0) {
            *into |= word.load(Ordering::Relaxed);
        }
    }
}

/// How many visitors so many bits stand for, by linear counting: some share a bit.
fn estimate(bits: &[u64; WORDS]) -> u64 {
    let all = (WORDS * 64) as f64;
    let free = bits.iter().map(|word| f64::from(word.count_zeros())).sum::<f64>().max(1.0);
    (all * (all / free).ln()).round() as u64
}

/// Adds one, as the only writer can without a locked instruction.
fn count(counter: &AtomicU64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
}

impl Side {
    fn new(version: u64) -> Self {
        Self {
            version,
            requests: AtomicU64::new(0),
            by_party: std::array::from_fn(|_| AtomicU64::new(0)),
            by_code: TABLE.iter().map(|_| AtomicU64::new(0)).collect(),
            visitors: Visitors::default(),
            failing: Visitors::default(),
        }
    }

    fn count(&self, record: &Record, place: u64) {
        count(&self.requests);
        self.visitors.add(place);
        let Some(verdict) = &record.verdict else { return };
        let party = verdict.party();
        if let Some(counter) = self.by_party.get(party as usize) {
            count(counter);
        }
        if can_blame(party) {
            if let Some(counter) = self.by_code.get(verdict.code as usize) {
                count(counter);
            }
            self.failing.add(place);
        }
    }
}

impl Window {
    pub(crate) fn new(old: u64, new: u64) -> Self {
        Self { old: Side::new(old), new: Side::new(new) }
    }

    fn count(&self, record: &Record, place: u64) {
        // What began under a version before both is in neither.
        for side in [&self.old, &self.new] {
            if record.plan_version == side.version {
                side.count(record, place);
            }
        }
    }

    /// What all workers have counted.
    pub(crate) fn sum(windows: &[Arc<Self>]) -> Compared {
        Compared {
            old: outcome(windows.iter().map(|window| &window.old)),
            new: outcome(windows.iter().map(|window| &window.new)),
        }
    }
}

fn outcome<'a>(sides: impl Iterator<Item = &'a Side>) -> Outcome {
    let mut outcome = Outcome::default();
    let (mut visitors, mut failing) = ([0; WORDS], [0; WORDS]);
    let mut codes = vec![0_u64; TABLE.len()];
    for side in sides {
        outcome.version = side.version;
        outcome.requests += side.requests.load(Ordering::Relaxed);
        for (sum, counter) in outcome.by_party.iter_mut().zip(&side.by_party) {
            *sum += counter.load(Ordering::Relaxed);
        }
        for (sum, counter) in codes.iter_mut().zip(&side.by_code) {
            *sum += counter.load(Ordering::Relaxed);
        }
        side.visitors.collect(&mut visitors);
        side.failing.collect(&mut failing);
    }
    outcome.by_code =
        TABLE.iter().zip(codes).filter(|(_, count)| *count > 0).map(|(row, count)| (row.code, count)).collect();
    outcome.by_code.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    (outcome.visitors, outcome.failing_visitors) = (estimate(&visitors), estimate(&failing));
    outcome
}

/// A plan on trial, on one worker.
#[derive(Debug)]
pub(crate) struct Trial {
    pub(crate) running: Rc<Running>,
    bound: u64,
    salt: u64,
    window: Arc<Window>,
}

impl Trial {
    pub(crate) fn new(running: Rc<Running>, spread: Spread, window: Arc<Window>) -> Self {
        Self { running, bound: spread.share.bound(), salt: spread.salt, window }
    }

    /// Serves this share from now on, counted anew.
    pub(crate) fn widen(&mut self, share: Share, window: Arc<Window>) {
        self.bound = share.bound();
        self.window = window;
    }

    /// Whether it serves the visitor with this address.
    pub(crate) fn takes(&self, ip: IpAddr) -> bool {
        place(ip, self.salt) < self.bound
    }

    /// Counts a closed record.
    pub(crate) fn count(&self, record: &Record) {
        self.window.count(record, place(record.client_ip, self.salt));
    }
}

/// Where a visitor stands among all, evenly spread and the same at every request. Of IPv6 the network counts: the rest
/// of an address changes with the hour (RFC 8981).
fn place(ip: IpAddr, salt: u64) -> u64 {
    let bits = match ip.to_canonical() {
        IpAddr::V4(ip) => u64::from(ip.to_bits()),
        IpAddr::V6(ip) => (ip.to_bits() >> 64) as u64,
    };
    // Twice: once would let addresses that differ as two salts do change places.
    mix(mix(bits ^ salt).wrapping_add(salt))
}

/// Spreads numbers that lie close together over all of them; the finalizer of SplitMix64 ("Fast Splittable Pseudorandom
/// Number Generators", Steele, Lea, Flood 2014).
fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share_of(percent: f64, salt: u64) -> Vec<IpAddr> {
        let bound = Share::percent(percent).bound();
        let all = (0..20_000_u32).map(|n| IpAddr::V4((0x0a00_0000 + n).into()));
        all.filter(|ip| place(*ip, salt) < bound).collect()
    }

    #[test]
    fn a_share_is_as_large_as_it_says_and_grows_by_adding() {
        for salt in [0, 1, 7, u64::MAX, 0x9e37_79b9_7f4a_7c15] {
            let mut before = Vec::new();
            for percent in [0.0, 1.0, 5.0, 25.0, 50.0, 100.0] {
                let now = share_of(percent, salt);
                let expected = percent / 100.0 * 20_000.0;
                let deviation = (expected * (1.0 - percent / 100.0)).sqrt();
                assert!((now.len() as f64 - expected).abs() <= 4.5 * deviation + 0.5, "{percent} %: {}", now.len());
                assert!(before.iter().all(|ip| now.contains(ip)), "{percent} % keeps who was there");
                before = now;
            }
        }
        assert_ne!(share_of(5.0, 1), share_of(5.0, 2), "another trial has other visitors");
    }

    #[test]
    fn a_visitor_is_the_network_of_an_ipv6_address_and_an_ipv4_one_in_either_form() {
        let at = |ip: &str| place(ip.parse().unwrap(), 5);
        assert_eq!(at("2001:db8:1:2::1"), at("2001:db8:1:2:ffff::9"));
        assert_ne!(at("2001:db8:1:2::1"), at("2001:db8:1:3::1"));
        assert_eq!(at("192.0.2.1"), at("::ffff:192.0.2.1"));
    }

    #[test]
    fn few_visitors_are_counted_well_and_many_are_many() {
        for many in [0_u32, 1, 3, 20, 300] {
            let visitors = Visitors::default();
            for n in 0..many {
                for _ in 0..3 {
                    visitors.add(place(IpAddr::V4((0xc000_0200 + n).into()), 3));
                }
            }
            let mut bits = [0; WORDS];
            visitors.collect(&mut bits);
            let seen = estimate(&bits) as f64;
            assert!((seen - f64::from(many)).abs() <= 0.1 * f64::from(many), "{seen} of {many}");
        }
    }
}
