//! Good requests over HTTP/2, whatever the client: what comes through to the origin, and back.

use std::process::{Command, Output, Stdio};
use std::time::Duration;

use rayline_testkit::http2::{Code, Ending, Frame, Heard, Visitor, setting};
use rayline_testkit::{Answer, End, Script, TlsVisitor};
use serde_json::json;

use crate::by_hand::{ByHand, listen};
use crate::scene::{HOST, Scene};

/// A visitor on the scene's plain listener, with prior knowledge.
pub(super) async fn visitor(scene: &Scene) -> Visitor {
    Visitor::connect(scene.http).await.expect("the edge accepts")
}

/// The fields of a request for the scene's host.
pub(super) fn fields<'a>(method: &'a str, path: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let usual = [(":method", method), (":scheme", "http"), (":authority", HOST), (":path", path)];
    [&usual, more].concat()
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
    assert_eq!((&record["EdgeResponseStatus"], &record["VerdictCode"]), (&json!(200), &json!(null)));
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
async fn nghttp_takes_many_at_once() {
    let scene = Scene::with(Script::ok_length(300_000)).start();
    let url = format!("http://{}/big", scene.http);
    let host = format!(":authority: {HOST}");
    let arguments = ["-n", "-s", "-m", "20", "-H", &host, &url];
    let Some(output) = run("nghttp", &arguments).await else { return };
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text} {}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(text.lines().filter(|line| line.contains(" 200 ") && line.ends_with("/big")).count(), 20, "{text}");
}

#[tokio::test]
async fn prior_knowledge_on_a_plain_listener() {
    let scene = Scene::with(Script::ok()).start();
    let mut visitor = visitor(&scene).await;
    let response = visitor.request("GET", "/hello", HOST).await.expect("an answer");
    assert_eq!((response.status(), response.end), (Some(200), Ending::Whole));
    assert!(response.text().starts_with("GET /hello HTTP/1.1\r\n"), "{}", response.text());
    let record = scene.record_where(|record| record["ClientRequestURI"] == "/hello").await;
    assert_eq!(record["ClientRequestProtocol"], "HTTP/2");
    assert_eq!((&record["ClientRequestHost"], &record["VerdictCode"]), (&json!(HOST), &json!(null)));
    let body = response.body.len() as u64;
    assert_eq!(record["EdgeResponseBodyBytes"], body, "{record:#}");
    assert!(record["EdgeResponseBytes"].as_u64().is_some_and(|bytes| bytes > body + 18), "{record:#}");
    let trace = visitor.request("GET", "/cdn-cgi/trace", HOST).await.expect("an answer");
    assert!(trace.text().contains("http=http/2\n"), "{}", trace.text());
    // The preface may come in pieces, and what begins like it may be something else.
    let mut pieces = ByHand::connect(scene.http).await;
    for piece in [&b"P"[..], b"RI * HTTP/2.0\r\n\r\nSM", b"\r\n\r\n", &Frame::settings(&[]).encode()] {
        pieces.send(piece).await;
        tokio::task::yield_now().await;
    }
    let head = pieces.until("\0\0\0\u{4}").await;
    assert!(!head.starts_with("HTTP"), "{head:?}");
    let mut other = ByHand::connect(scene.http).await;
    other.send(format!("PRI / HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n")).await;
    assert!(other.head().await.starts_with("HTTP/1.1 200 OK\r\n"));
}

#[tokio::test]
async fn over_tls_it_takes_alpn() {
    let scene = Scene::with(Script::ok()).https().start();
    let mut wire = scene.tls_visitor().await;
    wire.send(rayline_testkit::http2::PREFACE).await.expect("the edge reads");
    let response = wire.read_response("GET").await;
    assert_eq!(response.status(), Some(505), "RFC 9113 section 3.2: no preface without `h2`");
    // And who agreed on `h2` must speak it.
    let tls = TlsVisitor::new(HOST).offering(&["h2", "http/1.1"]);
    let mut wire = rayline_testkit::Visitor::connect_tls(scene.https.unwrap(), &tls).await.expect("a handshake");
    wire.send(Scene::request("GET", "/", "")).await.expect("the edge reads");
    let record = scene.record_where(|record| record["VerdictCode"] == "visitor.request.http2_protocol_error").await;
    assert_eq!(record["ClientRequestProtocol"], "HTTP/2");
    let violation = &record["VerdictEvidence"]["violation"];
    assert!(violation["bytes"].as_str().unwrap().starts_with("GET / HTTP/1.1"), "{violation:#}");
}

