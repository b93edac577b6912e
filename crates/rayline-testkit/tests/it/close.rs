//! Origins that cannot be reached or that close where an answer should be.

use std::io::ErrorKind;
use std::net::{Ipv6Addr, SocketAddr};
use std::time::Duration;

use rayline_testkit::{End, Origin, Received, Reserved, Script, Visitor};
use tokio::net::TcpStream;

use crate::ask::{GET, received, response, text};

const POST_1M: &str = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 16777216\r\n\r\n";

fn nothing(end: End) -> Received {
    Received { bytes: Vec::new(), end }
}

#[tokio::test]
async fn refuse_refuses_every_time() {
    let origin = Origin::start(Script::refuse()).unwrap();
    for _ in 0..3 {
        let error = TcpStream::connect(origin.addr()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    }
    let held = Reserved::new().unwrap();
    assert!(std::net::TcpListener::bind(held.addr()).is_err(), "a reserved port was free for others");
    let v6: SocketAddr = (Ipv6Addr::LOCALHOST, 0).into();
    if let Ok(origin) = Origin::start_on(v6, Script::refuse()) {
        let error = TcpStream::connect(origin.addr()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_backlog_lets_nobody_connect() {
    let origin = Origin::start(Script::backlog_full()).unwrap();
    let attempts = (0..3).map(|_| {
        let addr = origin.addr();
        tokio::spawn(tokio::time::timeout(Duration::from_millis(1500), TcpStream::connect(addr)))
    });
    for attempt in attempts.collect::<Vec<_>>() {
        assert!(attempt.await.unwrap().is_err(), "connected, or refused");
    }
}

#[tokio::test]
async fn accept_then_reset_resets() {
    let origin = Origin::start(Script::accept_then_reset()).unwrap();
    let mut visitor = Visitor::connect(origin.addr()).await.unwrap();
    assert_eq!(visitor.read_to_end().await, nothing(End::Reset));
    assert_eq!(origin.requests(), 0);
}

#[tokio::test]
async fn close_at_once_closes_without_a_request() {
    let origin = Origin::start(Script::close_at_once()).unwrap();
    let mut visitor = Visitor::connect(origin.addr()).await.unwrap();
    assert_eq!(visitor.read_to_end().await, nothing(End::Closed));
    // bytes that come late do not turn the close into a reset
    visitor.send(GET).await.unwrap();
    assert_eq!(visitor.read_to_end().await, nothing(End::Closed));
    assert_eq!((origin.connections(), origin.requests()), (1, 0));
}

#[tokio::test]
async fn after_the_request_comes_a_reset_or_nothing() {
    assert_eq!(received(Script::reset_after_request()).await, nothing(End::Reset));
    assert_eq!(received(Script::close_empty()).await, nothing(End::Closed));
}

#[tokio::test]
async fn the_second_request_on_a_connection_gets_no_answer() {
    for (script, end) in
        [(Script::reset_idle_under_request(), End::Reset), (Script::close_idle_under_request(), End::Closed)]
    {
        let origin = Origin::start(script).unwrap();
        let mut visitor = Visitor::connect(origin.addr()).await.unwrap();
        visitor.send(GET).await.unwrap();
        let first = visitor.read_response("GET").await;
        assert!(first.whole && first.field("connection").is_none());
        visitor.send(GET).await.unwrap();
        assert_eq!(visitor.read_to_end().await, nothing(end));
        assert_eq!(Visitor::get(origin.addr(), "a", "/").await.unwrap().status(), Some(200));
        let numbers: Vec<_> = origin.seen().iter().map(|seen| seen.connection).collect();
        assert_eq!(numbers, [1, 1, 2]);
    }
}

#[tokio::test]
async fn an_idle_connection_is_closed_unannounced() {
    let origin = Origin::start(Script::close_idle()).unwrap();
    let mut visitor = Visitor::connect(origin.addr()).await.unwrap();
    visitor.send(GET).await.unwrap();
    let response = visitor.read_response("GET").await;
    assert!(response.whole && response.field("connection").is_none());
    assert_eq!(visitor.read_to_end().await, nothing(End::Closed));
}

#[tokio::test]
async fn bytes_follow_the_response() {
    let origin = Origin::start(Script::extra_bytes()).unwrap();
    let mut visitor = Visitor::connect(origin.addr()).await.unwrap().patience(Duration::from_millis(100));
    visitor.send(GET).await.unwrap();
    let response = visitor.read_response("GET").await;
    assert!(response.whole);
    let more = visitor.read_to_end().await;
    assert_eq!((text(&more.bytes).as_str(), more.end), ("HTTP/1.1 200 OK\r\n", End::Silent));
}

#[tokio::test]
async fn early_answers_do_not_wait_for_the_body() {
    for (script, end) in [
        (Script::early_answer_then_close(), End::Closed),
        (Script::early_answer_then_hold(), End::Silent),
        (Script::early_answer_then_reset(), End::Reset),
    ] {
        let name = script.name();
        let origin = Origin::start(script).unwrap();
        let mut visitor = Visitor::connect(origin.addr()).await.unwrap().patience(Duration::from_millis(200));
        visitor.send(POST_1M).await.unwrap();
        let response = visitor.read_response("POST").await;
        assert_eq!((response.status(), response.whole), (Some(413), true), "{name}");
        assert_eq!(visitor.read_to_end().await, nothing(end), "{name}");
        let body = visitor.send(vec![b'x'; 16 << 20]).await.map_err(|error| error.kind());
        match end {
            End::Closed => assert_eq!(body, Ok(()), "{name}"),
            End::Silent => assert_eq!(body, Err(ErrorKind::TimedOut), "{name}"),
            _ => assert!(body.is_err(), "{name}"),
        }
    }
}

#[tokio::test]
async fn the_visitor_gets_what_it_asks_for() {
    // the client of these tests, against an origin that has no fault
    let response = response(Script::ok()).await;
    assert_eq!((response.status(), response.end), (Some(200), None));
}
