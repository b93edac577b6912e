//! Expressions of the rules language: a byte that chooses the stage and what is read, then the text.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rayline_rules::{List, ListItems, Lists, Stage, parse, parse_value};

fuzz_target!(|input: &[u8]| {
    let Some((choice, text)) = input.split_first() else {
        return;
    };
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    let stage = match choice & 3 {
        0 => Stage::Request,
        1 => Stage::Body,
        _ => Stage::Response,
    };
    let mut lists = Lists::default();
    lists.insert(List { name: "office".into(), items: ListItems::Ip(Vec::new()) });
    lists.insert(List { name: "shops".into(), items: ListItems::Hostname(Vec::new()) });
    let read = |text: &str| match choice & 4 {
        0 => parse(text, stage, &lists),
        _ => parse_value(text, stage, &lists).map(|(expr, _)| expr),
    };
    match read(text) {
        Ok(expr) => {
            let printed = expr.to_string();
            // escapes make it longer, and then it may be longer than any expression
            if printed.chars().count() <= rayline_rules::parse::MAX_CHARACTERS {
                assert_eq!(read(&printed).as_ref(), Ok(&expr), "{printed}");
            }
        }
        Err(problem) => assert!(text.get(problem.span.clone()).is_some(), "{problem:?}"),
    }
});
