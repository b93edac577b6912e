//! Origins that end a stream or the connection.

use rayline_testkit::http2::{Code, Ending, Heard};
use rayline_testkit::{End, Origin, Script, Visitor as Http1};

use super::{HOST, Visitor, get, heard, meet, response, shown};

#[tokio::test]
async fn what_was_agreed_on_is_not_spoken() {
    for (script, end) in [(Script::http2_silent(), End::Silent), (Script::http2_close_at_once(), End::Closed)] {
        let name = script.name();
        assert_eq!(heard(script).await, [Heard::Closed(end)], "{name}");
    }
    let origin = Origin::start(Script::http2_speaks_http1()).unwrap();
    let mut wire = Http1::connect(origin.addr()).await.unwrap();
    wire.send(rayline_testkit::http2::PREFACE).await.unwrap();
    assert_eq!(wire.read_response("GET").await.status(), Some(400));
    let origin = Origin::start(Script::http2_garbage()).unwrap();
    let mut wire = Http1::connect(origin.addr()).await.unwrap();
    wire.send(rayline_testkit::http2::PREFACE).await.unwrap();
    assert_eq!(wire.read_to_end().await.bytes, [0xff; 64]);
}

#[tokio::test]
async fn the_connection_ends_under_the_request() {
    assert_eq!(response(Script::http2_close_before_head()).await.end, Ending::Closed(End::Closed));
    assert_eq!(response(Script::http2_connection_reset()).await.end, Ending::Closed(End::Reset));
    let half = response(Script::http2_close_in_body()).await;
    assert_eq!((half.body.len(), half.end), (100, Ending::Closed(End::Closed)));
}

#[tokio::test]
async fn a_reset_waits_for_many_streams() {
    let (_origin, mut visitor) = meet(Script::http2_reset_under_streams(3)).await;
    for _ in 0..2 {
        visitor.open(&get("/"), true).await.unwrap();
    }
    let silent = visitor.until(|heard| matches!(heard, Heard::Headers { .. })).await;
    assert_eq!(silent, Heard::Closed(End::Silent));
    visitor.open(&get("/"), true).await.unwrap();
    assert_eq!(visitor.next().await, Heard::Closed(End::Reset));
}

#[tokio::test]
async fn goaway_comes_with_every_code() {
    for code in Code::ALL {
        let all = heard(Script::http2_goaway(code)).await;
        assert_eq!(shown(&all), [format!("goaway 1 {code}"), "Closed(Closed)".to_owned()]);
    }
    let below = heard(Script::http2_goaway_unprocessed(Code::ENHANCE_YOUR_CALM)).await;
    assert_eq!(shown(&below)[0], "goaway 0 ENHANCE_YOUR_CALM");
    let debug = below.iter().any(|heard| matches!(heard, Heard::GoAway { debug, .. } if !debug.is_empty()));
    assert!(debug);
    assert_eq!(response(Script::http2_goaway_unprocessed(Code(77))).await.end, Ending::GoAway(Code(77)));
    let half = response(Script::http2_goaway_in_body(Code::INTERNAL_ERROR)).await;
    assert_eq!((half.body.len(), half.end), (100, Ending::Closed(End::Closed)));
}

#[tokio::test]
async fn streams_are_reset_with_every_code() {
    for code in Code::ALL {
        assert_eq!(response(Script::http2_reset(code)).await.end, Ending::Reset(code));
    }
    let half = response(Script::http2_reset_in_body(Code::CANCEL)).await;
    assert_eq!((half.body.len(), half.end), (100, Ending::Reset(Code::CANCEL)));
}

#[tokio::test]
async fn only_the_first_request_is_turned_away() {
    let (_origin, mut visitor) = meet(Script::http2_refused_once()).await;
    let first = visitor.request("GET", "/", HOST).await.unwrap();
    assert_eq!(first.end, Ending::Reset(Code::REFUSED_STREAM));
    assert!(visitor.request("GET", "/", HOST).await.unwrap().whole());

    let (origin, mut visitor) = meet(Script::http2_goaway_once()).await;
    assert_eq!(visitor.request("GET", "/", HOST).await.unwrap().end, Ending::GoAway(Code::NO_ERROR));
    let mut again = Visitor::connect(origin.addr()).await.unwrap();
    assert!(again.request("GET", "/", HOST).await.unwrap().whole());
}

#[tokio::test]
async fn an_early_answer_stops_the_body() {
    let (_origin, mut visitor) = meet(Script::http2_early_answer()).await;
    let response = visitor.post("/", HOST, &vec![0; 1 << 20]).await.unwrap();
    assert_eq!((response.status(), response.whole()), (Some(413), true));
    let reset = visitor.until(|heard| matches!(heard, Heard::RstStream { .. })).await;
    assert_eq!(reset, Heard::RstStream { stream: 1, code: Code::NO_ERROR });
}

#[tokio::test]
async fn resets_by_the_client_are_counted() {
    let (origin, mut visitor) = meet(Script::http2_stall_before_head()).await;
    let stream = visitor.open(&get("/"), true).await.unwrap();
    visitor.send(&rayline_testkit::http2::Frame::rst_stream(stream, Code::CANCEL)).await.unwrap();
    assert_eq!(origin.until(|counts| counts.resets == 1).await.unwrap().requests, 1);
}
