//! Groups and their numbers: from the texts of many dictionaries to one small number per combination.

use foldhash::fast::RandomState;
use indexmap::IndexSet;

use super::count::Count;
use crate::dimension::Dimension;

/// As many dimensions as requests can be grouped by.
pub(super) const WIDTH: usize = 4;
/// How many combinations are told apart while reading; further ones are counted together. It bounds memory, not answers:
/// far fewer are ever listed.
const MOST: usize = 1 << 20;

/// The cell of whatever has no group of its own.
pub(super) const OTHERS: u32 = 0;

/// Gives every combination of texts its cell.
pub(super) trait Cells {
    fn by(&self) -> &[Dimension];
    /// The number of a text of the `nth` dimension; `None` if no combination can have it.
    fn text(&mut self, nth: usize, text: &str) -> Option<u32>;
    /// The cell of a combination of such numbers, beginning with 1, or [`OTHERS`].
    fn cell(&mut self, key: [Option<u32>; WIDTH]) -> u32;
}

/// Every combination met.
pub(super) struct Groups {
    by: Vec<Dimension>,
    texts: [IndexSet<Box<str>, RandomState>; WIDTH],
    keys: IndexSet<[u32; WIDTH], RandomState>,
}

/// The foremost groups, by their index, and where each is.
pub(super) struct Ranking {
    foremost: Vec<usize>,
    /// The place of each among the foremost, beginning with 1; 0 if it is not one of them.
    places: Vec<u32>,
}

/// Groups of which only the foremost have a cell.
pub(super) struct Chosen<'a> {
    groups: &'a Groups,
    ranking: &'a Ranking,
}

impl Groups {
    pub(super) fn new(by: &[Dimension]) -> Self {
        let mut keys = IndexSet::default();
        if by.is_empty() {
            keys.insert([0; WIDTH]);
        }
        Self { by: by.to_vec(), texts: Default::default(), keys }
    }

    /// Puts the groups in their order. `cells` are what was counted, the others' first.
    pub(super) fn rank(&self, cells: &[Count], limit: usize) -> Ranking {
        let empty = Count::default();
        let count = |group: &usize| cells.get(group + 1).unwrap_or(&empty);
        let mut foremost: Vec<usize> = (0..self.keys.len()).collect();
        // texts decide between equals, so that the same question has the same answer
        foremost.sort_by(|a, b| {
            let (left, right) = (count(a), count(b));
            let counts = (right.failed, right.requests).cmp(&(left.failed, left.requests));
            counts.then_with(|| self.texts_of(*a).cmp(self.texts_of(*b)))
        });
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
    pub(super) fn keys(&self, ranking: &Ranking) -> Vec<Vec<String>> {
        ranking.foremost.iter().map(|group| self.texts_of(*group).map(str::to_owned).collect()).collect()
    }

    pub(super) fn chosen<'a>(&'a self, ranking: &'a Ranking) -> Chosen<'a> {
        Chosen { groups: self, ranking }
    }

    fn texts_of(&self, group: usize) -> impl Iterator<Item = &str> {
        let key = self.keys.get_index(group).copied().unwrap_or_default();
        self.texts
            .iter()
            .zip(key)
            .take(self.by.len())
            .map(|(texts, id)| texts.get_index(id as usize).map_or("", |text| &**text))
    }
}

impl Cells for Groups {
    fn by(&self) -> &[Dimension] {
        &self.by
    }

    fn text(&mut self, nth: usize, text: &str) -> Option<u32> {
        let full = self.keys.len() >= MOST;
        let texts = self.texts.get_mut(nth)?;
        let index = match texts.get_index_of(text) {
            Some(index) => index,
            None if full => return None,
            None => texts.insert_full(text.into()).0,
        };
        u32::try_from(index).ok()
    }

    fn cell(&mut self, key: [Option<u32>; WIDTH]) -> u32 {
        let Some(key) = whole(key, self.by.len()) else { return OTHERS };
        let index = match self.keys.get_index_of(&key) {
            Some(index) => index,
            None if self.keys.len() >= MOST => return OTHERS,
            None => self.keys.insert_full(key).0,
        };
        u32::try_from(index + 1).unwrap_or(OTHERS)
    }
}

impl Cells for Chosen<'_> {
    fn by(&self) -> &[Dimension] {
        &self.groups.by
    }

    fn text(&mut self, nth: usize, text: &str) -> Option<u32> {
        self.groups.texts.get(nth)?.get_index_of(text).and_then(|index| u32::try_from(index).ok())
    }

    fn cell(&mut self, key: [Option<u32>; WIDTH]) -> u32 {
        let group = whole(key, self.groups.by.len()).and_then(|key| self.groups.keys.get_index_of(&key));
        group.and_then(|group| self.ranking.places.get(group)).copied().unwrap_or(OTHERS)
    }
}

/// The key, if every dimension grouped by has a number in it.
fn whole(key: [Option<u32>; WIDTH], width: usize) -> Option<[u32; WIDTH]> {
    let known = key.iter().take(width).all(Option::is_some);
    known.then(|| key.map(Option::unwrap_or_default))
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
