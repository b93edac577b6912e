//! A configuration text, and places within it.
//!
//! It does not read the file: whoever has the text says what it is called and where it lies.

use std::path::{Path, PathBuf};

use serde::Serialize;

/// A configuration text with the name to show for it and the folder its relative paths start at.
#[derive(Debug, Clone)]
pub struct Source {
    /// What problems call it: the path as the person wrote it.
    pub name: String,
    /// The TOML text.
    pub text: String,
    /// The folder that relative paths in the text start at: the file's own.
    pub base: PathBuf,
}

impl Source {
    /// A relative path as seen from the folder of the file; an absolute one as it is.
    pub(crate) fn path(&self, written: &str) -> PathBuf {
        self.base.join(Path::new(written))
    }

    /// Line and column of a byte offset, both from 1, the column counted in characters.
    pub fn position(&self, offset: usize) -> Position {
        let offset = floor_char_boundary(&self.text, offset);
        let before = self.text.get(..offset).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Position {
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
        }
    }
}

/// Bytes `start..end` of a [`Source`]'s text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

impl From<std::ops::Range<usize>> for Span {
    fn from(range: std::ops::Range<usize>) -> Self {
        Self { start: range.start, end: range.end }
    }
}

/// Line and column, both from 1, as editors count them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The character within the line, from 1.
    pub column: usize,
}

/// The greatest character boundary that is not beyond `offset`.
pub(crate) fn floor_char_boundary(text: &str, offset: usize) -> usize {
    let mut at = offset.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
