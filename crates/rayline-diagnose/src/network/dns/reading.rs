//! What two answers, for the two families, come to.

use std::collections::HashSet;
use std::net::IpAddr;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Name, RData};
use rayline_verdict::fault::ResolveCause;

use super::query::{self, Silence};
use crate::network::Answered;

/// Aliases after which it is no use to go on.
const MOST_ALIASES: usize = 16;

/// What a server says of a name.
#[derive(Clone, Debug, Default)]
pub(super) struct Reading {
    /// As it is told.
    pub(super) answered: Answered,
    /// What is the matter, if there is neither an address nor an alias that somebody else has to follow.
    pub(super) cause: Option<ResolveCause>,
    /// What the server says of why it failed.
    pub(super) extended_error: Option<(u16, String)>,
}

/// One answer.
#[derive(Debug)]
struct One {
    aliases: Vec<Name>,
    addresses: Vec<IpAddr>,
    ttl: Option<u32>,
    cause: Option<ResolveCause>,
    code: String,
    extended_error: Option<(u16, String)>,
}

impl Reading {
    /// What the answers to A and AAAA come to.
    pub(super) fn of(name: &Name, four: &Result<Message, Silence>, six: &Result<Message, Silence>) -> Self {
        let (four, six) = (One::of(name, four), One::of(name, six));
        let told = if six.weight(&four) > four.weight(&six) { &six } else { &four };
        let mut addresses: Vec<_> = four.addresses.iter().chain(&six.addresses).copied().collect();
        addresses.sort_unstable();
        addresses.dedup();
        let longest = if six.aliases.len() > four.aliases.len() { &six.aliases } else { &four.aliases };
        let cause = told.cause.filter(|_| addresses.is_empty());
        let answered = Answered {
            aliases: longest.iter().map(text).collect(),
            ttl: four.ttl.into_iter().chain(six.ttl).min(),
            failed: cause.map(|_| told.code.clone()),
            addresses,
        };
        Self { answered, cause, extended_error: told.extended_error.clone() }
    }

    /// What it says as a server of the zone: who is at an alias need not be for it to say.
    pub(super) fn into_authority(self) -> Answered {
        let failed = if self.leads_elsewhere() { None } else { self.answered.failed };
        Answered { failed, ..self.answered }
    }

    /// Whether it says no more than that the name is an alias.
    pub(super) fn leads_elsewhere(&self) -> bool {
        self.cause == Some(ResolveCause::NoAddress) && !self.answered.aliases.is_empty()
    }
}

impl One {
    fn of(name: &Name, answer: &Result<Message, Silence>) -> Self {
        match answer {
            Ok(message) => Self::of_message(name, message),
            Err(Silence::TimedOut) => Self::silent(ResolveCause::TimedOut, "timed out".to_owned()),
            Err(Silence::Unreachable(error)) => {
                Self::silent(ResolveCause::Unreachable, format!("unreachable: {error}"))
            }
        }
    }

    fn silent(cause: ResolveCause, code: String) -> Self {
        Self { aliases: Vec::new(), addresses: Vec::new(), ttl: None, cause: Some(cause), code, extended_error: None }
    }

    fn of_message(name: &Name, message: &Message) -> Self {
        let (aliases, circle) = follow(name, message);
        let end = aliases.last().unwrap_or(name);
        let at_end = message.answers.iter().filter(|record| record.name.to_lowercase() == *end);
        let addresses: Vec<_> = at_end.filter_map(|record| record.data.ip_addr()).collect();
        let code = message.metadata.response_code;
        let cause = match code {
            _ if circle => Some(ResolveCause::AliasLoop),
            _ if !addresses.is_empty() => None,
            code => Some(cause_of(code)),
        };
        let ttl = message.answers.iter().map(|record| record.ttl).min();
        let code = match cause {
            Some(ResolveCause::AliasLoop) => "its aliases lead in a circle".to_owned(),
            Some(ResolveCause::NoAddress) => "no address".to_owned(),
            _ => name_of(code),
        };
        Self { aliases, addresses, ttl, cause, code, extended_error: query::extended_error(message) }
    }

    /// How much it says of the name beside the other. "No such name" holds for both families, unless the other answer
    /// knows the name: servers exist that deny a name for want of an IPv6 address (RFC 4074 section 4.2).
    fn weight(&self, other: &Self) -> u8 {
        match self.cause {
            None => 0,
            Some(ResolveCause::NxDomain) if other.cause == Some(ResolveCause::NoAddress) => 1,
            Some(ResolveCause::NoAddress) => 2,
            Some(ResolveCause::Unreachable) => 3,
            Some(ResolveCause::TimedOut) => 4,
            Some(ResolveCause::Refused) => 5,
            Some(ResolveCause::ServFail) => 6,
            Some(ResolveCause::NxDomain) => 7,
            Some(ResolveCause::AliasLoop | ResolveCause::ProhibitedAddress | ResolveCause::PointsToEdge) => 8,
        }
    }
}

/// The aliases of `name` in an answer, in order, and whether they come back to where they have been.
pub(super) fn follow(name: &Name, message: &Message) -> (Vec<Name>, bool) {
    let (mut trail, mut been) = (Vec::new(), HashSet::from([name.to_lowercase()]));
    while trail.len() < MOST_ALIASES {
        let owner = trail.last().cloned().unwrap_or_else(|| name.to_lowercase());
        let target = message.answers.iter().find_map(|record| match &record.data {
            RData::CNAME(target) if record.name.to_lowercase() == owner => Some(target.0.to_lowercase()),
            _ => None,
        });
        let Some(target) = target else { return (trail, false) };
        let circle = !been.insert(target.clone());
        trail.push(target);
        if circle {
            return (trail, true);
        }
    }
    (trail, true)
}

/// A name as people write it.
pub(super) fn text(name: &Name) -> String {
    let text = name.to_lowercase().to_ascii();
    text.strip_suffix('.').filter(|bare| !bare.is_empty()).unwrap_or(&text).to_owned()
}

/// The happening behind a response code that came without an address.
fn cause_of(code: ResponseCode) -> ResolveCause {
    match code {
        ResponseCode::NXDomain => ResolveCause::NxDomain,
        ResponseCode::NoError => ResolveCause::NoAddress,
        ResponseCode::Refused | ResponseCode::NotAuth => ResolveCause::Refused,
        // All others are a server's failure: none of them is an answer to a question for an address.
        _ => ResolveCause::ServFail,
    }
}

/// The code's name in the IANA registry "DNS RCODEs".
fn name_of(code: ResponseCode) -> String {
    match code {
        ResponseCode::Unknown(number) => format!("RCODE{number}"),
        named => format!("{named:?}").to_ascii_uppercase(),
    }
}
