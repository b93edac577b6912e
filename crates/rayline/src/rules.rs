//! `rayline rules`: an expression held against a request, and what expressions can ask for.

mod list;
pub(crate) mod request;

use std::io::{self, Write};
use std::sync::Arc;

use rayline_config::{Problem, Severity, Source, Span};
use rayline_rules::reference::{call, gives, notation};
use rayline_rules::scheme::Function;
use rayline_rules::{ExprProblem, Field, Lists, Stage, Term, explain, parse};
use serde_json::{Value, json};

use crate::cli::Global;
use crate::cli::rules::{RulesArgs, RulesCommand, RulesFieldsArgs, RulesTestArgs};
use crate::output::{self, BOLD, CYAN, DIM, Exit, GREEN, RED, styled};

pub(crate) fn run(args: &RulesArgs, global: &Global) -> io::Result<Exit> {
    match &args.command {
        RulesCommand::Test(args) => test(args, global),
        RulesCommand::Fields(args) => fields(args, global),
    }
}

fn test(args: &RulesTestArgs, global: &Global) -> io::Result<Exit> {
    let request = request::read(&args.request)?;
    let mut lists = Lists::default();
    for named in &args.lists {
        lists.insert(list::read(named)?);
    }
    // whose number the visitor's network has, the request says
    lists.set_networks(Arc::default());
    let known = if request.is_answered() { Stage::Response } else { Stage::Body };
    let stage = args.phase.map_or(known, |phase| phase.stage());
    let mut out = output::stdout();
    let expr = match parse(&args.expression, stage, &lists) {
        Ok(expr) => expr,
        Err(problem) => {
            print_problem(&mut out, &args.expression, problem, global.json)?;
            return Ok(Exit::Fault);
        }
    };
    let term = explain(&expr, &request, &lists);
    if global.json {
        let result = term.value == Value::Bool(true);
        print_json(&mut out, &json!({ "result": result, "trace": [term] }))?;
    } else {
        print_term(&mut out, &term, 0)?;
    }
    Ok(Exit::Fine)
}

fn print_json(out: &mut impl Write, value: &Value) -> io::Result<()> {
    serde_json::to_string_pretty(value)?.lines().try_for_each(|line| writeln!(out, "{}", output::escaped_json(line)))
}

/// One line per part: what it is worth, and the part, further in the deeper it lies.
fn print_term(out: &mut impl Write, term: &Term, depth: usize) -> io::Result<()> {
    let text = output::escaped(&term.text);
    let indent = depth * 2;
    match &term.value {
        _ if !term.reached => writeln!(out, "{}  {:indent$}{}", styled(DIM, "–    "), "", styled(DIM, text))?,
        Value::Bool(true) => writeln!(out, "{}  {:indent$}{text}", styled(GREEN, "true "), "")?,
        Value::Bool(false) => writeln!(out, "{}  {:indent$}{text}", styled(RED, "false"), "")?,
        Value::Null => writeln!(out, "       {:indent$}{text}: {}", "", styled(DIM, "nothing"))?,
        value => {
            writeln!(out, "       {:indent$}{text}: {}", "", styled(CYAN, output::escaped_json(&value.to_string())))?
        }
    }
    term.parts.iter().try_for_each(|part| print_term(out, part, depth + 1))
}

/// As `rayline check` shows a problem.
fn print_problem(out: &mut impl Write, expression: &str, problem: ExprProblem, json: bool) -> io::Result<()> {
    let source = Source { name: "EXPR".to_owned(), text: expression.to_owned(), base: std::path::PathBuf::new() };
    let problem = Problem {
        severity: Severity::Error,
        message: problem.message,
        place: Some(Span { start: problem.span.start, end: problem.span.end }),
        path: String::new(),
        hint: problem.hint,
        related: Vec::new(),
    };
    match json {
        true => print_json(out, &json!({ "problem": problem.to_json(&source) })),
        false => writeln!(out, "{}", problem.render(&source, true)),
    }
}

fn fields(args: &RulesFieldsArgs, global: &Global) -> io::Result<Exit> {
    let wanted = |name: &str| args.part.as_ref().is_none_or(|part| name.contains(part.as_str()));
    let fields: Vec<Field> = Field::ALL.iter().copied().filter(|field| wanted(field.name())).collect();
    let functions: Vec<Function> = Function::ALL.iter().copied().filter(|function| wanted(function.name())).collect();
    if let (Some(part), true, true) = (&args.part, fields.is_empty(), functions.is_empty()) {
        output::fail(&format!("no field and no function has `{part}` in its name"), None);
        return Ok(Exit::Usage);
    }
    let mut out = output::stdout();
    if global.json {
        let fields: Vec<Value> = fields.into_iter().map(field_json).collect();
        let functions: Vec<Value> = functions.into_iter().map(function_json).collect();
        print_json(&mut out, &json!({ "fields": fields, "functions": functions }))?;
        return Ok(Exit::Fine);
    }
    for (heading, stage) in
        [("Of every request", Stage::Request), ("Of the body", Stage::Body), ("Of the answer", Stage::Response)]
    {
        print_fields(&mut out, heading, fields.iter().copied().filter(|field| field.stage() == stage))?;
    }
    print_fields(&mut out, "Not known here", fields.iter().copied().filter(|field| reason(*field).is_some()))?;
    if !functions.is_empty() {
        writeln!(out, "{}", styled(BOLD, "Functions"))?;
    }
    for function in functions {
        writeln!(out, "  {} → {}\n      {}", styled(CYAN, call(function)), gives(function), function.doc())?;
    }
    Ok(Exit::Fine)
}

fn print_fields(out: &mut impl Write, heading: &str, fields: impl Iterator<Item = Field>) -> io::Result<()> {
    let mut fields = fields.peekable();
    if fields.peek().is_none() {
        return Ok(());
    }
    writeln!(out, "{}", styled(BOLD, heading))?;
    for field in fields {
        let about = reason(field).unwrap_or_else(|| field.doc().trim());
        let of = notation(field.of_type());
        writeln!(out, "  {} {}\n      {about}", styled(CYAN, field.name()), styled(DIM, of))?;
    }
    writeln!(out)
}

/// Why a field is not known.
fn reason(field: Field) -> Option<&'static str> {
    match field.stage() {
        Stage::Unknown(reason) => Some(reason),
        Stage::Request | Stage::Body | Stage::Response => None,
    }
}

fn field_json(field: Field) -> Value {
    let known = match field.stage() {
        Stage::Request => Some("request"),
        Stage::Body => Some("body"),
        Stage::Response => Some("response"),
        Stage::Unknown(_) => None,
    };
    json!({
        "name": field.name(),
        "type": notation(field.of_type()),
        "known": known,
        "reason": reason(field),
        "doc": field.doc().trim(),
    })
}

fn function_json(function: Function) -> Value {
    json!({
        "name": function.name(),
        "call": call(function),
        "gives": gives(function),
        "only_in_values": function.signature().only_in_values,
        "doc": function.doc(),
    })
}
