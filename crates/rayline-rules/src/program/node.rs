//! What a program is made of: nodes, each a part of some expression, which name others by their place.

use std::net::IpAddr;

use crate::ast::Index;
use crate::function::UrlDecode;
use crate::matcher::{Replacement, Wildcard};
use crate::program::test::Test;
use crate::scheme::{Field, Function};

/// The place of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct NodeId(pub(super) u32);

/// The number of a test that an index answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct AtomId(pub(super) u32);

/// A part of an expression.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) op: Op,
    /// Its place in the memory, if what it is worth is kept for the request.
    pub(super) slot: Option<u32>,
}

/// What a node does.
#[derive(Debug)]
pub(super) enum Op {
    /// Gives a value.
    Literal(Val),
    /// Asks for a field that is neither an array nor a map.
    Fact(Field),
    /// Asks for the path that a field is the extension of.
    Extension(Field),
    /// Asks for the keys (in lower case, or as they are) or the values of a field's entries.
    Entries(Field, Part),
    /// Asks for a whole map.
    Map(Field),
    /// Asks for the values of one key of a map.
    AtKey(Field, Box<[u8]>),
    /// Takes an entry, of each element if so marked.
    Index { base: NodeId, index: Index, each: bool, ignores_case: bool },
    /// Calls a function, for each element of the first argument if so marked.
    Call { call: Call, each: bool },
    /// Holds a test to a value, or to each element.
    Test { value: NodeId, test: Test, each: bool },
    /// Asks an index for the answer of a test.
    Atom(AtomId),
    /// The opposite, of each element if so marked.
    Not { inner: NodeId, each: bool },
    /// All of these.
    And(Box<[NodeId]>),
    /// One of these.
    Or(Box<[NodeId]>),
    /// An odd number of these.
    Xor(Box<[NodeId]>),
    /// These arrays of truth values combined place by place.
    Zip(Logic, Box<[NodeId]>),
}

/// What of a field's entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Keys as they are.
    Keys,
    /// Keys in lower case.
    LowerKeys,
    /// Values.
    Values,
}

/// How arrays of truth values are combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Logic {
    And,
    Or,
    Xor,
}

impl Logic {
    pub(super) fn of(self, left: bool, right: bool) -> bool {
        match self {
            Self::And => left && right,
            Self::Or => left || right,
            Self::Xor => left ^ right,
        }
    }
}

/// A function with its arguments.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) function: Function,
    pub(super) first: NodeId,
    pub(super) rest: Box<[NodeId]>,
    pub(super) prepared: Prepared,
}

/// What of a call's arguments is written out, and was prepared when it was compiled.
#[derive(Debug)]
pub(super) enum Prepared {
    /// Nothing.
    Nothing,
    /// `regex_replace`.
    Regex(Box<regex::bytes::Regex>, Replacement),
    /// `wildcard_replace`.
    Wildcard(Box<Wildcard>, Replacement),
    /// `url_decode`.
    UrlDecode(UrlDecode),
    /// `has_key`, and `has_value` with a text, of a field: looked for among its entries.
    Entry(Field, Part, Box<[u8]>),
}

/// A value, whose bytes and elements are elsewhere.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Val {
    Missing,
    Bool(bool),
    Int(i64),
    Float(f64),
    Ip(IpAddr),
    Text(Text),
    /// Elements in the memory.
    Array(Span),
    /// Keys and values in turn, in the memory, in the order of the keys.
    Map(Span),
}

/// Where the bytes of a text are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Text {
    /// With the request: its field.
    Fact(Field),
    /// With the program: written out in an expression.
    Const(u32),
    /// In the memory.
    Kept(Span),
}

/// A stretch of the memory.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) len: u32,
}

impl Span {
    /// Up to where there is something now; nothing if that is too much to count.
    pub(super) fn from(start: usize, end: usize) -> Option<Self> {
        Some(Self { start: u32::try_from(start).ok()?, len: u32::try_from(end.checked_sub(start)?).ok()? })
    }

    /// Its places.
    pub(super) fn range(self) -> std::ops::Range<usize> {
        let start = usize::try_from(self.start).unwrap_or(usize::MAX);
        start..start.saturating_add(usize::try_from(self.len).unwrap_or(0))
    }
}
