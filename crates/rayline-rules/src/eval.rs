//! What an expression is worth for a request, worked out from its tree, plainly.
//!
//! This is the meaning of the language in one place: [`crate::program`] does the same much faster and is tested against
//! it, and `rayline rules test` explains with it, since it can value every part of an expression. It makes no haste: it
//! copies, and compiles a regular expression each time it meets one.

mod call;
mod field;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::net::IpAddr;

use crate::ast::{Expr, ExprKind, Index, IpMember, Literal, Operator, Set};
use crate::list::{List, ListItems};
use crate::matcher::{Wildcard, regex};
use crate::scheme::Function;
use crate::value::Value;
use crate::{Facts, Lists};

pub(crate) use field::{Derived, derived, has_header_names, ignores_case, source};

/// Values expressions for one request.
#[derive(Clone, Copy)]
pub struct Evaluator<'a> {
    facts: &'a dyn Facts,
    lists: &'a Lists,
}

impl std::fmt::Debug for Evaluator<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Evaluator").field("lists", &self.lists).finish_non_exhaustive()
    }
}

impl<'a> Evaluator<'a> {
    /// For a request, with the lists that expressions may name.
    pub fn new(facts: &'a dyn Facts, lists: &'a Lists) -> Self {
        Self { facts, lists }
    }

    /// Whether a condition holds.
    pub fn is_true(self, condition: &Expr) -> bool {
        self.value(condition).is_true()
    }

    /// What an expression, or a part of one, is worth. A comparison over `[*]` is worth an array of truth values.
    pub fn value(self, expr: &Expr) -> Value<'a> {
        match &expr.kind {
            ExprKind::Literal(literal) => owned(literal),
            ExprKind::Field(field) => field::value(self.facts, *field),
            ExprKind::Index { base, index } => self.index(base, index),
            ExprKind::Call { function, arguments } => self.call(*function, arguments),
            ExprKind::Compare { left, operator, right } => self.each(left, |value| compare(value, *operator, right)),
            ExprKind::In { value, set } => self.each(value, |value| is_in(value, set)),
            ExprKind::InList { value, list } => {
                let list = self.lists.get(list);
                self.each(value, |value| list.is_some_and(|list| is_in_list(value, list)))
            }
            ExprKind::Not(inner) => match self.truth(inner) {
                Truth::One(value) => Value::Bool(!value),
                Truth::Each(values) => Value::Array(values.into_iter().map(|value| Value::Bool(!value)).collect()),
            },
            ExprKind::And(items) => self.combine(items, |left, right| left && right),
            ExprKind::Xor(items) => self.combine(items, |left, right| left ^ right),
            ExprKind::Or(items) => self.combine(items, |left, right| left || right),
        }
    }

    /// Holds a test to a value, or to each of them where it is marked so.
    fn each(self, expr: &Expr, test: impl Fn(&Value<'a>) -> bool) -> Value<'a> {
        let value = self.value(expr);
        if !is_each(expr) {
            return Value::Bool(test(&value));
        }
        let elements = value.into_elements().unwrap_or_default();
        Value::Array(elements.iter().map(|element| Value::Bool(test(element))).collect())
    }

    /// An expression in the place of a truth value, or of an array of them. What is missing is false, or an empty array.
    fn truth(self, expr: &Expr) -> Truth {
        let value = self.value(expr);
        if !is_truths(expr) {
            return Truth::One(value.is_true());
        }
        let elements = value.into_elements().unwrap_or_default();
        Truth::Each(elements.iter().map(Value::is_true).collect())
    }

    /// Arrays are combined place by place, as far as the shortest goes.
    fn combine(self, items: &[Expr], with: impl Fn(bool, bool) -> bool) -> Value<'a> {
        let mut items = items.iter().map(|item| self.truth(item));
        let Some(first) = items.next() else { return Value::Missing };
        let all = items.fold(first, |left, right| match (left, right) {
            (Truth::One(left), Truth::One(right)) => Truth::One(with(left, right)),
            (Truth::Each(left), Truth::Each(right)) => {
                Truth::Each(left.into_iter().zip(right).map(|(left, right)| with(left, right)).collect())
            }
            (Truth::One(_), Truth::Each(_)) | (Truth::Each(_), Truth::One(_)) => Truth::One(false),
        });
        match all {
            Truth::One(value) => Value::Bool(value),
            Truth::Each(values) => Value::Array(values.into_iter().map(Value::Bool).collect()),
        }
    }

    /// `base[index]`. Behind a `[*]`, it is done to each, and those that have no such entry are left out.
    fn index(self, base: &Expr, index: &Index) -> Value<'a> {
        let value = self.value(base);
        let ignores_case = field::ignores_case(base);
        if !is_each(base) {
            return entry(value, index, ignores_case);
        }
        let Some(elements) = value.into_elements() else { return Value::Missing };
        let entries = elements.into_iter().map(|element| entry(element, index, ignores_case));
        let entries = entries.filter(|entry| *entry != Value::Missing);
        if *index == Index::Each {
            return Value::Array(entries.filter_map(Value::into_elements).flatten().collect());
        }
        Value::Array(entries.collect())
    }

    /// A call. With a `[*]` in its first argument it is done for each, and those that give nothing are left out.
    fn call(self, function: Function, arguments: &[Expr]) -> Value<'a> {
        let Some((first, rest)) = arguments.split_first() else { return Value::Missing };
        let first_value = self.value(first);
        let mut rest: Vec<Value<'a>> = rest.iter().map(|argument| self.value(argument)).collect();
        if function == Function::HasKey && field::ignores_case(first) {
            rest.iter_mut().for_each(Value::make_lower);
        }
        if !is_each(first) || matches!(function, Function::Any | Function::All) {
            return call::value(function, first_value, &rest);
        }
        let Some(elements) = first_value.into_elements() else { return Value::Missing };
        let results = elements.into_iter().map(|element| call::value(function, element, &rest));
        Value::Array(results.filter(|result| *result != Value::Missing).collect())
    }
}

