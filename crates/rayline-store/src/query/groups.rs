//! Groups and their numbers: from the texts of many dictionaries to one small number per combination.

use std::cmp::Reverse;

use foldhash::fast::RandomState;
use indexmap::IndexSet;

use super::count::Count;
use crate::dimension::Dimension;

/// As many dimensions as requests can be grouped by.
pub(crate) const WIDTH: usize = 4;
/// How many combinations are told apart while reading; further ones are counted together. It bounds memory, not answers:
/// far fewer are ever listed.
const MOST: usize = 1 << 20;

/// The cell of whatever has no group of its own.
pub(crate) const OTHERS: u32 = 0;

/// Gives every combination of texts its cell. Texts have numbers by dimension, beginning with 1; 0 is a text that no
/// combination can have. A combination is its texts' numbers, 32 bits each, the last one's lowest.
pub(crate) trait Cells {
    fn by(&self) -> &[Dimension];
    /// How many texts of the `nth` dimension have a number.
    fn known(&self, nth: usize) -> usize;
    /// The number of a text, if it has one.
    fn find(&self, nth: usize, text: &str) -> Option<u32>;
    /// The number of a text; it is given one if there is room.
    fn number(&mut self, nth: usize, text: &str) -> u32;
    /// The cell of a combination, beginning with 1, or [`OTHERS`].
    fn cell(&mut self, key: u128) -> u32;
}

/// Every combination met.
pub(crate) struct Groups {
    by: Vec<Dimension>,
    texts: [IndexSet<Box<str>, RandomState>; WIDTH],
    keys: IndexSet<u128, RandomState>,
}

/// The foremost groups, by their index, and where each is.
pub(crate) struct Ranking {
    foremost: Vec<usize>,
    /// The place of each among the foremost, beginning with 1; 0 if it is not one of them.
    places: Vec<u32>,
}

/// Groups of which only the foremost have a cell.
pub(crate) struct Chosen<'a> {
    groups: &'a Groups,
    ranking: &'a Ranking,
}

impl Groups {
    pub(crate) fn new(by: &[Dimension]) -> Self {
        let mut keys = IndexSet::default();
        if by.is_empty() {
            keys.insert(0);
        }
        Self { by: by.to_vec(), texts: Default::default(), keys }
    }

    /// Puts the groups in their order. `cells` are what was counted, the others' first.
    pub(super) fn rank(&self, cells: &[Count], limit: usize) -> Ranking {
        let empty = Count::default();
        let count = |group: &usize| cells.get(group + 1).unwrap_or(&empty);
        let counts = |group: &usize| Reverse((count(group).failed, count(group).requests));
        let mut foremost: Vec<usize> = (0..self.keys.len()).collect();
        // Only those that may be among the foremost are put in order.
        if limit > 0 && limit < foremost.len() {
            let (_, last, _) = foremost.select_nth_unstable_by_key(limit - 1, counts);
            let least = counts(last);
            foremost.retain(|group| counts(group) <= least);
        }
        // texts decide between equals, so that the same question has the same answer
        foremost.sort_by(|a, b| counts(a).cmp(&counts(b)).then_with(|| self.texts_of(*a).cmp(self.texts_of(*b))));
        foremost.truncate(limit);
        let mut places = vec![OTHERS; self.keys.len()];
        for (place, group) in (1..).zip(&foremost) {
            if let Some(slot) = places.get_mut(*group) {
                *slot = place;
            }
        }
        Ranking { foremost, places }
    }

    /// The texts of the foremost, in their order.
    pub(crate) fn keys(&self, ranking: &Ranking) -> Vec<Vec<String>> {
        ranking.foremost.iter().map(|group| self.texts_of(*group).map(str::to_owned).collect()).collect()
    }

    /// The texts of every group, by its number: the first is that of cell 1.
    pub(crate) fn texts(&self) -> impl Iterator<Item = Vec<&str>> {
        (0..self.keys.len()).map(|group| self.texts_of(group).collect())
    }

    pub(crate) fn chosen<'a>(&'a self, ranking: &'a Ranking) -> Chosen<'a> {
        Chosen { groups: self, ranking }
    }

    fn texts_of(&self, group: usize) -> impl Iterator<Item = &str> {
        let key = self.keys.get_index(group).copied().unwrap_or_default();
        let width = self.by.len();
        self.texts.iter().take(width).enumerate().map(move |(nth, texts)| {
            let number = (key >> (32 * (width - 1 - nth))) as u32;
            texts.get_index((number as usize).wrapping_sub(1)).map_or("", |text| &**text)
        })
    }

    fn is_full(&self) -> bool {
        self.keys.len() >= MOST
    }
}

impl Cells for Groups {
    fn by(&self) -> &[Dimension] {
        &self.by
    }

    fn known(&self, nth: usize) -> usize {
        self.texts.get(nth).map_or(0, IndexSet::len)
    }

    fn find(&self, nth: usize, text: &str) -> Option<u32> {
        let index = self.texts.get(nth)?.get_index_of(text)?;
        u32::try_from(index + 1).ok()
    }

    fn number(&mut self, nth: usize, text: &str) -> u32 {
        let full = self.is_full();
        self.find(nth, text).unwrap_or_else(|| match self.texts.get_mut(nth) {
            Some(texts) if !full => u32::try_from(texts.insert_full(text.into()).0 + 1).unwrap_or_default(),
            Some(_) | None => 0,
        })
    }

    fn cell(&mut self, key: u128) -> u32 {
        if !is_whole(key, self.by.len()) {
            return OTHERS;
        }
        let index = if self.is_full() { self.keys.get_index_of(&key) } else { Some(self.keys.insert_full(key).0) };
        index.and_then(|index| u32::try_from(index + 1).ok()).unwrap_or(OTHERS)
    }
}

impl Cells for Chosen<'_> {
    fn by(&self) -> &[Dimension] {
        &self.groups.by
    }

    fn known(&self, nth: usize) -> usize {
        self.groups.known(nth)
    }

    fn find(&self, nth: usize, text: &str) -> Option<u32> {
        self.groups.find(nth, text)
    }

    fn number(&mut self, nth: usize, text: &str) -> u32 {
        self.find(nth, text).unwrap_or_default()
    }

    fn cell(&mut self, key: u128) -> u32 {
        let group = self.groups.keys.get_index_of(&key);
        group.and_then(|group| self.ranking.places.get(group)).copied().unwrap_or(OTHERS)
    }
}

/// Whether every text of a combination has a number.
fn is_whole(key: u128, width: usize) -> bool {
    (0..width).all(|nth| (key >> (32 * nth)) as u32 != 0)
}

impl Ranking {
    /// What was counted of the others, then of the foremost in their order.
    pub(super) fn choose(&self, cells: &[Count]) -> Vec<Count> {
        let mut chosen = vec![Count::default(); self.foremost.len() + 1];
        let places = std::iter::once(&OTHERS).chain(&self.places);
        for (count, place) in cells.iter().zip(places) {
            if let Some(cell) = chosen.get_mut(*place as usize) {
                *cell += *count;
            }
        }
        chosen
    }
}
