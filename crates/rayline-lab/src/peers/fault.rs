//! The seventeen ways in which an origin fails that proxies are measured by, and the answers that they must not be taken
//! for: a table.

use rayline_testkit::{Flaw, Script, can_vanish};

/// What an origin does to every proxy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    /// What people choose it by, and the first label of the host name that is asked for.
    pub(crate) name: &'static str,
    /// What happens, in a few words.
    pub(crate) title: &'static str,
    pub(crate) made: Made,
    pub(crate) role: Role,
}

/// How the origin is made.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Made {
    /// It plays this script.
    Plays(fn() -> Script),
    /// It answers well, over TLS, with a certificate that has this flaw.
    Presents(Flaw),
    /// It is at an address that connecting to fails at once, without a packet: a multicast one.
    Unroutable,
    /// Its name does not exist.
    Unnamed,
}

/// What is it for?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// It is to be told apart.
    Fault,
    /// A good answer: a fault that looks like one is not told apart.
    Success,
    /// The origin's own 502: a fault that looks like one is not told apart either.
    Own502,
}

const fn fault(name: &'static str, title: &'static str, made: Made) -> Fault {
    Fault { name, title, made, role: Role::Fault }
}

/// To the one who connects both are the same: a firewall that drops the SYN, and a machine whose queue is full.
fn unanswered() -> Script {
    if can_vanish().is_ok() { Script::drop_syn() } else { Script::backlog_full() }
}

/// All of them, the answers first.
pub(crate) const FAULTS: &[Fault] = &[
    Fault { name: "good", title: "a good answer", made: Made::Plays(Script::ok), role: Role::Success },
    Fault { name: "good-tls", title: "a good answer over TLS", made: Made::Presents(Flaw::None), role: Role::Success },
    Fault {
        name: "own-502",
        title: "the origin's own 502",
        made: Made::Plays(|| Script::status(502)),
        role: Role::Own502,
    },
    fault("refused", "connection refused", Made::Plays(Script::refuse)),
    fault("syn-dropped", "connecting is never answered", Made::Plays(unanswered)),
    fault("no-route", "no route to the address", Made::Unroutable),
    fault("no-name", "the name does not exist", Made::Unnamed),
    fault("tls-silent", "the TLS handshake is never answered", Made::Plays(Script::tls_silent)),
    fault("tls-reset", "reset in the TLS handshake", Made::Plays(Script::tls_reset)),
    fault("certificate", "the certificate has expired", Made::Presents(Flaw::Expired)),
    fault("reset", "reset instead of an answer", Made::Plays(Script::reset_after_request)),
    fault("empty", "closed without an answer", Made::Plays(Script::close_empty)),
    fault("half-head", "closed in the middle of the head", Made::Plays(Script::half_header)),
    fault("garbage", "bytes that are not HTTP", Made::Plays(Script::garbage)),
    fault("field-name", "a space in a field name", Made::Plays(Script::space_in_field_name)),
    fault("huge-head", "a head of 2 MB", Made::Plays(Script::huge_head)),
    fault("no-answer", "the request is never answered", Made::Plays(Script::stall_before_head)),
    fault("truncated", "100 bytes of a body of 1000", Made::Plays(|| Script::truncated_body(1000, 100))),
    fault("bad-chunk", "a chunk size that is no number", Made::Plays(Script::bad_chunk)),
    fault("two-lengths", "two different lengths", Made::Plays(Script::two_lengths)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_seventeen_with_names_of_their_own() {
        assert_eq!(FAULTS.iter().filter(|fault| fault.role == Role::Fault).count(), 17);
        let names: std::collections::BTreeSet<_> = FAULTS.iter().map(|fault| fault.name).collect();
        assert_eq!(names.len(), FAULTS.len());
    }
}
