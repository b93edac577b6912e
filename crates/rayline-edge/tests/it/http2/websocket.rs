//! WebSockets over HTTP/2 to origins (RFC 8441): when a stream becomes the tunnel, what passes, and how it ends.

use rayline_testkit::http2::{Act, Code, Ending, Frame, Heard, Serving, Visitor as Http2Visitor, setting};
use rayline_testkit::{Origin, Script, Step};
use serde_json::{Value, json};

use super::origin::{origin, over_tls, speaking};
use crate::by_hand::ByHand;
use crate::scene::{Blame, Scene, Setup};
use crate::serving::websocket::{ACCEPT, asking, connected, granting};

/// Speaks HTTP/2, lets a stream become a tunnel and does this on each; over HTTP/1.1 it grants what is asked for.
fn allowing(acts: impl IntoIterator<Item = Act>) -> Script {
    let serving = Serving::new(acts).setting(setting::ENABLE_CONNECT_PROTOCOL, 1);
    either("http2-tunnels", "allows tunnels over HTTP/2 and HTTP/1.1", serving)
}

fn either(name: &'static str, what: &'static str, serving: Serving) -> Script {
    let granted = [Step::ReadHead, Step::send(granting() + "over one"), Step::Fin];
    Script::new(name, what, [Step::Http2(serving)].into_iter().chain(granted))
}

/// A scene whose origin speaks both, and has been connected over HTTP/2 already.
async fn connected_before(script: Script) -> Scene {
    connected_in(speaking(script, &["h2", "http/1.1"])).await
}

async fn connected_in(setup: Setup) -> Scene {
    let scene = setup.start();
    assert_eq!(scene.get("/first", "").await.status(), Some(200));
    scene
}

/// Asks for a WebSocket with these fields too; the head of the answer, in lower case.
async fn asks(scene: &Scene, more: &str) -> (ByHand, String) {
    let mut visitor = ByHand::connect(scene.http).await;
    visitor.send(asking().replace("\r\n\r\n", &format!("\r\n{more}\r\n"))).await;
    let head = visitor.head().await.to_ascii_lowercase();
    (visitor, head)
}

/// What the origin saw last, as long as it is an extended CONNECT.
#[track_caller]
fn seen(origin: &Origin) -> impl Fn(&str) -> Option<String> {
    let seen = origin.last().expect("a request");
    move |name| seen.head.field(name).map(str::to_owned)
}

/// The record of the WebSocket, of which there is one.
async fn record(scene: &Scene) -> Value {
    scene.record_where(|record| record["ClientRequestURI"] == "/chat").await
}

