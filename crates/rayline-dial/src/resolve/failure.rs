//! Why a name could not be resolved, out of what the resolver library says of two queries.

use std::time::Duration;

use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use rayline_verdict::Fact;
use rayline_verdict::fault::ResolveCause;

use crate::connect::milliseconds;
use crate::resolve::cache;

/// A name that could not be resolved.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) cause: ResolveCause,
    pub(crate) response_code: String,
    /// How long it holds.
    pub(crate) life: Duration,
    /// What else shows it.
    pub(crate) more: Vec<Fact>,
}

impl Failure {
    pub(crate) fn new(cause: ResolveCause, response_code: impl Into<String>, life: Duration) -> Self {
        let response_code = response_code.into();
        Self { cause, response_code, life, more: Vec::new() }
    }

    /// The name has no address of the family asked for, says an answer that holds other records.
    pub(crate) fn none() -> Self {
        Self::new(ResolveCause::NoAddress, "NOERROR", cache::FAILURE)
    }

    /// Nobody answered in time.
    pub(crate) fn timed_out(limit: Duration) -> Self {
        let timer = Fact::Timer { setting: "resolve_timeout", limit_ms: milliseconds(limit) };
        Self { more: vec![timer], ..Self::new(ResolveCause::TimedOut, "none", cache::FAILURE) }
    }

    /// With one more fact.
    pub(crate) fn with(mut self, fact: Option<Fact>) -> Self {
        self.more.extend(fact);
        self
    }

    /// The same evidence, seen to mean something else.
    pub(crate) fn because(self, cause: ResolveCause) -> Self {
        Self { cause, ..self }
    }

    /// What one query came to.
    pub(crate) fn of_query(error: &NetError, limit: Duration) -> Self {
        match error {
            NetError::Dns(DnsError::NoRecordsFound(none)) => {
                let life = none.negative_ttl.map_or(cache::FAILURE, |ttl| Duration::from_secs(u64::from(ttl)));
                let life = life.clamp(cache::FAILURE, cache::LONGEST_NEGATIVE);
                Self::new(cause_of(none.response_code), name_of(none.response_code), life)
            }
            NetError::Dns(DnsError::ResponseCode(code)) => Self::new(cause_of(*code), name_of(*code), cache::FAILURE),
            // The library's limit for one query is within ours for the name.
            NetError::Timeout => Self::timed_out(limit),
            // The library mostly keeps the socket's own error to itself: see `socket`.
            NetError::Io(_) | NetError::NoConnections => Self::new(ResolveCause::Unreachable, "none", cache::FAILURE),
            // An answer came and cannot be used: broken, foreign, cut short, or not validated. (The library may add
            // errors; those of connections are named above.)
            other => {
                let more = vec![Fact::Internal(other.to_string())];
                Self { more, ..Self::new(ResolveCause::ServFail, "none", cache::FAILURE) }
            }
        }
    }

    /// What two queries for the two families came to, when neither gave an address.
    ///
    /// "No such name" holds for both families, unless the other answer knows the name: servers exist that deny a name for
    /// want of an IPv6 address (RFC 4074 §4.2). "No address of this family" says little while the other family is not
    /// answered. An answer says more than silence, and silence more than no way to ask.
    pub(crate) fn of_both(one: Self, other: Self) -> Self {
        let exists = [&one, &other].iter().any(|failure| failure.cause == ResolveCause::NoAddress);
        let weight = |failure: &Self| match failure.cause {
            ResolveCause::NxDomain if exists => 0,
            ResolveCause::NoAddress => 1,
            ResolveCause::Unreachable => 2,
            ResolveCause::TimedOut => 3,
            ResolveCause::Refused => 4,
            ResolveCause::ServFail => 5,
            ResolveCause::NxDomain => 6,
            ResolveCause::AliasLoop | ResolveCause::ProhibitedAddress | ResolveCause::PointsToEdge => 7,
        };
        let life = one.life.min(other.life);
        let told = if weight(&other) > weight(&one) { other } else { one };
        Self { life, ..told }
    }
}

