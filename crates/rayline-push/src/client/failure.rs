//! Why a receiver gave no answer: at whom, at which step, and what was said.
//!
//! It holds no path, no query and no header: these may be secrets.

use std::error::Error;
use std::fmt;
use std::time::Duration;

/// Bytes of what others say of an error.
const SAID_BYTES: usize = 300;

/// There is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Host and port.
    pub(super) place: String,
    pub(super) step: Step,
    pub(super) why: Why,
}

/// How far it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The address cannot be asked.
    Address,
    /// Resolving the name.
    Resolve,
    /// Connecting.
    Connect,
    /// The TLS handshake.
    Tls,
    /// Sending the request and reading its answer: whether it was received is not known.
    Response,
}

/// What kept it from going on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Why {
    Late(Duration),
    Said(String),
}

impl Failure {
    /// How far it came.
    pub const fn step(&self) -> Step {
        self.step
    }

    /// Whether a time-out ended it.
    pub const fn is_late(&self) -> bool {
        matches!(self.why, Why::Late(_))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, step, why } = self;
        match why {
            Why::Late(limit) => write!(f, "`{place}`: {} took longer than {limit:?}", step.name()),
            Why::Said(said) => write!(f, "`{place}`: {} failed: {said}", step.name()),
        }
    }
}

impl Error for Failure {}

impl Step {
    const fn name(self) -> &'static str {
        match self {
            Self::Address => "reading it",
            Self::Resolve => "resolving the name",
            Self::Connect => "connecting",
            Self::Tls => "the TLS handshake",
            Self::Response => "the exchange",
        }
    }
}

/// An error and what caused it, in one bounded line. Some errors repeat their cause, which is then said once.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !said.ends_with(&text) {
            said = format!("{said}: {text}");
        }
        cause = error.source();
    }
    let said: String = said.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    said.chars().take(SAID_BYTES).collect()
}
