//! HTTP/2 to origins: what is agreed on, how connections are shared, what passes.

use std::time::Duration;

use rayline_testkit::http2::{Act, Code, Serving};
use rayline_testkit::{Answer, Authority, Flaw, Origin, Response, Script, Step, Tls};
use serde_json::Value;

use crate::scene::{HOST, Scene, Setup};

/// A scene whose origin plays this script over TLS, and offers these protocols in the handshake.
pub(super) fn speaking(script: Script, protocols: &[&str]) -> Setup {
    let authority = Authority::new("Test").expect("an authority");
    let issued = authority.issue(Flaw::None, &[HOST]).expect("a certificate");
    Scene::with(script.over_tls(Tls::new(&issued).speaking(protocols))).trusting(&authority)
}

/// The same with HTTP/2 as the only protocol.
pub(super) fn over_tls(script: Script) -> Setup {
    speaking(script, &["h2"])
}

pub(super) fn origin(scene: &Scene) -> &Origin {
    scene.origin.as_ref().expect("an origin")
}

/// So many GETs at once, each from a visitor of its own.
pub(super) async fn many(scene: &Scene, count: usize) -> Vec<Response> {
    let mut visitors = Vec::new();
    for _ in 0..count {
        let mut visitor = scene.visitor().await;
        visitor.send(Scene::request("GET", "/", "")).await.expect("the edge reads");
        visitors.push(visitor);
    }
    let mut responses = Vec::new();
    for mut visitor in visitors {
        responses.push(visitor.read_response("GET").await);
    }
    responses
}

/// The first header field of this name in an origin's sight.
fn seen(origin: &Origin, name: &str) -> Option<String> {
    origin.last().expect("a request").head.field(name).map(str::to_owned)
}

#[tokio::test]
async fn it_is_spoken_where_the_origin_chooses_it() {
    let scene = over_tls(Script::http2_ok()).start();
    let response = scene.get("/a?b=c", "X-Own: 1\r\nCookie: a=1; b=2\r\nConnection: close\r\n").await;
    assert_eq!(response.status(), Some(200), "{}", response.text());
    assert_eq!(response.field("content-type"), Some("text/plain; charset=utf-8"));
    assert!(response.whole);
    let origin = origin(&scene);
    let first = |name| seen(origin, name);
    assert_eq!(first(":authority").as_deref(), Some(HOST));
    assert_eq!(first(":path").as_deref(), Some("/a?b=c"));
    assert_eq!(first(":scheme").as_deref(), Some("https"));
    assert_eq!(first("x-own").as_deref(), Some("1"));
    assert_eq!(first("x-forwarded-for").as_deref(), Some("127.0.0.1"));
    assert_eq!(first("cdn-loop").as_deref(), Some("rayline; loops=1"));
    assert!(first("cf-ray").is_some_and(|ray| ray.ends_with("-TST")));
    for absent in ["connection", "host", "transfer-encoding", "keep-alive"] {
        assert_eq!(first(absent), None, "{absent}");
    }
    let record = scene.record_of(&response).await;
    assert_eq!(record["OriginProtocol"], "HTTP/2", "{record:#}");
    assert_eq!(record["VerdictCode"], Value::Null);
}

#[tokio::test]
async fn http1_is_spoken_where_it_is_chosen_or_asked_for() {
    for (protocols, most) in [(["http/1.1"].as_slice(), "2"), (&["h2", "http/1.1"], "1")] {
        let scene = speaking(Script::http2_or_http1(), protocols).word("origin_max_http_version", most).start();
        for response in many(&scene, 5).await {
            assert_eq!(response.status(), Some(200));
            let record = scene.record_of(&response).await;
            assert_eq!(record["OriginProtocol"], "HTTP/1.1", "{protocols:?} {most}");
        }
        let seen = origin(&scene).last().and_then(|seen| seen.tls).and_then(|tls| tls.protocol);
        assert_eq!(seen.as_deref(), Some("http/1.1"));
    }
    // An origin that knows nothing of ALPN.
    let authority = Authority::new("Test").expect("an authority");
    let issued = authority.issue(Flaw::None, &[HOST]).expect("a certificate");
    let scene = Scene::with(Script::ok().over_tls(Tls::new(&issued))).trusting(&authority).start();
    assert_eq!(scene.get("/", "").await.status(), Some(200));
}

#[tokio::test]
async fn fifty_visitors_share_one_connection() {
    let scene = over_tls(Script::http2_slow_ok(Duration::from_millis(100))).start();
    for response in many(&scene, 50).await {
        assert_eq!(response.status(), Some(200));
    }
    let counts = origin(&scene).counts();
    assert_eq!((counts.connections, counts.requests), (1, 50));
    assert!(counts.peak_streams > 25, "{counts:?}");
    assert_eq!(scene.get("/", "").await.status(), Some(200));
    scene.record_where(|record| record["OriginConnectionReused"] == true).await;
    assert_eq!(origin(&scene).connections(), 1);
}

