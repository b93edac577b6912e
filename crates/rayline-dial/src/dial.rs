//! The dialler of one worker: addresses in, a connection out.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rayline_verdict::attribute::outcome_of;
use rayline_verdict::{Attempt, Fault};
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};

use crate::connect::milliseconds;
use crate::connection::{Connection, Timings};
use crate::eyeballs;
use crate::presented::Presented;
use crate::tls::Client;
use crate::tls::identity::Identity;
use crate::wire::Wire;

/// How long the parts of dialling may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// All TCP connection attempts together: `connect_timeout`.
    pub connect: Duration,
    /// The TLS handshake: `tls_timeout`.
    pub tls: Duration,
    /// The silence after which the kernel probes whether the origin's still answers: `tcp_keepalive`, at least a second.
    pub keepalive: Duration,
}

/// Whether and how an origin is spoken to over TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tls {
    /// Not at all.
    Off,
    /// Encrypted, with whatever certificate.
    Full,
    /// Encrypted, with a certificate that is trusted and covers the server name.
    Strict,
}

/// The versions of HTTP that will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocols {
    /// HTTP/1.1 alone.
    Http1,
    /// HTTP/2 where the origin chooses it in the TLS handshake (ALPN), else HTTP/1.1. Without TLS nobody chooses: HTTP/1.1.
    Http2OrHttp1,
    /// HTTP/2 without asking, over plain TCP (prior knowledge, RFC 9113 §3.3). Over TLS as [`Self::Http2OrHttp1`].
    Http2,
}

/// Where to dial.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The origin's addresses; at least one.
    pub addresses: &'a [SocketAddr],
    /// Whether and how to speak TLS.
    pub tls: Tls,
    /// What to speak above that.
    pub protocols: Protocols,
    /// The name to ask for in the handshake, and to find in the certificate. An address is not sent (RFC 6066 §3).
    pub server_name: &'a str,
    /// The SSL mode as the zone's settings name it, for the evidence.
    pub ssl_mode: &'static str,
    /// What to show if the origin asks for a client certificate.
    pub identity: Option<&'a Arc<Identity>>,
}

impl<'a> Target<'a> {
    /// HTTP/1.1 over plain TCP.
    pub fn plain(addresses: &'a [SocketAddr]) -> Self {
        let (tls, protocols) = (Tls::Off, Protocols::Http1);
        Self { addresses, tls, protocols, server_name: "", ssl_mode: "off", identity: None }
    }
}

/// What an origin's certificate is judged by.
#[derive(Debug, Default)]
pub struct TrustSettings {
    /// Trusted beside the public CAs. A certificate that is listed here itself is trusted too, CA or not.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// Revocation lists; a certificate that no list speaks of counts as not revoked.
    pub crls: Vec<CertificateRevocationListDer<'static>>,
    /// The version of these settings: a connection made under another is not reused.
    pub generation: u64,
    /// Where the certificates that origins show are noted.
    pub presented: Arc<Presented>,
}

/// Why trust settings cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrustError {
    /// The extra root at this place is no certificate that can be a trust anchor.
    Root(usize),
    /// A revocation list cannot be read.
    RevocationList,
    /// The client certificate cannot be read, or its key is not its own or of no known kind.
    Identity,
    /// The cryptographic library has no random numbers, or speaks none of the TLS versions.
    Provider,
}

impl fmt::Display for TrustError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root(place) => write!(f, "certificate {} is none that can be trusted", place + 1),
            Self::RevocationList => f.write_str("the revocation list cannot be read"),
            Self::Identity => f.write_str("the client certificate cannot be read, or the key is not its own"),
            Self::Provider => f.write_str("the cryptographic library does not work on this machine"),
        }
    }
}

impl std::error::Error for TrustError {}

/// Dials origins. One per worker: it holds the TLS settings and the sessions that can be resumed.
#[derive(Debug)]
pub struct Dialer {
    client: Client,
    generation: u64,
}

impl Dialer {
    /// A dialler with these settings.
    pub fn new(trust: TrustSettings) -> Result<Self, TrustError> {
        let generation = trust.generation;
        Ok(Self { client: Client::new(trust)?, generation })
    }

    /// Connects to one of the target's addresses, the first that answers, and speaks TLS to it as asked.
    ///
    /// Every address that failed or was abandoned is in `attempts` afterwards. The one that was connected is not, unless
    /// its TLS handshake failed: what comes of it is for the caller to add. A failed handshake is not tried at another
    /// address: it is a matter of configuration, which those share.
    pub async fn dial(
        &self,
        target: &Target<'_>,
        timeouts: &Timeouts,
        attempts: &mut Vec<Attempt>,
    ) -> Result<Connection, Fault> {
        let connected = eyeballs::race(target.addresses, timeouts, attempts).await?;
        let (address, born) = (connected.address, Instant::now());
        let wire = Wire::new(connected.stream);
        let tcp = connected.took;
        if target.tls == Tls::Off {
            let http2 = target.protocols == Protocols::Http2;
            return Ok(Connection::plain(wire, address, Timings::new(tcp, Duration::ZERO), self.generation, http2));
        }
        match self.client.handshake(wire, address, target, timeouts.tls).await {
            Ok(secured) => {
                let timings = Timings::new(tcp, born.elapsed());
                Ok(Connection::secured(secured, address, timings, self.generation))
            }
            Err(fault) => {
                let took_ms = milliseconds(connected.started.elapsed());
                attempts.push(Attempt { address, reused: false, outcome: outcome_of(&fault), took_ms });
                Err(fault)
            }
        }
    }
}
