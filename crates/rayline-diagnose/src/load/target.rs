//! Whom to load, and with what.

use std::net::SocketAddr;

use rayline_dial::{Dialer, Protocols, Tls};

use crate::case::Case;
use crate::fetch::{self, Ask};
use crate::tls::Scheme;
use crate::visit::Names;

/// An origin that takes connections.
#[derive(Debug)]
pub(super) struct Target {
    /// What is asked.
    pub(super) ask: Ask,
    /// Where.
    pub(super) address: SocketAddr,
    /// What connects.
    pub(super) dialer: Dialer,
}

impl Target {
    /// The first origin of a case, spoken to in the way that it answers: first as the site is visited, if it may be either.
    /// One request tells.
    ///
    /// # Errors
    /// Why there is nothing to load, in words.
    pub(super) async fn of(case: &Case) -> Result<Self, String> {
        if !matches!(case.method.as_str(), "GET" | "HEAD") {
            return Err(format!("nothing is sent over and over by `{}`", case.method));
        }
        let origin = case.origins.first().ok_or("nobody knows where the origin is: --origin says it")?;
        let dialer = fetch::dialer(&case.trust).map_err(|error| error.to_string())?;
        let other = if case.scheme() == Scheme::Http { Scheme::Https } else { Scheme::Http };
        let mut connected = None;
        for scheme in origin.scheme.map_or_else(|| vec![case.scheme(), other], |scheme| vec![scheme]) {
            let ask = ask(case, scheme);
            let port = origin.target.port.unwrap_or(scheme.port());
            let addresses = Names::new(case).resolve(&origin.target.host, port).await.unwrap_or_default();
            if addresses.is_empty() {
                return Err(format!("`{}` has no address", origin.target.host));
            }
            let tried = fetch::fetch(&ask, &addresses, &dialer).await;
            let Some(address) = tried.address else { continue };
            match tried.outcome {
                Ok(_) => return Ok(Self { ask, address, dialer }),
                Err(_) => connected = connected.or(Some((ask, address))),
            }
        }
        let (ask, address) = connected.ok_or_else(|| format!("`{}` takes no connections", origin.target))?;
        Ok(Self { ask, address, dialer })
    }
}

/// HTTP/1.1, since a connection is to be one request at a time; and certificates are no matter of load.
fn ask(case: &Case, scheme: Scheme) -> Ask {
    let tls = match scheme {
        Scheme::Http => Tls::Off,
        Scheme::Https => Tls::Full,
    };
    Ask {
        url: case.url.clone(),
        method: case.method.clone(),
        fields: case.fields.clone(),
        protocols: Protocols::Http1,
        tls,
        timeout: case.timeout,
        body_bytes: 0,
    }
}