#[tokio::test]
async fn the_zone_says_how_many_share_one() {
    let scene =
        over_tls(Script::http2_slow_ok(Duration::from_millis(300))).setting("origin_h2_max_streams", "4").start();
    for response in many(&scene, 12).await {
        assert_eq!(response.status(), Some(200));
    }
    let counts = origin(&scene).counts();
    assert!(counts.peak_streams <= 4 && counts.connections >= 3, "{counts:?}");
}

#[tokio::test]
async fn the_origin_may_allow_fewer() {
    let scene = over_tls(Script::http2_capped(4)).start();
    for response in many(&scene, 20).await {
        assert_eq!(response.status(), Some(200));
        assert_eq!(scene.record_of(&response).await["VerdictAttempts"], Value::Null, "none was refused");
    }
    let counts = origin(&scene).counts();
    assert!(counts.peak_streams <= 4, "{counts:?}");
}

#[tokio::test]
async fn a_body_goes_up_and_comes_back() {
    let scene = over_tls(Script::http2_echo()).start();
    let body: Vec<u8> = (0..600_000_u32).map(|at| u8::try_from(at % 251).expect("a byte")).collect();
    for chunked in [false, true] {
        let framing = match chunked {
            true => "Transfer-Encoding: chunked\r\n".to_owned(),
            false => format!("Content-Length: {}\r\n", body.len()),
        };
        let mut bytes = Scene::request("POST", "/", &framing).into_bytes();
        for part in body.chunks(if chunked { 70_000 } else { body.len() }) {
            if chunked {
                bytes.extend(format!("{:x}\r\n", part.len()).bytes());
            }
            bytes.extend(part);
            bytes.extend(chunked.then_some(b"\r\n").into_iter().flatten());
        }
        bytes.extend(chunked.then_some(b"0\r\n\r\n").into_iter().flatten());
        let mut visitor = scene.visitor().await;
        visitor.send(bytes).await.expect("the edge reads");
        let response = visitor.read_response("POST").await;
        assert_eq!(response.status(), Some(200));
        assert!(response.body == body && response.whole, "{} bytes", response.body.len());
    }
}

#[tokio::test]
async fn trailers_pass() {
    let scene = over_tls(Script::http2_trailers()).start();
    let response = scene.get("/", "TE: trailers\r\nConnection: TE\r\n").await;
    assert_eq!((response.text().as_str(), response.trailers.field("x-checksum")), ("hello\n", Some("5d41402a")));
    assert_eq!(seen(origin(&scene), "te").as_deref(), Some("trailers"));
}

#[tokio::test]
async fn interim_responses_pass() {
    let scene = over_tls(Script::http2_interim_then_ok()).start();
    let response = scene.get("/", "").await;
    assert_eq!(response.status(), Some(200));
    assert_eq!(response.interim.len(), 1);
    assert_eq!(response.interim[0].field("link"), Some("</style.css>; rel=preload"));
}

#[tokio::test]
async fn heads_without_a_body_stay_without_one() {
    let scene = over_tls(Script::http2_ok_length(100_000)).start();
    let mut visitor = scene.visitor().await;
    visitor.send(Scene::request("HEAD", "/", "")).await.expect("the edge reads");
    let response = visitor.read_response("HEAD").await;
    assert_eq!((response.status(), response.field("content-length")), (Some(200), Some("100000")));
    assert!(response.body.is_empty());

    let only = |status| Script::http2("http2-only", "answers with a head", Serving::new([Act::only_head(status, &[])]));
    for (status, length) in [(204, None), (304, None), (200, Some("0"))] {
        let response = over_tls(only(status)).start().get("/", "").await;
        assert_eq!((response.status(), response.field("content-length")), (Some(status), length), "{status}");
        assert!(response.whole);
    }
}

#[tokio::test]
async fn what_nobody_defined_and_padding_are_ignored() {
    for script in [Script::http2_unknown(), Script::http2_padded()] {
        let name = script.name();
        let scene = over_tls(script).start();
        for _ in 0..3 {
            assert_eq!(scene.get("/", "").await.status(), Some(200), "{name}");
        }
        assert_eq!(origin(&scene).connections(), 1, "{name}");
    }
}

