//! The TLS handshake with a visitor: which certificate, which versions, and why it failed when it did.

use std::collections::HashMap;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use rayline_config::{Certificate, TlsVersion};
use rayline_dial::alert_fact;
use rayline_verdict::evidence::{End, Fact};
use rayline_verdict::fault::ClientTlsCause;
use rayline_verdict::{Fault, Snippet};
use rustls::server::{Accepted, Acceptor, ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{AlertDescription, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::StartHandshake;

use super::accept::record_only;
use crate::edition::{Edition, Served};
use crate::hello;
use crate::running::Running;
use crate::visitor::{Protocol, Stream, Visitor, VisitorTls, http1};
use crate::worker::Worker;

/// Room for a usual ClientHello, one with a post-quantum key share included.
const HELLO_BYTES: usize = 2048;
/// The first byte of a handshake record (RFC 8446 §5.1).
const HANDSHAKE: u8 = 0x16;
/// HTTP/2 over TLS among the "TLS ALPN Protocol IDs" (RFC 9113 §3.1).
const HTTP2: &[u8] = b"h2";

/// The prepared handshakes of one plan: a configuration per certificate and least version.
#[derive(Debug)]
pub(crate) struct Handshakes {
    by_certificate: HashMap<*const Certificate, Arc<ServerConfig>>,
    /// Served to visitors that name nobody.
    default: Option<Arc<Certificate>>,
    timeout: Duration,
}

impl Handshakes {
    /// Prepares the handshakes of a plan.
    ///
    /// # Errors
    /// None in practice: the provider and the versions are ours.
    pub(crate) fn new(edition: &Edition) -> io::Result<Self> {
        let mut by_certificate = HashMap::new();
        for served in &edition.certificates {
            let config = config(served).map_err(io::Error::other)?;
            let Served { certificate, .. } = served;
            by_certificate.insert(Arc::as_ptr(certificate), Arc::new(config));
        }
        let default = edition.certificates.first().map(|served| Arc::clone(&served.certificate));
        Ok(Self { by_certificate, default, timeout: edition.plan.server.client_head_timeout })
    }
}

fn config(served: &Served) -> Result<ServerConfig, rustls::Error> {
    let versions: &[&rustls::SupportedProtocolVersion] = match served.least {
        TlsVersion::V12 => &[&rustls::version::TLS13, &rustls::version::TLS12],
        TlsVersion::V13 => &[&rustls::version::TLS13],
    };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Always(Arc::clone(&served.certificate.key))));
    if served.http2 {
        config.alpn_protocols.push(HTTP2.to_vec());
    }
    config.alpn_protocols.push(b"http/1.1".to_vec());
    Ok(config)
}

/// Serves one certificate: it was chosen before the handshake.
#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl ResolvesServerCert for Always {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

/// Does the handshake. `None`: it failed, and the visitor and the record have been told what can be told.
pub(crate) async fn accept(worker: &Rc<Worker>, tcp: TcpStream, mut visitor: Visitor) -> Option<(Visitor, Stream)> {
    let started = Instant::now();
    // The plan that the handshake begins under: another may serve the requests, if a proxy in front names other visitors.
    let running = worker.running_for(&visitor, None);
    let timeout = running.handshakes.timeout;
    let mut first = BytesMut::new();
    let shaken = tokio::time::timeout(timeout, shake(&running, tcp, &mut first)).await;
    let failed = match shaken {
        Ok(Ok((tls, protocol, stream))) => {
            visitor.tls = Some(tls);
            visitor.protocol = protocol;
            return Some((visitor, stream));
        }
        Ok(Err(failed)) => failed,
        Err(_) => {
            let limit_ms = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
            let timer = Fact::Timer { setting: "client_head_timeout", limit_ms };
            Failed { fault: Fault::new(ClientTlsCause::TimedOut).with(timer), plain: None }
        }
    };
    // A port scan or a spare connection that never says a word is no request, and no fault of anybody's.
    if first.is_empty() {
        return None;
    }
    let mut fault = failed.fault.with(Fact::FirstBytes(Snippet::first(&first)));
    if let Some(offered) = hello::offered(&first) {
        if let Some(name) = offered.server_name {
            fault.evidence.add(Fact::Host { host: String::new(), server_name: Some(name) });
        }
        fault.evidence.add(Fact::TlsOffered { versions: offered.versions });
    }
    match failed.plain {
        Some(tcp) => http1::refuse(worker, &visitor, Stream::Plain(tcp), started, fault).await,
        None => record_only(worker, &visitor, started, fault),
    }
    None
}

/// A handshake that failed. `plain` is the connection, where an answer in plain HTTP can be understood.
struct Failed {
    fault: Fault,
    plain: Option<TcpStream>,
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Self { fault, plain: None }
    }
}

