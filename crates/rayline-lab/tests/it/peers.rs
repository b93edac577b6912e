//! The peer table's command, and the pages that hold what it came to.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use rayline_lab::process::find;
use serde_json::Value;

/// None of them waits for a time-out.
const FAULTS: [&str; 8] =
    ["refused", "no-route", "no-name", "certificate", "empty", "half-head", "truncated", "two-lengths"];

#[test]
fn every_failure_that_rayline_is_given_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let program = rayline_lab::program::rayline(false).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_rayline-lab"));
    command.args(["peers", "--peer", "rayline", "nginx", "--fault"]).args(FAULTS);
    command.arg("--program").arg(program).arg("--out").arg(folder.path());
    let output = command.output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}");

    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let report: Value = serde_json::from_str(&read("peers.json")).unwrap();
    let rayline = peer(&report, "rayline");
    for (place, told_apart) in [("access", 8), ("visitor", 8), ("header", 7)] {
        let score = score(rayline, place);
        assert_eq!(score["told_apart"], told_apart, "{score:#}");
        assert_eq!(score["of"], 8, "{score:#}");
    }
    assert_eq!(score(rayline, "access")["like_own_502"], 0);
    assert_eq!(score(rayline, "access")["like_success"], 0);

    if find("nginx").is_none() {
        eprintln!("skipped: `nginx` is missing");
        assert!(printed.contains("nginx: skipped: it is not there"), "{printed}");
        return;
    }
    let nginx = peer(&report, "nginx");
    assert_eq!(nginx["trouble"], Value::Null, "{nginx:#}");
    let refused = nginx["observations"].as_array().unwrap().iter().find(|seen| seen["fault"] == "refused").unwrap();
    let [visitor, _, access, second] = refused["outcome"]["said"].as_array().unwrap().as_slice() else { panic!() };
    assert!(visitor["said"].as_str().unwrap().starts_with("502 Bad Gateway"), "{refused:#}");
    assert!(access["said"].as_str().unwrap().starts_with("502 upstream=502"), "{refused:#}");
    assert!(second["said"].as_str().unwrap().contains("Connection refused"), "{refused:#}");

    // Every line of a table has as many cells as the one before it.
    let mut cells = None;
    for line in read("peers.md").lines() {
        let now = line.starts_with('|').then(|| line.matches('|').count());
        assert!(cells.is_none() || now.is_none() || cells == now, "{line}");
        cells = now;
    }
}

fn peer<'a>(report: &'a Value, name: &str) -> &'a Value {
    report["peers"].as_array().unwrap().iter().find(|peer| peer["name"] == name).unwrap()
}

fn score<'a>(peer: &'a Value, place: &str) -> &'a Value {
    peer["scores"].as_array().unwrap().iter().find(|score| score["place"] == place).unwrap()
}

/// The first two cells of the rows of a table whose second one is a figure, without marks of emphasis: who, and how many.
fn figures(page: &str) -> BTreeMap<String, String> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| "));
    let cells = rows.map(|row| row.replace("**", "").split(" | ").take(2).map(str::to_owned).collect::<Vec<_>>());
    cells
        .filter_map(|cells| match cells.as_slice() {
            [who, figure] if figure.contains(" of 1") => {
                // The page has the version as it is, the front page as it is called.
                let version = who.match_indices('.').nth(1).map_or(who.as_str(), |(at, _)| &who[..at]);
                let who = if version.starts_with("Rayline") { "Rayline" } else { version };
                Some((who.to_owned(), figure.clone()))
            }
            _ => None,
        })
        .collect()
}

#[test]
fn the_front_page_says_what_was_measured() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let read = |name: &str| std::fs::read_to_string(root.join(name)).unwrap();
    let measured = figures(&read("docs/peers.md"));
    assert!(measured.len() >= 5, "{measured:?}");
    assert_eq!(figures(&read("README.md")), measured, "the table of README.md is not that of docs/peers.md");
}
