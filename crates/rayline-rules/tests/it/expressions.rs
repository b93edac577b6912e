//! Expressions as people write them: each is read, and printed so that it reads the same.

use std::sync::Arc;

use rayline_rules::ast::Expr;
use rayline_rules::eval::Evaluator;
use rayline_rules::{ExprProblem, List, ListItems, Lists, Memory, ProgramBuilder, Stage, parse, parse_value};

use crate::explain::Request;

/// An expression a line.
const ROWS: &str = include_str!("expressions.txt");

/// The lists that the expressions name, and a table of networks.
pub(crate) fn lists() -> Lists {
    let mut lists = Lists::default();
    lists.set_networks(Arc::default());
    lists.insert(List { name: "office".into(), items: ListItems::Ip(Vec::new()) });
    lists.insert(List { name: "shops".into(), items: ListItems::Hostname(Vec::new()) });
    lists.insert(List { name: "paths".into(), items: ListItems::String(Vec::new()) });
    lists
}

fn read(row: &str, lists: &Lists) -> Result<Expr, ExprProblem> {
    if let Some(value) = row.strip_prefix("value: ") {
        return parse_value(value, Stage::Body, lists).map(|(expr, _)| expr);
    }
    match row.strip_prefix("response: ") {
        Some(expression) => parse(expression, Stage::Response, lists),
        None => parse(row, Stage::Body, lists),
    }
}

#[test]
fn what_people_write_is_read_and_printed_so_that_it_reads_the_same() {
    let lists = lists();
    let mut read_rows = 0;
    for row in ROWS.lines().filter(|row| !row.starts_with('#')) {
        let expr = read(row, &lists).unwrap_or_else(|problem| panic!("{row}\n{problem:?}"));
        let kind = row.split_inclusive(": ").next().filter(|kind| matches!(*kind, "value: " | "response: "));
        let printed = format!("{}{expr}", kind.unwrap_or_default());
        let again = read(&printed, &lists).unwrap_or_else(|problem| panic!("{row}\n{printed}\n{problem:?}"));
        assert_eq!(again, expr, "{row}\n{printed}");
        assert_eq!(again.to_string(), expr.to_string(), "printing settles at once");
        read_rows += 1;
    }
    assert!(read_rows > 200, "{read_rows}");
}

#[test]
fn a_program_of_them_all_says_what_each_says() {
    let lists = lists();
    let rows = ROWS.lines().filter(|row| !row.starts_with('#') && !row.starts_with("value: "));
    let exprs: Vec<(&str, Expr)> = rows.map(|row| (row, read(row, &lists).unwrap())).collect();
    let mut builder = ProgramBuilder::new(&lists);
    let conditions: Vec<_> = exprs.iter().map(|(_, expr)| builder.condition_of(expr).unwrap()).collect();
    let program = builder.build();
    let mut memory = Memory::default();
    let mut evaluation = program.begin(&Request, &mut memory);
    for ((row, expr), condition) in exprs.iter().zip(conditions) {
        assert_eq!(evaluation.is_true(condition), Evaluator::new(&Request, &lists).is_true(expr), "{row}");
    }
}