#[tokio::test]
async fn a_head_becomes_one_of_http1() {
    let scene = Scene::with(Script::ok()).start();
    let mut visitor = visitor(&scene).await;
    let more = [("cookie", "a=1"), ("x-one", "1"), ("cookie", "b=2"), ("te", "trailers"), ("x-one", "2")];
    let stream = visitor.open(&fields("GET", "/?q={|}", &more), true).await.unwrap();
    let text = visitor.read_response(stream).await.text();
    assert!(text.starts_with(&format!("GET /?q={{|}} HTTP/1.1\r\nHost: {HOST}\r\n")), "{text}");
    for line in ["cookie: a=1; b=2\r\n", "x-one: 1\r\nx-one: 2\r\n", "TE: trailers\r\nConnection: TE\r\n"] {
        assert!(text.contains(line), "no {line:?} in {text}");
    }
    assert_eq!(text.to_ascii_lowercase().matches("\r\nhost: ").count(), 1, "{text}");
    assert!(!text.contains("Transfer-Encoding") && !text.contains("Content-Length"), "{text}");
    // `Host` beside `:authority` is fine as long as both say the same, and enough alone.
    let stream = visitor.open(&fields("OPTIONS", "*", &[("host", "SHOP.test")]), true).await.unwrap();
    assert!(visitor.read_response(stream).await.text().starts_with("OPTIONS * HTTP/1.1\r\n"));
    let alone = [(":method", "GET"), (":scheme", "http"), (":path", "/"), ("host", HOST)];
    let stream = visitor.open(&alone, true).await.unwrap();
    assert_eq!(visitor.read_response(stream).await.status(), Some(200));
}

#[tokio::test]
async fn bodies_with_and_without_a_length() {
    let scene = Scene::with(Script::echo_body()).start();
    let mut visitor = visitor(&scene).await;
    let body = "0123456789".repeat(30_000);
    let length = body.len().to_string();
    for more in [&[][..], &[("content-length", length.as_str())]] {
        let stream = visitor.open(&fields("POST", "/echo", more), false).await.unwrap();
        visitor.send_body(stream, body.as_bytes(), true).await.expect("windows");
        let response = visitor.read_response(stream).await;
        assert_eq!((response.status(), response.end), (Some(200), Ending::Whole));
        assert!(response.text() == body, "{} bytes", response.body.len());
    }
    let records = [scene.record_where(|record| record["ClientRequestBodyBytes"] == body.len()).await];
    assert!(records.iter().all(|record| record["VerdictCode"].is_null()), "{records:#?}");
    // An empty one, told by an empty frame.
    let stream = visitor.open(&fields("POST", "/echo", &[]), false).await.unwrap();
    visitor.send(&Frame::data(stream, "", true)).await.unwrap();
    let response = visitor.read_response(stream).await;
    assert_eq!((response.status(), response.body.len()), (Some(200), 0));
}

#[tokio::test]
async fn a_head_alone() {
    let scene = Scene::with(Script::ok_length(1000)).start();
    let mut visitor = visitor(&scene).await;
    let response = visitor.request("HEAD", "/", HOST).await.unwrap();
    assert_eq!((response.status(), response.end, response.body.len()), (Some(200), Ending::Whole, 0));
    assert_eq!(response.field("content-length"), Some("1000"));
    for field in ["connection", "transfer-encoding", "keep-alive"] {
        assert_eq!(response.field(field), None);
    }
    let empty = Script::answer("empty", "says nothing", Answer::status(404).field("Content-Length", "0"));
    for (script, status) in [(Script::no_content(), 204), (empty, 404)] {
        let scene = Scene::with(script).start();
        let mut visitor = self::visitor(&scene).await;
        let response = visitor.request("GET", "/", HOST).await.unwrap();
        assert_eq!((response.status(), response.end, response.body.len()), (Some(status), Ending::Whole, 0));
        assert!(response.field("date").is_some() && response.field("cf-ray").is_some(), "{response:?}");
    }
}

