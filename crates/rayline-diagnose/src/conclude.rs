//! From everything that was seen to a verdict: whose fault, how sure, why, and what to do.
//!
//! It does no I/O. Blame itself is assigned by the vocabulary's attribution; what is weighed here is which of the seen
//! faults is the one that the visitor meets.

use rayline_verdict::{Code, Verdict};

use crate::direct::Direct;
use crate::edge::Side;
use crate::host::Host;
use crate::load::Load;
use crate::logs::{Named, Reading};
use crate::network::Network;
use crate::probe::Probe;
use crate::tls::Report;
use crate::visit::Visit;

/// Everything that was seen.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// As a visitor.
    pub visit: Visit,
    /// Past the edge; `None`: nobody knows where the origin is.
    pub direct: Option<Direct>,
    /// The origin's TLS.
    pub tls: Option<Report>,
    /// Names and paths.
    pub network: Option<Network>,
    /// The origin's machine.
    pub host: Option<Host>,
    /// The origin's logs.
    pub logs: Option<Reading>,
    /// The edge's records.
    pub edge: Option<Side>,
    /// What load the origin takes.
    pub load: Option<Load>,
    /// What a person reads of the steps that keep no probes of their own.
    pub probes: Vec<Probe>,
}

/// The boxes of the picture *You ─ Edge ─ Network ─ Origin ─ App*.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hop {
    /// The visitor's side.
    You,
    /// The edge, and what its owner configured.
    Edge,
    /// Between edge and origin.
    Network,
    /// The server and its machine.
    Origin,
    /// The application, and what it depends on.
    App,
}

impl Hop {
    /// The word in `hop`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::You => "you",
            Self::Edge => "edge",
            Self::Network => "network",
            Self::Origin => "origin",
            Self::App => "app",
        }
    }
}

/// What is concluded.
#[derive(Clone, Debug)]
pub struct Conclusion {
    /// How it came out.
    pub outcome: Outcome,
    /// What failed; `None` unless a fault was found.
    pub verdict: Option<Verdict>,
    /// What inside the origin, if logs or machine name it.
    pub cause: Option<Named>,
    /// Whose fault it is, in one sentence.
    pub sentence: String,
    /// Where on the way.
    pub hop: Option<Hop>,
    /// What it rests on, a sentence each, the strongest first.
    pub clues: Vec<String>,
    /// What else it could be, and the verdict itself where it is not certain; the likeliest first.
    pub hypotheses: Vec<Hypothesis>,
    /// What to do, the likeliest step first.
    pub fix: Vec<String>,
    /// What would make the verdict surer: what to give this program, or to look up.
    pub next: Vec<String>,
}

/// How a diagnosis came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing fails.
    Fine,
    /// A fault was found.
    Fault,
    /// It fails, and nothing tells whose fault it is; or nothing could be asked.
    CannotTell,
}

impl Outcome {
    /// The word in `outcome`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Fault => "fault",
            Self::CannotTell => "cannot_tell",
        }
    }
}

/// An explanation.
#[derive(Clone, Debug)]
pub struct Hypothesis {
    /// What would have failed.
    pub code: Code,
    /// What inside the origin.
    pub cause: Option<crate::logs::Cause>,
    /// How likely, from 0 to 1; all of them together at most 1.
    pub likelihood: f64,
    /// In one sentence.
    pub sentence: String,
    /// What speaks for it.
    pub speaks_for: Vec<String>,
    /// What speaks against it.
    pub speaks_against: Vec<String>,
    /// The one test that would decide.
    pub decide: String,
}
