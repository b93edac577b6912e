//! Waiting for the head of the origin's response.

use std::time::Duration;

use rayline_testkit::{Authority, Flaw, Issued, Script, Step, Tls};
use serde_json::{Value, json};

use crate::scene::{Blame, HOST, Scene, can_vanish};

/// A scene with this script, blamed on `code` with 520: what every one of these must show.
async fn fails(script: Script, code: &str, evidence: &[&'static str]) -> Value {
    let name = script.name();
    let scene = Scene::with(script).start();
    let blame = Blame::page(code, 520).evidence(&["origin_address", "bytes_sent", "bytes_received", "connection"]);
    let record = scene.blames(blame.evidence(evidence)).await;
    let attempts = &record["VerdictAttempts"];
    assert_eq!((&attempts[0]["code"], &attempts[1]), (&json!(code), &Value::Null), "{name}");
    record
}

#[tokio::test]
async fn timed_out() {
    for script in [Script::stall_before_head(), Script::stall_in_head(), Script::drip_head(Duration::from_millis(100))]
    {
        let (name, begun) = (script.name(), script.name() != "stall-before-head");
        let scene = Scene::with(script).setting("proxy_read_timeout", "1").start();
        let blame = Blame::page("origin.wait.timed_out", 524).evidence(&["tcp", "origin_address", "bytes_received"]);
        let record = scene.blames(blame).await;
        let evidence = &record["VerdictEvidence"];
        assert_eq!(evidence["timer"], json!({ "setting": "proxy_read_timeout", "limit_ms": 1000 }), "{name}");
        assert_eq!(evidence["tcp"]["unacked_segments"], 0, "{name}");
        assert_eq!(evidence["bytes_received"].as_u64() > Some(0), begun, "{name}: {evidence:#}");
        assert_eq!(evidence["first_bytes"].is_string(), begun, "{name}");
        assert_eq!((&record["VerdictReached"], &record["VerdictCertainty"]), (&json!("maybe"), &json!("proven")));
    }
}

#[tokio::test]
async fn reset() {
    let record = fails(Script::reset_after_request(), "origin.wait.reset", &[]).await;
    assert_eq!(record["VerdictEvidence"]["errno"]["name"], "ECONNRESET");
    assert_eq!(record["VerdictEvidence"]["bytes_received"], 0);
    assert_eq!((&record["VerdictReached"], &record["VerdictCertainty"]), (&json!("maybe"), &json!("proven")));
}

#[tokio::test]
async fn closed_empty() {
    let record = fails(Script::close_empty(), "origin.wait.closed_empty", &[]).await;
    assert_eq!(record["VerdictEvidence"]["errno"], Value::Null, "a FIN is no error");
    assert_eq!(record["VerdictEvidence"]["bytes_received"], 0);
    assert_eq!(record["VerdictEvidence"]["connection"]["served"], 0);
    assert_eq!((&record["VerdictReached"], &record["VerdictCertainty"]), (&json!("maybe"), &json!("proven")));
}

/// Interim responses are no answer, and not the beginning of one.
#[tokio::test]
async fn closed_after_an_interim_response() {
    let interim = Step::send("HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n");
    let script = Script::new("interim-then-close", "promises much", [Step::ReadHead, interim, Step::Fin]);
    let record = fails(script, "origin.wait.closed_empty", &[]).await;
    assert_eq!(record["VerdictEvidence"]["first_bytes"], Value::Null);
}

#[tokio::test]
async fn half_head() {
    let record = fails(Script::half_header(), "origin.wait.half_head", &[]).await;
    let evidence = &record["VerdictEvidence"];
    assert_eq!(evidence["first_bytes"], r"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Le");
    assert_eq!(evidence["bytes_received"], 53);
    assert_eq!((&evidence["errno"], &record["VerdictReached"]), (&Value::Null, &json!("yes")));

    let half = Step::send(format!("HTTP/1.1 200 OK\r\nSet-Cookie: {}\r\nX-Last: of", "s".repeat(2000)));
    let script = Script::new("half-a-long-header", "breaks off", [Step::ReadHead, half, Step::Fin]);
    let record = fails(script, "origin.wait.half_head", &["first_bytes", "last_bytes"]).await;
    let shown = record["VerdictEvidence"].to_string();
    assert!(shown.contains("(masked)") && shown.contains("X-Last: of") && !shown.contains("sss"), "{shown}");
}

/// An authority, and a certificate of it for the scene's host.
fn certificate() -> (Authority, Issued) {
    let authority = Authority::new("Test").expect("an authority");
    let issued = authority.issue(Flaw::None, &[HOST]).expect("a certificate");
    (authority, issued)
}

/// The end of a connection is the same happening under TLS, with or without its goodbye.
#[tokio::test]
async fn ended_under_tls() {
    let cut = Script::new("cut-empty", "cuts TLS instead of answering", [Step::ReadHead, Step::Cut]);
    for (script, code, errno) in [
        (Script::close_empty(), "origin.wait.closed_empty", Value::Null),
        (cut, "origin.wait.closed_empty", Value::Null),
        (Script::reset_after_request(), "origin.wait.reset", json!("ECONNRESET")),
        (Script::half_header(), "origin.wait.half_head", Value::Null),
        (Script::garbage(), "origin.wait.not_http", Value::Null),
    ] {
        let (authority, issued) = certificate();
        let scene = Scene::with(script.over_tls(Tls::new(&issued))).trusting(&authority).start();
        let record = scene.blames(Blame::page(code, 520).evidence(&["bytes_received", "connection"])).await;
        assert_eq!(record["VerdictEvidence"]["errno"]["name"], errno, "{code}");
        assert_eq!(record["VerdictEvidence"]["ssl_mode"], "origin_pull", "{code}");
    }
}

#[tokio::test]
async fn tls_broken() {
    let (authority, issued) = certificate();
    let scene = Scene::with(Script::garbled_answer(&issued)).trusting(&authority).start();
    let blame = Blame::page("origin.wait.tls_broken", 520).evidence(&["tls_error", "connection", "ssl_mode"]);
    let record = scene.blames(blame).await;
    assert_eq!((&record["VerdictReached"], &record["VerdictCertainty"]), (&json!("maybe"), &json!("proven")));
    assert_eq!(record["OriginSSLProtocol"], "TLSv1.3");
}

/// Not before the keep-alive probes have run out, and long before the read time-out.
#[tokio::test]
async fn lost() {
    if !can_vanish() {
        return;
    }
    let scene = Scene::with(Script::vanish_after_request()).limit("tcp_keepalive", "1s").start();
    let blame = Blame::page("network.wait.lost", 520).evidence(&["tcp", "origin_address"]);
    let record = scene.blames(blame).await;
    let evidence = &record["VerdictEvidence"];
    assert_eq!(evidence["errno"]["name"], "ETIMEDOUT");
    assert_eq!(evidence["bytes_received"], 0);
    assert!(evidence["elapsed_ms"].as_u64() >= Some(2000), "{evidence:#}");
    assert_eq!((&record["VerdictReached"], &record["VerdictCertainty"]), (&json!("maybe"), &json!("proven")));
}

#[tokio::test]
async fn not_http() {
    let record = fails(Script::garbage(), "origin.wait.not_http", &["first_bytes"]).await;
    assert!(record["VerdictEvidence"]["first_bytes"].as_str().expect("text").starts_with(r"\x00\x01\x02\xfe"));
    assert_eq!(record["VerdictEvidence"]["ssl_mode"], "flexible", "why plain HTTP was spoken");
    assert_eq!(record["VerdictReached"], "maybe");

    for greeting in ["SSH-2.0-OpenSSH_9.9\r\n", "220 mail.test ESMTP\r\n", "+OK ready\r\n", "ICY 200 OK\r\n"] {
        let script = Script::new("greeting", "is another service", [Step::ReadHead, Step::send(greeting), Step::Hold]);
        fails(script, "origin.wait.not_http", &["first_bytes"]).await;
    }
}

#[tokio::test]
async fn http09() {
    let record = fails(Script::http09(), "origin.wait.http09", &["first_bytes"]).await;
    assert_eq!(record["VerdictRivals"], json!(["origin.wait.not_http"]));
    assert!(record["VerdictEvidence"]["first_bytes"].as_str().expect("text").starts_with("<!doctype html>"));
}

/// What breaks a rule of HTTP names the rule, its clause and its bytes, and was sent by the application.
#[tokio::test]
async fn broken_rules() {
    for (script, code, bytes) in [
        (Script::unsupported_version(), "origin.wait.unsupported_version", "HTTP/3.7"),
        (Script::status_not_a_number(), "origin.wait.bad_status", "abc Great"),
        (Script::status_too_short(), "origin.wait.bad_status", "99 Low"),
        (Script::space_in_field_name(), "origin.wait.illegal_header", "X Powered By"),
        (Script::control_in_field_value(), "origin.wait.illegal_header", r"one\x01two"),
        (Script::obs_fold(), "origin.wait.illegal_header", r"one\r\n two"),
        (Script::missing_colon(), "origin.wait.illegal_header", "this is no field"),
        (Script::two_lengths(), "origin.wait.conflicting_lengths", "Content-Length: 5"),
        (Script::negative_length(), "origin.wait.conflicting_lengths", "Content-Length: -3"),
        (Script::length_and_chunked(), "origin.wait.length_with_transfer_encoding", "Transfer-Encoding: chunked"),
        (Script::unknown_coding(), "origin.wait.unsupported_transfer_coding", "origami"),
    ] {
        let name = script.name();
        let record = fails(script, code, &["violation", "first_bytes"]).await;
        let violation = &record["VerdictEvidence"]["violation"];
        assert!(violation["bytes"].as_str().expect("text").contains(bytes), "{name}: {violation:#}");
        assert!(violation["clause"].as_str().expect("text").contains("RFC 911"), "{name}: {violation:#}");
        assert!(violation["rule"].as_str().is_some_and(|rule| !rule.is_empty()), "{name}");
        assert_eq!((&record["VerdictReached"], &record["VerdictCertainty"]), (&json!("yes"), &json!("proven")));
    }
}

#[tokio::test]
async fn header_too_large() {
    let record = fails(Script::huge_head(), "origin.wait.header_too_large", &["first_bytes", "last_bytes"]).await;
    let limit = &record["VerdictEvidence"]["limit"];
    assert_eq!((&limit["what"], &limit["limit"]), (&json!("header section"), &json!(131_072)));
    assert!(limit["seen"].as_u64() > Some(131_072), "{limit:#}");
    assert_eq!(record["VerdictReached"], "yes");

    let fields = "X: y\r\n".repeat(2000);
    let head = Step::send(format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: 0\r\n\r\n"));
    let script = Script::new("very-many-fields", "sends 2000 fields", [Step::ReadHead, head, Step::Fin]);
    let record = fails(script, "origin.wait.header_too_large", &["first_bytes", "last_bytes"]).await;
    assert_eq!(record["VerdictEvidence"]["limit"]["what"], "header fields");
}

#[tokio::test]
async fn informational_flood() {
    let scene = Scene::with(Script::interim_flood()).start();
    let mut visitor = scene.visitor().await;
    visitor.send(Scene::request("GET", "/secret-path", "")).await.expect("the edge reads");
    let response = visitor.read_response("GET").await;
    assert!(response.interim.iter().all(|head| head.word(1) == Some("103")) && response.interim.len() <= 128);
    let blame = Blame::page("origin.wait.informational_flood", 520).evidence(&["bytes_received"]);
    let record = scene.sees(&blame, "", &response).await;
    assert_eq!(record["VerdictEvidence"]["informational_responses"], 129);
    assert_eq!(record["VerdictReached"], "yes");
}

#[tokio::test]
async fn unexpected_upgrade() {
    let record = fails(Script::unasked_upgrade(), "origin.wait.unexpected_upgrade", &[]).await;
    assert_eq!(record["VerdictEvidence"]["origin_status"], 101);
}

/// An error of the origin's own passes as it is, a status that an edge would send included.
#[tokio::test]
async fn error_status_passes() {
    for status in [500, 501, 503, 505, 520, 522, 526, 530, 599] {
        let scene = Scene::with(Script::status(status)).start();
        let response = scene.get("/", "").await;
        assert_eq!((response.status(), response.whole), (Some(status), true));
        assert_eq!(response.text(), format!("this is the origin's own page for {status}\n"));
        let proxy_status = format!("rayline; received-status={status}; details=\"origin.wait.error_status\"");
        assert_eq!(response.field("proxy-status"), Some(proxy_status.as_str()));
        let blame = Blame::no_page("origin.wait.error_status", status).origin_status(status);
        let record = scene.sees(&blame.evidence(&["origin_address", "first_bytes"]), "", &response).await;
        assert_eq!(record["VerdictEvidence"]["origin_status"], status);
        assert_eq!((&record["VerdictReached"], &record["VerdictCertainty"]), (&json!("yes"), &json!("proven")));
        assert_eq!(record["VerdictAttempts"][0]["status"], status);
    }
}

/// In place of a gateway's own words the visitor gets a page that says whose they are.
#[tokio::test]
async fn error_status_of_a_gateway() {
    for status in [502, 504] {
        let scene = Scene::with(Script::status(status)).start();
        let blame = Blame::page("origin.wait.error_status", status).origin_status(status);
        let record = scene.blames(blame.evidence(&["origin_status", "first_bytes"])).await;
        assert_eq!(record["VerdictStatus"], status);
        let response = scene.get("/", "").await;
        let proxy_status = format!("rayline; received-status={status}; details=\"origin.wait.error_status\"");
        assert_eq!(response.field("proxy-status"), Some(proxy_status.as_str()));
        assert!(!response.text().contains("own page"), "{}", response.text());

        let scene = Scene::with(Script::status(status)).setting("origin_error_page_pass_thru", "on").start();
        let response = scene.get("/", "").await;
        assert_eq!(response.text(), format!("this is the origin's own page for {status}\n"));
        assert_eq!(response.field("proxy-status"), Some(proxy_status.as_str()));
        let blame = Blame::no_page("origin.wait.error_status", status).origin_status(status);
        scene.sees(&blame, "", &response).await;
    }
}

/// What the origin says of the visitor's request is no failure.
#[tokio::test]
async fn a_status_of_400_or_more_has_no_verdict() {
    for status in [400, 404, 408, 429, 451, 499] {
        let scene = Scene::with(Script::status(status)).start();
        let response = scene.get("/", "").await;
        assert_eq!((response.status(), response.field("proxy-status")), (Some(status), None));
        let record = scene.record_of(&response).await;
        assert_eq!((&record["VerdictCode"], &record["OriginResponseStatus"]), (&Value::Null, &json!(status)));
    }
}

/// Large, but within the limits.
#[tokio::test]
async fn many_fields_pass() {
    let scene = Scene::with(Script::many_fields()).start();
    let response = scene.get("/", "").await;
    assert_eq!((response.status(), response.field("x-field-299")), (Some(200), Some("value")));
}
