//! Adding up the rows of a chunk that are alike but for their numbers.

use std::collections::HashMap;

use super::{Chunk, Shared};
use crate::dimension::Number;

impl Chunk {
    /// Adds up the rows of the same moment and values.
    #[must_use]
    pub fn summed(&self) -> Self {
        let mut places: HashMap<Vec<u32>, usize, foldhash::fast::RandomState> = HashMap::default();
        let mut firsts: Vec<u32> = Vec::new();
        let mut weights: Vec<u32> = Vec::new();
        let mut sums: [Vec<u64>; Number::ALL.len()] = Default::default();
        let columns: Vec<_> = self.columns.iter().flatten().map(|column| &column.codes).collect();
        let mut key = Vec::with_capacity(columns.len() + 2);
        for (row, (at, weight)) in self.at.iter().zip(&self.weight).enumerate() {
            key.clear();
            let [high, low] = [at.cast_unsigned() >> 32, at.cast_unsigned() & u64::from(u32::MAX)];
            key.extend([high, low].map(|half| u32::try_from(half).unwrap_or_default()));
            key.extend(columns.iter().map(|codes| codes.get(row).copied().unwrap_or_default()));
            let place = match places.get(&key) {
                // A sum that no longer fits goes on in another row.
                Some(place) if weights.get(*place).is_some_and(|sum| sum.checked_add(*weight).is_some()) => *place,
                Some(_) | None => {
                    places.insert(key.clone(), firsts.len());
                    firsts.push(u32::try_from(row).unwrap_or(u32::MAX));
                    weights.push(0);
                    sums.iter_mut().for_each(|list| list.push(0));
                    firsts.len() - 1
                }
            };
            if let Some(sum) = weights.get_mut(place) {
                *sum += weight;
            }
            for (numbers, list) in self.numbers.iter().zip(&mut sums) {
                let number = numbers.as_ref().and_then(|numbers| numbers.get(row)).copied().unwrap_or_default();
                if let Some(sum) = list.get_mut(place) {
                    *sum = sum.saturating_add(number);
                }
            }
        }
        let mut summed = self.select(&firsts);
        summed.weight = weights.into();
        for (numbers, list) in summed.numbers.iter_mut().zip(sums) {
            *numbers = numbers.is_some().then(|| Shared::from(list));
        }
        summed.sorted()
    }
}
