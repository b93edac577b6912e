//! The two ways to judge an origin's certificate: not at all, and strictly.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key};
use rustls::server::VerifierBuilderError;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use webpki::{EndEntityCert, RawPublicKeyEntity};
use x509_parser::parse_x509_certificate;

use crate::dial::TrustError;
use crate::tls::chain::{Trust, is_weak};
use crate::tls::ocsp;
use crate::tls::witness::{self, Rejection};

/// `full`: any certificate will do, expired, self-signed, for another name, or of version 1 alike.
///
/// Only that the other end holds the key of what it presented is checked, so that a broken handshake is met as one. Even
/// that is left out for an RSA key below 2048 bits, which the library refuses to judge and `full` promises to accept.
#[derive(Debug)]
pub(crate) struct Lenient {
    algorithms: WebPkiSupportedAlgorithms,
}

impl Lenient {
    pub(crate) fn new(provider: &CryptoProvider) -> Self {
        Self { algorithms: provider.signature_verification_algorithms }
    }

    /// Checks a handshake signature by the bare key, for webpki reads no certificate of version 1.
    fn check(
        &self,
        certificate: &CertificateDer<'_>,
        check: impl FnOnce(&SubjectPublicKeyInfoDer<'_>) -> Result<HandshakeSignatureValid, Error>,
    ) -> Result<HandshakeSignatureValid, Error> {
        let outcome = match parse_x509_certificate(certificate) {
            Ok((_, parsed)) if is_weak(&parsed) => Ok(HandshakeSignatureValid::assertion()),
            Ok((_, parsed)) => check(&SubjectPublicKeyInfoDer::from(parsed.public_key().raw)),
            Err(_) => Err(CertificateError::BadEncoding.into()),
        };
        outcome.inspect_err(|_| reject_signature(certificate))
    }
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check(certificate, |key| {
            let key = RawPublicKeyEntity::try_from(key).map_err(|_| CertificateError::BadEncoding)?;
            // One scheme of TLS 1.2 stands for several algorithms, by the key's curve (RFC 8446 §4.2.3).
            let of_scheme = self.algorithms.mapping.iter().filter(|(scheme, _)| *scheme == signed.scheme);
            let mut candidates = of_scheme.flat_map(|(_, algorithms)| algorithms.iter());
            candidates
                .any(|algorithm| key.verify_signature(*algorithm, message, signed.signature()).is_ok())
                .then(HandshakeSignatureValid::assertion)
                .ok_or(Error::InvalidCertificate(CertificateError::BadSignature))
        })
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check(certificate, |key| verify_tls13_signature_with_raw_key(message, key, signed, &self.algorithms))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// `strict`: dates, chain to a trusted root, usage, revocation and name, in the order in which webpki judges them.
#[derive(Debug)]
pub(crate) struct Strict {
    webpki: Arc<WebPkiServerVerifier>,
    /// The roots of the owner's own.
    own: Vec<CertificateDer<'static>>,
}

impl Strict {
    pub(crate) fn new(
        own: Vec<CertificateDer<'static>>,
        crls: Vec<CertificateRevocationListDer<'static>>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, TrustError> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        for (place, root) in own.iter().enumerate() {
            roots.add(root.clone()).map_err(|_| TrustError::Root(place))?;
        }
        let webpki = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
            .with_crls(crls)
            .allow_unknown_revocation_status()
            .build()
            .map_err(|error| match error {
                VerifierBuilderError::InvalidCrl(_) => TrustError::RevocationList,
                // There are always the public roots.
                VerifierBuilderError::NoRootAnchors => TrustError::Root(0),
                _ => TrustError::RevocationList,
            })?;
        Ok(Self { webpki, own })
    }

    /// Judges a certificate that was presented in an earlier handshake.
    pub(crate) fn judge(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
    ) -> Result<(), Error> {
        self.verify_server_cert(leaf, intermediates, name, &[], UnixTime::now()).map(|_| ())
    }

    /// A certificate that the owner trusts by itself: webpki would refuse one that calls itself a CA, as those that
    /// `openssl req -x509` makes do.
    fn judge_trusted(leaf: &CertificateDer<'_>, name: &ServerName<'_>, now: UnixTime) -> Result<(), Error> {
        let (_, parsed) = parse_x509_certificate(leaf).map_err(|_| CertificateError::BadEncoding)?;
        let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        if seconds < parsed.validity().not_before.timestamp() {
            return Err(CertificateError::NotValidYet.into());
        }
        if seconds > parsed.validity().not_after.timestamp() {
            return Err(CertificateError::Expired.into());
        }
        let readable = EndEntityCert::try_from(leaf).map_err(|_| CertificateError::BadEncoding)?;
        readable.verify_is_valid_for_subject_name(name).map_err(|_| CertificateError::NotValidForName.into())
    }
}

impl ServerCertVerifier for Strict {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let trust = Trust { own_roots: !self.own.is_empty(), leaf: self.own.contains(leaf) };
        let judged = if trust.leaf {
            Self::judge_trusted(leaf, name, now)
        } else {
            self.webpki.verify_server_cert(leaf, intermediates, name, ocsp_response, now).map(|_| ())
        };
        let (error, revoked_by) = match judged {
            Ok(()) if ocsp::says_revoked(ocsp_response, leaf) => (CertificateError::Revoked.into(), Some("ocsp")),
            Ok(()) => return Ok(ServerCertVerified::assertion()),
            Err(error) => {
                let by_list = matches!(error, Error::InvalidCertificate(CertificateError::Revoked));
                (error, by_list.then_some("crl"))
            }
        };
        let chain: Vec<_> = std::iter::once(leaf).chain(intermediates).cloned().collect();
        reject(&chain, trust, now, revoked_by);
        Err(error)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let judged = self.webpki.verify_tls12_signature(message, certificate, signed);
        judged.inspect_err(|_| reject_signature(certificate))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let judged = self.webpki.verify_tls13_signature(message, certificate, signed);
        judged.inspect_err(|_| reject_signature(certificate))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.webpki.supported_verify_schemes()
    }
}

/// Notes what was presented, for the evidence.
fn reject(chain: &[CertificateDer<'_>], trust: Trust, at: UnixTime, revoked_by: Option<&'static str>) {
    let chain = chain.iter().map(|certificate| certificate.clone().into_owned()).collect();
    witness::rejected(Rejection { chain, trust, at, revoked_by });
}

/// Notes that the handshake was not signed with the key of this certificate.
fn reject_signature(leaf: &CertificateDer<'_>) {
    reject(std::slice::from_ref(leaf), Trust::default(), UnixTime::now(), None);
}
