//! What was found, for people and for programs.

use std::io::{self, Write};

use rayline_diagnose::bisect::{Culprit, Found, Part, Reply, Tried};

use super::{Answer, Versions};
use crate::cli::Global;
use crate::output::{self, BOLD, DIM, GREEN, RED, escaped, styled};

pub(super) fn show(out: &mut impl Write, answer: &Answer, global: &Global) -> io::Result<()> {
    if global.json {
        for line in format!("{:#}", answer.to_json()).lines() {
            writeln!(out, "{}", output::escaped_json(line))?;
        }
        return Ok(());
    }
    let Answer { question, baseline, parts, tries, .. } = answer;
    writeln!(out, "{} {}: {}", question.method, escaped(question.url.as_str()), said(baseline))?;
    writeln!(out, "{}", styled(DIM, format_args!("{} can be switched off; {tries} copies were sent", counted(parts))))?;
    writeln!(out)?;
    match &answer.found {
        Found::NoFailure(Tried::Works) => {
            writeln!(out, "{}", styled(GREEN, "The request does not fail now, so there is nothing to find."))?;
        }
        Found::NoFailure(_) => {
            writeln!(out, "The failure is another one from try to try, so nothing can be found.")?;
            writeln!(out, "  `rayline diagnose URL` samples failures that come and go.")?;
        }
        Found::Without(Tried::Fails) => {
            writeln!(out, "{}", styled(BOLD, "No rule is to blame: it fails the same with every rule switched off."))?;
            writeln!(out, "  `rayline diagnose URL` says whose fault it is.")?;
        }
        Found::Without(_) => {
            writeln!(out, "With every rule switched off it fails in another way, which hides what the rules do.")?;
            writeln!(out, "  Mend that first: `rayline diagnose URL` says whose fault it is.")?;
        }
        Found::Culprits(culprits) => show_culprits(out, answer, culprits)?,
        Found::Unfinished(culprits) => {
            show_culprits(out, answer, culprits)?;
            writeln!(out, "The copies were used up before all was known: --tries allows more.")?;
        }
    }
    answer.versions.as_ref().map_or(Ok(()), |versions| show_versions(out, versions))
}

fn said(reply: &Reply) -> String {
    let ray = reply.ray.as_ref().map(|ray| format!(" (Ray {})", escaped(ray))).unwrap_or_default();
    format!("{}{ray}", escaped(&reply.shown()))
}

fn counted(parts: &[Part]) -> String {
    match parts.len() {
        1 => "1 rule".to_owned(),
        count => format!("{count} rules"),
    }
}

fn show_culprits(out: &mut impl Write, answer: &Answer, culprits: &[Culprit]) -> io::Result<()> {
    for culprit in culprits {
        let parts: Vec<&Part> = culprit.of(&answer.parts).collect();
        let verdict = match parts.len() {
            1 => "This rule causes it:",
            _ => "These rules cause it together:",
        };
        writeln!(out, "{}", styled(RED, verdict))?;
        for part in &parts {
            show_part(out, part)?;
        }
        let them = if parts.len() == 1 { "it" } else { "any one of them" };
        writeln!(
            out,
            "  {}",
            match culprit.without {
                Tried::Works => format!("without {them} the request works"),
                Tried::Fails => format!("without {them} it fails still, for another reason below"),
                Tried::Otherwise => format!("without {them} it fails in another way"),
            }
        )?;
        writeln!(out)?;
    }
    Ok(())
}

fn show_part(out: &mut impl Write, part: &Part) -> io::Result<()> {
    let (id, group, action) = (escaped(&part.id), escaped(&part.group), escaped(&part.action));
    writeln!(out, "  {}  {}", styled(BOLD, id), styled(DIM, format_args!("{action} in {group}")))?;
    let told = [("where", &part.place), ("description", &part.description), ("expression", &part.expression)];
    for (name, value) in told.into_iter().filter(|(_, value)| !value.is_empty()) {
        writeln!(out, "    {name}: {}", escaped(value))?;
    }
    Ok(())
}

fn show_versions(out: &mut impl Write, versions: &Versions) -> io::Result<()> {
    match versions {
        Versions::None => writeln!(out, "No earlier version of the configuration is kept to compare with."),
        Versions::AllFail { oldest } => {
            writeln!(
                out,
                "It failed with version {oldest} already, the oldest that is kept: no change of the configuration is to blame."
            )
        }
        Versions::Began { with, before, diff } => {
            writeln!(
                out,
                "{}",
                styled(
                    BOLD,
                    format_args!("It began with version {with}; with version {before} it did not fail. What changed:")
                )
            )?;
            for line in diff.lines() {
                let line = escaped(line);
                writeln!(out, "  {line}")?;
            }
            writeln!(out, "  `rayline config rollback {before}` goes back")
        }
    }
}
