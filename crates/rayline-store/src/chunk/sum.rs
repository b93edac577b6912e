//! Adding up the rows of a chunk that are alike but for their numbers.

use std::collections::HashMap;

use super::{Chunk, Shared};
use crate::dimension::Number;

/// Sums under way, by what their rows have in common.
#[derive(Debug, Default)]
struct Sums {
    /// Where the sum of a moment and the texts' codes is.
    places: HashMap<(i64, Vec<u32>), usize, foldhash::fast::RandomState>,
    /// Of each sum the first row, which has its values.
    rows: Vec<u32>,
    weights: Vec<u32>,
    numbers: [Vec<u64>; Number::ALL.len()],
}

impl Chunk {
    /// Adds up the rows of the same moment and values.
    #[must_use]
    pub fn summed(&self) -> Self {
        let mut sums = Sums::default();
        let columns: Vec<_> = self.columns.iter().flatten().map(|column| &column.codes).collect();
        for (row, (at, weight)) in self.at.iter().zip(&self.weight).enumerate() {
            let codes = columns.iter().map(|codes| codes.get(row).copied().unwrap_or_default()).collect();
            let place = sums.place((*at, codes), row, *weight);
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

impl Sums {
    /// Where a row's numbers are to be added; its weight is added already.
    fn place(&mut self, key: (i64, Vec<u32>), row: usize, weight: u32) -> usize {
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
    fn a_full_sum_goes_on_in_another_row() {
        let most = u32::MAX;
        let rows = Chunk { at: vec![7; 4].into(), weight: vec![most, 1, 5, most - 2].into(), ..Chunk::default() };
        assert_eq!(*rows.summed().weight, [most, 6, most - 2]);
    }
}
