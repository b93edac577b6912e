//! WebSockets: an upgrade that is asked for, granted or not, and what passes through the tunnel until it ends.

use rayline_testkit::http2::{Code, Frame, Heard, Visitor as Http2Visitor};
use rayline_testkit::{Script, Visitor};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use crate::by_hand::{ByHand, listen};
use crate::scene::{Blame, HOST, Scene, Setup, ruleset};

const BAD: &str = "origin.wait.bad_upgrade";
const UNEXPECTED: &str = "origin.wait.unexpected_upgrade";
const IDLE: &str = "policy.reply.idle";

/// The key and its answer of RFC 6455 §1.3.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
pub(crate) const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

pub(crate) fn asking() -> String {
    format!(
        "GET /chat HTTP/1.1\r\nHost: {HOST}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: {KEY}\r\n\r\n"
    )
}

pub(crate) fn granting() -> String {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {ACCEPT}\r\n\r\n"
    )
}

/// A visitor and an origin with a tunnel between them.
async fn opened(scene: &Scene, listener: &TcpListener) -> (ByHand, ByHand) {
    let mut visitor = ByHand::connect(scene.http).await;
    visitor.send(asking()).await;
    let mut origin = ByHand::accept(listener).await;
    let head = origin.head().await;
    assert!(head.contains("\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"), "{head}");
    assert!(head.contains(&format!("\r\nSec-WebSocket-Key: {KEY}\r\n")) && head.contains("\r\nCF-Ray: "), "{head}");
    // What the origin says first may come with its head.
    origin.send(granting() + "hello").await;
    let head = visitor.head().await.to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 101 switching protocols\r\n"), "{head}");
    assert!(
        head.contains("\r\nupgrade: websocket\r\nconnection: upgrade\r\n") && head.contains("\r\ncf-ray: "),
        "{head}"
    );
    assert!(!head.contains("transfer-encoding") && !head.contains("content-length"), "{head}");
    visitor.until("hello").await;
    (visitor, origin)
}

async fn scene(more: impl FnOnce(Setup) -> Setup) -> (Scene, TcpListener) {
    let (listener, address) = listen().await;
    (more(Scene::before(address)).start(), listener)
}

#[tokio::test]
async fn bytes_pass_both_ways_until_both_sides_have_ended() {
    let (scene, listener) = scene(|setup| setup).await;
    let (mut visitor, mut origin) = opened(&scene, &listener).await;
    for turn in 0..20 {
        visitor.send(format!("ping {turn};")).await;
        origin.until(&format!("ping {turn};")).await;
        origin.send(format!("pong {turn};")).await;
        visitor.until(&format!("pong {turn};")).await;
    }
    // More than any buffer on the way holds, while the other side does not read, and then both at once.
    let big = vec![b'x'; 4 << 20];
    let sending = visitor.stream.write_all(&big);
    let reading = async {
        let mut left = big.len();
        while left > 0 {
            let mut part = vec![0; left.min(64 << 10)];
            left -= tokio::io::AsyncReadExt::read(&mut origin.stream, &mut part).await.unwrap();
        }
    };
    let (sent, ()) = tokio::join!(sending, reading);
    sent.unwrap();
    // One side ends, and the other may still say something.
    visitor.stream.shutdown().await.unwrap();
    assert_eq!(tokio::io::AsyncReadExt::read(&mut origin.stream, &mut [0]).await.unwrap(), 0);
    origin.send("goodbye").await;
    drop(origin);
    assert_eq!(visitor.rest().await, b"goodbye");
    let record = scene.record_where(|record| record["EdgeResponseStatus"] == 101).await;
    assert_eq!(record["VerdictCode"], serde_json::Value::Null, "{record:#}");
    assert_eq!(record["OriginResponseStatus"], 101);
    assert!(record["ClientRequestBytes"].as_u64().is_none_or(|bytes| bytes > 4 << 20), "{record:#}");
}

#[tokio::test]
async fn rules_leave_a_tunnel_alone() {
    let (scene, listener) = scene(|setup| setup.also(&conversation_rules())).await;
    let (mut visitor, mut origin) = opened(&scene, &listener).await;
    visitor.send("up").await;
    origin.until("up").await;
    origin.send("down").await;
    visitor.until("down").await;
}

