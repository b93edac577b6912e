//! The words for ICMP messages that end a connection.

use rayline_verdict::Fact;

use crate::sys::IcmpError;

impl IcmpError {
    /// Whether it is what a firewall says, and not a router without a way.
    pub(crate) fn forbids(self) -> bool {
        match (self.v6, self.kind, self.code) {
            (false, 3, 9 | 10 | 13) | (true, 1, 1 | 5) => true,
            // What firewalls say unless told otherwise: a port.
            (false, 3, 3) | (true, 1, 4) => true,
            _ => false,
        }
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
