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

/// What the examples of the guide are added to.
const ZONE: &str = r#"server.http = ["127.0.0.1:8080"]
[[zone]]
name = "shop.example"
dns_records = [{ type = "A", name = "@", content = "192.0.2.10" }]
"#;

#[test]
fn every_example_of_the_guide_to_rules_compiles() {
    let pages = ["redirects", "rewrites", "headers", "origin-rules", "access", "page-rules"];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide");
    for page in pages {
        let text = std::fs::read_to_string(folder.join(format!("{page}.md"))).unwrap();
        let examples: Vec<&str> =
            text.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
        assert!(!examples.is_empty(), "{page} has no example");
        for example in examples {
            let source = source(&format!("{ZONE}{example}"), &folder);
            let (plan, problems) = compile(&source, now());
            let shown: Vec<String> = problems.iter().map(|problem| problem.render(&source, false)).collect();
            assert!(problems.is_empty() && plan.is_some(), "{page}:\n{}", shown.join("\n"));
        }
    }
}
