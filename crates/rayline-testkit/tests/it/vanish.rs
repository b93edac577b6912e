//! Origins whose kernel drops what arrives.

use std::io::ErrorKind;
use std::time::Duration;

use rayline_testkit::{End, Origin, Script, Visitor, can_vanish};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::ask::{BRIEF, GET, text};

/// Whether the test can run; says so if not.
fn possible() -> bool {
    can_vanish().inspect_err(|error| eprintln!("skipped: {error}")).is_ok()
}

#[tokio::test]
async fn a_dropped_syn_is_neither_taken_nor_refused() {
    if !possible() {
        return;
    }
    let origin = Origin::start(Script::drop_syn()).unwrap();
    assert!(timeout(BRIEF, TcpStream::connect(origin.addr())).await.is_err());
    assert_eq!(origin.connections(), 0);
}

#[tokio::test]
async fn a_request_is_never_read_although_the_connection_stands() {
    if !possible() {
        return;
    }
    let origin = Origin::start(Script::vanish_after_accept()).unwrap();
    let mut visitor = Visitor::connect(origin.addr()).await.unwrap().patience(BRIEF);
    visitor.send(GET).await.unwrap();
    assert_eq!(visitor.read_to_end().await.end, End::Silent);
    assert_eq!((origin.connections(), origin.requests()), (1, 0));
}

#[tokio::test]
async fn a_client_that_probes_learns_that_nobody_is_there_any_more() {
    if !possible() {
        return;
    }
    for (script, sent) in [(Script::vanish_after_request(), 0), (Script::vanish_in_body(100), 100)] {
        let name = script.name();
        let origin = Origin::start(script).unwrap();
        let tcp = TcpStream::connect(origin.addr()).await.unwrap();
        let second = Duration::from_secs(1);
        let probing = socket2::TcpKeepalive::new().with_time(second).with_interval(second).with_retries(1);
        socket2::SockRef::from(&tcp).set_tcp_keepalive(&probing).unwrap();
        let mut visitor = Visitor::from(tcp);
        visitor.send(GET).await.unwrap();
        let all = visitor.read_to_end().await;
        assert_eq!(all.end, End::Failed(ErrorKind::TimedOut), "{name}");
        assert!(text(&all.bytes).ends_with(&"x".repeat(sent)), "{name}");
        assert_eq!(origin.requests(), 1, "{name}");
    }
}
