//! Origins that break HTTP/2, or the connection under it: each has its code, with the evidence for it and the attempts.

use std::time::Duration;

use rayline_testkit::http2::{Act, Code, Frame, Last, Serving};
use rayline_testkit::{Authority, Flaw, Response, Script, Tls};
use serde_json::{Value, json};

use super::origin::{many, origin, over_tls, speaking};
use crate::scene::{Blame, HOST, Scene};

/// What every verdict on such an origin shows.
const EVIDENCE: [&str; 6] =
    ["origin_address", "bytes_sent", "bytes_received", "connection", "http2_connection", "protocol"];

/// A scene with this script, blamed on `code` with 520 before any head. The first attempt, like all, has this code.
async fn fails(script: Script, code: &str, evidence: &[&'static str]) -> Value {
    let name = script.name();
    let scene = over_tls(script).limit("response_header_bytes", "131072").start();
    let record = scene.blames(Blame::page(code, 520).evidence(&EVIDENCE).evidence(evidence)).await;
    assert_eq!(record["VerdictEvidence"]["protocol"], "HTTP/2", "{name}");
    assert_eq!(record["OriginProtocol"], "HTTP/2", "{name}");
    assert_eq!(record["VerdictAttempts"][0]["code"], code, "{name}: {record:#}");
    record
}

/// A body that breaks off: the visitor sees a cut, the record the rest.
async fn breaks(script: Script, code: &str, evidence: &[&'static str]) -> Value {
    let name = script.name();
    let scene = over_tls(script).setting("proxy_read_timeout", "1").start();
    let response = scene.get("/", "").await;
    assert!(response.status() == Some(200) && !response.whole, "{name}: {response:?}");
    let blame = Blame::no_page(code, 200).origin_status(200).evidence(&EVIDENCE);
    scene.sees(&blame.evidence(&["body", "last_bytes"]).evidence(evidence), "", &response).await
}

fn error(frame: &str, code: Code, sent_by: &str, debug: Value) -> Value {
    json!({ "frame": frame, "code": code.0, "name": code.name(), "sent_by": sent_by, "debug": debug })
}

#[tokio::test]
async fn agreed_but_not_spoken() {
    for (script, bytes) in
        [(Script::http2_speaks_http1(), "HTTP/1.1 400 Bad Request"), (Script::http2_garbage(), r"\xff\xff\xff")]
    {
        let record = fails(script, "origin.wait.http2_not_spoken", &["first_bytes"]).await;
        let first = record["VerdictEvidence"]["first_bytes"].as_str().expect("text");
        assert!(first.starts_with(bytes), "{first}");
    }
    let record = fails(Script::http2_close_at_once(), "origin.wait.closed_empty", &[]).await;
    assert_eq!(record["VerdictEvidence"]["bytes_received"], 0);
}

#[tokio::test]
async fn silent() {
    for script in [Script::http2_silent(), Script::http2_stall_before_head()] {
        let name = script.name();
        let scene = over_tls(script).setting("proxy_read_timeout", "1").start();
        let blame = Blame::page("origin.wait.timed_out", 524).evidence(&EVIDENCE).evidence(&["timer", "tcp"]);
        let record = scene.blames(blame).await;
        assert_eq!(record["VerdictAttempts"][1], Value::Null, "{name}");
    }
}

/// With an error, and having begun with the request: nobody knows what became of it.
#[tokio::test]
async fn goaway() {
    for code in Code::ALL.into_iter().filter(|code| !matches!(*code, Code::NO_ERROR | Code::HTTP_1_1_REQUIRED)) {
        let record = fails(Script::http2_goaway(code), "origin.wait.http2_goaway", &["http2_error"]).await;
        let told = error("GOAWAY", code, "peer", json!("scripted to go away"));
        assert_eq!(record["VerdictEvidence"]["http2_error"], told);
    }
    // Without one it has only said that there is no more to come, and then closed.
    let scene = over_tls(Script::http2_goaway(Code::NO_ERROR)).start();
    let response = scene.get("/", "").await;
    let record = scene.sees(&Blame::page("origin.wait.closed_empty", 520).evidence(&EVIDENCE), "", &response).await;
    assert_eq!(record["VerdictAttempts"][1], Value::Null);
}

/// The origin did nothing with it, again and again.
#[tokio::test]
async fn goaway_before_the_request() {
    let record = fails(Script::http2_goaway_unprocessed(Code::NO_ERROR), "origin.wait.http2_goaway", &[]).await;
    let told = error("GOAWAY", Code::NO_ERROR, "peer", json!("scripted to go away"));
    assert_eq!(record["VerdictEvidence"]["http2_error"], told);
    assert_eq!(record["VerdictAttempts"].as_array().map(Vec::len), Some(4), "{record:#}");
    assert_eq!(record["VerdictReached"], "no");
}

#[tokio::test]
async fn reset() {
    let others = [Code::REFUSED_STREAM, Code::HTTP_1_1_REQUIRED];
    for code in Code::ALL.into_iter().filter(|code| !others.contains(code)) {
        let record = fails(Script::http2_reset(code), "origin.wait.http2_reset", &["http2_error"]).await;
        assert_eq!(record["VerdictEvidence"]["http2_error"], error("RST_STREAM", code, "peer", Value::Null));
        assert_eq!(record["VerdictAttempts"][1], Value::Null);
        assert_eq!(record["VerdictReached"], "maybe");
    }
}

/// It asks for HTTP/1.1 and then does not speak it: it offers nothing but `h2`.
#[tokio::test]
async fn http1_required_in_vain() {
    let scene = over_tls(Script::http2_reset(Code::HTTP_1_1_REQUIRED)).start();
    let response = scene.get("/", "").await;
    let record = scene.record_of(&response).await;
    assert_eq!(record["VerdictAttempts"][0]["code"], "origin.wait.http2_reset", "{record:#}");
    assert_eq!(record["VerdictCode"], "origin.origin_tls.alert");
    assert_eq!(record["VerdictEvidence"]["tls_alert"]["name"], "no_application_protocol");
}

#[tokio::test]
async fn refused_stream() {
    let script = Script::http2_reset(Code::REFUSED_STREAM);
    let record = fails(script, "origin.wait.http2_refused_stream", &["http2_error"]).await;
    assert_eq!(record["VerdictAttempts"].as_array().map(Vec::len), Some(4), "{record:#}");
    assert_eq!(record["VerdictReached"], "no");
    let record = fails(Script::http2_no_streams(), "origin.wait.http2_refused_stream", &[]).await;
    assert_eq!(record["VerdictEvidence"]["http2_connection"]["most"], 0, "{record:#}");
}

/// The origin broke the rules, and the edge has said so.
#[tokio::test]
async fn protocol_errors() {
    for (script, frame, name) in [
        (Script::http2_uppercase_name(), "GOAWAY", "PROTOCOL_ERROR"),
        (Script::http2_no_status(), "RST_STREAM", "PROTOCOL_ERROR"),
        (Script::http2_connection_field(), "RST_STREAM", "PROTOCOL_ERROR"),
        (Script::http2_undecodable_head(), "GOAWAY", "PROTOCOL_ERROR"),
        (Script::http2_data_before_head(), "GOAWAY", "PROTOCOL_ERROR"),
        (Script::http2_push(), "GOAWAY", "PROTOCOL_ERROR"),
        (Script::http2_unopened_stream(), "GOAWAY", "PROTOCOL_ERROR"),
        (Script::http2_window_overflow(), "GOAWAY", "FLOW_CONTROL_ERROR"),
        (Script::http2_bad_settings(), "GOAWAY", "PROTOCOL_ERROR"),
        (Script::http2_continuation_flood(), "GOAWAY", "ENHANCE_YOUR_CALM"),
    ] {
        let script_name = script.name();
        let record = fails(script, "origin.wait.http2_protocol_error", &["http2_error"]).await;
        let told = &record["VerdictEvidence"]["http2_error"];
        assert_eq!(
            (&told["frame"], &told["name"], &told["sent_by"]),
            (&json!(frame), &json!(name), &json!("edge")),
            "{script_name}"
        );
    }
}

#[tokio::test]
async fn too_large_a_head() {
    for script in [Script::http2_huge_head(2 << 20), Script::http2_huge_head(140_000)] {
        let name = script.name();
        let record = fails(script, "origin.wait.header_too_large", &["limit"]).await;
        let limit = &record["VerdictEvidence"]["limit"];
        assert_eq!((&limit["what"], &limit["limit"]), (&json!("header section"), &json!(131_072)), "{name}");
    }
}

#[tokio::test]
async fn interim_responses_without_an_end() {
    let scene = over_tls(Script::http2_interim_flood()).start();
    let response = scene.get("/", "").await;
    let blame = Blame::page("origin.wait.informational_flood", 520).evidence(&EVIDENCE);
    scene.sees(&blame.evidence(&["informational_responses"]), "", &response).await;
    // The flood goes on, and the connection does not.
    origin(&scene).until(|counts| counts.open == 0).await.expect("the edge closes it");
}

#[tokio::test]
async fn lost_connections() {
    let record = fails(Script::http2_close_before_head(), "origin.wait.closed_empty", &[]).await;
    assert_eq!(record["VerdictEvidence"]["errno"], Value::Null);
    let record = fails(Script::http2_connection_reset(), "origin.wait.reset", &["errno"]).await;
    assert_eq!(record["VerdictEvidence"]["errno"]["name"], "ECONNRESET");
}

/// One cause, and a verdict for each.
#[tokio::test]
async fn a_connection_lost_under_many_streams() {
    let scene = over_tls(Script::http2_reset_under_streams(40)).start();
    let blame = Blame::page("origin.wait.reset", 520).evidence(&EVIDENCE).evidence(&["errno"]);
    for response in many(&scene, 40).await {
        let record = scene.sees(&blame, "", &response).await;
        assert_eq!(record["VerdictEvidence"]["errno"]["name"], "ECONNRESET");
        assert_eq!(record["VerdictAttempts"][1], Value::Null, "it was not idle");
    }
    assert_eq!(origin(&scene).connections(), 1);
}

/// A connection that a router has forgotten, or that leads to a machine that hangs, must not keep all that comes after.
#[tokio::test]
async fn a_connection_on_which_nothing_comes_gets_no_further_requests() {
    let ok = [Act::ReadBody, Act::only_head(204, &[])];
    let script = Script::http2("http2-then-silent", "answers once", Serving::new([Act::Hold]).at_first(ok));
    let scene = over_tls(script).setting("proxy_read_timeout", "1").start();
    for (status, connections) in [(204, 1), (524, 1), (524, 2)] {
        assert_eq!(scene.get("/", "").await.status(), Some(status));
        assert_eq!(origin(&scene).connections(), connections);
    }
}

/// An origin that closes idle connections without a word.
#[tokio::test]
async fn a_stale_connection() {
    let ok = [Act::ReadBody, Act::only_head(204, &[])];
    let script = Script::http2("http2-then-close", "answers once", Serving::new([Act::Fin]).at_first(ok));
    let scene = over_tls(script).start();
    assert_eq!(scene.get("/", "").await.status(), Some(204));
    // A GET is sent again, and this origin closes again: the second time it is no stale connection.
    let response = scene.get("/", "").await;
    let record = scene.sees(&Blame::page("origin.wait.closed_empty", 520), "", &response).await;
    assert_eq!(record["VerdictAttempts"].as_array().map(Vec::len), Some(2), "{record:#}");
    assert_eq!(
        (&record["VerdictAttempts"][0]["reused"], &record["VerdictAttempts"][1]["reused"]),
        (&json!(true), &json!(false))
    );
}

#[tokio::test]
async fn broken_bodies() {
    let reset = breaks(Script::http2_reset_in_body(Code::INTERNAL_ERROR), "origin.receive.http2_reset", &[]).await;
    let told = error("RST_STREAM", Code::INTERNAL_ERROR, "peer", Value::Null);
    assert_eq!(reset["VerdictEvidence"]["http2_error"], told);
    assert_eq!(reset["VerdictEvidence"]["body"], json!({ "received": 100, "expected": 1000 }));

    let gone = breaks(Script::http2_goaway_in_body(Code::INTERNAL_ERROR), "origin.receive.http2_goaway", &[]).await;
    let told = error("GOAWAY", Code::INTERNAL_ERROR, "peer", json!("scripted to go away"));
    assert_eq!(gone["VerdictEvidence"]["http2_error"], told);

    breaks(Script::http2_close_in_body(), "origin.receive.truncated", &[]).await;
    breaks(Script::http2_stall_in_body(100), "origin.receive.timed_out", &["timer", "tcp"]).await;
    for script in [
        Script::http2_body_too_short(),
        Script::http2_bad_padding(),
        Script::http2_frame_too_large(),
        Script::http2_data_on_connection(),
    ] {
        let record = breaks(script, "origin.receive.http2_protocol_error", &["http2_error"]).await;
        assert_eq!(record["VerdictEvidence"]["http2_error"]["sent_by"], "edge");
    }
}

#[tokio::test]
async fn empty_frames_without_an_end() {
    let record = breaks(Script::http2_empty_data_flood(), "origin.receive.http2_protocol_error", &[]).await;
    assert_eq!(record["VerdictEvidence"]["http2_error"]["name"], "ENHANCE_YOUR_CALM");
}

#[tokio::test]
async fn pings_and_settings_without_an_end() {
    for (script, kind) in [(Script::http2_ping_flood(), "PING"), (Script::http2_settings_flood(), "SETTINGS")] {
        let record = fails(script, "origin.wait.http2_protocol_error", &["http2_frames"]).await;
        assert_eq!(record["VerdictEvidence"]["http2_frames"]["kind"], kind);
    }
}

async fn upload(scene: &Scene, length: usize) -> Response {
    let mut visitor = scene.visitor().await.patience(Duration::from_millis(500));
    let head = format!("POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {length}\r\n\r\n");
    visitor.send(head).await.expect("the edge reads the head");
    // That it is not taken to the end is the point.
    let _ = visitor.send(vec![b'x'; length]).await;
    visitor.patience(Duration::from_secs(10)).read_response("POST").await
}

/// Its kernel reads on; the application gives no window.
#[tokio::test]
async fn flow_control_stalled() {
    let scene = over_tls(Script::http2_no_window()).limit("write_timeout", "300ms").start();
    let response = upload(&scene, 1 << 20).await;
    let blame = Blame::page("origin.send.flow_control_stalled", 524).evidence(&EVIDENCE).evidence(&["tcp"]);
    let record = scene.sees(&blame, "", &response).await;
    assert_eq!(record["VerdictEvidence"]["timer"], json!({ "setting": "write_timeout", "limit_ms": 300 }));
    assert_eq!(record["VerdictEvidence"]["tcp"]["unacked_segments"], 0);
}

/// An answer before the end of the request, and RST_STREAM or the end of the connection to say that the rest is not
/// wanted: no fault at all.
#[tokio::test]
async fn an_early_answer() {
    let text = |end| Act::Send(vec![Frame::data(Frame::HERE, &b"too long\n"[..], end)]);
    let acts = |acts: &[Act]| Script::http2("http2-early-answer", "answers 413 at once", Serving::new(acts.to_vec()));
    for (script, body) in [
        (Script::http2_early_answer(), ""),
        (acts(&[Act::only_head(413, &[]), Act::Fin]), ""),
        (acts(&[Act::head(413, &[]), text(true), Act::Fin]), "too long\n"),
        (acts(&[Act::head(413, &[]), text(false), Act::trailers(&[("x-sum", "1")]), Act::Fin]), "too long\n"),
        (acts(&[Act::head(413, &[]), text(true), Act::GoAway(Last::None, Code::NO_ERROR, ""), Act::Fin]), "too long\n"),
    ] {
        let scene = over_tls(script).start();
        let response = upload(&scene, 1 << 20).await;
        assert_eq!((response.status(), response.text().as_str(), response.whole), (Some(413), body, true));
        assert_eq!(scene.record_of(&response).await["VerdictCode"], Value::Null);
    }
}

/// Of two requests the second is beyond the last one processed: it alone is sent again.
#[tokio::test]
async fn a_goaway_between_two_requests() {
    let ok = [Act::ReadBody, Act::only_head(204, &[])];
    let first = [Act::AwaitStreams(2), Act::GoAway(Last::This, Code::NO_ERROR, ""), Act::only_head(204, &[])];
    let scene = over_tls(Script::http2("http2-goaway-between", "", Serving::new(ok).at_first(first))).start();
    for response in many(&scene, 2).await {
        assert_eq!(response.status(), Some(204), "{}", response.text());
    }
}

/// Those who waited for another's connection meet for themselves what kept it from being made.
#[tokio::test]
async fn a_handshake_that_many_wait_for_fails_for_each() {
    let scene = speaking(Script::http2_ok(), &["spdy/3"]).start();
    let blame = Blame::page("origin.origin_tls.alert", 525).evidence(&["tls_alert"]);
    for response in many(&scene, 10).await {
        let record = scene.sees(&blame, "", &response).await;
        assert_eq!(record["VerdictAttempts"].as_array().map(Vec::len), Some(1));
    }
}

/// TLS 1.3 says so after the handshake, when HTTP/2 has begun.
#[tokio::test]
async fn a_client_certificate_that_is_missing() {
    let authority = Authority::new("Test").expect("an authority");
    let issued = authority.issue(Flaw::None, &[HOST]).expect("a certificate");
    let tls = Tls::new(&issued).require_client_certificate(&authority).speaking(&["h2"]);
    let scene = Scene::with(Script::http2_ok().over_tls(tls)).trusting(&authority).start();
    let blame = Blame::page("origin.origin_tls.client_certificate_refused", 525).evidence(&["tls_alert", "protocol"]);
    scene.blames(blame).await;
}
