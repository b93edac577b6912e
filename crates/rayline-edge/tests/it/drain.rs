//! The end of an edge: idle visitors go at once, requests may finish, and after the deadline nobody is waited for.

use std::time::{Duration, Instant};

use rayline_testkit::{End, Script, Visitor};

use crate::by_hand::{ByHand, listen};
use crate::scene::{HOST, Scene};

fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: {HOST}\r\n\r\n")
}

/// Stops the scene's edge on a thread of its own, for it blocks until all workers have ended.
fn stop(scene: &std::sync::Arc<Scene>, drain: Duration) -> std::thread::JoinHandle<Duration> {
    let scene = std::sync::Arc::clone(scene);
    std::thread::spawn(move || {
        let began = Instant::now();
        scene.edge.stop(drain);
        began.elapsed()
    })
}

#[tokio::test]
async fn idle_visitors_go_at_once() {
    let scene = std::sync::Arc::new(Scene::with(Script::ok()).https().start());
    let mut visitors = [scene.visitor().await, scene.tls_visitor().await, scene.visitor().await];
    for visitor in &mut visitors[..2] {
        visitor.send(get("/")).await.expect("the edge reads");
        let response = visitor.read_response("GET").await;
        assert_eq!(response.status(), Some(200));
        scene.record_of(&response).await;
    }
    let stopping = stop(&scene, Duration::from_secs(30));
    for visitor in &mut visitors {
        let rest = visitor.read_to_end().await;
        assert_eq!((rest.bytes.as_slice(), rest.end), (&b""[..], End::Closed));
    }
    assert!(stopping.join().expect("no panic") < Duration::from_secs(5));
    assert!(Visitor::connect(scene.http).await.is_err(), "nobody listens any more");
    assert_eq!(scene.records().len(), 2, "what is idle is no request");
}

#[tokio::test]
async fn a_slow_request_may_finish() {
    let (listener, address) = listen().await;
    let scene = std::sync::Arc::new(Scene::before(address).start());
    let mut idle = scene.visitor().await;
    let mut visitor = scene.visitor().await;
    visitor.send(get("/slow")).await.expect("the edge reads");
    let mut origin = ByHand::accept(&listener).await;
    origin.head().await;
    let stopping = stop(&scene, Duration::from_secs(30));
    assert_eq!(idle.read_to_end().await.end, End::Closed);
    origin.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let response = visitor.read_response("GET").await;
    assert_eq!((response.status(), response.field("connection")), (Some(200), Some("close")));
    assert_eq!(response.text(), "ok");
    assert_eq!(visitor.read_to_end().await.end, End::Closed);
    drop(visitor);
    assert!(stopping.join().expect("no panic") < Duration::from_secs(10));
    assert!(scene.record_of(&response).await["VerdictCode"].is_null());
}

#[tokio::test]
async fn an_answer_begun_before_may_finish() {
    let (listener, address) = listen().await;
    let scene = std::sync::Arc::new(Scene::before(address).start());
    let mut visitor = ByHand::connect(scene.http).await;
    visitor.send(get("/slow")).await;
    let mut origin = ByHand::accept(&listener).await;
    origin.head().await;
    origin.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbegin").await;
    visitor.until("begin").await;
    let mut idle = scene.visitor().await;
    let stopping = stop(&scene, Duration::from_secs(30));
    assert_eq!(idle.read_to_end().await.end, End::Closed);
    origin.send("-end").await;
    assert_eq!(visitor.rest().await, b"-end");
    assert!(stopping.join().expect("no panic") < Duration::from_secs(10));
}

#[tokio::test]
async fn after_the_deadline_the_rest_is_cut() {
    let (listener, address) = listen().await;
    let scene = std::sync::Arc::new(Scene::before(address).start());
    // One that waits for an answer, one in the middle of one whose end it would not know, and one that sends.
    let mut waiting = scene.visitor().await;
    waiting.send(get("/waiting")).await.expect("the edge reads");
    let mut first = ByHand::accept(&listener).await;
    first.head().await;
    let mut reading = ByHand::connect(scene.http).await;
    reading.send(format!("GET /reading HTTP/1.0\r\nHost: {HOST}\r\n\r\n")).await;
    let mut second = ByHand::accept(&listener).await;
    second.head().await;
    second.send("HTTP/1.1 200 OK\r\n\r\nbegin").await;
    reading.until("begin").await;
    let elapsed = stop(&scene, Duration::from_millis(300)).join().expect("no panic");
    assert!(elapsed >= Duration::from_millis(300) && elapsed < Duration::from_secs(3), "{elapsed:?}");
    let rest = waiting.read_to_end().await;
    assert!(rest.bytes.is_empty(), "{rest:?}");
    let mut byte = [0];
    let end = tokio::io::AsyncReadExt::read(&mut reading.stream, &mut byte).await;
    assert!(end.is_err(), "a body that ends with the connection is reset, never ended: {end:?}");
    for (target, status) in [("/waiting", 0), ("/reading", 200)] {
        let record = scene.record_where(|record| record["ClientRequestURI"] == target).await;
        assert_eq!(record["VerdictCode"], "edge.reply.shutdown", "{record:#}");
        assert_eq!(record["EdgeResponseStatus"], status, "{record:#}");
    }
}
