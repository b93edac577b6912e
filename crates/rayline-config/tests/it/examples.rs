//! The examples compile without a problem, and the reference page is current.

use std::path::Path;

use expect_test::expect_file;
use rayline_config::{compile, reference};

use crate::support::{now, source};

#[test]
fn every_example_compiles() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        count += 1;
        let source = source(&std::fs::read_to_string(&path).unwrap(), &folder);
        let (plan, problems) = compile(&source, now());
        let shown: Vec<String> = problems.iter().map(|problem| problem.render(&source, false)).collect();
        assert!(problems.is_empty() && plan.is_some(), "{}:\n{}", path.display(), shown.join("\n"));
    }
    assert!(count >= 2, "there are {count} examples in {}", folder.display());
}

#[test]
fn the_reference_page_is_current() {
    expect_file!["../../../../docs/guide/configuration-reference.md"].assert_eq(&reference());
}
