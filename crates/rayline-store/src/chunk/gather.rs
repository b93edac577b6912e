//! Chunks made of chunks: some of their rows, several in one, in another order, by the hour. Nothing is summed up here.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use rayline_verdict::RayId;

use super::{Chunk, Column, Shared};

const HOUR: i64 = 3_600_000_000_000;

impl Chunk {
    /// Those rows, in that order. A row that is not there becomes one of empty values.
    pub fn select(&self, rows: &[u32]) -> Self {
        Self {
            at: pick(&self.at, rows),
            weight: pick(&self.weight, rows),
            rays: pick(&self.rays, rows),
            columns: self.columns.each_ref().map(|column| {
                let column = column.as_ref()?;
                Some(Column { codes: pick(&column.codes, rows), values: Arc::clone(&column.values) })
            }),
            numbers: self.numbers.each_ref().map(|numbers| numbers.as_ref().map(|numbers| pick(numbers, rows))),
            lines: pick(&self.lines, rows),
            asked: pick(&self.asked, rows),
        }
    }

    /// The rows of all, one chunk after the other. What some of them have and others have not is filled up with empty
    /// texts and zeros.
    pub fn concat(chunks: &[Arc<Self>]) -> Self {
        let mut all = Self {
            at: joined(chunks, |chunk| &chunk.at, &0),
            weight: joined(chunks, |chunk| &chunk.weight, &0),
            rays: joined(chunks, |chunk| &chunk.rays, &RayId(0)),
            lines: joined(chunks, |chunk| &chunk.lines, &Bytes::new()),
            ..Self::default()
        };
        for (index, column) in all.columns.iter_mut().enumerate() {
            *column = joined_column(chunks, index);
        }
        for (index, numbers) in all.numbers.iter_mut().enumerate() {
            let any = chunks.iter().any(|chunk| chunk.numbers.get(index).is_some_and(Option::is_some));
            *numbers = any.then(|| joined(chunks, |chunk| numbers_of(chunk, index), &0));
        }
        all
    }

    /// The rows in the order of time; those of the same moment stay in theirs.
    #[must_use]
    pub fn sorted(self) -> Self {
        if self.at.is_sorted() {
            return self;
        }
        let mut rows: Vec<u32> = (0..u32::try_from(self.len()).unwrap_or(u32::MAX)).collect();
        rows.sort_by_key(|row| self.at.get(*row as usize).copied());
        self.select(&rows)
    }

    /// The same rows with every time set back to the beginning of its hour: rows of [`Minutes`](super::Table::Minutes)
    /// become such of [`Hours`](super::Table::Hours), for rows of the same values add up; those of times too.
    #[must_use]
    pub fn by_hour(&self) -> Self {
        Self { at: self.at.iter().map(|at| at.saturating_sub(at.rem_euclid(HOUR))).collect(), ..self.clone() }
    }
}

impl<T: Clone> Shared<T> {
    /// From one to before another; nothing is copied if that is all.
    #[must_use]
    pub(crate) fn part(&self, rows: &Range<usize>) -> Self {
        if *rows == (0..self.len()) {
            return self.clone();
        }
        self.get(rows.clone()).unwrap_or_default().to_vec().into()
    }
}

fn pick<T: Clone + Default>(list: &Shared<T>, rows: &[u32]) -> Shared<T> {
    if list.is_empty() {
        return Shared::default();
    }
    rows.iter().map(|row| list.get(*row as usize).cloned().unwrap_or_default()).collect()
}

/// The lists of all, each as long as its chunk; nothing at all if none has one.
fn joined<'a, T: Clone + 'a>(chunks: &'a [Arc<Chunk>], of: impl Fn(&'a Chunk) -> &'a [T], missing: &'a T) -> Shared<T> {
    if chunks.iter().all(|chunk| of(chunk).is_empty()) {
        return Shared::default();
    }
    chunks
        .iter()
        .flat_map(|chunk| of(chunk).iter().chain(std::iter::repeat(missing)).take(chunk.len()))
        .cloned()
        .collect()
}

fn numbers_of(chunk: &Chunk, index: usize) -> &[u64] {
    chunk.numbers.get(index).and_then(Option::as_ref).map_or(&[], |list| list.as_slice())
}

fn joined_column(chunks: &[Arc<Chunk>], index: usize) -> Option<Column> {
    let of = |chunk: &'_ Chunk| chunk.columns.get(index).and_then(Clone::clone);
    if chunks.iter().all(|chunk| of(chunk).is_none()) {
        return None;
    }
    let mut texts = Texts::default();
    let mut codes = Vec::with_capacity(chunks.iter().map(|chunk| chunk.len()).sum());
    for chunk in chunks {
        let end = codes.len() + chunk.len();
        if let Some(column) = of(chunk) {
            // Only what rows have: a chunk may be part of a bigger one and bring along all of its texts.
            let mut places = vec![None; column.values.len()];
            for code in &column.codes {
                let Some(place) = places.get_mut(*code as usize) else { continue };
                let known = *place
                    .get_or_insert_with(|| texts.place(column.values.get(*code as usize).map_or("", |value| value)));
                codes.push(known);
            }
        }
        if codes.len() < end {
            let empty = texts.place("");
            codes.resize(end, empty);
        }
    }
    Some(Column { codes: codes.into(), values: Arc::new(texts.values) })
}

/// Texts, each once, and where they are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Texts {
    /// In the order in which they came.
    pub(crate) values: Vec<Arc<str>>,
    /// Of the first so many of them, as `indexed` says.
    places: HashMap<Arc<str>, u32, foldhash::fast::RandomState>,
    indexed: usize,
    /// What was found last: the next one is the same often.
    last: u32,
}

impl Texts {
    /// The code of a text.
    pub(crate) fn place(&mut self, text: &str) -> u32 {
        if self.values.get(self.last as usize).is_some_and(|last| **last == *text) {
            return self.last;
        }
        self.index();
        self.last = match self.places.get(text) {
            Some(place) => *place,
            None => self.push(text.into()),
        };
        self.last
    }

    fn push(&mut self, text: Arc<str>) -> u32 {
        let place = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
        self.values.push(Arc::clone(&text));
        self.places.insert(text, place);
        self.indexed = self.values.len();
        place
    }

    /// The code of a text that was not there before, as whoever calls knows: so nothing is looked up.
    pub(crate) fn add(&mut self, text: &str) -> u32 {
        let place = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
        self.values.push(text.into());
        place
    }

    /// Makes up for what was added without looking.
    fn index(&mut self) {
        for (place, text) in self.values.iter().enumerate().skip(self.indexed) {
            self.places.entry(text.clone()).or_insert(u32::try_from(place).unwrap_or(u32::MAX));
        }
        self.indexed = self.values.len();
    }
}
