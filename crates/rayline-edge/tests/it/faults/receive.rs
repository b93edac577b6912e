//! Receiving the body of the origin's response: the answer has begun, so it is cut and never ended cleanly.

use std::time::Duration;

use rayline_testkit::{Authority, End, Flaw, Response, Script, Step, Visitor};
use serde_json::{Value, json};

use crate::scene::{Blame, HOST, Scene, can_vanish};

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";

fn blame(code: &str) -> Blame {
    Blame::no_page(code, 200).origin_status(200).evidence(&["body", "origin_address", "connection", "elapsed_ms"])
}

/// Asks as visitors of every kind do. None may take what it gets for the whole.
async fn cut(scene: &Scene, code: &str) -> Value {
    let get = Scene::request("GET", "/secret-path", "");
    let old = format!("GET /secret-path HTTP/1.0\r\nHost: {HOST}\r\n\r\n");
    let kept = format!("GET /secret-path HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
    let (plain, tls, old, old_tls, kept) = tokio::join!(
        ask(scene.visitor(), &get),
        ask(scene.tls_visitor(), &get),
        ask(scene.visitor(), &old),
        ask(scene.tls_visitor(), &old),
        ask(scene.visitor(), &kept),
    );
    for response in [&plain, &tls, &old, &old_tls, &kept] {
        assert!(!response.whole && response.end.is_some(), "{code}: taken for whole: {response:?}");
        assert_eq!(response.field("proxy-status"), None, "the head was sent before anybody knew");
        let record = scene.sees(&blame(code), "", response).await;
        assert_eq!(record["VerdictReached"], "yes");
        assert_eq!(record["VerdictAttempts"][0]["status"], 200, "the attempt had answered: {record:#}");
        assert_eq!(record["VerdictEvidence"]["body"]["received"], response.body.len(), "{code}");
    }
    if old.field("content-length").is_none() {
        // Where the close is the only end, it must not look like one.
        assert_eq!(old.end, Some(End::Reset), "{code}");
        assert_ne!(old_tls.end, Some(End::Closed), "{code}");
    }
    scene.record_of(&plain).await
}

async fn ask(visitor: impl Future<Output = Visitor>, request: &str) -> Response {
    let mut visitor = visitor.await;
    visitor.send(request).await.expect("the edge reads");
    visitor.read_response("GET").await
}

#[tokio::test]
async fn truncated() {
    let scene = Scene::with(Script::truncated_body(1000, 100)).https().start();
    let record = cut(&scene, "origin.receive.truncated").await;
    let evidence = &record["VerdictEvidence"];
    assert_eq!(evidence["body"], json!({ "received": 100, "expected": 1000 }));
    assert_eq!(evidence["last_bytes"], "x".repeat(32));
    assert_eq!((&record["VerdictStatus"], &record["VerdictCertainty"]), (&json!(520), &json!("proven")));

    let scene = Scene::with(Script::truncated_chunked()).https().start();
    let record = cut(&scene, "origin.receive.truncated").await;
    assert_eq!(record["VerdictEvidence"]["body"], json!({ "received": 5, "expected": null }));
}

/// Most of a large body passes the edge unread, between plain sockets. Its last bytes are known all the same.
#[tokio::test]
async fn truncated_behind_megabytes() {
    const ANNOUNCED: usize = 16 << 20;
    let last = b"Fatal error: out of memory......";
    let content = [vec![b'x'; 5 << 20], last.to_vec()].concat();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {ANNOUNCED}\r\n\r\n");
    let steps = [Step::ReadHead, Step::send(head), Step::send(content.clone()), Step::Fin];
    let scene =
        Scene::with(Script::new("truncated-large", "closes in the middle of a large body", steps)).https().start();
    let record = cut(&scene, "origin.receive.truncated").await;
    let evidence = &record["VerdictEvidence"];
    assert_eq!(evidence["body"], json!({ "received": content.len(), "expected": ANNOUNCED }));
    assert_eq!(evidence["last_bytes"], String::from_utf8_lossy(last).as_ref());
    assert_eq!(record["EdgeResponseBodyBytes"], content.len());
}

#[tokio::test]
async fn reset() {
    let chunked = [Step::ReadHead, Step::send(CHUNKED), Step::Reset];
    for script in [Script::reset_in_body(1000, 100), Script::new("reset-in-chunks", "resets", chunked)] {
        let scene = Scene::with(script).https().start();
        let record = cut(&scene, "origin.receive.reset").await;
        assert_eq!(record["VerdictEvidence"]["errno"]["name"], "ECONNRESET");
        assert_eq!(record["VerdictCertainty"], "proven");
    }
}

#[tokio::test]
async fn bad_chunk() {
    for script in [Script::bad_chunk(), Script::chunk_overflow(), Script::chunk_without_end()] {
        let name = script.name();
        let scene = Scene::with(script).https().start();
        let record = cut(&scene, "origin.receive.bad_chunk").await;
        let violation = &record["VerdictEvidence"]["violation"];
        assert!(violation["clause"].as_str().expect("text").contains("RFC 9112"), "{name}: {violation:#}");
        assert!(violation["offset"].as_u64() >= Some(10), "{name}: {violation:#}");
    }
}

#[tokio::test]
async fn bad_trailers() {
    let forbidden = format!("{CHUNKED}0\r\nContent-Length: 5\r\n\r\n");
    let steps = [Step::ReadHead, Step::send(forbidden), Step::Fin];
    for script in [Script::bad_trailers(), Script::new("forbidden-trailer", "sends a length last", steps)] {
        let scene = Scene::with(script).https().start();
        let record = cut(&scene, "origin.receive.bad_trailers").await;
        assert!(record["VerdictEvidence"]["violation"]["rule"].is_string());
        assert_eq!(record["VerdictEvidence"]["body"]["received"], 5);
    }
}

#[tokio::test]
async fn timed_out() {
    let scene = Scene::with(Script::stall_in_body(100)).https().setting("proxy_read_timeout", "1").start();
    let record = cut(&scene, "origin.receive.timed_out").await;
    let evidence = &record["VerdictEvidence"];
    assert_eq!(evidence["timer"], json!({ "setting": "proxy_read_timeout", "limit_ms": 1000 }));
    assert!(evidence["tcp"]["last_received_ms"].as_u64() >= Some(900), "{evidence:#}");
    assert_eq!((&record["VerdictStatus"], &record["VerdictCertainty"]), (&json!(524), &json!("proven")));
}

#[tokio::test]
async fn lost() {
    if !can_vanish() {
        return;
    }
    let scene = Scene::with(Script::vanish_in_body(100)).https().limit("tcp_keepalive", "1s").start();
    let record = cut(&scene, "network.receive.lost").await;
    let evidence = &record["VerdictEvidence"];
    assert_eq!(evidence["errno"]["name"], "ETIMEDOUT");
    assert!(evidence["tcp"]["last_received_ms"].as_u64() >= Some(2000), "{evidence:#}");
    assert_eq!((&record["VerdictStatus"], &record["VerdictCertainty"]), (&json!(520), &json!("proven")));
}

/// A body to the close, whose close says nothing: it may have been whole.
#[tokio::test]
async fn tls_broken_by_a_close_without_goodbye() {
    let authority = Authority::new("Test").expect("an authority");
    let issued = authority.issue(Flaw::None, &[HOST]).expect("a certificate");
    let scene = Scene::with(Script::cut_without_close_notify(&issued)).trusting(&authority).https().start();
    let record = cut(&scene, "origin.receive.tls_broken").await;
    let evidence = &record["VerdictEvidence"];
    assert_eq!(evidence["tls_error"], "closed without close_notify");
    assert_eq!(evidence["body"]["expected"], Value::Null);
    assert_eq!(record["VerdictRivals"], json!(["origin.receive.truncated"]));
}

/// The same close where the length is known is a missing rest, and nothing to do with TLS.
#[tokio::test]
async fn truncated_under_tls() {
    let authority = Authority::new("Test").expect("an authority");
    let issued = authority.issue(Flaw::None, &[HOST]).expect("a certificate");
    let half = Step::send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
    let script = Script::new("cut-in-body", "cuts TLS in the body", [Step::ReadHead, half, Step::Cut]);
    let script = script.over_tls(rayline_testkit::Tls::new(&issued));
    let scene = Scene::with(script).trusting(&authority).https().start();
    let record = cut(&scene, "origin.receive.truncated").await;
    assert_eq!(record["VerdictEvidence"]["body"], json!({ "received": 5, "expected": 10 }));
}

/// The visitor keeps the end of its own body back until the answer has begun: so much is certain to have arrived.
#[tokio::test]
async fn tls_broken_by_bytes_that_do_not_decrypt() {
    let authority = Authority::new("Test").expect("an authority");
    let issued = authority.issue(Flaw::None, &[HOST]).expect("a certificate");
    let scene = Scene::with(Script::garbled_body(&issued)).trusting(&authority).start();
    let mut visitor = scene.visitor().await;
    let head = Scene::request("POST", "/secret-path", "Content-Length: 2\r\n");
    visitor.send(head + "a").await.expect("the edge reads");
    while !visitor.peek().ends_with(b"half") {
        let given_up = tokio::time::timeout(Duration::from_millis(20), visitor.read_to_end()).await;
        assert!(given_up.is_err(), "the answer ended before its beginning: {given_up:?}");
    }
    visitor.send("b").await.expect("the edge reads");
    let response = visitor.read_response("POST").await;
    assert!(!response.whole && response.text() == "half", "{response:?}");
    let record = scene.sees(&blame("origin.receive.tls_broken").evidence(&["tls_error"]), "", &response).await;
    assert_eq!(record["VerdictEvidence"]["body"], json!({ "received": 4, "expected": 1000 }));
    assert_eq!(record["VerdictRivals"], json!(["origin.receive.truncated"]));
}
