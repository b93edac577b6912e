//! Origins that fall silent, keep their windows shut, or send without an end.

use std::time::Duration;

use rayline_testkit::http2::{Code, Ending, Heard, setting};
use rayline_testkit::{End, Script};

use super::{HOST, get, meet, response};

#[tokio::test]
async fn silence_comes_before_the_head_or_in_the_body() {
    let none = response(Script::http2_stall_before_head()).await;
    assert_eq!((none.status(), none.end), (None, Ending::Closed(End::Silent)));
    let some = response(Script::http2_stall_in_body(7)).await;
    assert_eq!((some.status(), some.body.len(), some.end), (Some(200), 7, Ending::Closed(End::Silent)));
}

#[tokio::test]
async fn slow_streams_do_not_wait_for_each_other() {
    let (origin, mut visitor) = meet(Script::http2_slow_ok(Duration::from_millis(100))).await;
    let first = visitor.open(&get("/"), true).await.unwrap();
    let second = visitor.open(&get("/"), true).await.unwrap();
    assert!(visitor.read_response(second).await.whole());
    assert!(visitor.read_response(first).await.whole());
    assert_eq!(origin.counts().peak_streams, 2);
}

#[tokio::test]
async fn no_stream_is_allowed() {
    let (_origin, mut visitor) = meet(Script::http2_no_streams()).await;
    let response = visitor.request("GET", "/", HOST).await.unwrap();
    assert_eq!(response.end, Ending::Reset(Code::REFUSED_STREAM));
    let settings = visitor.until(|heard| matches!(heard, Heard::Settings(_))).await;
    assert_eq!(settings, Heard::Settings(vec![(setting::MAX_CONCURRENT_STREAMS, 0)]));
}

#[tokio::test]
async fn a_window_that_stays_shut_keeps_the_body_back() {
    let (origin, mut visitor) = meet(Script::http2_no_window()).await;
    assert!(visitor.request("GET", "/", HOST).await.unwrap().whole());
    let error = visitor.post("/", HOST, b"let me in").await.unwrap_err();
    assert_eq!((error.kind(), origin.requests()), (std::io::ErrorKind::TimedOut, 2));
}

#[tokio::test]
async fn floods_have_no_end() {
    for script in [
        Script::http2_ping_flood(),
        Script::http2_settings_flood(),
        Script::http2_empty_data_flood(),
        Script::http2_interim_flood(),
    ] {
        let name = script.name();
        let (_origin, visitor) = meet(script).await;
        let mut visitor = visitor.without_answers();
        visitor.open(&get("/"), true).await.unwrap();
        for n in 0..5000 {
            assert!(!matches!(visitor.next().await, Heard::Closed(_)), "{name} ended after {n}");
        }
    }
    let (_origin, mut visitor) = meet(Script::http2_continuation_flood()).await;
    visitor.open(&get("/"), true).await.unwrap();
    let begun = visitor.until(|heard| !matches!(heard, Heard::Settings(_) | Heard::SettingsAck));
    // one block that is never whole: nothing is heard, however long
    assert!(tokio::time::timeout(Duration::from_millis(200), begun).await.is_err());
}
