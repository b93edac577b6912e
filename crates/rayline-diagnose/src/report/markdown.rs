//! A report as Markdown, such as for an issue.

use std::fmt::Write as _;

use super::{Row, labels, rows};
use crate::diagnosis::Diagnosis;
use crate::mask::{self, Masking};

/// The report.
pub fn markdown(diagnosis: &Diagnosis, masking: Masking) -> String {
    let Diagnosis { case, conclusion, .. } = diagnosis;
    let mut out = format!("# {}\n\n", text(&mask::url(&case.url, masking)));
    line(&mut out, &format!("**{}**", text(&conclusion.sentence)));
    let labels: Vec<String> = labels(conclusion).iter().map(|label| code(label)).collect();
    if !labels.is_empty() {
        line(&mut out, &labels.join(" · "));
    }
    line(&mut out, &format!("Looked at {} for {} ms.", diagnosis.began(), diagnosis.took.as_millis()));
    list(&mut out, "Why", &conclusion.clues, "-");
    list(&mut out, "What to do", &conclusion.fix, "1.");
    hypotheses(&mut out, diagnosis);
    list(&mut out, "To know more", &conclusion.next, "-");
    requests(&mut out, &rows(diagnosis));
    steps(&mut out, diagnosis);
    out
}

fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push_str("\n\n");
}

fn list(out: &mut String, title: &str, items: &[String], mark: &str) {
    if items.is_empty() {
        return;
    }
    line(out, &format!("## {title}"));
    for item in items {
        let _ = writeln!(out, "{mark} {}", text(item));
    }
    out.push('\n');
}

fn hypotheses(out: &mut String, diagnosis: &Diagnosis) {
    let all = &diagnosis.conclusion.hypotheses;
    if all.len() < 2 {
        return;
    }
    line(out, "## What it could be");
    line(out, "| likelihood | code | why | to decide |\n| ---: | --- | --- | --- |");
    out.truncate(out.trim_end().len());
    out.push('\n');
    for hypothesis in all {
        let _ = writeln!(
            out,
            "| {:.0} % | {} | {} | {} |",
            hypothesis.likelihood * 100.0,
            code(hypothesis.code.name()),
            text(&hypothesis.sentence),
            text(&hypothesis.decide)
        );
    }
    out.push('\n');
}

fn requests(out: &mut String, rows: &[Row<'_>]) {
    if rows.is_empty() {
        return;
    }
    line(out, "## Requests");
    out.push_str("| way | outcome | connect | TLS | wait | total | request id |\n");
    out.push_str("| --- | --- | ---: | ---: | ---: | ---: | --- |\n");
    for row in rows {
        let timings = &row.exchange.timings;
        let phase = |took: Option<std::time::Duration>| {
            took.map_or_else(|| "–".to_owned(), |took| format!("{} ms", took.as_millis()))
        };
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} |",
            text(&row.way),
            text(&row.outcome()),
            phase(timings.connect),
            phase(timings.tls),
            phase(timings.wait),
            phase(Some(timings.total)),
            row.request_id.map_or_else(|| "–".to_owned(), code),
        );
    }
    out.push('\n');
}

fn steps(out: &mut String, diagnosis: &Diagnosis) {
    line(out, "## Steps");
    for probe in diagnosis.probes() {
        let mark = match probe.ok {
            Some(true) => "ok",
            Some(false) => "**fault**",
            None => "–",
        };
        let _ = writeln!(out, "- {} {mark}: {} ({} ms)", code(&probe.name), text(&probe.said), probe.took.as_millis());
    }
}

/// Text from outside, in which nothing is markup.
fn text(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    for letter in raw.chars() {
        match letter {
            '\\' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '!' => {
                out.push('\\');
                out.push(letter);
            }
            _ if letter.is_control() => out.push(' '),
            _ => out.push(letter),
        }
    }
    out
}

/// Text as code: what would end the code, or the line, goes.
fn code(raw: &str) -> String {
    let kept: String = raw.chars().filter(|letter| !letter.is_control() && !matches!(letter, '`' | '|')).collect();
    format!("`{kept}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_outside_is_no_markup() {
        assert_eq!(text("<script>|*a*\n[x](y)"), r"\<script\>\|\*a\* \[x\](y)");
        assert_eq!(code("a`b|c\n"), "`abc`");
    }
}
