//! What goes wrong over HTTP/2: on one stream, and on the connection of them all.

use rayline_testkit::http2::{Code, Ending, Frame, Heard, Visitor, setting};
use rayline_testkit::{End, Script};
use serde_json::{Value, json};

use super::serving::{fields, visitor};
use crate::scene::{HOST, Scene};

/// The record with this code.
async fn blamed(scene: &Scene, code: &str) -> Value {
    let record = scene.record_where(|record| record["VerdictCode"] == code).await;
    assert_eq!(record["ClientRequestProtocol"], "HTTP/2", "{record:#}");
    record
}

/// A good request on a connection that must have outlived what came before it.
async fn goes_on(visitor: &mut Visitor) {
    assert_eq!(visitor.request("GET", "/good", HOST).await.expect("an answer").status(), Some(200));
}

#[tokio::test]
async fn a_body_that_broke_is_reset_and_never_ended() {
    for (script, code) in [
        (Script::truncated_body(1000, 100), "origin.receive.truncated"),
        (Script::truncated_chunked(), "origin.receive.truncated"),
        (Script::bad_chunk(), "origin.receive.bad_chunk"),
        (Script::bad_trailers(), "origin.receive.bad_trailers"),
    ] {
        let scene = Scene::with(script).start();
        let mut visitor = visitor(&scene).await;
        let response = visitor.request("GET", "/", HOST).await.unwrap();
        assert_eq!((response.status(), response.end), (Some(200), Ending::Reset(Code::INTERNAL_ERROR)), "{code}");
        let record = blamed(&scene, code).await;
        assert_eq!(record["EdgeResponseBodyBytes"], response.body.len(), "{record:#}");
        let trace = visitor.request("GET", "/cdn-cgi/trace", HOST).await.unwrap();
        assert_eq!(trace.status(), Some(200), "the connection goes on");
    }
}

#[tokio::test]
async fn a_request_that_is_cancelled() {
    let scene = Scene::with(Script::stall_before_head()).start();
    let origin = scene.origin.as_ref().unwrap();
    let mut visitor = visitor(&scene).await;
    let stream = visitor.open(&fields("GET", "/cancelled", &[]), true).await.unwrap();
    origin.until(|counts| counts.requests == 1).await.unwrap();
    visitor.send(&Frame::rst_stream(stream, Code::CANCEL)).await.unwrap();
    let record = blamed(&scene, "visitor.reply.gone").await;
    assert_eq!((&record["ClientRequestURI"], &record["EdgeResponseStatus"]), (&json!("/cancelled"), &json!(0)));
    origin.until(|counts| counts.open == 0).await.expect("the origin's work is stopped");
    assert_eq!(visitor.request("GET", "/cdn-cgi/trace", HOST).await.unwrap().status(), Some(200));
}

#[tokio::test]
async fn a_connection_that_is_lost_with_many_requests() {
    let scene = Scene::with(Script::stall_before_head()).start();
    let origin = scene.origin.as_ref().unwrap();
    let mut visitor = visitor(&scene).await;
    for path in ["/1", "/2", "/3"] {
        visitor.open(&fields("GET", path, &[]), true).await.unwrap();
    }
    origin.until(|counts| counts.requests == 3).await.unwrap();
    drop(visitor);
    for path in ["/1", "/2", "/3"] {
        let record = scene.record_where(|record| record["ClientRequestURI"] == path).await;
        assert_eq!(record["VerdictCode"], "visitor.reply.gone", "{record:#}");
    }
    origin.until(|counts| counts.open == 0).await.expect("the origin's work is stopped");
}

#[tokio::test]
async fn a_visitor_that_takes_nothing() {
    let scene = Scene::with(Script::ok_length(1 << 20)).server("client_write_timeout", "\"300ms\"").start();
    let mut visitor = Visitor::from(scene.visitor().await).without_windows();
    visitor.greet(&[(setting::INITIAL_WINDOW_SIZE, 1000)]).await.unwrap();
    let response = visitor.request("GET", "/", HOST).await.unwrap();
    assert_eq!((response.body.len(), response.end), (1000, Ending::Reset(Code::INTERNAL_ERROR)));
    let record = blamed(&scene, "visitor.reply.stalled").await;
    assert_eq!(record["VerdictEvidence"]["timer"]["setting"], "client_write_timeout");
    assert_eq!(record["EdgeResponseBodyBytes"], 1000);
}

