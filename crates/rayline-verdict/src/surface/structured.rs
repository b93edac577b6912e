//! The error for programs: JSON (RFC 9457), Markdown and plain text.
//!
//! Members are those of Cloudflare's structured errors in their order ("Error responses"), so that a client that
//! reads theirs reads these, with one exception: `cloudflare_error` would be a lie, `rayline_error` stands in its
//! place. Behind them come ours: `party`, `phase`, `code`, `certainty`, `reached`, and `evidence` where a fact may
//! be shown to visitors.

use crate::code::Retry;
use crate::surface::Notice;
use crate::surface::frame::{self, Escape, Form, Frame, Hole};
use crate::surface::headers::retry_after;
use crate::surface::words::{Advice, Heading, owner_must_act};
use crate::write;

/// One JSON object and a line break: the body of `application/json` and of `application/problem+json`.
pub(crate) fn json(notice: &Notice<'_>, out: &mut Vec<u8>) {
    frame::render(notice, Form::Json, out, json_frame);
}

fn json_frame(notice: &Notice<'_>, frame: &mut Frame) {
    const JSON: Syntax = Syntax::JSON;
    let verdict = notice.verdict;
    let heading = Heading::of(verdict);
    let out = &mut frame.text;
    out.extend_from_slice(b"{\"type\":\"urn:rayline:error:");
    out.extend_from_slice(verdict.code.name().as_bytes());
    out.extend_from_slice(b"\",\"title\":\"");
    title(&heading, out);
    out.push(b'"');
    if let Some(status) = heading.status {
        JSON.int(out, "status", status);
    }
    JSON.key(out, "detail");
    out.push(b'"');
    write::json_text(out, verdict.sentence().as_bytes());
    frame.leave(Hole::Details(Escape::Json));
    frame.text.push(b'"');
    JSON.hole(frame, "instance", Hole::Ray);
    identity(&heading, &JSON, &mut frame.text);
    occasion(notice, &JSON, frame);
    let out = &mut frame.text;
    JSON.key(out, "what_you_should_do");
    write::json(out, Advice::of(verdict).markdown().as_bytes());
    JSON.key(out, "footer");
    out.push(b'"');
    footer(notice, Escape::Json, frame);
    frame.text.push(b'"');
    ours(notice, &JSON, &mut frame.text);
    frame.leave(Hole::Evidence);
    frame.text.extend_from_slice(b"}\n");
}

/// Markdown below a front matter in YAML.
pub(crate) fn markdown(notice: &Notice<'_>, out: &mut Vec<u8>) {
    frame::render(notice, Form::Markdown, out, markdown_frame);
}

fn markdown_frame(notice: &Notice<'_>, frame: &mut Frame) {
    let verdict = notice.verdict;
    let heading = Heading::of(verdict);
    let out = &mut frame.text;
    out.extend_from_slice(b"---");
    identity(&heading, &Syntax::YAML, out);
    if let Some(status) = heading.status {
        Syntax::YAML.int(out, "status", status);
    }
    occasion(notice, &Syntax::YAML, frame);
    let out = &mut frame.text;
    ours(notice, &Syntax::YAML, out);
    out.extend_from_slice(b"\n---\n\n# ");
    title(&heading, out);
    out.extend_from_slice(b"\n\n## What happened\n\n");
    out.extend_from_slice(verdict.sentence().as_bytes());
    frame.leave(Hole::Details(Escape::Markdown));
    let out = &mut frame.text;
    out.extend_from_slice(b"\n\n## What you should do\n\n");
    out.extend_from_slice(Advice::of(verdict).markdown().as_bytes());
    out.extend_from_slice(b"\n\n---\n\n");
    footer(notice, Escape::Markdown, frame);
    frame.text.push(b'\n');
}

/// The short form in the first line, and what a person at a terminal wants to know below it.
pub(crate) fn text(notice: &Notice<'_>, out: &mut Vec<u8>) {
    frame::render(notice, Form::Text, out, text_frame);
}

