//! Requests that two readers in a row could take for different ones. Each is refused, the connection closed, and
//! nothing of what stands behind it is ever a request.

use rayline_testkit::Script;

use crate::scene::{Blame, HOST, Scene};

const AMBIGUOUS: &str = "visitor.request.ambiguous_framing";
const MALFORMED: &str = "visitor.request.malformed";
const UNSUPPORTED: &str = "visitor.request.unsupported_transfer_coding";
const BAD_HOST: &str = "visitor.request.bad_host";

/// What the refused request would hide.
const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nHost: shop.test\r\n\r\n";

/// Field lines behind the request line and `Host`, and the code they come to.
const HEADS: &[(&[u8], &str)] = &[
    // CL.TE and TE.CL
    (b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", AMBIGUOUS),
    (b"Transfer-Encoding: chunked\r\nContent-Length: 6\r\n", AMBIGUOUS),
    (b"Content-Length: 0\r\ntransfer-encoding: chunked\r\n", AMBIGUOUS),
    (b"Content-Length: 6\r\nTransfer-Encoding: identity\r\n", AMBIGUOUS),
    // TE.TE: the coding disguised
    (b"Transfer-Encoding: xchunked\r\n", AMBIGUOUS),
    (b"Transfer-Encoding: chunked, identity\r\n", AMBIGUOUS),
    (b"Transfer-Encoding: chunked, chunked\r\n", AMBIGUOUS),
    (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n", AMBIGUOUS),
    (b"Transfer-Encoding: ,chunked\r\n", AMBIGUOUS),
    (b"Transfer-Encoding: \"chunked\"\r\n", AMBIGUOUS),
    (b"Transfer-Encoding: chunked;q=1\r\n", AMBIGUOUS),
    (b"Transfer-Encoding:\r\n", AMBIGUOUS),
    (b"Transfer-Encoding: identity, chunked\r\n", UNSUPPORTED),
    (b"Transfer-Encoding : chunked\r\n", MALFORMED),
    (b"Transfer-Encoding\t: chunked\r\n", MALFORMED),
    (b"Transfer-Encoding: \x0bchunked\r\n", MALFORMED),
    (b"Transfer-Encoding: chunked\0\r\n", MALFORMED),
    (b"Transfer\0Encoding: chunked\r\n", MALFORMED),
    (b"Transfer\xffEncoding: chunked\r\n", MALFORMED),
    (b"Transfer-Encoding\r\n : chunked\r\n", MALFORMED),
    // lengths doubled, signed, spaced, overflowing
    (b"Content-Length: 6\r\nContent-Length: 5\r\n", AMBIGUOUS),
    (b"Content-Length: 6\r\nContent-Length: 6\r\n", AMBIGUOUS),
    (b"Content-Length: 6, 6\r\n", AMBIGUOUS),
    (b"Content-Length: 6,5\r\n", AMBIGUOUS),
    (b"Content-Length: +6\r\n", AMBIGUOUS),
    (b"Content-Length: -6\r\n", AMBIGUOUS),
    (b"Content-Length: 1 6\r\n", AMBIGUOUS),
    (b"Content-Length: 0x6\r\n", AMBIGUOUS),
    (b"Content-Length: 06\r\n", AMBIGUOUS),
    (b"Content-Length: 6.0\r\n", AMBIGUOUS),
    (b"Content-Length:\r\n", AMBIGUOUS),
    (b"Content-Length: 18446744073709551622\r\n", AMBIGUOUS),
    (b"Content-Length: 99999999999999999999999999\r\n", AMBIGUOUS),
    (b"Content-Length : 6\r\n", MALFORMED),
    (b"Content-Length: 6\0\r\n", MALFORMED),
    (b"Content-Length:\r\n 6\r\n", MALFORMED),
    // bare LF and CR, NUL, folded lines
    (b"X: y\nContent-Length: 6\r\n", MALFORMED),
    (b"X: y\rContent-Length: 6\r\n", MALFORMED),
    (b"X: y\r\rContent-Length: 6\r\n", MALFORMED),
    (b"X: y\n\nGET /hidden HTTP/1.1\r\nHost: shop.test\r\n", MALFORMED),
    (b"X: y\0z\r\n", MALFORMED),
    (b"X: y\r\n Content-Length: 6\r\n", MALFORMED),
    (b"X: y\r\n\tz\r\n", MALFORMED),
    (b"no colon\r\n", MALFORMED),
    (b": no name\r\n", MALFORMED),
    // a second host
    (b"Host: other.test\r\n", BAD_HOST),
    (b"Host: shop.test\r\n", BAD_HOST),
];

#[tokio::test]
async fn heads_that_two_readers_could_read_differently() {
    let scene = Scene::with(Script::ok()).start();
    for (lines, code) in HEADS {
        let status = if *code == UNSUPPORTED { 501 } else { 400 };
        let request = [b"POST / HTTP/1.1\r\nHost: ", HOST.as_bytes(), b"\r\n", lines, b"\r\n0\r\n\r\n"].concat();
        let blame = Blame::page(code, status).evidence(&["violation"]);
        let (response, record) = scene.refuses(&blame, [&request, HIDDEN.as_bytes()].concat()).await;
        assert_eq!(response.field("connection"), Some("close"));
        assert_eq!(record["VerdictReached"], "no", "{}", lines.escape_ascii());
    }
    assert_eq!(scene.origin.as_ref().unwrap().requests(), 0, "nothing reached the origin");
    assert_eq!(scene.records().len(), HEADS.len(), "nothing behind the requests was taken for another");
}

#[tokio::test]
async fn request_lines_that_two_readers_could_read_differently() {
    let scene = Scene::with(Script::ok()).start();
    let rows: [&[u8]; 8] = [
        b"GET /a\nb HTTP/1.1",
        b"GET /a\rb HTTP/1.1",
        b"GET /a\0b HTTP/1.1",
        b"GET\t/ HTTP/1.1",
        b"GET /a b HTTP/1.1",
        b"GET / HTTP/1.1 ",
        b" GET / HTTP/1.1",
        b"GET / HTTP/1.1\nX: y",
    ];
    for line in rows {
        let request = [line, b"\r\nHost: ", HOST.as_bytes(), b"\r\n\r\n", HIDDEN.as_bytes()].concat();
        scene.refuses(&Blame::page(MALFORMED, 400).evidence(&["violation"]), request).await;
    }
    assert_eq!(scene.origin.as_ref().unwrap().requests(), 0, "nothing reached the origin");
}

#[tokio::test]
async fn a_coding_in_http_1_0() {
    let scene = Scene::with(Script::ok()).start();
    let request = format!("POST / HTTP/1.0\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{HIDDEN}");
    scene.refuses(&Blame::page(AMBIGUOUS, 400).evidence(&["violation"]), request).await;
    assert_eq!(scene.origin.as_ref().unwrap().requests(), 0, "nothing reached the origin");
}

/// Bodies that another reader could end elsewhere.
const CHUNKS: &[&[u8]] = &[
    b"0x5\r\nhello\r\n0\r\n\r\n",
    b" 5\r\nhello\r\n0\r\n\r\n",
    b"5 \r\nhello\r\n0\r\n\r\n",
    b"+5\r\nhello\r\n0\r\n\r\n",
    b"-5\r\nhello\r\n0\r\n\r\n",
    b"\r\nhello\r\n0\r\n\r\n",
    b"5\nhello\r\n0\r\n\r\n",
    b"5\rhello\r\n0\r\n\r\n",
    b"5\r\nhello0\r\n\r\n",
    b"5\r\nhello\n0\r\n\r\n",
    b"5\r\nhelloworld\r\n0\r\n\r\n",
    b"5;\nhello\r\n0\r\n\r\n",
    b"5;a=\"\r\n\"\r\nhello\r\n0\r\n\r\n",
    b"5;a\0b\r\nhello\r\n0\r\n\r\n",
    b"10000000000000005\r\nhello\r\n0\r\n\r\n",
    b"fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
    b"5\r\nhello\r\n0\n\r\n",
    b"5\r\nhello\r\n0\r\n\n",
    b"5\r\nhello\r\n0\r\nContent-Length: 0\r\n\r\n",
    b"5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"5\r\nhello\r\n0\r\nx : y\r\n\r\n",
    b"5\r\nhello\r\n0\r\nx: y\n\r\n",
];

/// The head of a chunked request is passed on while its body is still coming, so the origin may see that; but never a
/// whole request, and nothing behind it.
#[tokio::test]
async fn chunks_that_two_readers_could_read_differently() {
    let scene = Scene::with(Script::stall_before_head()).start();
    for chunks in CHUNKS {
        let head = format!("POST / HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\n");
        let request = [head.as_bytes(), chunks, HIDDEN.as_bytes()].concat();
        let blame = Blame::page("visitor.request.body_malformed", 400).evidence(&["violation"]);
        let (response, _) = scene.refuses(&blame, request).await;
        assert_eq!(response.field("connection"), Some("close"));
    }
    let origin = scene.origin.as_ref().unwrap();
    origin.until(|counts| counts.open == 0).await.expect("each half request is cut off");
    for seen in origin.seen() {
        assert_eq!(seen.head.word(1), Some("/"), "the origin sees what was hidden: {seen:?}");
    }
    assert_eq!(scene.records().len(), CHUNKS.len(), "nothing behind the requests was taken for another");
}