/// Rules that look at bodies, change fields and compress: a conversation passes all the same.
pub(crate) fn conversation_rules() -> String {
    let body = "expression = 'http.request.body.raw contains \"hello\"'\naction = \"block\"";
    let field = "expression = 'true'\naction = \"rewrite\"\naction_parameters = { headers = { X-A = { operation = \"set\", value = \"1\" } } }";
    let gzip = "expression = 'true'\naction = \"compress_response\"\naction_parameters = { algorithms = [{ name = \"gzip\" }] }";
    [
        ruleset("http_request_firewall_custom", &[body]),
        ruleset("http_request_late_transform", &[field]),
        ruleset("http_response_headers_transform", &[field]),
        ruleset("http_response_compression", &[gzip]),
    ]
    .concat()
}

#[tokio::test]
async fn the_origin_may_end_it() {
    let (scene, listener) = scene(|setup| setup).await;
    let (visitor, origin) = opened(&scene, &listener).await;
    drop(origin);
    assert_eq!(visitor.rest().await, b"");
    let record = scene.record_where(|record| record["EdgeResponseStatus"] == 101).await;
    assert_eq!(record["VerdictCode"], serde_json::Value::Null, "{record:#}");
}

#[tokio::test]
async fn an_origin_may_refuse() {
    let (scene, listener) = scene(|setup| setup).await;
    let mut visitor = ByHand::connect(scene.http).await;
    visitor.send(asking()).await;
    let mut origin = ByHand::accept(&listener).await;
    origin.head().await;
    origin.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno").await;
    let head = visitor.head().await;
    assert!(head.starts_with("HTTP/1.1 403 Forbidden\r\n") && !head.contains("connection: upgrade"), "{head}");
    visitor.until("no").await;
    // It is an answer like any other, and another request may follow on both connections.
    visitor.send(Scene::request("GET", "/next", "")).await;
    assert!(origin.head().await.starts_with("GET /next HTTP/1.1\r\n"));
}

#[tokio::test]
async fn an_answer_to_something_else_is_none() {
    let answers = [
        (BAD, granting().replace(ACCEPT, "AAAAAAAAAAAAAAAAAAAAAAAAAAA=")),
        (BAD, granting().replace("Sec-WebSocket-Accept", "X-Other")),
        (BAD, granting().replace("Upgrade: websocket", "Upgrade: h2c")),
    ];
    for (code, answer) in answers {
        let (scene, listener) = scene(|setup| setup).await;
        let mut visitor = ByHand::connect(scene.http).await;
        visitor.send(asking()).await;
        let mut origin = ByHand::accept(&listener).await;
        origin.head().await;
        origin.send(&answer).await;
        assert!(visitor.head().await.starts_with("HTTP/1.1 520 "), "{answer}");
        let record = scene.recorded(Blame::no_page(code, 520).evidence(&["upgrade", "origin_status"])).await;
        assert_eq!(record["VerdictEvidence"]["upgrade"]["asked"], "websocket");
    }
    // Nor is one that nobody asked for.
    let (scene, listener) = scene(|setup| setup).await;
    let mut visitor = ByHand::connect(scene.http).await;
    visitor.send(Scene::request("GET", "/", "")).await;
    let mut origin = ByHand::accept(&listener).await;
    origin.head().await;
    origin.send(granting()).await;
    assert!(visitor.head().await.starts_with("HTTP/1.1 520 "));
    scene.recorded(Blame::no_page(UNEXPECTED, 520).evidence(&["origin_status"])).await;
}

#[tokio::test]
async fn a_zone_may_not_take_them() {
    let (scene, listener) = scene(|setup| setup.setting("websockets", "off")).await;
    let mut visitor = ByHand::connect(scene.http).await;
    visitor.send(asking()).await;
    let mut origin = ByHand::accept(&listener).await;
    let head = origin.head().await.to_ascii_lowercase();
    assert!(!head.contains("upgrade"), "{head}");
}

#[tokio::test]
async fn a_silent_one_is_closed() {
    let (scene, listener) = scene(|setup| setup.limit("websocket_idle_timeout", "1s")).await;
    let (mut visitor, mut origin) = opened(&scene, &listener).await;
    // Each direction keeps it open: together these take longer than the limit.
    for _ in 0..4 {
        tokio::time::sleep(std::time::Duration::from_millis(400)).await;
        visitor.send("a").await;
        origin.until("a").await;
    }
    assert_eq!(visitor.rest().await, b"");
    let record = scene.record_where(|record| record["VerdictCode"] == IDLE).await;
    assert_eq!((&record["EdgeResponseStatus"], &record["VerdictStatus"]), (&101.into(), &0.into()), "{record:#}");
    assert_eq!(record["VerdictEvidence"]["timer"]["setting"], "websocket_idle_timeout");
    assert_eq!(record["VerdictEvidence"]["upgrade"]["asked"], "websocket");
}

