//! What a worker keeps while it holds a request against a program.

use std::ops::Range;

use crate::program::node::{Span, Val};

/// Bytes of worked-out texts that are kept from one request to the next.
const KEPT_BYTES: usize = 1 << 20;
/// Bytes of texts that may be worked out for one request; what does not fit is missing.
const BYTES_LIMIT: usize = 256 << 20;

/// Which request a memory is about: another one with each, and whenever one has changed.
pub(crate) type Generation = u32;

/// What a worker works out for one request after the other. It is kept from request to request, and from program to
/// program, so that nothing is allocated for it once it has grown.
#[derive(Debug, Default)]
pub struct Memory {
    /// Which request this is: what was marked for another one does not count, so nothing has to be cleared.
    generation: Generation,
    /// What nodes are worth.
    pub(super) slots: Vec<(u32, Val)>,
    /// The generation in which a test of an index held.
    pub(super) atoms: Vec<u32>,
    /// The generation in which an index was asked, and which of `hits` are its.
    pub(super) asked: Vec<(u32, Span)>,
    /// Tests that held, index by index.
    pub(super) hits: Vec<u32>,
    /// The generation in which a sequence's candidates were found.
    pub(super) sequences: Vec<u32>,
    /// A bit for each condition of each sequence: whether it can hold.
    pub(super) candidates: Vec<u64>,
    /// Bytes of texts.
    pub(super) bytes: Vec<u8>,
    /// Elements of arrays and maps.
    pub(super) values: Vec<Val>,
    /// Keys and values of a map while it is put in order.
    pub(super) pairs: Vec<(Span, Span)>,
    /// A text while it is written.
    pub(super) scratch: Vec<u8>,
    /// A text in lower case while it is compared.
    pub(super) lower: Vec<u8>,
}

/// How much a program marks.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sizes {
    pub(super) slots: usize,
    pub(super) atoms: usize,
    pub(super) indexes: usize,
    pub(super) sequences: usize,
    /// Words of 64 candidates.
    pub(super) words: usize,
}

impl Memory {
    /// Makes room for a program, and forgets what was known.
    pub(super) fn begin(&mut self, sizes: Sizes) {
        grow(&mut self.slots, sizes.slots, (0, Val::Missing));
        grow(&mut self.atoms, sizes.atoms, 0);
        grow(&mut self.asked, sizes.indexes, (0, Span::default()));
        grow(&mut self.sequences, sizes.sequences, 0);
        grow(&mut self.candidates, sizes.words, 0);
        self.forget();
    }

    /// Forgets what is known.
    pub(super) fn forget(&mut self) {
        self.hits.clear();
        self.values.clear();
        for bytes in [&mut self.bytes, &mut self.scratch, &mut self.lower] {
            bytes.clear();
            bytes.shrink_to(KEPT_BYTES);
        }
        self.generation = self.generation.checked_add(1).unwrap_or_else(|| {
            // once in four billion: the marks of the last round must not be taken for those of this one
            self.slots.iter_mut().for_each(|slot| slot.0 = 0);
            self.atoms.fill(0);
            self.asked.iter_mut().for_each(|asked| asked.0 = 0);
            self.sequences.fill(0);
            1
        });
    }

    /// Which request this is, never 0.
    pub(crate) fn generation(&self) -> Generation {
        self.generation
    }

    /// Marks a condition of the sequence whose candidates these words are.
    pub(super) fn add_candidate(&mut self, words: Range<usize>, condition: u32) {
        let (word, bit) = (usize::try_from(condition / 64).unwrap_or(usize::MAX), condition % 64);
        if let Some(bits) = self.candidates.get_mut(words).and_then(|words| words.get_mut(word)) {
            *bits |= 1 << bit;
        }
    }

    /// The first condition marked there, from place `from` on.
    pub(super) fn next_candidate(&self, words: Range<usize>, from: usize) -> Option<usize> {
        let words = self.candidates.get(words)?;
        let first = words.get(from / 64)? & (u64::MAX << (from % 64));
        let rest = words.iter().enumerate().skip(from / 64 + 1).map(|(word, bits)| (word, *bits));
        let (word, bits) = std::iter::once((from / 64, first)).chain(rest).find(|(_, bits)| *bits != 0)?;
        Some(word * 64 + usize::try_from(bits.trailing_zeros()).ok()?)
    }

    /// Keeps bytes.
    pub(super) fn keep(&mut self, bytes: &[u8]) -> Option<Span> {
        let start = self.bytes.len();
        if start + bytes.len() > BYTES_LIMIT {
            return None;
        }
        self.bytes.extend_from_slice(bytes);
        Span::from(start, self.bytes.len())
    }

    /// Bytes that were kept.
    pub(super) fn bytes(&self, span: Span) -> &[u8] {
        self.bytes.get(span.range()).unwrap_or_default()
    }

    /// An element that was kept.
    pub(super) fn value(&self, span: Span, place: usize) -> Val {
        self.values.get(span.range()).and_then(|values| values.get(place)).copied().unwrap_or(Val::Missing)
    }

    /// Makes room for elements, to be filled in.
    pub(super) fn reserve(&mut self, len: usize) -> Option<Span> {
        let start = self.values.len();
        self.values.resize(start + len, Val::Missing);
        Span::from(start, self.values.len())
    }

    /// Fills an element in.
    pub(super) fn fill(&mut self, span: Span, place: usize, value: Val) {
        if let Some(element) = self.values.get_mut(span.range()).and_then(|values| values.get_mut(place)) {
            *element = value;
        }
    }
}

fn grow<T: Clone>(marks: &mut Vec<T>, len: usize, mark: T) {
    if marks.len() < len {
        marks.resize(len, mark);
    }
}
