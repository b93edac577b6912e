//! Every key that can be written, in one table: the readers, the nearest-key hints and the reference page come from it.
//!
//! It reads nothing: [`crate::document`] does, and holds every key it reads against this table.

mod access;
mod actions;
mod rollout;
mod rules;
mod sight;
mod table;

use std::fmt;
use std::time::Duration;

pub(crate) use table::{LIMITS, LOG, ROOT, SECTIONS, SERVER, SETTINGS};

/// The keys of one table of the file.
#[derive(Debug)]
pub(crate) struct Section {
    /// Such as `zone.settings`; empty for the top.
    pub(crate) path: &'static str,
    /// What it is for, as Markdown.
    pub(crate) doc: &'static str,
    pub(crate) keys: &'static [Key],
    /// Names that Cloudflare, or a later version, knows here.
    pub(crate) later: &'static [Later],
}

/// One key.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) otherwise: Otherwise,
    /// What it does, as one Markdown sentence without a full stop.
    pub(crate) doc: &'static str,
}

/// What holds where a key is not written. The texts are TOML values.
#[derive(Debug)]
pub(crate) enum Otherwise {
    /// It must be written, for example so.
    Required { example: &'static str },
    /// Nothing, which means this; it may be written so.
    Nothing { means: &'static str, example: &'static str },
    /// This value.
    Default(&'static str),
}

/// Names that are understood but have no effect in this version, and so are refused.
#[derive(Debug)]
pub(crate) struct Later {
    /// The feature they belong to.
    pub(crate) feature: &'static str,
    pub(crate) names: &'static [&'static str],
}

/// What can be written for a key.
#[derive(Debug)]
pub(crate) enum Kind {
    /// A string holding this.
    Text(&'static str),
    /// `true` or `false`.
    Flag,
    /// `"on"` or `"off"`, or the same as a flag.
    Switch,
    /// One of these strings.
    OneOf(fn() -> Vec<&'static str>),
    /// A whole number in these bounds, of this unit.
    Whole { min: u64, max: u64, unit: &'static str },
    /// A whole number in these bounds, which may be below zero.
    Number { min: i64, max: i64 },
    /// A number with a fraction, in these bounds.
    Decimal { min: f64, max: f64 },
    /// A number from 0 to 1.
    Share,
    /// A duration in these bounds.
    Time { min: Duration, max: Duration },
    /// An array of the same.
    List(&'static Self),
    /// A table whose keys are the person's own, each with a value like this.
    Map(&'static Self),
    /// A table, `[like.this]`.
    Table(&'static Section),
    /// An array of tables, each `[[like.this]]`.
    Tables(&'static Section),
}

impl fmt::Display for Kind {
    /// The kind in words: "expected …".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(what) => write!(f, "{what}"),
            Self::Flag => write!(f, "`true` or `false`"),
            Self::Switch => write!(f, "`\"on\"` or `\"off\"`"),
            Self::OneOf(names) => {
                let names: Vec<String> = names().iter().map(|name| format!("`\"{name}\"`")).collect();
                match names.split_last() {
                    Some((last, [])) => write!(f, "{last}"),
                    Some((last, others)) => write!(f, "{} or {last}", others.join(", ")),
                    None => Ok(()),
                }
            }
            Self::Whole { min, max, unit } => {
                write!(f, "a whole number")?;
                if !unit.is_empty() {
                    write!(f, " of {unit}")?;
                }
                write!(f, " from {min} to {max}")
            }
            Self::Number { min, max } => write!(f, "a whole number from {min} to {max}"),
            Self::Decimal { min, max } => write!(f, "a number from {min} to {max}"),
            Self::Share => write!(f, "a number from 0 to 1"),
            Self::Time { min, max } => {
                write!(f, "a duration from `{}` to `{}`", show_duration(*min), show_duration(*max))
            }
            Self::List(Self::Text(what)) => write!(f, "an array of strings, each {what}"),
            Self::List(kind) => write!(f, "an array, each {kind}"),
            Self::Map(kind) => write!(f, "a table with names of your own, each {kind}"),
            Self::Table(section) => write!(f, "a table, `[{}]`", section.path),
            Self::Tables(section) => write!(f, "tables, each `[[{}]]`", section.path),
        }
    }
}

impl Kind {
    /// The section of a table, or of each of several.
    pub(crate) fn section(&self) -> Option<&'static Section> {
        match self {
            Self::Table(section) | Self::Tables(section) => Some(section),
            Self::Map(kind) => kind.section(),
            Self::Text(_)
            | Self::Flag
            | Self::Switch
            | Self::OneOf(_)
            | Self::Whole { .. }
            | Self::Number { .. }
            | Self::Decimal { .. }
            | Self::Share
            | Self::Time { .. }
            | Self::List(_) => None,
        }
    }
}

impl Otherwise {
    /// The default, if there is one.
    pub(crate) fn default(&self) -> Option<&'static str> {
        match self {
            Self::Default(text) => Some(text),
            Self::Required { .. } | Self::Nothing { .. } => None,
        }
    }
}

impl Key {
    /// One that must be written.
    pub(crate) const fn required(name: &'static str, kind: Kind, example: &'static str, doc: &'static str) -> Self {
        Self { name, kind, otherwise: Otherwise::Required { example }, doc }
    }

    /// One that may be left out, which means this.
    pub(crate) const fn optional(
        name: &'static str,
        kind: Kind,
        (means, example): (&'static str, &'static str),
        doc: &'static str,
    ) -> Self {
        Self { name, kind, otherwise: Otherwise::Nothing { means, example }, doc }
    }

    /// One with a default.
    pub(crate) const fn with(name: &'static str, kind: Kind, default: &'static str, doc: &'static str) -> Self {
        Self { name, kind, otherwise: Otherwise::Default(default), doc }
    }
}

impl Section {
    /// Its header as it is written, with brackets; empty for the top.
    pub(crate) fn header(&self) -> String {
        let of_this = |key: &&Key| key.kind.section().is_some_and(|section| section.path == self.path);
        match SECTIONS.iter().flat_map(|section| section.keys).find(of_this).map(|key| &key.kind) {
            Some(Kind::Tables(_)) => format!("[[{}]]", self.path),
            Some(Kind::Map(_)) => format!("[{}.NAME]", self.path),
            Some(_) => format!("[{}]", self.path),
            None => String::new(),
        }
    }

    /// Where its keys stand, in words.
    pub(crate) fn whereabouts(&self) -> String {
        if self.path.is_empty() { "at the top of the file".to_owned() } else { format!("in `{}`", self.header()) }
    }

    pub(crate) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// The feature that `name` waits for.
    pub(crate) fn waits_for(&self, name: &str) -> Option<&'static str> {
        self.later.iter().find(|later| later.names.contains(&name)).map(|later| later.feature)
    }
}

/// Of `known`, the one that `written` was probably meant to be.
pub(crate) fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let normal = |name: &str| name.to_lowercase().replace(['-', ' '], "_");
    let written = normal(written);
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&written, &normal(name)), name))
        // a third of the letters may differ: more would suggest words that only look alike, as any of one letter do
        .filter(|(distance, name)| *distance * 3 <= name.len().max(3) && *distance < name.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// A duration as it is written in the file: in whole days, in whole seconds, or else in milliseconds.
pub(crate) fn show_duration(duration: Duration) -> String {
    const DAY: u64 = 86_400;
    match duration.subsec_millis() {
        0 if duration.as_secs() > 0 && duration.as_secs().is_multiple_of(DAY) => {
            format!("{}d", duration.as_secs() / DAY)
        }
        0 => format!("{}s", duration.as_secs()),
        _ => format!("{}ms", duration.as_millis()),
    }
}

#[cfg(test)]
mod tests;
