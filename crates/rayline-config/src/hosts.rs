//! Which zone and origin a host name leads to, found as DNS finds records.
//!
//! It knows nothing of requests: ports, brackets and validity of a `Host` field are the caller's.

use std::borrow::Cow;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::plan::{Content, Record, Zone};

/// Every name of every zone.
///
/// A name is in the table if it has a record, is a zone's apex, or lies on the way from one to the other (an "empty
/// non-terminal"), because all of these keep a wildcard above them from matching (RFC 4592 section 3.3.1).
#[derive(Debug, Default)]
pub struct HostTable {
    nodes: HashMap<Box<str>, Node, RandomState>,
    any: Option<Node>,
}

#[derive(Debug, Clone)]
struct Node {
    zone: Arc<Zone>,
    /// The records of this very name.
    own: Option<HostOrigin>,
    /// The records of `*.` this name.
    wildcard: Option<HostOrigin>,
}

/// Where the edge goes for a host name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostOrigin {
    /// The record's name, with its `*.` if it is a wildcard.
    pub name: String,
    /// Where the origin is.
    pub target: Target,
    /// Whether the edge serves the name; `false` is DNS-only.
    pub proxied: bool,
}

/// Where an origin is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// At these addresses, written literally. At least one.
    Addresses(Vec<IpAddr>),
    /// Behind this name, which must be resolved.
    Name(String),
}

/// A name whose `CNAME` leads nowhere within the zones.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum LostName {
    /// It comes back to itself, or passes through more than [`LONGEST_CHAIN`] names.
    Circle { name: String },
    /// It ends at a name of a zone that has no record of it.
    NoRecord { name: String, target: String, zone: String },
}

/// `CNAME` records followed one after the other; resolvers give up sooner.
const LONGEST_CHAIN: usize = 64;

/// What the table says of a host name.
#[derive(Debug, Clone, Copy)]
pub enum HostMatch<'a> {
    /// The edge serves it.
    Found {
        /// The zone it belongs to.
        zone: &'a Arc<Zone>,
        /// Where its origin is.
        origin: &'a HostOrigin,
    },
    /// It has a record, but one that bypasses the edge.
    DnsOnly {
        /// The zone it belongs to.
        zone: &'a Arc<Zone>,
    },
    /// It lies in a zone that has no record for it.
    NoRecord {
        /// The zone it lies in.
        zone: &'a Arc<Zone>,
    },
    /// It lies in no zone.
    Unknown,
}

impl HostTable {
    /// What `host` leads to. `host` is a name without port; case and one final dot do not matter.
    ///
    /// Nothing is allocated for a host in lower case.
    pub fn find(&self, host: &str) -> HostMatch<'_> {
        let host = host.strip_suffix('.').unwrap_or(host);
        let host = if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(host.to_ascii_lowercase())
        } else {
            Cow::Borrowed(host)
        };
        let found = self.lookup(&host).or_else(|| self.any.as_ref().map(|node| (&node.zone, node.own.as_ref())));
        match found {
            Some((zone, Some(origin))) if origin.proxied => HostMatch::Found { zone, origin },
            Some((zone, Some(_))) => HostMatch::DnsOnly { zone },
            Some((zone, None)) => HostMatch::NoRecord { zone },
            None => HostMatch::Unknown,
        }
    }

    /// The zone that a lower-case name lies in, and its records for it.
    fn lookup(&self, name: &str) -> Option<(&Arc<Zone>, Option<&HostOrigin>)> {
        if let Some(node) = self.nodes.get(name) {
            return Some((&node.zone, node.own.as_ref()));
        }
        // the closest encloser is the longest existing name above; only its own wildcard counts (RFC 4592 section 3.3.1)
        let mut below = name;
        while let Some((_, parent)) = below.split_once('.') {
            if let Some(node) = self.nodes.get(parent) {
                return Some((&node.zone, node.wildcard.as_ref()));
            }
            below = parent;
        }
        None
    }

    /// A table of these zones.
    pub(crate) fn new(zones: &[Arc<Zone>]) -> Self {
        let mut table = Self::default();
        // every apex first: names below a nested zone's apex are that zone's
        for zone in zones {
            table.node(&zone.name, zone);
        }
        for zone in zones {
            for record in &zone.records {
                table.insert(zone, record);
            }
        }
        table
    }

    /// A table in which every host name leads to `zone` and `origin`.
    pub(crate) fn every_host(zone: &Arc<Zone>, origin: HostOrigin) -> Self {
        let node = Node { zone: Arc::clone(zone), own: Some(origin), wildcard: None };
        Self { nodes: HashMap::default(), any: Some(node) }
    }

    /// Replaces every name that lies in one of the zones by what its records lead to, and returns the names that lead
    /// nowhere. The world's name servers would answer such a name with the edge's own address.
    pub(crate) fn follow_names(&mut self) -> Vec<LostName> {
        let mut lost = Vec::new();
        let mut found = Vec::new();
        for (name, node) in &self.nodes {
            for (wildcard, origin) in [(false, &node.own), (true, &node.wildcard)] {
                match origin.as_ref().map(|origin| self.follow(origin)) {
                    Some(Ok(target)) => found.push((name.clone(), wildcard, target)),
                    Some(Err(name)) => lost.push(name),
                    None => {}
                }
            }
        }
        for (name, wildcard, target) in found {
            let node = self.nodes.get_mut(&name);
            let slot = node.and_then(|node| if wildcard { node.wildcard.as_mut() } else { node.own.as_mut() });
            if let Some(origin) = slot {
                origin.target = target;
            }
        }
        lost
    }

    fn follow(&self, origin: &HostOrigin) -> Result<Target, LostName> {
        let mut target = &origin.target;
        for _ in 0..LONGEST_CHAIN {
            let Target::Name(name) = target else { return Ok(target.clone()) };
            match self.lookup(name) {
                None => return Ok(target.clone()),
                Some((_, Some(next))) => target = &next.target,
                Some((zone, None)) => {
                    let zone = zone.name.clone();
                    return Err(LostName::NoRecord { name: origin.name.clone(), target: name.clone(), zone });
                }
            }
        }
        Err(LostName::Circle { name: origin.name.clone() })
    }

    fn insert(&mut self, zone: &Arc<Zone>, record: &Record) {
        let mut above = record.name.as_str();
        while above != zone.name {
            let Some((_, parent)) = above.split_once('.') else { break };
            self.node(parent, zone);
            above = parent;
        }
        let node = self.node(&record.name, zone);
        let slot = if record.wildcard { &mut node.wildcard } else { &mut node.own };
        match (slot, &record.content) {
            (Some(HostOrigin { target: Target::Addresses(addresses), proxied, .. }), Content::Address(address)) => {
                addresses.push(*address);
                // one proxied address record makes all of the name proxied, as at Cloudflare
                *proxied |= record.proxied;
            }
            (slot, content) => {
                *slot = Some(HostOrigin {
                    name: record.full_name(),
                    target: match content {
                        Content::Address(address) => Target::Addresses(vec![*address]),
                        Content::Name(name) => Target::Name(name.clone()),
                    },
                    proxied: record.proxied,
                });
            }
        }
    }

    fn node(&mut self, name: &str, zone: &Arc<Zone>) -> &mut Node {
        self.nodes.entry(name.into()).or_insert_with(|| Node { zone: Arc::clone(zone), own: None, wildcard: None })
    }
}

impl Record {
    /// The name with its `*.` if it is a wildcard.
    pub fn full_name(&self) -> String {
        if self.wildcard { format!("*.{}", self.name) } else { self.name.clone() }
    }
}

#[cfg(test)]
mod tests;
