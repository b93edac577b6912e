use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rayline_dial::{Dialer, Presented, Protocols, Target, Tls, TrustError, TrustSettings};
use rayline_testkit::{Authority, Flaw, Issued, Origin, Script};
use rayline_verdict::evidence::CertificateFacts;
use rayline_verdict::fault::{Cause, OriginTlsCause};
use rayline_verdict::{Fact, Fault};
use rustls_pki_types::CertificateRevocationListDer;
use rustls_pki_types::pem::PemObject;

use crate::kit::{NAME, PATIENCE, connected, exchange, fact, failed, keys};

/// What the owner trusts in these tests.
fn trust(authority: &Authority) -> TrustSettings {
    TrustSettings { extra_roots: vec![authority.root_der()], ..TrustSettings::default() }
}

/// The fault of a strict handshake with an origin that presents this certificate.
async fn refused(trust: TrustSettings, issued: &Issued) -> Fault {
    let origin = Origin::start(Script::certificate(issued)).unwrap();
    let dialer = Dialer::new(trust).unwrap();
    failed(&dialer, &[origin.addr()], Tls::Strict, &PATIENCE).await.0
}

fn presented(fault: &Fault) -> &CertificateFacts {
    let Fact::Certificate(facts) = fact(fault, "certificate") else { unreachable!() };
    facts
}

#[tokio::test]
async fn what_origins_show_is_noted_whether_it_is_accepted_or_not() {
    let authority = Authority::new("Test").unwrap();
    let (good, expired) =
        (authority.issue(Flaw::None, &[NAME]).unwrap(), authority.issue(Flaw::Expired, &[NAME]).unwrap());
    let noted = Arc::new(Presented::default());
    let dialer = || Dialer::new(TrustSettings { presented: Arc::clone(&noted), ..trust(&authority) }).unwrap();
    let ends = |origin: &Origin| {
        let shown = noted.list().into_iter().find(|shown| shown.address == origin.addr());
        shown.map(|shown| (shown.not_after, shown.names, shown.server_name))
    };
    let of = |issued: &Issued| Some((issued.not_after().unix_timestamp(), vec![NAME.to_owned()], NAME.to_owned()));

    let refused = Origin::start(Script::certificate(&expired)).unwrap();
    failed(&dialer(), &[refused.addr()], Tls::Strict, &PATIENCE).await;
    assert_eq!(ends(&refused), of(&expired), "one that is not accepted runs out too");

    let fine = Origin::start(Script::certificate(&good)).unwrap();
    assert_eq!(ends(&fine), None);
    connected(&dialer(), &fine, Tls::Strict).await;
    assert_eq!(ends(&fine), of(&good));

    let unchecked = Origin::start(Script::certificate(&expired)).unwrap();
    connected(&dialer(), &unchecked, Tls::Full).await;
    assert_eq!(ends(&unchecked), of(&expired), "`full` judges nothing, and it is noted all the same");
    assert_eq!(noted.list().len(), 3);
}

#[tokio::test]
async fn each_flaw_has_its_cause_under_strict() {
    let authority = Authority::new("Test").unwrap();
    let rows = [
        (Flaw::Expired, OriginTlsCause::CertificateExpired),
        (Flaw::NotYetValid, OriginTlsCause::CertificateNotYetValid),
        (Flaw::SelfSigned, OriginTlsCause::SelfSigned),
        (Flaw::UnknownIssuer, OriginTlsCause::UnknownIssuer),
        (Flaw::MissingIntermediate, OriginTlsCause::MissingIntermediate),
        (Flaw::WrongName, OriginTlsCause::NameMismatch),
        (Flaw::CommonNameOnly, OriginTlsCause::NameOnlyInCommonName),
        (Flaw::WrongUsage, OriginTlsCause::WrongUsage),
        (Flaw::BadSignature, OriginTlsCause::CertificateInvalid),
        (Flaw::RevokedStapled, OriginTlsCause::Revoked),
    ];
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
    for (flaw, cause) in rows {
        let issued = authority.issue(flaw, &[NAME]).unwrap();
        let fault = refused(trust(&authority), &issued).await;
        assert_eq!(fault.cause, Cause::OriginTls(cause), "{}", flaw.name());
        assert_eq!(fact(&fault, "expected_name"), &Fact::ExpectedName(NAME.to_owned()));
        let Fact::CheckedAt(at) = fact(&fault, "checked_at") else { unreachable!() };
        assert!((now - 60..now + 60).contains(at));
        let facts = presented(&fault);
        assert_eq!(facts.not_before, issued.not_before().unix_timestamp());
        assert_eq!(facts.not_after, issued.not_after().unix_timestamp());
        assert_eq!(facts.chain_length, issued.chain().len());
        assert!(matches!(fact(&fault, "tls_error"), Fact::TlsError(_)));
        assert!(!keys(&fault).contains(&"first_bytes"), "a certificate's bytes are no evidence beside its facts");
    }
}