enum Truth {
    One(bool),
    Each(Vec<bool>),
}

/// A literal's value, which outlives the expression.
fn owned<'a>(literal: &Literal) -> Value<'a> {
    match literal {
        Literal::Bool(value) => Value::Bool(*value),
        Literal::Int(value) => Value::Int(*value),
        Literal::Bytes(value) => Value::Bytes(Cow::Owned(value.to_vec())),
        Literal::Ip(value) => Value::Ip(*value),
    }
}

/// Whether what is done with this value is done with each of its elements: there is a `[*]` among its indices.
pub(crate) fn is_each(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Index { base, index } => *index == Index::Each || is_each(base),
        ExprKind::Literal(_)
        | ExprKind::Field(_)
        | ExprKind::Call { .. }
        | ExprKind::Compare { .. }
        | ExprKind::In { .. }
        | ExprKind::InList { .. }
        | ExprKind::Not(_)
        | ExprKind::And(_)
        | ExprKind::Xor(_)
        | ExprKind::Or(_) => false,
    }
}

/// Whether an expression in the place of a truth value is an array of them.
pub(crate) fn is_truths(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Literal(_) | ExprKind::Field(_) => false,
        ExprKind::Index { .. } => is_each(expr),
        ExprKind::Call { function, arguments } => {
            !matches!(function, Function::Any | Function::All) && arguments.first().is_some_and(is_each)
        }
        ExprKind::Compare { left: value, .. } | ExprKind::In { value, .. } | ExprKind::InList { value, .. } => {
            is_each(value)
        }
        ExprKind::Not(inner) => is_truths(inner),
        ExprKind::And(items) | ExprKind::Xor(items) | ExprKind::Or(items) => items.first().is_some_and(is_truths),
    }
}

/// The entry of an array or a map; every one of them is the same array or map.
fn entry<'a>(value: Value<'a>, index: &Index, ignores_case: bool) -> Value<'a> {
    match (index, value) {
        (Index::Each, value @ (Value::Array(_) | Value::Map(_))) => {
            value.into_elements().map_or(Value::Missing, Value::Array)
        }
        (Index::Place(place), Value::Array(mut elements)) => {
            let place = usize::try_from(*place).unwrap_or(usize::MAX);
            if place < elements.len() { elements.swap_remove(place) } else { Value::Missing }
        }
        (Index::Key(key), Value::Map(entries)) => {
            let is_key = |name: &[u8]| is_name(name, key.as_bytes(), ignores_case);
            entries.into_iter().find(|(name, _)| is_key(name)).map_or(Value::Missing, |(_, value)| value)
        }
        (Index::Each | Index::Place(_) | Index::Key(_), _) => Value::Missing,
    }
}

/// Whether this is the name of a key; names of header fields are the same in any case.
pub(crate) fn is_name(name: &[u8], key: &[u8], ignores_case: bool) -> bool {
    if ignores_case { name.eq_ignore_ascii_case(key) } else { name == key }
}

