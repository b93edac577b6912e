//! What is said of a verdict, in plain words: the same in every form, whoever reads it may be a visitor.
//!
//! Nothing here looks at a fact that a visitor must not see, and nothing here knows of HTML or JSON.

use std::fmt::Write;

use crate::code::{Reached, Retry, Sent};
use crate::evidence::Fact;
use crate::number::{Category, Number};
use crate::party::{Hop, Party};
use crate::verdict::Verdict;

/// What stands above a page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heading {
    /// 520, 1016; 0 where there is none.
    pub(crate) number: u16,
    /// The HTTP status that carries it, if any does.
    pub(crate) status: Option<u16>,
    pub(crate) title: &'static str,
    /// `error_name` of structured errors.
    pub(crate) name: &'static str,
    pub(crate) category: Category,
}

impl Heading {
    /// Total: verdicts that never become a page, a preview shows them, have a heading too.
    pub(crate) fn of(verdict: &Verdict) -> Self {
        let number = verdict.number;
        let origins_own = verdict.code.entry().sent == Sent::Origin;
        match verdict.shown() {
            Some(&Number { status, title, name, category, .. }) if !origins_own || category == Category::Origin => {
                Self { number, status: Some(status), title, name, category }
            }
            _ if origins_own => Self {
                number,
                status: (100..600).contains(&number).then_some(number),
                title: "The site's server answered with an error",
                name: "origin_error",
                category: Category::Origin,
            },
            // An upgraded connection ended as it was asked to: nobody was owed an answer.
            _ if verdict.party() == Party::Policy => Self {
                number,
                status: None,
                title: "Idle connection closed",
                name: "idle_connection",
                category: Category::Edge,
            },
            // Of what failed here, only handshakes with a visitor have no number: there is no HTTP yet.
            _ => Self {
                number,
                status: None,
                title: "No answer could be sent",
                name: "no_answer",
                category: Category::Tls,
            },
        }
    }
}

/// What the visitor can do.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Advice {
    /// Things to do, the likeliest to help first.
    Steps(&'static [&'static str]),
    /// Sentences, some of them empty.
    Sentences([&'static str; 3]),
}

impl Advice {
    pub(crate) fn of(verdict: &Verdict) -> Self {
        let entry = verdict.code.entry();
        match entry.party {
            Party::Visitor => Self::Steps(entry.fix),
            Party::Policy => Self::Sentences([
                "A rule of this site asked for this.",
                "If you think that it is wrong, write to the site's owner and give the Ray ID.",
                "",
            ]),
            Party::Owner | Party::Edge | Party::Network | Party::Origin => Self::Sentences([
                match entry.retry {
                    Retry::Now => "Try again now.",
                    Retry::Later => "Try again in a few minutes.",
                    Retry::Never => "Trying again will not help until somebody has mended it.",
                },
                match (entry.retry, verdict.reached) {
                    (Retry::Never, _) | (_, Reached::No) => "",
                    (Retry::Now | Retry::Later, Reached::Maybe | Reached::Yes) => {
                        "If you were ordering or sending something, check first whether it has arrived."
                    }
                },
                match entry.retry {
                    Retry::Never => "Write to the site's owner and give the Ray ID.",
                    Retry::Now | Retry::Later => "If it still fails, write to the site's owner and give the Ray ID.",
                },
            ]),
        }
    }

    /// The sentences in one paragraph, the steps as a Markdown list.
    pub(crate) fn markdown(&self) -> String {
        match self {
            Self::Steps([only]) => format!("{only}."),
            Self::Steps(steps) => steps.iter().map(|step| format!("- {step}")).collect::<Vec<_>>().join("\n"),
            Self::Sentences(sentences) => {
                sentences.iter().filter(|sentence| !sentence.is_empty()).copied().collect::<Vec<_>>().join(" ")
            }
        }
    }
}

/// Who has to act, so that the error does not come again.
pub(crate) fn owner_must_act(party: Party) -> bool {
    match party {
        Party::Policy | Party::Owner | Party::Network | Party::Origin => true,
        Party::Visitor | Party::Edge => false,
    }
}

/// Whether the application saw the request.
pub(crate) fn reached(reached: Reached) -> &'static str {
    match reached {
        Reached::No => "This request did not reach your application.",
        Reached::Maybe => "This request may have reached your application.",
        Reached::Yes => "This request reached your application.",
    }
}

