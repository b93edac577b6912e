//! Answering the visitor: who leaves, who stops reading, and the edge's own end.

use std::time::Duration;

use rayline_testkit::{Answer, Body, Dns, DnsAnswer, End, Framing, Script, Visitor};
use serde_json::{Value, json};

use crate::scene::{Blame, HOST, Scene};

const GONE: &str = "visitor.reply.gone";
const SHUTDOWN: &str = "edge.reply.shutdown";

/// A byte of the answer at a time, without a word of its length and without an end.
fn endless() -> Script {
    Script::events(Duration::from_millis(5))
}

/// The record of a visitor that left, which is never one of the 5xx.
async fn left(scene: &Scene, blame: Blame) -> Value {
    let record = scene.recorded(blame.evidence(&["elapsed_ms"])).await;
    assert_eq!(record["VerdictStatus"], 499);
    assert_eq!(record["VerdictCertainty"], "proven");
    assert_eq!(scene.counted("rayline_requests_total", "status_class=\"5xx\""), 0);
    assert_eq!(scene.counted("rayline_failures_total", "code=\"visitor.reply.gone\",party=\"visitor\""), 1);
    record
}

#[tokio::test]
async fn gone_while_waiting() {
    // Closed, closed on the sending side only, reset.
    for how in 0..3 {
        let scene = Scene::with(Script::stall_before_head()).start();
        let origin = scene.origin.as_ref().unwrap();
        let mut visitor = scene.visitor().await;
        visitor.send(Scene::request("GET", "/", "")).await.unwrap();
        origin.until(|counts| counts.requests == 1).await.unwrap();
        let kept = match how {
            0 => {
                drop(visitor);
                None
            }
            1 => {
                visitor.finish().await.unwrap();
                Some(visitor)
            }
            _ => {
                visitor.reset().unwrap();
                None
            }
        };
        let record = left(&scene, Blame::no_page(GONE, 0).evidence(&["bytes_sent"])).await;
        assert_eq!(record["VerdictReached"], "maybe");
        assert!(record["OriginIP"] == "127.0.0.1" && record["ZoneName"] == HOST, "{record:#}");
        origin.until(|counts| counts.open == 0).await.expect("the origin's work is stopped");
        drop(kept);
    }
}

#[tokio::test]
async fn gone_while_connecting() {
    let scene = Scene::with(Script::backlog_full()).start();
    let mut visitor = scene.visitor().await;
    visitor.send(Scene::request("GET", "/", "")).await.unwrap();
    visitor.finish().await.unwrap();
    let record = left(&scene, Blame::no_page(GONE, 0)).await;
    assert_eq!(record["VerdictReached"], "no", "nothing was sent to an origin");
    assert_eq!(record["VerdictEvidence"]["bytes_sent"], 0);
}

#[tokio::test]
async fn gone_while_resolving() {
    let dns = Dns::start([("slow.origins.test", DnsAnswer::Silent)]).unwrap();
    let scene = Scene::pointing_to("slow.origins.test").server("resolvers", &format!("[\"{}\"]", dns.addr())).start();
    let mut visitor = scene.visitor().await;
    visitor.send(Scene::request("GET", "/", "")).await.unwrap();
    visitor.finish().await.unwrap();
    let record = left(&scene, Blame::no_page(GONE, 0)).await;
    assert_eq!(record["VerdictReached"], "no", "nothing was sent to an origin");
}

#[tokio::test]
async fn gone_while_streaming() {
    let scene = Scene::with(endless()).start();
    let mut visitor = scene.visitor().await;
    visitor.send(Scene::request("GET", "/", "")).await.unwrap();
    let began = read_some(&mut visitor).await;
    assert!(began.starts_with("HTTP/1.1 200"), "{began}");
    drop(visitor);
    let record = left(&scene, Blame::no_page(GONE, 200).origin_status(200)).await;
    assert!(record["EdgeResponseBodyBytes"].as_u64().unwrap() > 0, "{record:#}");
    scene.origin.as_ref().unwrap().until(|counts| counts.open == 0).await.expect("the origin's work is stopped");
}

/// Reads until some of an answer's body has come.
async fn read_some(visitor: &mut Visitor) -> String {
    loop {
        let reading = tokio::time::timeout(Duration::from_millis(20), visitor.read_to_end());
        if let Ok(ended) = reading.await {
            panic!("the answer ended: {ended:?}");
        }
        let text = String::from_utf8_lossy(visitor.peek());
        if text.split_once("\r\n\r\n").is_some_and(|(_, body)| !body.is_empty()) {
            return text.into_owned();
        }
    }
}

