//! Files that fit in the head, named so that an editor tells them apart, and one test binary per crate.

use crate::tree::{Findings, crates, files, files_ending, read, root};

/// A file longer than this is two files, unless it is a table.
const MOST_LINES: usize = 600;
const TABLES: &[&str] = &[
    "crates/rayline-config/src/keys/table.rs",
    "crates/rayline-diagnose/src/author/rules.rs",
    "crates/rayline-verdict/src/code.rs",
];

#[test]
fn no_file_is_too_long() {
    let mut findings = Findings::default();
    for path in files_ending("rs").iter().filter(|path| !TABLES.iter().any(|table| path.ends_with(table))) {
        let lines = read(path).lines().count();
        if lines > MOST_LINES {
            let reason = format!("{lines} lines, {MOST_LINES} is the end");
            findings.add(path.display(), reason, "find the two things that it is about");
        }
    }
    findings.none();
}

#[test]
fn no_module_is_called_mod() {
    let mut findings = Findings::default();
    for path in files().iter().filter(|path| path.ends_with("mod.rs")) {
        findings.add(path.display(), "editors show only the file's name", "`foo.rs` with `foo/bar.rs`");
    }
    findings.none();
}

#[test]
fn every_crate_has_one_test_binary() {
    let mut findings = Findings::default();
    for (name, package) in crates() {
        let folder = package.manifest_path.parent().unwrap();
        let tests: Vec<_> = package.targets.iter().filter(|target| target.is_test()).collect();
        let is_it = |path: &str| path.ends_with("tests/it/main.rs");
        match tests.as_slice() {
            [] if folder.join("tests").exists() => {
                findings.add(name, "its `tests` is never built", "`[[test]]` with `name = \"it\"` in its Cargo.toml");
            }
            [] => {}
            [it] if it.name == "it" && is_it(it.src_path.as_str()) => {}
            _ => findings.add(name, "tests other than `tests/it/main.rs`", "make them modules beside it"),
        }
    }
    findings.none();
}

/// What keeps `files` honest: this very file is among them, and nothing that is built.
#[test]
fn the_tree_is_listed() {
    let files = files();
    assert!(files.iter().any(|path| root().join(path) == root().join("xtask/tests/it/files.rs")));
    assert!(!files.iter().any(|path| path.starts_with("target")));
}
