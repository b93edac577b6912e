//! gRPC: calls with messages both ways and trailers, and what their callers learn when one fails.

use std::time::Duration;

use rayline_testkit::Script;
use rayline_testkit::http2::{Act, Code, Ending, Frame, Heard, Response, Serving, Visitor};
use serde_json::json;

use super::origin::over_tls;
use crate::scene::{Blame, HOST, Scene};
use crate::serving::websocket::conversation_rules;

/// A message of five bytes, uncompressed.
const MESSAGE: &[u8] = b"\0\0\0\0\x05hello";

fn call(more: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    let usual = [
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", HOST),
        (":path", "/shop.Cart/Add"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ];
    [&usual, more].concat()
}

/// One message up, and the answer to it.
async fn called(scene: &Scene, more: &[(&'static str, &'static str)]) -> Response {
    let mut visitor = Visitor::connect(scene.http).await.expect("the edge accepts");
    let stream = visitor.open(&call(more), false).await.expect("the edge reads");
    visitor.send_body(stream, MESSAGE, true).await.expect("the edge reads");
    visitor.read_response(stream).await
}

/// The status that the caller's library shows, wherever it stands.
fn status(response: &Response) -> Option<&str> {
    response.trailer("grpc-status").or_else(|| response.field("grpc-status"))
}

#[tokio::test]
async fn a_call_passes_with_its_trailers() {
    // Without TLS nobody can choose, and gRPC knows nothing but HTTP/2.
    let ruled = Scene::with(Script::grpc_unary()).also(&conversation_rules());
    let scenes =
        [("http", Scene::with(Script::grpc_unary())), ("https", over_tls(Script::grpc_unary())), ("http", ruled)];
    for (scheme, scene) in scenes.map(|(scheme, setup)| (scheme, setup.start())) {
        let response = called(&scene, &[]).await;
        assert_eq!((response.status(), response.end), (Some(200), Ending::Whole), "{response:?}");
        assert_eq!(&response.body[..], MESSAGE);
        assert_eq!(response.trailer("grpc-status"), Some("0"));
        let seen = scene.origin.as_ref().unwrap().last().expect("a call").head;
        assert_eq!((seen.field("te"), seen.field("content-type")), (Some("trailers"), Some("application/grpc")));
        assert_eq!(seen.field(":scheme"), Some(scheme));
        let record = scene.record_where(|record| record["EdgeResponseStatus"] == 200).await;
        assert_eq!((&record["GrpcStatus"], &record["VerdictCode"]), (&json!(0), &json!(null)), "{record:#}");
        assert_eq!(record["OriginProtocol"], "HTTP/2");
    }
}

#[tokio::test]
async fn messages_stream_both_ways() {
    let scene = Scene::with(Script::grpc_stream()).start();
    let mut visitor = Visitor::connect(scene.http).await.expect("the edge accepts");
    let stream = visitor.open(&call(&[]), false).await.unwrap();
    for _ in 0..10 {
        visitor.send_body(stream, MESSAGE, false).await.unwrap();
        // Each comes back before the next is sent: nothing waits for the end of anything.
        let heard = visitor.until(|heard| matches!(heard, Heard::Data { .. } | Heard::RstStream { .. })).await;
        assert!(matches!(&heard, Heard::Data { bytes, .. } if &bytes[..] == MESSAGE), "{heard:?}");
    }
    visitor.send_body(stream, b"", true).await.unwrap();
    let end =
        visitor.until(|heard| matches!(heard, Heard::Headers { end_stream: true, .. } | Heard::RstStream { .. })).await;
    assert!(matches!(end, Heard::Headers { .. }), "{end:?}");
}

/// A caller that cancels a call under way has left, and sent nothing that was cut short.
#[tokio::test]
async fn a_caller_may_cancel() {
    let scene = Scene::with(Script::grpc_stream()).start();
    let mut visitor = Visitor::connect(scene.http).await.expect("the edge accepts");
    let stream = visitor.open(&call(&[]), false).await.unwrap();
    visitor.send_body(stream, MESSAGE, false).await.unwrap();
    visitor.until(|heard| matches!(heard, Heard::Data { .. })).await;
    visitor.send(&Frame::rst_stream(stream, Code::CANCEL)).await.unwrap();
    let record = scene.recorded(Blame::no_page("visitor.reply.gone", 200).origin_status(200)).await;
    assert_eq!(record["VerdictEvidence"]["http2_error"]["name"], "CANCEL", "{record:#}");
}

/// An origin that has begun its answer, takes none of the caller's messages for a while, and then does again.
#[tokio::test]
async fn a_service_that_pauses_gets_the_rest() {
    const MESSAGES: usize = 512 << 10;
    let head = Act::head(200, &[("content-type", "application/grpc")]);
    let acts = [head, Act::Pause(Duration::from_millis(700)), Act::ReadBody, Act::trailers(&[("grpc-status", "0")])];
    let script = Script::http2("grpc-pauses", "stops taking messages for a while", Serving::new(acts));
    let scene = Scene::with(script).limit("write_timeout", "200ms").start();
    let mut visitor = Visitor::connect(scene.http).await.expect("the edge accepts");
    let stream = visitor.open(&call(&[]), false).await.unwrap();
    visitor.send_body(stream, &vec![0; MESSAGES], true).await.expect("all is taken in the end");
    let response = visitor.read_response(stream).await;
    assert_eq!((status(&response), response.end), (Some("0"), Ending::Whole), "{response:?}");
}

/// An origin that only listens for longer than it may be silent.
#[tokio::test]
async fn a_service_that_listens_is_not_silent() {
    let head = Act::head(200, &[("content-type", "application/grpc")]);
    let acts = [head, Act::ReadBody, Act::trailers(&[("grpc-status", "0")])];
    let script = Script::http2("grpc-listens", "answers when it has heard all", Serving::new(acts));
    let scene = Scene::with(script).setting("proxy_read_timeout", "1").start();
    let mut visitor = Visitor::connect(scene.http).await.expect("the edge accepts");
    let stream = visitor.open(&call(&[]), false).await.unwrap();
    let mut beat = tokio::time::interval(Duration::from_millis(400));
    for left in (0..5).rev() {
        beat.tick().await;
        visitor.send_body(stream, MESSAGE, left == 0).await.expect("the edge takes it");
    }
    let response = visitor.read_response(stream).await;
    assert_eq!((status(&response), response.end), (Some("0"), Ending::Whole), "{response:?}");
}

#[tokio::test]
async fn a_services_own_status_passes() {
    let scene = Scene::with(Script::grpc_error()).start();
    let response = called(&scene, &[]).await;
    assert_eq!((status(&response), response.field("grpc-message")), (Some("14"), Some("out of service")));
    assert_eq!(response.field("cf-error-type"), None);
    let record = scene.record_where(|record| record["EdgeResponseStatus"] == 200).await;
    assert_eq!((&record["GrpcStatus"], &record["VerdictCode"]), (&json!(14), &json!(null)), "{record:#}");
}

#[tokio::test]
async fn a_caller_learns_whose_fault_it_was() {
    let scene = Scene::with(Script::refuse()).start();
    let response = called(&scene, &[]).await;
    assert_eq!((response.status(), status(&response)), (Some(200), Some("14")), "{response:?}");
    assert_eq!(response.field("content-type"), Some("application/grpc"));
    let message = response.field("grpc-message").unwrap_or_default();
    assert!(message.contains("origin.connect.refused") && !message.contains("127.0.0.1"), "{message}");
    assert!(response.field("proxy-status").is_some_and(|value| value.contains("error=connection_refused")));
    assert!(response.field("cf-ray").is_some() && response.body.is_empty());
    let record = scene.recorded(Blame::no_page("origin.connect.refused", 200)).await;
    assert_eq!(record["GrpcStatus"], 14);
}

/// Over HTTP/1.1 there are no calls: an origin is not asked for HTTP/2, nor hurried, because a visitor says so.
#[tokio::test]
async fn the_name_alone_makes_no_call() {
    let scene = Scene::with(Script::slow_ok(Duration::from_millis(100))).start();
    let response = scene.get("/", "Content-Type: application/grpc\r\ngrpc-timeout: 1m\r\n").await;
    assert_eq!(response.status(), Some(200), "{}", response.text());
}

#[tokio::test]
async fn a_callers_deadline_is_its_own() {
    let scene = Scene::with(Script::http2_stall_before_head()).start();
    let response = called(&scene, &[("grpc-timeout", "300m")]).await;
    assert_eq!(status(&response), Some("4"), "{response:?}");
    let blame = Blame::no_page("origin.wait.deadline_exceeded", 200).evidence(&["timer", "elapsed_ms", "tcp"]);
    let record = scene.recorded(blame).await;
    assert_eq!(record["VerdictEvidence"]["timer"], json!({"setting": "grpc-timeout", "limit_ms": 300}));
    // One that is longer than the zone's patience changes nothing.
    let scene = Scene::with(Script::http2_stall_before_head()).setting("proxy_read_timeout", "1").start();
    let response = called(&scene, &[("grpc-timeout", "1H")]).await;
    assert_eq!(status(&response), Some("14"), "{response:?}");
    scene.recorded(Blame::no_page("origin.wait.timed_out", 200)).await;
}

#[tokio::test]
async fn a_stream_that_breaks_off_ends_in_trailers() {
    let head = Act::head(200, &[("content-type", "application/grpc")]);
    let acts = [Act::ReadBody, head, Act::Pattern(10), Act::reset(Code::INTERNAL_ERROR)];
    let script = Script::http2("grpc-broken", "resets a gRPC call in its messages", Serving::new(acts));
    let scene = Scene::with(script).start();
    let response = called(&scene, &[]).await;
    assert_eq!((response.body.len(), response.end), (10, Ending::Whole), "{response:?}");
    let message = response.trailer("grpc-message").unwrap_or_default();
    assert!(message.contains("origin.receive.http2_reset"), "{response:?}");
    assert!(response.trailer("proxy-status").is_some());
    let record = scene.recorded(Blame::no_page("origin.receive.http2_reset", 200).origin_status(200)).await;
    assert_eq!(Some(record["GrpcStatus"].to_string().as_str()), response.trailer("grpc-status"));
}
