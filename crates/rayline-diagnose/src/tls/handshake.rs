//! A handshake that accepts every certificate, to look at what is presented.
//!
//! It judges nothing and sends no request: what a mode makes of the origin is found by the dialler of the edge.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rayline_verdict::fault::WaitCause;
use rayline_verdict::{Fact, Fault, Snippet};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Client;

/// The client's first bytes (RFC 9113 section 3.4), with an empty SETTINGS frame.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// A frame's header (RFC 9113 section 4.1).
const FRAME_HEADER: usize = 9;

/// What a handshake showed.
#[derive(Debug)]
pub(super) struct Shown {
    /// What was presented, leaf first; also of a handshake that failed afterwards.
    pub(super) chain: Vec<CertificateDer<'static>>,
    /// Whether an OCSP response was stapled to it.
    pub(super) stapled: bool,
    /// The protocol agreed on by ALPN.
    pub(super) alpn: Option<String>,
    /// The finished handshake, or why there is none.
    pub(super) outcome: Result<TlsStream<TcpStream>, String>,
}

/// Shakes hands with an origin, asking for `server_name` if there is one.
pub(super) async fn look(
    address: SocketAddr,
    server_name: Option<&str>,
    client: Option<&Client>,
    limit: Duration,
) -> Shown {
    let eye = Arc::new(Eye::default());
    let shaken = async {
        let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
        let name = server_name.and_then(|name| ServerName::try_from(name.to_owned()).ok());
        let config = config(&eye, name.is_some(), client).map_err(|error| error.to_string())?;
        let name = name.unwrap_or_else(|| ServerName::IpAddress(address.ip().into()));
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|error| error.to_string())
    };
    let outcome = timeout(limit, shaken).await.unwrap_or_else(|_late| Err("no answer in time".to_owned()));
    let agreed = outcome.as_ref().ok().and_then(|stream| stream.get_ref().1.alpn_protocol());
    let alpn = agreed.map(|protocol| String::from_utf8_lossy(protocol).into_owned());
    let (chain, stapled) = std::mem::take(&mut *eye.seen.lock().unwrap_or_else(PoisonError::into_inner));
    Shown { chain, stapled, alpn, outcome }
}

/// Whether an origin that agreed on `h2` speaks it: its first frame must be SETTINGS (RFC 9113 section 3.4).
pub(super) async fn speaks_http2(
    mut stream: TlsStream<TcpStream>,
    address: SocketAddr,
    limit: Duration,
) -> Result<(), Fault> {
    let mut received = Vec::new();
    let exchange = async {
        stream.write_all(PREFACE).await?;
        stream.flush().await?;
        while received.len() < FRAME_HEADER && stream.read_buf(&mut received).await? > 0 {}
        std::io::Result::Ok(())
    };
    let outcome = timeout(limit, exchange).await;
    if is_settings(&received) {
        return Ok(());
    }
    let mut fault =
        Fault::new(WaitCause::Http2NotSpoken).with(Fact::OriginAddress(address)).with(Fact::Protocol("HTTP/2"));
    if !received.is_empty() {
        fault = fault.with(Fact::FirstBytes(Snippet::first(&received)));
    }
    Err(match outcome {
        Ok(Ok(())) => fault,
        Ok(Err(error)) => fault.with(Fact::TlsError(error.to_string())),
        Err(_late) => {
            let limit_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
            fault.with(Fact::Timer { setting: "timeout", limit_ms })
        }
    })
}

/// The header of a SETTINGS frame that is no acknowledgement: of stream 0, with a length in sixes.
fn is_settings(bytes: &[u8]) -> bool {
    match bytes {
        [0, high, low, 4, flags, 0, 0, 0, 0, ..] => {
            flags & 1 == 0 && (usize::from(*high) << 8 | usize::from(*low)).is_multiple_of(6)
        }
        _ => false,
    }
}

fn config(eye: &Arc<Eye>, with_name: bool, client: Option<&Client>) -> Result<ClientConfig, Error> {
    let builder = ClientConfig::builder_with_provider(Arc::clone(&eye.provider))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(eye) as _);
    let mut config = match client {
        Some(client) => builder.with_client_auth_cert(client.chain.clone(), client.key.clone_key())?,
        None => builder.with_no_client_auth(),
    };
    config.enable_sni = with_name;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// Keeps what is presented, and lets everything pass: nothing that comes over such a connection is believed.
#[derive(Debug)]
struct Eye {
    provider: Arc<CryptoProvider>,
    seen: Mutex<(Vec<CertificateDer<'static>>, bool)>,
}

impl Default for Eye {
    fn default() -> Self {
        Self { provider: Arc::new(aws_lc_rs::default_provider()), seen: Mutex::default() }
    }
}

impl ServerCertVerifier for Eye {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain = std::iter::once(leaf).chain(intermediates).map(|der| der.clone().into_owned()).collect();
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = (chain, !ocsp_response.is_empty());
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_settings_begin_http2() {
        assert!(is_settings(b"\0\0\x12\x04\0\0\0\0\0\0\x03"));
        assert!(is_settings(b"\0\0\0\x04\0\0\0\0\0"));
        for bytes in [
            &b""[..],
            b"\0\0\0\x04\0",
            b"HTTP/1.1 400 Bad Request",
            b"\0\0\0\x04\x01\0\0\0\0",
            b"\0\0\0\x04\0\0\0\0\x01",
            b"\0\0\x05\x04\0\0\0\0\0",
            b"\0\0\x08\x07\0\0\0\0\0",
        ] {
            assert!(!is_settings(bytes), "{}", bytes.escape_ascii());
        }
    }
}
