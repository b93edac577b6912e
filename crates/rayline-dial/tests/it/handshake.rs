use std::sync::Arc;

use rayline_dial::{Identity, Target, Tls, TrustError};
use rayline_testkit::{Authority, Flaw, Issued, Origin, Script, Versions};
use rayline_verdict::evidence::End;
use rayline_verdict::fault::{Cause, OriginTlsCause};
use rayline_verdict::{Code, Fact, Fault, Outcome, Reached};
use rustls::AlertDescription;

use crate::kit::{BRIEF, NAME, PATIENCE, connected, dialer, exchange, fact, failed, keys, target};

fn identity(client: &Issued) -> Arc<Identity> {
    Arc::new(Identity::new(client.chain().to_vec(), client.key()).unwrap())
}

async fn met(script: Script) -> Fault {
    let origin = Origin::start(script).unwrap();
    let (fault, attempts) = failed(&dialer(), &[origin.addr()], Tls::Full, &PATIENCE).await;
    assert_eq!(attempts.len(), 1);
    assert!(matches!(attempts[0].outcome, Outcome::Failed { .. }));
    assert_eq!(fact(&fault, "origin_address"), &Fact::OriginAddress(origin.addr()));
    assert_eq!(fact(&fault, "ssl_mode"), &Fact::SslMode("full"));
    assert_eq!(fact(&fault, "server_name"), &Fact::ServerName(NAME.to_owned()));
    fault
}

fn first_bytes(fault: &Fault) -> String {
    let Fact::FirstBytes(bytes) = fact(fault, "first_bytes") else { unreachable!() };
    bytes.to_string()
}

#[tokio::test]
async fn plain_http_is_named_and_shown() {
    let fault = met(Script::tls_plain_http()).await;
    assert_eq!(fault.cause, Cause::OriginTls(OriginTlsCause::PlainHttp));
    assert!(first_bytes(&fault).starts_with("HTTP/1.1 400 Bad Request"));
}

#[tokio::test]
async fn another_protocol_is_named_and_shown() {
    let fault = met(Script::tls_garbage()).await;
    assert_eq!(fault.cause, Cause::OriginTls(OriginTlsCause::Malformed));
    assert!(first_bytes(&fault).starts_with("SSH-2.0"));
}

#[tokio::test]
async fn a_close_a_reset_and_silence_are_three_things() {
    let fault = met(Script::tls_close()).await;
    assert_eq!(fault.cause, Cause::OriginTls(OriginTlsCause::Closed));
    assert!(!keys(&fault).contains(&"first_bytes"));

    let fault = met(Script::tls_reset()).await;
    assert_eq!(fault.cause, Cause::OriginTls(OriginTlsCause::Reset));
    assert_eq!(fact(&fault, "errno"), &Fact::Errno { number: libc::ECONNRESET, name: "ECONNRESET" });

    let origin = Origin::start(Script::tls_silent()).unwrap();
    let (fault, attempts) = failed(&dialer(), &[origin.addr()], Tls::Full, &BRIEF).await;
    assert_eq!(fault.cause, Cause::OriginTls(OriginTlsCause::TimedOut));
    assert_eq!(fact(&fault, "timer"), &Fact::Timer { setting: "tls_timeout", limit_ms: 300 });
    let Fact::Tcp(tcp) = fact(&fault, "tcp") else { unreachable!() };
    assert_eq!((tcp.state, tcp.unacked_segments), ("ESTABLISHED", 0), "the kernel there lives");
    assert_eq!(attempts[0].outcome, Outcome::Failed { code: Code::OriginTlsTimedOut, reached: Reached::No });
}

#[tokio::test]
async fn alerts_are_named() {
    let rows = [
        (AlertDescription::HandshakeFailure, "handshake_failure", OriginTlsCause::NoCommonCipher),
        (AlertDescription::ProtocolVersion, "protocol_version", OriginTlsCause::NoCommonVersion),
        (AlertDescription::UnrecognisedName, "unrecognized_name", OriginTlsCause::SniRefused),
        (AlertDescription::InternalError, "internal_error", OriginTlsCause::Alert),
    ];
    for (description, name, cause) in rows {
        let fault = met(Script::tls_alert(description)).await;
        assert_eq!(fault.cause, Cause::OriginTls(cause), "{name}");
        assert!(!keys(&fault).contains(&"first_bytes"), "the alert is all there was");
        let number = u8::from(description);
        assert_eq!(fact(&fault, "tls_alert"), &Fact::TlsAlert { name: name.to_owned(), number, sent_by: End::Theirs });
    }
}

