//! The table of codes is closed: every code is explained, provoked and, once published, there for good.
//!
//! That a page has its parts in order, its crate checks itself.

use std::collections::BTreeSet;
use std::fs;

use rayline_verdict::{Code, TABLE};

use crate::tree::{Findings, files_ending, read, root, stems};

const PAGES: &str = "crates/rayline-verdict/explain";
const SCENARIOS: &str = "crates/rayline-edge/tests/it";
/// Where what no edge reaches is provoked.
const OUTSIDE: [&str; 2] = ["crates/rayline-diagnose/tests/it", "crates/rayline-lab"];
const PUBLISHED: &str = "xtask/codes.txt";

fn names() -> BTreeSet<&'static str> {
    TABLE.iter().map(|entry| entry.name).collect()
}

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    let mut findings = Findings::default();
    let pages = stems(PAGES, ".md");
    let names = names();
    for name in names.iter().filter(|name| !pages.iter().any(|page| page == *name)) {
        findings.add(PAGES, format!("no page for `{name}`"), format!("write `{name}.md`"));
    }
    for page in pages.iter().filter(|page| !names.contains(page.as_str())) {
        findings.add(PAGES, format!("`{page}.md` is of no code"), "remove it, or name it as its code");
    }
    findings.none();
}

/// A scenario names the code it provokes in quotes, alone or among what else it wants. Nothing may provoke the one that stands for a bug of ours.
#[test]
fn every_code_is_provoked() {
    let mut findings = Findings::default();
    let below = |folders: &[&str]| -> String {
        let sources = files_ending("rs").into_iter();
        sources.filter(|path| folders.iter().any(|folder| path.starts_with(folder))).map(read).collect()
    };
    let (inside, outside) = (below(&[SCENARIOS]), below(&OUTSIDE));
    for entry in TABLE.iter().filter(|entry| entry.code != Code::EdgeReplyUnclassified) {
        let [by_diagnosis, _] = OUTSIDE;
        let (scenarios, folder) = if entry.code.is_outside() { (&outside, by_diagnosis) } else { (&inside, SCENARIOS) };
        if !scenarios.split(['"', ' ']).any(|word| word == entry.name) {
            findings.add(folder, format!("nothing provokes `{}`", entry.name), "write a scenario that does");
        }
    }
    findings.none();
}

/// Codes retire, they do not vanish: people search old logs for them. `UPDATE_EXPECT` adds names, and removes none.
#[test]
fn the_list_of_published_codes_is_current() {
    let mut findings = Findings::default();
    let text = fs::read_to_string(root().join(PUBLISHED)).unwrap_or_default();
    let published: BTreeSet<&str> = text.lines().collect();
    let names = names();
    for name in published.difference(&names) {
        findings.add(
            PUBLISHED,
            format!("`{name}` has vanished from the table"),
            "put it back: its row and its page stay, also when nothing raises it any more",
        );
    }
    let wanted: String = published.union(&names).map(|name| format!("{name}\n")).collect();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(root().join(PUBLISHED), wanted).unwrap();
    } else if text != wanted {
        findings.add(PUBLISHED, "is not sorted, or lacks new codes", "`cargo xtask docs`");
    }
    findings.none();
}
