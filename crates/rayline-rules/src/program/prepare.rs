//! What is to be known of an expression before it is compiled: whether its patterns are any, and what it needs.

use crate::ast::{Expr, ExprKind, Literal, Operator};
use crate::eval::source;
use crate::matcher::{Replacement, Wildcard, regex};
use crate::program::Needs;
use crate::scheme::{Function, Stage};
use crate::{ExprProblem, Lists};

/// Looks at every pattern, replacement and list of an expression.
pub(super) fn check(expr: &Expr, lists: &Lists) -> Result<(), ExprProblem> {
    match &expr.kind {
        ExprKind::Compare { operator, right: Literal::Bytes(pattern), .. } => {
            check_pattern(*operator, pattern).map_err(|problem| ExprProblem::new(expr.span.clone(), problem))?;
        }
        ExprKind::InList { list, .. } if lists.get(list).is_none() => {
            return Err(ExprProblem::new(expr.span.clone(), format!("there is no list `${list}`")));
        }
        ExprKind::Call { function, arguments } => check_call(*function, arguments)?,
        ExprKind::Compare { .. }
        | ExprKind::InList { .. }
        | ExprKind::Literal(_)
        | ExprKind::Field(_)
        | ExprKind::Index { .. }
        | ExprKind::In { .. }
        | ExprKind::Not(_)
        | ExprKind::And(_)
        | ExprKind::Xor(_)
        | ExprKind::Or(_) => {}
    }
    parts(expr).iter().try_for_each(|part| check(part, lists))
}

fn check_pattern(operator: Operator, pattern: &[u8]) -> Result<(), String> {
    match operator {
        Operator::Matches => regex(pattern).map(drop),
        Operator::Wildcard => Wildcard::new(pattern, false).map(drop),
        Operator::StrictWildcard => Wildcard::new(pattern, true).map(drop),
        Operator::Equal
        | Operator::NotEqual
        | Operator::Less
        | Operator::LessEqual
        | Operator::Greater
        | Operator::GreaterEqual
        | Operator::Contains
        | Operator::BitwiseAnd => Ok(()),
    }
}

fn check_call(function: Function, arguments: &[Expr]) -> Result<(), ExprProblem> {
    let pattern: fn(&[u8]) -> Result<(), String> = match function {
        Function::RegexReplace => |pattern| regex(pattern).map(drop),
        Function::WildcardReplace => |pattern| Wildcard::new(pattern, true).map(drop),
        _ => return Ok(()),
    };
    let argument = |place: usize| arguments.get(place).and_then(|it| Some((it, literal(it)?)));
    let problem = |expr: &Expr, problem| ExprProblem::new(expr.span.clone(), problem);
    if let Some((expr, text)) = argument(1) {
        pattern(text).map_err(|found| problem(expr, found))?;
    }
    if let Some((expr, text)) = argument(2) {
        Replacement::new(text).map_err(|found| problem(expr, found))?;
    }
    Ok(())
}

/// The text of an argument that is written out.
pub(super) fn literal(expr: &Expr) -> Option<&[u8]> {
    match &expr.kind {
        ExprKind::Literal(Literal::Bytes(text)) => Some(text),
        _ => None,
    }
}

/// What the fields of an expression need.
pub(super) fn needs(expr: &Expr) -> Needs {
    let own = match &expr.kind {
        ExprKind::Field(field) => match source(*field).stage() {
            Stage::Request | Stage::Unknown(_) => Needs::default(),
            Stage::Body => Needs { body: true, response: false },
            Stage::Response => Needs { body: false, response: true },
        },
        _ => Needs::default(),
    };
    parts(expr).iter().fold(own, |needs, part| needs.and(self::needs(part)))
}

/// The expressions that one is made of.
pub(super) fn parts(expr: &Expr) -> &[Expr] {
    match &expr.kind {
        ExprKind::Literal(_) | ExprKind::Field(_) => &[],
        ExprKind::Index { base: part, .. }
        | ExprKind::Compare { left: part, .. }
        | ExprKind::In { value: part, .. }
        | ExprKind::InList { value: part, .. }
        | ExprKind::Not(part) => std::slice::from_ref(part),
        ExprKind::Call { arguments: parts, .. } | ExprKind::And(parts) | ExprKind::Xor(parts) | ExprKind::Or(parts) => {
            parts
        }
    }
}
