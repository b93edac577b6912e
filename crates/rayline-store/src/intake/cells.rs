//! Exact counts: one cell per combination of the values that are rolled up, within a minute.
//!
//! Visitors choose host names, so there is a bound: what finds no place is counted under `(other)`, first without its host,
//! origin and method, then with little more than its code and the class of its statuses. The sums over all cells are exact
//! all the same, and so are those over the cells of one code.

use std::hash::{BuildHasher, Hash, Hasher};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rayline_verdict::record::CacheStatus;
use rayline_verdict::{Code, Colo, Country, Record};

use crate::dimension::{Dimension, Number};
use crate::journal::wire;
use crate::row;

/// Cells with all of their values.
const CELLS: usize = 4096;

/// Cells in all, but for the few of the coarsest kind.
const COARSE_CELLS: usize = CELLS + 1024;

/// A name has 253 at most. What is longer is none, and is cut.
pub(crate) const HOST_BYTES: usize = 255;

/// Longer ones are cut. The longest that is registered has 17.
const METHOD_BYTES: usize = 32;

/// What stands for what had no place.
const OTHER: &str = "(other)";

/// The counts of one lane since they were last drained. Cells from before stay, for most come again; those that do not make
/// room for others.
#[derive(Debug, Default)]
pub(super) struct Cells {
    table: HashTable<Cell>,
    hasher: RandomState,
    hits: u64,
    /// There may be cells that were not met since the last time.
    stale: bool,
}

#[derive(Debug)]
struct Cell {
    zone: Arc<str>,
    host: Box<[u8]>,
    method: Box<[u8]>,
    rule: Box<str>,
    facts: Facts,
    hits: u64,
    sums: [u64; Number::ALL.len()],
}

/// The values of one request by which it is counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen<'a> {
    zone: &'a Arc<str>,
    host: &'a [u8],
    method: &'a [u8],
    /// The rule that ended the request; empty where none did.
    rule: &'a str,
    facts: Facts,
}

/// Those of them that are small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Facts {
    /// Since 1970, of the request's start.
    minute: i64,
    plan: u64,
    edge_status: u16,
    origin_status: u16,
    code: Option<Code>,
    origin: Peer,
    colo: Colo,
    cache: CacheStatus,
    country: Option<Country>,
}

/// Which origin was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Peer {
    None,
    Known(SocketAddr),
    Other,
}

impl<'a> Seen<'a> {
    /// `room` is for a host name that has to be changed first.
    pub(super) fn of(record: &'a Record, room: &'a mut [u8; HOST_BYTES]) -> Self {
        let origin = record.origin.as_ref();
        Self {
            zone: &record.zone,
            host: host_name(&record.host, room),
            method: record.method.get(..METHOD_BYTES).unwrap_or(&record.method),
            rule: record.rules.as_deref().and_then(|rules| rules.ended_by()).map_or("", |event| &event.rule),
            facts: Facts {
                minute: record.start.0.div_euclid(row::MINUTE).max(0),
                plan: record.plan_version,
                edge_status: record.edge_status,
                origin_status: origin.map_or(0, |origin| origin.status),
                code: record.verdict.as_ref().map(|verdict| verdict.code),
                origin: origin.and_then(|origin| origin.address).map_or(Peer::None, Peer::Known),
                colo: record.colo,
                cache: record.cache,
                country: record.country,
            },
        }
    }

    fn coarse(self) -> Self {
        let origin = match self.facts.origin {
            Peer::None => Peer::None,
            Peer::Known(_) | Peer::Other => Peer::Other,
        };
        Self { host: OTHER.as_bytes(), method: OTHER.as_bytes(), facts: Facts { origin, ..self.facts }, ..self }
    }

    /// What is left is bounded by itself: a row per code and class of status, of each zone and plan.
    fn coarsest(self) -> Self {
        let class = |status: u16| (status / 100).min(6) * 100;
        let facts = self.facts;
        let (edge_status, origin_status) = (class(facts.edge_status), class(facts.origin_status));
        let rule = if self.rule.is_empty() { "" } else { OTHER };
        Self { rule, facts: Facts { edge_status, origin_status, country: None, ..facts }, ..self.coarse() }
    }

    fn hash(&self, hasher: &RandomState) -> u64 {
        let facts = &self.facts;
        let mut state = hasher.build_hasher();
        let port = match facts.origin {
            Peer::None => 0,
            Peer::Other => 1,
            Peer::Known(address) => {
                match address.ip() {
                    IpAddr::V4(ip) => state.write_u32(ip.to_bits()),
                    IpAddr::V6(ip) => state.write_u128(ip.to_bits()),
                }
                address.port()
            }
        };
        let country = facts.country.as_ref().map_or(0, |country| u16::from_le_bytes(*country.as_bytes()));
        let [edge, origin] = [facts.edge_status, facts.origin_status].map(u64::from);
        state.write_u64(edge << 48 | origin << 32 | u64::from(country) << 16 | u64::from(port));
        facts.code.hash(&mut state);
        state.write_i64(facts.minute);
        state.write(self.host);
        state.write(self.method);
        state.write(self.rule.as_bytes());
        state.finish()
    }

    fn is(&self, cell: &Cell) -> bool {
        *self.host == *cell.host
            && self.facts == cell.facts
            && *self.method == *cell.method
            && *self.rule == *cell.rule
            && (Arc::ptr_eq(self.zone, &cell.zone) || *self.zone == cell.zone)
    }

    fn to_cell(self) -> Cell {
        Cell {
            zone: Arc::clone(self.zone),
            host: self.host.into(),
            method: self.method.into(),
            rule: self.rule.into(),
            facts: self.facts,
            hits: 0,
            sums: Default::default(),
        }
    }
}

