//! Numbers that people know from Cloudflare's pages and that this edge never sends, and why.
//!
//! Those that it sends are in the table of numbers.

use crate::code::Code;

/// A number that no page of this edge shows.
#[derive(Debug)]
pub struct Unsent {
    /// The number.
    pub number: u16,
    /// What Cloudflare's page is called.
    pub title: &'static str,
    /// What leads to it there, and why not here: sentences.
    pub why: &'static str,
    /// What a request like that gets here, the nearest first.
    pub instead: &'static [Code],
}

impl Unsent {
    /// The row of a number.
    pub fn find(number: u16) -> Option<&'static Self> {
        UNSENT.iter().find(|row| row.number == number)
    }
}

const fn row(number: u16, title: &'static str, why: &'static str, instead: &'static [Code]) -> Unsent {
    Unsent { number, title, why, instead }
}

const BANNED: &str = "A ban of an address has three numbers at Cloudflare, which tells them apart nowhere. This edge has one, 1006, for \
                      the address and for the network around it.";
const WORKERS: &str = "It speaks of Workers, which this version does not run.";
const LEGAL: &str = "It is for what has to be withheld by law. No law talks to this edge: its owner does, with a custom rule that blocks \
                     and has a response of its own, of the status 451.";

/// Every one of them, by number.
pub const UNSENT: &[Unsent] = &[
    row(
        1004,
        "Host not configured to serve web traffic",
        "Cloudflare shows it where its staff has switched a host off, or the world does not know of it yet. Here a host is served \
         from the moment that the configuration has it.",
        &[Code::OwnerRouteNoRecord, Code::OwnerRouteUnknownHost],
    ),
    row(1007, "Access denied: your IP address has been banned", BANNED, &[Code::PolicyRulesAddressBanned]),
    row(1008, "Access denied: your IP address has been banned", BANNED, &[Code::PolicyRulesAddressBanned]),
    row(
        1012,
        "Access denied",
        "Cloudflare shows it to addresses from which it has seen attacks elsewhere. This edge knows of no other edges' visitors and \
         keeps no reputation of anybody: it judges the request.",
        &[Code::PolicyRulesManagedRule, Code::PolicyRulesCustomRule, Code::PolicyRulesAddressBanned],
    ),
    row(
        1014,
        "CNAME Cross-User Banned",
        "It keeps one customer's host names from pointing at another's. An edge of one's own has one customer.",
        &[Code::OwnerRouteUnknownHost],
    ),
    row(
        1018,
        "Could not find host",
        "Here it is 1001: the edge does not serve the host.",
        &[Code::OwnerRouteUnknownHost],
    ),
    row(1019, "Compute server error", WORKERS, &[]),
    row(1021, "Worker: host not accessible", WORKERS, &[]),
    row(1022, "Failed to route to Worker", WORKERS, &[]),
    row(
        1023,
        "Could not find host",
        "Here it is 1001: the edge does not serve the host.",
        &[Code::OwnerRouteUnknownHost],
    ),
    row(1024, "Worker: subrequest to an address of the edge", WORKERS, &[]),
    row(1025, "Please check back later", WORKERS, &[]),
    row(1026, "Unavailable for legal reasons", LEGAL, &[Code::PolicyRulesCustomRule]),
    row(1027, "Worker: daily request limit", WORKERS, &[]),
    row(
        1033,
        "Cloudflare Tunnel error",
        "The origin hides behind a tunnel, and nobody is at its other end. This edge has no tunnels: it connects to the origin.",
        &[Code::OriginConnectRefused, Code::NetworkConnectTimedOut],
    ),
    row(
        1034,
        "Edge IP Restricted",
        "A host name points to an address of Cloudflare's that is not for it. This edge serves every host on every address it listens on.",
        &[Code::OwnerRouteUnknownHost],
    ),
    row(1039, "Unavailable for legal reasons", LEGAL, &[Code::PolicyRulesCustomRule]),
    row(1042, "Worker: fetch to a Worker of the same zone", WORKERS, &[]),
    row(1101, "Worker threw an exception", WORKERS, &[]),
    row(1102, "Worker exceeded resource limits", WORKERS, &[]),
    row(
        1200,
        "Cache connection limit",
        "Too many requests wait for one origin within Cloudflare. Here each waits for a connection of its own, and says so if it gets none.",
        &[Code::EdgeConnectExhausted, Code::EdgeAcceptTooManyConnections],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::Number;

    #[test]
    fn a_number_is_sent_or_is_not() {
        assert!(UNSENT.is_sorted_by(|one, other| one.number < other.number));
        for row in UNSENT {
            assert!(Number::find(row.number).is_none(), "{} is sent", row.number);
            assert!(row.why.ends_with('.') && !row.title.is_empty(), "{}", row.number);
        }
    }

    /// What Cloudflare's documentation says rules lead to: each has its code, or its reason.
    #[test]
    fn every_number_of_rules_is_explained() {
        for number in (1005..=1012).chain([1015, 1020]).chain(1035..=1041) {
            assert!(Number::find(number).is_some() != Unsent::find(number).is_some(), "{number}");
        }
    }
}