#[tokio::test]
async fn a_server_hello_of_an_older_version_is_no_common_version() {
    let fault = met(Script::tls_old()).await;
    assert_eq!(fault.cause, Cause::OriginTls(OriginTlsCause::NoCommonVersion));
}

#[tokio::test]
async fn both_versions_are_spoken() {
    let authority = Authority::new("Test").unwrap();
    let good = authority.issue(Flaw::None, &[NAME]).unwrap();
    for (script, version) in [(Script::tls12_only(&good), "TLSv1.2"), (Script::tls13_only(&good), "TLSv1.3")] {
        let origin = Origin::start(script).unwrap();
        let mut connection = connected(&dialer(), &origin, Tls::Full).await;
        let (spoken, cipher) = connection.tls().unwrap();
        assert_eq!(spoken, version);
        assert!(cipher.starts_with("TLS_") && cipher.contains("_GCM_"), "{cipher}");
        assert!(connection.timings().tls_us > 0);
        assert!(exchange(&mut connection).await.unwrap().starts_with(b"HTTP/1.1 200"));
        let seen = origin.last().unwrap().tls.unwrap();
        assert_eq!(seen.server_name.as_deref(), Some(NAME));
        let ((sent, _), (wire_sent, _)) = (connection.request_bytes(), connection.wire_bytes());
        assert!(sent < wire_sent, "the tap below TLS counts TLS's own bytes too");
    }
}

#[tokio::test]
async fn a_missing_client_certificate_is_refused_in_the_handshake_of_tls_1_2() {
    let authority = Authority::new("Test").unwrap();
    let good = authority.issue(Flaw::None, &[NAME]).unwrap();
    let fault = met(Script::client_certificate_required(&good, &authority, Versions::Tls12)).await;
    assert_eq!(fault.cause, Cause::OriginTls(OriginTlsCause::ClientCertificateRefused));
    assert!(matches!(fact(&fault, "tls_alert"), Fact::TlsAlert { sent_by: End::Theirs, .. }));
}

#[tokio::test]
async fn a_client_certificate_is_shown_to_whoever_asks() {
    let authority = Authority::new("Test").unwrap();
    let good = authority.issue(Flaw::None, &[NAME]).unwrap();
    let (one, other) = (authority.issue_client("one.test").unwrap(), authority.issue_client("other.test").unwrap());
    let dialer = dialer();
    for versions in [Versions::Tls12, Versions::Tls13] {
        let origin = Origin::start(Script::client_certificate_required(&good, &authority, versions)).unwrap();
        // Twice each: a resumed session shows the identity that it was made with.
        for client in [&one, &other, &one, &other] {
            let identity = identity(client);
            let addresses = [origin.addr()];
            let target = Target { identity: Some(&identity), ..target(&addresses, Tls::Full) };
            let mut connection = dialer.dial(&target, &PATIENCE, &mut Vec::new()).await.unwrap();
            assert!(exchange(&mut connection).await.unwrap().starts_with(b"HTTP/1.1 200"));
            assert_eq!(origin.last().unwrap().tls.unwrap().certificate.as_ref(), client.chain().first());
        }
    }
}

#[tokio::test]
async fn a_client_certificate_of_another_ca_is_refused() {
    let authority = Authority::new("Test").unwrap();
    let good = authority.issue(Flaw::None, &[NAME]).unwrap();
    let stranger = identity(&Authority::new("Stranger").unwrap().issue_client("edge.test").unwrap());
    let origin = Origin::start(Script::client_certificate_required(&good, &authority, Versions::Tls12)).unwrap();
    let addresses = [origin.addr()];
    let target = Target { identity: Some(&stranger), ..target(&addresses, Tls::Full) };
    let fault = dialer().dial(&target, &PATIENCE, &mut Vec::new()).await.unwrap_err();
    assert_eq!(fault.cause, Cause::OriginTls(OriginTlsCause::ClientCertificateRefused));
}

#[test]
fn an_identity_with_another_key_is_no_identity() {
    let authority = Authority::new("Test").unwrap();
    let (one, other) = (authority.issue_client("one.test").unwrap(), authority.issue_client("other.test").unwrap());
    let refused = Identity::new(one.chain().to_vec(), other.key());
    assert_eq!(refused.unwrap_err(), TrustError::Identity);
}
