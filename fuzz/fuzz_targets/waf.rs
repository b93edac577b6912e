//! Managed rules: a byte that chooses the body's type, the query up to a line end, then the body.

#![no_main]

#[path = "../../crates/rayline-rules/tests/it/request.rs"]
mod request;

use libfuzzer_sys::fuzz_target;
use rayline_rules::ruleset::{Execute, Sensitivity};
use rayline_rules::waf::{MATCHES, Managed, RULESET, Scratch};

use crate::request::Request;

const TYPES: [&str; 6] = [
    "application/x-www-form-urlencoded",
    "application/json",
    "multipart/form-data; boundary=b",
    "text/xml",
    "text/plain",
    "",
];

thread_local! {
    static MANAGED: Managed = Managed::compile(&Execute {
        id: RULESET.into(),
        action: None,
        enabled: None,
        sensitivity: Sensitivity::High,
        paranoia_level: 4,
        anomaly_threshold: None,
        overrides: Vec::new(),
    })
    .unwrap();
}

fuzz_target!(|input: &[u8]| {
    let Some((choice, rest)) = input.split_first() else {
        return;
    };
    let cut = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    let (query, body) = rest.split_at(cut);
    let content_type = TYPES[usize::from(*choice) % TYPES.len()];
    let request = Request::post([&b"/?"[..], query].concat(), content_type, body);
    MANAGED.with(|managed| {
        let mut scratch = Scratch::default();
        let inspect = |scratch: &mut Scratch| managed.inspect(&request, request.body(), &[], scratch);
        let (first, second) = (inspect(&mut scratch), inspect(&mut scratch));
        assert_eq!(
            (first.score, first.action, first.matches.len()),
            (second.score, second.action, second.matches.len())
        );
        assert!(first.matches.len() <= MATCHES);
        assert!(first.matches.iter().all(|found| found.bytes.len() <= 96 && found.name.len() <= 64));
    });
});
