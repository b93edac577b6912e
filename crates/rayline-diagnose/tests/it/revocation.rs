//! Revocation lists that certificates name, kept by servers on loopback; and origins that ask for client certificates.

use std::net::SocketAddr;
use std::sync::Arc;

use rayline_diagnose::tls::{Client, End, Options, Report, Standing, probe};
use rayline_diagnose::trust::Trust;
use rayline_testkit::{Authority, Flaw, Origin, Script, Step, Tls, Versions};
use rayline_verdict::Code;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, CrlDistributionPoint,
    DnType, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, RevocationReason, RevokedCertParams, SerialNumber,
};
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use time::{Duration, OffsetDateTime};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::site::{HOST, PATIENCE};

/// An issuer of certificates and of lists.
type Issuer = CertifiedIssuer<'static, KeyPair>;

const SERIAL: u64 = 4711;

/// Issuers of one name, each with a key of its own.
fn issuer() -> Issuer {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Test CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Issuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A list that revokes these, and is good for so many days.
fn list(issuer: &Issuer, revoked: &[u64], days: i64) -> Vec<u8> {
    let now = OffsetDateTime::now_utc();
    let revoked_certs = revoked.iter().map(|serial| RevokedCertParams {
        serial_number: SerialNumber::from(*serial),
        revocation_time: now - Duration::days(3),
        reason_code: Some(RevocationReason::KeyCompromise),
        invalidity_date: None,
    });
    let params = CertificateRevocationListParams {
        this_update: now - Duration::days(9),
        next_update: now + Duration::days(days),
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: revoked_certs.collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    params.signed_by(issuer).unwrap().der().to_vec()
}

/// A server that answers everybody with this.
fn keeper(status: u16, body: &[u8]) -> Origin {
    let head = format!("HTTP/1.1 {status} Said\r\nContent-Length: {}\r\n\r\n", body.len());
    let answer = [head.as_bytes(), body].concat();
    Origin::start(Script::new("list", "keeps a revocation list", [Step::ReadHead, Step::send(answer), Step::Fin]))
        .unwrap()
}

/// An origin whose certificate names a list at this URL. It ends with the runtime.
async fn origin(issuer: &Issuer, url: Option<String>) -> SocketAddr {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new([HOST.to_owned()]).unwrap();
    params.serial_number = Some(SerialNumber::from(SERIAL));
    params.crl_distribution_points = url.into_iter().map(|url| CrlDistributionPoint { uris: vec![url] }).collect();
    let leaf = params.signed_by(&key, issuer).unwrap();
    let chain: Vec<CertificateDer<'static>> = vec![leaf.der().clone(), issuer.der().clone()];
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(builder.with_no_client_auth().with_single_cert(chain, key).unwrap()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let play = async move |stream: TcpStream| {
        let mut tls = acceptor.accept(stream).await?;
        let _asked = tls.read(&mut [0; 4096]).await?;
        tls.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await?;
        tls.shutdown().await
    };
    tokio::spawn(async move {
        // A client may end its handshake early: that is its affair.
        while let Ok((stream, _)) = listener.accept().await {
            let _ = play(stream).await;
        }
    });
    address
}

async fn look(address: SocketAddr, root: CertificateDer<'static>, client: Option<Client>) -> Report {
    let plain = Origin::start(Script::ok()).unwrap();
    let options = Options {
        target: address.to_string().parse().unwrap(),
        name: Some(HOST.to_owned()),
        http_port: plain.addr().port(),
        trust: Trust { named: vec![root], system: Vec::new() },
        client,
        timeout: PATIENCE,
    };
    probe(options).await.unwrap()
}

/// What is found where the list is this.
async fn standing(issuer: &Issuer, keeper: &Origin) -> (Report, Standing) {
    let url = format!("http://{}/ca.crl", keeper.addr());
    let report = look(origin(issuer, Some(url.clone())).await, issuer.der().clone(), None).await;
    let [looked] = report.revocation.as_slice() else { unreachable!() };
    assert_eq!(looked.list, url);
    let standing = looked.standing.clone();
    (report, standing)
}

#[tokio::test]
async fn a_certificate_that_stands_in_its_list_is_revoked() {
    let issuer = issuer();
    let keeper = keeper(200, &list(&issuer, &[7, SERIAL], 9));
    let (report, standing) = standing(&issuer, &keeper).await;
    assert!(
        matches!(&standing, Standing::Revoked { reason: Some(reason), .. } if reason.contains("Compromise")),
        "{standing:?}"
    );
    assert_eq!(report.verdict().map(|verdict| (verdict.code, verdict.number)), Some((Code::OriginTlsRevoked, 526)));
    assert!(!report.is_fine());
    let json = report.to_json(std::time::SystemTime::now());
    assert_eq!(json["revocation"][0]["outcome"], "revoked");
    assert_eq!(keeper.requests(), 1);
}

#[tokio::test]
async fn a_certificate_that_does_not_is_good_as_long_as_the_list_is() {
    let issuer = issuer();
    let (report, good) = standing(&issuer, &keeper(200, &list(&issuer, &[7], 9))).await;
    assert!(matches!(good, Standing::Good { until: Some(_) }), "{good:?}");
    assert!(report.is_fine() && report.verdict().is_none());
    let (report, old) = standing(&issuer, &keeper(200, &list(&issuer, &[7], -1))).await;
    assert!(matches!(&old, Standing::Unknown(why) if why.contains("only")), "{old:?}");
    assert!(report.is_fine(), "what cannot be told is no fault");
}

#[tokio::test]
async fn a_list_that_cannot_be_had_or_believed_says_nothing() {
    let issuer = issuer();
    let stranger = self::issuer();
    let large = vec![0; (4 << 20) + 1];
    for (keeper, why) in [
        (keeper(200, &list(&stranger, &[SERIAL], 9)), "not signed by the certificate's issuer"),
        (keeper(404, b""), "answered with 404"),
        (keeper(302, b""), "answered with 302"),
        (keeper(200, b"<html>"), "no revocation list"),
        (keeper(200, &large), "longer than 4 MB"),
    ] {
        let (report, standing) = standing(&issuer, &keeper).await;
        assert!(matches!(&standing, Standing::Unknown(said) if said.contains(why)), "{why}: {standing:?}");
        assert!(report.is_fine(), "{why}");
    }
    let report = look(origin(&issuer, Some("http://127.0.0.1:1/x".to_owned())).await, issuer.der().clone(), None).await;
    assert!(report.revocation[0].in_words().contains("could not be used"), "{:?}", report.revocation);
    for url in [None, Some("ldap://127.0.0.1/x".to_owned())] {
        assert!(look(origin(&issuer, url).await, issuer.der().clone(), None).await.revocation.is_empty());
    }
}

#[tokio::test]
async fn what_comes_with_and_without_a_client_certificate_is_told() {
    let authority = Authority::new("Test").unwrap();
    let issued = authority.issue(Flaw::None, &[HOST]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = authority.issue_client("edge").unwrap().write_to(folder.path(), "edge").unwrap();
    let client = || Some(Client::load(&certificate, &key).unwrap());
    for versions in [Versions::Tls12, Versions::Tls13] {
        let demanding = Origin::start(Script::client_certificate_required(&issued, &authority, versions)).unwrap();
        let report = look(demanding.addr(), authority.root_der(), client()).await;
        assert!(report.is_fine(), "{report:?}");
        let without = report.without_client.as_ref().and_then(End::verdict).map(|verdict| verdict.code);
        assert_eq!(without, Some(Code::OriginTlsClientCertificateRefused), "{versions:?}");
        let bare = look(demanding.addr(), authority.root_der(), None).await;
        assert!(!bare.is_fine() && bare.without_client.is_none());
    }
    let open = Origin::start(Script::ok().over_tls(Tls::new(&issued))).unwrap();
    let report = look(open.addr(), authority.root_der(), client()).await;
    assert!(matches!(report.without_client, Some(End::Works { status: Some(200), .. })));
    let notes = report.findings(std::time::SystemTime::now());
    assert!(notes.iter().any(|note| !note.is_fault && note.text.contains("without a client certificate")), "{notes:?}");

    let (_, other_key) = authority.issue_client("other").unwrap().write_to(folder.path(), "other").unwrap();
    for (certificate, key, why) in [
        (&certificate, &other_key, "not its own"),
        (&certificate, &folder.path().join("missing"), "missing"),
        (&other_key, &key, "no certificate"),
    ] {
        let said = Client::load(certificate, key).unwrap_err();
        assert!(said.contains(why), "{said}");
    }
}
