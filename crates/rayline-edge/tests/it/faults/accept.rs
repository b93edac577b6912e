//! Taking a visitor's connection.

use std::time::{Duration, Instant};

use rayline_testkit::{Script, Visitor};

use crate::scene::{Blame, HOST, Scene};

const CODE: &str = "edge.accept.too_many_connections";

#[tokio::test]
async fn one_connection_too_many_over_http() {
    let scene = Scene::with(Script::ok()).server("max_connections", "1").start();
    let mut first = scene.visitor().await;
    first.send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n")).await.unwrap();
    assert_eq!(first.read_response("GET").await.status(), Some(200));
    let (response, record) = scene.refuses(&Blame::page(CODE, 503).evidence(&["limit"]), "").await;
    assert_eq!(record["VerdictEvidence"]["limit"]["what"], "connections");
    assert_eq!(record["VerdictEvidence"]["limit"]["limit"], 1);
    assert_eq!(record["VerdictReached"], "no");
    assert!(response.field("retry-after").is_some());
    // Whoever is connected goes on, and whoever comes after them finds the place free.
    first.send(Scene::request("GET", "/", "")).await.unwrap();
    assert_eq!(first.read_response("GET").await.status(), Some(200));
    drop(first);
    let deadline = Instant::now() + Duration::from_secs(5);
    while scene.get("/", "").await.status() != Some(200) {
        assert!(Instant::now() < deadline, "the place was not given back");
    }
}

#[tokio::test]
async fn one_connection_too_many_over_https() {
    let scene = Scene::with(Script::ok()).server("max_connections", "1").https().start();
    let mut first = scene.tls_visitor().await;
    first.send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n")).await.unwrap();
    assert_eq!(first.read_response("GET").await.status(), Some(200));
    let mut second = Visitor::connect(scene.https.unwrap()).await.unwrap();
    assert_eq!(second.read_to_end().await.bytes, b"", "closed before the handshake");
    scene.recorded(Blame::no_page(CODE, 0).evidence(&["limit"])).await;
}
