//! Which bytes a text has, in one pass over it: what a transformation, detector or pattern cannot do without decides
//! whether it has anything to do there at all.
//!
//! Most texts are letters, digits and spaces, and most attacks need a quote, a bracket or a semicolon. The pass yields a mark
//! per set of bytes that something wants; it says nothing about where the bytes are, or how many.

use regex_syntax::hir::{Hir, HirKind};

use super::library::RuleSet;
use super::literals;

/// Sets of bytes that are told apart; what comes later is not gated.
const SETS: usize = 128;

/// From what [`weight`] on a set is in about every text, so that asking for it is no use.
const COMMON: u32 = 700;

/// A set of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bytes([u64; 4]);

impl Bytes {
    const EMPTY: Self = Self([0; 4]);

    /// The bytes of which `is_in` holds.
    pub(super) fn of(is_in: impl Fn(u8) -> bool) -> Self {
        (0..=u8::MAX).filter(|byte| is_in(*byte)).fold(Self::EMPTY, Self::with)
    }

    fn with(mut self, byte: u8) -> Self {
        if let Some(word) = self.0.get_mut(usize::from(byte >> 6)) {
            *word |= 1 << (byte & 63);
        }
        self
    }

    fn or(self, other: Self) -> Self {
        let (Self([a, b, c, d]), Self([e, f, g, h])) = (self, other);
        Self([a | e, b | f, c | g, d | h])
    }

    fn has(self, byte: u8) -> bool {
        self.0.get(usize::from(byte >> 6)).is_some_and(|word| word & 1 << (byte & 63) != 0)
    }

    /// How likely one of them is in an ordinary text.
    fn weight(self) -> u32 {
        (0..=u8::MAX).filter(|byte| self.has(*byte)).map(weight).sum()
    }
}

/// How common a byte is in ordinary texts, roughly.
const fn weight(byte: u8) -> u32 {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' => 500,
        b'0'..=b'9' | b' ' => 60,
        b'.' | b'-' | b'_' | b'/' | b':' | b',' => 10,
        _ => 2,
    }
}

/// Bytes of which every text that `hir` matches has at least one, if that says something.
pub(super) fn required(hir: &Hir) -> Option<Bytes> {
    needed(hir).filter(|bytes| bytes.weight() < COMMON)
}

fn needed(hir: &Hir) -> Option<Bytes> {
    match hir.kind() {
        HirKind::Literal(literal) => {
            literal.0.iter().map(|byte| Bytes::EMPTY.with(*byte)).min_by_key(|byte| byte.weight())
        }
        HirKind::Class(class) => {
            let class = literals::of_bytes(class)?;
            let ranges = class.ranges().iter().flat_map(|range| range.start()..=range.end());
            Some(ranges.fold(Bytes::EMPTY, Bytes::with))
        }
        HirKind::Capture(capture) => needed(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => needed(&repetition.sub),
        HirKind::Concat(parts) => parts.iter().filter_map(needed).min_by_key(|bytes| bytes.weight()),
        HirKind::Alternation(branches) => {
            branches.iter().try_fold(Bytes::EMPTY, |all, branch| Some(all.or(needed(branch)?)))
        }
        HirKind::Empty | HirKind::Look(_) | HirKind::Repetition(_) => None,
    }
}

/// The sets that a text has a byte of, a bit each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Marks(u128);

impl Marks {
    /// Whether they have one of `others`.
    pub(super) const fn meet(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }

    pub(super) const fn or(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }
}

/// Every set that something asks for.
#[derive(Debug)]
pub(super) struct Alphabet {
    /// By byte: the sets that it is in.
    table: Box<[Marks; 256]>,
    sets: Vec<(Bytes, RuleSet)>,
    /// Rules that ask for no bytes.
    ungated: RuleSet,
}

impl Alphabet {
    pub(super) fn new() -> Self {
        Self { table: Box::new([Marks(0); 256]), sets: Vec::with_capacity(SETS), ungated: RuleSet::EMPTY }
    }

    /// The mark of a set; `None` if there is no room for another.
    pub(super) fn mark(&mut self, bytes: Bytes) -> Option<Marks> {
        let place = self.place(bytes)?;
        Some(Marks(1 << place))
    }

    /// Has `rule` tried on texts with one of `bytes` only; on all, if there are none or no room for them.
    pub(super) fn gate(&mut self, rule: usize, bytes: Option<Bytes>) {
        let place = bytes.and_then(|bytes| self.place(bytes));
        match place.and_then(|place| self.sets.get_mut(place)) {
            Some((_, rules)) => rules.insert(rule),
            None => self.ungated.insert(rule),
        }
    }

    fn place(&mut self, bytes: Bytes) -> Option<usize> {
        if let Some(place) = self.sets.iter().position(|(other, _)| *other == bytes) {
            return Some(place);
        }
        let place = self.sets.len();
        if place == SETS {
            return None;
        }
        self.sets.push((bytes, RuleSet::EMPTY));
        for (_, marks) in (0..=u8::MAX).zip(self.table.iter_mut()).filter(|(byte, _)| bytes.has(*byte)) {
            marks.0 |= 1 << place;
        }
        Some(place)
    }

    /// Whether there is no room for another set.
    #[cfg(test)]
    pub(super) fn is_full(&self) -> bool {
        self.sets.len() == SETS
    }

    /// What the bytes of a text are marked with.
    pub(super) fn marks(&self, bytes: &[u8]) -> Marks {
        let of = |byte: &u8| self.table.get(usize::from(*byte)).copied().unwrap_or_default();
        bytes.iter().fold(Marks(0), |all, byte| all.or(of(byte)))
    }

    /// Rules that a text with these marks could match.
    pub(super) fn possible(&self, marks: Marks) -> RuleSet {
        let mut rest = marks.0;
        let mut all = self.ungated;
        while rest != 0 {
            if let Some((_, rules)) = self.sets.get(rest.trailing_zeros() as usize) {
                all = all.or(rules);
            }
            rest &= rest - 1;
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pattern: &str) -> Option<String> {
        let bytes = required(&literals::parsed(pattern).unwrap())?;
        Some((0..=u8::MAX).filter(|byte| bytes.has(*byte)).map(char::from).collect())
    }

    #[test]
    fn the_rarest_that_is_certain_is_asked_for() {
        assert_eq!(of(r"select\s*\(").as_deref(), Some("("));
        assert_eq!(of(r#"(?:'|")\s*or\b"#).as_deref(), Some("\"'"));
        assert_eq!(of(r"[\w.]+;(?:x|y)").as_deref(), Some(";"));
        assert_eq!(of(r"(?:<a)+b?").as_deref(), Some("<"));
    }

    #[test]
    fn where_nothing_is_certain_nothing_is_asked_for() {
        for pattern in [r"select", r"(?:;|x)", r"(?:;)?x", r"\w+x", r"[^;]"] {
            assert_eq!(of(pattern), None, "{pattern}");
        }
    }
}