#[tokio::test]
async fn what_http1_would_refuse_is_refused_with_a_page() {
    let scene = Scene::with(Script::ok()).start();
    let mut visitor = visitor(&scene).await;
    let long = format!("/{}", "a".repeat(33 * 1024));
    let big = "x".repeat(130 * 1024);
    let rows = [
        ("visitor.request.bad_host", 400, fields("GET", "/", &[("host", "other.test")])),
        ("visitor.request.bad_host", 400, vec![(":method", "GET"), (":scheme", "http"), (":path", "/")]),
        ("visitor.request.ambiguous_framing", 400, fields("POST", "/", &[("content-length", "05")])),
        ("visitor.request.malformed", 400, fields("GET", "*", &[])),
        ("visitor.request.uri_too_long", 414, fields("GET", &long, &[])),
        ("visitor.request.header_too_large", 431, fields("GET", "/", &[("x-big", &big)])),
        ("visitor.request.method_not_allowed", 405, vec![(":method", "CONNECT"), (":authority", "shop.test:80")]),
        ("visitor.route.forged_header", 403, fields("GET", "/", &[("cf-connecting-ip", "1.2.3.4")])),
    ];
    for (code, status, fields) in &rows {
        let stream = visitor.next_stream();
        let block = rayline_testkit::http2::encode(fields.iter().copied());
        // A body announced and not sent: what refuses must not wait for it.
        visitor.send_all(&Frame::block(stream, &block, 16_384, *status != 400)).await.unwrap();
        let response = visitor.read_response(stream).await;
        assert_eq!((response.status(), response.end), (Some(*status), Ending::Whole), "{code}");
        assert!(response.text().contains(code), "{code}: {}", response.text());
        let ray = response.field("cf-ray").expect("a Ray ID").split('-').next().unwrap().to_owned();
        let record = scene.record_where(|record| record["RayID"] == ray.as_str()).await;
        assert_eq!((&record["VerdictCode"], &record["EdgeResponseStatus"]), (&json!(code), &json!(status)));
    }
    assert_eq!(scene.origin.as_ref().unwrap().requests(), 0, "nothing of it went on");
    goes_on(&mut visitor).await;
}

#[tokio::test]
async fn a_stream_that_the_library_refuses_is_recorded() {
    let scene = Scene::with(Script::ok()).start();
    let mut visitor = visitor(&scene).await;
    for more in [[("connection", "close")], [("transfer-encoding", "chunked")], [(":status", "200")], [("te", "gzip")]]
    {
        let stream = visitor.open(&fields("GET", "/", &more), true).await.unwrap();
        let response = visitor.read_response(stream).await;
        assert_eq!(response.end, Ending::Reset(Code::PROTOCOL_ERROR), "{more:?}");
    }
    let record = blamed(&scene, "visitor.request.http2_malformed").await;
    let error = &record["VerdictEvidence"]["http2_error"];
    assert_eq!(
        (&error["frame"], &error["name"], &error["sent_by"]),
        (&json!("RST_STREAM"), &json!("PROTOCOL_ERROR"), &json!("edge"))
    );
    goes_on(&mut visitor).await;
    let count =
        || scene.records().iter().filter(|record| record["VerdictCode"] == "visitor.request.http2_malformed").count();
    scene.record_where(|record| record["ClientRequestURI"] == "/good").await;
    assert_eq!(count(), 4);
}

#[tokio::test]
async fn more_requests_at_once_than_are_allowed() {
    let scene = Scene::with(Script::stall_before_head()).server("http2_max_streams", "2").start();
    let mut visitor = visitor(&scene).await;
    for path in ["/1", "/2"] {
        visitor.open(&fields("GET", path, &[]), true).await.unwrap();
    }
    let surplus = visitor.request("GET", "/3", HOST).await.unwrap();
    assert_eq!(surplus.end, Ending::Reset(Code::REFUSED_STREAM), "safe to be asked again");
    let record = blamed(&scene, "visitor.request.http2_malformed").await;
    assert_eq!(record["VerdictEvidence"]["limit"]["limit"], 2, "{record:#}");
    assert_eq!(record["VerdictEvidence"]["http2_error"]["name"], "REFUSED_STREAM", "{record:#}");
}

#[tokio::test]
async fn fields_beyond_what_is_even_looked_at() {
    let scene = Scene::with(Script::ok()).start();
    let mut visitor = visitor(&scene).await;
    let stream = visitor.next_stream();
    let big = "x".repeat(300 * 1024);
    let block = rayline_testkit::http2::encode(fields("GET", "/", &[("x-big", &big)]));
    visitor.send_all(&Frame::block(stream, &block, 16_384, true)).await.unwrap();
    let response = visitor.read_response(stream).await;
    assert_eq!((response.status(), response.body.len()), (Some(431), 0), "{response:?}");
    let record = blamed(&scene, "visitor.request.header_too_large").await;
    assert_eq!(record["EdgeResponseStatus"], 431, "{record:#}");
    goes_on(&mut visitor).await;
}

