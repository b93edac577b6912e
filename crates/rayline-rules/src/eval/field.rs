//! The values of fields, those that are made of others too.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

use crate::Facts;
use crate::ast::{Expr, ExprKind};
use crate::facts::Fact;
use crate::function::extension;
use crate::scheme::{Field, Type};
use crate::value::Value;

/// How a field is made of another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Derived {
    /// The keys of a map's entries, one for each.
    Names(Field),
    /// The values of a map's entries.
    Values(Field),
    /// The extension of a path.
    Extension(Field),
}

/// What a derived field is made of.
pub(crate) fn derived(field: Field) -> Option<Derived> {
    Some(match field {
        Field::UriPathExtension => Derived::Extension(Field::UriPath),
        Field::RawUriPathExtension => Derived::Extension(Field::RawUriPath),
        Field::UriArgsNames => Derived::Names(Field::UriArgs),
        Field::UriArgsValues => Derived::Values(Field::UriArgs),
        Field::RawUriArgsNames => Derived::Names(Field::RawUriArgs),
        Field::RawUriArgsValues => Derived::Values(Field::RawUriArgs),
        Field::HeadersNames => Derived::Names(Field::Headers),
        Field::HeadersValues => Derived::Values(Field::Headers),
        Field::BodyFormNames => Derived::Names(Field::BodyForm),
        Field::BodyFormValues => Derived::Values(Field::BodyForm),
        Field::ResponseHeadersNames => Derived::Names(Field::ResponseHeaders),
        Field::ResponseHeadersValues => Derived::Values(Field::ResponseHeaders),
        _ => return None,
    })
}

/// The field that is asked for: the one that this one is made of, or itself.
pub(crate) fn source(field: Field) -> Field {
    match derived(field) {
        Some(Derived::Names(source) | Derived::Values(source) | Derived::Extension(source)) => source,
        None => field,
    }
}

/// Whether the keys of a field are names of header fields, which are the same in any case and lower case here.
pub(crate) fn has_header_names(field: Field) -> bool {
    matches!(field, Field::Headers | Field::ResponseHeaders)
}

/// Whether the keys of an expression's value are names of header fields.
pub(crate) fn ignores_case(base: &Expr) -> bool {
    matches!(base.kind, ExprKind::Field(field) if has_header_names(field))
}

/// The value of a field.
pub(super) fn value<'a>(facts: &'a dyn Facts, field: Field) -> Value<'a> {
    match derived(field) {
        Some(Derived::Extension(path)) => match facts.fact(path) {
            Fact::Bytes(path) => Value::text(extension(path).to_ascii_lowercase()),
            Fact::Nothing | Fact::Bool(_) | Fact::Int(_) | Fact::Float(_) | Fact::Ip(_) => Value::Missing,
        },
        Some(Derived::Names(map)) => {
            let lower = has_header_names(map);
            array(facts, map, |name, _| Value::text(if lower { name.to_ascii_lowercase() } else { name.to_vec() }))
        }
        Some(Derived::Values(map)) => array(facts, map, |_, value| Value::text(value)),
        None => match field.of_type() {
            Type::Array(_) => array(facts, field, |_, value| Value::text(value)),
            Type::Map(_) => map(facts, field),
            Type::Bool | Type::Int | Type::Float | Type::Bytes | Type::Ip => match facts.fact(field) {
                Fact::Nothing => Value::Missing,
                Fact::Bool(value) => Value::Bool(value),
                Fact::Int(value) => Value::Int(value),
                Fact::Float(value) => Value::Float(value),
                Fact::Bytes(value) => Value::Bytes(Cow::Borrowed(value)),
                Fact::Ip(value) => Value::Ip(value),
            },
        },
    }
}

fn array<'a>(facts: &dyn Facts, field: Field, element: impl Fn(&[u8], &[u8]) -> Value<'a>) -> Value<'a> {
    let mut elements = Vec::new();
    facts.entries(field, &mut |key, value| {
        elements.push(element(key, value));
        ControlFlow::Continue(())
    });
    Value::Array(elements)
}

/// A map from names to the array of their values.
fn map<'a>(facts: &dyn Facts, field: Field) -> Value<'a> {
    let lower = has_header_names(field);
    let mut entries: BTreeMap<Vec<u8>, Vec<Value<'a>>> = BTreeMap::new();
    facts.entries(field, &mut |key, value| {
        let key = if lower { key.to_ascii_lowercase() } else { key.to_vec() };
        entries.entry(key).or_default().push(Value::text(value));
        ControlFlow::Continue(())
    });
    Value::Map(entries.into_iter().map(|(key, values)| (Cow::Owned(key), Value::Array(values))).collect())
}