#[tokio::test]
async fn full_accepts_them_all() {
    let authority = Authority::new("Test").unwrap();
    let dialer = Dialer::new(trust(&authority)).unwrap();
    for flaw in Flaw::ALL {
        let origin = Origin::start(Script::certificate(&authority.issue(flaw, &[NAME]).unwrap())).unwrap();
        let mut connection = connected(&dialer, &origin, Tls::Full).await;
        assert!(exchange(&mut connection).await.unwrap().starts_with(b"HTTP/1.1 200"), "{}", flaw.name());
    }
}

#[tokio::test]
async fn names_are_shown_presented_and_expected() {
    let authority = Authority::new("Test").unwrap();
    let fault = refused(trust(&authority), &authority.issue(Flaw::WrongName, &[NAME]).unwrap()).await;
    assert_eq!(presented(&fault).names, ["another-host.invalid"]);
    assert_eq!(presented(&fault).issuer, "CN=Test Intermediate");
    assert!(!presented(&fault).serial.is_empty());

    let fault = refused(trust(&authority), &authority.issue(Flaw::CommonNameOnly, &[NAME]).unwrap()).await;
    assert_eq!(presented(&fault).subject, format!("CN={NAME}"));
    assert!(presented(&fault).names.is_empty());
}

#[tokio::test]
async fn a_revocation_list_and_a_staple_are_told_apart() {
    let authority = Authority::new("Test").unwrap();
    let (listed, stapled) =
        (authority.issue(Flaw::Revoked, &[NAME]).unwrap(), authority.issue(Flaw::RevokedStapled, &[NAME]).unwrap());
    let pem = authority.crl_pem().unwrap();
    let crls = || CertificateRevocationListDer::pem_slice_iter(pem.as_bytes()).map(Result::unwrap).collect();

    let fault = refused(TrustSettings { crls: crls(), ..trust(&authority) }, &listed).await;
    assert_eq!(fault.cause, Cause::OriginTls(OriginTlsCause::Revoked));
    assert_eq!(fact(&fault, "revoked_by"), &Fact::RevokedBy("crl"));

    let fault = refused(trust(&authority), &stapled).await;
    assert_eq!(fault.cause, Cause::OriginTls(OriginTlsCause::Revoked));
    assert_eq!(fact(&fault, "revoked_by"), &Fact::RevokedBy("ocsp"));

    let dialer = Dialer::new(TrustSettings { crls: crls(), ..trust(&authority) }).unwrap();
    let origin = Origin::start(Script::certificate(&authority.issue(Flaw::None, &[NAME]).unwrap())).unwrap();
    connected(&dialer, &origin, Tls::Strict).await;
}

#[tokio::test]
async fn without_a_list_of_its_own_the_owner_hears_of_an_unknown_issuer() {
    let authority = Authority::new("Test").unwrap();
    for flaw in [Flaw::None, Flaw::MissingIntermediate] {
        let fault = refused(TrustSettings::default(), &authority.issue(flaw, &[NAME]).unwrap()).await;
        assert_eq!(fault.cause, Cause::OriginTls(OriginTlsCause::UnknownIssuer), "{}", flaw.name());
        assert_eq!(presented(&fault).issuer, "CN=Test Intermediate");
    }
}

