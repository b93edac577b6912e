//! ICMP messages that end an attempt to connect: the words for them, and what they mean by who sent them.

use rayline_verdict::Fact;
use rayline_verdict::fault::ConnectCause;

use crate::sys::IcmpError;

/// Who sent an ICMP message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaker {
    /// This machine.
    Edge,
    /// A router or a firewall on the way, as far as is known.
    Router,
    /// The origin's own address.
    Origin,
}

impl IcmpError {
    /// What it means for the attempt to connect; `None` where the errno says all there is to say.
    ///
    /// Only the host at the end has a word on its ports and protocols (RFC 1122 §3.2.2.1): from anybody else they are a
    /// firewall's, as iptables has them by default. And of what this machine says of its own packets, its kernel says
    /// only that nobody answers for the address (a missing route fails without a message); the rest is its firewall's.
    pub(crate) fn connect_cause(self, speaker: Speaker) -> Option<ConnectCause> {
        let (unreachable, host) = if self.v6 { (1, 3) } else { (3, 1) };
        if self.kind != unreachable {
            return None;
        }
        match speaker {
            Speaker::Edge if self.code == host => Some(ConnectCause::NoNeighbour),
            Speaker::Edge => Some(ConnectCause::Forbidden),
            Speaker::Router | Speaker::Origin if self.prohibits() => Some(ConnectCause::Prohibited),
            Speaker::Router if self.is_hosts() => Some(ConnectCause::Prohibited),
            Speaker::Origin if self.is_hosts() => Some(ConnectCause::Refused),
            Speaker::Router | Speaker::Origin => None,
        }
    }

    /// Whether it says "administratively prohibited": RFC 1812 §5.2.7.1, and RFC 4443 §3.1, where two of the three are
    /// subsets of the first.
    fn prohibits(self) -> bool {
        if self.v6 { matches!(self.code, 1 | 5 | 6) } else { matches!(self.code, 9 | 10 | 13) }
    }

    /// Whether only the host at the end may say it: of a protocol or a port.
    fn is_hosts(self) -> bool {
        if self.v6 { self.code == 4 } else { matches!(self.code, 2 | 3) }
    }

    /// The message as a fact.
    pub(crate) fn fact(self) -> Fact {
        let meaning = if self.v6 { meaning_v6(self.kind, self.code) } else { meaning_v4(self.kind, self.code) };
        Fact::Icmp { kind: self.kind, code: self.code, meaning, from: self.from }
    }
}

/// RFC 792, RFC 1122 §3.2.2.1 and RFC 1812 §5.2.7.1.
fn meaning_v4(kind: u8, code: u8) -> &'static str {
    match (kind, code) {
        (3, 0) => "network unreachable",
        (3, 1) => "host unreachable",
        (3, 2) => "protocol unreachable",
        (3, 3) => "port unreachable",
        (3, 4) => "fragmentation needed and forbidden",
        (3, 5) => "source route failed",
        (3, 6) => "destination network unknown",
        (3, 7) => "destination host unknown",
        (3, 8) => "source host isolated",
        (3, 9) => "network administratively prohibited",
        (3, 10) => "host administratively prohibited",
        (3, 11) => "network unreachable for this type of service",
        (3, 12) => "host unreachable for this type of service",
        (3, 13) => "communication administratively prohibited",
        (3, 14) => "host precedence violation",
        (3, 15) => "precedence cutoff in effect",
        (3, _) => "destination unreachable",
        (11, 0) => "time to live exceeded in transit",
        (11, _) => "time exceeded",
        (12, _) => "parameter problem",
        _ => "another ICMP message",
    }
}

/// RFC 4443 §3.
fn meaning_v6(kind: u8, code: u8) -> &'static str {
    match (kind, code) {
        (1, 0) => "no route to destination",
        (1, 1) => "communication administratively prohibited",
        (1, 2) => "beyond scope of source address",
        (1, 3) => "address unreachable",
        (1, 4) => "port unreachable",
        (1, 5) => "source address failed ingress or egress policy",
        (1, 6) => "reject route to destination",
        (1, _) => "destination unreachable",
        (2, _) => "packet too big",
        (3, 0) => "hop limit exceeded in transit",
        (3, _) => "time exceeded",
        (4, _) => "parameter problem",
        _ => "another ICMPv6 message",
    }
}