fn text_frame(notice: &Notice<'_>, frame: &mut Frame) {
    let verdict = notice.verdict;
    let out = &mut frame.text;
    out.extend_from_slice(b"error code: ");
    write::int(out, verdict.number);
    out.extend_from_slice(b"\n\n");
    title(&Heading::of(verdict), out);
    out.push(b'\n');
    out.extend_from_slice(verdict.sentence().as_bytes());
    frame.leave(Hole::Details(Escape::Line));
    let out = &mut frame.text;
    out.extend_from_slice(b"\n\n");
    out.extend_from_slice(Advice::of(verdict).markdown().as_bytes());
    out.extend_from_slice(b"\n\ncode: ");
    out.extend_from_slice(verdict.code.name().as_bytes());
    out.extend_from_slice(b"\nray id: ");
    frame.leave(Hole::Ray);
    frame.text.extend_from_slice(b"\ntime: ");
    frame.leave(Hole::Datetime);
    frame.text.extend_from_slice(b"\n\n");
    footer(notice, Escape::Line, frame);
    frame.text.push(b'\n');
}

/// How a member is written: JSON and the front matter differ in this alone, for a JSON string is a YAML string too.
struct Syntax {
    before: &'static str,
    between: &'static str,
}

impl Syntax {
    const JSON: Self = Self { before: ",\"", between: "\":" };
    const YAML: Self = Self { before: "\n", between: ": " };

    fn key(&self, out: &mut Vec<u8>, name: &str) {
        for part in [self.before, name, self.between] {
            out.extend_from_slice(part.as_bytes());
        }
    }

    /// A word of ours, which needs no escape. Quotes it needs in YAML too: a bare `no` is false there.
    fn word(&self, out: &mut Vec<u8>, name: &str, value: &str) {
        self.key(out, name);
        write::quoted(out, value.as_bytes());
    }

    /// A string that differs from request to request.
    fn hole(&self, frame: &mut Frame, name: &str, hole: Hole) {
        self.key(&mut frame.text, name);
        frame.text.push(b'"');
        frame.leave(hole);
        frame.text.push(b'"');
    }

    fn int(&self, out: &mut Vec<u8>, name: &str, value: impl Into<u64>) {
        self.key(out, name);
        write::int(out, value);
    }

    fn flag(&self, out: &mut Vec<u8>, name: &str, value: bool) {
        self.key(out, name);
        write::bool(out, value);
    }
}

/// Which error it is.
fn identity(heading: &Heading, syntax: &Syntax, out: &mut Vec<u8>) {
    syntax.int(out, "error_code", heading.number);
    syntax.word(out, "error_name", heading.name);
    syntax.word(out, "error_category", heading.category.name());
}

/// Which request met it, and what that means for the next.
fn occasion(notice: &Notice<'_>, syntax: &Syntax, frame: &mut Frame) {
    let entry = notice.verdict.code.entry();
    syntax.hole(frame, "ray_id", Hole::Ray);
    syntax.hole(frame, "timestamp", Hole::Datetime);
    syntax.hole(frame, "zone", Hole::Host);
    let out = &mut frame.text;
    syntax.flag(out, "rayline_error", true);
    syntax.flag(out, "retryable", entry.retry != Retry::Never);
    if let Some(seconds) = retry_after(notice.verdict) {
        syntax.int(out, "retry_after", seconds);
    }
    syntax.flag(out, "owner_action_required", owner_must_act(entry.party));
}

/// The members that are Rayline's own.
fn ours(notice: &Notice<'_>, syntax: &Syntax, out: &mut Vec<u8>) {
    let verdict = notice.verdict;
    syntax.word(out, "party", verdict.party().name());
    syntax.word(out, "phase", verdict.phase().name());
    syntax.word(out, "code", verdict.code.name());
    syntax.word(out, "certainty", verdict.certainty.name());
    syntax.word(out, "reached", verdict.reached.name());
    if notice.preview {
        syntax.flag(out, "preview", true);
    }
}

fn title(heading: &Heading, out: &mut Vec<u8>) {
    out.extend_from_slice(b"Error");
    if heading.number != 0 {
        out.push(b' ');
        write::int(out, heading.number);
    }
    out.extend_from_slice(b": ");
    out.extend_from_slice(heading.title.as_bytes());
}

/// Who made the answer, and in front of whom.
fn footer(notice: &Notice<'_>, escape: Escape, frame: &mut Frame) {
    let made = if notice.preview { "This is a preview, made by" } else { "This answer was made by" };
    escape.write(&mut frame.text, &format!("{made} {}, the edge in front of ", notice.brand));
    frame.leave(Hole::Site(escape));
    escape.write(&mut frame.text, ".");
}
