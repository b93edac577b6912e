//! The TLS handshake with an origin, by mode, and how its failure is told.
//!
//! One client per worker holds the two ways to judge a certificate and the sessions that can be resumed. rustls resumes
//! a session only under the very verifier that judged it, so all connections share their verifiers, and `witness` hands
//! over what these saw of one handshake. A session is resumed with the identity that it was made with: each has sessions
//! of its own.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rayline_verdict::Fault;
use rustls::client::Resumption;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, HandshakeKind};
use rustls_pki_types::ServerName;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::dial::{Protocols, Target, Tls, TrustError, TrustSettings};
use crate::presented::Presented;
use crate::wire::Wire;

pub(crate) mod alert;
pub(crate) mod chain;
mod fault;
pub(crate) mod identity;
mod ocsp;
mod verify;
mod witness;

use fault::Handshake;
use identity::{Asked, Identity};
use verify::{Lenient, Strict};
use witness::Watched;

/// Servers whose sessions are kept, for each way to judge.
const SESSIONS: usize = 1024;

/// The same for one identity: a zone's origins, not those of all zones.
const SESSIONS_OF_IDENTITY: usize = 128;

/// The TLS client of one worker.
#[derive(Debug)]
pub(crate) struct Client {
    anonymous: Configs,
    /// Made when an identity is first shown. There are no more than the plan has zones. Locked for a look per handshake.
    identified: Mutex<HashMap<Arc<Identity>, Configs>>,
    verifier: Arc<Strict>,
    presented: Arc<Presented>,
}

/// The settings for each way to judge a certificate.
#[derive(Clone, Debug)]
struct Configs {
    full: Offers,
    strict: Offers,
}

/// The settings for each offer of protocols (ALPN). They share their sessions: no version of TLS binds one to the other.
#[derive(Clone, Debug)]
struct Offers {
    http1: Arc<ClientConfig>,
    http2_or_http1: Arc<ClientConfig>,
}

/// A finished handshake.
#[derive(Debug)]
pub(crate) struct Secured {
    pub(crate) stream: TlsStream<Wire>,
    pub(crate) session: Session,
}

/// What was agreed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Session {
    pub(crate) version: &'static str,
    pub(crate) cipher: &'static str,
    pub(crate) ssl_mode: &'static str,
    /// Whether the origin asked for a client certificate.
    pub(crate) asked: bool,
    /// Whether an earlier session was resumed.
    pub(crate) resumed: bool,
    /// Whether the origin chose HTTP/2.
    pub(crate) http2: bool,
}

impl Client {
    pub(crate) fn new(trust: TrustSettings) -> Result<Self, TrustError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        // The first random number of a process takes tens of milliseconds, which no origin's handshake should show.
        provider.secure_random.fill(&mut [0]).map_err(|_| TrustError::Provider)?;
        let verifier = Arc::new(Strict::new(trust.extra_roots, trust.crls, &provider)?);
        let lenient: Arc<dyn ServerCertVerifier> = Arc::new(Lenient::new(&provider));
        let config = |verifier: Arc<dyn ServerCertVerifier>| {
            let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
                .with_safe_default_protocol_versions()
                .map_err(|_| TrustError::Provider)?
                .dangerous()
                .with_custom_certificate_verifier(verifier)
                .with_client_cert_resolver(Arc::new(Asked::default()));
            config.resumption = Resumption::in_memory_sessions(SESSIONS);
            Ok(Offers::new(config))
        };
        let anonymous = Configs { full: config(lenient)?, strict: config(Arc::clone(&verifier) as _)? };
        Ok(Self { anonymous, identified: Mutex::default(), verifier, presented: trust.presented })
    }

    /// The settings for a target.
    fn config(&self, target: &Target<'_>) -> Arc<ClientConfig> {
        let Some(identity) = target.identity else { return self.anonymous.of(target) };
        let mut identified = self.identified.lock().unwrap_or_else(PoisonError::into_inner);
        let made = || self.anonymous.showing(identity);
        identified.entry(Arc::clone(identity)).or_insert_with(made).of(target)
    }

    /// Performs the handshake on `wire` within `limit`.
    pub(crate) async fn handshake(
        &self,
        mut wire: Wire,
        address: SocketAddr,
        target: &Target<'_>,
        limit: Duration,
    ) -> Result<Secured, Fault> {
        let handshake = Handshake { address, target, limit };
        let name = server_name(target.server_name, address);
        let strict = target.tls == Tls::Strict;
        let connector = TlsConnector::from(self.config(target));
        wire.begin_handshake(limit);
        let (outcome, seen) = Watched::new(connector.connect(name.clone(), wire).into_fallible()).await;
        let mut stream = match outcome {
            Ok(stream) => stream,
            Err((error, mut wire)) => {
                let first = wire.end_handshake();
                if let Some(rejection) = &seen.rejection {
                    self.presented.note(address, target.server_name, &rejection.chain);
                }
                return Err(handshake.fault(&error, &seen, &first, &wire));
            }
        };
        if let Some(chain) = stream.get_ref().1.peer_certificates() {
            self.presented.note(address, target.server_name, chain);
        }
        if strict {
            self.judge_again(&stream, &name, &handshake)?;
        }
        stream.get_mut().0.end_handshake();
        let session = session(&stream, target.ssl_mode, seen.asked);
        Ok(Secured { stream, session })
    }

    /// A resumed session shows no certificate: that of the session's first handshake is judged by today's date.
    fn judge_again(
        &self,
        stream: &TlsStream<Wire>,
        name: &ServerName<'_>,
        handshake: &Handshake<'_>,
    ) -> Result<(), Fault> {
        let tls = stream.get_ref().1;
        if tls.handshake_kind() != Some(HandshakeKind::Resumed) {
            return Ok(());
        }
        let Some((leaf, intermediates)) = tls.peer_certificates().and_then(|chain| chain.split_first()) else {
            return Ok(());
        };
        let (outcome, seen) = witness::during(|| self.verifier.judge(leaf, intermediates, name));
        outcome.map_err(|error| handshake.certificate_fault(&error, &seen))
    }
}

