//! Sending the request to the origin.

use std::time::Duration;

use rayline_testkit::{Answer, Origin, Response, Script, Step};
use serde_json::{Value, json};

use crate::by_hand::{self, ByHand};
use crate::scene::{Blame, FORMATS, HOST, Scene, can_vanish};

/// More than all buffers between a visitor and an origin hold.
const LARGE: usize = 32 << 20;

fn origin(scene: &Scene) -> &Origin {
    scene.origin.as_ref().expect("an origin")
}

/// Uploads as much of a large body as is taken, and reads the answer.
async fn upload(scene: &Scene, format: &str) -> Response {
    let mut visitor = scene.visitor().await.patience(Duration::from_millis(500));
    let head = format!("POST /secret-path HTTP/1.1\r\nHost: {HOST}\r\n{format}Content-Length: {LARGE}\r\n\r\n");
    visitor.send(head).await.expect("the edge reads the head");
    // That it is not taken to the end is the point.
    let _ = visitor.send(vec![b'x'; LARGE]).await;
    visitor.patience(Duration::from_secs(10)).read_response("POST").await
}

#[tokio::test]
async fn unacknowledged() {
    if !can_vanish() {
        return;
    }
    let scene = Scene::with(Script::vanish_after_accept()).limit("ack_timeout", "300ms").start();
    let blame = Blame::page("network.send.unacknowledged", 522).evidence(&["bytes_sent", "origin_address"]);
    let record = scene.blames(blame).await;
    let evidence = &record["VerdictEvidence"];
    assert_eq!(evidence["timer"], json!({ "setting": "ack_timeout", "limit_ms": 300 }));
    assert!(evidence["tcp"]["unacked_segments"].as_u64() > Some(0), "{evidence:#}");
    assert!(evidence["tcp"]["timeouts"].as_u64() > Some(0), "{evidence:#}");
    assert!(evidence["tcp"]["peer_window"].as_u64() > Some(0), "{evidence:#}");
    assert_eq!((&record["VerdictReached"], &record["VerdictCertainty"]), (&json!("maybe"), &json!("proven")));
}

/// Whichever timer runs out first while what was sent stays unacknowledged: it is the network.
#[tokio::test]
async fn unacknowledged_when_another_timer_runs_out() {
    if !can_vanish() {
        return;
    }
    let scene = Scene::with(Script::vanish_after_accept()).setting("proxy_read_timeout", "1").start();
    let record = scene.blames(Blame::page("network.send.unacknowledged", 522)).await;
    assert_eq!(record["VerdictEvidence"]["timer"]["setting"], "proxy_read_timeout");
    assert_eq!(record["VerdictCertainty"], "proven");

    let scene = Scene::with(Script::vanish_after_accept()).limit("write_timeout", "1s").start();
    let response = upload(&scene, "").await;
    let record = scene.sees(&Blame::page("network.send.unacknowledged", 522), "", &response).await;
    assert_eq!(record["VerdictEvidence"]["timer"]["setting"], "write_timeout");
    assert_eq!(record["VerdictCertainty"], "proven");
}

#[tokio::test]
async fn timed_out() {
    for script in [Script::never_read(), Script::read_some_then_stop(16 << 10)] {
        let scene = Scene::with(script).limit("write_timeout", "300ms").start();
        let blame = Blame::page("origin.send.timed_out", 524).evidence(&["bytes_sent", "tcp", "origin_address"]);
        let blamed = async |format| {
            let response = upload(&scene, format).await;
            let record = scene.sees(&blame, format, &response).await;
            let evidence = &record["VerdictEvidence"];
            assert_eq!(evidence["timer"], json!({ "setting": "write_timeout", "limit_ms": 300 }));
            assert_eq!((&record["VerdictReached"], &record["VerdictCertainty"]), (&json!("maybe"), &json!("proven")));
        };
        let [html, json, markdown, text] = FORMATS;
        tokio::join!(blamed(html), blamed(json), blamed(markdown), blamed(text));
    }
}

/// The visitor still has something to send when the origin hangs up.
#[tokio::test]
async fn reset() {
    let begun = [Step::ReadHead, Step::ReadBytes(1000)];
    for (end, errno) in [(Step::Reset, json!("ECONNRESET")), (Step::Fin, Value::Null)] {
        let steps = begun.clone().into_iter().chain([end]);
        let scene = Scene::with(Script::new("cut-upload", "ends an upload in the middle", steps)).start();
        let blame = || Blame::page("origin.send.reset", 520).evidence(&["bytes_sent", "connection", "origin_address"]);
        let body = "x".repeat(1000);
        let request = |accept: &str| {
            format!("POST /secret-path HTTP/1.1\r\nHost: {HOST}\r\n{accept}Content-Length: 2000\r\n\r\n{body}")
        };
        let record = scene.blames_on(blame(), request).await;
        assert_eq!(record["VerdictEvidence"]["errno"]["name"], errno);
        assert!(record["VerdictEvidence"]["bytes_sent"].as_u64() > Some(1000));
        assert_eq!((&record["VerdictReached"], &record["VerdictCertainty"]), (&json!("maybe"), &json!("proven")));
    }
}

/// Leaves one connection to the origin idle, which it closes under the next request.
async fn warm(scene: &Scene) {
    assert_eq!(scene.get("/", "").await.status(), Some(200));
}