#[tokio::test]
async fn trailers_both_ways() {
    let (listener, address) = listen().await;
    let scene = Scene::before(address).start();
    let mut visitor = visitor(&scene).await;
    let stream = visitor.open(&fields("POST", "/", &[("te", "trailers")]), false).await.unwrap();
    visitor.send(&Frame::data(stream, "hello", false)).await.unwrap();
    let trailers = [("x-sum", "5"), ("cf-connecting-ip", "1.2.3.4")];
    visitor.send(&Frame::headers(stream, trailers, true)).await.unwrap();
    let mut origin = ByHand::accept(&listener).await;
    let head = origin.head().await;
    assert!(head.contains("\r\nTransfer-Encoding: chunked\r\n") && head.contains("\r\nTE: trailers\r\n"), "{head}");
    let body = origin.until("\r\n\r\n").await;
    assert_eq!(body, "5\r\nhello\r\n0\r\nx-sum: 5\r\n\r\n", "and none that only an edge may send");
    origin.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\n").await;
    origin.send("X-Sum: 2\r\nServer: else\r\n\r\n").await;
    let response = visitor.read_response(stream).await;
    assert_eq!((response.text().as_str(), response.end), ("ok", Ending::Whole));
    assert_eq!(response.trailers, [("x-sum".to_owned(), "2".to_owned())]);
}

#[tokio::test]
async fn trailers_behind_a_length_cannot_become_bytes_of_a_body() {
    let scene = Scene::with(Script::echo_body()).start();
    let mut visitor = visitor(&scene).await;
    for _ in 0..2 {
        let stream = visitor.open(&fields("POST", "/", &[("content-length", "5")]), false).await.unwrap();
        visitor.send(&Frame::data(stream, "hello", false)).await.unwrap();
        visitor.send(&Frame::headers(stream, [("x-sum", "5")], true)).await.unwrap();
        let response = visitor.read_response(stream).await;
        assert_eq!((response.status(), response.text().as_str()), (Some(200), "hello"));
    }
}

#[tokio::test]
async fn interim_responses_pass() {
    let (listener, address) = listen().await;
    let scene = Scene::before(address).start();
    let mut visitor = visitor(&scene).await;
    let more = [("expect", "100-continue"), ("content-length", "5")];
    let stream = visitor.open(&fields("POST", "/", &more), false).await.unwrap();
    let mut origin = ByHand::accept(&listener).await;
    assert!(origin.head().await.contains("\r\nexpect: 100-continue\r\n"));
    origin.send("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nConnection: x\r\nX: y\r\n\r\n").await;
    origin.send("HTTP/1.1 100 Continue\r\n\r\n").await;
    let interim = |heard: &Heard| matches!(heard, Heard::Headers { end_stream: false, .. });
    let Heard::Headers { fields: hints, .. } = visitor.until(interim).await else { panic!("no hints") };
    assert_eq!(hints, [(":status", "103"), ("link", "</a.css>")].map(|(name, value)| (name.into(), value.into())));
    let Heard::Headers { fields: invited, .. } = visitor.until(interim).await else { panic!("no invitation") };
    assert_eq!(invited, [(":status".to_owned(), "100".to_owned())]);
    visitor.send(&Frame::data(stream, "hello", true)).await.unwrap();
    origin.until("hello").await;
    origin.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let response = visitor.read_response(stream).await;
    assert_eq!((response.status(), response.text().as_str()), (Some(200), "ok"));
}

#[tokio::test]
async fn many_at_once_on_one_connection() {
    let scene = Scene::with(Script::ok_chunked(70_000)).start();
    let mut visitor = visitor(&scene).await;
    let mut streams = Vec::new();
    for number in 0..100 {
        let path = format!("/{number}");
        streams.push(visitor.open(&fields("GET", &path, &[]), true).await.unwrap());
    }
    for stream in streams {
        let response = visitor.read_response(stream).await;
        assert_eq!((response.status(), response.end), (Some(200), Ending::Whole));
        assert_eq!(response.body.len(), 70_000);
    }
    // Each record closes when its answer's last frame is out: which one is the last is nobody's promise.
    for number in 0..100 {
        let record = scene.record_where(|record| record["ClientRequestURI"] == format!("/{number}")).await;
        assert_eq!(record["VerdictCode"], json!(null), "{record}");
    }
}

