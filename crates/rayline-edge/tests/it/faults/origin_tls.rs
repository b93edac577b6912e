//! The TLS handshake with the origin, up to its certificate.

use rayline_testkit::{Authority, Flaw, Issued, Script, Versions};
use rustls::AlertDescription;
use serde_json::{Value, json};

use crate::scene::{Blame, HOST, Scene, Setup};

/// A scene with this script, blamed on `code`: nothing of the request was sent.
async fn fails(script: Script, code: &str, evidence: &[&'static str]) -> Value {
    let scene = Scene::with(script).limit("tls_timeout", "300ms").start();
    let blame = Blame::page(code, 525).evidence(&["origin_address", "elapsed_ms"]).evidence(evidence);
    let record = scene.blames(blame).await;
    assert_eq!(record["VerdictReached"], "no", "{record:#}");
    assert_eq!(record["VerdictEvidence"]["ssl_mode"], "origin_pull");
    assert_eq!(record["VerdictAttempts"][0]["code"], code);
    record
}

fn issued(authority: &Authority) -> Issued {
    authority.issue(Flaw::None, &[HOST]).expect("a certificate")
}

#[tokio::test]
async fn silent_closed_and_reset() {
    let record = fails(Script::tls_silent(), "origin.origin_tls.timed_out", &["tcp"]).await;
    let timer = json!({ "setting": "tls_timeout", "limit_ms": 300 });
    assert_eq!(record["VerdictEvidence"]["timer"], timer);
    assert_eq!(record["VerdictEvidence"]["tcp"]["unacked_segments"], 0);

    let record = fails(Script::tls_close(), "origin.origin_tls.closed", &["server_name"]).await;
    assert_eq!(record["VerdictEvidence"]["errno"], Value::Null, "a FIN is no error");

    let record = fails(Script::tls_reset(), "origin.origin_tls.reset", &["server_name"]).await;
    assert_eq!(record["VerdictEvidence"]["errno"]["name"], "ECONNRESET");
}

#[tokio::test]
async fn other_protocols() {
    let record = fails(Script::tls_plain_http(), "origin.origin_tls.plain_http", &["first_bytes"]).await;
    assert!(record["VerdictEvidence"]["first_bytes"].as_str().expect("text").starts_with("HTTP/1.1 400"));

    let record = fails(Script::tls_garbage(), "origin.origin_tls.malformed", &["first_bytes", "tls_error"]).await;
    assert_eq!(record["VerdictEvidence"]["first_bytes"], r"SSH-2.0-OpenSSH_9.9\r\n");
}

#[tokio::test]
async fn alerts_by_name() {
    for (alert, name, code) in [
        (AlertDescription::InternalError, "internal_error", "origin.origin_tls.alert"),
        (AlertDescription::ProtocolVersion, "protocol_version", "origin.origin_tls.no_common_version"),
        (AlertDescription::HandshakeFailure, "handshake_failure", "origin.origin_tls.no_common_cipher"),
        (AlertDescription::UnrecognisedName, "unrecognized_name", "origin.origin_tls.sni_refused"),
    ] {
        let record = fails(Script::tls_alert(alert), code, &["tls_alert", "server_name"]).await;
        let evidence = &record["VerdictEvidence"];
        assert_eq!(evidence["tls_alert"], json!({ "name": name, "number": u8::from(alert), "sent_by": "peer" }));
        assert_eq!(evidence["server_name"], HOST);
        let rivals = if alert == AlertDescription::HandshakeFailure {
            json!(["origin.origin_tls.sni_refused"])
        } else {
            json!([])
        };
        assert_eq!(record["VerdictRivals"], rivals, "{name}");
    }
}

#[tokio::test]
async fn an_old_version() {
    let record = fails(Script::tls_old(), "origin.origin_tls.no_common_version", &["tls_error"]).await;
    assert_eq!(record["VerdictCertainty"], "proven");
}

/// A server without a certificate for the name, which says so in other words.
#[tokio::test]
async fn a_name_that_the_origin_does_not_serve() {
    let authority = Authority::new("Test").expect("an authority");
    let script = Script::sni_refused(&issued(&authority), "somebody-else.invalid");
    let record = fails(script, "origin.origin_tls.alert", &["server_name"]).await;
    assert_eq!(record["VerdictEvidence"]["tls_alert"]["name"], "access_denied");
}

/// In TLS 1.3 the edge has finished its handshake, and begun to send, when it hears of the refusal.
#[tokio::test]
async fn a_client_certificate_that_the_edge_does_not_have() {
    for versions in [Versions::Tls12, Versions::Tls13] {
        let authority = Authority::new("Test").expect("an authority");
        let script = Script::client_certificate_required(&issued(&authority), &authority, versions);
        let scene = Scene::with(script).trusting(&authority).start();
        let blame = Blame::page("origin.origin_tls.client_certificate_refused", 525);
        let record = scene.blames(blame.evidence(&["origin_address", "ssl_mode"])).await;
        assert_eq!(record["VerdictEvidence"]["tls_alert"]["sent_by"], "peer", "{versions:?}");
        assert_eq!((&record["VerdictReached"], &record["VerdictCertainty"]), (&json!("no"), &json!("proven")));
        assert_eq!(record["VerdictAttempts"].as_array().map(Vec::len), Some(1), "{versions:?}");
        assert_eq!(scene.origin.as_ref().expect("an origin").requests(), 0, "{versions:?}");
    }
}

/// What a zone says to show this certificate to its origins (authenticated origin pulls).
fn showing(setup: Setup, client: &Issued) -> Setup {
    client.write_to(setup.folder(), "client").expect("files in the folder");
    let table = "[zone.origin_tls_client_auth]\ncertificate = \"client.pem\"\nprivate_key = \"client.key\"";
    setup.setting("tls_client_auth", "on").also(table)
}

#[tokio::test]
async fn a_client_certificate_that_the_origin_knows() {
    for versions in [Versions::Tls12, Versions::Tls13] {
        let authority = Authority::new("Test").expect("an authority");
        let client = authority.issue_client("edge.test").expect("a certificate");
        let script = Script::client_certificate_required(&issued(&authority), &authority, versions);
        let scene = showing(Scene::with(script).trusting(&authority), &client).start();
        assert_eq!(scene.get("/", "").await.status(), Some(200), "{versions:?}");
        let origin = scene.origin.as_ref().expect("an origin");
        let shown = origin.last().expect("a connection").tls.expect("over TLS").certificate;
        assert_eq!(shown.as_ref(), client.chain().first(), "{versions:?}");
        // The same files read again are the same identity; others are not, and a kept connection is not for them.
        assert_eq!(scene.get("/", "").await.status(), Some(200));
        scene.edge.reload(scene.plan(&scene.toml)).expect("a reload");
        assert_eq!(scene.get("/", "").await.status(), Some(200));
        assert_eq!(origin.connections(), 1, "{versions:?}");
        let other = authority.issue_client("edge.test").expect("a certificate");
        other.write_to(scene.folder.path(), "client").expect("files in the folder");
        scene.edge.reload(scene.plan(&scene.toml)).expect("a reload");
        assert_eq!(scene.get("/", "").await.status(), Some(200));
        assert_eq!(origin.connections(), 2, "{versions:?}");
        let shown = origin.last().expect("a connection").tls.expect("over TLS").certificate;
        assert_eq!(shown.as_ref(), other.chain().first(), "{versions:?}");
    }
}

#[tokio::test]
async fn a_client_certificate_of_a_ca_that_the_origin_does_not_know() {
    for versions in [Versions::Tls12, Versions::Tls13] {
        let authority = Authority::new("Test").expect("an authority");
        let stranger = Authority::new("Stranger").expect("an authority").issue_client("edge.test");
        let script = Script::client_certificate_required(&issued(&authority), &authority, versions);
        let setup = Scene::with(script).trusting(&authority);
        let scene = showing(setup, &stranger.expect("a certificate")).start();
        let blame = Blame::page("origin.origin_tls.client_certificate_refused", 525);
        let record = scene.blames(blame.evidence(&["origin_address", "ssl_mode"])).await;
        assert_eq!(record["VerdictEvidence"]["tls_alert"]["sent_by"], "peer", "{versions:?}");
        assert_eq!(scene.origin.as_ref().expect("an origin").requests(), 0, "{versions:?}");
    }
}