async fn data(visitor: &mut Http2Visitor) -> Vec<u8> {
    match visitor.until(|heard| matches!(heard, Heard::Data { .. } | Heard::RstStream { .. })).await {
        Heard::Data { bytes, .. } => bytes.to_vec(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn tunnels_and_requests_share_a_connection() {
    let fields = [("sec-websocket-protocol", "chat"), ("sec-websocket-accept", "none")];
    let scene = connected_before(allowing([Act::head(200, &fields), Act::Echo])).await;
    let more = "Sec-WebSocket-Protocol: chat, talk\r\nSec-WebSocket-Extensions: permessage-deflate\r\nCookie: a=1\r\n";
    let (mut one, head) = asks(&scene, more).await;
    assert!(head.starts_with("http/1.1 101 switching protocols\r\n"), "{head}");
    let accept = format!("\r\nsec-websocket-accept: {ACCEPT}\r\n").to_ascii_lowercase();
    assert_eq!(head.matches("sec-websocket-accept").count(), 1, "{head}");
    assert!(head.contains(&accept) && head.contains("\r\nsec-websocket-protocol: chat\r\n"), "{head}");
    assert!(head.contains("\r\nupgrade: websocket\r\nconnection: upgrade\r\n"), "{head}");

    let field = seen(origin(&scene));
    let expected = [
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "https"),
        (":path", "/chat"),
        (":authority", "shop.test"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-protocol", "chat, talk"),
        ("sec-websocket-extensions", "permessage-deflate"),
        ("cookie", "a=1"),
        ("cdn-loop", "rayline; loops=1"),
    ];
    for (name, value) in expected {
        assert_eq!(field(name).as_deref(), Some(value), "{name}");
    }
    for absent in ["sec-websocket-key", "sec-websocket-accept", "upgrade", "connection", "host", "content-length"] {
        assert_eq!(field(absent), None, "{absent}");
    }

    let mut two = Http2Visitor::connect(scene.http).await.expect("the edge accepts");
    let (stream, fields) = connected(&mut two).await;
    let field = |name: &str| fields.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str());
    assert_eq!((field(":status"), field("sec-websocket-protocol")), (Some("200"), Some("chat")), "{fields:?}");
    assert_eq!((field("sec-websocket-accept"), field("upgrade")), (None, None));

    for turn in 0..5 {
        one.send(format!("one {turn};")).await;
        one.until(&format!("one {turn};")).await;
        two.send_body(stream, b"two", false).await.expect("the edge reads");
        assert_eq!(data(&mut two).await, b"two");
        assert_eq!(scene.get("/beside", "").await.status(), Some(200));
    }
    // Both ends say that they have said all.
    two.send_body(stream, b"bye", true).await.expect("the edge reads");
    let rest = two.read_response(stream).await;
    assert_eq!((rest.body.as_slice(), rest.end), (b"bye".as_slice(), Ending::Whole));
    tokio::io::AsyncWriteExt::shutdown(&mut one.stream).await.expect("the edge is there");
    assert_eq!(one.rest().await, b"");

    let counts = origin(&scene).counts();
    assert_eq!((counts.connections, counts.requests, counts.resets), (1, 8, 0), "{counts:?}");
    for (protocol, status) in [("HTTP/1.1", 101), ("HTTP/2", 200)] {
        let wanted =
            |record: &Value| record["ClientRequestURI"] == "/chat" && record["ClientRequestProtocol"] == protocol;
        let record = scene.record_where(wanted).await;
        assert_eq!((&record["EdgeResponseStatus"], &record["OriginResponseStatus"]), (&json!(status), &json!(200)));
        assert_eq!((&record["OriginProtocol"], &record["OriginConnectionReused"]), (&json!("HTTP/2"), &json!(true)));
        assert_eq!((&record["VerdictCode"], &record["VerdictAttempts"]), (&Value::Null, &Value::Null), "{record:#}");
    }
}

/// More than all windows together hold, both ways at once.
#[tokio::test]
async fn windows_open_again() {
    let scene = connected_before(allowing([Act::head(200, &[]), Act::Echo])).await;
    let (mut visitor, _) = asks(&scene, "").await;
    let big = vec![b'x'; 4 << 20];
    let (mut read, mut write) = visitor.stream.split();
    let sending = tokio::io::AsyncWriteExt::write_all(&mut write, &big);
    let reading = async {
        let mut back = vec![0; big.len()];
        tokio::io::AsyncReadExt::read_exact(&mut read, &mut back).await.map(|_| back)
    };
    let (sent, back) = tokio::join!(sending, reading);
    sent.expect("the edge reads");
    assert!(back.expect("all of it") == big);
}

/// It has not said that it allows it, or there is no connection that it could have said it on.
#[tokio::test]
async fn http1_is_for_all_others() {
    let plain = either("http2-no-tunnels", "allows no tunnel over HTTP/2", Serving::new([Act::head(200, &[])]));
    let fresh = allowing([Act::head(200, &[])]);
    for (script, before) in [(plain, true), (fresh, false)] {
        let name = script.name();
        let scene = speaking(script, &["h2", "http/1.1"]).start();
        if before {
            assert_eq!(scene.get("/first", "").await.status(), Some(200), "{name}");
        }
        let (mut visitor, head) = asks(&scene, "").await;
        assert!(head.starts_with("http/1.1 101 "), "{name}: {head}");
        visitor.until("over one").await;
        let seen = origin(&scene).last().expect("a request");
        assert_eq!((seen.stream, seen.head.field("upgrade")), (None, Some("websocket")), "{name}");
        assert_eq!(visitor.rest().await, b"");
        assert_eq!(record(&scene).await["OriginProtocol"], "HTTP/1.1", "{name}");
    }
    // Where the zone allows no HTTP/2, there is none.
    let scene = speaking(allowing([]), &["h2", "http/1.1"]).word("origin_max_http_version", "1").start();
    assert!(asks(&scene, "").await.1.starts_with("http/1.1 101 "));
}

/// It refuses HTTP/1.1 in the handshake, so it is asked over HTTP/2 what it allows.
#[tokio::test]
async fn an_origin_of_http2_alone_is_taken_at_that() {
    let scene = over_tls(allowing([Act::head(200, &[]), Act::Echo])).start();
    let (mut first, head) = asks(&scene, "").await;
    assert!(head.starts_with("http/1.1 101 "), "{head}");
    first.send("hello").await;
    first.until("hello").await;
    // The next one shares the connection at once.
    let (_second, head) = asks(&scene, "").await;
    assert!(head.starts_with("http/1.1 101 "), "{head}");
    let counts = origin(&scene).counts();
    assert_eq!((counts.requests, counts.peak_streams), (2, 2), "{counts:?}");
}

#[tokio::test]
async fn an_origin_of_http2_alone_may_allow_none() {
    let scene = over_tls(Script::http2_ok()).start();
    for turn in 0..2 {
        let (_, head) = asks(&scene, "").await;
        assert!(head.starts_with("http/1.1 525 "), "{head}");
        let blame = Blame::no_page("origin.origin_tls.alert", 525).evidence(&["upgrade", "tls_alert"]);
        let record = scene.recorded(blame).await;
        assert_eq!(
            record["VerdictEvidence"]["upgrade"],
            json!({ "asked": "websocket", "got": "HTTP/2 without extended CONNECT" })
        );
        assert_eq!(record["VerdictEvidence"]["tls_alert"]["name"], "no_application_protocol", "{turn}");
    }
    // What was dialled to find that out serves the others.
    let before = origin(&scene).connections();
    assert_eq!(scene.get("/", "").await.status(), Some(200));
    assert_eq!(origin(&scene).connections(), before);
    assert_eq!(origin(&scene).requests(), 1, "no tunnel was asked for");
}

/// It is not said to allow none before it has said anything.
#[tokio::test]
async fn an_origin_that_closes_instead_is_named_for_that() {
    let scene = over_tls(Script::http2_close_at_once()).start();
    let (_, head) = asks(&scene, "").await;
    assert!(head.starts_with("http/1.1 520 "), "{head}");
    scene.recorded(Blame::no_page("origin.send.reset", 520).evidence(&["http2_connection"])).await;
}

#[tokio::test]
async fn an_origin_may_refuse() {
    let refusal = [Act::head(403, &[("content-length", "2")]), Act::Body("no".into())];
    let refusing = Serving::new(refusal).at_first([Act::head(200, &[])]).setting(setting::ENABLE_CONNECT_PROTOCOL, 1);
    let scene = connected_before(Script::http2("http2-refuses", "refuses tunnels", refusing)).await;
    let (mut one, head) = asks(&scene, "").await;
    assert!(head.starts_with("http/1.1 403 forbidden\r\n") && !head.contains("\r\nupgrade"), "{head}");
    one.until("no").await;
    // It is an answer like any other, and another request may follow.
    one.send(Scene::request("GET", "/next", "")).await;
    assert!(one.head().await.starts_with("HTTP/1.1 403 "));
    let mut two = Http2Visitor::connect(scene.http).await.expect("the edge accepts");
    let (_, fields) = connected(&mut two).await;
    assert!(fields.iter().any(|(name, value)| name == ":status" && value == "403"), "{fields:?}");
    let counts = origin(&scene).counts();
    assert_eq!((counts.connections, counts.resets), (1, 0), "{counts:?}");
    assert_eq!(record(&scene).await["OriginResponseStatus"], 403);
}

#[tokio::test]
async fn an_origin_that_resets_it_is_named() {
    let acts = [Act::head(200, &[]), Act::Body("hello".into()), Act::reset(Code::CONNECT_ERROR)];
    let serving = Serving::new(acts).at_first([Act::head(200, &[])]).setting(setting::ENABLE_CONNECT_PROTOCOL, 1);
    let scene = connected_before(Script::http2("http2-resets", "resets tunnels", serving)).await;
    let (mut one, _) = asks(&scene, "").await;
    one.until("hello").await;
    let mut two = Http2Visitor::connect(scene.http).await.expect("the edge accepts");
    let (stream, _) = connected(&mut two).await;
    let rest = two.read_response(stream).await;
    assert_eq!((rest.body.as_slice(), rest.end), (b"hello".as_slice(), Ending::Reset(Code::INTERNAL_ERROR)));
    for status in [101, 200] {
        let named = |record: &Value| record["VerdictCode"] == "origin.receive.http2_reset";
        let record = scene.record_where(|record| named(record) && record["EdgeResponseStatus"] == status).await;
        assert_eq!(record["VerdictEvidence"]["http2_error"]["name"], "CONNECT_ERROR", "{record:#}");
    }
    assert_eq!(origin(&scene).connections(), 1);
}

/// The stream is cancelled, and the others on the connection go on.
#[tokio::test]
async fn a_visitor_that_leaves_ends_its_own_tunnel_alone() {
    let scene = connected_before(allowing([Act::head(200, &[]), Act::Echo])).await;
    let (mut other, _) = asks(&scene, "").await;
    let mut leaving = Http2Visitor::connect(scene.http).await.expect("the edge accepts");
    let (stream, _) = connected(&mut leaving).await;
    leaving.send(&Frame::rst_stream(stream, Code::CANCEL)).await.expect("the edge reads");
    origin(&scene).until(|counts| counts.resets == 1).await.expect("a reset");
    other.send("still here").await;
    other.until("still here").await;
    let record = scene.record_where(|record| record["VerdictCode"] == "visitor.reply.gone").await;
    assert_eq!((&record["EdgeResponseStatus"], &record["OriginProtocol"]), (&json!(200), &json!("HTTP/2")));
    assert_eq!(origin(&scene).connections(), 1);
}

#[tokio::test]
async fn a_silent_one_is_closed() {
    let echoing = allowing([Act::head(200, &[]), Act::Echo]);
    let setup = speaking(echoing, &["h2", "http/1.1"]).limit("websocket_idle_timeout", "1s");
    let scene = connected_in(setup).await;
    let (visitor, head) = asks(&scene, "").await;
    assert!(head.starts_with("http/1.1 101 "), "{head}");
    assert_eq!(visitor.rest().await, b"");
    origin(&scene).until(|counts| counts.resets == 1).await.expect("a reset");
    let record = record(&scene).await;
    assert_eq!((&record["VerdictCode"], &record["EdgeResponseStatus"]), (&json!("policy.reply.idle"), &json!(101)));
    assert_eq!(scene.get("/after", "").await.status(), Some(200));
    assert_eq!(origin(&scene).connections(), 1);
}

/// What an origin says of tunnels is not held against requests.
#[tokio::test]
async fn an_origin_may_want_it_over_http1() {
    let serving = Serving::new([Act::reset(Code::HTTP_1_1_REQUIRED)]).at_first([Act::head(200, &[])]);
    let serving = serving.setting(setting::ENABLE_CONNECT_PROTOCOL, 1);
    let scene = connected_before(either("http2-wants-http1", "wants tunnels over HTTP/1.1", serving)).await;
    let (mut visitor, head) = asks(&scene, "").await;
    assert!(head.starts_with("http/1.1 101 "), "{head}");
    visitor.until("over one").await;
    assert_eq!(visitor.rest().await, b"");
    let record = record(&scene).await;
    assert_eq!((&record["OriginProtocol"], &record["VerdictCode"]), (&json!("HTTP/1.1"), &Value::Null), "{record:#}");
}
