//! Reading the visitor's request.

use rayline_testkit::{Script, Visitor};
use serde_json::{Value, json};

use crate::scene::{Blame, HOST, Scene};

/// A scene, the bytes that nobody could read in it, and what must come of them.
async fn unread(scene: &Scene, code: &str, status: u16, evidence: &'static str, bytes: &str) -> Value {
    let blame = Blame::page(code, status).evidence(&[evidence, "elapsed_ms"]);
    let (_, record) = scene.refuses(&blame, bytes).await;
    assert_eq!(record["VerdictReached"], "no");
    assert_eq!(scene.origin.as_ref().map_or(0, |origin| origin.connections()), 0, "the origin was not asked");
    record
}

#[tokio::test]
async fn malformed() {
    let scene = Scene::with(Script::ok()).start();
    for bytes in ["GET  / HTTP/1.1\r\n\r\n", "hello\r\n", "\x16\x03\x01", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"] {
        let record = unread(&scene, "visitor.request.malformed", 400, "violation", bytes).await;
        let clause = record["VerdictEvidence"]["violation"]["clause"].as_str().unwrap();
        assert!(clause.starts_with("RFC 9112"), "{record:#}");
    }
}

#[tokio::test]
async fn the_bytes_of_a_malformed_request_are_shown_without_its_secrets() {
    let scene = Scene::with(Script::ok()).start();
    let bytes = "GET / HTTP/1.1\r\nHost: shop.test\r\nCookie: session=hush\r\nBad Name: x\r\n\r\n";
    let record = unread(&scene, "visitor.request.malformed", 400, "violation", bytes).await;
    let violation = &record["VerdictEvidence"]["violation"];
    assert_eq!(violation["offset"], bytes.find("Bad Name").unwrap() + "Bad".len(), "{violation:#}");
    assert!(violation["bytes"].as_str().unwrap().contains("Bad Name"), "{violation:#}");
    assert!(!record.to_string().contains("hush"), "{record:#}");
}

#[tokio::test]
async fn bad_host() {
    let scene = Scene::with(Script::ok()).start();
    for lines in ["", "Host: a\r\nHost: b\r\n", "Host: shop.test\r\nhost: shop.test\r\n", "Host:\r\n", "Host: a b\r\n"]
    {
        let request = format!("GET / HTTP/1.1\r\n{lines}\r\n");
        unread(&scene, "visitor.request.bad_host", 400, "violation", &request).await;
    }
}

#[tokio::test]
async fn unsupported_version() {
    let scene = Scene::with(Script::ok()).start();
    let rows = ["PRI * HTTP/2.0\r\n\r\nGET", "GET / HTTP/3.0\r\nHost: shop.test\r\n\r\n", "GET /\r\n"];
    for bytes in rows {
        unread(&scene, "visitor.request.unsupported_version", 505, "violation", bytes).await;
    }
}

#[tokio::test]
async fn method_not_allowed() {
    let scene = Scene::with(Script::ok()).start();
    for (method, target) in [("TRACE", "/"), ("CONNECT", "shop.test:80")] {
        let blame = Blame::page("visitor.request.method_not_allowed", 405).evidence(&["elapsed_ms"]);
        let record = scene.blames_on(blame, |accept| Scene::request(method, target, accept)).await;
        assert_eq!(record["ClientRequestMethod"], method);
        assert_eq!(record["VerdictReached"], "no");
    }
    assert_eq!(scene.origin.as_ref().unwrap().connections(), 0);
}

#[tokio::test]
async fn unsupported_transfer_coding() {
    let scene = Scene::with(Script::ok()).start();
    for coding in ["gzip, chunked", "deflate, gzip, chunked"] {
        let request = format!("POST / HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: {coding}\r\n\r\n0\r\n\r\n");
        unread(&scene, "visitor.request.unsupported_transfer_coding", 501, "violation", &request).await;
    }
}

#[tokio::test]
async fn expectation_failed() {
    let scene = Scene::with(Script::ok()).start();
    let blame = Blame::page("visitor.request.expectation_failed", 417).evidence(&["request_header"]);
    let record =
        scene.blames_on(blame, |accept| Scene::request("GET", "/", &format!("{accept}Expect: 200-ok\r\n"))).await;
    assert_eq!(record["VerdictEvidence"]["request_header"], json!({ "name": "Expect", "value": "200-ok" }));
    assert_eq!(scene.origin.as_ref().unwrap().connections(), 0);
}

