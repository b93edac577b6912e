//! Past the edge: the same request straight to the origin, and what differs.
//!
//! That the direct way works and the one through the edge does not convicts nobody: [`Rival`]s are tried first.

use std::net::SocketAddr;

use crate::author::Recognition;
use crate::case::Origin;
use crate::fetch::Exchange;
use crate::probe::Probe;
use crate::tls::Scheme;
use crate::visit::Failing;

mod compare;
mod origin;
mod rivals;
mod trial;

pub use self::origin::{ask, compare};

/// What the origin says when nobody stands before it.
#[derive(Clone, Debug, Default)]
pub struct Direct {
    /// Every request made.
    pub asked: Vec<Asked>,
    /// What was tried to explain a difference between edge and origin.
    pub rivals: Vec<Rival>,
    /// What a person reads of all that.
    pub probes: Vec<Probe>,
}

/// One request past the edge.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Which origin, as the person said it.
    pub origin: Origin,
    /// How it was spoken to.
    pub scheme: Scheme,
    /// Over HTTP/2.
    pub http2: bool,
    /// The address and port tried first.
    pub address: SocketAddr,
    /// What came of it.
    pub exchange: Exchange,
    /// Whose answer it is.
    pub recognition: Recognition,
    /// Whether it is what a visitor should not see.
    pub failing: Option<Failing>,
    /// What differs from what the visitor got: a sentence each; empty if nothing does, or the visitor got nothing.
    pub differences: Vec<String>,
}

/// Something other than the edge that may be why the way through it fails and the direct one does not.
#[derive(Clone, Debug)]
pub struct Rival {
    /// Which.
    pub kind: RivalKind,
    /// Whether the origin fails under it; `None` if it could not be tried from here.
    pub fails: Option<bool>,
    /// What was seen, or why it could not be tried.
    pub seen: String,
}

/// The things that differ between an edge's request and a direct one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RivalKind {
    /// A firewall that lets others in and not the edge.
    Firewall,
    /// Many at once.
    Concurrency,
    /// The fields that the edge adds.
    EdgeFields,
    /// HTTP/2 to the origin.
    Http2,
    /// The port that goes with the SSL mode.
    Port,
    /// A connection that is used again after a while.
    Reuse,
    /// A header section as large as visitors may send.
    HeaderSize,
}

impl RivalKind {
    /// Its name in those of probes: `edge_fields`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Firewall => "firewall",
            Self::Concurrency => "concurrency",
            Self::EdgeFields => "edge_fields",
            Self::Http2 => "http2",
            Self::Port => "port",
            Self::Reuse => "reuse",
            Self::HeaderSize => "header_size",
        }
    }
}
