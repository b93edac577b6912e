//! The TLS of an origin: a real rustls server with one certificate.
//!
//! Broken handshakes that no TLS library performs are raw steps instead, in `script/tls.rs`.

use std::io;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use rustls_pki_types::CertificateDer;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::certs::{Authority, Issued};
use crate::stream;

/// The TLS versions that one side speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Versions {
    /// 1.2 and 1.3.
    #[default]
    Both,
    /// 1.2 only.
    Tls12,
    /// 1.3 only.
    Tls13,
}

impl Versions {
    pub(crate) fn supported(self) -> &'static [&'static SupportedProtocolVersion] {
        static BOTH: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];
        let (only13, only12) = BOTH.split_at(1);
        match self {
            Self::Both => &BOTH,
            Self::Tls12 => only12,
            Self::Tls13 => only13,
        }
    }
}

/// How an origin speaks TLS.
#[derive(Debug, Clone)]
pub struct Tls {
    issued: Issued,
    versions: Versions,
    client_root: Option<CertificateDer<'static>>,
    only_for: Option<String>,
    protocols: Vec<Vec<u8>>,
}

impl Tls {
    /// TLS 1.2 and 1.3 with this certificate, whatever name is asked for, for clients without a certificate.
    pub fn new(issued: &Issued) -> Self {
        Self {
            issued: issued.clone(),
            versions: Versions::Both,
            client_root: None,
            only_for: None,
            protocols: Vec::new(),
        }
    }

    /// Speaks only these versions.
    #[must_use]
    pub fn versions(mut self, versions: Versions) -> Self {
        self.versions = versions;
        self
    }

    /// Refuses clients without a certificate issued by `authority`.
    #[must_use]
    pub fn require_client_certificate(mut self, authority: &Authority) -> Self {
        self.client_root = Some(authority.root_der());
        self
    }

    /// Refuses clients that ask for another server name, or for none, with the alert `access_denied`.
    #[must_use]
    pub fn only_for(mut self, name: &str) -> Self {
        self.only_for = Some(name.to_owned());
        self
    }

    /// Agrees by ALPN on the first of these that the client offers too, and refuses clients that offer others only, with the
    /// alert `no_application_protocol`; without this, ALPN is ignored.
    #[must_use]
    pub fn speaking(mut self, protocols: &[&str]) -> Self {
        self.protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        self
    }

    pub(crate) fn acceptor(&self) -> io::Result<TlsAcceptor> {
        let provider = provider();
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(self.versions.supported())
            .map_err(io::Error::other)?;
        let builder = match &self.client_root {
            None => builder.with_no_client_auth(),
            Some(root) => {
                let roots = Arc::new(roots([root.clone()])?);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider.clone())
                    .build()
                    .map_err(io::Error::other)?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let key = CertifiedKey::from_der(self.issued.chain().to_vec(), self.issued.key(), &provider);
        let mut key = key.map_err(io::Error::other)?;
        key.ocsp = self.issued.staple().map(<[u8]>::to_vec);
        let only_for = self.only_for.clone();
        let mut config = builder.with_cert_resolver(Arc::new(OneKey { key: Arc::new(key), only_for }));
        config.alpn_protocols.clone_from(&self.protocols);
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

/// Performs the handshake. A client that is refused gets its alert before the connection closes: bytes left unread would
/// turn the close into a reset and destroy it.
pub(crate) async fn accept(acceptor: &TlsAcceptor, tcp: TcpStream) -> io::Result<TlsStream<TcpStream>> {
    match acceptor.accept(tcp).into_fallible().await {
        Ok(tls) => Ok(tls),
        Err((error, mut tcp)) => {
            tcp.shutdown().await?;
            stream::drain(&tcp).await?;
            Err(error)
        }
    }
}

pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

pub(crate) fn roots(certificates: impl IntoIterator<Item = CertificateDer<'static>>) -> io::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        roots.add(certificate).map_err(io::Error::other)?;
    }
    Ok(roots)
}

#[derive(Debug)]
struct OneKey {
    key: Arc<CertifiedKey>,
    only_for: Option<String>,
}

impl ResolvesServerCert for OneKey {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let refused = self.only_for.as_deref().is_some_and(|name| hello.server_name() != Some(name));
        (!refused).then(|| Arc::clone(&self.key))
    }
}
