//! Whether the machine's firewall lets the edge in: its rules are read, and asked about new connections from the edge's
//! addresses, one after the other.
//!
//! What `ufw`, `firewalld` and `fail2ban` do they do by such rules. What a rule asks that cannot be known beforehand (how
//! many connections there were, which interface) makes its outcome uncertain, and the finding less likely.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use ipnet::IpNet;

use self::rules::{Outcome, Packet, Ruleset};
use super::command::{self, Failed};
use super::{Part, trouble};
use crate::logs::Cause;
use crate::probe::Probe;

mod iptables;
mod nft;
mod rules;

/// The most addresses of the edge that the rules are asked about.
const ADDRESSES: usize = 4096;

pub(super) fn look(ports: &[u16], edges: &[IpNet]) -> Part {
    let mut rules = Ruleset::default();
    let mut unseen = Vec::new();
    let mut is_any_read = false;
    let mut is_forbidden = false;
    let mut take = |read: Result<Ruleset, Failed>, rules: &mut Ruleset| match read {
        Ok(read) => {
            is_any_read = true;
            rules.chains.extend(read.chains);
        }
        Err(Failed::NotThere) => {}
        Err(Failed::NotPermitted) => is_forbidden = true,
        Err(Failed::Other(why)) => unseen.push(format!("the firewall's rules: {why}")),
    };
    let sets = command::run("ipset", &["save"]).map(|text| iptables::sets(&text)).unwrap_or_default();
    let mut has_tables_in_nft = false;
    for (program, is_v6) in [("iptables-save", false), ("ip6tables-save", true)] {
        let read = command::run(program, &[]);
        has_tables_in_nft |= read.as_ref().is_ok_and(|text| text.contains("(nf_tables)"));
        take(read.map(|text| iptables::parse(&text, is_v6, &sets)), &mut rules);
    }
    let read = command::run("nft", &["-j", "list", "ruleset"]);
    take(read.map(|text| nft::parse(&text, has_tables_in_nft)), &mut rules);
    if is_forbidden {
        unseen.push(
            "the firewall's rules: run `sudo nft list ruleset` and `sudo iptables-save`, or this program as root"
                .to_owned(),
        );
    }
    if !is_any_read {
        let said = if is_forbidden { "the firewall's rules may not be read" } else { "no firewall was found" };
        let probe = Probe::new("host.firewall", None, Duration::ZERO, said);
        return Part { unseen, probes: vec![probe], ..Part::default() };
    }
    let mut part = judge(&rules, ports, edges);
    part.unseen.extend(unseen);
    part
}

/// What the rules do to new connections.
fn judge(rules: &Ruleset, ports: &[u16], edges: &[IpNet]) -> Part {
    let addresses = addresses(rules, edges);
    let mut blocked: BTreeMap<String, Blocked> = BTreeMap::new();
    for &port in ports {
        for &source in &addresses {
            let packet = Packet { source, port };
            let (rule, is_sure, is_rejected) = match rules.judge(packet) {
                Outcome::Accepted => continue,
                Outcome::Blocked { rule, is_rejected } => (rule, true, is_rejected),
                Outcome::Perhaps { rule } => (rule, false, false),
            };
            let entry =
                blocked.entry(rule).or_insert(Blocked { is_sure, is_rejected, sources: Vec::new(), ports: Vec::new() });
            entry.is_sure |= is_sure;
            if !entry.sources.contains(&source) {
                entry.sources.push(source);
            }
            if !entry.ports.contains(&port) {
                entry.ports.push(port);
            }
        }
    }
    let mut part = Part::default();
    for (rule, blocked) in &blocked {
        part.troubles.push(blocked.named(rule, addresses.len(), edges.is_empty()));
    }
    let whom = if edges.is_empty() { "anybody" } else { "the edge" };
    let count: usize = rules.chains.iter().map(|chain| chain.rules.len()).sum();
    let counted = format!("{count} rules");
    let is_blocked = blocked.values().any(|blocked| blocked.is_sure);
    let said = match (blocked.is_empty(), is_blocked) {
        (true, _) if count == 0 => "no rules: everybody is let in".to_owned(),
        (true, _) => format!("{counted} let {whom} in"),
        (false, true) => {
            format!("{counted}, {} of them keep {whom} out", blocked.values().filter(|blocked| blocked.is_sure).count())
        }
        (false, false) => format!("{counted}, {} of them may keep {whom} out", blocked.len()),
    };
    let ok = if is_blocked { Some(false) } else { blocked.is_empty().then_some(true) };
    let probe = Probe::new("host.firewall", ok, Duration::ZERO, said);
    part.probes.push(probe.with("blocking_rules", blocked.keys().cloned().collect::<Vec<_>>()));
    part
}

/// What one rule keeps out.
struct Blocked {
    is_sure: bool,
    is_rejected: bool,
    sources: Vec<IpAddr>,
    ports: Vec<u16>,
}

impl Blocked {
    fn named(&self, rule: &str, of: usize, is_anybody: bool) -> crate::logs::Named {
        let ports: Vec<String> = self.ports.iter().map(u16::to_string).collect();
        let does = match (self.is_sure, self.is_rejected) {
            (false, _) => "may drop",
            (true, true) => "rejects",
            (true, false) => "drops",
        };
        let whom = match self.sources.as_slice() {
            _ if is_anybody => "connections from everywhere".to_owned(),
            sources if sources.len() == of => "connections from all of the edge's addresses".to_owned(),
            [one] => format!("connections from the edge's address {one}"),
            [first, rest @ ..] => {
                format!("connections from the edge's addresses, such as {first} and {} more", rest.len())
            }
            [] => "connections".to_owned(),
        };
        let sentence = format!("the firewall {does} {whom} to port {}: `{}`", ports.join(", "), rule.replace('`', "'"));
        let likelihood = match (self.is_sure, self.sources.len() == of) {
            (true, true) => 0.9,
            (true, false) => 0.6,
            (false, _) => 0.2,
        };
        let mut named = trouble(Cause::HostFirewallBlocksEdge, likelihood, sentence, rule);
        named.count = self.sources.len() as u64;
        named
    }
}

/// The addresses that the rules are asked about: of each range its first and last, and what of it the rules name.
fn addresses(rules: &Ruleset, edges: &[IpNet]) -> Vec<IpAddr> {
    if edges.is_empty() {
        // Anybody: addresses for documentation, which nobody has.
        return vec![Ipv4Addr::new(203, 0, 113, 7).into(), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 7).into()];
    }
    let mut addresses: Vec<IpAddr> = edges.iter().flat_map(|edge| [edge.network(), edge.broadcast()]).collect();
    let named = rules.sources().filter(|net| edges.iter().any(|edge| edge.contains(*net))).map(|net| net.network());
    addresses.extend(named.take(ADDRESSES));
    addresses.sort_unstable();
    addresses.dedup();
    addresses.truncate(ADDRESSES);
    addresses
}

#[cfg(test)]
mod tests;
