//! Locations: of which paths each is, and which of them nginx would choose before it.

use rayline_rules::program::ProgramBuilder;
use rayline_rules::{Lists, Stage};

use super::regex::translated;
use crate::import::sites::{literal, pattern};
use crate::import::syntax::Directive;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `=`.
    Exact,
    /// None, or `^~`, which keeps regular expressions from being tried.
    Prefix { is_final: bool },
    /// `~`, `~*`.
    Regex { any_case: bool },
}

pub(super) struct Location<'a> {
    pub(super) kind: Kind,
    pub(super) path: &'a str,
    pub(super) directive: &'a Directive,
}

/// A location that is chosen by its path; `None` for one that is named.
pub(super) fn location(directive: &Directive) -> Option<Location<'_>> {
    let (kind, path) = match directive.arguments() {
        [path] if !path.starts_with('@') => (Kind::Prefix { is_final: false }, path),
        [sign, path] => {
            let kind = match sign.as_str() {
                "=" => Kind::Exact,
                "^~" => Kind::Prefix { is_final: true },
                "~" => Kind::Regex { any_case: false },
                "~*" => Kind::Regex { any_case: true },
                _ => return None,
            };
            (kind, path)
        }
        _ => return None,
    };
    directive.block.as_ref()?;
    Some(Location { kind, path, directive })
}

impl Location<'_> {
    /// What is true of its paths; empty if it is of all.
    pub(super) fn condition(&self, field: &str) -> String {
        match self.kind {
            Kind::Exact => format!("{field} eq {}", literal(self.path)),
            Kind::Prefix { .. } if self.path == "/" => String::new(),
            Kind::Prefix { .. } => format!("starts_with({field}, {})", literal(self.path)),
            Kind::Regex { any_case } => {
                let case = if any_case { "(?i)" } else { "" };
                format!("{field} matches {}", pattern(&format!("{case}{}", translated(self.path))))
            }
        }
    }

    /// What is wrong with its condition, if it has one that cannot be.
    pub(super) fn problem(&self) -> Option<String> {
        let condition = self.condition("http.request.uri.path");
        let lists = Lists::default();
        let read = ProgramBuilder::new(&lists).condition(&condition, Stage::Request);
        read.err().filter(|_| !condition.is_empty()).map(|problem| problem.message)
    }

    pub(super) fn is_root(&self) -> bool {
        matches!(self.kind, Kind::Prefix { .. }) && self.path == "/"
    }
}

/// The conditions of locations that are chosen before this one for some of its paths.
pub(super) fn excluded(location: &Location<'_>, index: usize, all: &[Location<'_>], field: &str) -> Vec<String> {
    let wins = |place: usize, other: &Location<'_>| match (location.kind, other.kind) {
        (Kind::Exact, _) => false,
        (Kind::Prefix { .. }, Kind::Exact) => other.path.starts_with(location.path),
        (Kind::Prefix { .. }, Kind::Prefix { .. }) => {
            other.path.len() > location.path.len() && other.path.starts_with(location.path)
        }
        (Kind::Prefix { is_final }, Kind::Regex { .. }) => !is_final,
        (Kind::Regex { .. }, Kind::Exact | Kind::Prefix { is_final: true }) => true,
        (Kind::Regex { .. }, Kind::Prefix { is_final: false }) => false,
        (Kind::Regex { .. }, Kind::Regex { .. }) => place < index,
    };
    let others = all.iter().enumerate().filter(|(place, other)| *place != index && wins(*place, other));
    others.map(|(_, other)| other.condition(field)).filter(|condition| !condition.is_empty()).collect()
}

/// All that is true of the requests for which this location is chosen.
pub(super) fn chosen(location: &Location<'_>, index: usize, all: &[Location<'_>], field: &str) -> Vec<String> {
    let own = Some(location.condition(field)).filter(|condition| !condition.is_empty());
    let others = excluded(location, index, all, field).into_iter().map(|other| format!("not {other}"));
    own.into_iter().chain(others).collect()
}
