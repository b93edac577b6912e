//! An expression as it was read: names resolved, types right, the places of its parts kept.
//!
//! Printing one and reading it again gives the same, places apart.

use std::net::IpAddr;
use std::ops::{Range, RangeInclusive};

use ipnet::IpNet;

use crate::scheme::{Field, Function};

/// An expression, or a part of one.
#[derive(Debug, Clone)]
pub struct Expr {
    /// Bytes of the text.
    pub span: Range<usize>,
    /// What it is.
    pub kind: ExprKind,
}

/// Two expressions are the same if they say the same, wherever it was written.
impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

/// The kinds of expression.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// A value written out.
    Literal(Literal),
    /// A field.
    Field(Field),
    /// `base[0]`, `base["key"]`, `base[*]`.
    Index {
        /// An array or a map.
        base: Box<Expr>,
        /// Which of its entries.
        index: Index,
    },
    /// `lower(http.host)`.
    Call {
        /// The function.
        function: Function,
        /// What it is given, as many and of such types as it takes.
        arguments: Vec<Expr>,
    },
    /// `http.host eq "example.com"`.
    Compare {
        /// A value that is not an array or a map, or one element of each (`[*]`).
        left: Box<Expr>,
        /// How.
        operator: Operator,
        /// What it is held against, of the type that goes with it.
        right: Literal,
    },
    /// `ip.src in {192.0.2.0/24 2001:db8::/32}`.
    In {
        /// The value.
        value: Box<Expr>,
        /// The set.
        set: Set,
    },
    /// `ip.src in $office`.
    InList {
        /// The value.
        value: Box<Expr>,
        /// The list's name, without the `$`; it exists and holds what the value is.
        list: Box<str>,
    },
    /// `not ssl`.
    Not(Box<Expr>),
    /// `a and b and c`: two or more.
    And(Vec<Expr>),
    /// `a xor b`: two or more.
    Xor(Vec<Expr>),
    /// `a or b`: two or more.
    Or(Vec<Expr>),
}

/// A value written out.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Literal {
    /// `true`, `false`.
    Bool(bool),
    /// `443`.
    Int(i64),
    /// A text: between quotes, raw, or bytes as `61:62:63`. Which of them is not kept.
    Bytes(Box<[u8]>),
    /// `192.0.2.1`.
    Ip(IpAddr),
}

/// What stands between brackets.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Index {
    /// The place in an array, from 0.
    Place(u32),
    /// The key of a map.
    Key(Box<str>),
    /// Each of them.
    Each,
}

/// How two values are held against each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `eq`, `==`.
    Equal,
    /// `ne`, `!=`.
    NotEqual,
    /// `lt`, `<`.
    Less,
    /// `le`, `<=`.
    LessEqual,
    /// `gt`, `>`.
    Greater,
    /// `ge`, `>=`.
    GreaterEqual,
    /// `contains`: the text has this one in it.
    Contains,
    /// `matches`, `~`: a regular expression, searched for.
    Matches,
    /// `wildcard`: the whole text, `*` stands for any characters, case ignored.
    Wildcard,
    /// `strict wildcard`: the same with case.
    StrictWildcard,
    /// `&`: some bit of both is set.
    BitwiseAnd,
}

/// What stands between braces: members of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Set {
    /// Numbers and ranges, `{80 443 8000..8999}`.
    Int(Vec<RangeInclusive<i64>>),
    /// Texts.
    Bytes(Vec<Box<[u8]>>),
    /// Addresses, networks and ranges of addresses.
    Ip(Vec<IpMember>),
}

/// A member of a set of addresses.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum IpMember {
    /// A network; an address is a network of one.
    Network(IpNet),
    /// `192.0.2.1..192.0.2.9`, of one family, both included.
    Range(IpAddr, IpAddr),
}
