//! Bodies that rules look at: read before an origin is asked, and sent on whole.

use rayline_testkit::{Answer, Script};

use super::answering;
use crate::by_hand::ByHand;
use crate::scene::{HOST, Scene, ruleset};

const BLOCK: &str = "expression = 'http.request.body.raw contains \"bad\" or any(http.request.body.form[\"role\"][*] eq \"admin\")'\naction = \"block\"";

fn scene() -> Scene {
    let script = answering(Answer::ok().text("hello"));
    Scene::with(script).also(&ruleset("http_request_firewall_custom", &[BLOCK])).start()
}

async fn post(scene: &Scene, fields: &str, body: &[u8]) -> Option<u16> {
    let mut visitor = scene.visitor().await;
    let head = format!("POST / HTTP/1.1\r\nHost: {HOST}\r\n{fields}Connection: close\r\n\r\n");
    visitor.send([head.as_bytes(), body].concat()).await.unwrap();
    visitor.read_response("POST").await.status()
}

#[tokio::test]
async fn by_length_and_in_chunks() {
    let scene = scene();
    assert_eq!(post(&scene, "Content-Length: 3\r\n", b"bad").await, Some(403));
    assert_eq!(post(&scene, "Content-Length: 4\r\n", b"good").await, Some(200));
    assert_eq!(post(&scene, "Transfer-Encoding: chunked\r\n", b"1\r\nb\r\n2\r\nad\r\n0\r\n\r\n").await, Some(403));
    assert_eq!(post(&scene, "Transfer-Encoding: chunked\r\n", b"4\r\ngood\r\n0\r\n\r\n").await, Some(200));
    let form = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 17\r\n";
    assert_eq!(post(&scene, form, b"name=a&role=admin").await, Some(403));
    assert_eq!(scene.get("/", "").await.status(), Some(200), "without a body");
    assert_eq!(scene.origin.as_ref().unwrap().requests(), 3);
}

#[tokio::test]
async fn what_was_read_is_sent_on_whole() {
    let edge = Scene::with(Script::ok()).also(&ruleset("http_request_firewall_custom", &[BLOCK])).start();
    for size in [1_usize, 20_000, 128 * 1024, 500_000] {
        let body = vec![b'x'; size];
        assert_eq!(post(&edge, &format!("Content-Length: {size}\r\n"), &body).await, Some(200), "{size}");
        let record = edge.record_where(|record| record["ClientRequestBodyBytes"] == size).await;
        assert_eq!(record["VerdictCode"], serde_json::Value::Null, "{size}");
    }
}

#[tokio::test]
async fn whoever_waits_is_told_to_go_on() {
    let scene = scene();
    let mut visitor = ByHand::connect(scene.http).await;
    let expects = "Content-Length: 3\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n";
    visitor.send(format!("POST / HTTP/1.1\r\nHost: {HOST}\r\n{expects}")).await;
    assert_eq!(visitor.head().await, "HTTP/1.1 100 Continue\r\n\r\n");
    visitor.send("bad").await;
    assert!(visitor.head().await.starts_with("HTTP/1.1 403 "));
}

#[tokio::test]
async fn a_body_that_stops() {
    let script = answering(Answer::ok().text("hello"));
    let setup = Scene::with(script).server("client_body_timeout", "\"100ms\"");
    let scene = setup.also(&ruleset("http_request_firewall_custom", &[BLOCK])).start();
    assert_eq!(post(&scene, "Content-Length: 30\r\n", b"half").await, Some(408));
    assert_eq!(scene.origin.as_ref().unwrap().requests(), 0);
}