#[tokio::test]
async fn whoever_breaks_it_is_named() {
    let (scene, listener) = scene(|setup| setup).await;
    let (visitor, origin) = opened(&scene, &listener).await;
    origin.stream.set_zero_linger().unwrap();
    drop(origin);
    let mut rest = Vec::new();
    let mut visitor = visitor;
    let _ = tokio::io::AsyncReadExt::read_to_end(&mut visitor.stream, &mut rest).await;
    scene.recorded(Blame::no_page("origin.receive.reset", 101).origin_status(101)).await;

    let (visitor, mut origin) = opened(&scene, &listener).await;
    visitor.stream.set_zero_linger().unwrap();
    drop(visitor);
    // The edge meets it when it has something for the visitor.
    let mut told = false;
    while origin.stream.write_all(b"more").await.is_ok() {
        told = true;
        tokio::task::yield_now().await;
    }
    assert!(told);
    scene.record_where(|record| record["VerdictCode"] == "visitor.reply.gone").await;
}

/// Opens a stream as a tunnel, and returns it with the fields of the answer.
pub(crate) async fn connected(visitor: &mut Http2Visitor) -> (u32, Vec<(String, String)>) {
    connected_with(visitor, ("sec-websocket-version", "13"), false).await
}

/// The same with this field, and with the end of the stream.
async fn connected_with(
    visitor: &mut Http2Visitor,
    field: (&'static str, &'static str),
    ended: bool,
) -> (u32, Vec<(String, String)>) {
    let fields = [
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "http"),
        (":path", "/chat"),
        (":authority", HOST),
        field,
    ];
    let stream = visitor.open(&fields, ended).await.expect("the edge reads");
    let heard = visitor.until(|heard| matches!(heard, Heard::Headers { .. } | Heard::RstStream { .. })).await;
    match heard {
        Heard::Headers { fields, .. } => (stream, fields),
        other => panic!("{other:?}"),
    }
}

/// The origin grants what the edge asks for in the name of an HTTP/2 visitor, with a key of its own.
async fn grants(listener: &TcpListener) -> ByHand {
    let mut origin = ByHand::accept(listener).await;
    let head = origin.head().await;
    assert!(head.starts_with("GET /chat HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"), "{head}");
    let mut keys = head.lines().filter_map(|line| line.strip_prefix("sec-websocket-key: "));
    let key = keys.next().expect("a key");
    assert!(key != KEY && keys.next().is_none(), "{head}");
    origin.send(granting().replace(ACCEPT, &accept_by_openssl(key))).await;
    origin
}

#[tokio::test]
async fn over_http2_a_stream_becomes_the_tunnel() {
    let (scene, listener) = scene(|setup| setup).await;
    let mut visitor = Http2Visitor::connect(scene.http).await.expect("the edge accepts");
    let ((stream, fields), mut origin) = tokio::join!(connected(&mut visitor), grants(&listener));
    let field = |name: &str| fields.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str());
    assert_eq!(field(":status"), Some("200"), "{fields:?}");
    assert_eq!((field("upgrade"), field("connection"), field("sec-websocket-accept")), (None, None, None));
    visitor.send_body(stream, b"over two", false).await.unwrap();
    origin.until("over two").await;
    origin.send("and back").await;
    let data = visitor.until(|heard| matches!(heard, Heard::Data { .. })).await;
    assert!(matches!(&data, Heard::Data { bytes, .. } if &bytes[..] == b"and back"), "{data:?}");
    drop(origin);
    let end =
        visitor.until(|heard| matches!(heard, Heard::Data { end_stream: true, .. } | Heard::RstStream { .. })).await;
    assert!(matches!(end, Heard::Data { .. }), "{end:?}");
    let record = scene.record_where(|record| record["OriginResponseStatus"] == 101).await;
    assert_eq!((&record["EdgeResponseStatus"], &record["ClientRequestProtocol"]), (&200.into(), &"HTTP/2".into()));
    assert_eq!(record["VerdictCode"], serde_json::Value::Null, "{record:#}");
}

