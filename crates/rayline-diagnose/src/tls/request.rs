//! One request to an origin, as an edge would send it, up to the head of the answer.

use std::net::SocketAddr;
use std::time::Duration;

use rayline_dial::{Dialer, Target};
use rayline_verdict::{Fact, Verdict};

use super::Scheme;
use crate::fetch::{Measure, Obstacle, Request, carry, taken_by};

/// What came of a request.
#[derive(Clone, Debug)]
pub(super) enum Leg {
    /// An answer, whatever its status.
    Answered { address: Option<SocketAddr>, status: u16, location: Option<String> },
    /// The connection came about, and the answer not in time: applications may take longer than a probe waits.
    Silent { address: Option<SocketAddr> },
    /// What the edge would say.
    Failed(Box<Verdict>),
}

impl Leg {
    /// The address that took the connection, if one did.
    pub(super) fn reached(&self) -> Option<SocketAddr> {
        match self {
            Self::Answered { address, .. } | Self::Silent { address } => *address,
            Self::Failed(verdict) => taken_by(&verdict.attempts),
        }
    }
}

/// Asks for `/` over a new connection, as for a visitor who came by `scheme`.
pub(super) async fn ask(dialer: &Dialer, target: &Target<'_>, host: &str, scheme: Scheme, limit: Duration) -> Leg {
    let proto = scheme.name();
    let fields = [("X-Forwarded-Proto", proto.to_owned()), ("CF-Visitor", format!("{{\"scheme\":\"{proto}\"}}"))];
    let fields = fields.map(|(name, value)| (name.to_owned(), value));
    let request = Request::new("GET", host.to_owned(), "/".to_owned(), &fields);
    let exchange = carry(&request, target, Measure { timeout: limit, body_bytes: None }, dialer).await;
    let address = exchange.address;
    match exchange.outcome {
        Ok(answer) => {
            let location = answer.field("location").map(std::borrow::Cow::into_owned);
            Leg::Answered { address, status: answer.status, location }
        }
        Err(Obstacle::Silent { .. }) => Leg::Silent { address },
        Err(Obstacle::Fault(mut verdict)) => {
            verdict.evidence.add(Fact::SslMode(target.ssl_mode));
            Leg::Failed(verdict)
        }
    }
}
