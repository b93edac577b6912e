//! What the guide shows as configuration compiles.
//!
//! The files in `examples` are compiled by the tests of `rayline-config`; here are the pieces in the pages.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rayline_config::{Problem, Severity, Source, compile};

use crate::tree::{Findings, files_ending, read};

/// When the pieces are compiled: they name no certificate whose dates would matter.
fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_767_225_600)
}

#[test]
fn pieces_of_configuration_compile() {
    let mut findings = Findings::default();
    let mut count = 0;
    for path in files_ending("md") {
        let text = read(&path);
        for piece in pieces(&text) {
            count += 1;
            let source = Source { name: path.display().to_string(), text: whole(piece), base: "/nowhere".into() };
            let (_, problems) = compile(&source, now());
            for problem in problems.iter().filter(|problem| is_wrong(problem)) {
                let shown = problem.render(&source, false);
                findings.add(path.display(), format!("a piece of configuration does not compile\n{shown}"), "mend it");
            }
        }
    }
    assert!(count > 0, "no piece of configuration in any page");
    findings.none();
}

/// A page may name files that only its reader has.
fn is_wrong(problem: &Problem) -> bool {
    problem.severity == Severity::Error && !problem.message.starts_with("there is no file ")
}

/// The blocks that are marked as TOML.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next())
}

/// The piece with the least around it that a configuration needs.
fn whole(piece: &str) -> String {
    let mut whole = String::new();
    if !piece.contains("[server]") {
        whole += "[server]\n";
    }
    if !piece.contains("[[zone]]") {
        whole += "[[zone]]\nname = \"shop.example\"\n";
    }
    if !piece.contains("[[zone.dns_records]]") {
        whole += "[[zone.dns_records]]\ntype = \"A\"\nname = \"@\"\ncontent = \"192.0.2.10\"\n";
    }
    whole += piece;
    if piece.contains("\nhttp = ") {
        whole
    } else {
        whole.replacen("[server]\n", "[server]\nhttp = [\"[::]:80\"]\n", 1)
    }
}
