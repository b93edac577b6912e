//! A client that says what happened: one request, over HTTP/1.1 or HTTP/2, with every phase timed.
//!
//! It follows nothing, keeps nothing and repeats nothing. What it meets is a fault of the vocabulary, worded as for an
//! origin; whether it was one is for its callers to know.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use rayline_verdict::Verdict;
use url::Url;

/// A request.
#[derive(Clone, Debug)]
pub struct Ask {
    /// What for. Its host and port stand in `Host` and in the TLS handshake, wherever the request goes.
    pub url: Url,
    /// The method.
    pub method: String,
    /// Fields beside `Host`, `User-Agent`, `Accept` and the framing.
    pub fields: Vec<(String, String)>,
    /// The versions of HTTP that will do.
    pub protocols: rayline_dial::Protocols,
    /// Whether the certificate must be good.
    pub tls: rayline_dial::Tls,
    /// How long connecting, the TLS handshake and each wait may take.
    pub timeout: Duration,
    /// The most of the body that is kept, in bytes.
    pub body_bytes: usize,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// When it began.
    pub at: SystemTime,
    /// The address that took the connection.
    pub address: Option<SocketAddr>,
    /// `HTTP/1.1` or `HTTP/2`, once it is known.
    pub protocol: Option<&'static str>,
    /// Version and cipher of TLS, if it came to that.
    pub tls: Option<(String, String)>,
    /// How long the phases took.
    pub timings: Timings,
    /// The answer, or what was in its way.
    pub outcome: Result<Answer, Obstacle>,
}

/// How long the phases of a request took; `None` where it did not come to one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// TCP.
    pub connect: Option<Duration>,
    /// The TLS handshake.
    pub tls: Option<Duration>,
    /// From the request's end to the first byte of the final answer's head.
    pub wait: Option<Duration>,
    /// The body.
    pub receive: Option<Duration>,
    /// All of it.
    pub total: Duration,
}

/// Why there is no answer.
#[derive(Clone, Debug)]
pub enum Obstacle {
    /// A fault.
    Fault(Box<Verdict>),
    /// The connection stands, the request is sent and acknowledged, and nothing came in time. No fault yet: an edge
    /// waits longer.
    Silent {
        /// How long was waited.
        waited: Duration,
    },
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its fields in their order, with names in lower case.
    pub fields: Vec<(String, Vec<u8>)>,
    /// As much of the body as was kept.
    pub body: Vec<u8>,
    /// Bytes of the body that came, kept or not.
    pub body_bytes: u64,
    /// How the body ended.
    pub end: BodyEnd,
}

/// How a body ended.
#[derive(Clone, Debug)]
pub enum BodyEnd {
    /// As it should.
    Whole,
    /// It did not: it was cut, broken or stalled.
    Broken(Box<Verdict>),
    /// It is longer than what was to be kept, and was not read on.
    Left,
}

impl Answer {
    /// The value of the first field of this name (in lower case), as text.
    pub fn field(&self, name: &str) -> Option<std::borrow::Cow<'_, str>> {
        let found = self.fields.iter().find(|(field, _)| field == name);
        found.map(|(_, value)| String::from_utf8_lossy(value))
    }
}
