//! Origins that do everything right.

use rayline_testkit::http2::{Frame, Heard, Visitor, flag, kind, setting};
use rayline_testkit::{Authority, Flaw, Origin, Script, Tls, TlsVisitor, Visitor as Http1};

use super::{HOST, get, heard, meet, response, shown};
use crate::ask::{BRIEF, GET};

#[tokio::test]
async fn the_request_is_shown_and_remembered() {
    let (origin, mut visitor) = meet(Script::http2_ok()).await;
    let response = visitor.request("GET", "/a?b", HOST).await.unwrap();
    assert_eq!((response.status(), response.whole()), (Some(200), true));
    assert!(response.text().contains("GET /a?b HTTP/2\r\n:method: GET\r\n"), "{}", response.text());
    let posted = visitor.post("/form", HOST, &vec![b'x'; 200_000]).await.unwrap();
    assert!(posted.text().ends_with("(200000 bytes of body)\n"), "{}", posted.text());
    let head = visitor.request("HEAD", "/", HOST).await.unwrap();
    assert_eq!((head.status(), head.body.len(), head.whole()), (Some(200), 0, true));
    let seen = origin.last().unwrap();
    assert_eq!((seen.connection, seen.stream, seen.head.field(":authority")), (1, Some(5), Some(HOST)));
    assert_eq!(origin.requests(), 3);
}

#[tokio::test]
async fn bodies_are_longer_than_windows() {
    let whole = response(Script::http2_ok_length(300_000)).await;
    assert_eq!((whole.body.len(), whole.field("content-length")), (300_000, Some("300000")));
    assert!(whole.whole() && whole.body.starts_with(b"abc"));
    // a visitor that gives nothing back gets a window full
    let origin = Origin::start(Script::http2_ok_length(300_000)).unwrap();
    let mut visitor = Visitor::connect(origin.addr()).await.unwrap().patience(BRIEF).without_windows();
    let part = visitor.request("GET", "/", HOST).await.unwrap();
    assert_eq!((part.body.len(), part.whole()), (65_535, false));
}

#[tokio::test]
async fn an_echo_comes_while_the_body_goes() {
    let (_origin, mut visitor) = meet(Script::http2_echo()).await;
    let body: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();
    assert!(visitor.post("/", HOST, &body).await.unwrap().body == body);
    for script in [Script::grpc_stream(), Script::http2_connect()] {
        let (_origin, mut visitor) = meet(script).await;
        let stream = visitor.open(&get("/"), false).await.unwrap();
        for message in ["one", "two"] {
            visitor.send_body(stream, message.as_bytes(), false).await.unwrap();
            let back = visitor.until(|heard| matches!(heard, Heard::Data { .. })).await;
            assert!(matches!(back, Heard::Data { bytes, .. } if bytes == message));
        }
        visitor.send_body(stream, b"", true).await.unwrap();
        assert!(visitor.read_response(stream).await.whole());
    }
}

#[tokio::test]
async fn trailers_and_interim_heads_have_their_places() {
    let trailed = response(Script::http2_trailers()).await;
    assert_eq!((trailed.text().as_str(), trailed.trailer("x-checksum")), ("hello\n", Some("5d41402a")));
    let hinted = response(Script::http2_interim_then_ok()).await;
    assert_eq!((hinted.interim.len(), hinted.status()), (1, Some(200)));
    assert_eq!(hinted.interim[0][0], (":status".to_owned(), "103".to_owned()));
}

#[tokio::test]
async fn grpc_has_its_status_in_trailers() {
    let (_origin, mut visitor) = meet(Script::grpc_unary()).await;
    let answer = visitor.post("/a.B/C", HOST, b"\0\0\0\0\x02hi").await.unwrap();
    assert_eq!((answer.body.as_slice(), answer.trailer("grpc-status")), (&b"\0\0\0\0\x02hi"[..], Some("0")));
    assert_eq!(answer.field("content-type"), Some("application/grpc"));
    let failed = response(Script::grpc_error()).await;
    assert_eq!((failed.field("grpc-status"), failed.body.len(), failed.whole()), (Some("14"), 0, true));
}

