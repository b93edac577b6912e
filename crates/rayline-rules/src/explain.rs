//! Why an expression is true or false of a request: what each of its parts is worth.
//!
//! Values are the request's own. Nothing is masked: this is for whoever has the request anyway. What is long is cut.

use serde::Serialize;
use serde_json::Value as Json;

use crate::ast::{Expr, ExprKind, Index};
use crate::eval::Evaluator;
use crate::value::Value;
use crate::{Facts, Lists};

/// Characters of a text that are shown.
const SHOWN_CHARACTERS: usize = 256;

/// Entries of an array or a map that are shown.
const SHOWN_ENTRIES: usize = 24;

/// A part of an expression and what it is worth.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Term {
    /// The part, as it is printed.
    pub text: String,
    /// Whether it had to be looked at: what follows a false part of an `and`, or a true one of an `or`, changes nothing.
    pub reached: bool,
    /// What it is worth: `null` if it was not reached, or if there is nothing, as of a header field that did not come.
    pub value: Json,
    /// What it is made of, as far as that depends on the request.
    pub parts: Vec<Self>,
}

/// What an expression and its parts are worth for a request.
pub fn explain(expr: &Expr, facts: &dyn Facts, lists: &Lists) -> Term {
    term(expr, Evaluator::new(facts, lists))
}

fn term(expr: &Expr, evaluator: Evaluator<'_>) -> Term {
    let parts = match &expr.kind {
        ExprKind::And(parts) => until(parts, Some(false), evaluator),
        ExprKind::Or(parts) => until(parts, Some(true), evaluator),
        ExprKind::Xor(parts) => until(parts, None, evaluator),
        ExprKind::Call { arguments, .. } => {
            arguments.iter().filter(|argument| depends(argument)).map(|argument| term(argument, evaluator)).collect()
        }
        ExprKind::Not(inner)
        | ExprKind::Compare { left: inner, .. }
        | ExprKind::In { value: inner, .. }
        | ExprKind::InList { value: inner, .. } => vec![term(inner, evaluator)],
        // the whole field is not shown for one of its entries
        ExprKind::Index { base, .. } => called(base).map(|call| vec![term(call, evaluator)]).unwrap_or_default(),
        ExprKind::Literal(_) | ExprKind::Field(_) => Vec::new(),
    };
    Term { text: expr.to_string(), reached: true, value: shown(&evaluator.value(expr)), parts }
}

/// The parts up to the one that decides.
fn until(parts: &[Expr], deciding: Option<bool>, evaluator: Evaluator<'_>) -> Vec<Term> {
    let mut decided = false;
    let each = |part| {
        if decided {
            return not_reached(part);
        }
        let term = term(part, evaluator);
        decided = deciding.is_some_and(|deciding| term.value == Json::Bool(deciding));
        term
    };
    parts.iter().map(each).collect()
}

fn not_reached(expr: &Expr) -> Term {
    Term { text: expr.to_string(), reached: false, value: Json::Null, parts: Vec::new() }
}

/// Whether it is not written out.
fn depends(expr: &Expr) -> bool {
    !matches!(expr.kind, ExprKind::Literal(_))
}

/// The call whose result is indexed, if it is one.
fn called(base: &Expr) -> Option<&Expr> {
    match &base.kind {
        ExprKind::Call { .. } => Some(base),
        ExprKind::Index { base, index: Index::Each | Index::Key(_) | Index::Place(_) } => called(base),
        _ => None,
    }
}

/// A value as JSON, cut to what a person reads.
fn shown(value: &Value<'_>) -> Json {
    match value {
        Value::Missing => Json::Null,
        Value::Bool(value) => Json::from(*value),
        Value::Int(value) => Json::from(*value),
        Value::Float(value) => Json::from(*value),
        Value::Ip(value) => Json::from(value.to_string()),
        Value::Bytes(bytes) => Json::from(cut(&String::from_utf8_lossy(bytes))),
        Value::Array(elements) => {
            let rest = elements.len().saturating_sub(SHOWN_ENTRIES);
            let more = (rest > 0).then(|| Json::from(more(rest)));
            elements.iter().take(SHOWN_ENTRIES).map(shown).chain(more).collect()
        }
        Value::Map(entries) => {
            let rest = entries.len().saturating_sub(SHOWN_ENTRIES);
            let more = (rest > 0).then(|| ("…".to_owned(), Json::from(more(rest))));
            let entries = entries.iter().take(SHOWN_ENTRIES);
            entries.map(|(key, value)| (cut(&String::from_utf8_lossy(key)), shown(value))).chain(more).collect()
        }
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARACTERS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn more(rest: usize) -> String {
    format!("… and {rest} more")
}
