//! Bodies: every framing in each direction, large ones, both ways at once, no faster than the slower side, no later
//! than they come.

use std::time::Duration;

use rayline_testkit::{Response, Script, Step};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::by_hand::{ByHand, listen};
use crate::scene::{HOST, Scene};

const LARGE: usize = 20 << 20;
/// More than the kernel and the edge together can hold of a body that nobody reads.
const TOO_MUCH: usize = 256 << 20;
/// No byte was taken for that long: nobody will take one.
const STUCK: Duration = Duration::from_millis(400);

/// Bytes in which every place can be told from its neighbours.
fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at ^ (at >> 8) ^ (at >> 16)).to_le_bytes()[0]).collect()
}

/// Writes until nothing is taken any more, and counts.
async fn fill(mut stream: impl AsyncWriteExt + Unpin) -> usize {
    let piece = vec![b'x'; 64 * 1024];
    let mut taken = 0;
    while taken < TOO_MUCH {
        match timeout(STUCK, stream.write(&piece)).await {
            Ok(count) => taken += count.expect("the edge stays"),
            Err(_) => return taken,
        }
    }
    taken
}

async fn ask(scene: &Scene, version: &str, method: &str, more: &str) -> Response {
    let mut visitor = scene.visitor().await;
    let request = format!("{method} / HTTP/{version}\r\nHost: {HOST}\r\n{more}Connection: close\r\n\r\n");
    visitor.send(request).await.expect("the edge reads");
    visitor.read_response(method).await
}

#[tokio::test]
async fn every_framing_becomes_one_that_the_visitor_reads() {
    for (script, has_length) in [
        (Script::ok_length(300_000), true),
        (Script::ok_chunked(300_000), false),
        (Script::ok_to_close(300_000), false),
    ] {
        let scene = Scene::with(script).start();
        for version in ["1.0", "1.1"] {
            let response = ask(&scene, version, "GET", "").await;
            assert_eq!((response.status(), response.whole), (Some(200), true), "{version}");
            assert!(response.body.iter().zip(0_usize..).all(|(byte, at)| usize::from(byte - b'a') == at % 26));
            assert_eq!(response.body.len(), 300_000);
            let length = has_length.then_some("300000");
            let coding = (!has_length && version == "1.1").then_some("chunked");
            assert_eq!((response.field("content-length"), response.field("transfer-encoding")), (length, coding));
            let record = scene.record_of(&response).await;
            assert!(record["VerdictCode"].is_null(), "{record:#}");
            assert!(record["EdgeResponseBytes"].as_u64() > Some(300_000), "{record:#}");
        }
    }
}

#[tokio::test]
async fn every_framing_of_a_request_reaches_the_origin() {
    let scene = Scene::with(Script::ok()).start();
    let chunks = "3;extension=1\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n";
    for (version, framing, body, length, coding) in [
        ("1.1", "Content-Length: 5\r\n", "hello", Some("5"), None),
        ("1.0", "Content-Length: 5\r\n", "hello", Some("5"), None),
        ("1.1", "Content-Length: 0\r\n", "", Some("0"), None),
        ("1.1", "Transfer-Encoding: chunked\r\n", chunks, None, Some("chunked")),
        ("1.1", "", "", None, None),
    ] {
        let mut visitor = scene.visitor().await;
        let request = format!("POST / HTTP/{version}\r\nHost: {HOST}\r\n{framing}Connection: close\r\n\r\n{body}");
        visitor.send(request).await.expect("the edge reads");
        let response = visitor.read_response("POST").await;
        let size = if body.is_empty() { 0 } else { 5 };
        assert!(response.text().ends_with(&format!("({size} bytes of body)\n")), "{}", response.text());
        let seen = scene.origin.as_ref().and_then(|origin| origin.last()).expect("a request");
        assert_eq!((seen.head.field("content-length"), seen.head.field("transfer-encoding")), (length, coding));
        assert_eq!(scene.record_of(&response).await["ClientRequestBodyBytes"], size);
    }
}

