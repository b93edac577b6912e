//! The phases of the vocabulary, the files of the edge and the lines of its pipeline are the same, in the same order.

use rayline_verdict::Phase;

use crate::tree::{Findings, read, stems};

const FOLDER: &str = "crates/rayline-edge/src/phase";
const PIPELINE: &str = "crates/rayline-edge/src/pipeline.rs";

/// Phases without work so far.
const NOT_YET: &[Phase] = &[Phase::Worker, Phase::Cache, Phase::Balance];

/// Phases whose line in the pipeline does not stand at their place in a request's life, and why.
const ELSEWHERE: &[(Phase, &str)] = &[
    (Phase::Accept, "opens the record before there is anything that could fail"),
    (Phase::ClientTls, "over before the first request on the connection"),
    (Phase::Request, "is described and checked with the zone's settings at hand, so after routing"),
    (Phase::OriginTls, "chooses the port and the name before connecting; the dialler does the handshake"),
    (Phase::Send, "is encoded before connecting: nothing is dialled for what cannot be sent"),
    (Phase::Reply, "is where every way ends, failed ones too"),
];

#[test]
fn phases_are_files() {
    let mut findings = Findings::default();
    let files = stems(FOLDER, ".rs");
    for phase in Phase::ALL {
        let there = files.iter().any(|file| file == phase.name());
        match (there, NOT_YET.contains(&phase)) {
            (true, false) | (false, true) => {}
            (false, false) => findings.add(FOLDER, format!("no `{phase}.rs`"), "write it, or list it in `NOT_YET`"),
            (true, true) => findings.add(FOLDER, format!("there is a `{phase}.rs`"), "take it out of `NOT_YET`"),
        }
    }
    for file in files.iter().filter(|file| Phase::ALL.iter().all(|phase| phase.name() != *file)) {
        findings.add(FOLDER, format!("`{file}.rs` is named like no phase"), "phases alone stand here");
    }
    findings.none();
}

#[test]
fn the_pipeline_is_in_order() {
    let mut findings = Findings::default();
    let text = read(PIPELINE);
    let elsewhere = |phase: Phase| ELSEWHERE.iter().any(|(other, _)| *other == phase);
    let mut before = (0, "the beginning");
    for phase in Phase::ALL.into_iter().filter(|phase| !NOT_YET.contains(phase)) {
        let mentioned = text.rfind(&format!("{phase}::"));
        match mentioned {
            None if phase == Phase::ClientTls => {}
            None => findings.add(PIPELINE, format!("does not mention `{phase}`"), "one line per phase stands there"),
            Some(_) if elsewhere(phase) => {}
            Some(place) if place < before.0 => {
                findings.add(PIPELINE, format!("`{phase}` stands before {}", before.1), "phases go in their order");
            }
            Some(place) => before = (place, phase.name()),
        }
    }
    findings.none();
}
