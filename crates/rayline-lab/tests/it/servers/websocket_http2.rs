//! WebSockets to a real server that takes them over HTTP/2 (RFC 8441): Node, whose streams become tunnels that echo.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use rayline_lab::program::{HOST, Rayline, Setup};
use rayline_lab::servers::{Node, Place};
use rayline_testkit::{Authority, Flaw};
use serde_json::{Value, json};

use super::scene::{fine, started};

/// Node, which speaks HTTP/2 alone here. `ALLOWED` says whether a stream may become a tunnel.
const APP: &str = r#"
const fs = require('fs'), http2 = require('http2');
const app = http2.createSecureServer({
  key: fs.readFileSync('@FOLDER@/own.key'), cert: fs.readFileSync('@FOLDER@/own.pem'),
  settings: { enableConnectProtocol: ALLOWED },
});
app.on('stream', (stream, head) => {
  stream.on('error', () => {});
  if (head[':method'] !== 'CONNECT') { stream.respond({ ':status': 200 }); return stream.end('hello'); }
  if (head[':path'] !== '/chat') { stream.respond({ ':status': 404 }); return stream.end(); }
  stream.respond({ ':status': 200, 'sec-websocket-protocol': head[':protocol'] + ' ' + head[':scheme'] });
  stream.pipe(stream);
});
app.listen(@HTTPS_PORT@, '127.0.0.1', () => require('net').createServer().listen(@HTTP_PORT@, '127.0.0.1'));
"#;

fn node(allowed: bool) -> Option<Node> {
    let certificate = |place: &Place| {
        Authority::new("Lab")?.issue(Flaw::SelfSigned, &["*.example.com"])?.write_to(place.folder(), "own").map(drop)
    };
    started(Node::start_with(&APP.replace("ALLOWED", &allowed.to_string()), certificate))
}

#[track_caller]
fn edge(node: &Node) -> Rayline {
    let own = format!("origin_ca = [\"{}/own.pem\"]", node.folder().display());
    let setup = Setup::new().server("threads = 1").server(&own);
    setup.origin(node.http(), node.https(), "ssl = \"origin_pull\"").start().unwrap()
}

/// Asks for a WebSocket; the connection, and the head of the answer.
#[track_caller]
fn asks(edge: &Rayline, path: &str) -> (TcpStream, String) {
    let mut visitor = TcpStream::connect(edge.http().unwrap()).unwrap();
    visitor.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let asking = format!(
        "GET {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    visitor.write_all(asking.as_bytes()).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        visitor.read_exact(&mut byte).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&head)));
        head.extend(byte);
    }
    (visitor, String::from_utf8(head).unwrap())
}

/// The record of the request for this path.
#[track_caller]
fn record(edge: &Rayline, path: &str) -> Value {
    let asked = |record: &&Value| record["ClientRequestURI"] == path;
    edge.log_until(|log| log.iter().find(asked).cloned()).unwrap()
}

#[test]
fn a_stream_becomes_the_tunnel_beside_requests() {
    let Some(node) = node(true) else { return };
    let edge = edge(&node);
    // The first one finds out that Node allows it, the second one knows.
    for _ in 0..2 {
        let (mut visitor, head) = asks(&edge, "/chat");
        assert!(head.starts_with("HTTP/1.1 101 Switching Protocols\r\n"), "{head}");
        assert!(head.contains("\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), "{head}");
        assert!(head.contains("\r\nsec-websocket-protocol: websocket https\r\n"), "{head}");
        fine(edge.curl("/"), 200);
        let sent = vec![b'x'; 1 << 20];
        let mut writing = visitor.try_clone().unwrap();
        let writer = std::thread::spawn(move || {
            writing.write_all(&sent).unwrap();
            writing.shutdown(std::net::Shutdown::Write).unwrap();
        });
        let mut back = Vec::new();
        visitor.read_to_end(&mut back).unwrap();
        writer.join().unwrap();
        assert!(back == vec![b'x'; 1 << 20], "{} bytes", back.len());
    }
    let record = record(&edge, "/chat");
    assert_eq!((&record["EdgeResponseStatus"], &record["OriginResponseStatus"]), (&json!(101), &json!(200)));
    assert_eq!((&record["OriginProtocol"], &record["VerdictCode"]), (&json!("HTTP/2"), &Value::Null), "{record:#}");
}

#[test]
fn a_refusal_is_nodes_own() {
    let Some(node) = node(true) else { return };
    let edge = edge(&node);
    assert!(asks(&edge, "/other").1.starts_with("HTTP/1.1 404 "));
}

#[test]
fn one_that_allows_none_is_named() {
    let Some(node) = node(false) else { return };
    let edge = edge(&node);
    fine(edge.curl("/"), 200);
    assert!(asks(&edge, "/chat").1.starts_with("HTTP/1.1 525 "));
    let record = record(&edge, "/chat");
    assert_eq!(record["VerdictCode"], "origin.origin_tls.alert", "{record:#}");
    assert_eq!(record["VerdictEvidence"]["upgrade"]["got"], "HTTP/2 without extended CONNECT", "{record:#}");
}
