//! The life of an origin: what it remembers, and what is left of it.

use std::io::ErrorKind;
use std::net::{Ipv6Addr, SocketAddr};

use rayline_testkit::{End, Origin, Script, Step, Visitor};
use tokio::net::TcpStream;

use crate::ask::GET;

#[tokio::test]
async fn it_remembers_requests_and_counts() {
    let origin = Origin::start(Script::ok()).unwrap();
    assert!(origin.last().is_none());
    let mut visitor = Visitor::connect(origin.addr()).await.unwrap();
    for n in 0..300 {
        visitor.send(format!("GET /{n} HTTP/1.1\r\nHost: a\r\nX-N: {n}\r\n\r\n")).await.unwrap();
        assert!(visitor.read_response("GET").await.whole);
    }
    let seen = origin.seen();
    assert_eq!(seen.len(), 256);
    assert_eq!(seen[0].head.word(1), Some("/44"));
    let last = origin.last().unwrap();
    assert_eq!((last.head.field("x-n"), last.connection), (Some("299"), 1));
    assert_eq!(last.peer, visitor.addr().unwrap());
    assert!(last.raw.ends_with(b"X-N: 299\r\n\r\n") && last.tls.is_none());
    let counts = origin.counts();
    assert_eq!((counts.connections, counts.open, counts.requests), (1, 1, 300));
    drop(visitor);
    assert_eq!(origin.until(|counts| counts.open == 0).await.unwrap().connections, 1);
}

#[tokio::test]
async fn stopped_it_leaves_its_port_and_its_connections() {
    let origin = Origin::start(Script::stall_before_head()).unwrap();
    let addr = origin.addr();
    let mut visitor = Visitor::connect(addr).await.unwrap();
    visitor.send(GET).await.unwrap();
    origin.until(|counts| counts.requests == 1).await.unwrap();
    origin.stop().await;
    assert_eq!(visitor.read_to_end().await.end, End::Closed);
    assert_eq!(TcpStream::connect(addr).await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
    let again = Origin::start_on(addr, Script::ok()).unwrap();
    assert_eq!(again.addr(), addr);
    assert_eq!(Visitor::get(addr, "a", "/").await.unwrap().status(), Some(200));
}

#[tokio::test]
async fn dropped_it_refuses_at_once() {
    let origin = Origin::start(Script::ok()).unwrap();
    let addr = origin.addr();
    drop(origin);
    // without a turn of the runtime in between
    let error = std::net::TcpStream::connect(addr).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn it_lives_on_ipv6_too() {
    let v6: SocketAddr = (Ipv6Addr::LOCALHOST, 0).into();
    if std::net::TcpListener::bind(v6).is_err() {
        return; // this machine has no IPv6
    }
    let origin = Origin::start_on(v6, Script::ok()).unwrap();
    assert_eq!(Visitor::get(origin.addr(), "a", "/").await.unwrap().status(), Some(200));
}

#[tokio::test]
async fn a_script_of_ones_own_plays_its_steps_in_order() {
    let steps = [Step::ReadHead, Step::ReadBody, Step::send("one"), Step::ReadBytes(3), Step::send("two"), Step::Fin];
    let origin = Origin::start(Script::new("own", "counts to two", steps)).unwrap();
    let mut visitor = Visitor::connect(origin.addr()).await.unwrap();
    visitor.send("POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nab").await.unwrap();
    visitor.send("cde").await.unwrap();
    let all = visitor.read_to_end().await;
    assert_eq!((all.bytes.as_slice(), all.end), (b"onetwo".as_slice(), End::Closed));
    assert_eq!(origin.script().name(), "own");
}

#[test]
fn without_a_runtime_it_is_an_error_and_no_panic() {
    assert!(Origin::start(Script::ok()).is_err());
    assert!(Origin::start(Script::refuse()).is_ok());
}

#[test]
fn everything_may_cross_threads() {
    fn crosses<T: Send + Sync + 'static>() {}
    crosses::<Origin>();
    crosses::<rayline_testkit::Dns>();
    crosses::<rayline_testkit::Authority>();
    crosses::<Visitor>();
}
