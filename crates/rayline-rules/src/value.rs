//! A value of the language while an expression is worked out, and how one is held against a literal.
//!
//! What a field or a function gives is a value; what it cannot give is [`Value::Missing`], which no comparison holds for
//! (Rules language, "Values", on missing values). Types are the checker's: here, a value of a wrong type is missing.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::net::IpAddr;

use crate::ast::{Literal, Operator};

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// No value: a key that is not in the map, a place behind the end of the array, a function that was given none.
    Missing,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// Bytes.
    Bytes(Cow<'a, [u8]>),
    /// An address.
    Ip(IpAddr),
    /// An array.
    Array(Vec<Self>),
    /// A map, in the order of its keys.
    Map(Vec<(Cow<'a, [u8]>, Self)>),
}

impl<'a> Value<'a> {
    /// Text that is this value's own.
    pub(crate) fn text(text: impl Into<Vec<u8>>) -> Self {
        Self::Bytes(Cow::Owned(text.into()))
    }

    /// Whether it is `true`. A missing value is not.
    pub fn is_true(&self) -> bool {
        *self == Self::Bool(true)
    }

    /// The bytes of a text.
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Missing
            | Self::Bool(_)
            | Self::Int(_)
            | Self::Float(_)
            | Self::Ip(_)
            | Self::Array(_)
            | Self::Map(_) => None,
        }
    }

    /// A whole number.
    pub fn int(&self) -> Option<i64> {
        match self {
            Self::Int(int) => Some(*int),
            Self::Missing
            | Self::Bool(_)
            | Self::Float(_)
            | Self::Bytes(_)
            | Self::Ip(_)
            | Self::Array(_)
            | Self::Map(_) => None,
        }
    }

    /// A text in lower case; any other value stays as it is.
    pub(crate) fn make_lower(&mut self) {
        if let Self::Bytes(bytes) = self {
            bytes.to_mut().make_ascii_lowercase();
        }
    }

    /// The entries of an array, or the values of a map.
    pub(crate) fn into_elements(self) -> Option<Vec<Self>> {
        match self {
            Self::Array(elements) => Some(elements),
            Self::Map(entries) => Some(entries.into_iter().map(|(_, value)| value).collect()),
            Self::Missing | Self::Bool(_) | Self::Int(_) | Self::Float(_) | Self::Bytes(_) | Self::Ip(_) => None,
        }
    }
}

impl<'a> From<&'a Literal> for Value<'a> {
    fn from(literal: &'a Literal) -> Self {
        match literal {
            Literal::Bool(value) => Self::Bool(*value),
            Literal::Int(value) => Self::Int(*value),
            Literal::Bytes(value) => Self::Bytes(Cow::Borrowed(value)),
            Literal::Ip(value) => Self::Ip(*value),
        }
    }
}

impl Operator {
    /// Whether two values that stand so to each other satisfy an operator of order.
    pub(crate) fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
            Self::Less => ordering.is_lt(),
            Self::LessEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterEqual => ordering.is_ge(),
            Self::Contains | Self::Matches | Self::Wildcard | Self::StrictWildcard | Self::BitwiseAnd => false,
        }
    }

    /// Whether an address stands so to another one. Those of different families are unequal, and neither is the lesser.
    pub(crate) fn holds_for_addresses(self, left: IpAddr, right: IpAddr) -> bool {
        if left.is_ipv4() == right.is_ipv4() { self.holds(left.cmp(&right)) } else { self == Self::NotEqual }
    }

    /// Whether a number with a fraction stands so to a whole one. What is no number is unequal to every number.
    pub(crate) fn holds_for_fractions(self, left: f64, right: i64) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "a literal beyond 2^53 is held against a fraction: near enough")]
        let ordering = left.partial_cmp(&(right as f64));
        ordering.map_or(self == Self::NotEqual, |ordering| self.holds(ordering))
    }
}