/// What of the evidence helps a visitor, as sentences that begin with a space; most verdicts have none.
pub(crate) fn details(verdict: &Verdict) -> String {
    let mut out = String::new();
    for fact in verdict.evidence.facts() {
        // Writing to a `String` does not fail.
        let _ = match fact {
            Fact::OriginStatus(status) => write!(out, " It sent the status {status}."),
            Fact::Limit { what, seen, limit } => write!(out, " Limit for {what}: {limit}; this was {seen}."),
            Fact::Host { host, server_name: Some(name) } => {
                write!(out, " It asks for {}, on a connection for {}.", brief(host), brief(name))
            }
            Fact::Host { server_name: None, .. } | Fact::TlsOffered { .. } => Ok(()),
            Fact::OriginAddress(_)
            | Fact::OriginName(_)
            | Fact::Errno { .. }
            | Fact::Icmp { .. }
            | Fact::Timer { .. }
            | Fact::BytesSent(_)
            | Fact::BytesReceived(_)
            | Fact::Body { .. }
            | Fact::FirstBytes(_)
            | Fact::LastBytes(_)
            | Fact::Violation { .. }
            | Fact::Connection { .. }
            | Fact::Tcp(_)
            | Fact::TlsAlert { .. }
            | Fact::TlsError(_)
            | Fact::Http2Error { .. }
            | Fact::Http2Connection { .. }
            | Fact::Frames { .. }
            | Fact::Upgrade { .. }
            | Fact::Protocol(_)
            | Fact::SslMode(_)
            | Fact::ServerName(_)
            | Fact::Certificate(_)
            | Fact::ExpectedName(_)
            | Fact::CheckedAt(_)
            | Fact::RevokedBy(_)
            | Fact::Dns(_)
            | Fact::ProhibitedAddress(_)
            | Fact::Informational(_)
            | Fact::RequestHeader { .. }
            | Fact::Rule { .. }
            | Fact::Made { .. }
            | Fact::RetryAfter(_)
            | Fact::Elapsed(_)
            | Fact::Internal(_) => Ok(()),
        };
    }
    out
}

/// The longest host name that is shown whole: DNS allows no longer one (RFC 1035 §2.3.4).
const HOST_BYTES: usize = 253;

/// A host name, cut short if it is absurdly long.
pub(crate) fn brief(host: &str) -> &str {
    let mut end = host.len().min(HOST_BYTES);
    while !host.is_char_boundary(end) {
        end -= 1;
    }
    host.get(..end).unwrap_or_default()
}

/// How a box of the picture *You · Edge · Host* is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Working,
    Failing,
    /// Not asked, or nothing is known against it.
    Idle,
}

impl Mark {
    pub(crate) fn of(hop: Hop, verdict: &Verdict) -> Self {
        let failing = verdict.party().hop();
        if hop == failing {
            return Self::Failing;
        }
        match hop {
            Hop::You => Self::Working,
            Hop::Edge => Self::Working,
            Hop::Host => Self::Idle,
        }
    }

    /// The word under the box.
    pub(crate) fn word(self, verdict: &Verdict) -> &'static str {
        match (self, verdict.party(), verdict.reached) {
            (Self::Working, _, _) => "Working",
            (Self::Idle, _, Reached::No) => "Not asked",
            (Self::Idle, _, Reached::Maybe | Reached::Yes) => "No fault found",
            (Self::Failing, Party::Policy, _) => "Said no",
            (Self::Failing, Party::Owner, _) => "Settings error",
            (Self::Failing, Party::Network, _) => "Not reached",
            (Self::Failing, Party::Visitor | Party::Edge | Party::Origin, _) => "Error",
        }
    }
}
