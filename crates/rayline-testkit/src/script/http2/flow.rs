//! Origins that fall silent, keep their windows shut, or send without an end.

use std::time::Duration;

use super::super::Script;
use super::{acts, good};
use crate::http2::{Act, Frame, Serving, encode, flag, kind, setting};

pub(super) fn all() -> Vec<Script> {
    vec![
        Script::http2_stall_before_head(),
        Script::http2_stall_in_body(100),
        Script::http2_slow_ok(Duration::from_secs(3)),
        Script::http2_no_streams(),
        Script::http2_no_window(),
        Script::http2_continuation_flood(),
        Script::http2_ping_flood(),
        Script::http2_settings_flood(),
        Script::http2_empty_data_flood(),
        Script::http2_interim_flood(),
    ]
}

/// Sends the same frames until the client leaves.
fn floods(name: &'static str, what: &'static str, first: Option<Act>, again: Vec<Frame>) -> Script {
    acts(name, what, [Act::ReadBody].into_iter().chain(first).chain([Act::Repeat(again)]))
}

impl Script {
    /// The request is read; nothing follows but answers to PING and SETTINGS.
    pub fn http2_stall_before_head() -> Self {
        acts("http2-stall-before-head", "reads the request over HTTP/2 and never answers", [Act::ReadBody, Act::Hold])
    }

    /// A head that announces 1000 bytes, `sent` of them; nothing follows.
    pub fn http2_stall_in_body(sent: u64) -> Self {
        acts(
            "http2-stall-in-body",
            "sends half of a response body over HTTP/2 and falls silent",
            [Act::ReadBody, Act::head(200, &[("content-length", "1000")]), Act::Pattern(sent), Act::Hold],
        )
    }

    /// 200, but only after `delay`, on each stream by itself.
    pub fn http2_slow_ok(delay: Duration) -> Self {
        acts(
            "http2-slow-ok",
            "thinks for a while before it answers 200 over HTTP/2",
            [Act::Pause(delay)].into_iter().chain(good::ok()),
        )
    }

    /// `SETTINGS_MAX_CONCURRENT_STREAMS` of 0 for ever.
    pub fn http2_no_streams() -> Self {
        Self::http2(
            "http2-no-streams",
            "allows no stream at all on its HTTP/2 connections",
            Serving::new([Act::Hold]).setting(setting::MAX_CONCURRENT_STREAMS, 0),
        )
    }

    /// `SETTINGS_INITIAL_WINDOW_SIZE` of 0 and never a WINDOW_UPDATE; a request without a body is answered.
    pub fn http2_no_window() -> Self {
        Self::http2(
            "http2-no-window",
            "never opens the flow-control window for the body of a request",
            Serving::new(good::ok()).without_windows(),
        )
    }

    /// A header block that never ends.
    pub fn http2_continuation_flood() -> Self {
        let begin = Frame::new(kind::HEADERS, 0, Frame::HERE, encode([(":status", "200")]));
        let more = Frame::continuation(Frame::HERE, encode([("x-more", "and more")]), false);
        floods(
            "http2-continuation-flood",
            "sends a response head in CONTINUATION frames that never end",
            Some(Act::Send(vec![begin])),
            vec![more; 64],
        )
    }

    /// PING without an end.
    pub fn http2_ping_flood() -> Self {
        floods(
            "http2-ping-flood",
            "sends PING after PING instead of an answer",
            None,
            vec![Frame::ping(*b"rayline?"); 64],
        )
    }

    /// SETTINGS without an end.
    pub fn http2_settings_flood() -> Self {
        floods(
            "http2-settings-flood",
            "sends SETTINGS after SETTINGS instead of an answer",
            None,
            vec![Frame::settings(&[]); 64],
        )
    }

    /// DATA without bytes, without an end.
    pub fn http2_empty_data_flood() -> Self {
        floods(
            "http2-empty-data-flood",
            "sends a response body of empty DATA frames that never end",
            Some(Act::head(200, &[])),
            vec![Frame::new(kind::DATA, 0, Frame::HERE, ""); 64],
        )
    }

    /// Interim responses without an end.
    pub fn http2_interim_flood() -> Self {
        let hints = encode([(":status", "103"), ("link", "</style.css>; rel=preload")]);
        floods(
            "http2-interim-flood",
            "sends one interim response after another over HTTP/2, but never an answer",
            None,
            vec![Frame::new(kind::HEADERS, flag::END_HEADERS, Frame::HERE, hints); 64],
        )
    }
}
