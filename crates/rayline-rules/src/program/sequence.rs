//! Which conditions of a ruleset can hold at all, from the answers of the indexes.

use std::ops::Range;

use crate::program::compile::Compiler;
use crate::program::node::{AtomId, NodeId, Op, Val};

/// Conditions that are asked one after the other.
#[derive(Debug)]
pub(super) struct Conditions {
    pub(super) conditions: Box<[NodeId]>,
    /// Where in the memory their candidates are.
    pub(super) words: Range<usize>,
    /// A bit for each that needs no test of an index.
    pub(super) always: Box<[u64]>,
    /// The indexes whose tests the others need.
    pub(super) indexes: Box<[u32]>,
    /// Tests and the conditions that need them, in order.
    needs: Box<[(AtomId, u32)]>,
}

/// Tests of which one, at least, holds if a condition does.
#[derive(Debug)]
struct Guard {
    atoms: Vec<AtomId>,
    /// How much the dearest of them takes.
    cost: u8,
}

impl Conditions {
    /// The guards of conditions; their candidates are in the memory from the word `from` on.
    pub(super) fn new(conditions: &[NodeId], from: usize, compiler: &Compiler<'_>) -> Self {
        let words = conditions.len().div_ceil(64);
        let mut always = vec![0; words];
        let mut needs = Vec::new();
        for (place, condition) in conditions.iter().enumerate() {
            match guard(*condition, compiler) {
                Some(guard) => {
                    let place = u32::try_from(place).unwrap_or(u32::MAX);
                    needs.extend(guard.atoms.iter().map(|atom| (*atom, place)));
                }
                None => {
                    always.iter_mut().skip(place / 64).take(1).for_each(|word: &mut u64| *word |= 1 << (place % 64))
                }
            }
        }
        needs.sort_unstable();
        needs.dedup();
        let mut indexes: Vec<u32> = needs.iter().filter_map(|(atom, _)| compiler.indexes.place(*atom)).collect();
        indexes.sort_unstable();
        indexes.dedup();
        Self {
            conditions: conditions.into(),
            words: from..from + words,
            always: always.into(),
            indexes: indexes.into(),
            needs: needs.into(),
        }
    }

    /// The places of the conditions that need a test.
    pub(super) fn conditions_of(&self, atom: AtomId) -> impl Iterator<Item = u32> {
        let start = self.needs.partition_point(|(other, _)| *other < atom);
        let rest = self.needs.get(start..).unwrap_or_default();
        rest.iter().take_while(move |(other, _)| *other == atom).map(|(_, place)| *place)
    }
}

/// What a condition cannot hold without, the cheapest if there is a choice; nothing if there is nothing.
fn guard(node: NodeId, compiler: &Compiler<'_>) -> Option<Guard> {
    match compiler.op(node)? {
        Op::Atom(atom) => Some(Guard { atoms: vec![*atom], cost: compiler.indexes.kind(*atom)?.cost() }),
        // no test makes it hold
        Op::Literal(Val::Bool(false)) => Some(Guard { atoms: Vec::new(), cost: 0 }),
        Op::And(items) => {
            let guards = items.iter().filter_map(|item| guard(*item, compiler));
            guards.min_by_key(|guard| (guard.cost, guard.atoms.len()))
        }
        Op::Or(items) => {
            let guards = items.iter().map(|item| guard(*item, compiler)).collect::<Option<Vec<_>>>()?;
            let cost = guards.iter().map(|guard| guard.cost).max().unwrap_or(0);
            Some(Guard { atoms: guards.into_iter().flat_map(|guard| guard.atoms).collect(), cost })
        }
        Op::Literal(_)
        | Op::Fact(_)
        | Op::Extension(_)
        | Op::Entries(..)
        | Op::Map(_)
        | Op::AtKey(..)
        | Op::Index { .. }
        | Op::Call { .. }
        | Op::Test { .. }
        | Op::Not { .. }
        | Op::Xor(_)
        | Op::Zip(..) => None,
    }
}
