//! The report as people read it: a page of Markdown, and a table on the terminal.

use std::fmt::Write as _;

use super::fault::{FAULTS, Role};
use super::report::{Report, Row};
use super::score::{Look, Outcome, Place, Score};

/// The most letters of one thing that was said.
const SHOWN: usize = 150;

/// The head of the page: what is counted, and how.
const INTRODUCTION: &str = "\
Seventeen ways in which an origin fails, and what each proxy says of them: to the visitor (status line, page, and whether
the answer is whole), in a header (`Proxy-Status`, or any field with *error*, *reason*, *cause* or *warning* in its name),
in the access log, and in what else it logs meanwhile.

**How it is counted.** From what is said, everything is removed that differs from one request to the next: host names,
addresses, ports, times, identifiers, counts of bytes; of numbers only those of three digits stay, as statuses and errors
are. Failures of which the same is said, to the letter, are one class. A class counts unless the same is said of a good
answer or of a 502 that the origin sent itself: who reads that cannot know that anything is wrong, or with whom. So \"5 of
17\" means that five kinds of failure can be told apart. Silence is the same as what is said of a good answer. A failure
that a proxy cannot be asked for is not counted, and the second number is lower. A dash: nothing is ever said there.

**How they are set up.** As a careful operator would: time-outs of 2 s, no second try, certificates verified, an access log
with every field that may tell a cause. Each peer is asked once for each origin, with nothing else going on, so that what
is logged meanwhile is about that request; in production another log helps only if its lines bear an identifier. A figure
of what the visitor gets may differ by one between runs: whether a part of a broken body is sent on is a matter of timing.
Whoever knows a setting that tells more is welcome to add it: each peer is one file in `crates/rayline-lab/src/peers/peer`.
";

/// The whole page.
pub(crate) fn page(report: &Report) -> String {
    let mut out = String::from("# What each proxy says\n\n<!-- Made by `cargo xtask peers --update`. -->\n\n");
    let _ = writeln!(out, "{INTRODUCTION}\nMeasured on {}, on loopback.\n", report.date);
    let rows = summary(report);
    for (number, row) in rows.iter().enumerate() {
        let _ = writeln!(out, "| {} |", row.join(" | "));
        if number == 0 {
            let _ = writeln!(out, "|{}", " --- |".repeat(row.len()));
        }
    }
    for row in report.peers.iter().filter(|row| row.trouble.is_some()) {
        let trouble = row.trouble.as_deref().unwrap_or_default();
        let _ = writeln!(
            out,
            "\n{} (`{}`) has no figures: {}.",
            row.title(),
            row.name,
            cell(trouble).trim_end_matches('.')
        );
    }
    out += "\nIn the tables below a letter stands for a class: in one column, failures with the same letter are not told \
            apart. `=502` is what is said of an origin's own 502 too, `=200` what is said of a good answer.\n";
    for row in report.peers.iter().filter(|row| row.trouble.is_none()) {
        peer(&mut out, row);
    }
    out
}

/// The figures, as lines of cells.
fn summary(report: &Report) -> Vec<Vec<String>> {
    let head = [
        "told apart by",
        "the access log",
        "the visitor",
        "a header",
        "another log",
        "logged like an origin's own 502",
        "logged like a good answer",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for row in report.peers.iter().filter(|row| row.trouble.is_none()) {
        let told_apart = [Place::Access, Place::Visitor, Place::Header, Place::Second].map(|place| figure(row, place));
        let access = row.score(Place::Access);
        let like = [access.map(|score| score.like_own_502), access.map(|score| score.like_success)];
        let like = like.map(|count| count.unwrap_or_default().to_string());
        rows.push([row.title()].into_iter().chain(told_apart).chain(like).collect());
    }
    rows
}

fn figure(row: &Row, place: Place) -> String {
    let is_silent = row.observations.iter().filter_map(|said| said.words(place)).all(|words| words.said.is_empty());
    match row.score(place) {
        Some(_) if is_silent => "–".to_owned(),
        Some(Score { told_apart, of, .. }) => format!("{told_apart} of {of}"),
        None => String::new(),
    }
}

fn peer(out: &mut String, row: &Row) {
    let second = row.peer.second.as_ref().map_or("another log", |log| log.title);
    let _ = writeln!(out, "\n## {}\n\n{}\n", row.title(), row.peer.note);
    let _ = writeln!(out, "| the origin | visitor | header | {} | {second} |", row.peer.access.title);
    let _ = writeln!(out, "| --- | --- | --- | --- | --- |");
    for observation in &row.observations {
        let fault = FAULTS.iter().find(|fault| fault.name == observation.fault);
        let title = fault.map_or(observation.fault, |fault| fault.title);
        let title = if observation.role == Role::Fault { title.to_owned() } else { format!("*{title}*") };
        let cells = match &observation.outcome {
            Outcome::Inapplicable(reason) => format!("*{reason}* | | | |"),
            Outcome::Said(words) => {
                let places = Place::ALL.iter().zip(words);
                let cells = places.map(|(place, words)| {
                    let look = row.score(*place).and_then(|score| score.look(observation.fault));
                    format!("{} {} |", look.map(letter).unwrap_or_default(), code(&words.said))
                });
                cells.collect::<Vec<_>>().join(" ")
            }
        };
        let _ = writeln!(out, "| {title} | {cells}");
    }
}

/// What a class is called.
fn letter(look: Look) -> String {
    match look {
        Look::Class(number) => {
            let letter = ('A'..='Z').nth(number).unwrap_or('?');
            format!("**{letter}**")
        }
        Look::Own502 => "=502".to_owned(),
        Look::Success => "=200".to_owned(),
    }
}

/// What was said, short enough for a table, as it came.
fn code(said: &str) -> String {
    if said.is_empty() {
        return "–".to_owned();
    }
    let shown = cell(said);
    let short: String = shown.chars().take(SHOWN).collect();
    let more = if short.len() < shown.len() { "…" } else { "" };
    format!("`{short}{more}`")
}

/// Text that breaks no table: printable, on one line, without the marks of Markdown.
fn cell(text: &str) -> String {
    let plain = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let safe = plain.chars().filter(|letter| !letter.is_control() && *letter != char::REPLACEMENT_CHARACTER);
    safe.map(|letter| match letter {
        '|' => '¦',
        '`' => '\'',
        other => other,
    })
    .collect()
}

/// The figures for a terminal.
pub(crate) fn terminal(report: &Report) -> String {
    let rows = summary(report);
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or_default()).collect();
    let mut out = String::new();
    for row in &rows {
        let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}"));
        let _ = writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
    out
}
