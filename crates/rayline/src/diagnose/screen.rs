//! The verdict on one screen: whose fault, where on the way, why, what to do.

use std::io::{self, Write};

use rayline_diagnose::conclude::{Conclusion, Hypothesis, Outcome};
use rayline_diagnose::diagnosis::Diagnosis;
use rayline_diagnose::har::Examination;
use rayline_diagnose::report::{self, Masking, Part};
use rayline_verdict::Fact;
use serde_json::Value;

use super::view;
use crate::output::{self, BOLD, CYAN, DIM, GREEN, RED, YELLOW, escaped, styled};

/// How much of each list a screen holds; `--verbose` shows all of it.
const CLUES: usize = 5;
const STEPS: usize = 4;
const RIVALS: usize = 3;
/// Columns of text where there is no terminal to ask.
const WIDTH: usize = 100;
/// Longer lines are hard to read.
const MOST_WIDTH: usize = 120;
/// What stands before a rival's lines, under its code.
const RIVAL: &str = "           ";

/// Prints a diagnosis.
pub(crate) fn print(out: &mut impl Write, diagnosis: &Diagnosis, masking: Masking, is_verbose: bool) -> io::Result<()> {
    let conclusion = &diagnosis.conclusion;
    writeln!(out, "\n{}\n", styled(BOLD, escaped(&report::url(diagnosis, masking))))?;
    if conclusion.outcome == Outcome::Fault {
        print_picture(out, conclusion)?;
    }
    let style = match conclusion.outcome {
        Outcome::Fine => GREEN.bold(),
        Outcome::Fault => RED.bold(),
        Outcome::CannotTell => YELLOW.bold(),
    };
    writeln!(out, "{}", styled(style, wrapped(&escaped(&conclusion.sentence), "  ")))?;
    print_codes(out, conclusion)?;
    let most = |limit: usize| if is_verbose { usize::MAX } else { limit };
    list(out, "why", &conclusion.clues, most(CLUES), false)?;
    list(out, "evidence", &evidence(conclusion, is_verbose), usize::MAX, false)?;
    list(out, "do", &conclusion.fix, most(STEPS), true)?;
    print_rivals(out, &conclusion.hypotheses, conclusion, most(RIVALS))?;
    list(out, "to know more", &conclusion.next, most(STEPS), false)?;
    if is_verbose {
        writeln!(out, "\n  {}", styled(BOLD, "steps"))?;
        for probe in diagnosis.probes() {
            writeln!(out, "    {}", view::line(probe))?;
        }
    }
    writeln!(out)
}

/// The facts that the verdict rests on; unless all are to be said, those that fixes point at.
fn evidence(conclusion: &Conclusion, is_verbose: bool) -> Vec<String> {
    let facts = conclusion.verdict.iter().flat_map(|verdict| verdict.evidence.facts());
    let told = facts.filter(|fact| is_verbose || is_telling(fact));
    told.map(|fact| format!("{}: {}", fact.key(), words(&fact.value()))).collect()
}

/// A fact's value without JSON's quotes: an object's members in a row.
fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(members) => {
            let words: Vec<String> = members.iter().map(|(name, value)| format!("{name} {}", words(value))).collect();
            words.join(", ")
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => value.to_string(),
    }
}

/// Whether the fixes point at such a fact.
const fn is_telling(fact: &Fact) -> bool {
    matches!(
        fact,
        Fact::OriginAddress(_)
            | Fact::FirstBytes(_)
            | Fact::Violation { .. }
            | Fact::Limit { .. }
            | Fact::TlsAlert { .. }
            | Fact::Icmp { .. }
    )
}

/// *You ─ Edge ─ Network ─ Origin ─ App*, with the failing one marked.
fn print_picture(out: &mut impl Write, conclusion: &Conclusion) -> io::Result<()> {
    let boxes = report::picture(conclusion).map(|(name, part)| match part {
        Part::Fails => styled(RED.bold(), format_args!("[✗ {name}]")),
        Part::Well => styled(GREEN, format_args!("✓ {name}")),
        Part::Open => styled(DIM, format_args!("· {name}")),
    });
    let boxes: Vec<_> = boxes.collect();
    writeln!(out, "  {}\n", boxes.join(&styled(DIM, " ─── ")))
}

fn print_codes(out: &mut impl Write, conclusion: &Conclusion) -> io::Result<()> {
    let Some(verdict) = &conclusion.verdict else { return Ok(()) };
    let mut words = vec![styled(CYAN, verdict.code.name()), verdict.certainty.name().to_owned()];
    if verdict.number > 0 {
        words.push(verdict.number.to_string());
    }
    if let Some(named) = &conclusion.cause {
        words.push(styled(CYAN, named.cause.name()));
        words.extend(named.place.as_deref().map(escaped));
    }
    writeln!(out, "  {}", words.join(&styled(DIM, " · ")))
}

