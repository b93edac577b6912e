//! The texts of a dimension, each once, for all the columns that are in memory.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use crate::chunk::Texts;

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

    /// The code of each text; those that are new get one.
    pub(super) fn place(&self, texts: &[Bytes]) -> Vec<u32> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Known { texts: places, bytes, .. } = &mut *known;
        let place = |text: &Bytes| {
            let before = places.values.len();
            let place = places.place(&String::from_utf8_lossy(text));
            if places.values.len() > before {
                *bytes += text.len() + EACH;
            }
            place
        };
        texts.iter().map(place).collect()
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
        let place = |texts: [&'static str; 2]| dictionary.place(&texts.map(|text| Bytes::from_static(text.as_bytes())));
        assert_eq!((place(["a", "b"]), place(["c", "b"])), (vec![0, 1], vec![2, 1]));
        let values = dictionary.values();
        assert_eq!(values.iter().map(|text| &**text).collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(place(["b", "c"]), [1, 2]);
        assert!(Arc::ptr_eq(&values, &dictionary.values()));
    }
}
