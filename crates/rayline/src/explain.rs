//! `rayline explain`: from a number or a name to what it means and what to do.

use std::io::{self, Write};

use rayline_diagnose::logs::Cause;
use rayline_verdict::explain::{Found, Unsent, find, page};
use rayline_verdict::{Certainty, Code, Entry, Number, Party, Retry, Sent, TABLE};
use serde_json::{Value, json};

use crate::cli::{ExplainArgs, Global};
use crate::output::{self, BOLD, CYAN, DIM, Exit, markdown, styled};

/// Below this many columns a sentence stands under its code, not beside it.
const WIDE: usize = 120;

pub(crate) fn run(args: &ExplainArgs, global: &Global) -> io::Result<Exit> {
    let mut out = output::stdout();
    let Some(query) = &args.code else {
        let all: Vec<Code> = TABLE.iter().map(|entry| entry.code).collect();
        if global.json {
            print_json(&mut out, &all)?
        } else {
            print_all(&mut out)?
        }
        return Ok(Exit::Fine);
    };
    let found = find(query);
    if let Found::Unknown { nearest } = found {
        if let Some(cause) = Cause::find(query) {
            print_cause(&mut out, cause, global.json)?;
            return Ok(Exit::Fine);
        }
        let names: Vec<String> = nearest.iter().map(|code| format!("`{code}`")).collect();
        output::fail(
            &format!("there is no code `{query}`"),
            Some(&format!("the nearest are {}; `rayline explain` lists all", names.join(", "))),
        );
        return Ok(Exit::Usage);
    }
    if let Found::Unsent(row) = found {
        print_unsent(&mut out, row, global.json)?;
        return Ok(Exit::Fine);
    }
    let chapters = chapters(found);
    let codes: Vec<Code> = chapters.iter().flat_map(|chapter| chapter.codes.iter().copied()).collect();
    match codes.as_slice() {
        _ if global.json => print_json(&mut out, &codes)?,
        [only] => print_page(&mut out, *only)?,
        _ => {
            for chapter in &chapters {
                if let Some(number) = chapter.number {
                    writeln!(out, "{}", styled(BOLD, format_args!("{} · {}", number.number, number.title)))?;
                }
                print_codes(&mut out, &chapter.codes)?;
                writeln!(out)?;
            }
            writeln!(out, "`rayline explain CODE` has a page on each.")?;
        }
    }
    Ok(Exit::Fine)
}

/// A number of Cloudflare's that this edge never sends.
fn print_unsent(out: &mut impl Write, row: &Unsent, as_json: bool) -> io::Result<()> {
    if as_json {
        let instead: Vec<&str> = row.instead.iter().map(|code| code.name()).collect();
        let value =
            json!({ "number": row.number, "title": row.title, "sent": false, "why": row.why, "instead": instead });
        serde_json::to_writer_pretty(&mut *out, &value)?;
        return writeln!(out);
    }
    writeln!(out, "{}\n", styled(BOLD, format_args!("{} · {}", row.number, row.title)))?;
    writeln!(out, "This edge never sends it. {}", row.why)?;
    if row.instead.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nWhat comes nearest here:")?;
    print_codes(out, row.instead)
}

/// What is wrong inside an origin: no edge sees it, and `rayline diagnose` reads it from logs and machine.
fn print_cause(out: &mut impl Write, cause: Cause, as_json: bool) -> io::Result<()> {
    let row = cause.row();
    if as_json {
        let value = json!({ "cause": row.name, "hop": row.hop.name(), "sentence": row.sentence, "fix": row.fix });
        serde_json::to_writer_pretty(&mut *out, &value)?;
        return writeln!(out);
    }
    writeln!(out, "{}\n\n{}\n", styled(BOLD, row.name), row.sentence)?;
    writeln!(
        out,
        "No edge sees it: `rayline diagnose --logs PATH` and `rayline logs PATH` read it from the origin's logs,"
    )?;
    writeln!(out, "and `rayline diagnose --here` from the origin's machine.\n")?;
    for (place, fix) in row.fix.iter().enumerate() {
        writeln!(out, "{}. {fix}", place + 1)?;
    }
    Ok(())
}

