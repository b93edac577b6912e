//! Interim responses: `100 Continue` and the others (RFC 9110 sections 10.1.1 and 15.2).

use std::time::{Duration, Instant};

use rayline_testkit::{Answer, Script, Step};

use crate::by_hand::{ByHand, listen};
use crate::scene::{HOST, Scene};

const CONTINUE: &str = "HTTP/1.1 100 Continue\r\n\r\n";
/// Less than the second for which an origin may keep a visitor waiting.
const AT_ONCE: Duration = Duration::from_millis(900);

fn expecting(length: usize) -> String {
    format!(
        "POST / HTTP/1.1\r\nHost: {HOST}\r\nExpect: 100-continue\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    )
}

#[tokio::test]
async fn the_origin_invites_the_body() {
    let (listener, address) = listen().await;
    let scene = Scene::before(address).start();
    let mut visitor = ByHand::connect(scene.http).await;
    visitor.send(expecting(5)).await;
    let mut origin = ByHand::accept(&listener).await;
    assert!(origin.head().await.contains("\r\nExpect: 100-continue\r\n"));
    let invited = Instant::now();
    origin.send(CONTINUE).await;
    assert_eq!(visitor.head().await, CONTINUE);
    visitor.send("hello").await;
    origin.until("hello").await;
    assert!(invited.elapsed() < AT_ONCE, "{:?}", invited.elapsed());
    origin.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let head = visitor.head().await;
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert_eq!(visitor.rest().await, b"ok");
}

#[tokio::test]
async fn the_edge_invites_the_body_when_the_origin_does_not() {
    let (listener, address) = listen().await;
    let scene = Scene::before(address).start();
    let mut visitor = ByHand::connect(scene.http).await;
    let asked = Instant::now();
    visitor.send(expecting(5)).await;
    let mut origin = ByHand::accept(&listener).await;
    origin.head().await;
    assert_eq!(visitor.head().await, CONTINUE);
    let waited = asked.elapsed();
    assert!(waited > Duration::from_millis(900) && waited < Duration::from_secs(3), "{waited:?}");
    visitor.send("hello").await;
    origin.until("hello").await;
    // One that comes after all is not passed on a second time.
    origin.send(format!("{CONTINUE}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")).await;
    assert!(visitor.head().await.starts_with("HTTP/1.1 200 OK\r\n"));
}

#[tokio::test]
async fn an_answer_takes_the_place_of_the_invitation() {
    // The rest of the answer takes longer than the second after which the edge would invite the body.
    let script = Script::new(
        "no-thanks",
        "refuses the body",
        [
            Step::ReadHead,
            Step::send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 8\r\n\r\ntoo "),
            Step::Pause(Duration::from_millis(1200)),
            Step::send("much"),
            Step::Hold,
        ],
    );
    let scene = Scene::with(script).start();
    let mut visitor = scene.visitor().await;
    visitor.send(expecting(1_000_000)).await.expect("the edge reads");
    let response = visitor.read_response("POST").await;
    assert_eq!((response.status(), response.text().as_str()), (Some(413), "too much"));
    assert!(response.interim.is_empty(), "{response:?}");
    assert_eq!(response.field("connection"), Some("close"));
    let record = scene.record_of(&response).await;
    assert_eq!(record["ClientRequestBodyBytes"], 0, "{record:#}");
}

#[tokio::test]
async fn a_page_of_ours_takes_the_place_of_the_invitation() {
    let scene = Scene::with(Script::refuse()).start();
    let mut visitor = scene.visitor().await;
    visitor.send(expecting(1_000_000)).await.expect("the edge reads");
    let response = visitor.read_response("POST").await;
    assert_eq!((response.status(), response.interim.len()), (Some(521), 0));
    assert_eq!(response.field("connection"), Some("close"));
}

#[tokio::test]
async fn a_body_may_come_without_an_invitation() {
    for script in [Script::ok(), Script::echo_body()] {
        let scene = Scene::with(script).start();
        let mut visitor = scene.visitor().await;
        visitor.send(format!("{}hello", expecting(5))).await.expect("the edge reads");
        let response = visitor.read_response("POST").await;
        assert_eq!((response.status(), response.whole), (Some(200), true), "{response:?}");
    }
}

#[tokio::test]
async fn nothing_to_send_needs_no_invitation() {
    let (listener, address) = listen().await;
    let scene = Scene::before(address).start();
    let mut visitor = ByHand::connect(scene.http).await;
    let asked = Instant::now();
    visitor.send(expecting(0)).await;
    let mut origin = ByHand::accept(&listener).await;
    origin.head().await;
    origin.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    assert!(visitor.head().await.starts_with("HTTP/1.1 200 OK\r\n"));
    assert!(asked.elapsed() < AT_ONCE);
}

#[tokio::test]
async fn http_1_0_knows_no_interim_responses() {
    let scene = Scene::with(Script::interim_then_ok()).start();
    let mut visitor = scene.visitor().await;
    let asked = Instant::now();
    let request = format!("POST / HTTP/1.0\r\nHost: {HOST}\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello");
    visitor.send(request).await.expect("the edge reads");
    let response = visitor.read_response("POST").await;
    assert_eq!((response.status(), response.interim.len()), (Some(200), 0), "{response:?}");
    assert!(asked.elapsed() < AT_ONCE);
}

#[tokio::test]
async fn early_hints_pass() {
    let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nConnection: X-Hop\r\nX-Hop: 1\r\n\
                 Server: nginx\r\nX-Accel-Buffering: no\r\nContent-Length: 5\r\n\r\n";
    let script = Script::new(
        "hints",
        "sends early hints",
        [Step::ReadHead, Step::send(hints), Step::send(hints), Step::Answer(Answer::ok())],
    );
    let scene = Scene::with(script).start();
    let response = scene.get("/", "").await;
    assert_eq!((response.status(), response.interim.len()), (Some(200), 2), "{response:?}");
    for interim in &response.interim {
        assert_eq!(interim.start, "HTTP/1.1 103 Early Hints");
        assert_eq!(interim.fields, [("Link".to_owned(), "</a.css>; rel=preload".to_owned())]);
    }
    // What the origin says before anybody asked it to go on is not for a visitor that did not wait.
    let scene = Scene::with(Script::interim_then_ok()).start();
    let response = scene.get("/", "").await;
    let seen: Vec<_> = response.interim.iter().filter_map(|head| head.word(1)).collect();
    assert_eq!((response.status(), seen.as_slice()), (Some(200), ["103"].as_slice()));
}

#[tokio::test]
async fn early_hints_come_early() {
    let (listener, address) = listen().await;
    let scene = Scene::before(address).start();
    let mut visitor = ByHand::connect(scene.http).await;
    visitor.send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n")).await;
    let mut origin = ByHand::accept(&listener).await;
    origin.head().await;
    origin.send("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n").await;
    assert_eq!(visitor.head().await, "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n");
    origin.send("HTTP/1.1 204 No Content\r\n\r\n").await;
    assert!(visitor.head().await.starts_with("HTTP/1.1 204 No Content\r\n"));
}
