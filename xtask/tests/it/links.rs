//! A relative link in a page leads to a file that is there.

use crate::tree::{Findings, files_ending, read, root};

#[test]
fn links_lead_somewhere() {
    let mut findings = Findings::default();
    for path in files_ending("md") {
        let text = read(&path);
        for target in targets(&text).filter(|target| is_relative(target)) {
            let file = target.split('#').next().unwrap_or_default();
            let folder = root().join(&path);
            if !folder.parent().unwrap().join(file).exists() {
                findings.add(path.display(), format!("`{target}` leads nowhere"), "mend the link, or write the page");
            }
        }
    }
    findings.none();
}

/// What stands in `[…](…)`, images included.
fn targets(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split([')', ' ', '\n']).next())
}

fn is_relative(target: &str) -> bool {
    !target.is_empty() && !target.starts_with('#') && !target.contains(':')
}

#[test]
fn links_are_found() {
    let text =
        "see [one](a.md) and [two](b.md#part \"title\"), ![three](c.png)\n[four](https://example.com/x) [five](#here)";
    let relative: Vec<&str> = targets(text).filter(|target| is_relative(target)).collect();
    assert_eq!(relative, ["a.md", "b.md#part", "c.png"]);
}
