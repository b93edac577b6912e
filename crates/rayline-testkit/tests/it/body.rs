//! Origins with a broken body behind a good head.

use rayline_testkit::{End, Response, Script};

use crate::ask::{received, response, text};

#[tokio::test]
async fn bodies_are_cut_short() {
    for (script, body, end) in [
        (Script::truncated_body(1000, 100), "x".repeat(100), End::Closed),
        (Script::reset_in_body(1000, 100), "x".repeat(100), End::Reset),
        (Script::truncated_chunked(), "hello".to_owned(), End::Closed),
    ] {
        let name = script.name();
        let response = response(script).await;
        assert_eq!(response.status(), Some(200), "{name}");
        assert_eq!((response.text(), response.end, response.whole), (body, Some(end), false), "{name}");
    }
}

#[tokio::test]
async fn chunks_are_broken() {
    for (script, rest) in [
        (Script::bad_chunk(), "hello\r\nxyz\r\n"),
        (Script::chunk_overflow(), "hello\r\nfffffffffffffffff\r\n"),
        (Script::chunk_without_end(), "hello\r\n5\r\nworldwide\r\n"),
        (Script::bad_trailers(), "hello\r\n0\r\nthis is no field\r\n\r\n"),
    ] {
        let name = script.name();
        let all = received(script.clone()).await;
        assert!(text(&all.bytes).contains(rest), "{name}");
        assert_eq!(all.end, End::Closed, "{name}");
        let Response { whole, trailers, .. } = response(script).await;
        // a trailer line that is no field does not hide where the body ends
        assert_eq!(whole, name == "bad-trailers", "{name}");
        assert_eq!(trailers.fields.is_empty(), name != "bad-trailers", "{name}");
    }
}