#[tokio::test]
async fn stalled() {
    let length = 64 << 20;
    let scene = Scene::with(Script::ok_length(length)).server("client_write_timeout", "\"300ms\"").start();
    let mut visitor = scene.visitor().await;
    visitor.send(Scene::request("GET", "/", "")).await.unwrap();
    let blame = Blame::no_page("visitor.reply.stalled", 200).origin_status(200).evidence(&["timer", "elapsed_ms"]);
    let record = scene.recorded(blame).await;
    assert_eq!(record["VerdictEvidence"]["timer"], json!({ "setting": "client_write_timeout", "limit_ms": 300 }));
    assert_eq!((&record["VerdictStatus"], &record["VerdictReached"]), (&json!(499), &json!("yes")));
    let sent = record["EdgeResponseBodyBytes"].as_u64().unwrap();
    assert!(0 < sent && sent < length, "{sent}");
    let response = visitor.read_response("GET").await;
    assert!(!response.whole && response.status() == Some(200), "{:?}", response.end);
    assert_eq!(scene.counted("rayline_requests_total", "status_class=\"5xx\""), 0);
}

/// Asks for an answer, waits until the origin has the request or `streams` its answer, and stops the edge with no time
/// to drain.
async fn stopped(scene: &Scene, mut visitor: Visitor, request: String, streams: bool) -> (String, End) {
    visitor.send(request).await.unwrap();
    scene.origin.as_ref().unwrap().until(|counts| counts.requests == 1).await.unwrap();
    let mut text = if streams { read_some(&mut visitor).await } else { String::new() };
    tokio::task::block_in_place(|| scene.edge.stop(Duration::ZERO));
    let rest = visitor.read_to_end().await;
    if !rest.bytes.is_empty() {
        text = String::from_utf8_lossy(&rest.bytes).into_owned();
    }
    (text, rest.end)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutdown_before_an_answer() {
    let scene = Scene::with(Script::stall_before_head()).start();
    let (text, end) = stopped(&scene, scene.visitor().await, Scene::request("GET", "/", ""), false).await;
    assert_eq!((text.as_str(), end), ("", End::Closed), "nothing is made up");
    let record = scene.recorded(Blame::no_page(SHUTDOWN, 0).evidence(&["elapsed_ms"])).await;
    assert_eq!(record["VerdictStatus"], 503);
    assert_eq!(record["VerdictReached"], "maybe");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutdown_in_an_answer() {
    let scene = Scene::with(endless()).start();
    let (text, end) = stopped(&scene, scene.visitor().await, Scene::request("GET", "/", ""), true).await;
    assert!(text.contains("transfer-encoding: chunked"), "{text}");
    assert!(!text.ends_with("\r\n0\r\n\r\n"), "the last chunk is not made up");
    assert!(matches!(end, End::Closed | End::Reset), "{end:?}");
    let record = scene.recorded(Blame::no_page(SHUTDOWN, 200).origin_status(200).evidence(&["elapsed_ms"])).await;
    let sent = record["EdgeResponseBytes"].as_u64().unwrap();
    assert!(sent > 0, "{record:#}");
}

/// For a visitor of HTTP/1.0 the close is the end of an answer of unknown length: only a reset says that it was cut.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutdown_in_an_answer_that_ends_with_the_connection() {
    let answer = Answer::status(200).body(Body::Events(Duration::from_millis(5), None)).framing(Framing::Close);
    for script in [endless(), Script::answer("events-to-close", "sends events to the close", answer)] {
        let scene = Scene::with(script).start();
        let (text, end) =
            stopped(&scene, scene.visitor().await, format!("GET / HTTP/1.0\r\nHost: {HOST}\r\n\r\n"), true).await;
        assert!(text.starts_with("HTTP/1.1 200") && !text.contains("transfer-encoding"), "{text}");
        assert_eq!(end, End::Reset, "a close would look like the end");
        scene.recorded(Blame::no_page(SHUTDOWN, 200).origin_status(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutdown_in_an_answer_over_tls() {
    for (version, ends) in [("1.1", [End::Closed, End::Cut, End::Reset]), ("1.0", [End::Reset, End::Cut, End::Cut])] {
        let scene = Scene::with(endless()).https().start();
        let visitor = scene.tls_visitor().await;
        let (text, end) = stopped(&scene, visitor, format!("GET / HTTP/{version}\r\nHost: {HOST}\r\n\r\n"), true).await;
        assert!(!text.ends_with("\r\n0\r\n\r\n"), "the last chunk is not made up");
        assert!(ends.contains(&end), "{end:?} to a visitor of HTTP/{version}");
        scene.recorded(Blame::no_page(SHUTDOWN, 200).origin_status(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn draining_lets_an_answer_end() {
    let scene = Scene::with(Script::slow_ok(Duration::from_millis(300))).start();
    let mut visitor = scene.visitor().await;
    visitor.send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n")).await.unwrap();
    scene.origin.as_ref().unwrap().until(|counts| counts.requests == 1).await.unwrap();
    tokio::task::block_in_place(|| scene.edge.stop(Duration::from_secs(5)));
    let response = visitor.read_response("GET").await;
    assert_eq!((response.status(), response.whole), (Some(200), true));
    assert_eq!(response.field("connection"), Some("close"), "there is no next request");
    let record = scene.record_of(&response).await;
    assert!(record["VerdictCode"].is_null(), "{record:#}");
    assert!(Visitor::connect(scene.http).await.is_err(), "nobody listens any more");
}
