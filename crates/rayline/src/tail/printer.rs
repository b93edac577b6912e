//! One record as a person reads it: a line for the request, and for a failure one for whose fault it is.

use std::fmt::Write as _;
use std::io::{self, Stdout, Write};

use anstream::AutoStream;
use anstyle::Style;
use rayline_observe::{Subject, TailFilter};
use rayline_verdict::{Code, Party};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::cli::Global;
use crate::output::{BLUE, CYAN, DIM, GREEN, MAGENTA, RED, YELLOW, escaped, escaped_json, say, styled};

/// Characters of host and target that are shown.
const TARGET_CHARS: usize = 200;

/// Prints records to standard output.
pub(crate) struct Printer {
    out: AutoStream<Stdout>,
    json: bool,
    verbose: bool,
    /// It has been said that there are lines which are no records.
    warned: bool,
}

impl Printer {
    pub(crate) fn new(global: &Global) -> Self {
        Self { out: anstream::stdout(), json: global.json, verbose: global.verbose > 0, warned: false }
    }

    /// A line of a request log, if the filter lets it through.
    pub(crate) fn record(&mut self, line: &[u8], filter: &TailFilter) -> io::Result<()> {
        if line.trim_ascii().is_empty() {
            return Ok(());
        }
        match serde_json::from_slice::<Value>(line) {
            Ok(record) if record.is_object() => {
                if filter.admits(&Subject::of_line(&record)) {
                    self.print(line, &record)
                } else {
                    Ok(())
                }
            }
            Ok(_) | Err(_) => {
                if !self.warned {
                    say("some lines are no records, and are left out");
                    self.warned = true;
                }
                Ok(())
            }
        }
    }

    /// A line of a tail: a record, or how many were missed.
    pub(crate) fn tailed(&mut self, line: &[u8]) -> io::Result<()> {
        let missed = serde_json::from_slice::<Value>(line).ok().and_then(|value| value.get("missed")?.as_u64());
        match missed {
            Some(count) => {
                say(&format!("{count} requests are left out: this terminal was too slow for them"));
                Ok(())
            }
            None => self.record(line, &TailFilter::default()),
        }
    }

    fn print(&mut self, line: &[u8], record: &Value) -> io::Result<()> {
        let text = if self.json {
            escaped_json(String::from_utf8_lossy(line).trim()) + "\n"
        } else {
            to_text(record, self.verbose)
        };
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }
}

/// A record as a person reads it.
pub(crate) fn to_text(record: &Value, verbose: bool) -> String {
    let text = |name: &str| escaped(record.get(name).and_then(Value::as_str).unwrap_or_default());
    let number = |name: &str| record.get(name).and_then(Value::as_u64).unwrap_or_default();
    let status = number("EdgeResponseStatus");
    let mut target = text("ClientRequestHost") + &text("ClientRequestURI");
    if let Some((end, _)) = target.char_indices().nth(TARGET_CHARS) {
        target.truncate(end);
        target.push('…');
    }
    let origin = match number("OriginResponseStatus") {
        0 => styled(DIM, "origin –"),
        answered => styled(DIM, "origin ") + &styled(of_status(answered), answered),
    };
    let mut out = format!(
        "{}  {}  {} {target}  {origin}  {}\n",
        styled(DIM, time_of_day(&text("EdgeEndTimestamp"))),
        styled(of_status(status), if status == 0 { "–––".to_owned() } else { format!("{status:>3}") }),
        text("ClientRequestMethod"),
        styled(DIM, took(record)),
    );
    if let Some(name) = record.get("VerdictCode").and_then(Value::as_str) {
        // a String takes every write
        let _ = write_verdict(&mut out, record, name, status);
    }
    if verbose {
        let _ = writeln!(out, "    {}", styled(DIM, format_args!("ray {}", text("RayID"))));
        for name in ["VerdictReached", "VerdictRivals", "VerdictEvidence", "VerdictAttempts"] {
            if let Some(value) = record.get(name) {
                let _ = writeln!(out, "    {}", styled(DIM, format_args!("{name} {}", escaped(&value.to_string()))));
            }
        }
    }
    out
}