#[tokio::test]
async fn uri_too_long() {
    let scene = Scene::with(Script::ok()).limit("request_uri_bytes", "1000").start();
    let request = Scene::request("GET", &format!("/{}", "x".repeat(1000)), "");
    let record = unread(&scene, "visitor.request.uri_too_long", 414, "limit", &request).await;
    assert_eq!(record["VerdictEvidence"]["limit"]["limit"], 1000);
    let request = Scene::request("GET", &format!("/{}", "x".repeat(999)), "");
    let mut visitor = scene.visitor().await;
    visitor.send(request).await.unwrap();
    assert_eq!(visitor.read_response("GET").await.status(), Some(200), "the limit itself is allowed");
}

#[tokio::test]
async fn header_too_large() {
    let scene = Scene::with(Script::ok()).limit("request_header_bytes", "4000").start();
    let cookie = Scene::request("GET", "/", &format!("Cookie: {}\r\n", "x".repeat(5000)));
    let record = unread(&scene, "visitor.request.header_too_large", 431, "limit", &cookie).await;
    let limit = &record["VerdictEvidence"]["limit"];
    assert_eq!(limit["limit"], 4000);
    assert!(limit["seen"].as_u64().unwrap() > 4000, "{limit}");
    let scene = Scene::with(Script::ok()).start();
    let lines = Scene::request("GET", "/", &"X: y\r\n".repeat(3000));
    unread(&scene, "visitor.request.header_too_large", 431, "limit", &lines).await;
}

#[tokio::test]
async fn body_too_large_by_its_announcement() {
    let (bytes, megabytes) = (Scene::with(Script::echo_body()), Scene::with(Script::echo_body()));
    for (setup, limit) in
        [(bytes.limit("request_body_bytes", "1000"), 1000), (megabytes.setting("max_upload", "1"), 1 << 20)]
    {
        let scene = setup.start();
        let length = limit + 1;
        let blame = Blame::page("visitor.request.body_too_large", 413).evidence(&["limit"]);
        let record = scene
            .blames_on(blame, |accept| {
                format!("POST / HTTP/1.1\r\nHost: {HOST}\r\n{accept}Content-Length: {length}\r\n\r\nbegin")
            })
            .await;
        assert_eq!(
            record["VerdictEvidence"]["limit"],
            json!({ "what": "request body", "seen": length, "limit": limit })
        );
        assert_eq!(record["VerdictReached"], "no");
        assert_eq!(scene.origin.as_ref().unwrap().connections(), 0, "the origin was not asked");
    }
}

#[tokio::test]
async fn body_too_large_by_count() {
    let scene = Scene::with(Script::stall_before_head()).limit("request_body_bytes", "1000").start();
    let blame = Blame::page("visitor.request.body_too_large", 413).evidence(&["limit"]);
    let piece = format!("258\r\n{}\r\n", "x".repeat(600));
    let record = scene
        .blames_on(blame, |accept| {
            let head = format!("POST / HTTP/1.1\r\nHost: {HOST}\r\n{accept}Transfer-Encoding: chunked\r\n\r\n");
            format!("{head}{piece}{piece}0\r\n\r\n")
        })
        .await;
    assert_eq!(record["VerdictEvidence"]["limit"]["limit"], 1000);
    let counts = scene.origin.as_ref().unwrap().until(|counts| counts.open == 0).await.unwrap();
    assert!(counts.requests <= 4, "one for each format, and none of them whole: {counts:?}");
}

#[tokio::test]
async fn body_malformed() {
    let scene = Scene::with(Script::stall_before_head()).start();
    // What is wrong from the start is seen before the head goes out.
    for (chunks, reached) in [
        ("5\r\nhelloX\r\n0\r\n\r\n", "maybe"),
        ("five\r\nhello\r\n0\r\n\r\n", "no"),
        ("0\r\nContent-Length: 3\r\n\r\n", "no"),
    ] {
        let blame = Blame::page("visitor.request.body_malformed", 400).evidence(&["violation"]);
        let record = scene
            .blames_on(blame, |accept| {
                format!("POST / HTTP/1.1\r\nHost: {HOST}\r\n{accept}Transfer-Encoding: chunked\r\n\r\n{chunks}")
            })
            .await;
        assert_eq!(record["VerdictReached"], reached);
    }
    scene.origin.as_ref().unwrap().until(|counts| counts.open == 0).await.expect("the origin's half is cut off");
}