#[tokio::test]
async fn stale_connection() {
    for script in [Script::close_idle_under_request(), Script::reset_idle_under_request()] {
        let scene = Scene::with(script).start();
        // A PUT could be repeated, but its body is gone.
        for (round, (format, method)) in (1..).zip(FORMATS.into_iter().zip(["POST", "PATCH", "PUT", "POST"])) {
            warm(&scene).await;
            let mut visitor = scene.visitor().await;
            let more = format!("{format}Content-Length: 3\r\n");
            visitor.send(Scene::request(method, "/secret-path", &more) + "abc").await.expect("the edge reads");
            let response = visitor.read_response(method).await;
            let blame = Blame::page("origin.send.stale_connection", 520).evidence(&["connection", "origin_address"]);
            let record = scene.sees(&blame, format, &response).await;
            assert_eq!(record["VerdictEvidence"]["connection"]["served"], 1);
            assert_eq!(record["VerdictRivals"], json!(["origin.wait.closed_empty", "origin.wait.reset"]));
            assert_eq!((&record["VerdictReached"], &record["OriginConnectionReused"]), (&json!("maybe"), &json!(true)));
            // The GET and the POST, each once, on one connection.
            let counts = origin(&scene).counts();
            assert_eq!((counts.requests, counts.connections), (2 * round, round));
        }
    }
}

/// What changes nothing is sent once more on a fresh connection, and nobody notices.
#[tokio::test]
async fn a_safe_request_is_repeated_on_a_fresh_connection() {
    for script in [Script::close_idle_under_request(), Script::reset_idle_under_request()] {
        let scene = Scene::with(script).start();
        for (round, method) in (1..).zip(["GET", "HEAD", "DELETE"]) {
            let before = origin(&scene).counts();
            if round == 1 {
                warm(&scene).await;
            }
            let mut visitor = scene.visitor().await;
            visitor.send(Scene::request(method, "/again", "")).await.expect("the edge reads");
            let response = visitor.read_response(method).await;
            assert_eq!(response.status(), Some(200), "{method}: {response:?}");
            let record = scene.record_of(&response).await;
            assert_eq!((&record["VerdictCode"], &record["OriginConnectionReused"]), (&Value::Null, &json!(false)));
            // Twice at the origin: the one that met the end of the old connection, and its repetition.
            let first = u64::from(round == 1);
            let counts = origin(&scene).counts();
            assert_eq!(counts.requests - before.requests, 2 + first, "{method}");
            assert_eq!(counts.connections - before.connections, 1 + first, "{method}");
        }
    }
}

/// A connection that ended while nobody used it costs no attempt at all.
#[tokio::test]
async fn a_connection_closed_while_idle_is_not_taken() {
    let (listener, address) = by_hand::listen().await;
    let scene = Scene::before(address).start();
    let request = Scene::request("POST", "/", "Content-Length: 3\r\n") + "abc";
    for _ in 0..3 {
        let mut visitor = scene.visitor().await;
        visitor.send(&request).await.expect("the edge reads");
        let mut origin = ByHand::accept(&listener).await;
        origin.until("abc").await;
        origin.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
        let response = visitor.read_response("POST").await;
        assert_eq!((response.status(), response.whole), (Some(200), true));
        // On loopback its end is with the edge's kernel when this returns.
        drop(origin);
    }
}

/// An origin that takes its time, a little at a time, is no origin that does not read.
#[tokio::test]
async fn a_slow_reader_is_not_cut_off() {
    const BODY: usize = 8 << 20;
    let pieces = (0..8).flat_map(|_| [Step::ReadBytes(BODY / 8 - 4096), Step::Pause(Duration::from_millis(100))]);
    let steps = [Step::ReadHead].into_iter().chain(pieces).chain([Step::ReadBytes(8 * 4096)]);
    let steps = steps.chain([Step::send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), Step::Fin]);
    let script = Script::new("slow-reader", "reads the request slowly", steps).receive_buffer(4 << 10);
    let scene = Scene::with(script).limit("write_timeout", "400ms").start();
    let mut visitor = scene.visitor().await;
    let head = Scene::request("POST", "/", &format!("Content-Length: {BODY}\r\n"));
    visitor.send(head).await.expect("the edge reads");
    visitor.send(vec![b'x'; BODY]).await.expect("the edge reads on");
    assert_eq!(visitor.read_response("POST").await.status(), Some(200));
}

/// 413 before the body is there: the visitor gets it, however the origin leaves it at that.
#[tokio::test]
async fn an_early_answer_is_delivered() {
    let reads_on = Answer::status(413).text("too long\n").close();
    for script in [
        Script::early_answer_then_close(),
        Script::early_answer_then_hold(),
        Script::early_answer_then_reset(),
        Script::new("early-answer", "answers 413 at once and reads on", [Step::Answer(reads_on)]),
    ] {
        let name = script.name();
        let scene = Scene::with(script).start();
        let response = upload(&scene, "").await;
        assert_eq!((response.status(), response.text().as_str()), (Some(413), "too long\n"), "{name}");
        let record = scene.record_of(&response).await;
        assert_eq!((&record["VerdictCode"], &record["OriginResponseStatus"]), (&Value::Null, &json!(413)), "{name}");
    }
}
