//! A trace for people and for programs.

use std::io::{self, Write};

use rayline_rules::Term;
use rayline_rules::run::Reached;
use serde_json::Value;

use super::simulated::{Ended, Told, Trace};
use crate::cli::Global;
use crate::output::{self, BOLD, CYAN, DIM, GREEN, RED, escaped, styled};

pub(super) fn show(out: &mut impl Write, trace: &Trace, global: &Global) -> io::Result<()> {
    if global.json {
        for line in format!("{:#}", trace.to_json()).lines() {
            writeln!(out, "{}", output::escaped_json(line))?;
        }
        return Ok(());
    }
    writeln!(out, "zone {}", styled(BOLD, escaped(&trace.zone)))?;
    let mut phase = "";
    for step in &trace.steps {
        if step.phase != phase {
            phase = step.phase;
            writeln!(out, "\n{}", styled(CYAN, phase))?;
        }
        show_step(out, step)?;
    }
    if trace.steps.is_empty() {
        writeln!(out, "\nno rule matches")?;
    }
    writeln!(out)?;
    match &trace.end {
        Ended::GoesOn => writeln!(out, "{}", styled(GREEN, "goes on"))?,
        Ended::By { rule, how } => writeln!(out, "{} by {}", styled(BOLD, escaped(how)), escaped(rule))?,
        Ended::Failed { rule, number, why, made } => {
            writeln!(out, "{}: {}: {why}", styled(RED, format_args!("fails with {number}")), escaped(rule))?;
            if !made.is_empty() {
                writeln!(out, "  it made: {}", escaped(made))?;
            }
            writeln!(out, "  `rayline explain {number}` says how to mend it")?;
        }
    }
    for (what, value) in &trace.changed {
        writeln!(out, "  {}: {}", escaped(what), escaped(value))?;
    }
    Ok(())
}

fn show_step(out: &mut impl Write, step: &Told) -> io::Result<()> {
    let word = match step.reached {
        Reached::Matched => styled(GREEN, "matched"),
        Reached::Ended => styled(BOLD, "ended  "),
        Reached::NotMatched => styled(DIM, "no     "),
        Reached::Skipped => styled(DIM, "skipped"),
        Reached::Disabled => styled(DIM, "off    "),
    };
    let description =
        if step.description.is_empty() { String::new() } else { format!("  {}", escaped(&step.description)) };
    writeln!(out, "  {word}  {} {}{description}", styled(BOLD, escaped(&step.rule)), step.action)?;
    for change in &step.changes {
        let text = |bytes: &Option<Box<[u8]>>| {
            let text = bytes.as_deref().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
            escaped(&text.unwrap_or_else(|| "nothing".to_owned()))
        };
        writeln!(out, "             {}: {} → {}", escaped(&change.what), text(&change.before), text(&change.after))?;
    }
    for managed in &step.managed {
        writeln!(out, "             managed rule {}", escaped(managed))?;
    }
    step.why.as_ref().map_or(Ok(()), |term| show_term(out, term, 0))
}

fn show_term(out: &mut impl Write, term: &Term, depth: usize) -> io::Result<()> {
    let indent = 13 + depth * 2;
    let worth = match &term.value {
        _ if !term.reached => "–".to_owned(),
        Value::Null => "nothing".to_owned(),
        value => output::escaped_json(&value.to_string()),
    };
    writeln!(out, "{:indent$}{} {}", "", styled(DIM, escaped(&term.text)), worth)?;
    term.parts.iter().try_for_each(|part| show_term(out, part, depth + 1))
}
