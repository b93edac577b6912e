//! What is wrong with a configuration, said so that a person can put it right.
//!
//! It does not decide what is wrong: the readers and checks do.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde::Serialize;

use crate::document::Place;
use crate::source::{Position, Source, Span, floor_char_boundary};

/// Whether a problem keeps the configuration from running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// There is no plan while this stands.
    Error,
    /// It runs, but probably not as meant.
    Warning,
}

/// One thing found wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Whether it keeps the configuration from running.
    pub severity: Severity,
    /// What is wrong: lower case, no full stop, literals in backticks.
    pub message: String,
    /// Where; `None` where the whole text is meant.
    pub place: Option<Span>,
    /// The key it is about, such as `zone[0].settings.ssl`; empty where the whole text is meant.
    pub path: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Other places that belong to it, each with what is to be seen there.
    pub related: Vec<(Span, String)>,
}

impl Problem {
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Marks another place, with what is to be seen there. A place that was not written is passed over.
    pub(crate) fn related(mut self, place: &Place, label: &str) -> Self {
        self.related.extend(place.span.map(|span| (span, label.to_owned())));
        self
    }

    /// The problem as a compiler shows one: message, `file:line:column`, the line with a mark under the place, the hint.
    pub fn render(&self, source: &Source, color: bool) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut group = Group::with_title(level.primary_title(self.message.as_str()));
        if let Some(place) = self.place {
            let primary = AnnotationKind::Primary.span(within(source, place));
            let related = self
                .related
                .iter()
                .map(|(span, label)| AnnotationKind::Context.span(within(source, *span)).label(label.as_str()));
            let header = header_above(&source.text, place.start).map(|span| AnnotationKind::Visible.span(span));
            group = group.element(
                Snippet::source(source.text.as_str())
                    .path(source.name.as_str())
                    .annotation(primary)
                    .annotations(related)
                    .annotations(header),
            );
        }
        if let Some(hint) = &self.hint {
            group = group.element(Level::HELP.message(hint.as_str()));
        }
        renderer.render(&[group])
    }

    /// The problem with its place resolved to lines and columns, for `--json`.
    pub fn to_json<'a>(&'a self, source: &'a Source) -> ProblemJson<'a> {
        ProblemJson {
            severity: self.severity,
            message: &self.message,
            path: &self.path,
            file: &source.name,
            start: self.place.map(|place| source.position(place.start)),
            end: self.place.map(|place| source.position(place.end)),
            hint: self.hint.as_deref(),
        }
    }
}

/// A [`Problem`] as `--json` shows it.
#[derive(Debug, Serialize)]
pub struct ProblemJson<'a> {
    severity: Severity,
    message: &'a str,
    path: &'a str,
    file: &'a str,
    start: Option<Position>,
    end: Option<Position>,
    hint: Option<&'a str>,
}

/// The span as a range that surely lies within the text and on character boundaries.
fn within(source: &Source, span: Span) -> std::ops::Range<usize> {
    let start = floor_char_boundary(&source.text, span.start);
    start..floor_char_boundary(&source.text, span.end).max(start)
}

/// The line that opens the table in which `offset` lies, so that a reader sees which of several it is.
fn header_above(text: &str, offset: usize) -> Option<std::ops::Range<usize>> {
    let above = text.get(..floor_char_boundary(text, offset))?;
    let own_start = above.rfind('\n').map_or(0, |newline| newline + 1);
    let own_line = text.get(own_start..)?.lines().next();
    if own_line.is_some_and(is_header) {
        return None;
    }
    let mut end = own_start;
    let lines = text.get(..own_start)?.split_inclusive('\n').rev();
    for line in lines {
        let start = end - line.len();
        if is_header(line) {
            return Some(start..start + line.trim_end().len());
        }
        end = start;
    }
    None
}

fn is_header(line: &str) -> bool {
    line.starts_with('[') && line.split('#').next().is_some_and(|line| line.trim_end().ends_with(']'))
}
