//! Field lines as offsets into the one buffer they came in.
//!
//! Keeps order, case and repetitions as received; combines and interprets nothing.

use std::fmt;

use bytes::Bytes;

use crate::syntax::members;

/// Where one field line lies. Sections are at most 4 GiB, so `u32` holds every offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) name: u32,
    pub(crate) name_end: u32,
    pub(crate) value: u32,
    pub(crate) value_end: u32,
}

impl Line {
    pub(crate) fn name(self, section: &[u8]) -> &[u8] {
        section.get(self.name as usize..self.name_end as usize).unwrap_or_default()
    }

    /// Whether the field has this name. Most have not even its length.
    #[inline]
    pub(crate) fn is_named(self, section: &[u8], name: &[u8]) -> bool {
        (self.name_end - self.name) as usize == name.len() && self.name(section).eq_ignore_ascii_case(name)
    }

    pub(crate) fn value(self, section: &[u8]) -> &[u8] {
        section.get(self.value as usize..self.value_end as usize).unwrap_or_default()
    }
}

/// The field lines of a head or of a trailer section, in the order and case received.
#[derive(Clone, Default)]
pub struct Fields {
    /// The whole section, with its start line and its end.
    pub(crate) bytes: Bytes,
    pub(crate) lines: Vec<Line>,
}

impl Fields {
    /// Name and value of each line in order. Values come without the white space around them.
    pub fn iter(&self) -> Iter<'_> {
        Iter { bytes: &self.bytes, lines: self.lines.iter() }
    }

    /// The value of the first line with this name.
    pub fn get(&self, name: &(impl AsRef<[u8]> + ?Sized)) -> Option<&[u8]> {
        let bytes = &*self.bytes;
        self.lines.iter().find(|line| line.is_named(bytes, name.as_ref())).map(|line| line.value(bytes))
    }

    /// The values of all lines with this name, in order.
    pub fn all<'a>(&'a self, name: &'a (impl AsRef<[u8]> + ?Sized)) -> impl Iterator<Item = &'a [u8]> {
        let (bytes, name) = (&*self.bytes, name.as_ref());
        self.lines.iter().filter(move |line| line.is_named(bytes, name)).map(move |line| line.value(bytes))
    }

    /// Whether there is a line with this name.
    pub fn contains(&self, name: &(impl AsRef<[u8]> + ?Sized)) -> bool {
        self.get(name).is_some()
    }

    /// How many lines have this name.
    pub fn count(&self, name: &(impl AsRef<[u8]> + ?Sized)) -> usize {
        self.all(name).count()
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there is no line at all.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Whether a member of the comma-separated lists in the lines of this name equals `token`,
    /// case ignored (RFC 9110 §5.6.1), as `Connection` and `Upgrade` need it.
    pub fn list_contains(&self, name: &(impl AsRef<[u8]> + ?Sized), token: &(impl AsRef<[u8]> + ?Sized)) -> bool {
        let token = token.as_ref();
        self.all(name).flat_map(members).any(|member| member.eq_ignore_ascii_case(token))
    }

    pub(crate) fn value(&self, line: Line) -> &[u8] {
        line.value(&self.bytes)
    }
}

impl PartialEq for Fields {
    /// Same names in the same case, same values, same order.
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Fields {}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.iter().map(|(name, value)| (String::from_utf8_lossy(name), String::from_utf8_lossy(value))))
            .finish()
    }
}

impl<'a> IntoIterator for &'a Fields {
    type Item = (&'a [u8], &'a [u8]);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// The lines of [`Fields`], see [`Fields::iter`].
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    bytes: &'a [u8],
    lines: std::slice::Iter<'a, Line>,
}

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let line = self.lines.next()?;
        Some((line.name(self.bytes), line.value(self.bytes)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.lines.size_hint()
    }
}

impl ExactSizeIterator for Iter<'_> {}
