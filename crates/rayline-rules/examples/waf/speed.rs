//! How long the rules take, by what is sent.

use std::time::{Duration, Instant};

use rayline_rules::waf::Scratch;

use crate::managed;
use crate::request::Request;

/// One line of the table.
#[derive(Debug)]
pub(crate) struct Speed {
    pub(crate) what: &'static str,
    /// Bytes of the body.
    pub(crate) size: usize,
    /// By paranoia level 1 and 2.
    pub(crate) took: [Duration; 2],
}

/// How long a body is measured.
const WINDOW: Duration = Duration::from_millis(400);

const PROSE: &str =
    "It's a quiet town, isn't it? The \"old\" mill (built 1902) sells bread & cheese; 5 or 6 people work there. ";
const JSON: &str =
    r#"{"id":4711,"name":"O'Brien & sons","tags":["new","50% off"],"note":"call 555-1234; ask for Ann"},"#;

pub(crate) fn measured() -> Vec<Speed> {
    let mut table =
        vec![Speed { what: "a request without a body", size: 0, took: both(&Request::get("/a/b?c=d&q=two+words")) }];
    for size in [1024, 10 * 1024, 100 * 1024] {
        let fill = |text: &str| text.repeat(size / text.len());
        let json = format!("[{}0]", fill(JSON));
        let form =
            format!("title=Hello&text={}", fill(PROSE).replace('&', "%26").replace('%', "%25").replace(' ', "+"));
        let many = format!("{}z=1", fill("name=Ann&city=New+York&age=42&"));
        let hostile = format!("a={}", fill("union select/**/' or <b onx= ../ ${lower: ;id &#x3c; %2527 .a"));
        for (what, content_type, body) in [
            ("JSON", "application/json", json),
            ("a form with a long text", "application/x-www-form-urlencoded", form),
            ("a form with many fields", "application/x-www-form-urlencoded", many),
            ("pieces of attacks", "text/plain", hostile),
        ] {
            let request = Request::post("/", content_type, body);
            table.push(Speed { what, size: request.body.len(), took: both(&request) });
        }
    }
    table
}

fn both(request: &Request) -> [Duration; 2] {
    [1, 2].map(|level| {
        let (managed, mut scratch) = (managed(level), Scratch::default());
        let start = Instant::now();
        let mut rounds = 0;
        while start.elapsed() < WINDOW {
            std::hint::black_box(managed.inspect(request, request.body(), &[], &mut scratch));
            rounds += 1;
        }
        start.elapsed() / rounds
    })
}
