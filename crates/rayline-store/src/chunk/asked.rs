//! Who asked for what, as one number: whether a request is the same as another one is seen without any text. Numbers are good
//! for one process, and nobody outside of it can tell which requests have the same.

use std::hash::BuildHasher;
use std::sync::LazyLock;

use foldhash::quality::RandomState;

use super::{Chunk, Shared};
use crate::dimension::Dimension;

/// Of what the number is made, in this order.
pub(crate) const ASKED: [Dimension; 3] = [Dimension::Client, Dimension::Host, Dimension::Path];

static SEED: LazyLock<RandomState> = LazyLock::new(RandomState::default);

/// A text as a number.
pub(crate) fn hash_of(text: &[u8]) -> u64 {
    SEED.hash_one(text)
}

/// The numbers of the three texts as one, which depends on their order.
pub(crate) fn asked_of([client, host, path]: [u64; 3]) -> u64 {
    let page = (host.rotate_left(23) ^ path).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (page ^ (page >> 29) ^ client).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^ (mixed >> 32)
}

impl Chunk {
    /// The numbers of its rows: those that came with it, or else made of its columns.
    pub(crate) fn asked(&self) -> Shared<u64> {
        if self.asked.len() == self.len() {
            return self.asked.clone();
        }
        let columns = ASKED.map(|dimension| {
            let column = self.columns.get(dimension.index())?.as_ref()?;
            let hashes: Vec<u64> = column.values.iter().map(|text| hash_of(text.as_bytes())).collect();
            Some((&column.codes, hashes))
        });
        let empty = hash_of(b"");
        let of_row = |row: usize| {
            asked_of(columns.each_ref().map(|column| {
                let hash = column.as_ref().and_then(|(codes, hashes)| hashes.get(*codes.get(row)? as usize));
                hash.copied().unwrap_or(empty)
            }))
        };
        (0..self.len()).map(of_row).collect()
    }
}
