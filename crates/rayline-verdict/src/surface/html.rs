//! The error page, and the block that takes its place inside a zone's own page.
//!
//! No script, nothing loaded from elsewhere, and nothing on it that belongs to the owner.

use std::sync::LazyLock;

use crate::party::Hop;
use crate::surface::Notice;
use crate::surface::frame::{self, Escape, Form, Frame, Hole};
use crate::surface::template::Template;
use crate::surface::words::{Advice, Heading, Mark, reached};
use crate::write;

/// The holes of the page and of the block.
#[derive(Clone, Copy, Debug)]
enum Slot {
    Head,
    Css,
    Box,
    Preview,
    Number,
    Title,
    Brand,
    Colo,
    Host,
    Class(Hop),
    Mark(Hop),
    Happened,
    Advice,
    Reached,
    Code,
    Certainty,
    Ray,
    Datetime,
    Time,
}

const TOKENS: &[(&str, Slot)] = &[
    ("{{head}}", Slot::Head),
    ("{{css}}", Slot::Css),
    ("{{box}}", Slot::Box),
    ("{{preview}}", Slot::Preview),
    ("{{number}}", Slot::Number),
    ("{{title}}", Slot::Title),
    ("{{brand}}", Slot::Brand),
    ("{{colo}}", Slot::Colo),
    ("{{host}}", Slot::Host),
    ("{{you-class}}", Slot::Class(Hop::You)),
    ("{{you-mark}}", Slot::Mark(Hop::You)),
    ("{{edge-class}}", Slot::Class(Hop::Edge)),
    ("{{edge-mark}}", Slot::Mark(Hop::Edge)),
    ("{{host-class}}", Slot::Class(Hop::Host)),
    ("{{host-mark}}", Slot::Mark(Hop::Host)),
    ("{{happened}}", Slot::Happened),
    ("{{advice}}", Slot::Advice),
    ("{{reached}}", Slot::Reached),
    ("{{code}}", Slot::Code),
    ("{{certainty}}", Slot::Certainty),
    ("{{ray}}", Slot::Ray),
    ("{{datetime}}", Slot::Datetime),
    ("{{time}}", Slot::Time),
];

static PAGE: LazyLock<Template<Slot>> = LazyLock::new(|| load(include_str!("../../templates/page.html")));
static BOX: LazyLock<Template<Slot>> = LazyLock::new(|| load(include_str!("../../templates/box.html")));
static CSS: LazyLock<String> = LazyLock::new(|| compact(include_str!("../../templates/box.css")));

fn load(text: &str) -> Template<Slot> {
    Template::parse(&compact(text), "{{", TOKENS)
}

/// The templates are written for people; the indentation need not be sent.
fn compact(text: &str) -> String {
    text.lines().flat_map(|line| [line.trim_start(), "\n"]).collect()
}

/// The whole page.
pub(crate) fn page(notice: &Notice<'_>, out: &mut Vec<u8>) {
    frame::render(notice, Form::Page, out, |notice, frame| fill_template(&PAGE, notice, frame));
}

/// The block with its style, for a page that is not ours.
pub(crate) fn error_box(notice: &Notice<'_>, out: &mut Vec<u8>) {
    frame::render(notice, Form::Box, out, |notice, frame| {
        frame.text.extend_from_slice(b"<style>\n");
        frame.text.extend_from_slice(CSS.as_bytes());
        frame.text.extend_from_slice(b"</style>\n");
        fill_template(&BOX, notice, frame);
    });
}

fn fill_template(template: &Template<Slot>, notice: &Notice<'_>, frame: &mut Frame) {
    for (piece, slot) in template.pieces() {
        frame.text.extend_from_slice(piece.as_bytes());
        if let Some(slot) = slot {
            fill(slot, notice, frame);
        }
    }
}

fn fill(slot: Slot, notice: &Notice<'_>, frame: &mut Frame) {
    let verdict = notice.verdict;
    let out = &mut frame.text;
    match slot {
        Slot::Css => out.extend_from_slice(CSS.as_bytes()),
        Slot::Box => fill_template(&BOX, notice, frame),
        Slot::Head => {
            frame.leave(Hole::Site(Escape::Html));
            let out = &mut frame.text;
            let heading = Heading::of(verdict);
            out.extend_from_slice(b" | ");
            if heading.number != 0 {
                write::int(out, heading.number);
                out.extend_from_slice(b": ");
            }
            out.extend_from_slice(heading.title.as_bytes());
        }
        Slot::Preview => {
            if notice.preview {
                out.extend_from_slice(
                    b"<p class=\"rl-preview\">A preview: this is how the page looks. Nothing has failed.</p>",
                );
            }
        }
        Slot::Number => match verdict.number {
            0 => out.extend_from_slice(b"Error"),
            number => {
                out.extend_from_slice(b"Error ");
                write::int(out, number);
            }
        },
        Slot::Title => write::html(out, Heading::of(verdict).title),
        Slot::Brand => write::html(out, notice.brand),
        Slot::Colo => out.extend_from_slice(notice.colo.as_str().as_bytes()),
        Slot::Host => frame.leave(Hole::Site(Escape::Html)),
        Slot::Class(hop) => out.extend_from_slice(match Mark::of(hop, verdict) {
            Mark::Working => b"rl-ok",
            Mark::Failing => b"rl-bad",
            Mark::Idle => b"rl-idle",
        }),
        Slot::Mark(hop) => mark(Mark::of(hop, verdict), notice, out),
        Slot::Happened => {
            write::html(out, verdict.sentence());
            frame.leave(Hole::Details(Escape::Html));
        }
        Slot::Advice => advice(Advice::of(verdict), out),
        Slot::Reached => out.extend_from_slice(reached(verdict.reached).as_bytes()),
        Slot::Code => out.extend_from_slice(verdict.code.name().as_bytes()),
        Slot::Certainty => out.extend_from_slice(verdict.certainty.name().as_bytes()),
        Slot::Ray => frame.leave(Hole::Ray),
        Slot::Datetime => frame.leave(Hole::Datetime),
        Slot::Time => frame.leave(Hole::Time),
    }
}

/// Icon and word: colour alone tells nobody anything.
fn mark(mark: Mark, notice: &Notice<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(
        b"<em><svg viewBox=\"0 0 20 20\" aria-hidden=\"true\"><circle cx=\"10\" cy=\"10\" r=\"8\"/><path d=\"",
    );
    out.extend_from_slice(match mark {
        Mark::Working => b"m6.5 10.2 2.4 2.4 4.6-4.9",
        Mark::Failing => b"m7.2 7.2 5.6 5.6m0-5.6-5.6 5.6",
        Mark::Idle => b"M7 10h6",
    });
    out.extend_from_slice(b"\"/></svg>");
    out.extend_from_slice(mark.word(notice.verdict).as_bytes());
    out.extend_from_slice(b"</em>");
}

fn advice(advice: Advice, out: &mut Vec<u8>) {
    match advice {
        Advice::Steps(steps) => {
            out.extend_from_slice(b"<ul>");
            for step in steps {
                out.extend_from_slice(b"<li>");
                write::html_prose(out, step);
                out.extend_from_slice(b"</li>");
            }
            out.extend_from_slice(b"</ul>");
        }
        Advice::Sentences(sentences) => {
            out.extend_from_slice(b"<p>");
            for (place, sentence) in sentences.iter().filter(|sentence| !sentence.is_empty()).enumerate() {
                if place > 0 {
                    out.push(b' ');
                }
                write::html(out, sentence);
            }
            out.extend_from_slice(b"</p>");
        }
    }
}
