//! Where names lead for this case: as a person said, else by the name servers named, else by the system's.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use rayline_dial::Resolver;
use rayline_verdict::fault::ResolveCause;
use rayline_verdict::{Fact, Fault, Verdict, attribute};
use tokio::net::TcpStream;

use crate::case::{Case, Resolve};

/// Resolves names for one case.
#[derive(Debug)]
pub(crate) struct Names {
    resolved: Vec<Resolve>,
    resolver: Result<Resolver, String>,
}

impl Names {
    pub(crate) fn new(case: &Case) -> Self {
        let resolver = Resolver::new(&case.name_servers, case.timeout).map_err(|error| error.to_string());
        Self { resolved: case.resolved.clone(), resolver }
    }

    /// The addresses of a name or of an address, at least one.
    ///
    /// # Errors
    /// What was in the way.
    pub(crate) async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Box<Verdict>> {
        let at = |ips: &[IpAddr]| ips.iter().map(|ip| SocketAddr::new(*ip, port)).collect();
        if let Ok(ip) = host.parse() {
            return Ok(at(&[ip]));
        }
        let is_this = |resolve: &&Resolve| resolve.port == port && resolve.host.eq_ignore_ascii_case(host);
        let said: Vec<IpAddr> = self.resolved.iter().filter(is_this).map(|resolve| resolve.address).collect();
        if !said.is_empty() {
            return Ok(at(&said));
        }
        let found: Result<Arc<[IpAddr]>, Fault> = match &self.resolver {
            Ok(resolver) => resolver.resolve(host).await.map(|resolved| resolved.addresses),
            Err(why) => Err(Fault::new(ResolveCause::Unreachable).with(Fact::Internal(why.clone()))),
        };
        let addresses: Vec<SocketAddr> =
            found.map(|ips| at(&ips)).map_err(|fault| Box::new(attribute(fault, Vec::new())))?;
        Ok(if is_localhost(host) { accepting(addresses).await } else { addresses })
    }
}

/// Whether a name means this machine by definition (RFC 6761 section 6.3).
fn is_localhost(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost")
}

/// Nobody wrote down that such a name leads to both `127.0.0.1` and `::1`: that nobody listens at one of them is no fault.
async fn accepting(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let mut accepting = Vec::new();
    for address in &addresses {
        if TcpStream::connect(address).await.is_ok() {
            accepting.push(*address);
        }
    }
    if accepting.is_empty() { addresses } else { accepting }
}
