//! Rules as `iptables-save` and `ip6tables-save` print them, and sets as `ipset save` does.

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::nft::net;
use super::rules::{Chain, Family, Match, Rule, Ruleset, Then};

/// Sets of addresses by name.
pub(super) type Sets = BTreeMap<String, Vec<IpNet>>;

/// Reads `ipset save`.
pub(super) fn sets(text: &str) -> Sets {
    let mut sets = Sets::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        match (words.next(), words.next(), words.next()) {
            (Some("create"), Some(name), Some(kind)) if kind == "hash:ip" || kind == "hash:net" => {
                sets.entry(name.to_owned()).or_default();
            }
            (Some("add"), Some(name), Some(entry)) => {
                if let (Some(set), Some(net)) = (sets.get_mut(name), net(entry)) {
                    set.push(net);
                }
            }
            _ => {}
        }
    }
    sets
}

/// Reads `iptables-save`: the chains of the tables that may block what comes in.
pub(super) fn parse(text: &str, is_v6: bool, sets: &Sets) -> Ruleset {
    let family = if is_v6 { Family::V6 } else { Family::V4 };
    let program = if is_v6 { "ip6tables" } else { "iptables" };
    let mut rules = Ruleset::default();
    let mut table = String::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('*') {
            table = format!("{program} {}", name.trim());
        } else if let Some(chain) = line.strip_prefix(':') {
            let mut words = chain.split_whitespace();
            let (Some(name), policy) = (words.next(), words.next()) else { continue };
            // What comes in passes PREROUTING, then INPUT.
            let is_way_in = matches!(name, "INPUT" | "PREROUTING") && !table.ends_with(" nat");
            let policy_drops = is_way_in.then_some(policy == Some("DROP"));
            rules.chains.push(Chain {
                table: table.clone(),
                name: name.to_owned(),
                family,
                policy_drops,
                rules: Vec::new(),
            });
        } else if let Some(rule) = line.strip_prefix("-A ") {
            let (name, rest) = rule.split_once(' ').unwrap_or((rule, ""));
            let chain = rules.chains.iter_mut().find(|chain| chain.table == table && chain.name == name);
            if let Some(chain) = chain {
                chain.rules.push(self::rule(rest, format!("{program} {line}"), sets));
            }
        }
    }
    rules
}

fn rule(text: &str, whole: String, sets: &Sets) -> Rule {
    let mut when = Vec::new();
    let mut then = Then::Continue;
    let mut words = words(text).into_iter().peekable();
    let mut is_not = false;
    while let Some(word) = words.next() {
        let word = word.as_str();
        let mut value = || words.next().unwrap_or_default();
        match word {
            "!" => {
                is_not = true;
                continue;
            }
            "-s" | "--source" => {
                when.push(net(&value()).map_or(Match::Unknown, |net| Match::Source { nets: vec![net], is_not }));
            }
            "-p" | "--protocol" => {
                let is_tcp = matches!(value().as_str(), "tcp" | "6" | "all");
                when.push(Match::Known(is_tcp != is_not));
            }
            "--dport" | "--dports" | "--destination-port" | "--destination-ports" => {
                when.push(ports(&value()).map_or(Match::Unknown, |ranges| Match::Port { ranges, is_not }));
            }
            "--ctstate" | "--state" => {
                let is_new = value().split(',').any(|state| state == "NEW");
                when.push(Match::Known(is_new != is_not));
            }
            "--match-set" => {
                let set = value();
                let side = value();
                let nets = sets.get(&set).filter(|_| side == "src").cloned();
                when.push(nets.map_or(Match::Unknown, |nets| Match::Source { nets, is_not }));
            }
            "-i" | "--in-interface" => {
                // A connection from outside does not come in through the loopback; through which other is not known.
                when.push(if value() == "lo" { Match::Known(is_not) } else { Match::Unknown });
            }
            "--syn" => when.push(Match::Known(!is_not)),
            "--tcp-flags" => {
                let (mask, set) = (value(), value());
                when.push(Match::Known(is_first_packet(&mask, &set) != is_not));
            }
            "--dst-type" => when.push(if value() == "LOCAL" { Match::Known(!is_not) } else { Match::Unknown }),
            "-m" | "--match" => match value().as_str() {
                "tcp" | "multiport" | "conntrack" | "state" | "set" | "comment" | "addrtype" => {}
                "udp" | "icmp" | "icmp6" | "ipv6header" | "sctp" => when.push(Match::Known(false)),
                // How many there were, what is in them, who owns them: nobody knows beforehand.
                _ => when.push(Match::Unknown),
            },
            "--comment" | "--reject-with" | "--log-prefix" | "--log-level" | "--log-tcp-options" => {
                let _ = value();
            }
            "-j" | "--jump" | "-g" | "--goto" => {
                let target = value();
                then = match target.as_str() {
                    "ACCEPT" => Then::Accept,
                    "DROP" => Then::Drop,
                    "REJECT" | "TARPIT" => Then::Reject,
                    "RETURN" => Then::Return,
                    "LOG" | "NFLOG" | "MARK" | "CONNMARK" | "CT" | "NOTRACK" | "TCPMSS" | "SET" | "TRACE"
                    | "CLASSIFY" | "DSCP" | "TOS" | "AUDIT" | "SECMARK" | "CHECKSUM" | "TTL" | "HL" => Then::Continue,
                    _ if word.contains('g') => Then::Goto(target),
                    _ => Then::Jump(target),
                };
            }
            "-d" | "--destination" | "--sport" | "--sports" => {
                let _ = value();
                when.push(Match::Unknown);
            }
            _ => {}
        }
        is_not = false;
    }
    Rule { when, then, text: whole }
}

/// Whether the first packet of a connection, which has the flag SYN alone, has `set` of the flags in `mask`.
fn is_first_packet(mask: &str, set: &str) -> bool {
    let has = |flags: &str, flag: &str| flags.split(',').any(|other| other == flag || other == "ALL");
    ["FIN", "SYN", "RST", "PSH", "ACK", "URG"]
        .iter()
        .filter(|flag| has(mask, flag))
        .all(|flag| (**flag == *"SYN") == has(set, flag))
}

/// `80`, `80,443`, `8000:8080`.
fn ports(text: &str) -> Option<Vec<(u16, u16)>> {
    text.split(',')
        .map(|port| match port.split_once(':') {
            Some((from, to)) => Some((from.parse().ok()?, to.parse().ok()?)),
            None => port.parse().ok().map(|port| (port, port)),
        })
        .collect()
}

/// The words of a rule; what is in quotes is one.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut is_quoted = false;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => is_quoted = !is_quoted,
            '\\' if is_quoted => word.extend(characters.next()),
            ' ' if !is_quoted => words.push(std::mem::take(&mut word)),
            _ => word.push(character),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}
