//! Rules over HTTP/2: bodies that are read for them, challenges, and a rollout that keeps its visitors.

use rayline_edge::{Share, Spread};
use rayline_testkit::http2::{Ending, Frame};
use rayline_testkit::{Answer, Script};

use super::serving::{fields, visitor};
use crate::by_hand::{ByHand, listen};
use crate::faults::guards::solved;
use crate::rules::answering;
use crate::scene::{HOST, Scene, ruleset};

const BLOCK: &str = "expression = 'http.request.body.raw contains \"bad\"'\naction = \"block\"";
const CUSTOM: &str = "http_request_firewall_custom";

#[tokio::test]
async fn bodies_are_read_before_the_origin_is_asked() {
    let scene = Scene::with(answering(Answer::ok().text("hello"))).also(&ruleset(CUSTOM, &[BLOCK])).start();
    let mut visitor = visitor(&scene).await;
    let no_end = |data: &[&'static str]| data.iter().map(|data| (*data, false)).collect::<Vec<_>>();
    let with_end = |data: &[&'static str]| {
        let mut frames = no_end(data);
        frames.last_mut().unwrap().1 = true;
        frames
    };
    // the end may come with the last bytes, in a frame of its own, and behind empty ones
    for (frames, status) in [
        (with_end(&["bad"]), 403),
        (with_end(&["b", "a", "", "d", ""]), 403),
        (with_end(&["", ""]), 200),
        (with_end(&["go", "od"]), 200),
    ] {
        let stream = visitor.open(&fields("POST", "/", &[]), false).await.unwrap();
        for (data, is_last) in frames {
            visitor.send(&Frame::data(stream, data, is_last)).await.unwrap();
        }
        assert_eq!(visitor.read_response(stream).await.status(), Some(status));
    }
    // or with trailers
    for (data, status) in [("bad", 403), ("good", 200)] {
        let stream = visitor.open(&fields("POST", "/", &[("te", "trailers")]), false).await.unwrap();
        visitor.send(&Frame::data(stream, data, false)).await.unwrap();
        visitor.send(&Frame::headers(stream, [("x-sum", "1")], true)).await.unwrap();
        assert_eq!(visitor.read_response(stream).await.status(), Some(status), "{data}");
    }
    // and a head alone has no body to wait for
    let response = visitor.request("GET", "/", HOST).await.unwrap();
    assert_eq!(response.status(), Some(200));
    assert_eq!(scene.origin.as_ref().unwrap().requests(), 4);
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_sent_on_whole() {
    let scene = Scene::with(Script::echo_body()).also(&ruleset(CUSTOM, &[BLOCK])).start();
    let mut visitor = visitor(&scene).await;
    // rules see 128 KiB, which is more than a stream's first window
    for (size, end) in [(128 * 1024 - 3, "bad"), (128 * 1024, ""), (128 * 1024, "bad"), (400_000, "")] {
        let body = "x".repeat(size) + end;
        let stream = visitor.open(&fields("POST", "/", &[]), false).await.unwrap();
        let sent = visitor.send_body(stream, body.as_bytes(), true).await;
        let response = visitor.read_response(stream).await;
        let is_seen = size + end.len() <= 128 * 1024 && end == "bad";
        if is_seen {
            assert_eq!(response.status(), Some(403), "{size}");
            continue;
        }
        sent.expect("windows");
        assert_eq!((response.status(), response.end), (Some(200), Ending::Whole), "{size}");
        assert!(response.text() == body, "{size}: {} bytes came back", response.body.len());
    }
}

#[tokio::test]
async fn trailers_behind_a_body_that_was_read_go_along() {
    let (listener, address) = listen().await;
    let scene = Scene::before(address).also(&ruleset(CUSTOM, &[BLOCK])).start();
    let mut visitor = visitor(&scene).await;
    let stream = visitor.open(&fields("POST", "/", &[("te", "trailers")]), false).await.unwrap();
    for data in ["he", "", "llo"] {
        visitor.send(&Frame::data(stream, data, false)).await.unwrap();
    }
    visitor.send(&Frame::headers(stream, [("x-sum", "5")], true)).await.unwrap();
    let mut origin = ByHand::accept(&listener).await;
    let head = origin.head().await;
    assert!(head.contains("\r\nTransfer-Encoding: chunked\r\n"), "{head}");
    assert_eq!(origin.until("\r\n\r\n").await, "5\r\nhello\r\n0\r\nx-sum: 5\r\n\r\n");
    origin.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    assert_eq!(visitor.read_response(stream).await.text(), "ok");
}

/// A call is a conversation, and not read; rules are told so, and can refuse it.
#[tokio::test]
async fn a_body_that_is_not_looked_at_is_no_secret() {
    let rule = "expression = 'http.request.body.truncated'\naction = \"block\"";
    let scene = Scene::with(Script::ok()).also(&ruleset(CUSTOM, &[rule])).start();
    let mut visitor = visitor(&scene).await;
    let call = [("content-type", "application/grpc"), ("te", "trailers")];
    let stream = visitor.open(&fields("POST", "/a.B/C", &call), false).await.unwrap();
    visitor.send(&Frame::data(stream, "bad", true)).await.unwrap();
    visitor.read_response(stream).await;
    let record = scene.record_where(|record| record["ClientRequestURI"] == "/a.B/C").await;
    assert_eq!(record["VerdictCode"], "policy.rules.custom_rule");
    let stream = visitor.open(&fields("POST", "/small", &[]), false).await.unwrap();
    visitor.send(&Frame::data(stream, "bad", true)).await.unwrap();
    assert_eq!(visitor.read_response(stream).await.status(), Some(200));
}

#[tokio::test]
async fn a_challenge_is_solved() {
    let rule = "expression = 'true'\naction = \"managed_challenge\"";
    let scene = Scene::with(Script::ok()).also(&ruleset(CUSTOM, &[rule])).start();
    let mut visitor = visitor(&scene).await;
    let agent = [("user-agent", "browser"), ("accept", "text/html")];
    let stream = visitor.open(&fields("GET", "/", &agent), true).await.unwrap();
    let page = visitor.read_response(stream).await;
    assert_eq!((page.status(), page.field("cf-mitigated")), (Some(403), Some("challenge")));
    let text = page.text();
    let question = text.split("data-question=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let target = format!("/cdn-cgi/challenge-platform/verify?question={question}&answer={}", solved(question));
    let stream = visitor.open(&fields("POST", &target, &agent), true).await.unwrap();
    let passed = visitor.read_response(stream).await;
    assert_eq!(passed.status(), Some(204));
    let cookie = passed.field("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    // over HTTP/2 each cookie may have a line of its own
    let mut cleared = vec![("user-agent", "browser"), ("cookie", "a=b"), ("cookie", cookie.as_str())];
    let stream = visitor.open(&fields("GET", "/", &cleared), true).await.unwrap();
    assert_eq!(visitor.read_response(stream).await.status(), Some(200));
    cleared[0].1 = "another";
    let stream = visitor.open(&fields("GET", "/", &cleared), true).await.unwrap();
    assert_eq!(visitor.read_response(stream).await.status(), Some(403));
}

/// One connection, as a proxy in front has it, carries visitors of both plans; each stays with its own.
#[tokio::test]
async fn a_rollout_keeps_its_visitors() {
    let scene = Scene::with(Script::ok()).server("trusted_proxies", "[\"127.0.0.1\"]").start();
    let half = Spread { share: Share::percent(50.0), salt: 7 };
    scene.edge.begin_trial(2, scene.plan(&scene.toml), half).expect("a trial");
    let mut visitor = visitor(&scene).await;
    let mut chosen = Vec::new();
    for round in 0..2 {
        for n in 0..40 {
            let address = format!("192.0.2.{n}");
            let stream = visitor.open(&fields("GET", "/", &[("cf-connecting-ip", &address)]), true).await.unwrap();
            let response = visitor.read_response(stream).await;
            let ray = response.field("cf-ray").unwrap().split('-').next().unwrap().to_owned();
            let record = scene.record_where(|record| record["RayID"] == ray.as_str()).await;
            let version = record["PlanVersion"].as_u64().unwrap();
            match round {
                0 => chosen.push(version),
                _ => assert_eq!(version, chosen[n], "visitor {n}"),
            }
        }
    }
    let over_http1 = scene.get("/", "CF-Connecting-IP: 192.0.2.3\r\n").await;
    assert_eq!(scene.record_of(&over_http1).await["PlanVersion"], chosen[3], "and whichever version of HTTP it speaks");
    assert!(chosen.contains(&1) && chosen.contains(&2), "{chosen:?}");
}