/// The happening behind a response code. Codes of which a resolver should hear none are the name server's failure.
fn cause_of(code: ResponseCode) -> ResolveCause {
    match code {
        ResponseCode::NXDomain => ResolveCause::NxDomain,
        ResponseCode::NoError => ResolveCause::NoAddress,
        ResponseCode::Refused | ResponseCode::NotAuth => ResolveCause::Refused,
        ResponseCode::ServFail
        | ResponseCode::FormErr
        | ResponseCode::NotImp
        | ResponseCode::YXDomain
        | ResponseCode::YXRRSet
        | ResponseCode::NXRRSet
        | ResponseCode::NotZone
        | ResponseCode::BADVERS
        | ResponseCode::BADSIG
        | ResponseCode::BADKEY
        | ResponseCode::BADTIME
        | ResponseCode::BADMODE
        | ResponseCode::BADNAME
        | ResponseCode::BADALG
        | ResponseCode::BADTRUNC
        | ResponseCode::BADCOOKIE
        | ResponseCode::Unknown(_) => ResolveCause::ServFail,
    }
}

/// The code's name in the IANA registry "DNS RCODEs".
fn name_of(code: ResponseCode) -> String {
    match code {
        ResponseCode::Unknown(number) => format!("RCODE{number}"),
        named => format!("{named:?}").to_ascii_uppercase(),
    }
}

#[cfg(test)]
mod tests {
    use hickory_resolver::net::NoRecords;
    use hickory_resolver::proto::op::Query;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(5);

    fn none(code: ResponseCode, ttl: Option<u32>) -> NetError {
        let mut none = NoRecords::new(Query::default(), code);
        none.negative_ttl = ttl;
        none.into()
    }

    #[test]
    fn each_outcome_of_a_query_has_its_cause() {
        let io = std::io::Error::from_raw_os_error(libc::ECONNREFUSED);
        let rows = [
            (none(ResponseCode::NXDomain, Some(60)), ResolveCause::NxDomain, "NXDOMAIN", 60),
            (none(ResponseCode::NXDomain, Some(1_000_000)), ResolveCause::NxDomain, "NXDOMAIN", 3 * 3600),
            (none(ResponseCode::NoError, None), ResolveCause::NoAddress, "NOERROR", 1),
            (DnsError::ResponseCode(ResponseCode::ServFail).into(), ResolveCause::ServFail, "SERVFAIL", 1),
            (DnsError::ResponseCode(ResponseCode::Refused).into(), ResolveCause::Refused, "REFUSED", 1),
            (DnsError::ResponseCode(ResponseCode::NotImp).into(), ResolveCause::ServFail, "NOTIMP", 1),
            (DnsError::ResponseCode(ResponseCode::Unknown(77)).into(), ResolveCause::ServFail, "RCODE77", 1),
            (NetError::Timeout, ResolveCause::TimedOut, "none", 1),
            (NetError::from(io), ResolveCause::Unreachable, "none", 1),
            (NetError::NoConnections, ResolveCause::Unreachable, "none", 1),
            (NetError::Truncated, ResolveCause::ServFail, "none", 1),
        ];
        for (error, cause, code, life) in rows {
            let failure = Failure::of_query(&error, LIMIT);
            assert_eq!((failure.cause, failure.response_code.as_str()), (cause, code), "{error}");
            assert_eq!(failure.life, Duration::from_secs(life), "{error}");
        }
    }

    #[test]
    fn two_failures_come_to_the_more_telling_one() {
        let failure = |cause| Failure::new(cause, "any", LIMIT);
        let rows = [
            (ResolveCause::NxDomain, ResolveCause::NxDomain, ResolveCause::NxDomain),
            (ResolveCause::NxDomain, ResolveCause::NoAddress, ResolveCause::NoAddress),
            (ResolveCause::NxDomain, ResolveCause::ServFail, ResolveCause::NxDomain),
            (ResolveCause::NoAddress, ResolveCause::TimedOut, ResolveCause::TimedOut),
            (ResolveCause::NoAddress, ResolveCause::ServFail, ResolveCause::ServFail),
            (ResolveCause::TimedOut, ResolveCause::ServFail, ResolveCause::ServFail),
            (ResolveCause::Unreachable, ResolveCause::TimedOut, ResolveCause::TimedOut),
            (ResolveCause::Refused, ResolveCause::Unreachable, ResolveCause::Refused),
        ];
        for (one, other, told) in rows {
            assert_eq!(Failure::of_both(failure(one), failure(other)).cause, told);
            assert_eq!(Failure::of_both(failure(other), failure(one)).cause, told);
        }
    }
}