#[tokio::test]
async fn a_visitor_with_no_window_holds_nothing_but_its_own_stream() {
    let scene = Scene::with(Script::ok_length(4 << 20)).start();
    let mut visitor = Visitor::from(scene.visitor().await).without_windows();
    visitor.greet(&[(setting::INITIAL_WINDOW_SIZE, 0)]).await.unwrap();
    let held = visitor.open(&fields("GET", "/held", &[]), true).await.unwrap();
    let head = visitor.until(|heard| matches!(heard, Heard::Headers { .. })).await;
    assert_eq!(head.stream(), Some(held));
    // Others go on, as far as they have a window of their own.
    let free = visitor.open(&fields("HEAD", "/free", &[]), true).await.unwrap();
    assert_eq!(visitor.read_response(free).await.status(), Some(200));
    visitor.send(&Frame::window_update(held, 10)).await.unwrap();
    let data = visitor.until(|heard| matches!(heard, Heard::Data { .. })).await;
    assert!(matches!(&data, Heard::Data { stream, bytes, .. } if *stream == held && bytes.len() == 10), "{data:?}");
    visitor.send(&Frame::rst_stream(held, Code::CANCEL)).await.unwrap();
    let record = scene.record_where(|record| record["ClientRequestURI"] == "/held").await;
    assert_eq!((&record["VerdictCode"], &record["EdgeResponseBodyBytes"]), (&json!("visitor.reply.gone"), &json!(10)));
}

#[tokio::test]
async fn an_upload_waits_for_its_origin() {
    let (listener, address) = listen().await;
    let scene = Scene::before(address).start();
    let mut visitor = visitor(&scene).await.patience(Duration::from_millis(700));
    let stream = visitor.open(&fields("POST", "/", &[]), false).await.unwrap();
    // An origin that does not read: the kernel's buffers fill, and then no window is given any more.
    let body = vec![b'x'; 64 << 20];
    let error = visitor.send_body(stream, &body, true).await.expect_err("no window for all of it");
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
    let mut origin = ByHand::accept(&listener).await;
    origin.head().await;
    visitor.send(&Frame::rst_stream(stream, Code::CANCEL)).await.unwrap();
    let record = scene.record_where(|record| record["ClientRequestMethod"] == "POST").await;
    assert_eq!(record["VerdictCode"], "visitor.reply.gone", "{record:#}");
    // The connection is none the worse for it.
    assert_eq!(visitor.until(|_| false).await, Heard::Closed(End::Silent), "as it was told above");
    let next = visitor.open(&fields("GET", "/cdn-cgi/trace", &[]), true).await.unwrap();
    let response = visitor.read_response(next).await;
    assert_eq!((response.status(), response.end), (Some(200), Ending::Whole));
}

#[tokio::test]
async fn an_early_answer_ends_the_upload() {
    for script in [Script::early_answer_then_hold(), Script::early_answer_then_close()] {
        let scene = Scene::with(script).start();
        let mut visitor = visitor(&scene).await;
        let stream = visitor.open(&fields("POST", "/", &[("content-length", "1000000")]), false).await.unwrap();
        visitor.send(&Frame::data(stream, vec![b'x'; 1000], false)).await.unwrap();
        let response = visitor.read_response(stream).await;
        assert_eq!((response.status(), response.end), (Some(413), Ending::Whole));
        let reset = visitor.until(|heard| matches!(heard, Heard::RstStream { .. })).await;
        assert_eq!(reset, Heard::RstStream { stream, code: Code::NO_ERROR }, "RFC 9113 section 8.1");
    }
}

#[tokio::test]
async fn the_whole_answer_of_a_page_of_ours() {
    let scene = Scene::with(Script::refuse()).start();
    let mut visitor = visitor(&scene).await;
    for (accept, kind) in [("text/html", "text/html"), ("application/json", "application/json")] {
        let stream = visitor.open(&fields("GET", "/", &[("accept", accept)]), true).await.unwrap();
        let response = visitor.read_response(stream).await;
        assert_eq!((response.status(), response.end), (Some(521), Ending::Whole));
        assert!(response.field("content-type").unwrap().starts_with(kind), "{response:?}");
        assert_eq!(response.field("content-length"), Some(response.body.len().to_string().as_str()));
        assert_eq!((response.field("cf-error-type"), response.field("server")), (Some("521"), Some("rayline")));
        let ray = response.field("cf-ray").unwrap().split('-').next().unwrap();
        assert!(response.text().contains(ray) && response.text().contains("origin.connect.refused"));
        let record = scene.record_where(|record| record["RayID"] == ray).await;
        assert_eq!(record["VerdictCode"], "origin.connect.refused");
    }
}

