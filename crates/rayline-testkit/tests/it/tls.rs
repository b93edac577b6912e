//! Origins with broken TLS.

use std::io;
use std::sync::OnceLock;

use rayline_testkit::{Authority, End, Flaw, Issued, Origin, Script, Tls, TlsVisitor, Versions, Visitor};
use rustls::{AlertDescription, Error, InvalidMessage, PeerIncompatible};

use crate::ask::{BRIEF, GET, text};

const NAME: &str = "origin.test";

fn authority() -> &'static Authority {
    static AUTHORITY: OnceLock<Authority> = OnceLock::new();
    AUTHORITY.get_or_init(|| Authority::new("Rayline Test").unwrap())
}

fn good() -> Issued {
    authority().issue(Flaw::None, &[NAME]).unwrap()
}

fn trusting() -> TlsVisitor {
    TlsVisitor::new(NAME).trusting(authority())
}

async fn refusal(script: Script, visitor: &TlsVisitor) -> io::Error {
    let origin = Origin::start(script).unwrap();
    Visitor::connect_tls(origin.addr(), visitor).await.unwrap_err()
}

async fn tls_refusal(script: Script, visitor: &TlsVisitor) -> Error {
    let error = refusal(script, visitor).await;
    error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()).unwrap_or_else(|| panic!("{error:?}")).clone()
}

#[tokio::test]
async fn any_script_plays_over_tls_and_the_handshake_is_remembered() {
    let origin = Origin::start(Script::ok().over_tls(Tls::new(&good()))).unwrap();
    let mut visitor = Visitor::connect_tls(origin.addr(), &trusting()).await.unwrap();
    visitor.send(GET).await.unwrap();
    assert_eq!(visitor.read_response("GET").await.status(), Some(200));
    let tls = origin.last().unwrap().tls.unwrap();
    assert_eq!((tls.server_name.as_deref(), tls.version.as_str()), (Some(NAME), "TLSv1_3"));
    assert!(tls.certificate.is_none());

    for (script, end) in [
        (Script::close_empty(), End::Closed),
        (Script::reset_after_request(), End::Reset),
        (Script::stall_before_head(), End::Silent),
    ] {
        let origin = Origin::start(script.over_tls(Tls::new(&good()))).unwrap();
        let mut visitor = Visitor::connect_tls(origin.addr(), &trusting()).await.unwrap().patience(BRIEF);
        visitor.send(GET).await.unwrap();
        assert_eq!(visitor.read_to_end().await.end, end);
    }
}

#[tokio::test]
async fn one_version_is_spoken_and_the_other_refused() {
    for (script, version, other, name) in [
        (Script::tls12_only(&good()), Versions::Tls12, Versions::Tls13, "TLSv1_2"),
        (Script::tls13_only(&good()), Versions::Tls13, Versions::Tls12, "TLSv1_3"),
    ] {
        let error = tls_refusal(script.clone(), &trusting().versions(other)).await;
        assert_eq!(error, Error::AlertReceived(AlertDescription::ProtocolVersion));
        let origin = Origin::start(script).unwrap();
        let mut visitor = Visitor::connect_tls(origin.addr(), &trusting().versions(version)).await.unwrap();
        visitor.send(GET).await.unwrap();
        assert!(visitor.read_response("GET").await.whole);
        assert_eq!(origin.last().unwrap().tls.unwrap().version, name);
    }
}

#[tokio::test]
async fn the_handshake_meets_no_tls() {
    let any = TlsVisitor::new(NAME);
    assert_eq!(refusal(Script::tls_reset(), &any).await.kind(), io::ErrorKind::ConnectionReset);
    assert_eq!(refusal(Script::tls_close(), &any).await.kind(), io::ErrorKind::UnexpectedEof);
    for script in [Script::tls_plain_http(), Script::tls_garbage()] {
        let error = tls_refusal(script, &any).await;
        assert_eq!(error, Error::InvalidMessage(InvalidMessage::InvalidContentType));
    }
    let origin = Origin::start(Script::tls_silent()).unwrap();
    let silent = tokio::time::timeout(BRIEF, Visitor::connect_tls(origin.addr(), &any)).await;
    assert!(silent.is_err(), "the handshake was answered");
}

#[tokio::test]
async fn plain_http_on_the_tls_port_is_readable() {
    let origin = Origin::start(Script::tls_plain_http()).unwrap();
    let response = Visitor::get(origin.addr(), NAME, "/").await.unwrap();
    assert_eq!((response.status(), response.whole), (Some(400), true), "{}", text(&response.raw_head));
}