/// The `Sec-WebSocket-Accept` for a key, by another library than the edge's.
fn accept_by_openssl(key: &str) -> String {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let text = format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    let command = "openssl dgst -sha1 -binary | openssl base64";
    let mut child =
        Command::new("sh").args(["-c", command]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn over_http2_a_success_without_a_switch_is_none() {
    let scene = Scene::with(Script::ok()).start();
    let mut visitor = Http2Visitor::connect(scene.http).await.expect("the edge accepts");
    let (_, fields) = connected(&mut visitor).await;
    assert!(fields.iter().any(|(name, value)| name == ":status" && value == "520"), "{fields:?}");
    scene.recorded(Blame::no_page(BAD, 520).origin_status(200)).await;
    // Where the zone takes none, and for protocols that nobody here knows.
    let scene = Scene::with(Script::ok()).setting("websockets", "off").start();
    let mut visitor = Http2Visitor::connect(scene.http).await.expect("the edge accepts");
    let (_, fields) = connected(&mut visitor).await;
    assert!(fields.iter().any(|(name, value)| name == ":status" && value == "405"), "{fields:?}");
}

/// As browsers do when a page is closed.
#[tokio::test]
async fn over_http2_a_visitor_may_reset_it() {
    let (scene, listener) = scene(|setup| setup).await;
    let mut visitor = Http2Visitor::connect(scene.http).await.expect("the edge accepts");
    let ((stream, _), origin) = tokio::join!(connected(&mut visitor), grants(&listener));
    visitor.send(&Frame::rst_stream(stream, Code::CANCEL)).await.unwrap();
    assert_eq!(origin.rest().await, b"");
    scene.recorded(Blame::no_page("visitor.reply.gone", 200).origin_status(101)).await;
}

/// One that has no tunnel in it, for it ends or has a length.
#[tokio::test]
async fn over_http2_a_tunnel_has_no_content() {
    let scene = Scene::with(Script::ok()).start();
    for (field, ended) in [(("content-length", "5"), false), (("sec-websocket-version", "13"), true)] {
        let mut visitor = Http2Visitor::connect(scene.http).await.expect("the edge accepts");
        let (_, fields) = connected_with(&mut visitor, field, ended).await;
        assert!(fields.iter().any(|(name, value)| name == ":status" && value == "400"), "{fields:?}");
    }
    assert_eq!(scene.origin.as_ref().unwrap().connections(), 0);
}

/// An origin could answer the visitor's, and would be blamed for it.
#[tokio::test]
async fn over_http2_the_key_is_the_edges() {
    let (scene, listener) = scene(|setup| setup).await;
    let mut visitor = Http2Visitor::connect(scene.http).await.expect("the edge accepts");
    let asking = connected_with(&mut visitor, ("sec-websocket-key", KEY), false);
    let ((_, fields), _origin) = tokio::join!(asking, grants(&listener));
    assert!(fields.iter().any(|(name, value)| name == ":status" && value == "200"), "{fields:?}");
}

/// Two keys, or a body in front of the tunnel: a request like any other, as it is passed on.
#[tokio::test]
async fn one_that_is_not_in_due_form_is_no_upgrade() {
    for more in ["Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", "Content-Length: 5\r\n\r\nhello"] {
        let (scene, listener) = scene(|setup| setup).await;
        let mut visitor = ByHand::connect(scene.http).await;
        visitor.send(asking().trim_end().to_owned() + "\r\n" + more).await;
        let mut origin = ByHand::accept(&listener).await;
        let head = origin.head().await.to_ascii_lowercase();
        assert!(!head.contains("upgrade"), "{head}");
    }
}

#[tokio::test]
async fn over_tls_too() {
    let (listener, address) = listen().await;
    let scene = Scene::before(address).https().start();
    let mut visitor: Visitor = scene.tls_visitor().await;
    visitor.send(asking()).await.unwrap();
    let mut origin = ByHand::accept(&listener).await;
    origin.head().await;
    origin.send(granting() + "hello").await;
    drop(origin);
    let rest = visitor.read_to_end().await;
    assert!(rest.bytes.starts_with(b"HTTP/1.1 101 ") && rest.bytes.ends_with(b"\r\n\r\nhello"), "{rest:?}");
}