#[tokio::test]
async fn a_slow_visitor_holds_the_origin_back() {
    const LENGTH: u64 = 64 << 20;
    let scene = over_tls(Script::http2_ok_length(LENGTH)).start();
    let mut slow = scene.visitor().await;
    slow.send(Scene::request("GET", "/", "")).await.expect("the edge reads");
    // Others on the same connection are served to the end meanwhile.
    let other = scene.get("/", "").await;
    assert_eq!((other.status(), other.body.len() as u64), (Some(200), LENGTH));
    let response = slow.read_response("GET").await;
    assert_eq!((response.whole, response.body.len() as u64), (true, LENGTH));
    assert_eq!(origin(&scene).connections(), 1);
}

/// The stream is reset, and the connection stays.
#[tokio::test]
async fn a_visitor_that_leaves_ends_its_own_request_alone() {
    let scene = over_tls(Script::http2_stall_in_body(100)).start();
    let mut leaving = scene.visitor().await;
    leaving.send(Scene::request("GET", "/leaving", "")).await.expect("the edge reads");
    let mut other = scene.visitor().await;
    other.send(Scene::request("GET", "/other", "")).await.expect("the edge reads");
    let origin = origin(&scene);
    origin.until(|counts| counts.requests == 2).await.expect("both requests");
    drop(leaving);
    origin.until(|counts| counts.resets == 1).await.expect("a reset");
    assert_eq!((origin.connections(), origin.counts().open), (1, 1));
    let record = scene.record_where(|record| record["ClientRequestURI"] == "/leaving").await;
    assert_eq!(record["VerdictCode"], "visitor.reply.gone");
}

/// Each connection takes three requests, and says so in good time.
#[tokio::test]
async fn a_graceful_goaway_under_load_loses_no_request() {
    let scene = over_tls(Script::http2_retiring(3)).start();
    for _ in 0..4 {
        for response in many(&scene, 10).await {
            assert_eq!(response.status(), Some(200), "{}", response.text());
        }
    }
    assert!(origin(&scene).connections() >= 14, "{:?}", origin(&scene).counts());
}

/// The origin said that it did nothing with it, so the method does not matter.
#[tokio::test]
async fn what_was_not_processed_is_sent_again() {
    for (script, code) in [
        (Script::http2_goaway_once(), "origin.wait.http2_goaway"),
        (Script::http2_refused_once(), "origin.wait.http2_refused_stream"),
    ] {
        let scene = over_tls(script).start();
        let mut visitor = scene.visitor().await;
        // What has been sent of the body is sent again too, and its trailers.
        let request = Scene::request("POST", "/", "Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n");
        let chunk = format!("7530\r\n{}\r\n", "x".repeat(30_000));
        visitor.send(format!("{request}{chunk}{chunk}0\r\nX-Sum: 1\r\n\r\n")).await.expect("the edge reads");
        let response = visitor.read_response("POST").await;
        assert_eq!(response.status(), Some(200), "{code}: {}", response.text());
        assert!(response.text().contains("60000"), "{}", response.text());
        assert_eq!(origin(&scene).connections(), 2, "{code}");
        assert_eq!(scene.record_of(&response).await["VerdictCode"], Value::Null);
    }
}

/// The key remembers it.
#[tokio::test]
async fn an_origin_that_requires_http1_gets_it() {
    let serving = Serving::new([Act::reset(Code::HTTP_1_1_REQUIRED)]);
    let steps = [Step::Http2(serving), Step::Answer(Answer::ok())];
    let script = Script::new("http2-requires-http1", "asks for HTTP/1.1 over HTTP/2", steps);
    let scene = speaking(script, &["h2", "http/1.1"]).start();
    for connections in [2, 2] {
        let response = scene.get("/", "").await;
        assert_eq!(response.status(), Some(200), "{}", response.text());
        assert_eq!(scene.record_of(&response).await["OriginProtocol"], "HTTP/1.1");
        assert!(origin(&scene).connections() >= connections);
    }
    let spoken: Vec<_> = origin(&scene).seen().iter().map(|seen| seen.stream.is_some()).collect();
    assert_eq!(spoken, [true, false, false], "asked over HTTP/2 once");
}

/// It is counted as idle only while it has no request, and closed when it has been idle for too long.
#[tokio::test]
async fn an_idle_connection_is_counted_and_closed() {
    let scene = over_tls(Script::http2_ok()).limit("idle_timeout", "1s").start();
    assert_eq!(scene.get("/", "").await.status(), Some(200));
    let idle = || scene.edge.counts().idle_origin_connections.load(std::sync::atomic::Ordering::Relaxed);
    assert_eq!(idle(), 1);
    origin(&scene).until(|counts| counts.open == 0).await.expect("the edge closes it");
    assert_eq!(idle(), 0);
    assert_eq!(scene.get("/", "").await.status(), Some(200));
    assert_eq!(origin(&scene).connections(), 2);
}
