//! No text makes the crate panic: neither a valid file damaged in any way, nor anything else.

use proptest::prelude::*;
use rayline_config::Severity;

use crate::support::{compile_text, source};

const VALID: &str = include_str!("../../../../examples/shop.toml");
const RULES: &str = include_str!("../../../../examples/rules.toml");

/// Pieces that turn up in such files, and some that should not.
const PIECES: [&str; 24] = [
    "[",
    "]",
    "[[zone]]\n",
    "[zone.settings]\n",
    "[[zone.dns_records]]\n",
    "{",
    "}",
    "=",
    "\"",
    "'''",
    "#",
    "\n",
    "\0",
    "\u{1b}",
    "é",
    "name = \"*\"\n",
    "content = \"@\"\n",
    "type = \"CNAME\"\n",
    "-1",
    "99999999999999999999",
    "2026-01-01",
    "nan",
    ".",
    "\u{feff}",
];

#[derive(Debug, Clone)]
enum Change {
    Remove { at: usize, length: usize },
    Insert { at: usize, piece: usize },
    Repeat { at: usize, length: usize, to: usize },
}

fn change(text: &str) -> impl Strategy<Value = Change> {
    let at = 0..text.len();
    prop_oneof![
        (at.clone(), 1..200_usize).prop_map(|(at, length)| Change::Remove { at, length }),
        (at.clone(), 0..PIECES.len()).prop_map(|(at, piece)| Change::Insert { at, piece }),
        (at.clone(), 1..200_usize, at).prop_map(|(at, length, to)| Change::Repeat { at, length, to }),
    ]
}

fn apply(text: &mut Vec<char>, change: &Change) {
    let within = |at: usize, text: &[char]| at.min(text.len());
    match change {
        Change::Remove { at, length } => {
            let (start, end) = (within(*at, text), within(at + length, text));
            text.drain(start..end);
        }
        Change::Insert { at, piece } => {
            let at = within(*at, text);
            text.splice(at..at, PIECES[*piece].chars());
        }
        Change::Repeat { at, length, to } => {
            let copy = text[within(*at, text)..within(at + length, text)].to_vec();
            let to = within(*to, text);
            text.splice(to..to, copy);
        }
    }
}

/// Compiles, renders, and checks what must hold of any text.
fn hold(text: &str) {
    let (plan, problems) = compile_text(text);
    let failed = problems.iter().any(|problem| problem.severity == Severity::Error);
    assert_eq!(plan.is_none(), failed);
    let source = source(text, std::path::Path::new("/nowhere"));
    for problem in &problems {
        assert!(problem.render(&source, true).contains(&problem.message));
        let said = problem.message.chars().chain(problem.hint.iter().flat_map(|hint| hint.chars()));
        assert!(said.clone().all(|c| c == '\n' || !c.is_control()), "{:?}", said.collect::<String>());
        assert!(problem.place.is_none_or(|place| place.start <= place.end && place.end <= text.len()));
        let json = serde_json::to_value(problem.to_json(&source)).unwrap();
        assert_eq!(json["message"], problem.message);
    }
    if let Some(plan) = plan {
        plan.hosts.find("www.shop.example");
        plan.certificates.find("www.shop.example");
    }
}

proptest! {
    // a case that fails becomes a row of `problems.rs` instead
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_file(changes in proptest::collection::vec(change(VALID), 1..6)) {
        let mut text: Vec<char> = VALID.chars().collect();
        for change in &changes {
            apply(&mut text, change);
        }
        hold(&text.into_iter().collect::<String>());
    }

    #[test]
    fn damaged_rules(changes in proptest::collection::vec(change(RULES), 1..6)) {
        let mut text: Vec<char> = RULES.chars().collect();
        for change in &changes {
            apply(&mut text, change);
        }
        hold(&text.into_iter().collect::<String>());
    }

    #[test]
    fn any_text(text in ".{0,200}") {
        hold(&text);
    }

    #[test]
    fn any_value_of_a_key(key in prop::sample::select(vec!["http", "admin", "colo", "brand", "resolvers", "trusted_proxies", "proxy_protocol", "origin_ca", "keepalive_timeout"]), value in ".{0,40}") {
        hold(&format!("[server]\n{key} = {}\n[[zone]]\nname = {}\n", serde_json::Value::from(value.as_str()), serde_json::Value::from(value.as_str())));
    }
}