impl Cells {
    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    /// Nothing was counted since the last time.
    pub(super) fn is_empty(&self) -> bool {
        self.hits == 0
    }

    pub(super) fn count(&mut self, seen: &Seen<'_>, numbers: &[u64; Number::ALL.len()]) {
        self.hits += 1;
        let cell = self.cell(seen);
        cell.hits += 1;
        for (sum, number) in cell.sums.iter_mut().zip(numbers) {
            *sum = sum.saturating_add(*number);
        }
    }

    fn cell(&mut self, seen: &Seen<'_>) -> &mut Cell {
        let mut seen = *seen;
        let mut hash = seen.hash(&self.hasher);
        if self.table.len() >= CELLS && self.stale {
            self.drop_stale();
        }
        if self.table.len() >= CELLS && self.table.find(hash, |cell| seen.is(cell)).is_none() {
            seen = seen.coarse();
            hash = seen.hash(&self.hasher);
            if self.table.len() >= COARSE_CELLS && self.table.find(hash, |cell| seen.is(cell)).is_none() {
                seen = seen.coarsest();
                hash = seen.hash(&self.hasher);
            }
        }
        let hasher = &self.hasher;
        match self.table.entry(hash, |cell| seen.is(cell), |cell| cell.seen().hash(hasher)) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(seen.to_cell()).into_mut(),
        }
    }

    /// All that was counted, see [`wire::put_cell`]. All start anew.
    pub(super) fn drain(&mut self) -> Vec<u8> {
        self.hits = 0;
        self.drop_stale();
        self.stale = true;
        let mut out = Vec::with_capacity(self.table.len() * 160);
        let mut key = Vec::with_capacity(160);
        for cell in &mut self.table {
            key.clear();
            cell.write_key(&mut key);
            let minute = u64::try_from(cell.facts.minute).unwrap_or_default();
            wire::put_cell(&mut out, &wire::Cell { minute, hits: cell.hits, sums: cell.sums, key: &key });
            cell.hits = 0;
            cell.sums = Default::default();
        }
        out
    }

    fn drop_stale(&mut self) {
        self.stale = false;
        self.table.retain(|cell| cell.hits > 0);
    }
}

impl Cell {
    fn seen(&self) -> Seen<'_> {
        Seen { zone: &self.zone, host: &self.host, method: &self.method, rule: &self.rule, facts: self.facts }
    }

    /// The value of every dimension that is rolled up, in their order.
    fn write_key(&self, out: &mut Vec<u8>) {
        let facts = &self.facts;
        for dimension in Dimension::ALL.into_iter().filter(|dimension| dimension.is_rolled_up()) {
            let code = facts.code.map_or("", Code::name);
            match dimension {
                Dimension::Zone => wire::put_text(out, &self.zone),
                Dimension::Host => wire::put_text(out, &String::from_utf8_lossy(&self.host)),
                Dimension::Method => wire::put_text(out, &String::from_utf8_lossy(&self.method)),
                Dimension::EdgeStatus => wire::put_text(out, &facts.edge_status.to_string()),
                Dimension::OriginStatus => wire::put_text(out, &facts.origin_status.to_string()),
                Dimension::Code => wire::put_text(out, code),
                Dimension::Party => wire::put_text(out, row::party(code)),
                Dimension::Colo => wire::put_text(out, facts.colo.as_str()),
                Dimension::Origin => match facts.origin {
                    Peer::None => wire::put_text(out, ""),
                    Peer::Known(address) => wire::put_text(out, &address.to_string()),
                    Peer::Other => wire::put_text(out, OTHER),
                },
                Dimension::Cache => wire::put_text(out, facts.cache.name()),
                Dimension::Country => {
                    let country = facts.country.map(|country| country.as_str().to_ascii_lowercase());
                    wire::put_text(out, &country.unwrap_or_default());
                }
                Dimension::Plan => wire::put_text(out, &facts.plan.to_string()),
                Dimension::Rule => wire::put_text(out, &self.rule),
                // No workers run yet, and those below are not rolled up.
                Dimension::Worker
                | Dimension::Path
                | Dimension::Client
                | Dimension::UserAgent
                | Dimension::Agent
                | Dimension::Protocol
                | Dimension::Scheme
                | Dimension::OriginProtocol
                | Dimension::Phase
                | Dimension::Bucket => wire::put_text(out, ""),
            }
        }
    }
}

/// The host name of a `Host` field: in lower case, without a port, at most [`HOST_BYTES`] long.
fn host_name<'a>(host: &'a [u8], room: &'a mut [u8; HOST_BYTES]) -> &'a [u8] {
    let host = host.get(..HOST_BYTES).unwrap_or(host);
    // Nearly every one is in order; looked at without a branch per byte, it is looked at many bytes at a time.
    if host.iter().fold(true, |plain, byte| plain & !byte.is_ascii_uppercase() & (*byte != b':')) {
        return host;
    }
    let host = row::without_port(host);
    let Some(room) = room.get_mut(..host.len()) else { return host };
    room.copy_from_slice(host);
    room.make_ascii_lowercase();
    room
}

/// A cell's key with the values that visitors choose left out.
pub(crate) fn coarsened(key: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(key.len());
    let mut texts = wire::Reader::new(key);
    for dimension in Dimension::ALL.into_iter().filter(|dimension| dimension.is_rolled_up()) {
        let text = texts.text().unwrap_or_default();
        let chosen = matches!(dimension, Dimension::Host | Dimension::Method | Dimension::Origin);
        wire::put_text(&mut out, if chosen && !text.is_empty() { OTHER } else { text });
    }
    out
}
