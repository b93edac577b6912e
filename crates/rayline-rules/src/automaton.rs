//! Many literals sought in a text at once, each anywhere in it, at its start or at its end.

use std::collections::HashMap;

use aho_corasick::AhoCorasick;
use memchr::memmem;

/// A literal and the numbers that it is known by.
type Known = (Box<[u8]>, Box<[u32]>);

/// Literals sought anywhere in a text, in one go over it.
#[derive(Debug)]
pub(crate) struct Substrings {
    /// Nothing where there are too many literals for one automaton: then they are sought one by one.
    automaton: Option<AhoCorasick>,
    literals: Box<[Known]>,
    ignores_case: bool,
}

impl Substrings {
    /// Of literals and their numbers, with ASCII letters the same in either case if `ignores_case`.
    pub(crate) fn new(literals: Literals, ignores_case: bool) -> Self {
        let literals = literals.into_sorted();
        let automaton =
            AhoCorasick::builder().ascii_case_insensitive(ignores_case).build(literals.iter().map(|it| &it.0));
        Self { automaton: automaton.ok(), literals, ignores_case }
    }

    /// Tells the numbers of each literal that is in the text, some more than once, until `each` says that it has all.
    pub(crate) fn of(&self, text: &[u8], mut each: impl FnMut(&[u32]) -> bool) {
        let Some(automaton) = &self.automaton else {
            let lower = self.ignores_case.then(|| text.to_ascii_lowercase());
            let text = lower.as_deref().unwrap_or(text);
            let found = self.literals.iter().filter(|(literal, _)| memmem::find(text, literal).is_some());
            found.map(|(_, numbers)| each(numbers)).find(|has_all| *has_all);
            return;
        };
        let Ok(matches) = automaton.try_find_overlapping_iter(text) else { return };
        for found in matches {
            let numbers = self.literals.get(found.pattern().as_usize());
            if numbers.is_some_and(|(_, numbers)| each(numbers)) {
                return;
            }
        }
    }
}

/// Where in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Side {
    /// The whole of it, which is both.
    Both,
    /// How it starts.
    Start,
    /// How it ends.
    End,
}

/// Literals that a text is, starts with or ends with: one look-up for each length that they have.
#[derive(Debug)]
pub(crate) struct Affixes {
    side: Side,
    /// Their lengths, in order.
    lengths: Box<[usize]>,
    literals: HashMap<Box<[u8]>, Box<[u32]>, foldhash::fast::FixedState>,
}

impl Affixes {
    /// Of literals and their numbers.
    pub(crate) fn new(literals: Literals, side: Side) -> Self {
        let literals: HashMap<Box<[u8]>, Box<[u32]>, _> = literals.into_sorted().into_iter().collect();
        let mut lengths: Vec<usize> = literals.keys().map(|literal| literal.len()).collect();
        lengths.sort_unstable();
        lengths.dedup();
        Self { side, lengths: lengths.into(), literals }
    }

    /// Tells the numbers of each literal that the text has there.
    pub(crate) fn of(&self, text: &[u8], mut each: impl FnMut(&[u32])) {
        let mut look_up = |part: Option<&[u8]>| {
            if let Some(numbers) = part.and_then(|part| self.literals.get(part)) {
                each(numbers);
            }
        };
        match self.side {
            // a text that is longer than any of them need not be hashed
            Side::Both => look_up(Some(text).filter(|text| self.lengths.binary_search(&text.len()).is_ok())),
            Side::Start => {
                let fitting = self.lengths.iter().take_while(|length| **length <= text.len());
                fitting.for_each(|length| look_up(text.get(..*length)));
            }
            Side::End => {
                let starts = self.lengths.iter().map_while(|length| text.len().checked_sub(*length));
                starts.for_each(|start| look_up(text.get(start..)));
            }
        }
    }
}

/// Host names and `*.example.com`, in lower case.
#[derive(Debug)]
pub(crate) struct Hosts {
    names: Affixes,
    /// By `.example.com`, what is below it.
    below: Affixes,
}

impl Hosts {
    /// Of items and the numbers of the lists that they are in.
    pub(crate) fn new(items: Literals) -> Self {
        let (mut names, mut below) = (Literals::default(), Literals::default());
        for (item, number) in items.0 {
            match item.strip_prefix(b"*").filter(|suffix| suffix.starts_with(b".")) {
                Some(suffix) => below.add(suffix.to_ascii_lowercase(), number),
                None => names.add(item.to_ascii_lowercase(), number),
            }
        }
        Self { names: Affixes::new(names, Side::Both), below: Affixes::new(below, Side::End) }
    }

    /// Tells the numbers of each list that has the host, given in lower case.
    pub(crate) fn of(&self, host: &[u8], mut each: impl FnMut(&[u32])) {
        self.names.of(host, &mut each);
        // a suffix begins with a dot, and something stands before it
        let longest = self.below.lengths.last().copied().unwrap_or(0);
        let from = host.len().saturating_sub(longest).max(1);
        let tail = host.get(from..).unwrap_or_default();
        for dot in memchr::memchr_iter(b'.', tail) {
            let suffix = tail.get(dot..).unwrap_or_default();
            if let Some(numbers) = self.below.literals.get(suffix) {
                each(numbers);
            }
        }
    }
}

/// Literals as they are collected, each with a number; the same one may have several.
#[derive(Debug, Default, Clone)]
pub(crate) struct Literals(Vec<(Box<[u8]>, u32)>);

impl Literals {
    /// Adds one.
    pub(crate) fn add(&mut self, literal: impl Into<Box<[u8]>>, number: u32) {
        self.0.push((literal.into(), number));
    }

    fn into_sorted(self) -> Box<[Known]> {
        let Self(mut all) = self;
        all.sort_unstable();
        all.dedup();
        let same = all.chunk_by(|left, right| left.0 == right.0);
        let numbers = |chunk: &[(_, u32)]| chunk.iter().map(|(_, number)| *number).collect();
        same.filter_map(|chunk| Some((chunk.first()?.0.clone(), numbers(chunk)))).collect()
    }
}