/// Codes that belong together, under the number they show where that is why.
struct Chapter {
    number: Option<&'static Number>,
    codes: Vec<Code>,
}

fn chapters(found: Found) -> Vec<Chapter> {
    match found {
        Found::Code(code) => vec![Chapter { number: None, codes: vec![code] }],
        Found::Number(number, codes) => vec![Chapter { number: Some(number), codes }],
        Found::Status(_, numbers) => {
            numbers.into_iter().map(|number| Chapter { number: Some(number), codes: shown_by(number) }).collect()
        }
        Found::Several(codes) => vec![Chapter { number: None, codes }],
        Found::Unsent(_) | Found::Unknown { .. } => Vec::new(),
    }
}

fn shown_by(number: &Number) -> Vec<Code> {
    TABLE.iter().filter(|entry| entry.number() == number.number).map(|entry| entry.code).collect()
}

fn print_page(out: &mut impl Write, code: Code) -> io::Result<()> {
    if output::is_colourful() {
        write!(out, "{}", markdown::render(page(code), output::width().unwrap_or(80)))
    } else {
        write!(out, "{}", page(code))
    }
}

fn print_all(out: &mut impl Write) -> io::Result<()> {
    for party in Party::ALL {
        let of_party = || TABLE.iter().filter(|entry| entry.party == party);
        if of_party().next().is_none() {
            continue;
        }
        writeln!(out, "{} {}", styled(BOLD, party), styled(DIM, format_args!("({})", party.in_words())))?;
        print_codes(out, &of_party().map(|entry| entry.code).collect::<Vec<_>>())?;
        writeln!(out)?;
    }
    writeln!(out, "`rayline explain CODE` has a page on each.")
}

/// One line per code, or two on a narrow terminal. They come grouped by phase as the table is.
fn print_codes(out: &mut impl Write, codes: &[Code]) -> io::Result<()> {
    let name_columns = TABLE.iter().map(|entry| entry.name.len()).max().unwrap_or_default();
    let narrow = output::width().is_some_and(|width| width < WIDE);
    for code in codes {
        let entry = code.entry();
        let number = shown_number(entry);
        let name = styled(CYAN, entry.name);
        if narrow {
            writeln!(out, "  {number:>4}  {name}\n        {}", entry.sentence)?;
        } else {
            let gap = name_columns + 2 - entry.name.len();
            writeln!(out, "  {number:>4}  {name}{:gap$}{}", "", entry.sentence)?;
        }
    }
    Ok(())
}

/// The number as a person knows it; the origin's own statuses are many.
fn shown_number(entry: &Entry) -> String {
    match (entry.sent, entry.number()) {
        (Sent::Origin, _) => "5xx".to_owned(),
        (Sent::Outside, _) | (Sent::Page(_) | Sent::Cut(_) | Sent::Nothing(_), 0) => "–".to_owned(),
        (Sent::Page(_) | Sent::Cut(_) | Sent::Nothing(_), number) => number.to_string(),
    }
}

/// One object, or an array if it is not just one.
fn print_json(out: &mut impl Write, codes: &[Code]) -> io::Result<()> {
    let value = match codes {
        [only] => to_json(only.entry()),
        _ => codes.iter().map(|code| to_json(code.entry())).collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &value)?;
    writeln!(out)
}

fn to_json(entry: &Entry) -> Value {
    let number = (entry.number() > 0).then(|| entry.number());
    let certainty = if entry.rivals.is_empty() { Certainty::Proven } else { Certainty::Inferred };
    let retry = match entry.retry {
        Retry::Never => "never",
        Retry::Later => "later",
        Retry::Now => "now",
    };
    json!({
        "code": entry.name,
        "party": entry.party.name(),
        "phase": entry.phase.name(),
        "number": number,
        "title": number.and_then(Number::find).map(|number| number.title),
        "sentence": entry.sentence,
        "certainty": certainty.name(),
        "rivals": entry.rivals.iter().map(|code| code.name()).collect::<Vec<_>>(),
        "reached": entry.reached.name(),
        "retry": retry,
        "proxy_error": entry.proxy_error,
        "fix": entry.fix,
        "page": page(entry.code),
    })
}