/// The handshake proper. `first` is given what the visitor sent first, up to the end of its ClientHello.
async fn shake(
    running: &Running,
    mut tcp: TcpStream,
    first: &mut BytesMut,
) -> Result<(VisitorTls, Protocol, Stream), Failed> {
    let accepted = match client_hello(&mut tcp, first).await {
        Ok(accepted) => accepted,
        Err(fault) if fault.cause == ClientTlsCause::PlainHttp.into() => {
            return Err(Failed { fault, plain: Some(tcp) });
        }
        Err(fault) => return Err(fault.into()),
    };
    let start = StartHandshake::from_parts(accepted, tcp);
    let name = start.client_hello().server_name().map(str::to_ascii_lowercase);
    let certificate = match &name {
        Some(name) => running.edition.by_name.find(name).first(),
        None => running.handshakes.default.as_ref(),
    };
    let found = certificate.and_then(|found| {
        let config = running.handshakes.by_certificate.get(&Arc::as_ptr(found))?;
        Some((Arc::clone(found), Arc::clone(config)))
    });
    let Some((certificate, config)) = found else {
        let mut tcp = start.io;
        refuse(&mut tcp, AlertDescription::UnrecognisedName).await;
        return Err(Fault::new(ClientTlsCause::NoCertificate).into());
    };
    let stream = start.into_stream(config).await.map_err(|error| handshake_fault(&error))?;
    let session = stream.get_ref().1;
    let protocol = if session.alpn_protocol() == Some(HTTP2) { Protocol::Http2 } else { Protocol::Http1 };
    let tls = VisitorTls {
        protocol: match session.protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_3) => "TLSv1.3",
            _ => "TLSv1.2",
        },
        ja4: hello::ja4(first).unwrap_or_default(),
        cipher: session.negotiated_cipher_suite().map_or("", |suite| hello::cipher_name(suite.suite())),
        key_exchange: session.negotiated_key_exchange_group().map_or("none", |group| hello::group_name(group.name())),
        server_name: name,
        certificate,
    };
    Ok((tls, protocol, Stream::Tls(Box::new(stream))))
}

/// Reads the ClientHello, which may come in pieces.
async fn client_hello(tcp: &mut TcpStream, first: &mut BytesMut) -> Result<Accepted, Fault> {
    let mut acceptor = Acceptor::default();
    loop {
        let had = first.len();
        first.reserve(HELLO_BYTES);
        match tcp.read_buf(first).await {
            Ok(1..) => {}
            Ok(0) => return Err(Fault::new(ClientTlsCause::Closed)),
            Err(error) => return Err(handshake_fault(&error)),
        }
        match first.first() {
            Some(&HANDSHAKE) => {}
            _ if is_request(first) => return Err(Fault::new(ClientTlsCause::PlainHttp)),
            _ => return Err(Fault::new(ClientTlsCause::Malformed)),
        }
        let mut fresh = first.get(had..).unwrap_or_default();
        while !fresh.is_empty() {
            acceptor.read_tls(&mut fresh).map_err(|error| handshake_fault(&error))?;
        }
        match acceptor.accept() {
            Ok(Some(accepted)) => return Ok(accepted),
            Ok(None) => {}
            // The library looks for what only TLS 1.2 brought before it looks at the versions.
            Err(_) if hello::offered(first).is_some_and(|offered| !offered.is_current()) => {
                refuse(tcp, AlertDescription::ProtocolVersion).await;
                return Err(Fault::new(ClientTlsCause::NoCommonVersion));
            }
            Err((error, mut alert)) => {
                let mut bytes = Vec::new();
                // Writing into memory does not fail; whether the visitor still listens does not matter.
                let _ = alert.write_all(&mut bytes);
                let _ = tcp.write_all(&bytes).await;
                return Err(tls_fault(&error));
            }
        }
    }
}

/// Whether these bytes begin a request line. Other protocols begin with capitals too: `SSH-2.0-`, `PROXY TCP4`.
fn is_request(first: &[u8]) -> bool {
    let line = first.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let mut words = line.splitn(3, |&byte| byte == b' ');
    let method = words.next().is_some_and(|word| !word.is_empty() && word.iter().all(u8::is_ascii_uppercase));
    // A target that is longer than what was looked at has no version behind it yet.
    let target = words.next().is_some_and(|word| word.first() == Some(&b'/'));
    method && (target || words.next().is_some_and(|word| word.starts_with(b"HTTP/")))
}

/// Refuses with a fatal alert (RFC 8446 §6.2), so that the visitor learns why if it still listens.
async fn refuse(tcp: &mut TcpStream, alert: AlertDescription) {
    let _ = tcp.write_all(&[0x15, 0x03, 0x03, 0x00, 0x02, 0x02, u8::from(alert)]).await;
}

/// What the end of a handshake says.
fn handshake_fault(error: &io::Error) -> Fault {
    if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return tls_fault(error);
    }
    Fault::new(match error.kind() {
        // A broken pipe: the visitor had closed, and what we sent then was refused.
        io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe => ClientTlsCause::Closed,
        // The library's own limit on what it keeps of a handshake.
        io::ErrorKind::Other => ClientTlsCause::Malformed,
        _ => ClientTlsCause::Reset,
    })
}

/// What the library says of a handshake.
fn tls_fault(error: &rustls::Error) -> Fault {
    let cause = match error {
        rustls::Error::AlertReceived(_) => ClientTlsCause::Alert,
        rustls::Error::PeerIncompatible(reason) => incompatible(reason),
        _ => ClientTlsCause::Malformed,
    };
    let fault = Fault::new(cause).with(Fact::TlsError(error.to_string()));
    match error {
        rustls::Error::AlertReceived(alert) => fault.with(alert_fact(*alert, End::Theirs)),
        _ => fault,
    }
}

fn incompatible(reason: &rustls::PeerIncompatible) -> ClientTlsCause {
    use rustls::PeerIncompatible as Reason;
    match reason {
        Reason::Tls12NotOffered | Reason::Tls12NotOfferedOrEnabled | Reason::Tls13RequiredForQuic => {
            ClientTlsCause::NoCommonVersion
        }
        Reason::SupportedVersionsExtensionRequired | Reason::ServerDoesNotSupportTls12Or13 => {
            ClientTlsCause::NoCommonVersion
        }
        _ => ClientTlsCause::NoCommonCipher,
    }
}
