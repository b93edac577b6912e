//! HTTP/2 by hand: the raw client against the scripted origins, and both against the tools of others.

use rayline_testkit::http2::{Code, Ending, Frame, Heard, Response, Visitor};
use rayline_testkit::{Origin, Script};

use crate::ask::BRIEF;

mod end;
mod flow;
mod good;
mod tools;
mod wrong;

const HOST: &str = "origin.test";

/// An origin with this script, and a visitor that has greeted it without TLS.
async fn meet(script: Script) -> (Origin, Visitor) {
    let origin = Origin::start(script).unwrap();
    let visitor = Visitor::connect(origin.addr()).await.unwrap().patience(BRIEF);
    (origin, visitor)
}

/// The response of an origin with this script to a GET.
async fn response(script: Script) -> Response {
    let (_origin, mut visitor) = meet(script).await;
    visitor.request("GET", "/", HOST).await.unwrap()
}

/// Opens a GET, and keeps what the origin says until it is silent or gone.
async fn heard(script: Script) -> Vec<Heard> {
    let (_origin, mut visitor) = meet(script).await;
    visitor.open(&get("/"), true).await.unwrap();
    let mut all = Vec::new();
    loop {
        let next = visitor.next().await;
        let closed = matches!(next, Heard::Closed(_));
        all.push(next);
        if closed {
            return all;
        }
    }
}

fn get(path: &str) -> [(&str, &str); 4] {
    [(":method", "GET"), (":scheme", "http"), (":path", path), (":authority", HOST)]
}

/// What is heard, in short: frames that are a matter of course left out.
fn shown(heard: &[Heard]) -> Vec<String> {
    heard
        .iter()
        .filter_map(|heard| match heard {
            Heard::Settings(_) | Heard::SettingsAck | Heard::WindowUpdate { .. } => None,
            Heard::Headers { fields, end_stream, .. } => {
                let fields: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={value:.20}")).collect();
                Some(format!("headers {}{}", fields.join(" "), if *end_stream { " end" } else { "" }))
            }
            Heard::Data { stream, bytes, end_stream, .. } => {
                Some(format!("data {stream} {}{}", bytes.len(), if *end_stream { " end" } else { "" }))
            }
            Heard::RstStream { code, .. } => Some(format!("reset {code}")),
            Heard::GoAway { last, code, .. } => Some(format!("goaway {last} {code}")),
            other => Some(format!("{other:?}")),
        })
        .collect()
}

#[tokio::test]
async fn ping_and_settings_are_answered_on_both_sides() {
    let (_origin, mut visitor) = meet(Script::http2_ok()).await;
    visitor.send(&Frame::ping(*b"12345678")).await.unwrap();
    assert_eq!(visitor.until(|heard| matches!(heard, Heard::PingAck(_))).await, Heard::PingAck(*b"12345678"));
    let response = response(Script::http2_ok().called("before", "asks before it answers")).await;
    assert!(response.whole());
}

#[tokio::test]
async fn who_does_not_greet_is_sent_away() {
    let origin = Origin::start(Script::http2_ok()).unwrap();
    let mut wire = rayline_testkit::Visitor::connect(origin.addr()).await.unwrap().patience(BRIEF);
    wire.send("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n").await.unwrap();
    let mut visitor = Visitor::from(wire);
    let goaway = visitor.until(|heard| matches!(heard, Heard::GoAway { .. })).await;
    assert!(matches!(goaway, Heard::GoAway { code: Code::PROTOCOL_ERROR, .. }), "{goaway:?}");
}

#[tokio::test]
async fn a_block_that_cannot_be_decoded_ends_the_connection() {
    let (_origin, mut visitor) = meet(Script::http2_ok()).await;
    let bad = Frame::headers(1, [], true);
    visitor.send(&Frame { payload: (&b"\xff\x80\x01"[..]).into(), ..bad }).await.unwrap();
    let response = visitor.read_response(1).await;
    assert!(matches!(response.end, Ending::Closed(_)), "{response:?}");
}
