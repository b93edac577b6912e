//! What `rayline config` prints for people. All of it is somebody's words, so all of it is escaped.

use std::io::{self, Write};

use serde_json::Value;

use crate::cli::config::{ConfigCommand, RolloutCommand};
use crate::output::{BOLD, DIM, GREEN, RED, YELLOW, escaped, styled};

/// Shows an answer.
pub(super) fn show(out: &mut impl Write, command: &ConfigCommand, result: &Value) -> io::Result<()> {
    match command {
        ConfigCommand::List => list(out, result),
        ConfigCommand::Show(_) => version(out, result),
        ConfigCommand::Diff(_) => diff(out, text(result, "diff")),
        ConfigCommand::Apply(_) | ConfigCommand::Rollback(_) => applied(out, result),
        ConfigCommand::Rollout(args) => match args.command {
            RolloutCommand::Status => rollout(out, result),
            RolloutCommand::Promote(_) | RolloutCommand::Abort(_) => applied(out, result),
        },
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn number(value: &Value, name: &str) -> String {
    value.get(name).map(ToString::to_string).unwrap_or_default()
}

fn array<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn list(out: &mut impl Write, versions: &Value) -> io::Result<()> {
    for version in versions.as_array().into_iter().flatten() {
        writeln!(out, "{}", headline(version))?;
    }
    Ok(())
}

/// One version in one line.
fn headline(version: &Value) -> String {
    let is_running = version.get("running").and_then(Value::as_bool) == Some(true);
    let (author, comment) = (escaped(text(version, "author")), escaped(text(version, "comment")));
    let state = match text(version, "state") {
        "used" if is_running => styled(GREEN, "runs"),
        "used" => String::new(),
        "rolling_out" => styled(YELLOW, "is being rolled out"),
        "rolled_back" => styled(RED, "rolled back by itself"),
        _ => styled(DIM, "rollout ended"),
    };
    let by = if author.is_empty() { String::new() } else { format!("  by {author}") };
    let why = if comment.is_empty() { String::new() } else { format!("  {comment}") };
    format!("{:>5}  {}{by}{why}  {state}", styled(BOLD, number(version, "version")), text(version, "since"))
        .trim_end()
        .to_owned()
}

fn version(out: &mut impl Write, version: &Value) -> io::Result<()> {
    writeln!(out, "{}", headline(version))?;
    for event in array(version, "history") {
        let by = escaped(text(event, "by"));
        let by = if by.is_empty() { String::new() } else { styled(DIM, format!(" by {by}")) };
        writeln!(out, "  {}  {}{by}", text(event, "at"), escaped(text(event, "what")))?;
        evidence(out, event.get("evidence").unwrap_or(&Value::Null))?;
    }
    writeln!(out)?;
    for line in text(version, "text").lines() {
        writeln!(out, "{}", escaped(line))?;
    }
    Ok(())
}

/// What came of both versions in the same window.
fn evidence(out: &mut impl Write, evidence: &Value) -> io::Result<()> {
    for (name, sample) in ["old", "new"].iter().filter_map(|name| Some((name, evidence.get(name)?))) {
        if sample.get("version").and_then(Value::as_u64).unwrap_or_default() == 0 {
            continue;
        }
        let others: String = array(sample, "others")
            .iter()
            .filter_map(|other| Some(format!(", {} by {}", other.get(1)?, escaped(other.get(0)?.as_str()?))))
            .collect();
        writeln!(
            out,
            "    {name} {}: {} requests of about {} visitors, {} failed by owner or edge ({} %, {} to {}){others}",
            number(sample, "version"),
            number(sample, "requests"),
            number(sample, "visitors"),
            number(sample, "blamed"),
            number(sample, "percent"),
            number(sample, "percent_low"),
            number(sample, "percent_high"),
        )?;
    }
    for code in array(evidence, "codes") {
        writeln!(
            out,
            "    {}: {} before, {} now",
            escaped(text(code, "code")),
            number(code, "old"),
            number(code, "new")
        )?;
    }
    Ok(())
}

fn diff(out: &mut impl Write, diff: &str) -> io::Result<()> {
    for line in diff.lines() {
        let shown = escaped(line);
        match line.as_bytes().first() {
            Some(b'+') => writeln!(out, "{}", styled(GREEN, shown))?,
            Some(b'-') => writeln!(out, "{}", styled(RED, shown))?,
            _ => writeln!(out, "{shown}")?,
        }
    }
    Ok(())
}

pub(super) fn applied(out: &mut impl Write, result: &Value) -> io::Result<()> {
    writeln!(out, "{}", escaped(text(result, "outcome")))?;
    for message in array(result, "messages").iter().filter_map(Value::as_str) {
        for line in message.lines() {
            writeln!(out, "{}", escaped(line))?;
        }
    }
    Ok(())
}

fn rollout(out: &mut impl Write, rollout: &Value) -> io::Result<()> {
    if rollout.is_null() {
        return writeln!(out, "no version is being rolled out");
    }
    let steps: Vec<String> = array(rollout, "steps").iter().map(|step| format!("{step} %")).collect();
    writeln!(
        out,
        "version {} is rolled out to {} % of the visitors; the others are on version {}",
        styled(BOLD, number(rollout, "version")),
        number(rollout, "percent"),
        number(rollout, "from"),
    )?;
    writeln!(out, "steps: {}; this one since {}", steps.join(", "), text(rollout, "since"))?;
    writeln!(out, "waits for: {}", escaped(text(rollout, "waiting_for")))?;
    evidence(out, rollout.get("evidence").unwrap_or(&Value::Null))
}
