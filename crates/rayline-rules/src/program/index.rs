//! Tests of one value that are answered together: a thousand comparisons with one field are one look-up.

use std::collections::HashMap;

use ipnet::IpNet;

use crate::ast::{Literal, Operator, Set};
use crate::automaton::{Affixes, Hosts, Literals, Side, Substrings};
use crate::list::{List, ListItems};
use crate::program::node::{AtomId, NodeId};
use crate::radix::{Radix, networks};

/// The tests of one kind of one value.
#[derive(Debug)]
pub(super) struct Index {
    /// A value, or with `any` an array of them.
    pub(super) value: NodeId,
    pub(super) any: bool,
    /// How many tests it answers.
    pub(super) atoms: usize,
    pub(super) answers: Answers,
}

/// How tests are answered.
#[derive(Debug)]
pub(super) enum Answers {
    Affixes(Affixes),
    Substrings(Substrings),
    Hosts(Hosts),
    Addresses(Radix),
}

/// What kind of tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Affix(Side),
    Substring { ignores_case: bool },
    Host,
    Address,
}

impl Kind {
    /// How much it takes to answer, roughly.
    pub(super) fn cost(self) -> u8 {
        match self {
            Self::Affix(_) => 0,
            Self::Address | Self::Host => 2,
            Self::Substring { .. } => 3,
        }
    }
}

/// One test that an index can answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Question {
    pub(super) kind: Kind,
    literals: Vec<Box<[u8]>>,
    networks: Vec<IpNet>,
}

impl Question {
    /// One of these texts.
    pub(super) fn texts(kind: Kind, literals: impl Iterator<Item = Box<[u8]>>) -> Option<Self> {
        let literals: Vec<_> = literals.collect();
        // every text has an empty one in it: that is no question of looking
        let is_empty = kind != Kind::Affix(Side::Both) && literals.iter().any(|literal| literal.is_empty());
        (!is_empty).then_some(Self { kind, literals, networks: Vec::new() })
    }

    fn addresses(networks: impl Iterator<Item = IpNet>) -> Self {
        Self { kind: Kind::Address, literals: Vec::new(), networks: networks.collect() }
    }

    /// Of a comparison, if an index can answer it.
    pub(super) fn compare(operator: Operator, literal: &Literal) -> Option<Self> {
        let kind = match operator {
            Operator::Equal => Kind::Affix(Side::Both),
            Operator::Contains => Kind::Substring { ignores_case: false },
            Operator::NotEqual
            | Operator::Less
            | Operator::LessEqual
            | Operator::Greater
            | Operator::GreaterEqual
            | Operator::Matches
            | Operator::Wildcard
            | Operator::StrictWildcard
            | Operator::BitwiseAnd => return None,
        };
        match literal {
            Literal::Bytes(text) => Self::texts(kind, [text.clone()].into_iter()),
            Literal::Ip(address) if operator == Operator::Equal => {
                Some(Self::addresses([(*address).into()].into_iter()))
            }
            Literal::Ip(_) | Literal::Bool(_) | Literal::Int(_) => None,
        }
    }

    /// Of a set.
    pub(super) fn is_in(set: &Set) -> Option<Self> {
        match set {
            Set::Bytes(texts) => Self::texts(Kind::Affix(Side::Both), texts.iter().cloned()),
            Set::Ip(members) => Some(Self::addresses(members.iter().flat_map(networks))),
            Set::Int(_) => None,
        }
    }

    /// Of a list.
    pub(super) fn is_in_list(list: &List) -> Option<Self> {
        let texts = |kind, texts: &[Box<str>]| Self::texts(kind, texts.iter().map(|text| text.as_bytes().into()));
        match &list.items {
            ListItems::Ip(items) => Some(Self::addresses(items.iter().map(IpNet::trunc))),
            ListItems::Hostname(hosts) => texts(Kind::Host, hosts),
            ListItems::String(all) => texts(Kind::Affix(Side::Both), all),
            ListItems::Asn(_) => None,
        }
    }
}

/// Indexes while their tests are collected.
#[derive(Debug, Default)]
pub(super) struct Indexes {
    collected: Vec<Collected>,
    places: HashMap<(NodeId, bool, Kind), usize>,
    /// The index of each test.
    of_atoms: Vec<u32>,
    known: HashMap<(usize, Question), AtomId>,
}

#[derive(Debug)]
struct Collected {
    value: NodeId,
    any: bool,
    kind: Kind,
    atoms: usize,
    literals: Literals,
    networks: Vec<(IpNet, u32)>,
}

impl Indexes {
    /// Adds a test of a value, or of any of an array's; the same one is the same.
    pub(super) fn add(&mut self, value: NodeId, any: bool, question: Question) -> AtomId {
        let place = *self.places.entry((value, any, question.kind)).or_insert_with(|| {
            let (kind, literals, networks) = (question.kind, Literals::default(), Vec::new());
            self.collected.push(Collected { value, any, kind, atoms: 0, literals, networks });
            self.collected.len() - 1
        });
        if let Some(atom) = self.known.get(&(place, question.clone())) {
            return *atom;
        }
        let number = u32::try_from(self.of_atoms.len()).unwrap_or(u32::MAX);
        self.of_atoms.push(u32::try_from(place).unwrap_or(u32::MAX));
        if let Some(index) = self.collected.get_mut(place) {
            index.atoms += 1;
            question.literals.iter().for_each(|literal| index.literals.add(literal.clone(), number));
            index.networks.extend(question.networks.iter().map(|network| (*network, number)));
        }
        // the items of a long list are not worth keeping twice for the case that it is named twice
        if question.literals.len() + question.networks.len() < 64 {
            self.known.insert((place, question), AtomId(number));
        }
        AtomId(number)
    }

    /// The place of the index that answers a test.
    pub(super) fn place(&self, atom: AtomId) -> Option<u32> {
        self.of_atoms.get(usize::try_from(atom.0).ok()?).copied()
    }

    /// What kind of test it is.
    pub(super) fn kind(&self, atom: AtomId) -> Option<Kind> {
        self.collected.get(usize::try_from(self.place(atom)?).ok()?).map(|index| index.kind)
    }

    /// The indexes, and which of them answers each test.
    pub(super) fn build(self) -> (Box<[Index]>, Box<[u32]>) {
        let build = |Collected { value, any, kind, atoms, literals, networks }| Index {
            value,
            any,
            atoms,
            answers: match kind {
                Kind::Affix(side) => Answers::Affixes(Affixes::new(literals, side)),
                Kind::Substring { ignores_case } => Answers::Substrings(Substrings::new(literals, ignores_case)),
                Kind::Host => Answers::Hosts(Hosts::new(literals)),
                Kind::Address => Answers::Addresses(Radix::new(networks.into_iter())),
            },
        };
        (self.collected.into_iter().map(build).collect(), self.of_atoms.into())
    }
}
