//! Origins that fall silent or do not read.

use std::io::ErrorKind;
use std::time::Duration;

use rayline_testkit::{End, Origin, Received, Script, Visitor};

use crate::ask::{BRIEF, GET, received, text};

#[tokio::test]
async fn each_stall_leaves_the_connection_open() {
    for (script, sent) in [
        (Script::stall_before_head(), ""),
        (Script::stall_in_head(), "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Le"),
        (Script::never_read(), ""),
        (Script::read_some_then_stop(100), ""),
    ] {
        let name = script.name();
        let Received { bytes, end } = received(script).await;
        assert_eq!((text(&bytes).as_str(), end), (sent, End::Silent), "{name}");
    }
    let body = received(Script::stall_in_body(100)).await;
    assert!(text(&body.bytes).contains("Content-Length: 1000\r\n\r\n"));
    assert!(body.bytes.ends_with(&[b'x'; 100]) && body.end == End::Silent);
}

#[tokio::test]
async fn a_stalled_origin_notices_that_the_client_has_left() {
    for script in [Script::stall_before_head(), Script::never_read(), Script::tls_silent()] {
        let name = script.name();
        let origin = Origin::start(script).unwrap();
        let mut visitor = Visitor::connect(origin.addr()).await.unwrap();
        visitor.send(GET).await.unwrap();
        origin.until(|counts| counts.open == 1).await.unwrap();
        drop(visitor);
        origin.until(|counts| counts.open == 0).await.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[tokio::test]
async fn a_head_drips_and_never_ends() {
    let origin = Origin::start(Script::drip_head(Duration::from_millis(5))).unwrap();
    let mut visitor = Visitor::connect(origin.addr()).await.unwrap();
    visitor.send(GET).await.unwrap();
    let mut all = Vec::new();
    // the visitor waits for less than what it gets in all: bytes kept coming
    while all.len() < "HTTP/1.1 200 OK\r\nX-Drip: ".len() + 10 {
        let mut patient = visitor.patience(Duration::from_secs(10));
        let piece = tokio::time::timeout(Duration::from_millis(30), patient.read_to_end()).await;
        assert!(piece.is_err(), "the head ended");
        all = patient.peek().to_vec();
        visitor = patient;
    }
    assert!(text(&all).starts_with("HTTP/1.1 200 OK\r\nX-Drip: xxxxxxxxxx"));
    assert!(!all.ends_with(b"\n"));
}

#[tokio::test]
async fn a_long_request_meets_a_closed_window() {
    let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 33554432\r\n\r\n";
    for (script, requests) in [(Script::never_read(), 0), (Script::read_some_then_stop(16 << 10), 1)] {
        let name = script.name();
        let origin = Origin::start(script).unwrap();
        let mut visitor = Visitor::connect(origin.addr()).await.unwrap().patience(BRIEF);
        visitor.send(head).await.unwrap();
        let error = visitor.send(vec![b'x'; 32 << 20]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut, "{name}");
        assert_eq!(origin.requests(), requests, "{name}");
    }
}