/// Whether a value stands so to a literal. Nothing holds of a missing value, not even that it differs.
fn compare(value: &Value<'_>, operator: Operator, right: &Literal) -> bool {
    match (value, right) {
        (Value::Bool(left), Literal::Bool(right)) => operator.holds(left.cmp(right)),
        (Value::Int(left), Literal::Int(right)) if operator == Operator::BitwiseAnd => left & right != 0,
        (Value::Int(left), Literal::Int(right)) => operator.holds(left.cmp(right)),
        (Value::Float(left), Literal::Int(right)) => operator.holds_for_fractions(*left, *right),
        (Value::Ip(left), Literal::Ip(right)) => operator.holds_for_addresses(*left, *right),
        (Value::Bytes(left), Literal::Bytes(right)) => compare_bytes(left, operator, right),
        (
            Value::Missing
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Float(_)
            | Value::Bytes(_)
            | Value::Ip(_)
            | Value::Array(_)
            | Value::Map(_),
            Literal::Bool(_) | Literal::Int(_) | Literal::Bytes(_) | Literal::Ip(_),
        ) => false,
    }
}

fn compare_bytes(left: &[u8], operator: Operator, right: &[u8]) -> bool {
    let wildcard = |strict| Wildcard::new(right, strict).is_ok_and(|it| it.is_match(left, &mut Vec::new()));
    match operator {
        Operator::Contains => memchr::memmem::find(left, right).is_some(),
        Operator::Matches => regex(right).is_ok_and(|regex| regex.is_match(left)),
        Operator::Wildcard => wildcard(false),
        Operator::StrictWildcard => wildcard(true),
        Operator::Equal
        | Operator::NotEqual
        | Operator::Less
        | Operator::LessEqual
        | Operator::Greater
        | Operator::GreaterEqual
        | Operator::BitwiseAnd => operator.holds(left.cmp(right)),
    }
}

fn is_in(value: &Value<'_>, set: &Set) -> bool {
    match (value, set) {
        (Value::Int(value), Set::Int(ranges)) => ranges.iter().any(|range| range.contains(value)),
        (Value::Bytes(value), Set::Bytes(members)) => members.iter().any(|member| **member == **value),
        (Value::Ip(value), Set::Ip(members)) => members.iter().any(|member| holds_address(member, *value)),
        (
            Value::Missing
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Float(_)
            | Value::Bytes(_)
            | Value::Ip(_)
            | Value::Array(_)
            | Value::Map(_),
            Set::Int(_) | Set::Bytes(_) | Set::Ip(_),
        ) => false,
    }
}

fn holds_address(member: &IpMember, address: IpAddr) -> bool {
    match member {
        IpMember::Network(network) => network.contains(&address),
        IpMember::Range(first, last) => {
            let is_of_family = [first, last].iter().all(|end| end.is_ipv4() == address.is_ipv4());
            is_of_family && *first <= address && address <= *last
        }
    }
}

fn is_in_list(value: &Value<'_>, list: &List) -> bool {
    match (value, &list.items) {
        (Value::Ip(value), ListItems::Ip(networks)) => networks.iter().any(|network| network.contains(value)),
        (Value::Int(value), ListItems::Asn(numbers)) => numbers.iter().any(|number| i64::from(*number) == *value),
        (Value::Bytes(value), ListItems::String(texts)) => texts.iter().any(|text| text.as_bytes() == &**value),
        (Value::Bytes(value), ListItems::Hostname(hosts)) => hosts.iter().any(|host| is_host(value, host.as_bytes())),
        (
            Value::Missing
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Float(_)
            | Value::Bytes(_)
            | Value::Ip(_)
            | Value::Array(_)
            | Value::Map(_),
            ListItems::Ip(_) | ListItems::Asn(_) | ListItems::String(_) | ListItems::Hostname(_),
        ) => false,
    }
}

/// Whether a host name is the item of a list: that name, or for `*.example.com` any name below it, in any case.
fn is_host(value: &[u8], item: &[u8]) -> bool {
    let Some(suffix) = item.strip_prefix(b"*").filter(|suffix| suffix.starts_with(b".")) else {
        return value.eq_ignore_ascii_case(item);
    };
    let start = value.len().checked_sub(suffix.len()).filter(|start| *start > 0);
    start.and_then(|start| value.get(start..)).is_some_and(|tail| tail.eq_ignore_ascii_case(suffix))
}
