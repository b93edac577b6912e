//! The texts of a dimension, each once, for all the columns that are in memory.

use std::sync::{Arc, Mutex, PoisonError};

use super::packed::Packed;
use crate::chunk::{Column, Texts};

/// Bytes of texts, after which a dictionary is full. A column that comes before that finds room, so there may be as much
/// more as one row group has.
const FULL: usize = 32 * 1024 * 1024;
/// What a text takes besides its bytes, about: itself, its place, and where it is found.
const EACH: usize = 64;

/// Texts that only ever become more.
#[derive(Debug, Default)]
pub(super) struct Dictionary(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    texts: Texts,
    bytes: usize,
    /// The texts as they were lately: what columns share.
    values: Arc<Vec<Arc<str>>>,
}

impl Dictionary {
    pub(super) fn is_full(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).bytes >= FULL
    }

    /// The codes of a column's rows.
    pub(super) fn code(&self, column: &Column) -> Packed {
        let places: Vec<u32> = {
            let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let Known { texts, bytes, .. } = &mut *known;
            let place = |text: &Arc<str>| {
                let before = texts.values.len();
                let place = texts.place_shared(text);
                if texts.values.len() > before {
                    *bytes += text.len() + EACH;
                }
                place
            };
            column.values.iter().map(place).collect()
        };
        let coded: Vec<u32> =
            column.codes.iter().map(|code| places.get(*code as usize).copied().unwrap_or(u32::MAX)).collect();
        Packed::new(&coded)
    }

    /// All texts, by their code. As long as none comes, it is the same list.
    pub(super) fn values(&self) -> Arc<Vec<Arc<str>>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.values.len() != known.texts.values.len() {
            known.values = Arc::new(known.texts.values.clone());
        }
        Arc::clone(&known.values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_all_columns_mean_the_same() {
        let dictionary = Dictionary::default();
        let column = |texts: &[&str]| {
            let mut known = Texts::default();
            let codes: Vec<u32> = texts.iter().map(|text| known.place(text)).collect();
            Column { codes: codes.into(), values: Arc::new(known.values) }
        };
        let (one, other) = (dictionary.code(&column(&["a", "b", "a"])), dictionary.code(&column(&["c", "b"])));
        let values = dictionary.values();
        let texts =
            |packed: &Packed| packed.words().iter().map(|code| values[*code as usize].to_string()).collect::<Vec<_>>();
        assert_eq!(
            (texts(&one), texts(&other)),
            (vec!["a".into(), "b".into(), "a".into()], vec!["c".into(), "b".into()])
        );
        assert!(Arc::ptr_eq(&values, &dictionary.values()));
    }
}
