//! Origins that do everything right.

use std::time::{Duration, Instant};

use rayline_testkit::{Answer, Body, End, Framing, Origin, Script, Visitor};

use crate::ask::{BRIEF, GET, response, responses};

#[tokio::test]
async fn ok_shows_the_request_as_it_arrived() {
    let request = "POST /a?b HTTP/1.1\r\nHost: origin.test\r\ncf-RAY: 1\r\nContent-Length: 4\r\n\r\nbody";
    let all = responses(Script::ok(), &[request, GET]).await;
    assert_eq!(all[0].status(), Some(200));
    assert!(all[0].text().starts_with(request.trim_end_matches("body")), "{}", all[0].text());
    assert!(all[0].text().ends_with("(4 bytes of body)\n"));
    assert!(all.iter().all(|response| response.whole && response.end.is_none()));
}

#[tokio::test]
async fn bodies_are_framed_in_three_ways() {
    let all = [Script::ok_length(100_000), Script::ok_chunked(100_000), Script::ok_to_close(100_000)];
    let framings = [("content-length", "100000"), ("transfer-encoding", "chunked"), ("connection", "close")];
    for (script, (name, value)) in all.into_iter().zip(framings) {
        let response = response(script).await;
        assert_eq!(response.field(name), Some(value));
        assert!(response.whole);
        assert_eq!(response.body.len(), 100_000);
        assert_eq!(&response.body[..30], b"abcdefghijklmnopqrstuvwxyzabcd");
        assert_eq!(response.body[99_999], b'a' + (99_999 % 26) as u8);
    }
}

#[tokio::test]
async fn http10_gets_no_chunks() {
    let request = "GET / HTTP/1.0\r\n\r\n";
    let all = responses(Script::ok_chunked(10), &[request]).await;
    assert_eq!(all[0].text(), "abcdefghij");
    assert_eq!(all[0].end, Some(End::Closed));
    assert_eq!(all[0].field("transfer-encoding"), None);
}

#[tokio::test]
async fn head_gets_the_head_alone() {
    for script in [Script::ok_length(10), Script::ok_chunked(10), Script::status(503)] {
        let name = script.name();
        let all = responses(script, &["HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", GET]).await;
        assert!(all[0].whole && all[1].whole, "{name}");
        assert_eq!(all[0].head, all[1].head, "{name}");
        assert!(all[0].body.is_empty() && !all[1].body.is_empty(), "{name}");
    }
}

#[tokio::test]
async fn a_body_is_sent_back_while_it_arrives() {
    let origin = Origin::start(Script::echo_body()).unwrap();
    let mut visitor = Visitor::connect(origin.addr()).await.unwrap();
    visitor.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").await.unwrap();
    // the first half of the echo has come back before the second half of the request is sent
    visitor.send("5\r\nhello\r\n").await.unwrap();
    let mut visitor = visitor.patience(BRIEF);
    let first = visitor.read_response("POST").await;
    assert_eq!((first.text().as_str(), first.end, first.whole), ("hello", Some(End::Silent), false));
    visitor.send("6;x=y\r\n again\r\n0\r\nX-Trailer: t\r\n\r\n").await.unwrap();
    let rest = visitor.read_to_end().await;
    assert_eq!(rest.bytes, b"6\r\n again\r\n0\r\n\r\n");
    let sized = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
    let all = responses(Script::echo_body(), &[sized, GET]).await;
    assert_eq!((all[0].text().as_str(), all[0].field("content-length")), ("hello", Some("5")));
    assert_eq!((all[1].text().as_str(), all[1].field("content-length")), ("", Some("0")));
}

#[tokio::test]
async fn a_client_that_waits_for_100_gets_it() {
    let origin = Origin::start(Script::ok()).unwrap();
    let mut visitor = Visitor::connect(origin.addr()).await.unwrap();
    visitor.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n").await.unwrap();
    let mut visitor = visitor.patience(BRIEF);
    let first = visitor.read_response("POST").await;
    assert_eq!((first.interim.len(), first.end), (1, Some(End::Silent)));
    visitor.send("ab").await.unwrap();
    assert_eq!(visitor.read_response("POST").await.status(), Some(200));
    let origin = Origin::start(Script::truncated_body(10, 1)).unwrap();
    let mut visitor = Visitor::connect(origin.addr()).await.unwrap().patience(BRIEF);
    visitor.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n").await.unwrap();
    assert_eq!(visitor.read_response("POST").await.interim.len(), 1);
}

