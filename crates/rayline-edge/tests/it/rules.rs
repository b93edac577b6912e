//! What rules do when they work: each action, over HTTP/1.1 and HTTP/2, and what the record says of it.

mod actions;
mod answers;
mod bodies;
mod disguises;
mod order;

use rayline_testkit::{Answer, Script, http2};
use serde_json::Value;

use crate::scene::{HOST, Scene};

/// An origin that gives this answer.
pub(super) fn answering(answer: Answer) -> Script {
    Script::answer("answers", "answers as the test says", answer)
}

/// What a visitor got.
pub(super) struct Got {
    pub(super) status: Option<u16>,
    fields: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Got {
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// The fields that are looked at of answers over HTTP/2.
const LOOKED_AT: [&str; 14] = [
    "cf-ray",
    "location",
    "content-type",
    "content-length",
    "content-encoding",
    "vary",
    "etag",
    "x-a",
    "x-b",
    "set-cookie",
    "server-timing",
    "cf-cache-status",
    "accept-ranges",
    "x-powered-by",
];

/// Asks for the same over both versions, and shows what came.
pub(super) async fn ask(scene: &Scene, target: &str, fields: &[(&str, &str)]) -> [(&'static str, Got, Value); 2] {
    let lines: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let first = scene.get(target, &lines).await;
    let record = scene.record_of(&first).await;
    let read = |name: &&str| first.field(name).map(|value| ((*name).to_owned(), value.to_owned()));
    let one =
        Got { status: first.status(), fields: LOOKED_AT.iter().filter_map(read).collect(), body: first.body.to_vec() };
    let mut visitor = http2::Visitor::connect(scene.http).await.expect("the edge accepts");
    let usual = [(":method", "GET"), (":scheme", "http"), (":authority", HOST), (":path", target)];
    let lower: Vec<(String, &str)> = fields.iter().map(|(name, value)| (name.to_ascii_lowercase(), *value)).collect();
    let more: Vec<(&str, &str)> = lower.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let stream = visitor.open(&[&usual, more.as_slice()].concat(), true).await.expect("the edge reads");
    let second = visitor.read_response(stream).await;
    let ray = second.field("cf-ray").expect("a Ray ID").split('-').next().expect("digits").to_owned();
    let record_of_second = scene.record_where(|record| record["RayID"] == ray.as_str()).await;
    let read = |name: &&str| second.field(name).map(|value| ((*name).to_owned(), value.to_owned()));
    let two = Got {
        status: second.status(),
        fields: LOOKED_AT.iter().filter_map(read).collect(),
        body: second.body.to_vec(),
    };
    [("HTTP/1.1", one, record), ("HTTP/2", two, record_of_second)]
}
