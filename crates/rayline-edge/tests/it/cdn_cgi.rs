//! `/cdn-cgi/`: what the edge answers itself, under every host name.

use rayline_testkit::{Response, Script};
use serde_json::Value;

use crate::scene::Scene;

fn untouched(scene: &Scene) {
    assert_eq!(scene.origin.as_ref().expect("an origin").connections(), 0, "nothing there reaches the origin");
}

/// The form that a response is in, once its text has been looked at.
fn check_form(accept: &str, response: &Response, number: &str, name: &str) {
    let (kind, text) = (response.field("content-type").expect("a type"), response.text());
    let wanted = if accept.is_empty() { "text/html" } else { accept };
    assert!(kind.starts_with(wanted), "{kind} for {wanted}");
    assert!(text.contains(number) && text.contains(name), "{text}");
    if wanted.ends_with("json") {
        let value: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!((&value["error_code"].to_string(), &value["code"]), (&number.to_owned(), &name.into()), "{value:#}");
    }
}

#[tokio::test]
async fn trace_has_the_keys_of_the_original_in_their_order() {
    let scene = Scene::with(Script::ok()).start();
    let response = scene.get("/cdn-cgi/trace?x", "User-Agent: tester/1 (a=b)\r\n").await;
    assert_eq!((response.status(), response.field("content-type")), (Some(200), Some("text/plain")));
    assert_eq!(response.field("cache-control"), Some("no-store"));
    let text = response.text();
    let lines: Vec<(&str, &str)> = text.lines().map(|line| line.split_once('=').expect("a key")).collect();
    let keys: Vec<&str> = lines.iter().map(|(key, _)| *key).collect();
    assert_eq!(
        keys,
        [
            "fl",
            "h",
            "ip",
            "ts",
            "visit_scheme",
            "uag",
            "colo",
            "sliver",
            "http",
            "loc",
            "tls",
            "sni",
            "warp",
            "gateway",
            "rbi",
            "kex"
        ]
    );
    for line in [
        ("h", "shop.test"),
        ("ip", "127.0.0.1"),
        ("visit_scheme", "http"),
        ("uag", "tester/1 (a=b)"),
        ("colo", "TST"),
        ("http", "http/1.1"),
        ("tls", "off"),
        ("sni", "off"),
        ("kex", "none"),
    ] {
        assert!(lines.contains(&line), "{line:?} in {text}");
    }
    let record = scene.record_of(&response).await;
    assert_eq!((&record["EdgeResponseStatus"], &record["OriginResponseStatus"]), (&200.into(), &0.into()));
    assert!(record["VerdictCode"].is_null(), "{record:#}");
    untouched(&scene);
}

#[tokio::test]
async fn every_error_can_be_looked_at() {
    let scene = Scene::with(Script::ok()).start();
    for (path, status, number, name) in [
        ("522", 522, "522", "network.connect.timed_out"),
        ("1016", 530, "1016", "owner.resolve."),
        ("origin.connect.refused", 521, "521", "origin.connect.refused"),
        ("1001", 409, "1001", "owner.route."),
        ("526", 526, "526", "origin.origin_tls."),
    ] {
        for accept in ["", "application/json", "application/problem+json", "text/markdown", "text/plain"] {
            let field = if accept.is_empty() { String::new() } else { format!("Accept: {accept}\r\n") };
            let response = scene.get(&format!("/cdn-cgi/error/{path}"), &field).await;
            assert_eq!(response.status(), Some(status), "{path} as {accept:?}");
            if accept.ends_with("json") {
                let value: Value = serde_json::from_str(&response.text()).expect("JSON");
                let name = value["code"].as_str().filter(|code| code.starts_with(name)).expect("a code").to_owned();
                check_form(accept, &response, number, &name);
            } else {
                check_form(accept, &response, number, name);
            }
            let record = scene.record_of(&response).await;
            assert!(record["VerdictCode"].is_null(), "nothing failed: {record:#}");
        }
    }
    untouched(&scene);
}

#[tokio::test]
async fn every_code_of_the_table_has_a_preview_or_none_to_show() {
    let scene = Scene::with(Script::ok()).start();
    let mut shown = 0;
    let mut visitor = scene.visitor().await;
    for entry in &rayline_verdict::TABLE {
        let request = format!("GET /cdn-cgi/error/{} HTTP/1.1\r\nHost: shop.test\r\n\r\n", entry.name);
        visitor.send(request).await.expect("the edge reads");
        let response = visitor.read_response("GET").await;
        match response.status() {
            Some(404) => assert_eq!(response.text(), "not found\n"),
            Some(400..) => shown += 1,
            other => panic!("{other:?} for {}", entry.name),
        }
    }
    assert!(shown > 50, "{shown} pages");
}

#[tokio::test]
async fn nothing_else_is_there() {
    let scene = Scene::with(Script::ok()).start();
    for path in [
        "/cdn-cgi/",
        "/cdn-cgi/x",
        "/cdn-cgi/trace/",
        "/cdn-cgi/error/",
        "/cdn-cgi/error/999",
        "/cdn-cgi/error/a.b.c",
        "/cdn-cgi/error/522/",
        "/cdn-cgi/../secret",
        "/cdn-cgi/?trace",
        "http://shop.test/cdn-cgi/x",
    ] {
        let response = scene.get(path, "").await;
        assert_eq!((response.status(), response.text().as_str()), (Some(404), "not found\n"), "{path}");
    }
    untouched(&scene);
    // A name that only begins the same way is the owner's.
    for path in ["/cdn-cgi", "/cdn-cgix", "/x/cdn-cgi/trace"] {
        assert!(scene.get(path, "").await.text().starts_with(&format!("GET {path} HTTP/1.1")), "{path}");
    }
}

#[tokio::test]
async fn a_body_sent_there_is_not_the_next_request() {
    let scene = Scene::with(Script::ok()).start();
    let mut visitor = scene.visitor().await;
    let head = "POST /cdn-cgi/trace HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 40\r\n\r\n";
    visitor.send(format!("{head}GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n")).await.expect("the edge reads");
    let response = visitor.read_response("POST").await;
    assert_eq!((response.status(), response.field("connection")), (Some(200), Some("close")));
    assert!(visitor.read_to_end().await.bytes.is_empty());
    untouched(&scene);
}

#[tokio::test]
async fn a_preview_says_what_the_table_says() {
    let scene = Scene::with(Script::ok()).start();
    for (code, reached, certainty) in
        [("visitor.route.forged_header", "no", "inferred"), ("origin.wait.timed_out", "maybe", "proven")]
    {
        let response = scene.get(&format!("/cdn-cgi/error/{code}"), "Accept: application/json\r\n").await;
        let problem: serde_json::Value = serde_json::from_str(&response.text()).expect("a JSON body");
        assert_eq!((&problem["code"], &problem["reached"]), (&code.into(), &reached.into()), "{problem:#}");
        assert_eq!(problem["certainty"], certainty, "{problem:#}");
    }
}
