//! What is measured: a table of scenarios, each with what the visitors do, what the origin is, and the goal.

use super::origin::{LARGE, MIDDLE, SMALL};
use super::rules::Rules;

/// What the proxy finds at its origin's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The nginx that serves files.
    Plain,
    /// The same over TLS.
    Tls,
    /// A port where nothing listens.
    Refusing,
}

/// How visitors come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Visitors {
    /// `wrk` over HTTP/1.1 with this many connections.
    Http1 {
        /// Over TLS.
        tls: bool,
        /// How many at a time.
        connections: u32,
    },
    /// `h2load` over HTTP/2 and TLS: this many connections with as many streams on each.
    Http2 {
        /// How many at a time.
        connections: u32,
        /// Requests in flight on each.
        streams: u32,
    },
    /// Connections that ask once and then only stay.
    Idle {
        /// How many in the end.
        connections: u32,
    },
}

/// What is asked again and again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question {
    pub(crate) path: &'static str,
    /// Header fields beside `Host`.
    pub(crate) fields: &'static [&'static str],
    /// Bytes of the body of a POST; 0 for a GET.
    pub(crate) upload: usize,
    /// Bytes of the answer's body, at least.
    pub(crate) answer: usize,
}

/// The figure that the goal is about, as a multiple of nginx's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Goal {
    /// CPU per request at most this many times nginx's.
    Cpu(f64),
    /// Memory at most this many times nginx's.
    Memory(f64),
}

/// One row of the benchmark.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// For headings.
    pub(crate) title: &'static str,
    pub(crate) visitors: Visitors,
    pub(crate) origin: Origin,
    pub(crate) question: Question,
    /// What every request is held against.
    pub(crate) rules: Option<Rules>,
    pub(crate) goal: Goal,
    /// Part of the quick run.
    pub(crate) quick: bool,
}

impl Scenario {
    /// Whether every answer must be a failure.
    pub(crate) fn fails(&self) -> bool {
        self.origin == Origin::Refusing
    }
}

const GET_SMALL: Question = Question { path: "/small", fields: &[], upload: 0, answer: SMALL };
const KEPT: Visitors = Visitors::Http1 { tls: false, connections: 32 };

/// 1 KB over kept connections.
pub(crate) const PLAIN: Scenario = Scenario {
    name: "small",
    title: "1 KB over kept connections",
    visitors: KEPT,
    origin: Origin::Plain,
    question: GET_SMALL,
    rules: None,
    goal: Goal::Cpu(1.0),
    quick: true,
};

/// Every scenario, in the order of the report.
pub(crate) const SCENARIOS: &[Scenario] = &[
    PLAIN,
    Scenario {
        name: "100k",
        title: "100 KB over kept connections",
        question: Question { path: "/middle", answer: MIDDLE, ..GET_SMALL },
        goal: Goal::Cpu(0.6),
        quick: false,
        ..PLAIN
    },
    Scenario {
        name: "10m",
        title: "10 MB over kept connections",
        visitors: Visitors::Http1 { tls: false, connections: 4 },
        question: Question { path: "/large", answer: LARGE, ..GET_SMALL },
        goal: Goal::Cpu(0.6),
        quick: false,
        ..PLAIN
    },
    Scenario {
        name: "post",
        title: "POST of 100 KB over kept connections",
        question: Question { path: "/upload", upload: MIDDLE, answer: 0, ..GET_SMALL },
        goal: Goal::Cpu(1.0),
        quick: false,
        ..PLAIN
    },
    Scenario {
        name: "connections",
        title: "1 KB, a new connection for each request",
        question: Question { fields: &["Connection: close"], ..GET_SMALL },
        goal: Goal::Cpu(1.0),
        quick: false,
        ..PLAIN
    },
    Scenario {
        name: "tls",
        title: "1 KB to visitors over TLS, HTTP/1.1",
        visitors: Visitors::Http1 { tls: true, connections: 32 },
        goal: Goal::Cpu(1.0),
        quick: false,
        ..PLAIN
    },
    Scenario {
        name: "http2",
        title: "1 KB to visitors over TLS, HTTP/2",
        visitors: Visitors::Http2 { connections: 8, streams: 8 },
        goal: Goal::Cpu(1.0),
        quick: false,
        ..PLAIN
    },
    Scenario {
        name: "origin-tls",
        title: "1 KB from the origin over TLS",
        origin: Origin::Tls,
        goal: Goal::Cpu(1.0),
        quick: false,
        ..PLAIN
    },
    Scenario {
        name: "refused-html",
        title: "the origin refuses every connection, visitors take HTML",
        origin: Origin::Refusing,
        question: Question { fields: &["Accept: text/html"], answer: 0, ..GET_SMALL },
        quick: true,
        ..PLAIN
    },
    Scenario {
        name: "refused-json",
        title: "the origin refuses every connection, visitors take JSON",
        origin: Origin::Refusing,
        question: Question { fields: &["Accept: application/json"], answer: 0, ..GET_SMALL },
        quick: false,
        ..PLAIN
    },
    Scenario {
        name: "idle",
        title: "10,000 visitors who asked once and stay connected",
        visitors: Visitors::Idle { connections: 10_000 },
        goal: Goal::Memory(1.0),
        quick: false,
        ..PLAIN
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = SCENARIOS.iter().map(|scenario| scenario.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), SCENARIOS.len());
    }
}
