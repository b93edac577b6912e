//! Numbers side by side in as few bytes as the greatest of them needs. Decoded columns are kept so: what is widened again is
//! read once and thrown away, and what is kept is what fills memory.

use std::ops::Range;
use std::sync::Arc;

/// Whole numbers.
#[derive(Clone, Debug)]
pub(super) enum Packed {
    /// All the same, so many.
    Same(u64, usize),
    Bytes(Arc<[u8]>),
    Shorts(Arc<[u16]>),
    Words(Arc<[u32]>),
    Longs(Arc<[u64]>),
}

impl Packed {
    pub(super) fn new<T: Copy + Into<u64>>(values: &[T]) -> Self {
        let first = values.first().map_or(0, |first| (*first).into());
        let greatest = values.iter().fold(0, |greatest: u64, value| greatest.max((*value).into()));
        // Narrowing is exact: none is greater than the greatest.
        if values.iter().all(|value| (*value).into() == first) {
            Self::Same(first, values.len())
        } else if greatest <= u64::from(u8::MAX) {
            Self::Bytes(values.iter().map(|value| (*value).into() as u8).collect())
        } else if greatest <= u64::from(u16::MAX) {
            Self::Shorts(values.iter().map(|value| (*value).into() as u16).collect())
        } else if greatest <= u64::from(u32::MAX) {
            Self::Words(values.iter().map(|value| (*value).into() as u32).collect())
        } else {
            Self::Longs(values.iter().map(|value| (*value).into()).collect())
        }
    }

    /// Some of the numbers as they were; those that do not fit into 32 bits become the greatest that does.
    pub(super) fn words(&self, rows: &Range<usize>) -> Vec<u32> {
        match self {
            Self::Same(value, all) => {
                vec![u32::try_from(*value).unwrap_or(u32::MAX); rows.end.min(*all) - rows.start.min(*all)]
            }
            Self::Bytes(list) => part(list, rows).iter().map(|value| u32::from(*value)).collect(),
            Self::Shorts(list) => part(list, rows).iter().map(|value| u32::from(*value)).collect(),
            Self::Words(list) => part(list, rows).to_vec(),
            Self::Longs(list) => {
                part(list, rows).iter().map(|value| u32::try_from(*value).unwrap_or(u32::MAX)).collect()
            }
        }
    }

    /// Some of the numbers as they were.
    pub(super) fn longs(&self, rows: &Range<usize>) -> Vec<u64> {
        match self {
            Self::Same(value, all) => vec![*value; rows.end.min(*all) - rows.start.min(*all)],
            Self::Bytes(list) => part(list, rows).iter().map(|value| u64::from(*value)).collect(),
            Self::Shorts(list) => part(list, rows).iter().map(|value| u64::from(*value)).collect(),
            Self::Words(list) => part(list, rows).iter().map(|value| u64::from(*value)).collect(),
            Self::Longs(list) => part(list, rows).to_vec(),
        }
    }

    /// How much memory it takes.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Same(..) => 0,
            Self::Bytes(list) => list.len(),
            Self::Shorts(list) => list.len() * 2,
            Self::Words(list) => list.len() * 4,
            Self::Longs(list) => list.len() * 8,
        }
    }
}

fn part<'a, T>(list: &'a [T], rows: &Range<usize>) -> &'a [T] {
    list.get(rows.clone()).unwrap_or_default()
}

/// Moments, each as how much later than the one before it is: in minutes where all of them are whole minutes.
#[derive(Clone, Debug)]
pub(super) struct Moments {
    first: i64,
    unit: i64,
    later: Packed,
}

impl Moments {
    /// `None` if they are not in order.
    pub(super) fn new(at: &[i64]) -> Option<Self> {
        const MINUTE: i64 = 60_000_000_000;
        let first = at.first().copied().unwrap_or_default();
        let mut whole = true;
        let mut before = first;
        let later = at.iter().map(|at| {
            let later = at.checked_sub(before).and_then(|later| u64::try_from(later).ok());
            before = *at;
            whole &= later.is_some_and(|later| later % MINUTE.unsigned_abs() == 0);
            later
        });
        let mut later = later.collect::<Option<Vec<u64>>>()?;
        let unit = if whole { MINUTE } else { 1 };
        later.iter_mut().for_each(|later| *later /= unit.unsigned_abs());
        Some(Self { first, unit, later: Packed::new(&later) })
    }

    pub(super) fn all(&self) -> Vec<i64> {
        match &self.later {
            Packed::Same(later, rows) => self.summed(std::iter::repeat_n(*later, *rows)),
            Packed::Bytes(list) => self.summed(list.iter().map(|later| u64::from(*later))),
            Packed::Shorts(list) => self.summed(list.iter().map(|later| u64::from(*later))),
            Packed::Words(list) => self.summed(list.iter().map(|later| u64::from(*later))),
            Packed::Longs(list) => self.summed(list.iter().copied()),
        }
    }

    fn summed(&self, later: impl Iterator<Item = u64>) -> Vec<i64> {
        let mut at = self.first;
        // None is later than the last, which is a moment.
        let next = |later: u64| {
            at = at.wrapping_add(self.unit.wrapping_mul(later.cast_signed()));
            at
        };
        later.map(next).collect()
    }

    /// How much memory it takes.
    pub(super) fn bytes(&self) -> usize {
        self.later.bytes()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_come_back(shift in 0..64_u32, values: Vec<u64>, cut: usize) {
            let values: Vec<u64> = values.into_iter().map(|value| value >> shift).collect();
            let packed = Packed::new(&values);
            let words: Vec<u32> = values.iter().map(|value| u32::try_from(*value).unwrap_or(u32::MAX)).collect();
            let all = 0..values.len();
            prop_assert_eq!(packed.longs(&all), values.as_slice());
            prop_assert_eq!(Packed::new(&words).words(&all), words.as_slice());
            prop_assert_eq!(packed.words(&all), words.as_slice());
            let some = cut % (values.len() + 1)..values.len();
            prop_assert_eq!(packed.longs(&some), &values[some.clone()]);
            prop_assert_eq!(packed.words(&some), &words[some]);
        }

        #[test]
        fn moments_come_back(first: i64, later in prop::collection::vec(0..300_u32, 0..50), unit in prop::sample::select(vec![1_i64, 977, 60_000_000_000])) {
            let mut at = first;
            let all: Vec<i64> = later.iter().map(|later| { at = at.saturating_add(i64::from(*later) * unit); at }).collect();
            prop_assert_eq!(Moments::new(&all).unwrap().all(), all);
        }
    }

    #[test]
    fn moments_out_of_order_are_none() {
        assert!(Moments::new(&[2, 1]).is_none());
        assert!(Moments::new(&[i64::MIN, i64::MAX]).is_none());
        assert_eq!(Moments::new(&[7, 7, 9]).unwrap().all(), [7, 7, 9]);
    }
}
