//! The live tail over a socket.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;

use serde_json::Value;

use crate::login::Browser;
use crate::{Running, records, wire};

/// An open tail, past its head and its first empty line: from then on nothing is missed.
struct Tail(BufReader<TcpStream>);

impl Tail {
    fn open(running: &Running, query: &str) -> (Self, String) {
        let mut stream = wire::connect(running.control.addr());
        let request =
            format!("GET /api/tail{query} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {}\r\n\r\n", running.bearer());
        stream.write_all(request.as_bytes()).unwrap();
        let mut tail = Self(BufReader::new(stream));
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(tail.0.read_line(&mut head).unwrap(), 0, "{head}");
        }
        (tail, head)
    }

    /// The next chunk's data; `None` after the last.
    fn chunk(&mut self) -> Option<String> {
        let mut size = String::new();
        if self.0.read_line(&mut size).unwrap_or(0) == 0 {
            return None;
        }
        let size = usize::from_str_radix(size.trim_end(), 16).unwrap();
        let mut data = vec![0; size + 2];
        std::io::Read::read_exact(&mut self.0, &mut data).unwrap();
        data.truncate(size);
        (size > 0).then(|| String::from_utf8(data).unwrap())
    }

    fn uri(&mut self) -> String {
        let line = self.chunk().unwrap();
        assert!(line.ends_with('\n'));
        serde_json::from_str::<Value>(&line).unwrap()["ClientRequestURI"].as_str().unwrap().to_owned()
    }
}

#[test]
fn lines_come_as_they_are_made_and_the_tail_ends_with_the_observer() {
    let running = Running::start();
    let (mut all, head) = Tail::open(&running, "");
    let (mut failures, _) = Tail::open(&running, "?failures=true&zone=shop.example&party=origin&code=origin.");
    assert!(head.to_ascii_lowercase().contains("\r\ncontent-type: application/x-ndjson\r\n"), "{head}");
    assert_eq!(all.chunk().as_deref(), Some("\n"));
    assert_eq!(failures.chunk().as_deref(), Some("\n"));

    running.lane.lock().unwrap().record(records::fine("/one"));
    assert_eq!(all.uri(), "/one");
    running.lane.lock().unwrap().record(records::nowhere("/two"));
    running.lane.lock().unwrap().record(records::refused("/three"));
    assert_eq!(all.uri(), "/two");
    assert_eq!(all.uri(), "/three");
    assert_eq!(failures.uri(), "/three");

    running.observer.stop();
    assert_eq!(all.chunk(), None);
    assert_eq!(failures.chunk(), None);
}

#[test]
fn what_a_session_follows_ends_with_it() {
    let running = Running::start();
    let browser = Browser::logged_in(&running, running.token.as_str());
    let others = Browser::logged_in(&running, running.viewer.as_str());
    let open = |browser: &Browser<'_>, path: &str| {
        let mut stream = wire::connect(running.control.addr());
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {}\r\n\r\n", browser.cookie);
        stream.write_all(request.as_bytes()).unwrap();
        let mut stream = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(stream.read_line(&mut head).unwrap(), 0, "{head}");
        }
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        stream
    };
    let mine = ["/live/tail", "/live/pulse", "/api/tail"].map(|path| open(&browser, path));
    let mut theirs = open(&others, "/live/tail");
    assert_eq!(browser.submit("/logout", "").status, 303);
    for mut stream in mine {
        let mut rest = String::new();
        // the connection may stay: the last chunk is the end
        while !rest.ends_with("0\r\n\r\n") && stream.read_line(&mut rest).unwrap() > 0 {}
        assert!(rest.ends_with("0\r\n\r\n"), "{rest:?}");
    }
    running.lane.lock().unwrap().record(records::refused("/still"));
    let mut seen = String::new();
    while !seen.contains("/still") {
        assert_ne!(theirs.read_line(&mut seen).unwrap(), 0, "{seen}");
    }
}

#[test]
fn only_so_many_tails_are_open_at_once() {
    let running = Running::start();
    let mut open: Vec<_> = (0..16).map(|_| Tail::open(&running, "").0).collect();
    let refused = running.call("GET", "/api/tail");
    assert_eq!((refused.status, refused.failure()), (429, 10429));
    // closing one makes room, as soon as the server has noticed
    drop(open.pop());
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    loop {
        let (_, head) = Tail::open(&running, "");
        if head.starts_with("HTTP/1.1 200 ") {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "{head}");
    }
}
