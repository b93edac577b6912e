//! Which zone and origin a host name leads to, found as DNS finds records.
//!
//! It knows nothing of requests: ports, brackets and validity of a `Host` field are the caller's.

use std::borrow::Cow;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use crate::plan::{Content, Record, Zone};

/// Every name of every zone.
///
/// A name is in the table if it has a record, is a zone's apex, or lies on the way from one to the other (an "empty
/// non-terminal"), because all of these keep a wildcard above them from matching (RFC 4592 section 3.3.1).
#[derive(Debug, Default)]
pub struct HostTable {
    nodes: HashMap<Box<str>, Node>,
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
        if let Some(node) = self.nodes.get(host.as_ref()) {
            return node.answer(node.own.as_ref());
        }
        // the closest encloser is the longest existing name above; only its own wildcard counts (RFC 4592 section 3.3.1)
        let mut name = host.as_ref();
        while let Some((_, parent)) = name.split_once('.') {
            if let Some(node) = self.nodes.get(parent) {
                return node.answer(node.wildcard.as_ref());
            }
            name = parent;
        }
        self.any.as_ref().map_or(HostMatch::Unknown, |node| node.answer(node.own.as_ref()))
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
        Self { nodes: HashMap::new(), any: Some(node) }
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

impl Node {
    fn answer<'a>(&'a self, origin: Option<&'a HostOrigin>) -> HostMatch<'a> {
        let zone = &self.zone;
        match origin {
            Some(origin) if origin.proxied => HostMatch::Found { zone, origin },
            Some(_) => HostMatch::DnsOnly { zone },
            None => HostMatch::NoRecord { zone },
        }
    }
}

impl Record {
    /// The name with its `*.` if it is a wildcard.
    pub fn full_name(&self) -> String {
        if self.wildcard { format!("*.{}", self.name) } else { self.name.clone() }
    }
}
