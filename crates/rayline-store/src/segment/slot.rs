//! The columns of a file: their names, their order, how they are written.

use parquet::basic::{Encoding, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::errors::Result;
use parquet::schema::types::Type;

use crate::chunk::{Chunk, Wanted};
use crate::dimension::{Dimension, Number};

/// One column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Slot {
    /// The time, in nanoseconds since 1970-01-01 UTC.
    At,
    /// How many requests a row stands for.
    Weight,
    /// The Ray ID as a number.
    Ray,
    /// A dimension's value, as text.
    Text(Dimension),
    /// A number.
    Number(Number),
    /// The log's line.
    Line,
}

impl Slot {
    /// Which columns a chunk has, in the order of files.
    pub(crate) fn all_of(chunk: &Chunk) -> Vec<Self> {
        let mut slots = vec![Self::At, Self::Weight];
        slots.extend((!chunk.rays.is_empty()).then_some(Self::Ray));
        slots.extend(
            (Dimension::ALL.into_iter().zip(&chunk.columns))
                .filter_map(|(dimension, column)| column.is_some().then_some(Self::Text(dimension))),
        );
        slots.extend(
            (Number::ALL.into_iter().zip(&chunk.numbers))
                .filter_map(|(number, list)| list.is_some().then_some(Self::Number(number))),
        );
        slots.extend((!chunk.lines.is_empty()).then_some(Self::Line));
        slots
    }

    /// Which columns are asked for, time and weight with them.
    pub(crate) fn all_wanted(wanted: &Wanted) -> Vec<Self> {
        let mut slots = vec![Self::At, Self::Weight];
        slots.extend(wanted.rays.then_some(Self::Ray));
        slots.extend(wanted.dimensions.iter().copied().map(Self::Text));
        slots.extend(wanted.numbers.iter().copied().map(Self::Number));
        slots.extend(wanted.lines.then_some(Self::Line));
        slots
    }

    /// The column's name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::At => "at",
            Self::Weight => "weight",
            Self::Ray => "ray",
            Self::Text(dimension) => dimension.name(),
            Self::Number(number) => number.name(),
            Self::Line => "line",
        }
    }

    /// The column of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::At, Self::Weight, Self::Ray, Self::Line]
            .into_iter()
            .find(|slot| slot.name() == name)
            .or_else(|| Dimension::named(name).map(Self::Text))
            .or_else(|| Number::named(name).map(Self::Number))
    }

    /// The column's type. Nothing is ever null: what is not there is an empty text or zero.
    pub(super) fn schema(self) -> Result<Type> {
        let unsigned = |bits| LogicalType::integer(bits, false);
        let (physical, logical) = match self {
            Self::At => (Physical::INT64, LogicalType::timestamp(true, TimeUnit::NANOS)),
            Self::Weight => (Physical::INT32, unsigned(32)),
            Self::Ray | Self::Number(_) => (Physical::INT64, unsigned(64)),
            Self::Text(_) | Self::Line => (Physical::BYTE_ARRAY, LogicalType::String),
        };
        Type::primitive_type_builder(self.name(), physical)
            .with_repetition(Repetition::REQUIRED)
            .with_logical_type(Some(logical))
            .build()
    }

    /// How it is encoded; `None`: by a dictionary. Times and Ray IDs grow from row to row, and most numbers are small.
    pub(super) const fn encoding(self) -> Option<Encoding> {
        match self {
            Self::At | Self::Ray | Self::Number(_) => Some(Encoding::DELTA_BINARY_PACKED),
            Self::Weight | Self::Text(_) => None,
            Self::Line => Some(Encoding::PLAIN),
        }
    }

    /// Whether the least and the greatest value of a row group are kept: only by these are row groups chosen.
    pub(super) const fn has_bounds(self) -> bool {
        matches!(self, Self::At | Self::Ray | Self::Number(Number::RequestBytes))
    }

    /// Its place among all columns that there can be, in the order of files.
    pub(crate) fn index(self) -> usize {
        match self {
            Self::At => 0,
            Self::Weight => 1,
            Self::Ray => 2,
            Self::Text(dimension) => 3 + dimension.index(),
            Self::Number(number) => 3 + Dimension::ALL.len() + number.index(),
            Self::Line => 3 + Dimension::ALL.len() + Number::ALL.len(),
        }
    }
}