fn write_verdict(out: &mut String, record: &Value, name: &str, status: u64) -> std::fmt::Result {
    let party = name.split('.').next().unwrap_or_default();
    let style = Party::ALL.into_iter().find(|known| known.name() == party).map_or(DIM, of_party);
    write!(out, "    {}  {}", styled(style.bold(), escaped(party)), styled(style, escaped(name)))?;
    match record.get("VerdictStatus").and_then(Value::as_u64) {
        Some(number) if number != status && number != 0 => write!(out, " {number}")?,
        Some(_) | None => {}
    }
    if let Some(certainty) = record.get("VerdictCertainty").and_then(Value::as_str) {
        write!(out, "  {}", styled(DIM, escaped(certainty)))?;
    }
    // an edge of another version may know more codes
    match Code::find(name) {
        Some(code) => writeln!(out, "  {}", code.entry().sentence),
        None => writeln!(out),
    }
}

/// `12:00:00.025` of `2026-11-21T12:00:00.025000000Z`.
fn time_of_day(timestamp: &str) -> String {
    match OffsetDateTime::parse(timestamp, &Rfc3339) {
        Ok(at) => format!("{:02}:{:02}:{:02}.{:03}", at.hour(), at.minute(), at.second(), at.millisecond()),
        Err(_) => "--:--:--.---".to_owned(),
    }
}

/// From the first byte of the request to the end of the answer.
fn took(record: &Value) -> String {
    let moment = |name: &str| OffsetDateTime::parse(record.get(name)?.as_str()?, &Rfc3339).ok();
    match (moment("EdgeStartTimestamp"), moment("EdgeEndTimestamp")) {
        (Some(start), Some(end)) => format!("{} ms", (end - start).whole_milliseconds()),
        (Some(_), None) | (None, Some(_) | None) => "– ms".to_owned(),
    }
}

fn of_status(status: u64) -> Style {
    match status {
        200..=299 => GREEN,
        300..=399 => CYAN,
        400..=499 => YELLOW,
        500.. => RED,
        0..=199 => DIM,
    }
}

fn of_party(party: Party) -> Style {
    match party {
        Party::Visitor => YELLOW,
        Party::Policy => GREEN,
        Party::Owner => BLUE,
        Party::Edge => MAGENTA,
        Party::Network => CYAN,
        Party::Origin => RED,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plain(record: &Value, verbose: bool) -> String {
        anstream::adapter::strip_str(&to_text(record, verbose)).to_string()
    }

    fn record() -> Value {
        json!({
            "RayID": "230b030023ae2822",
            "EdgeStartTimestamp": "2026-11-21T12:00:00.000000000Z",
            "EdgeEndTimestamp": "2026-11-21T12:00:00.025900000Z",
            "EdgeResponseStatus": 200,
            "ClientRequestMethod": "GET",
            "ClientRequestHost": "www.shop.example",
            "ClientRequestURI": "/cart?x=1",
            "OriginResponseStatus": 200,
        })
    }

    #[test]
    fn a_good_answer_takes_one_line() {
        let expected = "12:00:00.025  200  GET www.shop.example/cart?x=1  origin 200  25 ms\n";
        assert_eq!(plain(&record(), false), expected);
        assert_eq!(plain(&record(), true), format!("{expected}    ray 230b030023ae2822\n"));
    }

    #[test]
    fn a_failure_says_whose_it_is() {
        let mut record = record();
        record["EdgeResponseStatus"] = json!(530);
        record["OriginResponseStatus"] = json!(0);
        record["VerdictCode"] = json!("owner.resolve.nxdomain");
        record["VerdictStatus"] = json!(1016);
        record["VerdictCertainty"] = json!("proven");
        let sentence = Code::OwnerResolveNxdomain.entry().sentence;
        assert_eq!(
            plain(&record, false),
            format!(
                "12:00:00.025  530  GET www.shop.example/cart?x=1  origin –  25 ms\n    \
                 owner  owner.resolve.nxdomain 1016  proven  {sentence}\n"
            )
        );
    }

    #[test]
    fn what_is_missing_or_hostile_is_shown_as_such() {
        assert_eq!(plain(&json!({}), false), "--:--:--.---  –––     origin –  – ms\n");
        let hostile = json!({
            "ClientRequestMethod": "\u{1b}[31m",
            "ClientRequestHost": "a\r\n200 OK",
            "ClientRequestURI": format!("/\u{9b}2J\u{202e}{}", "x".repeat(500)),
            "VerdictCode": "evil\u{7}.a.b",
            "VerdictCertainty": "\u{1b}]0;title\u{7}",
            "VerdictEvidence": { "\u{1b}c": "\u{9b}" },
        });
        let text = plain(&hostile, true);
        assert!(text.chars().all(|letter| letter == '\n' || !letter.is_control()), "{text:?}");
        assert!(!text.contains('\u{202e}'));
        assert!(text.lines().all(|line| line.chars().count() < 300));
    }
}