#[tokio::test]
async fn a_large_body_goes_up_and_down_at_once() {
    let scene = Scene::with(Script::echo_body()).start();
    let sent = pattern(LARGE);
    for chunked in [false, true] {
        let stream = ByHand::connect(scene.http).await.stream;
        let (mut from_edge, mut to_edge) = stream.into_split();
        let framing =
            if chunked { "Transfer-Encoding: chunked".to_owned() } else { format!("Content-Length: {LARGE}") };
        let head = format!("POST / HTTP/1.1\r\nHost: {HOST}\r\n{framing}\r\nConnection: close\r\n\r\n");
        let body = sent.clone();
        let sending = tokio::spawn(async move {
            to_edge.write_all(head.as_bytes()).await?;
            for piece in body.chunks(50_000) {
                if chunked {
                    to_edge.write_all(format!("{:x}\r\n", piece.len()).as_bytes()).await?;
                }
                to_edge.write_all(piece).await?;
                if chunked {
                    to_edge.write_all(b"\r\n").await?;
                }
            }
            if chunked {
                to_edge.write_all(b"0\r\n\r\n").await?;
            }
            std::io::Result::Ok(to_edge)
        });
        let mut received = Vec::new();
        from_edge.read_to_end(&mut received).await.expect("a good end");
        sending.await.expect("no panic").expect("the edge reads");
        let start = received.windows(4).position(|window| window == b"\r\n\r\n").expect("a head") + 4;
        assert!(received.starts_with(b"HTTP/1.1 200 OK\r\n"));
        let content = if chunked { join_chunks(&received[start..]) } else { received[start..].to_vec() };
        assert!(content == sent, "{} of {LARGE} bytes came back, or not the same ones", content.len());
    }
}

fn join_chunks(mut bytes: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    loop {
        let line = bytes.windows(2).position(|window| window == b"\r\n").expect("a size line");
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[..line]).expect("digits"), 16).expect("a size");
        bytes = &bytes[line + 2..];
        if size == 0 {
            assert_eq!(bytes, b"\r\n", "nothing behind the last chunk");
            return content;
        }
        content.extend_from_slice(&bytes[..size]);
        assert_eq!(&bytes[size..size + 2], b"\r\n", "the end of a chunk");
        bytes = &bytes[size + 2..];
    }
}

#[tokio::test]
async fn a_large_chunked_body_survives_a_slow_reader() {
    // Reads of odd sizes out of a small window: the edge's writes end anywhere, within a chunk's frame too.
    let scene = Scene::with(Script::ok_chunked(3 << 20)).start();
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4096).expect("an option");
    let mut stream = socket.connect(scene.http).await.expect("the edge accepts");
    stream.write_all(Scene::request("GET", "/", "").as_bytes()).await.expect("the edge reads");
    let mut received = Vec::new();
    let mut piece = vec![0; 1777];
    loop {
        match stream.read(&mut piece).await.expect("a good end") {
            0 => break,
            count => received.extend_from_slice(&piece[..count]),
        }
    }
    let start = received.windows(4).position(|window| window == b"\r\n\r\n").expect("a head") + 4;
    assert_eq!(join_chunks(&received[start..]).len(), 3 << 20);
}

