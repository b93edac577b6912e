//! The reference page says what the tables say, and the guide what the language is.

use expect_test::expect_file;
use rayline_rules::reference::reference;
use rayline_rules::{Lists, Stage, parse, parse_value};

#[test]
fn the_reference_page_is_current() {
    expect_file!["../../../../docs/rules-language.md"].assert_eq(&reference());
}

/// The lines of the guide's blocks of a kind.
fn examples(kind: &str) -> impl Iterator<Item = &'static str> {
    let opening = format!("```{kind}\n");
    let guide = include_str!("../../../../docs/guide/rules.md");
    let blocks: Vec<&str> = guide.split(&opening).skip(1).filter_map(|block| block.split("\n```").next()).collect();
    blocks.into_iter().flat_map(str::lines)
}

#[test]
fn the_guides_examples_are_read() {
    let lists = Lists::default();
    let rules = examples("rules").map(|line| parse(line, Stage::Body, &lists).map_err(|problem| (line, problem)));
    assert!(rules.map(Result::unwrap).count() > 20);
    let values =
        examples("values").map(|line| parse_value(line, Stage::Request, &lists).map_err(|problem| (line, problem)));
    assert!(values.map(Result::unwrap).count() > 4);
}
