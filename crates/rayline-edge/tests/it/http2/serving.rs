//! Good requests over HTTP/2, whatever the client.

use std::process::{Command, Output, Stdio};

use rayline_testkit::{Script, http2};
use serde_json::json;

use crate::scene::{HOST, Scene};

/// A visitor that has exchanged SETTINGS with the scene's plain listener.
async fn visitor(scene: &Scene) -> http2::Visitor {
    http2::Visitor::connect(scene.http).await.expect("the edge accepts")
}

/// What a program says; `None` where it is not installed.
async fn run(program: &str, arguments: &[&str]) -> Option<Output> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    // The origin lives on this runtime, so it must not be blocked.
    match tokio::task::spawn_blocking(move || command.output()).await.expect("no panic") {
        Ok(output) => Some(output),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("skipped: there is no {program} here");
            None
        }
        Err(error) => panic!("{program} cannot be run: {error}"),
    }
}

async fn curl(scene: &Scene, arguments: &[&str]) -> Option<String> {
    let address = scene.https.expect("a scene with https()");
    let resolve = format!("{HOST}:{}:{}", address.port(), address.ip());
    let url = format!("https://{HOST}:{}/hello", address.port());
    let usual = ["-sS", "-k", "--noproxy", "*", "--max-time", "20", "--resolve", &resolve, &url];
    let output = run("curl", &[&usual, arguments].concat()).await?;
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[tokio::test]
async fn curl_agrees_on_it_by_alpn() {
    let scene = Scene::with(Script::ok()).https().start();
    let Some(text) = curl(&scene, &["--http2", "-i"]).await else { return };
    assert!(text.starts_with("HTTP/2 200 \r\n"), "{text}");
    assert!(text.contains("server: rayline\r\n") && text.contains("cf-ray: "), "{text}");
    assert!(text.contains("GET /hello HTTP/1.1\r\n") && text.contains("X-Forwarded-Proto: https\r\n"), "{text}");
    let record = scene.record_where(|record| record["ClientRequestURI"] == "/hello").await;
    assert_eq!(record["ClientRequestProtocol"], "HTTP/2");
    assert_eq!(record["EdgeResponseStatus"], 200);
    let text = curl(&scene, &["--http1.1", "-i"]).await.expect("curl");
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
}

#[tokio::test]
async fn a_zone_may_not_offer_it() {
    let scene = Scene::with(Script::ok()).https().setting("http2", "off").start();
    let Some(text) = curl(&scene, &["--http2", "-i"]).await else { return };
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
}

#[tokio::test]
async fn prior_knowledge_on_a_plain_listener() {
    let scene = Scene::with(Script::ok()).start();
    let mut visitor = visitor(&scene).await;
    let response = visitor.request("GET", "/hello", HOST).await.expect("an answer");
    assert_eq!(response.status(), Some(200));
    assert!(response.text().starts_with("GET /hello HTTP/1.1\r\n"), "{}", response.text());
    let record = scene.record_where(|record| record["ClientRequestURI"] == "/hello").await;
    assert_eq!(record["ClientRequestProtocol"], "HTTP/2");
    assert_eq!(record["VerdictCode"], json!(null));
    let response = visitor.post("/form", HOST, b"hello").await.expect("an answer");
    assert_eq!(response.status(), Some(200));
    assert!(response.text().contains("(5 bytes of body)"), "{}", response.text());
}
