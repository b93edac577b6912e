//! How a visitor speaks TLS: whom it trusts, which name it asks for, what it shows.
//!
//! It checks certificates only where an authority is given to trust, and then with all the rigour of rustls.

use std::io;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, ServerName, UnixTime};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::certs::{Authority, Issued};
use crate::tls::{Versions, provider, roots};

/// How a visitor speaks TLS.
#[derive(Debug, Clone)]
pub struct TlsVisitor {
    server_name: String,
    root: Option<CertificateDer<'static>>,
    crl_pem: Option<String>,
    versions: Versions,
    presents: Option<Issued>,
    protocols: Vec<Vec<u8>>,
}

impl TlsVisitor {
    /// Asks for `server_name` (an IP address sends no SNI) and trusts whoever answers.
    pub fn new(server_name: &str) -> Self {
        Self {
            server_name: server_name.to_owned(),
            root: None,
            crl_pem: None,
            versions: Versions::Both,
            presents: None,
            protocols: Vec::new(),
        }
    }

    /// Trusts this authority, and none else.
    #[must_use]
    pub fn trusting(mut self, authority: &Authority) -> Self {
        self.root = Some(authority.root_der());
        self
    }

    /// Trusts the authority whose certificate this PEM text holds, and none else.
    ///
    /// # Errors
    /// A text without a certificate.
    pub fn trusting_pem(mut self, pem: &str) -> io::Result<Self> {
        let root = CertificateDer::from_pem_slice(pem.as_bytes());
        self.root = Some(root.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?);
        Ok(self)
    }

    /// Takes these revocation lists into account, for the whole chain.
    #[must_use]
    pub fn with_crl(mut self, crl_pem: &str) -> Self {
        self.crl_pem = Some(crl_pem.to_owned());
        self
    }

    /// Speaks only these versions.
    #[must_use]
    pub fn versions(mut self, versions: Versions) -> Self {
        self.versions = versions;
        self
    }

    /// Shows this certificate when asked for one.
    #[must_use]
    pub fn presenting(mut self, issued: &Issued) -> Self {
        self.presents = Some(issued.clone());
        self
    }

    /// Offers these protocols by ALPN, the preferred one first; none unless set.
    #[must_use]
    pub fn offering(mut self, protocols: &[&str]) -> Self {
        self.protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        self
    }

    pub(super) async fn connect(&self, tcp: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(self.server_name.clone())
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        TlsConnector::from(Arc::new(self.config()?)).connect(name, tcp).await
    }

    fn config(&self) -> io::Result<ClientConfig> {
        let provider = provider();
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(self.versions.supported())
            .map_err(io::Error::other)?
            .dangerous()
            .with_custom_certificate_verifier(self.verifier(provider)?);
        let mut config = match &self.presents {
            None => builder.with_no_client_auth(),
            Some(issued) => {
                builder.with_client_auth_cert(issued.chain().to_vec(), issued.key()).map_err(io::Error::other)?
            }
        };
        config.alpn_protocols.clone_from(&self.protocols);
        Ok(config)
    }

    fn verifier(&self, provider: Arc<CryptoProvider>) -> io::Result<Arc<dyn ServerCertVerifier>> {
        let Some(root) = &self.root else {
            return Ok(Arc::new(Anyone(provider)));
        };
        let roots = Arc::new(roots([root.clone()])?);
        let mut builder = WebPkiServerVerifier::builder_with_provider(roots, provider);
        if let Some(pem) = &self.crl_pem {
            let lists: Result<Vec<_>, _> = CertificateRevocationListDer::pem_slice_iter(pem.as_bytes()).collect();
            builder = builder.with_crls(lists.map_err(io::Error::other)?);
        }
        Ok(builder.build().map_err(io::Error::other)?)
    }
}

/// Checks that the server has the key of its certificate, and nothing else of it.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _staple: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