#[tokio::test]
async fn a_self_signed_certificate_can_be_trusted_by_itself() {
    let authority = Authority::new("Test").unwrap();
    let own = authority.issue(Flaw::SelfSigned, &[NAME]).unwrap();
    let origin = Origin::start(Script::certificate(&own)).unwrap();
    let trust = || TrustSettings { extra_roots: own.chain().to_vec(), ..TrustSettings::default() };
    let dialer = Dialer::new(trust()).unwrap();
    connected(&dialer, &origin, Tls::Strict).await;

    // Trusted, and still only for its own name.
    let addresses = [origin.addr()];
    let target = Target {
        addresses: &addresses,
        tls: Tls::Strict,
        protocols: Protocols::Http1,
        server_name: "other.test",
        ssl_mode: "strict",
        identity: None,
    };
    let fault = dialer.dial(&target, &PATIENCE, &mut Vec::new()).await.unwrap_err();
    assert_eq!(fault.cause, Cause::OriginTls(OriginTlsCause::NameMismatch));
    assert_eq!(fact(&fault, "expected_name"), &Fact::ExpectedName("other.test".to_owned()));
}

#[tokio::test]
async fn a_good_certificate_holds_for_its_names_and_addresses() {
    let authority = Authority::new("Test").unwrap();
    let good = authority.issue(Flaw::None, &["*.wild.test", "127.0.0.1"]).unwrap();
    let origin = Origin::start(Script::certificate(&good)).unwrap();
    let dialer = Dialer::new(trust(&authority)).unwrap();
    let addresses = [origin.addr()];
    for (server_name, cause) in [
        ("a.wild.test", None),
        ("127.0.0.1", None),
        ("a.b.wild.test", Some(OriginTlsCause::NameMismatch)),
        ("wild.test", Some(OriginTlsCause::NameMismatch)),
        ("127.0.0.2", Some(OriginTlsCause::NameMismatch)),
    ] {
        let target = Target {
            addresses: &addresses,
            tls: Tls::Strict,
            server_name,
            ssl_mode: "strict",
            protocols: Protocols::Http1,
            identity: None,
        };
        let outcome = dialer.dial(&target, &PATIENCE, &mut Vec::new()).await;
        assert_eq!(outcome.err().map(|fault| fault.cause), cause.map(Cause::OriginTls), "{server_name}");
    }
}

#[tokio::test]
async fn sessions_are_resumed_and_their_certificate_is_judged_anew() {
    let authority = Authority::new("Test").unwrap();
    let good = authority.issue(Flaw::None, &[NAME]).unwrap();
    for script in [Script::tls12_only(&good), Script::tls13_only(&good)] {
        let origin = Origin::start(script).unwrap();
        let dialer = Dialer::new(trust(&authority)).unwrap();
        let mut resumed = 0;
        for _ in 0..3 {
            let mut connection = connected(&dialer, &origin, Tls::Strict).await;
            exchange(&mut connection).await.unwrap();
            resumed += u32::from(connection.is_resumed());
        }
        assert_eq!(resumed, 2, "{}", origin.script().name());
    }
}

#[test]
fn settings_that_cannot_be_used_are_named() {
    let authority = Authority::new("Test").unwrap();
    let broken = rustls_pki_types::CertificateDer::from(b"no certificate".as_slice());
    let settings = TrustSettings { extra_roots: vec![authority.root_der(), broken], ..TrustSettings::default() };
    assert_eq!(Dialer::new(settings).unwrap_err(), TrustError::Root(1));
    let crls = vec![CertificateRevocationListDer::from(b"no list".as_slice())];
    assert_eq!(
        Dialer::new(TrustSettings { crls, ..TrustSettings::default() }).unwrap_err(),
        TrustError::RevocationList
    );
}
