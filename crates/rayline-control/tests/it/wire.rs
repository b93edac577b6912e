//! A client that sends exactly what it is told, and reads what comes until the server closes.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// What the server answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// The body as the envelope that failures come in: its only error's number.
    #[track_caller]
    pub(crate) fn failure(&self) -> u64 {
        let body = self.json();
        assert_eq!(body["success"], false, "{body}");
        assert_eq!(body["result"], Value::Null);
        assert_eq!(body["messages"], serde_json::json!([]));
        assert!(body["errors"][0]["message"].as_str().is_some_and(|message| !message.is_empty()));
        body["errors"][0]["code"].as_u64().unwrap()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"), "{}", self.head);
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.filter(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }
}

/// Connects, with a deadline on everything that is read.
pub(crate) fn connect(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

/// One request on a connection of its own.
pub(crate) fn ask(addr: SocketAddr, method: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
    let mut request = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
    for (name, value) in fields {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    send(addr, format!("{request}\r\n").as_bytes())
}

/// These bytes on a connection of their own, and the answer. A reset after the answer is as good as a close.
pub(crate) fn send(addr: SocketAddr, bytes: &[u8]) -> Answer {
    let mut stream = connect(addr);
    let _ = stream.write_all(bytes);
    let mut received = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut piece) {
        received.extend_from_slice(&piece[..count]);
    }
    let text = String::from_utf8(received).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer but {text:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}
