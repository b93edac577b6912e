//! Visitors' connections that stay, origins' connections that are used again, and requests sent ahead.

use rayline_testkit::{Answer, End, Framing, Script, Step};

use crate::scene::{HOST, Scene};

fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: {HOST}\r\n\r\n")
}

fn post(target: &str, body: &str) -> String {
    format!("POST {target} HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

#[tokio::test]
async fn one_connection_on_each_side_serves_many_requests() {
    let scene = Scene::with(Script::ok()).start();
    let mut visitor = scene.visitor().await;
    for n in 0..20 {
        visitor.send(get(&format!("/{n}"))).await.expect("the edge reads");
        let response = visitor.read_response("GET").await;
        assert_eq!((response.status(), response.end), (Some(200), None), "{response:?}");
        assert!(response.text().starts_with(&format!("GET /{n} HTTP/1.1")), "{}", response.text());
        assert_eq!(response.field("connection"), None);
        scene.record_of(&response).await;
    }
    let origin = scene.origin.as_ref().expect("an origin");
    assert_eq!((origin.connections(), origin.requests()), (1, 20));
}

#[tokio::test]
async fn an_origin_connection_serves_one_visitor_after_another() {
    let scene = Scene::with(Script::ok()).start();
    for _ in 0..5 {
        let response = scene.get("/", "").await;
        assert_eq!((response.status(), response.field("connection")), (Some(200), Some("close")));
    }
    assert_eq!(scene.origin.as_ref().expect("an origin").connections(), 1);
}

#[tokio::test]
async fn an_origin_that_closes_gets_a_new_connection_for_each_request() {
    for script in [Script::keep_alive_off(), Script::ok_to_close(10)] {
        let scene = Scene::with(script).start();
        let mut visitor = scene.visitor().await;
        for _ in 0..3 {
            visitor.send(get("/")).await.expect("the edge reads");
            let response = visitor.read_response("GET").await;
            assert_eq!((response.status(), response.whole, response.end), (Some(200), true, None), "{response:?}");
        }
        assert_eq!(scene.origin.as_ref().expect("an origin").connections(), 3);
    }
}

#[tokio::test]
async fn requests_sent_ahead_are_answered_in_order() {
    let scene = Scene::with(Script::ok()).start();
    let mut visitor = scene.visitor().await;
    // Pages of ours stand between: they take no time, and still wait for their turn.
    let unknown = "GET /2 HTTP/1.1\r\nHost: unknown.test\r\n\r\n";
    let all = format!("{}{unknown}{}{}{}", get("/1"), post("/3", "hello"), get("/cdn-cgi/trace"), get("/5"));
    visitor.send(all).await.expect("the edge reads");
    for (n, status) in [(1, 200), (2, 409), (3, 200), (4, 200), (5, 200)] {
        let response = visitor.read_response("GET").await;
        assert_eq!((response.status(), response.end), (Some(status), None), "{n}: {response:?}");
        let text = response.text();
        match n {
            2 => assert!(text.contains("1001"), "{text}"),
            4 => assert!(text.contains("visit_scheme=http\n"), "{text}"),
            n => assert!(text.contains(&format!(" /{n} HTTP/1.1")), "{text}"),
        }
    }
}

#[tokio::test]
async fn requests_sent_ahead_in_small_pieces_are_answered_in_order() {
    let scene = Scene::with(Script::ok()).start();
    let mut visitor = scene.visitor().await;
    let all = format!("{}{}{}", get("/1"), post("/2", "hello"), get("/3"));
    for piece in all.as_bytes().chunks(7) {
        visitor.send(piece).await.expect("the edge reads");
    }
    for n in 1..=3 {
        let response = visitor.read_response("GET").await;
        assert!(response.text().contains(&format!(" /{n} HTTP/1.1")), "{}", response.text());
    }
}

#[tokio::test]
async fn a_body_that_nobody_read_is_not_the_next_request() {
    // The body is a request that a confused edge would serve.
    let hidden = get("/hidden");
    let refusals = [
        (Scene::with(Script::refuse()), HOST, 521),
        (Scene::with(Script::status(502)), HOST, 502),
        (Scene::with(Script::ok()), "unknown.test", 409),
        (Scene::with(Script::ok()).setting("always_use_https", "on").https(), HOST, 301),
    ];
    for (setup, host, status) in refusals {
        let scene = setup.start();
        let mut visitor = scene.visitor().await;
        let length = hidden.len();
        visitor
            .send(format!("POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n{hidden}"))
            .await
            .expect("the edge reads");
        let response = visitor.read_response("POST").await;
        assert_eq!(response.status(), Some(status));
        // An origin's own 502 comes after it has read the request; the others close, and answer nothing more.
        if status == 502 {
            assert_eq!(response.field("connection"), None);
            visitor.finish().await.expect("a close");
        } else {
            assert_eq!(response.field("connection"), Some("close"), "{status}");
        }
        let rest = visitor.read_to_end().await;
        assert_eq!((rest.bytes.as_slice(), rest.end), (&b""[..], End::Closed), "{status}");
        scene.record_of(&response).await;
        assert_eq!(scene.records().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn a_body_that_the_origin_left_is_not_the_next_request() {
    let head = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\n\r\nmuch";
    let script =
        Script::new("early", "answers without reading the body", [Step::ReadHead, Step::send(head), Step::Hold]);
    let scene = Scene::with(script).start();
    let mut visitor = scene.visitor().await;
    let hidden = get("/hidden");
    // One byte of the body never comes, so that it cannot have been read when the answer is written.
    let length = hidden.len() + 1;
    visitor
        .send(format!("POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {length}\r\n\r\n{hidden}"))
        .await
        .expect("the edge reads");
    let response = visitor.read_response("POST").await;
    assert_eq!((response.status(), response.text().as_str()), (Some(413), "much"));
    assert_eq!(response.field("connection"), Some("close"));
    let rest = visitor.read_to_end().await;
    assert_eq!((rest.bytes.as_slice(), rest.end), (&b""[..], End::Closed));
}

#[tokio::test]
async fn http_1_0_keeps_the_connection_only_if_asked_to() {
    let scene = Scene::with(Script::ok_length(10)).start();
    let mut visitor = scene.visitor().await;
    for _ in 0..2 {
        let request = format!("GET / HTTP/1.0\r\nHost: {HOST}\r\nConnection: keep-alive\r\n\r\n");
        visitor.send(request).await.expect("the edge reads");
        let response = visitor.read_response("GET").await;
        assert_eq!((response.status(), response.field("connection")), (Some(200), Some("keep-alive")));
    }
    visitor.send(format!("GET / HTTP/1.0\r\nHost: {HOST}\r\n\r\n")).await.expect("the edge reads");
    let response = visitor.read_response("GET").await;
    assert_eq!((response.status(), response.field("connection")), (Some(200), Some("close")));
    assert_eq!(visitor.read_to_end().await.end, End::Closed);
    // A length that is not known beforehand ends with the connection, whatever was asked.
    let scene = Scene::with(Script::ok_chunked(10)).start();
    let mut visitor = scene.visitor().await;
    let request = format!("GET / HTTP/1.0\r\nHost: {HOST}\r\nConnection: keep-alive\r\n\r\n");
    visitor.send(request).await.expect("the edge reads");
    let response = visitor.read_response("GET").await;
    assert_eq!((response.text().as_str(), response.end), ("abcdefghij", Some(End::Closed)));
    assert_eq!((response.field("connection"), response.field("transfer-encoding")), (Some("close"), None));
}

#[tokio::test]
async fn an_idle_visitor_is_closed_silently() {
    let scene = Scene::with(Script::ok()).server("keepalive_timeout", "\"1s\"").start();
    let mut visitor = scene.visitor().await;
    visitor.send(get("/")).await.expect("the edge reads");
    let response = visitor.read_response("GET").await;
    let rest = visitor.read_to_end().await;
    assert_eq!((rest.bytes.as_slice(), rest.end), (&b""[..], End::Closed));
    scene.record_of(&response).await;
    assert_eq!(scene.records().len(), 1, "an idle connection that ends is no request");
}

#[tokio::test]
async fn a_visitor_that_says_nothing_is_closed_silently() {
    let scene = Scene::with(Script::ok()).server("client_head_timeout", "\"200ms\"").start();
    let mut silent = scene.visitor().await;
    // Empty lines before a request are no request (RFC 9112 section 2.2).
    let mut empty = scene.visitor().await;
    empty.send("\r\n").await.expect("the edge reads");
    for visitor in [&mut silent, &mut empty] {
        let rest = visitor.read_to_end().await;
        assert_eq!((rest.bytes.as_slice(), rest.end), (&b""[..], End::Closed));
    }
    let response = scene.get("/", "").await;
    scene.record_of(&response).await;
    assert_eq!(scene.records().len(), 1);
}

#[tokio::test]
async fn an_origin_that_says_too_much_is_not_used_again() {
    let body = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
    let script = Script::new("two-answers", "answers twice", [Step::ReadHead, Step::send(body)]);
    let scene = Scene::with(script).start();
    let mut visitor = scene.visitor().await;
    for _ in 0..2 {
        visitor.send(get("/")).await.expect("the edge reads");
        let response = visitor.read_response("GET").await;
        assert_eq!(response.text(), "ok", "the second answer belongs to nobody");
    }
    assert_eq!(scene.origin.as_ref().expect("an origin").connections(), 2);
}

#[tokio::test]
async fn a_head_request_keeps_the_origin_connection() {
    for framing in [Framing::Length, Framing::Chunked] {
        let answer = Answer::status(200).body(rayline_testkit::Body::Pattern(1000)).framing(framing);
        let scene = Scene::with(Script::answer("head", "answers HEAD", answer)).start();
        let mut visitor = scene.visitor().await;
        for method in ["HEAD", "GET", "HEAD", "GET"] {
            visitor.send(format!("{method} / HTTP/1.1\r\nHost: {HOST}\r\n\r\n")).await.expect("the edge reads");
            let response = visitor.read_response(method).await;
            assert_eq!((response.status(), response.end), (Some(200), None), "{response:?}");
            assert_eq!(response.body.len(), if method == "GET" { 1000 } else { 0 });
            if framing == Framing::Length {
                assert_eq!(response.field("content-length"), Some("1000"));
            }
        }
        assert_eq!(scene.origin.as_ref().expect("an origin").connections(), 1);
    }
}
