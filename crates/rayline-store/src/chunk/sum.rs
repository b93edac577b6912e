//! Adding up the rows of a chunk that are alike but for their numbers.

use std::collections::HashMap;
use std::hash::Hash;

use foldhash::fast::RandomState;

use super::{Chunk, Shared};
use crate::dimension::Number;

/// Sums under way, by what their rows have in common.
#[derive(Debug)]
struct Sums<K> {
    /// Where the sum of a moment and the texts' codes is.
    places: HashMap<K, usize, RandomState>,
    /// Of each sum the first row, which has its values.
    rows: Vec<u32>,
    weights: Vec<u32>,
    numbers: [Vec<u64>; Number::ALL.len()],
}

impl Chunk {
    /// Adds up the rows of the same moment and values.
    #[must_use]
    pub fn summed(&self) -> Self {
        match self.keys() {
            Some(keys) => self.summed_by(keys.into_iter()),
            None => {
                let columns: Vec<_> = self.columns.iter().flatten().map(|column| &column.codes).collect();
                let codes = |row: usize| columns.iter().map(move |codes| codes.get(row).copied().unwrap_or_default());
                self.summed_by(self.at.iter().enumerate().map(|(row, at)| (*at, codes(row).collect::<Vec<u32>>())))
            }
        }
    }

    /// What rows have in common as one number each, made of the number of their moment and of their codes; `None` if it would
    /// be too long.
    fn keys(&self) -> Option<Vec<u128>> {
        let mut moments: HashMap<i64, u128, RandomState> = HashMap::default();
        let number = |at: &i64| {
            let next = moments.len() as u128;
            *moments.entry(*at).or_insert(next)
        };
        let mut keys: Vec<u128> = self.at.iter().map(number).collect();
        let mut bits = u32::BITS;
        for column in self.columns.iter().flatten() {
            let width = column.codes.iter().max().map_or(0, |greatest| u32::BITS - greatest.leading_zeros());
            bits += width;
            if bits > u128::BITS {
                return None;
            }
            // A column that is too short has the first code for the rest, as it always had.
            let codes = column.codes.iter().copied().chain(std::iter::repeat(0));
            for (key, code) in keys.iter_mut().zip(codes) {
                *key = (*key << width) | u128::from(code);
            }
        }
        Some(keys)
    }

    fn summed_by<K: Hash + Eq>(&self, keys: impl Iterator<Item = K>) -> Self {
        let mut sums =
            Sums { places: HashMap::default(), rows: Vec::new(), weights: Vec::new(), numbers: Default::default() };
        for (row, (key, weight)) in keys.zip(&self.weight).enumerate() {
            let place = sums.place(key, row, *weight);
            for (numbers, sums) in self.numbers.iter().zip(&mut sums.numbers) {
                let number = numbers.as_ref().and_then(|numbers| numbers.get(row)).copied().unwrap_or_default();
                if let Some(sum) = sums.get_mut(place) {
                    *sum = sum.saturating_add(number);
                }
            }
        }
        let mut summed = self.select(&sums.rows);
        summed.weight = sums.weights.into();
        for (numbers, sums) in summed.numbers.iter_mut().zip(sums.numbers) {
            *numbers = numbers.is_some().then(|| Shared::from(sums));
        }
        summed.sorted()
    }
}

impl<K: Hash + Eq> Sums<K> {
    /// Where a row's numbers are to be added; its weight is added already.
    fn place(&mut self, key: K, row: usize, weight: u32) -> usize {
        if let Some(&place) = self.places.get(&key)
            && let Some(sum) = self.weights.get_mut(place)
            && let Some(more) = sum.checked_add(weight)
        {
            *sum = more;
            return place;
        }
        // A new one; or the sum is full, and goes on in another row.
        let place = self.rows.len();
        self.places.insert(key, place);
        self.rows.push(u32::try_from(row).unwrap_or(u32::MAX));
        self.weights.push(weight);
        self.numbers.iter_mut().for_each(|list| list.push(0));
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunk::{Column, Texts};
    use crate::dimension::Dimension;

    #[test]
    fn rows_of_the_same_moment_and_values_become_one() {
        let mut hosts = Texts::default();
        let codes = ["a", "b", "a", "a"].map(|host| hosts.place(host)).to_vec();
        let mut rows = Chunk { at: vec![1, 1, 1, 2].into(), weight: vec![1, 2, 3, 4].into(), ..Chunk::default() };
        rows.columns[Dimension::Host.index()] = Some(Column { codes: codes.into(), values: hosts.values.into() });
        rows.numbers[Number::ResponseBytes.index()] = Some(vec![10, 20, 30, u64::MAX].into());
        let summed = rows.summed();
        assert_eq!(*summed.at, [1, 1, 2]);
        assert_eq!(*summed.weight, [4, 2, 4]);
        assert_eq!(**summed.numbers[Number::ResponseBytes.index()].as_ref().unwrap(), [40, 20, u64::MAX]);
        assert!(summed.numbers[Number::Wait.index()].is_none());
    }

    #[test]
    fn many_columns_of_many_codes_are_told_apart_too() {
        let codes: Vec<u32> = vec![u32::MAX, 7, u32::MAX];
        let column = || Some(Column { codes: codes.clone().into(), values: std::sync::Arc::default() });
        let few = Chunk { at: vec![1; 3].into(), weight: vec![1; 3].into(), ..Chunk::default() };
        let mut many = few.clone();
        many.columns.iter_mut().for_each(|place| *place = column());
        assert!(few.keys().is_some() && many.keys().is_none());
        assert_eq!((*few.summed().weight).clone(), [3]);
        assert_eq!((*many.summed().weight).clone(), [2, 1]);
    }

    #[test]
    fn a_full_sum_goes_on_in_another_row() {
        let most = u32::MAX;
        let rows = Chunk { at: vec![7; 4].into(), weight: vec![most, 1, 5, most - 2].into(), ..Chunk::default() };
        assert_eq!(*rows.summed().weight, [most, 6, most - 2]);
    }
}