#[tokio::test]
async fn a_large_body_of_known_length_survives_a_slow_reader() {
    let (listener, address) = listen().await;
    let scene = Scene::before(address).start();
    let playing = tokio::spawn(async move {
        let mut origin = ByHand::accept(&listener).await;
        for _ in 0..2 {
            origin.head().await;
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LARGE}\r\n\r\n");
            origin.stream.write_all(head.as_bytes()).await.expect("the edge reads");
            // What comes in one piece and what comes in small ones, with a pause so that each is read by itself.
            for (at, piece) in pattern(LARGE).chunks(3_333_333).enumerate() {
                let size = if at % 2 == 0 { piece.len() } else { 70_001 };
                for part in piece.chunks(size) {
                    origin.stream.write_all(part).await.expect("the edge reads");
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        origin
    });
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(64 * 1024).expect("an option");
    let mut visitor = ByHand::over(socket.connect(scene.http).await.expect("the edge accepts"));
    for piece in [1777, 1 << 20] {
        visitor.send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n")).await;
        let head = visitor.head().await;
        let mut received = std::mem::take(&mut visitor.buffer);
        let mut buffer = vec![0; piece];
        while received.len() < LARGE {
            let count = timeout(Duration::from_secs(20), visitor.stream.read(&mut buffer)).await.expect("more");
            received.extend_from_slice(&buffer[..count.expect("a piece")]);
        }
        assert!(received == pattern(LARGE), "{} of {LARGE} bytes came, or not the same ones", received.len());
        let ray = head.lines().find_map(|line| line.strip_prefix("cf-ray: ")).expect("a Ray ID").to_owned();
        let record = scene.record_where(|record| ray.starts_with(record["RayID"].as_str().unwrap_or("-"))).await;
        assert_eq!(
            (&record["EdgeResponseBodyBytes"], &record["VerdictCode"]),
            (&LARGE.into(), &serde_json::Value::Null)
        );
        assert_eq!(record["EdgeResponseBytes"], LARGE + head.len());
    }
    playing.await.expect("one connection for both");
}

/// Bytes that went past the edge unread are counted as what they are, and whoever leaves among them has left.
#[tokio::test]
async fn a_visitor_may_leave_a_large_body() {
    let scene = Scene::with(Script::ok_length(64 << 20)).start();
    let mut visitor = ByHand::connect(scene.http).await;
    visitor.send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n")).await;
    visitor.head().await;
    while visitor.buffer.len() < 4 << 20 {
        visitor.stream.read_buf(&mut visitor.buffer).await.expect("a piece");
    }
    drop(visitor);
    let record = scene.record_where(|record| record["EdgeResponseStatus"] == 200).await;
    assert_eq!(record["VerdictCode"], "visitor.reply.gone", "{record:#}");
    let (sent, whole) = (record["EdgeResponseBodyBytes"].as_u64(), 64 << 20);
    assert!(sent >= Some(4 << 20) && sent < Some(whole), "{record:#}");
}

#[tokio::test]
async fn an_upload_goes_on_while_the_visitor_does_not_read() {
    // The origin answers first and reads then; the visitor sends everything first and reads then.
    let (listener, address) = listen().await;
    let scene = Scene::before(address).start();
    let playing = tokio::spawn(async move {
        let mut origin = ByHand::accept(&listener).await;
        origin.head().await;
        let mut taken = origin.buffer.len();
        let (mut read, mut write) = origin.stream.into_split();
        let answering = tokio::spawn(async move {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LARGE}\r\n\r\n");
            write.write_all(head.as_bytes()).await?;
            write.write_all(&pattern(LARGE)).await?;
            std::io::Result::Ok(write)
        });
        let mut piece = vec![0; 64 * 1024];
        while taken < LARGE {
            taken += timeout(Duration::from_secs(10), read.read(&mut piece)).await.expect("more").expect("a piece");
        }
        answering.await.expect("no panic").expect("the edge reads")
    });
    let mut visitor = scene.visitor().await;
    let head = format!("POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {LARGE}\r\n\r\n");
    visitor.send(head).await.expect("the edge reads");
    visitor.send(pattern(LARGE)).await.expect("the edge reads");
    let response = visitor.read_response("POST").await;
    assert!(response.whole && response.body == pattern(LARGE), "{:?}", response.end);
    playing.await.expect("no panic");
    let record = scene.record_of(&response).await;
    assert_eq!((&record["ClientRequestBodyBytes"], &record["VerdictCode"]), (&LARGE.into(), &serde_json::Value::Null));
}

#[tokio::test]
async fn an_origin_that_stops_reading_stops_the_visitor() {
    let scene = Scene::with(Script::read_some_then_stop(1000)).start();
    let mut visitor = ByHand::connect(scene.http).await;
    visitor.send(format!("POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 99999999\r\n\r\n")).await;
    let taken = fill(&mut visitor.stream).await;
    assert!(taken < 32 << 20, "{taken} bytes went into buffers");
}

#[tokio::test]
async fn a_visitor_that_stops_reading_stops_the_origin() {
    let (listener, address) = listen().await;
    let scene = Scene::before(address).start();
    for framing in ["Content-Length: 999999999", "Connection: close"] {
        let mut visitor = ByHand::connect(scene.http).await;
        visitor.send(Scene::request("GET", "/", "")).await;
        let mut origin = ByHand::accept(&listener).await;
        origin.head().await;
        origin.send(format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\n")).await;
        let taken = fill(&mut origin.stream).await;
        assert!(taken < 32 << 20, "{taken} bytes went into buffers");
    }
}

#[tokio::test]
async fn events_arrive_as_they_are_sent() {
    let (listener, address) = listen().await;
    let scene = Scene::before(address).start();
    for framing in ["Transfer-Encoding: chunked", "Connection: close"] {
        let mut visitor = ByHand::connect(scene.http).await;
        visitor.send(Scene::request("GET", "/", "")).await;
        let mut origin = ByHand::accept(&listener).await;
        origin.head().await;
        origin.send(format!("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n{framing}\r\n\r\n")).await;
        // The head does not wait for the first event either.
        assert!(visitor.head().await.contains("text/event-stream"));
        for n in 0..5 {
            let event = format!("data: {n}\n\n");
            let sent =
                if framing.starts_with("T") { format!("{:x}\r\n{event}\r\n", event.len()) } else { event.clone() };
            origin.send(sent).await;
            visitor.until(&event).await;
        }
        drop(visitor);
        let mut closed = [0];
        let count = timeout(Duration::from_secs(5), origin.stream.read(&mut closed)).await;
        assert!(matches!(count.expect("the edge leaves with the visitor"), Ok(0) | Err(_)));
    }
}

#[tokio::test]
async fn an_upload_arrives_as_it_is_sent() {
    let (listener, address) = listen().await;
    let scene = Scene::before(address).start();
    let mut visitor = ByHand::connect(scene.http).await;
    visitor.send(format!("POST / HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\n")).await;
    let mut origin = ByHand::accept(&listener).await;
    origin.head().await;
    for n in 0..5 {
        visitor.send(format!("7\r\npiece {n}\r\n")).await;
        origin.until(&format!("7\r\npiece {n}\r\n")).await;
    }
    visitor.send("0\r\nDigest: abc\r\nCF-Connecting-IP: 192.0.2.1\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n").await;
    assert_eq!(origin.until("\r\n\r\n").await, "0\r\nDigest: abc\r\n\r\n");
    origin.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    assert!(visitor.head().await.starts_with("HTTP/1.1 200 OK\r\n"));
}

#[tokio::test]
async fn trailers_reach_the_visitor() {
    let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Digest\r\n\r\n\
                  5\r\nhello\r\n0\r\nDigest: abc\r\nX-More: 1\r\nCF-Ray: 0000000000000000-XXX\r\n\r\n";
    let script = Script::new("trailers", "ends with trailers", [Step::ReadHead, Step::send(answer)]);
    let scene = Scene::with(script).start();
    for _ in 0..2 {
        let response = ask(&scene, "1.1", "GET", "TE: trailers\r\n").await;
        assert_eq!((response.text().as_str(), response.whole), ("hello", true));
        assert_eq!((response.trailers.field("digest"), response.trailers.field("x-more")), (Some("abc"), Some("1")));
        assert_eq!(response.trailers.field("cf-ray"), None);
    }
    let seen = scene.origin.as_ref().and_then(|origin| origin.last()).expect("a request");
    assert_eq!((seen.head.field("te"), seen.head.field("connection")), (Some("trailers"), Some("TE")));
    assert_eq!(seen.connection, 1, "the connection is used again");
    let response = ask(&scene, "1.0", "GET", "").await;
    assert_eq!((response.text().as_str(), response.whole), ("hello", true));
}

#[tokio::test]
async fn answers_without_a_body_have_none() {
    let scene = Scene::with(Script::no_content()).start();
    let response = ask(&scene, "1.1", "GET", "").await;
    assert_eq!((response.status(), response.field("content-length")), (Some(204), None));
    assert_eq!(response.field("transfer-encoding"), None);
    // RFC 9110 section 8.6: a 204 has no length, not even when the origin gives it one.
    let wrong = "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n";
    let scene =
        Scene::with(Script::new("wrong-204", "gives a 204 a length", [Step::ReadHead, Step::send(wrong)])).start();
    let response = ask(&scene, "1.1", "GET", "").await;
    assert_eq!((response.status(), response.field("content-length")), (Some(204), None));
    let scene = Scene::with(Script::conditional()).start();
    let response = ask(&scene, "1.1", "GET", "If-None-Match: \"v1\"\r\n").await;
    assert_eq!((response.status(), response.field("etag"), response.body.len()), (Some(304), Some("\"v1\""), 0));
    let response = ask(&scene, "1.1", "GET", "If-None-Match: \"v0\"\r\n").await;
    assert_eq!((response.status(), response.text().as_str()), (Some(200), "version 1\n"));
}

#[tokio::test]
async fn head_has_the_fields_without_the_body() {
    let scene = Scene::with(Script::ok_length(1000)).start();
    let mut visitor = ByHand::connect(scene.http).await;
    visitor.send(Scene::request("HEAD", "/", "")).await;
    assert!(visitor.head().await.contains("\r\nContent-Length: 1000\r\n"));
    assert_eq!(visitor.rest().await, b"");
    // A page of ours too.
    let mut visitor = ByHand::connect(scene.http).await;
    visitor.send("HEAD / HTTP/1.1\r\nHost: unknown.test\r\nConnection: close\r\n\r\n").await;
    let head = visitor.head().await;
    assert!(head.starts_with("HTTP/1.1 409 ") && head.contains("\r\ncontent-length: "), "{head}");
    assert_eq!(visitor.rest().await, b"");
}

#[tokio::test]
async fn ranges_and_redirects_pass() {
    let scene = Scene::with(Script::ranges(1000)).start();
    for (range, status, content_range, length) in [
        ("bytes=10-19", 206, "bytes 10-19/1000", 10),
        ("bytes=-5", 206, "bytes 995-999/1000", 5),
        ("bytes=2000-", 416, "bytes */1000", 0),
    ] {
        let response = ask(&scene, "1.1", "GET", &format!("Range: {range}\r\n")).await;
        assert_eq!((response.status(), response.field("content-range")), (Some(status), Some(content_range)));
        assert_eq!((response.body.len(), response.whole), (length, true));
    }
    let scene = Scene::with(Script::redirect("https://elsewhere.test/x?y#z")).start();
    let response = ask(&scene, "1.1", "GET", "").await;
    assert_eq!((response.status(), response.field("location")), (Some(302), Some("https://elsewhere.test/x?y#z")));
    assert!(scene.record_of(&response).await["VerdictCode"].is_null());
}
