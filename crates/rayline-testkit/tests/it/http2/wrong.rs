//! Origins whose frames or fields are not those of HTTP/2.

use rayline_testkit::Script;
use rayline_testkit::http2::{Heard, kind};

use super::{heard, response, shown};

const SILENCE: &str = "Closed(Silent)";

#[tokio::test]
async fn each_sends_what_its_sentence_says() {
    for (script, expected) in [
        (Script::http2_uppercase_name(), &["headers :status=200 X-Powered-By=capitals end"][..]),
        (Script::http2_no_status(), &["headers server=nameless end"]),
        (Script::http2_connection_field(), &["headers :status=200 connection=close end"]),
        (Script::http2_undecodable_head(), &["Undecodable { stream: 1 }"]),
        (Script::http2_data_before_head(), &["data 1 10 end"]),
        (Script::http2_data_on_connection(), &["headers :status=200 content-length=13", "data 0 13"]),
        (Script::http2_body_too_short(), &["headers :status=200 content-length=1000", "data 1 100 end"]),
        (Script::http2_body_too_long(), &["headers :status=200 content-length=10", "data 1 100 end"]),
        (Script::http2_frame_too_large(), &["headers :status=200 content-length=16777215", "data 1 16777215 end"]),
        (Script::http2_huge_head(100_000), &["headers :status=200 x-huge=xxxxxxxxxxxxxxxxxxxx end"]),
        (Script::http2_window_overflow(), &[]),
    ] {
        let name = script.name();
        let all = shown(&heard(script).await);
        let expected: Vec<_> = expected.iter().chain(&[SILENCE]).copied().collect();
        assert_eq!(all, expected, "{name}");
    }
}

#[tokio::test]
async fn frames_without_sense_arrive_as_they_are() {
    for (script, wanted) in [(Script::http2_bad_padding(), kind::DATA), (Script::http2_push(), kind::PUSH_PROMISE)] {
        let all = heard(script).await;
        let kinds = all.iter().filter_map(|heard| match heard {
            Heard::Other(frame) => Some(frame.kind),
            _ => None,
        });
        assert_eq!(kinds.collect::<Vec<_>>(), [wanted]);
    }
    let overflow = heard(Script::http2_window_overflow()).await;
    assert!(overflow.contains(&Heard::WindowUpdate { stream: 0, increment: 0x7fff_ffff }));
    let settings = heard(Script::http2_bad_settings()).await;
    assert!(settings.contains(&Heard::Settings(vec![(5, 1)])));
    let elsewhere = heard(Script::http2_unopened_stream()).await;
    assert!(elsewhere.iter().any(|heard| matches!(heard, Heard::Headers { stream: 0x7fff_fffd, .. })));
    assert!(!response(Script::http2_unopened_stream()).await.whole());
}