#[tokio::test]
async fn the_most_streams_at_once_are_counted_and_those_beyond_refused() {
    let (origin, mut visitor) = meet(Script::http2_capped(2)).await;
    let settings = visitor.until(|heard| matches!(heard, Heard::Settings(_))).await;
    assert_eq!(settings, Heard::Settings(vec![(setting::MAX_CONCURRENT_STREAMS, 2)]));
    let mut streams = Vec::new();
    for _ in 0..3 {
        streams.push(visitor.open(&get("/"), true).await.unwrap());
    }
    let mut whole = Vec::new();
    for stream in streams {
        whole.push(visitor.read_response(stream).await.whole());
    }
    assert_eq!(whole, [true, true, false]);
    assert_eq!((origin.counts().peak_streams, origin.requests()), (3, 2));
    assert!(visitor.request("GET", "/", HOST).await.unwrap().whole(), "a place was free again");
}

#[tokio::test]
async fn a_retiring_connection_answers_what_it_has_taken() {
    let (origin, mut visitor) = meet(Script::http2_retiring(2)).await;
    let fields = get("/");
    let frames = [1, 3, 5].map(|stream| Frame::headers(stream, fields, true));
    visitor.send_all(&frames).await.unwrap();
    assert!(visitor.read_response(1).await.whole());
    assert!(visitor.read_response(3).await.whole());
    assert!(!visitor.read_response(5).await.whole());
    assert_eq!(origin.requests(), 2);
    let mut again = Visitor::connect(origin.addr()).await.unwrap();
    assert!(again.request("GET", "/", HOST).await.unwrap().whole());
}

#[tokio::test]
async fn unknown_frames_and_padding_do_not_hide_the_answer() {
    let all = heard(Script::http2_unknown()).await;
    let unknown = all.iter().filter(|heard| matches!(heard, Heard::Other(frame) if frame.kind == 0xbe)).count();
    assert_eq!(unknown, 4);
    assert!(all.contains(&Heard::Settings(vec![(0xabcd, u32::MAX)])) && all.contains(&Heard::Ping(*b"rayline?")));
    assert!(response(Script::http2_unknown()).await.whole());
    let padded = response(Script::http2_padded()).await;
    assert_eq!((padded.text().as_str(), padded.whole()), ("padded\n", true));
    assert!(shown(&heard(Script::http2_padded()).await).contains(&"data 1 7".to_owned()));
}

#[tokio::test]
async fn requests_may_come_in_pieces_with_padding_and_priority() {
    let (origin, mut visitor) = meet(Script::http2_ok()).await;
    let block = rayline_testkit::http2::encode(get("/pieces"));
    let mut frames = Frame::block(1, &block, 10, true);
    let padded = [&[2, 0, 0, 0, 0, 15][..], &frames[0].payload, &[0; 2]].concat();
    frames[0].payload = padded.into();
    frames[0].flags |= flag::PADDED | flag::PRIORITY;
    assert!(frames.len() > 5 && frames[1].kind == kind::CONTINUATION);
    visitor.send_all(&frames).await.unwrap();
    assert!(visitor.read_response(1).await.whole());
    assert_eq!(origin.last().unwrap().head.word(1), Some("/pieces"));
}

#[tokio::test]
async fn alpn_decides_what_is_spoken() {
    let authority = Authority::new("Rayline Test").unwrap();
    let good = authority.issue(Flaw::None, &[HOST]).unwrap();
    let trusting = TlsVisitor::new(HOST).trusting(&authority);
    let script = Script::http2_or_http1().over_tls(Tls::new(&good).speaking(&["h2", "http/1.1"]));
    let origin = Origin::start(script).unwrap();

    let mut visitor = Visitor::connect_tls(origin.addr(), &trusting).await.unwrap();
    assert!(visitor.request("GET", "/", HOST).await.unwrap().text().starts_with("GET / HTTP/2\r\n"));
    assert_eq!(origin.last().unwrap().tls.unwrap().protocol.as_deref(), Some("h2"));
    for tls in [trusting.clone().offering(&["http/1.1"]), trusting.clone()] {
        let mut visitor = Http1::connect_tls(origin.addr(), &tls).await.unwrap();
        visitor.send(GET).await.unwrap();
        assert!(visitor.read_response("GET").await.text().starts_with("GET / HTTP/1.1\r\n"));
        assert_eq!(origin.last().unwrap().tls.unwrap().protocol, visitor.protocol());
    }
    let only = Origin::start(Script::ok().over_tls(Tls::new(&good).speaking(&["http/1.1"]))).unwrap();
    assert!(Visitor::connect_tls(only.addr(), &trusting).await.is_err(), "nothing in common");
    let deaf = Origin::start(Script::ok().over_tls(Tls::new(&good))).unwrap();
    let error = Visitor::connect_tls(deaf.addr(), &trusting).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::Unsupported);
}