#[tokio::test]
async fn a_body_that_is_not_as_long_as_it_says() {
    let scene = Scene::with(Script::echo_body()).start();
    let mut visitor = visitor(&scene).await;
    for (announced, sent) in [("10", 5), ("5", 10)] {
        let stream = visitor.open(&fields("POST", "/", &[("content-length", announced)]), false).await.unwrap();
        visitor.send(&Frame::data(stream, vec![b'x'; sent], true)).await.unwrap();
        let response = visitor.read_response(stream).await;
        assert_eq!(response.end, Ending::Reset(Code::PROTOCOL_ERROR), "{announced} {sent}");
    }
    let record = blamed(&scene, "visitor.request.http2_malformed").await;
    assert_eq!(record["VerdictEvidence"]["http2_error"]["sent_by"], "edge", "{record:#}");
    assert_eq!(visitor.request("GET", "/", HOST).await.unwrap().status(), Some(200));
}

#[tokio::test]
async fn trailers_that_http1_would_refuse() {
    let scene = Scene::with(Script::echo_body()).start();
    let mut visitor = visitor(&scene).await;
    let stream = visitor.open(&fields("POST", "/", &[]), false).await.unwrap();
    visitor.send(&Frame::data(stream, "hello", false)).await.unwrap();
    visitor.send(&Frame::headers(stream, [("content-length", "9")], true)).await.unwrap();
    visitor.read_response(stream).await;
    let record = blamed(&scene, "visitor.request.body_malformed").await;
    assert!(record["VerdictEvidence"]["violation"]["clause"].as_str().unwrap().starts_with("RFC 9110"), "{record:#}");
}

#[tokio::test]
async fn a_connection_that_breaks_the_rules() {
    let rows = [
        (Frame::data(1, "early", false), "PROTOCOL_ERROR"),
        (Frame::window_update(0, 0), "PROTOCOL_ERROR"),
        (Frame::ping([0; 8]).on(3), "PROTOCOL_ERROR"),
        (Frame::new(0x1, 0x5, 1, vec![0xff; 20]), "COMPRESSION_ERROR"),
    ];
    for (frame, name) in rows {
        let scene = Scene::with(Script::ok()).start();
        let mut neighbour = visitor(&scene).await;
        let mut visitor = visitor(&scene).await;
        visitor.send(&frame).await.unwrap();
        let heard = visitor.until(|heard| matches!(heard, Heard::GoAway { .. })).await;
        assert!(matches!(heard, Heard::GoAway { .. }), "{frame:?}: {heard:?}");
        let record = blamed(&scene, "visitor.request.http2_protocol_error").await;
        let error = &record["VerdictEvidence"]["http2_error"];
        assert_eq!((&error["frame"], &error["sent_by"]), (&json!("GOAWAY"), &json!("edge")), "{name}: {error:#}");
        assert!(matches!(visitor.until(|_| false).await, Heard::Closed(End::Closed)));
        goes_on(&mut neighbour).await;
    }
}

#[tokio::test]
async fn a_connection_that_does_not_begin_with_settings() {
    let scene = Scene::with(Script::ok()).start();
    let mut visitor = Visitor::from(scene.visitor().await);
    visitor.wire().send(rayline_testkit::http2::PREFACE).await.unwrap();
    visitor.send(&Frame::ping([0; 8])).await.unwrap();
    let heard = visitor.until(|heard| matches!(heard, Heard::GoAway { .. })).await;
    assert!(matches!(heard, Heard::GoAway { code: Code::PROTOCOL_ERROR, .. }), "{heard:?}");
    let record = blamed(&scene, "visitor.request.http2_protocol_error").await;
    assert_eq!(record["VerdictEvidence"]["violation"]["clause"], "RFC 9113 §3.4", "{record:#}");
}

#[tokio::test]
async fn a_connection_that_does_not_get_on() {
    let begun = fields("GET", "/", &[]);
    let block = rayline_testkit::http2::encode(begun.iter().copied());
    let rows: [(&str, Vec<u8>); 3] = [
        ("half a preface", b"PRI * HTTP/2.0\r\n".to_vec()),
        ("no settings", rayline_testkit::http2::PREFACE.to_vec()),
        ("half a head", {
            let mut bytes = rayline_testkit::http2::PREFACE.to_vec();
            bytes.extend_from_slice(&Frame::settings(&[]).encode());
            bytes.extend_from_slice(&Frame::new(0x1, 0x1, 1, block.slice(..5)).encode());
            bytes
        }),
    ];
    for (what, bytes) in rows {
        let scene = Scene::with(Script::ok()).server("client_head_timeout", "\"300ms\"").start();
        let mut visitor = scene.visitor().await;
        visitor.send(bytes).await.unwrap();
        let record = scene.record_where(|record| record["VerdictCode"] == "visitor.request.head_timed_out").await;
        assert_eq!(record["VerdictEvidence"]["timer"]["setting"], "client_head_timeout", "{what}");
        assert_eq!(visitor.read_to_end().await.end, End::Closed, "{what}");
    }
}
