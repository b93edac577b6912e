//! Rules of a firewall in the one form that both kinds are read into, and what they do to a new connection.

use std::net::IpAddr;

use ipnet::IpNet;

/// How deep chains may call each other, and how many rules are gone through for one connection.
const DEPTH: usize = 64;
const STEPS: usize = 200_000;

/// All rules that see what comes in.
#[derive(Debug, Default)]
pub(super) struct Ruleset {
    pub(super) chains: Vec<Chain>,
}

/// A list of rules.
#[derive(Debug)]
pub(super) struct Chain {
    /// Family, table and name: within those the rules name each other.
    pub(super) table: String,
    pub(super) name: String,
    /// The families whose packets it sees.
    pub(super) family: Family,
    /// What becomes of a connection that no rule decides, if this is where connections come in: `true` drops them.
    pub(super) policy_drops: Option<bool>,
    pub(super) rules: Vec<Rule>,
}

/// Which addresses a table is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    V4,
    V6,
    Both,
}

/// A rule.
#[derive(Debug)]
pub(super) struct Rule {
    /// All of these must hold.
    pub(super) when: Vec<Match>,
    pub(super) then: Then,
    /// How it is written.
    pub(super) text: String,
}

/// What a rule asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Match {
    /// Whether the source is in one of these, or in none.
    Source { nets: Vec<IpNet>, is_not: bool },
    /// Whether the port is in one of these ranges, or in none.
    Port { ranges: Vec<(u16, u16)>, is_not: bool },
    /// What can be told of a new TCP connection from outside without knowing more.
    Known(bool),
    /// What cannot.
    Unknown,
}

/// What a rule does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Then {
    Accept,
    Drop,
    Reject,
    Return,
    Jump(String),
    Goto(String),
    /// Nothing that decides: it counts, logs, marks.
    Continue,
}

/// A new TCP connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet {
    pub(super) source: IpAddr,
    pub(super) port: u16,
}

/// What becomes of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Accepted,
    Blocked {
        rule: String,
        is_rejected: bool,
    },
    /// A rule may keep it out.
    Perhaps {
        rule: String,
    },
}

/// What a chain decides.
enum Decision {
    Accept,
    Block { rule: String, is_rejected: bool },
    None,
}

impl Ruleset {
    /// What becomes of a new connection: every chain where connections come in must accept it.
    pub(super) fn judge(&self, packet: Packet) -> Outcome {
        let mut perhaps = None;
        for chain in self.chains.iter().filter(|chain| chain.policy_drops.is_some() && chain.is_for(packet.source)) {
            let mut walk = Walk { rules: self, packet, perhaps: None, may_be_accepted: false, steps: 0 };
            let decision = match walk.through(chain, 0) {
                Decision::None if chain.policy_drops == Some(true) => {
                    Decision::Block { rule: format!("{} {}: policy drop", chain.table, chain.name), is_rejected: false }
                }
                decision => decision,
            };
            match decision {
                // A rule before it might have accepted.
                Decision::Block { rule, .. } if walk.may_be_accepted => perhaps = perhaps.or(Some(rule)),
                Decision::Block { rule, is_rejected } => return Outcome::Blocked { rule, is_rejected },
                Decision::Accept | Decision::None => perhaps = perhaps.or(walk.perhaps),
            }
        }
        perhaps.map_or(Outcome::Accepted, |rule| Outcome::Perhaps { rule })
    }

    /// The sources that rules name.
    pub(super) fn sources(&self) -> impl Iterator<Item = &IpNet> {
        self.chains.iter().flat_map(|chain| &chain.rules).flat_map(|rule| &rule.when).flat_map(|asked| match asked {
            Match::Source { nets, .. } => nets.as_slice(),
            Match::Port { .. } | Match::Known(_) | Match::Unknown => &[],
        })
    }
}

impl Chain {
    fn is_for(&self, source: IpAddr) -> bool {
        match self.family {
            Family::V4 => source.is_ipv4(),
            Family::V6 => source.is_ipv6(),
            Family::Both => true,
        }
    }
}

/// One connection on its way through the chains.
struct Walk<'a> {
    rules: &'a Ruleset,
    packet: Packet,
    /// A rule that may block it.
    perhaps: Option<String>,
    /// Whether a rule may have accepted it.
    may_be_accepted: bool,
    steps: usize,
}

impl Walk<'_> {
    fn through(&mut self, chain: &Chain, depth: usize) -> Decision {
        if depth > DEPTH {
            return Decision::None;
        }
        for rule in &chain.rules {
            self.steps += 1;
            if self.steps > STEPS {
                return Decision::None;
            }
            let Some(is_sure) = self.matches(rule) else { continue };
            let decision = match &rule.then {
                Then::Continue => continue,
                Then::Return if is_sure => return Decision::None,
                Then::Return => continue,
                Then::Accept => Decision::Accept,
                Then::Drop => Decision::Block { rule: rule.text.clone(), is_rejected: false },
                Then::Reject => Decision::Block { rule: rule.text.clone(), is_rejected: true },
                Then::Jump(name) | Then::Goto(name) => {
                    let target =
                        self.rules.chains.iter().find(|other| other.table == chain.table && other.name == *name);
                    let decision = target.map_or(Decision::None, |target| self.through(target, depth + 1));
                    if matches!((&decision, &rule.then), (Decision::None, Then::Goto(_))) && is_sure {
                        return Decision::None;
                    }
                    decision
                }
            };
            match decision {
                Decision::None => {}
                decision if is_sure => return decision,
                Decision::Accept => self.may_be_accepted = true,
                Decision::Block { rule, .. } => self.perhaps = self.perhaps.take().or(Some(rule)),
            }
        }
        Decision::None
    }

    /// Whether a rule holds, and for sure; `None`: it does not.
    fn matches(&self, rule: &Rule) -> Option<bool> {
        let mut is_sure = true;
        for asked in &rule.when {
            let holds = match asked {
                Match::Known(holds) => *holds,
                Match::Source { nets, is_not } => {
                    // Who asks for an IPv4 source, even for none of these, asks for IPv4.
                    let is_of_family = |net: &IpNet| net.addr().is_ipv4() == self.packet.source.is_ipv4();
                    (nets.is_empty() || nets.iter().any(is_of_family))
                        && nets.iter().any(|net| net.contains(&self.packet.source)) != *is_not
                }
                Match::Port { ranges, is_not } => {
                    ranges.iter().any(|(from, to)| (*from..=*to).contains(&self.packet.port)) != *is_not
                }
                Match::Unknown => {
                    is_sure = false;
                    true
                }
            };
            if !holds {
                return None;
            }
        }
        Some(is_sure)
    }
}
