//! What was written (Document) and what runs (Plan): parsing, checking and compiling the configuration.

mod certificate;
mod hosts;
mod plan;
mod problem;
mod source;

use std::net::SocketAddr;
use std::time::SystemTime;

pub use certificate::{Certificate, CertificateTable};
pub use hosts::{HostMatch, HostOrigin, HostTable, Target};
pub use plan::*;
pub use problem::{Problem, ProblemJson, Severity};
pub use source::{Position, Source, Span};

/// Compiles a configuration: a plan unless some problem is an error, and every problem at once.
pub fn compile(_source: &Source, _now: SystemTime) -> (Option<Plan>, Vec<Problem>) {
    (None, Vec::new())
}

/// The plan of `serve --zone --origin --listen`: one zone, one origin, every host name served.
pub fn one_zone(
    _zone: &str,
    _origin: &str,
    _listen: SocketAddr,
    _admin: Option<SocketAddr>,
) -> Result<Plan, Vec<Problem>> {
    Err(Vec::new())
}