#[tokio::test]
async fn alerts_arrive_by_name() {
    for alert in [
        AlertDescription::HandshakeFailure,
        AlertDescription::ProtocolVersion,
        AlertDescription::UnrecognisedName,
        AlertDescription::InternalError,
        AlertDescription::DecodeError,
    ] {
        for versions in [Versions::Both, Versions::Tls12, Versions::Tls13] {
            let visitor = TlsVisitor::new(NAME).versions(versions);
            assert_eq!(tls_refusal(Script::tls_alert(alert), &visitor).await, Error::AlertReceived(alert));
        }
    }
}

#[tokio::test]
async fn old_tls_is_selected() {
    let error = tls_refusal(Script::tls_old(), &TlsVisitor::new(NAME)).await;
    assert_eq!(error, Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13));
}

#[tokio::test]
async fn other_server_names_are_refused() {
    let script = Script::sni_refused(&good(), NAME);
    for versions in [Versions::Tls12, Versions::Tls13] {
        let visitor = TlsVisitor::new("other.test").versions(versions);
        let error = tls_refusal(script.clone(), &visitor).await;
        assert_eq!(error, Error::AlertReceived(AlertDescription::AccessDenied));
    }
    let origin = Origin::start(script).unwrap();
    assert!(Visitor::connect_tls(origin.addr(), &trusting()).await.is_ok());
}

#[tokio::test]
async fn a_client_certificate_is_required() {
    let script = |versions| Script::client_certificate_required(&good(), authority(), versions);
    // TLS 1.2 refuses in the handshake …
    let error = tls_refusal(script(Versions::Tls12), &trusting()).await;
    assert_eq!(error, Error::AlertReceived(AlertDescription::CertificateRequired));
    // … TLS 1.3 after the client has finished it, whatever the client has sent by then
    let origin = Origin::start(script(Versions::Tls13)).unwrap();
    let mut visitor = Visitor::connect_tls(origin.addr(), &trusting()).await.unwrap();
    visitor.send(GET).await.unwrap();
    let end = visitor.read_to_end().await;
    assert_eq!((end.bytes.len(), end.end), (0, End::Failed(io::ErrorKind::InvalidData)));
    assert_eq!(origin.requests(), 0);

    let shown = authority().issue_client("edge").unwrap();
    for versions in [Versions::Tls12, Versions::Tls13] {
        let origin = Origin::start(script(versions)).unwrap();
        let visitor = trusting().presenting(&shown);
        let mut visitor = Visitor::connect_tls(origin.addr(), &visitor).await.unwrap();
        visitor.send(GET).await.unwrap();
        assert_eq!(visitor.read_response("GET").await.status(), Some(200));
        assert_eq!(origin.last().unwrap().tls.unwrap().certificate.as_ref(), shown.chain().first());
    }
    let stranger = Authority::new("Stranger").unwrap().issue_client("edge").unwrap();
    let error = tls_refusal(script(Versions::Tls12), &trusting().presenting(&stranger)).await;
    assert_eq!(error, Error::AlertReceived(AlertDescription::UnknownCA));
}

#[tokio::test]
async fn the_end_comes_without_close_notify() {
    let origin = Origin::start(Script::cut_without_close_notify(&good())).unwrap();
    let mut visitor = Visitor::connect_tls(origin.addr(), &trusting()).await.unwrap();
    visitor.send(GET).await.unwrap();
    let response = visitor.read_response("GET").await;
    assert_eq!((response.text().as_str(), response.end), ("all of it?\n", Some(End::Cut)));
    assert!(!response.whole);
}

#[tokio::test]
async fn garbled_records_break_a_session_that_was_good() {
    let origin = Origin::start(Script::garbled_answer(&good())).unwrap();
    let mut visitor = Visitor::connect_tls(origin.addr(), &trusting()).await.unwrap();
    visitor.send(GET).await.unwrap();
    let all = visitor.read_to_end().await;
    assert_eq!((all.bytes.as_slice(), all.end), (b"".as_slice(), End::Failed(io::ErrorKind::InvalidData)));
    assert_eq!(origin.requests(), 1);

    let origin = Origin::start(Script::garbled_body(&good())).unwrap();
    let mut visitor = Visitor::connect_tls(origin.addr(), &trusting()).await.unwrap().patience(BRIEF);
    visitor.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na").await.unwrap();
    let beginning = visitor.read_to_end().await;
    assert!(text(&beginning.bytes).ends_with("half") && beginning.end == End::Silent);
    visitor.send("b").await.unwrap();
    assert_eq!(visitor.read_to_end().await.end, End::Failed(io::ErrorKind::InvalidData));
}
