//! Certificates: each is refused for its own reason, and files hold what they should.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use rayline_testkit::{Authority, Flaw, Issued, Origin, Script, TlsVisitor, Visitor};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use time::{Duration, OffsetDateTime};

const NAME: &str = "origin.test";

async fn verdict(issued: &Issued, visitor: &TlsVisitor) -> Result<(), CertificateError> {
    let origin = Origin::start(Script::certificate(issued)).unwrap();
    let Err(error) = Visitor::connect_tls(origin.addr(), visitor).await else {
        return Ok(());
    };
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(Error::InvalidCertificate(reason)) => Err(reason.clone()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn each_flaw_is_found_by_a_strict_client() {
    let authority = Authority::new("Rayline Test").unwrap();
    for flaw in Flaw::ALL {
        let issued = authority.issue(flaw, &[NAME]).unwrap();
        let visitor = TlsVisitor::new(NAME).trusting(&authority).with_crl(&authority.crl_pem().unwrap());
        let verdict = verdict(&issued, &visitor).await;
        let as_it_should = match flaw {
            Flaw::None => verdict.is_ok(),
            Flaw::Expired => matches!(verdict, Err(CertificateError::ExpiredContext { .. })),
            Flaw::NotYetValid => matches!(verdict, Err(CertificateError::NotValidYetContext { .. })),
            Flaw::SelfSigned | Flaw::UnknownIssuer | Flaw::MissingIntermediate => {
                verdict == Err(CertificateError::UnknownIssuer)
            }
            Flaw::WrongName | Flaw::CommonNameOnly => {
                matches!(verdict, Err(CertificateError::NotValidForNameContext { .. }))
            }
            Flaw::WrongUsage => matches!(verdict, Err(CertificateError::InvalidPurposeContext { .. })),
            Flaw::BadSignature => verdict == Err(CertificateError::BadSignature),
            Flaw::Revoked | Flaw::RevokedStapled => verdict == Err(CertificateError::Revoked),
        };
        assert!(as_it_should, "{}: {verdict:?}", flaw.name());
    }
}

#[tokio::test]
async fn a_lax_client_takes_them_all_and_revocation_needs_the_list() {
    let authority = Authority::new("Rayline Test").unwrap();
    for flaw in Flaw::ALL {
        let issued = authority.issue(flaw, &[NAME]).unwrap();
        assert_eq!(verdict(&issued, &TlsVisitor::new(NAME)).await, Ok(()), "{}", flaw.name());
    }
    let revoked = authority.issue(Flaw::Revoked, &[NAME]).unwrap();
    assert_eq!(verdict(&revoked, &TlsVisitor::new(NAME).trusting(&authority)).await, Ok(()));
}

#[tokio::test]
async fn names_may_be_wildcards_and_addresses() {
    let authority = Authority::new("Rayline Test").unwrap();
    let issued = authority.issue(Flaw::None, &["*.origin.test", "127.0.0.1", "::1"]).unwrap();
    for (name, fits) in [("a.origin.test", true), ("127.0.0.1", true), ("::1", true), ("origin.test", false)] {
        let visitor = TlsVisitor::new(name).trusting(&authority);
        assert_eq!(verdict(&issued, &visitor).await.is_ok(), fits, "{name}");
    }
    assert!(authority.issue(Flaw::None, &["näme"]).is_err());
}

#[test]
fn dates_are_told() {
    let authority = Authority::new("Rayline Test").unwrap();
    let now = OffsetDateTime::now_utc();
    let expired = authority.issue(Flaw::Expired, &[NAME]).unwrap();
    assert!(expired.not_after() < now && expired.not_after() > now - Duration::days(11));
    let early = authority.issue(Flaw::NotYetValid, &[NAME]).unwrap();
    assert!(early.not_before() > now && early.not_before() < now + Duration::days(11));
    assert_eq!(early.flaw().name(), "cert-not-yet-valid");
}

/// Keeps the staple that it is shown.
#[derive(Debug, Default)]
struct Collector(Mutex<Vec<u8>>);

impl ServerCertVerifier for Collector {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        staple: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        *self.0.lock().unwrap() = staple.to_vec();
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

#[tokio::test]
async fn the_staple_is_sent() {
    let authority = Authority::new("Rayline Test").unwrap();
    let issued = authority.issue(Flaw::RevokedStapled, &[NAME]).unwrap();
    let origin = Origin::start(Script::certificate(&issued)).unwrap();
    let collector = Arc::new(Collector::default());
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(collector.clone())
        .with_no_client_auth();
    let tcp = tokio::net::TcpStream::connect(origin.addr()).await.unwrap();
    let name = ServerName::try_from(NAME).unwrap();
    tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, tcp).await.unwrap();
    assert_eq!(Some(collector.0.lock().unwrap().as_slice()), issued.staple());
}

/// The staple is DER of our own making: a reader that is not ours has to agree on what it says.
#[test]
fn openssl_reads_files_and_staple() {
    if Command::new("openssl").arg("version").output().is_err() {
        return; // nothing to compare with here
    }
    let dir = std::env::temp_dir().join(format!("rayline-testkit-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let authority = Authority::new("Rayline Test").unwrap();
    let good = authority.issue(Flaw::None, &[NAME]).unwrap();
    let revoked = authority.issue(Flaw::RevokedStapled, &[NAME]).unwrap();
    let root = authority.write_to(&dir).unwrap();
    let (chain, key) = good.write_to(&dir, "good").unwrap();
    let (revoked_chain, _) = revoked.write_to(&dir, "revoked").unwrap();
    std::fs::File::create(dir.join("staple")).unwrap().write_all(revoked.staple().unwrap()).unwrap();

    let intermediate = dir.join("intermediate.pem");
    let openssl = |arguments: &[&std::ffi::OsStr]| {
        let output = Command::new("openssl").args(arguments).stdin(Stdio::null()).output().unwrap();
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    };
    macro_rules! openssl {
        ($($argument:expr),*) => { openssl(&[$(std::ffi::OsStr::new($argument)),*]) };
    }
    let verified = openssl!("verify", "-CAfile", &root, "-untrusted", &chain, &chain);
    assert!(verified.contains("OK"), "{verified}");
    let crl = dir.join("crl.pem");
    let verified =
        openssl!("verify", "-CAfile", &root, "-untrusted", &chain, "-CRLfile", &crl, "-crl_check", &revoked_chain);
    assert!(verified.contains("revoked"), "{verified}");
    let read = openssl!("pkey", "-in", &key, "-noout", "-check");
    assert!(read.contains("valid"), "{read}");
    let staple = dir.join("staple");
    let read = openssl!(
        "ocsp",
        "-respin",
        &staple,
        "-issuer",
        &intermediate,
        "-sha256",
        "-cert",
        &revoked_chain,
        "-CAfile",
        &root,
        "-verify_other",
        &intermediate,
        "-trust_other"
    );
    assert!(read.contains("Response verify OK"), "{read}");
    assert!(read.contains(": revoked") && read.contains("keyCompromise"), "{read}");
    std::fs::remove_dir_all(&dir).unwrap();
}
