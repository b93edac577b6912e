//! The visitor's side: who they are, their connection, and the loop that takes request after request from it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use rayline_config::Certificate;

pub(crate) mod body;
pub(crate) mod http1;
mod stream;

pub(crate) use body::RequestBody;
pub(crate) use stream::Stream;

/// One visitor's connection, as every request on it sees it.
#[derive(Debug)]
pub(crate) struct Visitor {
    /// Their address.
    pub(crate) peer: SocketAddr,
    /// Ours, where they connected to.
    pub(crate) local: SocketAddr,
    /// What the TLS handshake agreed on; `None` over plain TCP.
    pub(crate) tls: Option<VisitorTls>,
}

/// What the handshake with a visitor agreed on.
#[derive(Debug)]
pub(crate) struct VisitorTls {
    /// `TLSv1.2` or `TLSv1.3`.
    pub(crate) protocol: &'static str,
    /// The key exchange group, such as `X25519MLKEM768`.
    pub(crate) key_exchange: &'static str,
    /// The server name asked for.
    pub(crate) server_name: Option<String>,
    /// The certificate that was served.
    pub(crate) certificate: Arc<Certificate>,
}

impl Visitor {
    /// `http` or `https`.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// The visitor's address; an IPv4 address that arrived on an IPv6 socket is shown as what it is.
    pub(crate) fn ip(&self) -> IpAddr {
        self.peer.ip().to_canonical()
    }
}
