//! A request held against a program: nodes worked out when they are asked for, and no more than once.

mod call;

use std::borrow::Cow;
use std::fmt;
use std::ops::ControlFlow;

use crate::Facts;
use crate::ast::Index;
use crate::facts::Fact;
use crate::function::extension;
use crate::program::index::Answers;
use crate::program::memory::Memory;
use crate::program::node::{AtomId, Logic, NodeId, Op, Part, Span, Text, Val};
use crate::program::test::Test;
use crate::program::{Program, Sequence};
use crate::ruleset::{Condition, Dynamic};
use crate::scheme::Field;

/// A request held against a program.
pub struct Evaluation<'a> {
    pub(super) program: &'a Program,
    pub(super) facts: &'a dyn Facts,
    pub(super) memory: &'a mut Memory,
}

impl fmt::Debug for Evaluation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evaluation").finish_non_exhaustive()
    }
}

impl Evaluation<'_> {
    /// Whether a condition holds. One that is not of this program does not.
    pub fn is_true(&mut self, condition: Condition) -> bool {
        self.holds(NodeId(condition.0))
    }

    /// The place of the first condition of a sequence, from place `from` on, that holds. Those that cannot hold, because
    /// no test that they would need does, are passed over without being looked at: this costs about the same for a
    /// thousand rules `http.host eq "…"` as for ten.
    ///
    /// A phase runs with it like so, with [`Self::forget`] only where a rule changed the request:
    /// `while let Some(place) = evaluation.next_true(sequence, at) { …; at = place + 1; }`
    pub fn next_true(&mut self, sequence: Sequence, from: usize) -> Option<usize> {
        let program = self.program;
        let known = program.sequences.get(usize::try_from(sequence.0).ok()?)?;
        self.find_candidates(sequence);
        let mut place = from;
        loop {
            place = self.memory.next_candidate(known.words.clone(), place)?;
            if self.holds(*known.conditions.get(place)?) {
                return Some(place);
            }
            place += 1;
        }
    }

    /// The text that an expression is worth; nothing if it fails, as a missing header field does.
    pub fn text(&mut self, dynamic: Dynamic) -> Option<Cow<'_, [u8]>> {
        match self.node(NodeId(dynamic.0)) {
            Val::Text(text) => Some(Cow::Borrowed(self.bytes(text))),
            Val::Missing | Val::Bool(_) | Val::Int(_) | Val::Float(_) | Val::Ip(_) | Val::Array(_) | Val::Map(_) => {
                None
            }
        }
    }

    /// Forgets what is known: the request has changed.
    pub fn forget(&mut self) {
        self.memory.forget();
    }

    fn holds(&mut self, node: NodeId) -> bool {
        self.node(node) == Val::Bool(true)
    }

    /// What a node is worth.
    fn node(&mut self, place: NodeId) -> Val {
        let program = self.program;
        let Some(node) = usize::try_from(place.0).ok().and_then(|place| program.nodes.get(place)) else {
            return Val::Missing;
        };
        let Some(slot) = node.slot.and_then(|slot| usize::try_from(slot).ok()) else { return self.work_out(&node.op) };
        let generation = self.memory.generation();
        if let Some((_, kept)) = self.memory.slots.get(slot).filter(|(kept_in, _)| *kept_in == generation) {
            return *kept;
        }
        let value = self.work_out(&node.op);
        if let Some(slot) = self.memory.slots.get_mut(slot) {
            *slot = (generation, value);
        }
        value
    }

    fn work_out(&mut self, op: &Op) -> Val {
        match op {
            Op::Literal(value) => *value,
            Op::Fact(field) => match self.facts.fact(*field) {
                Fact::Nothing => Val::Missing,
                Fact::Bool(value) => Val::Bool(value),
                Fact::Int(value) => Val::Int(value),
                Fact::Float(value) => Val::Float(value),
                Fact::Bytes(_) => Val::Text(Text::Fact(*field)),
                Fact::Ip(value) => Val::Ip(value),
            },
            Op::Extension(path) => self.extension(*path),
            Op::Entries(field, part) => self.entries(*field, *part).map_or(Val::Missing, Val::Array),
            Op::Map(field) => self.map(*field).map_or(Val::Missing, Val::Map),
            Op::AtKey(field, key) => self.at_key(*field, key),
            Op::Index { base, index, each, ignores_case } => {
                let base = self.node(*base);
                if *each { self.each_entry(base, index) } else { self.entry(base, index, *ignores_case) }
            }
            Op::Call { call, each } => self.call(call, *each),
            Op::Test { value, test, each } => {
                let value = self.node(*value);
                if *each { self.each_test(value, test) } else { Val::Bool(self.test(value, test)) }
            }
            Op::Atom(atom) => Val::Bool(self.atom(*atom)),
            Op::Not { inner, each: false } => Val::Bool(!self.holds(*inner)),
            Op::Not { inner, each: true } => {
                let inner = self.node(*inner);
                self.each(inner, |_, value| Val::Bool(value != Val::Bool(true)))
            }
            Op::And(items) => Val::Bool(items.iter().all(|item| self.holds(*item))),
            Op::Or(items) => Val::Bool(items.iter().any(|item| self.holds(*item))),
            Op::Xor(items) => Val::Bool(items.iter().fold(false, |odd, item| odd ^ self.holds(*item))),
            Op::Zip(logic, items) => self.zip(*logic, items),
        }
    }

    /// The bytes of a text.
    fn bytes(&self, text: Text) -> &[u8] {
        match text {
            Text::Fact(field) => match self.facts.fact(field) {
                Fact::Bytes(bytes) => bytes,
                Fact::Nothing | Fact::Bool(_) | Fact::Int(_) | Fact::Float(_) | Fact::Ip(_) => &[],
            },
            Text::Const(place) => {
                let program = self.program;
                usize::try_from(place).ok().and_then(|place| program.texts.get(place)).map_or(&[], |text| text)
            }
            Text::Kept(span) => self.memory.bytes(span),
        }
    }

    /// The bytes of a value that is a text.
    fn text_of(&self, value: Val) -> Option<&[u8]> {
        match value {
            Val::Text(text) => Some(self.bytes(text)),
            Val::Missing | Val::Bool(_) | Val::Int(_) | Val::Float(_) | Val::Ip(_) | Val::Array(_) | Val::Map(_) => {
                None
            }
        }
    }

    /// How many elements a value has: those of an array, or the values of a map.
    fn len(value: Val) -> Option<usize> {
        match value {
            Val::Array(span) => Some(span.range().len()),
            Val::Map(span) => Some(span.range().len() / 2),
            Val::Missing | Val::Bool(_) | Val::Int(_) | Val::Float(_) | Val::Ip(_) | Val::Text(_) => None,
        }
    }

    /// One of them.
    fn element(&self, value: Val, place: usize) -> Val {
        match value {
            Val::Array(span) => self.memory.value(span, place),
            Val::Map(span) => self.memory.value(span, place * 2 + 1),
            Val::Missing | Val::Bool(_) | Val::Int(_) | Val::Float(_) | Val::Ip(_) | Val::Text(_) => Val::Missing,
        }
    }

    fn extension(&mut self, path: Field) -> Val {
        let Fact::Bytes(path) = self.facts.fact(path) else { return Val::Missing };
        let start = self.memory.bytes.len();
        let Some(span) = self.memory.keep(extension(path)) else { return Val::Missing };
        self.memory.bytes.iter_mut().skip(start).for_each(|byte| *byte = byte.to_ascii_lowercase());
        Val::Text(Text::Kept(span))
    }

    /// The keys or the values of a field's entries.
    fn entries(&mut self, field: Field, part: Part) -> Option<Span> {
        let memory = &mut *self.memory;
        let start = memory.values.len();
        self.facts.entries(field, &mut |key, value| {
            let text = if part == Part::Values { value } else { key };
            let text = memory.keep(text).map(|span| {
                if part == Part::LowerKeys {
                    memory.bytes.get_mut(span.range()).unwrap_or_default().make_ascii_lowercase();
                }
                Val::Text(Text::Kept(span))
            });
            memory.values.push(text.unwrap_or(Val::Missing));
            ControlFlow::Continue(())
        });
        Span::from(start, memory.values.len())
    }

    /// The values of a key.
    fn at_key(&mut self, field: Field, key: &[u8]) -> Val {
        let ignores_case = crate::eval::has_header_names(field);
        let memory = &mut *self.memory;
        let start = memory.values.len();
        self.facts.entries(field, &mut |name, value| {
            if crate::eval::is_name(name, key, ignores_case) {
                let text = memory.keep(value).map(|span| Val::Text(Text::Kept(span)));
                memory.values.push(text.unwrap_or(Val::Missing));
            }
            ControlFlow::Continue(())
        });
        let values = Span::from(start, memory.values.len()).filter(|span| span.len > 0);
        values.map_or(Val::Missing, Val::Array)
    }

    /// A whole map: its keys in order, each with the array of its values.
    fn map(&mut self, field: Field) -> Option<Span> {
        let lower = crate::eval::has_header_names(field);
        let memory = &mut *self.memory;
        let mut pairs = std::mem::take(&mut memory.pairs);
        pairs.clear();
        self.facts.entries(field, &mut |key, value| {
            if let (Some(key), Some(value)) = (memory.keep(key), memory.keep(value)) {
                if lower {
                    memory.bytes.get_mut(key.range()).unwrap_or_default().make_ascii_lowercase();
                }
                pairs.push((key, value));
            }
            ControlFlow::Continue(())
        });
        // values of one key stay in the order in which they came, which is that of their places
        pairs.sort_unstable_by(|left, right| {
            memory
                .bytes(left.0)
                .cmp(memory.bytes(right.0))
                .then(left.1.start.cmp(&right.1.start))
                .then(left.0.start.cmp(&right.0.start))
        });
        let same = |left: &(Span, Span), right: &(Span, Span)| memory.bytes(left.0) == memory.bytes(right.0);
        let keys = pairs.chunk_by(same).count();
        let map = memory.reserve(keys * 2)?;
        let mut first = 0;
        for place in 0..keys {
            let rest = pairs.get(first..).unwrap_or_default();
            let Some((key, _)) = rest.first() else { break };
            let count = rest.iter().take_while(|pair| memory.bytes(pair.0) == memory.bytes(*key)).count();
            let values = memory.reserve(count)?;
            for (at, (_, value)) in rest.iter().take(count).enumerate() {
                memory.fill(values, at, Val::Text(Text::Kept(*value)));
            }
            memory.fill(map, place * 2, Val::Text(Text::Kept(*key)));
            memory.fill(map, place * 2 + 1, Val::Array(values));
            first += count;
        }
        memory.pairs = pairs;
        Some(map)
    }

    /// `base[index]`.
    fn entry(&self, base: Val, index: &Index, ignores_case: bool) -> Val {
        match (index, base) {
            (Index::Each, Val::Array(_) | Val::Map(_)) => base,
            (Index::Place(place), Val::Array(span)) => {
                self.memory.value(span, usize::try_from(*place).unwrap_or(usize::MAX))
            }
            (Index::Key(key), Val::Map(span)) => {
                let mut places = 0..span.range().len() / 2;
                let is_key = |place: &usize| {
                    let name = self.text_of(self.memory.value(span, place * 2)).unwrap_or_default();
                    crate::eval::is_name(name, key.as_bytes(), ignores_case)
                };
                places.find(is_key).map_or(Val::Missing, |place| self.element(base, place))
            }
            (Index::Each | Index::Place(_) | Index::Key(_), _) => Val::Missing,
        }
    }

    /// The entry of each element, those left out that have none; `[*]` of each is one array of all.
    fn each_entry(&mut self, base: Val, index: &Index) -> Val {
        let Some(len) = Self::len(base) else { return Val::Missing };
        let start = self.memory.values.len();
        for place in 0..len {
            let entry = self.entry(self.element(base, place), index, false);
            if *index != Index::Each {
                if entry != Val::Missing {
                    self.memory.values.push(entry);
                }
                continue;
            }
            for inner in 0..Self::len(entry).unwrap_or(0) {
                let element = self.element(entry, inner);
                self.memory.values.push(element);
            }
        }
        Span::from(start, self.memory.values.len()).map_or(Val::Missing, Val::Array)
    }

    /// Does something to each element of an array; a missing one counts as empty.
    fn each(&mut self, value: Val, mut with: impl FnMut(&mut Self, Val) -> Val) -> Val {
        let len = Self::len(value).unwrap_or(0);
        let Some(results) = self.memory.reserve(len) else { return Val::Missing };
        for place in 0..len {
            let element = self.element(value, place);
            let result = with(self, element);
            self.memory.fill(results, place, result);
        }
        Val::Array(results)
    }

    fn each_test(&mut self, value: Val, test: &Test) -> Val {
        self.each(value, |this, element| Val::Bool(this.test(element, test)))
    }

    fn test(&mut self, value: Val, test: &Test) -> bool {
        match value {
            Val::Bool(value) => test.of_bool(value),
            Val::Int(value) => test.of_int(value),
            Val::Float(value) => test.of_float(value),
            Val::Ip(value) => test.of_ip(value),
            Val::Text(text) => {
                let mut lower = std::mem::take(&mut self.memory.lower);
                let holds = test.of_bytes(self.bytes(text), &mut lower);
                self.memory.lower = lower;
                holds
            }
            Val::Missing | Val::Array(_) | Val::Map(_) => false,
        }
    }

    fn zip(&mut self, logic: Logic, items: &[NodeId]) -> Val {
        let mut all: Option<Val> = None;
        for item in items {
            let right = self.node(*item);
            let Some(left) = all else {
                all = Some(self.each(right, |_, value| Val::Bool(value == Val::Bool(true))));
                continue;
            };
            let len = Self::len(left).unwrap_or(0).min(Self::len(right).unwrap_or(0));
            let Some(both) = self.memory.reserve(len) else { return Val::Missing };
            for place in 0..len {
                let is_true = |value| value == Val::Bool(true);
                let (left, right) = (self.element(left, place), self.element(right, place));
                self.memory.fill(both, place, Val::Bool(logic.of(is_true(left), is_true(right))));
            }
            all = Some(Val::Array(both));
        }
        all.unwrap_or(Val::Missing)
    }

    /// Whether a test holds that an index answers.
    fn atom(&mut self, atom: AtomId) -> bool {
        let Ok(place) = usize::try_from(atom.0) else { return false };
        let program = self.program;
        let Some(index) = program.index_of_atom.get(place) else { return false };
        self.ask(*index);
        self.memory.atoms.get(place) == Some(&self.memory.generation())
    }

    /// Asks an index, if it was not asked yet, and gives which of the hits are its.
    fn ask(&mut self, place: u32) -> Span {
        let program = self.program;
        let Some(at) = usize::try_from(place).ok() else { return Span::default() };
        let (Some(index), Some((asked_in, hits))) = (program.indexes.get(at), self.memory.asked.get(at).copied())
        else {
            return Span::default();
        };
        let generation = self.memory.generation();
        if asked_in == generation {
            return hits;
        }
        let value = self.node(index.value);
        let start = self.memory.hits.len();
        if index.any {
            for place in 0..Self::len(value).unwrap_or(0) {
                let element = self.element(value, place);
                self.answer(&index.answers, element, start + index.atoms);
            }
        } else {
            self.answer(&index.answers, value, start + index.atoms);
        }
        let hits = Span::from(start, self.memory.hits.len()).unwrap_or_default();
        if let Some(asked) = self.memory.asked.get_mut(at) {
            *asked = (generation, hits);
        }
        hits
    }

    /// Marks the tests that hold for a value. There are no more to be found once there are `all` hits.
    fn answer(&mut self, answers: &Answers, value: Val, all: usize) {
        let generation = self.memory.generation();
        let mut lower = std::mem::take(&mut self.memory.lower);
        let mut atoms = std::mem::take(&mut self.memory.atoms);
        let mut hits = std::mem::take(&mut self.memory.hits);
        let mut mark = |atom: u32| {
            let mark = usize::try_from(atom).ok().and_then(|atom| atoms.get_mut(atom));
            if let Some(mark) = mark.filter(|mark| **mark != generation) {
                *mark = generation;
                hits.push(atom);
            }
            hits.len()
        };
        match (answers, value) {
            (Answers::Addresses(radix), Val::Ip(address)) => radix.sets_of(address, |set| {
                mark(set);
            }),
            (Answers::Affixes(affixes), Val::Text(text)) => {
                affixes.of(self.bytes(text), |found| found.iter().for_each(|atom| _ = mark(*atom)));
            }
            (Answers::Substrings(substrings), Val::Text(text)) => {
                substrings.of(self.bytes(text), |found| found.iter().copied().map(&mut mark).any(|count| count >= all));
            }
            (Answers::Hosts(hosts), Val::Text(text)) => {
                lower.clear();
                lower.extend(self.bytes(text).iter().map(u8::to_ascii_lowercase));
                hosts.of(&lower, |found| found.iter().for_each(|atom| _ = mark(*atom)));
            }
            (Answers::Addresses(_) | Answers::Affixes(_) | Answers::Substrings(_) | Answers::Hosts(_), _) => {}
        }
        self.memory.lower = lower;
        self.memory.atoms = atoms;
        self.memory.hits = hits;
    }

    /// Finds which conditions of a sequence can hold: those of which a test that they need holds, and those that need
    /// none that an index answers.
    fn find_candidates(&mut self, sequence: Sequence) {
        let program = self.program;
        let Ok(place) = usize::try_from(sequence.0) else { return };
        let Some(known) = program.sequences.get(place) else { return };
        let generation = self.memory.generation();
        if self.memory.sequences.get(place) == Some(&generation) {
            return;
        }
        if let Some(words) = self.memory.candidates.get_mut(known.words.clone()) {
            words.copy_from_slice(&known.always);
        }
        for index in &known.indexes {
            for hit in self.ask(*index).range() {
                let Some(atom) = self.memory.hits.get(hit).copied().map(AtomId) else { continue };
                for condition in known.conditions_of(atom) {
                    self.memory.add_candidate(known.words.clone(), condition);
                }
            }
        }
        if let Some(found_in) = self.memory.sequences.get_mut(place) {
            *found_in = generation;
        }
    }
}