#[tokio::test]
async fn events_come_one_by_one() {
    let origin = Origin::start(Script::events(Duration::from_millis(20))).unwrap();
    let mut visitor = Visitor::connect(origin.addr()).await.unwrap().patience(BRIEF);
    visitor.send("GET / HTTP/1.0\r\n\r\n").await.unwrap();
    let body = Answer::status(200).body(Body::Events(Duration::ZERO, Some(3)));
    let ended = response(Script::answer("three-events", "sends three events", body)).await;
    assert_eq!(ended.text(), "id: 1\ndata: event 1\n\nid: 2\ndata: event 2\n\nid: 3\ndata: event 3\n\n");
    assert!(ended.whole);
    let two = tokio::time::timeout(Duration::from_millis(100), visitor.read_to_end()).await;
    assert!(two.is_err(), "endless events came to an end");
}

#[tokio::test]
async fn ranges_are_answered() {
    let ask = |range: &str| format!("GET / HTTP/1.1\r\nHost: a\r\nRange: {range}\r\n\r\n");
    let requests = [ask("bytes=26-28"), ask("bytes=-2"), ask("bytes=200-"), ask("bytes=0-1,3-4")];
    let requests: Vec<&str> = requests.iter().map(String::as_str).collect();
    let all = responses(Script::ranges(100), &requests).await;
    let told: Vec<_> = all.iter().map(|r| (r.status(), r.field("content-range"), r.body.len())).collect();
    assert_eq!(
        told,
        [
            (Some(206), Some("bytes 26-28/100"), 3),
            (Some(206), Some("bytes 98-99/100"), 2),
            (Some(416), Some("bytes */100"), 0),
            (Some(200), None, 100),
        ]
    );
    assert_eq!(all[0].text(), "abc");
}

#[tokio::test]
async fn conditions_are_met() {
    let all = responses(
        Script::conditional(),
        &[GET, "GET / HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"v0\", \"v1\"\r\n\r\n", GET],
    )
    .await;
    let told: Vec<_> = all.iter().map(|r| (r.status(), r.field("etag"), r.body.len(), r.whole)).collect();
    let tag = Some("\"v1\"");
    assert_eq!(told, [(Some(200), tag, 10, true), (Some(304), tag, 0, true), (Some(200), tag, 10, true)]);
}

#[tokio::test]
async fn no_content_has_no_length() {
    let all = responses(Script::no_content(), &[GET, GET]).await;
    assert_eq!(all[1].status(), Some(204));
    assert_eq!(all[1].field("content-length"), None);
}

#[tokio::test]
async fn statuses_and_redirects_are_its_own() {
    for status in [404, 500, 502, 503, 504, 520, 418] {
        let response = response(Script::status(status)).await;
        assert_eq!(response.status(), Some(status));
        assert!(response.text().contains(&status.to_string()));
    }
    assert_eq!(response(Script::redirect("/x")).await.field("location"), Some("/x"));
}

#[tokio::test]
async fn slow_is_slow_and_still_right() {
    let origin = Origin::start(Script::slow_ok(BRIEF)).unwrap();
    let begin = Instant::now();
    let response = Visitor::get(origin.addr(), "a", "/").await.unwrap();
    assert_eq!(response.status(), Some(200));
    assert!(begin.elapsed() >= BRIEF);
}

#[tokio::test]
async fn interim_responses_come_first() {
    let response = response(Script::interim_then_ok()).await;
    assert_eq!(response.interim.iter().map(|head| head.word(1).unwrap()).collect::<Vec<_>>(), ["100", "103"]);
    assert_eq!(response.status(), Some(200));
}

#[tokio::test]
async fn three_hundred_fields_are_sent() {
    let response = response(Script::many_fields()).await;
    assert!(response.head.fields.len() >= 300);
    assert_eq!(response.field("x-field-299"), Some("value"));
    assert!(response.whole);
}

#[tokio::test]
async fn without_keep_alive_the_connection_closes() {
    let answer = Answer::ok().framing(Framing::Chunked).close();
    for script in [Script::keep_alive_off(), Script::answer("own", "answers in chunks and closes", answer)] {
        let origin = Origin::start(script).unwrap();
        let mut visitor = Visitor::connect(origin.addr()).await.unwrap();
        visitor.send(GET).await.unwrap();
        let response = visitor.read_response("GET").await;
        assert_eq!((response.field("connection"), response.whole), (Some("close"), true));
        assert_eq!(visitor.read_to_end().await.end, End::Closed);
    }
}