#[tokio::test]
async fn head_timed_out() {
    let scene = Scene::with(Script::ok()).server("client_head_timeout", "\"300ms\"").start();
    let record = unread(&scene, "visitor.request.head_timed_out", 408, "timer", "GET / HTTP/1.1\r\nHos").await;
    assert_eq!(record["VerdictEvidence"]["timer"], json!({ "setting": "client_head_timeout", "limit_ms": 300 }));
    assert_eq!(record["VerdictEvidence"]["first_bytes"], "GET / HTTP/1.1\\r\\nHos");
    assert!(record["VerdictEvidence"]["elapsed_ms"].as_u64().unwrap() >= 299, "{record:#}");
}

#[tokio::test]
async fn an_idle_connection_ends_without_a_record() {
    let setup = Scene::with(Script::ok()).server("keepalive_timeout", "\"1s\"");
    let scene = setup.server("client_head_timeout", "\"1s\"").start();
    let mut kept = scene.visitor().await;
    kept.send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n")).await.unwrap();
    let response = kept.read_response("GET").await;
    assert_eq!(response.status(), Some(200));
    let mut fresh = scene.visitor().await;
    for visitor in [&mut kept, &mut fresh] {
        assert_eq!(visitor.read_to_end().await.bytes, b"");
    }
    scene.record_of(&response).await;
    let last = scene.get("/", "").await;
    scene.record_of(&last).await;
    assert_eq!(scene.records().len(), 2, "{:#?}", scene.records());
}

#[tokio::test]
async fn body_timed_out() {
    let setup = Scene::with(Script::stall_before_head()).server("client_body_timeout", "\"300ms\"");
    let scene = setup.start();
    let blame = Blame::page("visitor.request.body_timed_out", 408).evidence(&["timer", "body"]);
    let record = scene
        .blames_on(blame, |accept| {
            format!("POST / HTTP/1.1\r\nHost: {HOST}\r\n{accept}Content-Length: 100\r\n\r\nbegin")
        })
        .await;
    assert_eq!(record["VerdictEvidence"]["body"], json!({ "received": 5, "expected": 100 }));
    assert_eq!(record["VerdictEvidence"]["timer"], json!({ "setting": "client_body_timeout", "limit_ms": 300 }));
    assert_eq!(record["VerdictReached"], "maybe");
    assert_eq!(record["ClientRequestBodyBytes"], 5);
    scene.origin.as_ref().unwrap().until(|counts| counts.open == 0).await.expect("the origin's half is cut off");
}

/// Sends these bytes and closes the sending side; nothing comes back.
async fn stops_after(mut visitor: Visitor, bytes: &str) {
    visitor.send(bytes).await.unwrap();
    visitor.finish().await.unwrap();
    assert_eq!(visitor.read_to_end().await.bytes, b"");
}

#[tokio::test]
async fn head_truncated() {
    let scene = Scene::with(Script::ok()).start();
    stops_after(scene.visitor().await, "GET / HTTP/1.1\r\nHost: shop.test\r\nCoo").await;
    let record = scene.recorded(Blame::no_page("visitor.request.head_truncated", 0).evidence(&["first_bytes"])).await;
    assert_eq!(record["VerdictStatus"], 400);
    assert_eq!(record["VerdictReached"], "no");
    assert!(record["VerdictEvidence"]["first_bytes"].as_str().unwrap().ends_with("Coo"), "{record:#}");
    assert_eq!(scene.counted("rayline_requests_total", "status_class=\"5xx\""), 0);
}

#[tokio::test]
async fn body_truncated() {
    for (body, expected) in [
        ("Content-Length: 100\r\n\r\nbegin", json!(100)),
        ("Transfer-Encoding: chunked\r\n\r\n5\r\nbegin\r\n", Value::Null),
    ] {
        let scene = Scene::with(Script::stall_before_head()).start();
        stops_after(scene.visitor().await, &format!("POST / HTTP/1.1\r\nHost: {HOST}\r\n{body}")).await;
        let blame = Blame::no_page("visitor.request.body_truncated", 0).evidence(&["body"]);
        let record = scene.recorded(blame).await;
        assert_eq!(record["VerdictEvidence"]["body"], json!({ "received": 5, "expected": expected }));
        assert_eq!(record["VerdictStatus"], 499);
        assert_eq!(record["VerdictReached"], "maybe");
        assert_eq!(record["ClientRequestBodyBytes"], 5);
        assert_eq!(scene.counted("rayline_requests_total", "status_class=\"5xx\""), 0);
        scene.origin.as_ref().unwrap().until(|counts| counts.open == 0).await.expect("the origin's half is cut off");
    }
}
