//! Asking as a visitor does: by each family of addresses and version of HTTP, often enough to know how often it fails.
//!
//! A certificate that a browser would not take is said, and then looked past, so that what is behind it is found too.

use std::net::SocketAddr;
use std::time::Duration;

use url::Url;

use crate::author::Recognition;
use crate::fetch::Exchange;
use crate::probe::Probe;

mod judge;
mod names;
mod rate;
pub(crate) mod redirect;
mod sampling;
pub(crate) mod show;
mod tally;
mod trace;
mod visitor;

pub(crate) use self::judge::failing;
pub(crate) use self::names::Names;
pub(crate) use self::visitor::PROMPT;
pub use self::visitor::visit;
pub(crate) use self::visitor::visit_into;

/// What visitors meet.
#[derive(Clone, Debug, Default)]
pub struct Visit {
    /// The addresses that the name leads to; empty if it leads nowhere.
    pub addresses: Vec<SocketAddr>,
    /// Why it leads nowhere.
    pub unresolved: Option<Box<rayline_verdict::Verdict>>,
    /// What a browser would say of the certificate; `None` if it is good, or there is none.
    pub certificate: Option<Box<rayline_verdict::Verdict>>,
    /// Every request made, in order.
    pub samples: Vec<Sample>,
    /// Where redirects led, if any were followed: every URL asked for, the first one first.
    pub redirects: Vec<Url>,
    /// The redirects go in a circle.
    pub looping: Option<Loop>,
    /// How often the page fails at which the redirects end.
    pub rate: Option<Rate>,
    /// What `/cdn-cgi/trace` says, line by line.
    pub trace: Option<Vec<(String, String)>>,
    /// What a person reads of all that.
    pub probes: Vec<Probe>,
}

/// One request of a visitor.
#[derive(Clone, Debug)]
pub struct Sample {
    /// What was asked for.
    pub url: Url,
    /// Which of the ways it went.
    pub way: Way,
    /// What came of it.
    pub exchange: Exchange,
    /// Whose answer it is.
    pub recognition: Recognition,
    /// Whether it is what a visitor should not see, and why.
    pub failing: Option<Failing>,
}

/// A way to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Way {
    /// By IPv6; else by IPv4.
    pub ipv6: bool,
    /// By HTTP/2, where it is agreed on; else by HTTP/1.1.
    pub http2: bool,
}

/// Why a sample counts as failing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failing {
    /// A status of 500 or more.
    Status,
    /// A status below 500 that an edge made to refuse the visitor or the site: 403, 409 or 429 with a number.
    Refused,
    /// A success without a byte to show.
    Blank,
    /// A body that broke.
    Body,
    /// No answer.
    NoAnswer,
    /// It took so long that it has not ended yet.
    Slow,
}

/// A circle of redirects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loop {
    /// It goes from `http` to `https` of the same URL: as under the SSL mode Flexible.
    pub flexible: bool,
    /// The URLs in the circle.
    pub urls: Vec<Url>,
}

/// How often it fails, with the interval that holds the truth in 95 of 100 cases (Wilson's).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Samples that failed.
    pub failed: u32,
    /// Samples in all.
    pub of: u32,
    /// The interval's ends, from 0 to 1.
    pub between: (f64, f64),
}

impl Way {
    /// Its name in those of probes: `http2.ipv4`.
    pub fn name(self) -> &'static str {
        match (self.http2, self.ipv6) {
            (false, false) => "http1.ipv4",
            (false, true) => "http1.ipv6",
            (true, false) => "http2.ipv4",
            (true, true) => "http2.ipv6",
        }
    }
}

impl Visit {
    /// The first sample that fails, of those that were not redirected on.
    pub fn failing(&self) -> Option<&Sample> {
        self.samples.iter().find(|sample| sample.failing.is_some())
    }
}

impl Sample {
    /// Whether it went by the version of HTTP that it was to go by, as far as it came to one.
    pub fn is_as_asked(&self) -> bool {
        let protocol = if self.way.http2 { "HTTP/2" } else { "HTTP/1.1" };
        self.exchange.protocol.is_none_or(|spoken| spoken == protocol)
    }

    /// How long the answer's head took from the start, if one came.
    pub fn first_byte(&self) -> Option<Duration> {
        let timings = &self.exchange.timings;
        Some(timings.connect.unwrap_or_default() + timings.tls.unwrap_or_default() + timings.wait?)
    }
}
