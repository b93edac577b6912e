//! Who gets through, and what too much gets.

use std::io::{Read as _, Write as _};

use crate::{Running, wire};

#[test]
fn without_a_token_the_same_machine_gets_metrics_and_the_page_alone() {
    let running = Running::start();
    let addr = running.control.addr();
    let host = addr.to_string();
    for (path, host, status, code) in [
        ("/", host.as_str(), 200, None),
        ("/metrics", "localhost", 200, None),
        ("/metrics", "localhost:8787", 200, None),
        ("/metrics", "evil.example", 421, Some(10421)),
        ("/", "evil.example:8787", 421, Some(10421)),
        ("/api/status", "localhost", 401, Some(10000)),
        ("/api/tail", "localhost", 401, Some(10000)),
        ("/nothing/here", "localhost", 401, Some(10000)),
    ] {
        let answer = wire::ask(addr, "GET", path, &[("Host", host)]);
        assert_eq!(answer.status, status, "{path} at {host}");
        assert_eq!(code, code.map(|_| answer.failure()));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("www-authenticate"), (status == 401).then_some("Bearer"));
    }
    let reload = wire::ask(addr, "POST", "/api/reload", &[("Host", "localhost")]);
    assert_eq!((reload.status, reload.failure()), (401, 10000));
    let no_host = wire::send(addr, b"GET /metrics HTTP/1.0\r\n\r\n");
    assert_eq!(no_host.status, 421);
}

#[test]
fn a_wrong_token_is_worse_than_none() {
    let running = Running::start();
    let right = running.bearer();
    let wrong = format!("Bearer {}", "0".repeat(64));
    let basic = format!("Basic {}", running.token.as_str());
    let longer = format!("{right}0");
    for (path, authorization, status) in [
        ("/api/status", &right, 200),
        ("/api/status", &wrong, 401),
        ("/api/status", &basic, 401),
        ("/api/status", &longer, 401),
        ("/api/status", &right[..right.len() - 1].to_owned(), 401),
        ("/api/status", &"Bearer".to_owned(), 401),
        ("/metrics", &wrong, 401),
        ("/metrics", &right, 200),
    ] {
        let fields = [("Host", "localhost"), ("Authorization", authorization.as_str())];
        assert_eq!(wire::ask(running.control.addr(), "GET", path, &fields).status, status, "{path} {authorization}");
    }
}

#[test]
fn a_head_without_end_is_cut_off() {
    let running = Running::start();
    let flood = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX-Flood: {}\r\n\r\n", "x".repeat(64 * 1024));
    let answer = wire::send(running.control.addr(), flood.as_bytes());
    assert_eq!(answer.status, 431);
}

#[test]
fn a_body_is_not_read() {
    let running = Running::start();
    let request = format!(
        "POST /api/reload HTTP/1.1\r\nHost: localhost\r\nAuthorization: {}\r\nContent-Length: 1000000000\r\n\r\n",
        running.bearer()
    );
    let mut stream = wire::connect(running.control.addr());
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
}
