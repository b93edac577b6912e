//! Arrows between crates point down, and heavy dependencies stay behind their fences.
//!
//! The table of floors is read from ARCHITECTURE.md, so that the page cannot say anything else than what holds.

use std::collections::BTreeMap;
use std::process::Command;

use cargo_metadata::DependencyKind;

use crate::tree::{Findings, crates, read, root};

/// For tests and the demo: it depends on none of ours, so that a mistake in them cannot hide in it.
const TESTKIT: &str = "rayline-testkit";
/// Real servers and networks around the finished program: it runs that as a process, and none looks at it.
const LAB: &str = "rayline-lab";
/// The one crate that uses the test kit outside of tests: its origins are those of `rayline demo`.
const DEMO: &str = "rayline";
/// Chores over the tree: they may look at any crate, and none looks at them.
const CHORES: &str = "xtask";

/// What must not be reachable from a crate, however indirectly.
const FENCES: &[(&str, &[&str])] = &[
    ("rayline-verdict", &["tokio", "mio", "socket2", "rustls", "hyper", "toml"]),
    ("rayline-http1", &["tokio", "mio", "socket2", "rustls", "hyper", "toml"]),
    ("rayline-rules", &["tokio", "mio", "socket2", "rustls", "hyper"]),
    ("rayline-config", &["tokio", "mio", "socket2", "hyper"]),
    ("rayline-dial", &["hyper", "axum", "prometheus", "toml"]),
    ("rayline-edge", &["hyper", "axum", "prometheus", "notify"]),
    ("rayline-diagnose", &["hyper", "axum", "prometheus", "toml", "rcgen"]),
    ("rayline-observe", &["hyper", "axum", "rustls", "toml"]),
    ("rayline-store", &["tokio", "mio", "socket2", "rustls", "hyper", "toml"]),
    ("rayline-push", &["axum", "prometheus", "toml", "notify"]),
    ("rayline-control", &["rustls", "toml", "notify"]),
];
/// All that the codec stands on.
const CODEC: (&str, &[&str]) = ("rayline-http1", &["bytes", "httparse", "memchr"]);

/// Crate and floor; the test kit stands on none.
fn floors() -> BTreeMap<String, Option<u8>> {
    let page = read("ARCHITECTURE.md");
    let table = page.lines().skip_while(|line| !line.starts_with("| floor |"));
    let rows = table.skip(2).map_while(|line| line.strip_prefix('|'));
    let cells = rows.filter_map(|row| {
        let mut cells = row.split('|').map(str::trim);
        Some((cells.next()?, cells.next()?.trim_matches('`')))
    });
    cells.map(|(floor, name)| (name.to_owned(), floor.parse().ok())).collect()
}

#[test]
fn every_crate_has_a_floor() {
    let mut findings = Findings::default();
    let floors = floors();
    let crates = crates();
    for name in crates.keys().filter(|name| *name != CHORES && !floors.contains_key(*name)) {
        findings.add("ARCHITECTURE.md", format!("`{name}` stands on no floor"), "add a row to the table of floors");
    }
    for (name, floor) in &floors {
        if !crates.contains_key(name) {
            findings.add("ARCHITECTURE.md", format!("there is no crate `{name}`"), "take its row out of the table");
        }
        if floor.is_none() && name != TESTKIT && name != LAB {
            findings.add("ARCHITECTURE.md", format!("the floor of `{name}` is no number"), "write one");
        }
    }
    findings.none();
}

#[test]
fn arrows_point_down() {
    let mut findings = Findings::default();
    let floors = floors();
    for (name, package) in crates().iter().filter(|(name, _)| *name != CHORES) {
        for dependency in package.dependencies.iter().filter(|dependency| dependency.path.is_some()) {
            if let Err(reason) = allowed(&floors, name, &dependency.name, dependency.kind) {
                findings.add(
                    format!("{name} → {}", dependency.name),
                    reason,
                    "move what is shared to a lower floor, or pass it in",
                );
            }
        }
    }
    findings.none();
}

fn allowed(floors: &BTreeMap<String, Option<u8>>, from: &str, to: &str, kind: DependencyKind) -> Result<(), String> {
    let development = kind == DependencyKind::Development;
    let floor = |name: &str| floors.get(name).copied().flatten();
    match (floor(from), floor(to)) {
        _ if from == TESTKIT => Err("the test kit shares no code with what it tests".to_owned()),
        _ if to == TESTKIT && (development || from == DEMO || from == LAB) => Ok(()),
        _ if to == TESTKIT => Err("the test kit is for tests and the demo only".to_owned()),
        (Some(from), Some(to)) if to < from => Ok(()),
        // a test may look at a neighbour: the scenario book of the edge reads the log that observe writes
        (Some(from), Some(to)) if development && to == from => Ok(()),
        (Some(from), Some(to)) => Err(format!("floor {from} depends on floor {to}")),
        (None, _) | (_, None) => Err("one of them stands on no floor".to_owned()),
    }
}

#[test]
fn only_sideways_tests_and_the_demo_are_let_through() {
    let floors = BTreeMap::from([
        ("low".to_owned(), Some(1)),
        ("high".to_owned(), Some(2)),
        ("beside".to_owned(), Some(2)),
        (DEMO.to_owned(), Some(3)),
        (TESTKIT.to_owned(), None),
    ]);
    let (normal, test) = (DependencyKind::Normal, DependencyKind::Development);
    for (from, to, kind) in
        [("high", "low", normal), ("high", "beside", test), ("low", TESTKIT, test), (DEMO, TESTKIT, normal)]
    {
        assert_eq!(allowed(&floors, from, to, kind), Ok(()), "{from} → {to}");
    }
    for (from, to, kind) in [
        ("low", "high", normal),
        ("low", "high", test),
        ("high", "beside", normal),
        ("high", TESTKIT, normal),
        (TESTKIT, "low", normal),
        ("high", "unheard-of", normal),
    ] {
        assert!(allowed(&floors, from, to, kind).is_err(), "{from} → {to}");
    }
}

/// Every package that a crate is built with, itself left out.
fn closure(name: &str) -> Vec<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["tree", "--package", name, "--edges", "normal", "--prefix", "none", "--format", "{p}", "--offline"]);
    let output = command.current_dir(root()).output().unwrap();
    assert!(output.status.success(), "`cargo tree`: {}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    tree.lines().skip(1).filter_map(|line| Some(line.split(' ').next()?.to_owned())).collect()
}

#[test]
fn fences_hold() {
    let mut findings = Findings::default();
    for (name, fenced) in FENCES {
        let closure = closure(name);
        for package in fenced.iter().filter(|package| closure.iter().any(|reached| reached == *package)) {
            findings.add(
                name,
                format!("`{package}` is behind its fence"),
                format!("`cargo tree -p {name} -e normal -i {package}` shows how it came in"),
            );
        }
    }
    let (codec, ground) = CODEC;
    for package in closure(codec).iter().filter(|package| !ground.contains(&package.as_str())) {
        findings.add(codec, format!("depends on `{package}`"), format!("it stands on {} alone", ground.join(", ")));
    }
    findings.none();
}
