//! The visitor's side: who they are, their connection, and the loop that takes request after request from it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use rayline_config::Certificate;
use rayline_http1::Version;

pub(crate) mod body;
mod fields;
pub(crate) mod http1;
pub(crate) mod http2;
mod io;
mod stream;

pub(crate) use body::RequestBody;
pub(crate) use io::VisitorIo;
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
    /// What is spoken on it.
    pub(crate) protocol: Protocol,
    /// The version of the plan that opened the listener they came in by.
    pub(crate) door_version: u64,
}

/// A version of HTTP, as far as it is another wire format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// HTTP/1.1, or HTTP/1.0: each request says which.
    Http1,
    Http2,
}

impl Protocol {
    /// The name of a request in it, as records have it.
    pub(crate) fn name(self, version: Version) -> &'static str {
        match (self, version) {
            (Self::Http1, Version::Http10) => "HTTP/1.0",
            (Self::Http1, Version::Http11) => "HTTP/1.1",
            (Self::Http2, Version::Http10 | Version::Http11) => "HTTP/2",
        }
    }
}

/// What the handshake with a visitor agreed on.
#[derive(Debug)]
pub(crate) struct VisitorTls {
    /// `TLSv1.2` or `TLSv1.3`.
    pub(crate) protocol: &'static str,
    /// The fingerprint of its ClientHello; empty where that could not be read.
    pub(crate) ja4: String,
    /// The cipher suite, by its OpenSSL name.
    pub(crate) cipher: &'static str,
    /// The key exchange group, such as `X25519MLKEM768`.
    pub(crate) key_exchange: &'static str,
    /// The server name asked for.
    pub(crate) server_name: Option<String>,
    /// The certificate that was served.
    pub(crate) certificate: Arc<Certificate>,
}

impl Visitor {
    /// One of whom nothing is known yet but where they come from.
    pub(crate) fn new(peer: SocketAddr, local: SocketAddr, door_version: u64) -> Self {
        Self { peer, local, tls: None, protocol: Protocol::Http1, door_version }
    }

    /// `http` or `https`.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// The visitor's address; an IPv4 address that arrived on an IPv6 socket is shown as what it is.
    pub(crate) fn ip(&self) -> IpAddr {
        self.peer.ip().to_canonical()
    }
}