impl Configs {
    fn of(&self, target: &Target<'_>) -> Arc<ClientConfig> {
        let offers = if target.tls == Tls::Strict { &self.strict } else { &self.full };
        Arc::clone(match target.protocols {
            Protocols::Http1 => &offers.http1,
            Protocols::Http2OrHttp1 | Protocols::Http2 => &offers.http2_or_http1,
        })
    }

    /// The same, with an identity to show and sessions of its own.
    fn showing(&self, identity: &Arc<Identity>) -> Self {
        let asked = Arc::new(Asked::with(identity));
        let showing = |offers: &Offers| {
            let mut config = ClientConfig::clone(&offers.http1);
            config.client_auth_cert_resolver = Arc::clone(&asked) as _;
            config.resumption = Resumption::in_memory_sessions(SESSIONS_OF_IDENTITY);
            Offers::new(config)
        };
        Self { full: showing(&self.full), strict: showing(&self.strict) }
    }
}

impl Offers {
    fn new(mut config: ClientConfig) -> Self {
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let mut either = config.clone();
        either.alpn_protocols.insert(0, b"h2".to_vec());
        Self { http1: Arc::new(config), http2_or_http1: Arc::new(either) }
    }
}

/// The name to ask for. One that TLS cannot carry is left out: the handshake then goes to the bare address, and a strict
/// check says what the certificate does not cover.
fn server_name(name: &str, address: SocketAddr) -> ServerName<'static> {
    ServerName::try_from(name.trim_end_matches('.').to_owned())
        .unwrap_or_else(|_| ServerName::IpAddress(address.ip().into()))
}

fn session(stream: &TlsStream<Wire>, ssl_mode: &'static str, asked: bool) -> Session {
    let tls = stream.get_ref().1;
    let version = match tls.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_2) => "TLSv1.2",
        Some(rustls::ProtocolVersion::TLSv1_3) => "TLSv1.3",
        // The client offers no other.
        Some(_) | None => "none",
    };
    let cipher = tls.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str());
    let resumed = tls.handshake_kind() == Some(HandshakeKind::Resumed);
    let http2 = tls.alpn_protocol() == Some(b"h2");
    Session { version, cipher: cipher.map_or("none", cipher_name), ssl_mode, asked, resumed, http2 }
}

/// The suite's name in the RFCs: rustls writes the suites of TLS 1.3 with the version in front.
fn cipher_name(name: &'static str) -> &'static str {
    match name {
        "TLS13_AES_128_GCM_SHA256" => "TLS_AES_128_GCM_SHA256",
        "TLS13_AES_256_GCM_SHA384" => "TLS_AES_256_GCM_SHA384",
        "TLS13_CHACHA20_POLY1305_SHA256" => "TLS_CHACHA20_POLY1305_SHA256",
        other => other,
    }
}