fn print_rivals(
    out: &mut impl Write,
    hypotheses: &[Hypothesis],
    conclusion: &Conclusion,
    most: usize,
) -> io::Result<()> {
    let is_verdict = |hypothesis: &&Hypothesis| {
        conclusion.verdict.as_ref().is_some_and(|verdict| verdict.code == hypothesis.code)
            && conclusion.cause.as_ref().map(|named| named.cause) == hypothesis.cause
    };
    let rivals: Vec<_> = hypotheses.iter().filter(|hypothesis| !is_verdict(hypothesis)).take(most).collect();
    if rivals.is_empty() {
        return Ok(());
    }
    let title = if conclusion.verdict.is_some() { "it could also be" } else { "it could be" };
    writeln!(out, "\n  {}", styled(BOLD, title))?;
    for Hypothesis { code, cause, likelihood, sentence, decide, .. } in rivals {
        let cause = cause.map_or_else(String::new, |cause| format!(" · {}", cause.name()));
        writeln!(out, "    {:>3.0} %  {}{cause}", likelihood * 100.0, styled(CYAN, code.name()))?;
        writeln!(out, "{}", wrapped(&escaped(sentence), RIVAL))?;
        writeln!(out, "{}", styled(DIM, wrapped(&format!("to decide: {}", escaped(decide)), RIVAL)))?;
    }
    Ok(())
}

/// A title and its lines; what is left out is counted.
fn list(out: &mut impl Write, title: &str, lines: &[String], most: usize, is_numbered: bool) -> io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n  {}", styled(BOLD, title))?;
    for (place, text) in lines.iter().take(most).enumerate() {
        let mark = if is_numbered { format!("    {}. ", place + 1) } else { "    - ".to_owned() };
        writeln!(out, "{}", wrapped(&escaped(text), &mark))?;
    }
    if lines.len() > most {
        writeln!(out, "    {}", styled(DIM, format_args!("{} more with --verbose", lines.len() - most)))?;
    }
    Ok(())
}

/// The text in lines that the screen holds: the first begins with `mark`, the others below it.
fn wrapped(text: &str, mark: &str) -> String {
    let rest = " ".repeat(mark.chars().count());
    let width = output::width().unwrap_or(WIDTH).min(MOST_WIDTH);
    textwrap::fill(text, textwrap::Options::new(width).initial_indent(mark).subsequent_indent(&rest).break_words(false))
}

/// Prints what failed in a browser's HAR.
pub(crate) fn print_har(out: &mut impl Write, examination: &Examination) -> io::Result<()> {
    let failed = examination.failed();
    let style = if failed == 0 { GREEN.bold() } else { RED.bold() };
    writeln!(out, "\n  {}", styled(style, format_args!("{failed} of {} requests failed", examination.requests)))?;
    for failure in &examination.failures {
        let status = if failure.status == 0 { "–".to_owned() } else { failure.status.to_string() };
        let request = format!("{} {}", failure.method, failure.url);
        writeln!(out, "\n  {} {}", styled(RED, status), styled(BOLD, escaped(&request)))?;
        let id = failure.request_id().map_or_else(String::new, |id| format!(", request id {}", escaped(id)));
        let when = format!("    {}, {:.0} ms{id}", escaped(&failure.started), failure.took_ms);
        writeln!(out, "{}", styled(DIM, when))?;
        writeln!(out, "{}", wrapped(&escaped(&failure.sentence), "    "))?;
        let codes: Vec<&str> = failure.codes.iter().take(RIVALS).map(|code| code.name()).collect();
        if !codes.is_empty() {
            writeln!(out, "    {}", styled(CYAN, codes.join(" or ")))?;
        }
    }
    if examination.more > 0 {
        writeln!(out, "\n  {}", styled(DIM, format_args!("and {} more", examination.more)))?;
    }
    if examination.blocked > 0 {
        let counted = if examination.blocked == 1 {
            "1 more was".to_owned()
        } else {
            format!("{} more were", examination.blocked)
        };
        let blocked = format_args!("{counted} blocked by an extension of the browser, which is no fault of the site");
        writeln!(out, "\n  {}", styled(DIM, blocked))?;
    }
    if failed > 0 {
        writeln!(out, "\n  `rayline diagnose URL` asks one of them again, and says whose fault it is")?;
    }
    writeln!(out)
}