#[tokio::test]
async fn a_drain_says_goaway_and_lets_streams_finish() {
    let (listener, address) = listen().await;
    let scene = std::sync::Arc::new(Scene::before(address).https().start());
    let mut idle = visitor(&scene).await;
    idle.until(|heard| matches!(heard, Heard::SettingsAck)).await;
    let mut busy = visitor(&scene).await;
    let stream = busy.open(&fields("GET", "/slow", &[]), true).await.unwrap();
    let mut origin = ByHand::accept(&listener).await;
    origin.head().await;
    let stopping = std::thread::spawn({
        let scene = std::sync::Arc::clone(&scene);
        move || scene.edge.stop(Duration::from_secs(30))
    });
    let goaway = |heard: &Heard| matches!(heard, Heard::GoAway { .. });
    let Heard::GoAway { code, last, .. } = idle.until(goaway).await else { panic!("no GOAWAY") };
    assert_eq!((code, last), (Code::NO_ERROR, 0));
    assert_eq!(idle.until(|_| false).await, Heard::Closed(End::Closed));
    let Heard::GoAway { code, .. } = busy.until(goaway).await else { panic!("no GOAWAY") };
    assert_eq!(code, Code::NO_ERROR);
    origin.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let response = busy.read_response(stream).await;
    assert_eq!((response.text().as_str(), response.end), ("ok", Ending::Whole));
    assert_eq!(busy.until(|_| false).await, Heard::Closed(End::Closed));
    stopping.join().expect("no panic");
}

#[tokio::test]
async fn after_the_drain_time_the_rest_is_cut() {
    let (listener, address) = listen().await;
    let scene = std::sync::Arc::new(Scene::before(address).start());
    let mut visitor = visitor(&scene).await;
    for path in ["/one", "/two"] {
        visitor.open(&fields("GET", path, &[]), true).await.unwrap();
        ByHand::accept(&listener).await.head().await;
    }
    let stopping = std::thread::spawn({
        let scene = std::sync::Arc::clone(&scene);
        move || scene.edge.stop(Duration::from_millis(300))
    });
    stopping.join().expect("no panic");
    for path in ["/one", "/two"] {
        let record = scene.record_where(|record| record["ClientRequestURI"] == path).await;
        assert!(record["VerdictCode"] != json!(null), "{record:#}");
    }
}

#[tokio::test]
async fn an_idle_connection_ends_in_good_order() {
    let scene = Scene::with(Script::ok()).server("keepalive_timeout", "\"1s\"").start();
    let mut visitor = visitor(&scene).await;
    assert_eq!(visitor.request("GET", "/", HOST).await.unwrap().status(), Some(200));
    let end = visitor.until(|heard| matches!(heard, Heard::GoAway { .. })).await;
    assert!(matches!(end, Heard::GoAway { code: Code::NO_ERROR, last: 1, .. }), "{end:?}");
    assert_eq!(visitor.until(|_| false).await, Heard::Closed(End::Closed));
    scene.record_where(|record| record["VerdictCode"].is_null()).await;
    assert_eq!(scene.records().len(), 1, "what is idle is no request");
}

#[tokio::test]
async fn a_certificate_for_several_names_shares_a_connection_with_those_only() {
    let other = "[[zone]]\nname = \"other.test\"\n[[zone.dns_records]]\ntype = \"A\"\nname = \"@\"\n\
                 content = \"127.0.0.1\"\nproxied = true\n";
    let scene = Scene::with(Script::ok()).https().also(other).start();
    let mut visitor = Visitor::connect_tls(scene.https.unwrap(), &TlsVisitor::new(HOST)).await.expect("a handshake");
    assert_eq!(visitor.request("GET", "/", HOST).await.unwrap().status(), Some(200));
    let misdirected = visitor.request("GET", "/", "other.test").await.unwrap();
    assert_eq!((misdirected.status(), misdirected.field("cf-error-type")), (Some(421), Some("1013")));
    assert!(misdirected.text().contains("visitor.route.sni_mismatch"), "{}", misdirected.text());
    assert_eq!(visitor.request("GET", "/", HOST).await.unwrap().status(), Some(200), "the connection goes on");
}

#[tokio::test]
async fn small_answers_end_with_their_only_frame() {
    let scene = Scene::with(Script::answer("hello", "says hello", Answer::ok().text("hello"))).start();
    let mut visitor = visitor(&scene).await;
    let stream = visitor.open(&fields("GET", "/", &[]), true).await.unwrap();
    let data = visitor.until(|heard| matches!(heard, Heard::Data { .. })).await;
    let expected = Heard::Data { stream, bytes: "hello".into(), end_stream: true, flow: 5 };
    assert_eq!(data, expected);
}
