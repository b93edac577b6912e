//! Whether types fit, and what to write where they do not.

use std::ops::Range;

use crate::ast::{ExprKind, Index, Literal, Operator};
use crate::function_signatures::{Kind, Source};
use crate::matcher::{Replacement, Wildcard, regex};
use crate::problem::ExprProblem;
use crate::scheme::{Field, Function, Type};

use super::Typed;
use super::value::is_literal;

/// A rule's expression is true or false.
pub(super) fn condition(typed: &Typed, text: &str) -> Result<(), ExprProblem> {
    let written = text.get(typed.span()).unwrap_or_default();
    if is_literal(&typed.expr) && typed.of != Type::Bool {
        return Err(ExprProblem::new(typed.span(), format!("{} alone is no condition", typed.of))
            .hint("begin with what it is compared with, as in `http.host eq \"example.com\"`"));
    }
    logical(typed, written)?;
    match typed.of == Type::Bool {
        true => Ok(()),
        false => Err(ExprProblem::new(typed.span(), "this is true or false for each element, not once")
            .hint(format!("write `any({written})` or `all({written})`"))),
    }
}

/// A value is one value.
pub(super) fn unpacked(typed: &Typed, text: &str) -> Result<(), ExprProblem> {
    match typed.each {
        true => {
            Err(ExprProblem::new(typed.span(), "`[*]` gives many values, where one is needed").hint(match typed.of {
                Type::Bytes => format!("leave out the `[*]`, and join them: `join({}, \", \")`", packed(typed, text)),
                _ => "take one of them, as with `[0]`".to_owned(),
            }))
        }
        false => Ok(()),
    }
}

/// The text of a value without its last `[*]`.
fn packed<'a>(typed: &Typed, text: &'a str) -> &'a str {
    match &typed.expr.kind {
        ExprKind::Index { base, index: Index::Each } => text.get(base.span.clone()).unwrap_or_default(),
        _ => text.get(typed.span()).unwrap_or_default(),
    }
}

/// What `not`, `and`, `xor` and `or` take.
pub(super) fn operand(typed: &Typed, written: &str, word: &str) -> Result<(), ExprProblem> {
    logical(typed, written).map_err(|problem| match is_literal(&typed.expr) {
        true => ExprProblem::new(problem.span, format!("{} is no condition for `{word}`", typed.of))
            .hint("write a whole comparison on either side, as in `http.host eq \"a\" or http.host eq \"b\"`"),
        false => problem,
    })
}

/// Whether it is a condition, for one or for each.
fn logical(typed: &Typed, written: &str) -> Result<(), ExprProblem> {
    if typed.is_logical() {
        return Ok(());
    }
    let problem = ExprProblem::new(
        typed.span(),
        match typed.each {
            true => format!("`{written}` is many values, not true or false"),
            false => format!("`{written}` is {}, not true or false", typed.of),
        },
    );
    Err(problem.hint(match (typed.each, typed.of) {
        (false, Type::Bytes) => format!("compare it: `{written} eq \"…\"`"),
        (false, Type::Int | Type::Float) => format!("compare it: `{written} eq 1`"),
        (false, Type::Ip) => format!("compare it: `{written} eq 192.0.2.1`"),
        (true, _) => format!("compare them: `any({written} eq \"…\")`"),
        (false, Type::Array(_)) => format!("compare its elements: `any({written}[*] eq \"…\")`"),
        (false, Type::Map(_)) => format!("ask for a key: `has_key({written}, \"…\")`"),
        (false, Type::Bool) => "compare it".to_owned(),
    }))
}

/// All that `and`, `xor` and `or` combine is once true or false, or for each element.
pub(super) fn alike(next: &Typed, of: Type, word: &str) -> Result<(), ExprProblem> {
    match next.of == of {
        true => Ok(()),
        false => {
            let (this, other) = match next.of {
                Type::Bool => ("once", "for each element"),
                _ => ("for each element", "once"),
            };
            Err(ExprProblem::new(
                next.span(),
                format!("this is true or false {this}, what stands before `{word}` is so {other}"),
            )
            .hint("put `any(…)` or `all(…)` around the comparison with `[*]` alone"))
        }
    }
}

/// Whether a value can be compared that way.
pub(super) fn comparable(
    left: &Typed,
    operator: Operator,
    written: &str,
    span: Range<usize>,
    value: &str,
) -> Result<(), ExprProblem> {
    scalar(left, value)?;
    if is_literal(&left.expr) {
        return Err(ExprProblem::new(
            left.span(),
            "the field stands before the operator, what is written out behind it",
        )
        .hint(format!("write `… {written} {value}`")));
    }
    let equality = matches!(operator, Operator::Equal | Operator::NotEqual);
    let order = matches!(operator, Operator::Less | Operator::LessEqual | Operator::Greater | Operator::GreaterEqual);
    let fits = match left.of {
        Type::Bytes => operator != Operator::BitwiseAnd,
        Type::Int => equality || order || operator == Operator::BitwiseAnd,
        Type::Ip | Type::Bool => equality,
        Type::Float | Type::Array(_) | Type::Map(_) => false,
    };
    if fits {
        return Ok(());
    }
    let problem = ExprProblem::new(span, format!("`{written}` does not go with {}", left.of));
    Err(match left.of {
        Type::Ip if order => problem.hint(format!("write a range: `{value} in {{192.0.2.1..192.0.2.9}}`")),
        Type::Ip => problem.hint(format!("write networks: `{value} in {{192.0.2.0/24}}`")),
        Type::Int => problem.hint(format!("write `{value} eq 1`, or `{value} in {{1 2}}`")),
        Type::Bool => problem.hint(format!("write `{value}`, or `not {value}`")),
        Type::Bytes => problem.hint("`&` looks at the bits of numbers; write `and` between two conditions"),
        Type::Float | Type::Array(_) | Type::Map(_) => problem,
    })
}

/// Whether a value can be looked for in a set or a list.
pub(super) fn searchable(value: &Typed, span: &Range<usize>, written: &str) -> Result<(), ExprProblem> {
    scalar(value, written)?;
    if is_literal(&value.expr) {
        return Err(ExprProblem::new(value.span(), "what stands before `in` is a field, or made of one")
            .hint(format!("to look into an array, write `any(http.request.headers.names[*] eq {written})`")));
    }
    match value.of {
        Type::Bytes | Type::Int | Type::Ip => Ok(()),
        Type::Bool | Type::Float | Type::Array(_) | Type::Map(_) => {
            Err(ExprProblem::new(span.clone(), format!("`in` does not go with {}", value.of))
                .hint(format!("write `{written}`, or `not {written}`")))
        }
    }
}

/// Arrays and maps are compared by their elements.
fn scalar(value: &Typed, written: &str) -> Result<(), ExprProblem> {
    let problem = || ExprProblem::new(value.span(), format!("`{written}` is {}, and has no single value", value.of));
    match value.of {
        Type::Bool | Type::Int | Type::Float | Type::Bytes | Type::Ip => Ok(()),
        Type::Array(_) => Err(problem().hint(format!("write `any({written}[*] …)`, or take one: `{written}[0]`"))),
        Type::Map(_) => Err(problem().hint(format!("write `{written}[\"name\"]` for the entry of a key"))),
    }
}

/// The type behind an index.
pub(super) fn indexed(base: &Typed, index: &Index, brackets: Range<usize>, written: &str) -> Result<Type, ExprProblem> {
    match (base.of, index) {
        (Type::Array(of), Index::Place(_) | Index::Each) | (Type::Map(of), Index::Key(_) | Index::Each) => Ok(*of),
        (Type::Array(_), Index::Key(_)) => {
            Err(ExprProblem::new(brackets, format!("`{written}` is an array, and has no keys"))
                .hint("write a place, counted from 0, or `[*]`"))
        }
        (Type::Map(_), Index::Place(place)) => {
            Err(ExprProblem::new(brackets, format!("`{written}` is a map, and its entries have no places"))
                .hint(format!("write a key: `{written}[\"name\"][{place}]`")))
        }
        (Type::Bool, _) => Err(ExprProblem::new(brackets, format!("`{written}` has no elements"))),
        (of @ (Type::Int | Type::Float | Type::Bytes | Type::Ip), _) => {
            Err(ExprProblem::new(brackets, format!("`{written}` is {of}, and has no elements")).hint(match of {
                Type::Bytes => "`substring` gives a part of a text",
                _ => "leave out the brackets",
            }))
        }
    }
}

/// The array that a function gives that is called for each element.
pub(super) fn array_of(of: Type, span: &Range<usize>) -> Result<Type, ExprProblem> {
    match of {
        Type::Bool => Ok(Type::Array(&Type::Bool)),
        Type::Int => Ok(Type::Array(&Type::Int)),
        Type::Float => Ok(Type::Array(&Type::Float)),
        Type::Bytes => Ok(Type::Array(&Type::Bytes)),
        Type::Ip => Ok(Type::Array(&Type::Ip)),
        Type::Array(Type::Bytes) => Ok(Type::Array(&Type::Array(&Type::Bytes))),
        Type::Array(_) | Type::Map(_) => Err(ExprProblem::new(span.clone(), "this would be an array of arrays")
            .hint("leave out the `[*]`, or take one element: `[0]`")),
    }
}

/// Whether a function can be called with these. `span` is the whole call.
pub(super) fn arguments(function: Function, arguments: &[Typed], span: &Range<usize>) -> Result<(), ExprProblem> {
    let (name, signature) = (function.name(), function.signature());
    for (place, argument) in arguments.iter().enumerate() {
        let Some(parameter) = signature.parameter(place) else {
            let most = signature.parameters.len();
            return Err(ExprProblem::new(
                argument.span(),
                format!("`{name}` takes {}", count(most, if signature.required < most { "at most " } else { "" })),
            ));
        };
        if argument.each && place > 0 {
            return Err(ExprProblem::new(argument.span(), "`[*]` unpacks the first argument of a function alone")
                .hint("take one element here, as with `[0]`"));
        }
        let of_first = arguments.first().map(|first| first.of).filter(|_| function == Function::Concat);
        let fits = parameter.kind.admits(argument.of) && of_first.is_none_or(|first| first == argument.of);
        if !fits {
            return Err(misfit(function, parameter.kind, argument));
        }
        let written_out = is_literal(&argument.expr);
        match parameter.source {
            Source::Literal if !written_out => {
                return Err(ExprProblem::new(
                    argument.span(),
                    format!("`{}` of `{name}` is written out, not computed", parameter.name),
                ));
            }
            Source::Field if written_out => {
                return Err(ExprProblem::new(
                    argument.span(),
                    format!("`{}` of `{name}` is a field, or made of one", parameter.name),
                )
                .hint("what is written out is the same for every request"));
            }
            Source::Literal | Source::Field | Source::Any => {}
        }
    }
    if arguments.len() < signature.required {
        let missing: Vec<_> = signature
            .parameters
            .iter()
            .take(signature.required)
            .skip(arguments.len())
            .map(|parameter| format!("`{}`", parameter.name))
            .collect();
        let at_least =
            if signature.repeats || signature.required < signature.parameters.len() { "at least " } else { "" };
        return Err(ExprProblem::new(span.clone(), format!("`{name}` takes {}", count(signature.required, at_least)))
            .hint(format!("missing: {}", missing.join(", "))));
    }
    values(function, arguments)
}

fn count(number: usize, limit: &str) -> String {
    match number {
        1 => format!("{limit}one argument"),
        _ => format!("{limit}{number} arguments"),
    }
}

/// An argument that a parameter does not admit.
fn misfit(function: Function, kind: Kind, argument: &Typed) -> ExprProblem {
    let name = function.name();
    if kind == Kind::Conditions {
        let problem = |is: &str| ExprProblem::new(argument.span(), format!("`{name}` takes {kind}, and this is {is}"));
        return match (argument.of, argument.each) {
            (Type::Bool, true) => problem("one already").hint("leave out the `[*]`"),
            (Type::Bool, false) => {
                problem("a single one").hint(format!("unpack an array with `[*]`, or leave out `{name}`"))
            }
            (_, true) => problem("none").hint("compare the elements, as in `http.request.headers.names[*] eq \"x\"`"),
            (_, false) => {
                problem("none").hint("unpack an array and compare, as in `http.request.headers.names[*] eq \"x\"`")
            }
        };
    }
    let is = match argument.each {
        true => format!("each is {}", argument.of),
        false => format!("this is {}", argument.of),
    };
    let problem = ExprProblem::new(argument.span(), format!("`{name}` takes {kind} here, and {is}"));
    let elements_fit = |of: &Type| kind.admits(*of);
    match argument.of {
        _ if argument.each && array_of(argument.of, &argument.span()).is_ok_and(|packed| kind.admits(packed)) => {
            problem.hint("leave out the `[*]`")
        }
        Type::Array(of) if elements_fit(of) => problem.hint("unpack it with `[*]`, or take one element: `[0]`"),
        Type::Map(Type::Array(of)) if elements_fit(of) => {
            problem.hint("take the entry of a key, and one of its elements: `[\"name\"][0]`")
        }
        Type::Int | Type::Ip | Type::Bool if kind == Kind::Bytes => {
            problem.hint("`to_string` makes a text of it, in values")
        }
        Type::Bool | Type::Int | Type::Float | Type::Bytes | Type::Ip | Type::Array(_) | Type::Map(_) => problem,
    }
}

/// What types do not say of arguments.
fn values(function: Function, arguments: &[Typed]) -> Result<(), ExprProblem> {
    match function {
        Function::Cidr => {
            number_between(arguments, 1, 1..=32)?;
            number_between(arguments, 2, 1..=128)
        }
        Function::Cidr6 => number_between(arguments, 1, 1..=128),
        Function::Split => {
            if let Some((_, span)) = text(arguments, 1).filter(|(text, _)| text.is_empty()) {
                return Err(ExprProblem::new(span, "the separator is empty").hint("`substring` gives single bytes"));
            }
            number_between(arguments, 2, 1..=128)
        }
        Function::EncodeBase64 => flags(arguments, 1, "up"),
        Function::UrlDecode => flags(arguments, 1, "ru"),
        Function::IsTimedHmacValidV0 => {
            number_between(arguments, 2, 1..=i64::MAX)?;
            number_between(arguments, 4, 0..=i64::from(u16::MAX))?;
            flags(arguments, 5, "s")
        }
        Function::RegexReplace => {
            nested_replacement(arguments)?;
            pattern(arguments, 1, |pattern| regex(pattern).map(drop))?;
            pattern(arguments, 2, |replacement| Replacement::new(replacement).map(drop))
        }
        Function::WildcardReplace => {
            nested_replacement(arguments)?;
            pattern(arguments, 1, |pattern| Wildcard::new(pattern, true).map(drop))?;
            pattern(arguments, 2, |replacement| Replacement::new(replacement).map(drop))?;
            flags(arguments, 3, "s")
        }
        Function::RemoveQueryArgs => match arguments.first() {
            Some(first) if !matches!(first.expr.kind, ExprKind::Field(Field::UriQuery | Field::RawUriQuery)) => {
                Err(ExprProblem::new(first.span(), "`remove_query_args` takes a query")
                    .hint("write `http.request.uri.query` or `raw.http.request.uri.query`"))
            }
            _ => Ok(()),
        },
        Function::LookupJsonInteger | Function::LookupJsonString => {
            (1..arguments.len()).try_for_each(|place| number_between(arguments, place, 0..=i64::from(u32::MAX)))
        }
        Function::All
        | Function::Any
        | Function::Concat
        | Function::DecodeBase64
        | Function::EndsWith
        | Function::HasKey
        | Function::HasValue
        | Function::Join
        | Function::Len
        | Function::Lower
        | Function::RemoveBytes
        | Function::Sha256
        | Function::StartsWith
        | Function::Substring
        | Function::ToString
        | Function::Upper
        | Function::UuidV4 => Ok(()),
    }
}

/// The text that an argument writes out.
fn text(arguments: &[Typed], place: usize) -> Option<(&[u8], Range<usize>)> {
    let argument = arguments.get(place)?;
    match &argument.expr.kind {
        ExprKind::Literal(Literal::Bytes(bytes)) => Some((bytes, argument.span())),
        _ => None,
    }
}

/// A number that is written out lies between bounds.
fn number_between(arguments: &[Typed], place: usize, bounds: std::ops::RangeInclusive<i64>) -> Result<(), ExprProblem> {
    match arguments.get(place).map(|argument| (&argument.expr.kind, argument.span())) {
        Some((ExprKind::Literal(Literal::Int(number)), span)) if !bounds.contains(number) => {
            let (least, most) = (bounds.start(), bounds.end());
            let problem = ExprProblem::new(span, format!("`{number}` is out of bounds"));
            Err(match *most {
                i64::MAX => problem.hint(format!("it is {least} or more")),
                _ => problem.hint(format!("it is a number from {least} to {most}")),
            })
        }
        _ => Ok(()),
    }
}

/// Flags are single letters out of these.
fn flags(arguments: &[Typed], place: usize, known: &str) -> Result<(), ExprProblem> {
    match text(arguments, place) {
        Some((flags, span)) if !flags.iter().all(|flag| known.as_bytes().contains(flag)) => {
            let known: Vec<_> = known.chars().map(|flag| format!("`{flag}`")).collect();
            Err(ExprProblem::new(span, "there is no such flag").hint(format!("there is {}", known.join(" and "))))
        }
        _ => Ok(()),
    }
}

/// A pattern, or a replacement, that is written out is one.
fn pattern(arguments: &[Typed], place: usize, check: impl Fn(&[u8]) -> Result<(), String>) -> Result<(), ExprProblem> {
    match text(arguments, place) {
        Some((text, span)) => check(text).map_err(|problem| ExprProblem::new(span, problem)),
        None => Ok(()),
    }
}

/// `regex_replace` and `wildcard_replace` are not nested ("Functions").
fn nested_replacement(arguments: &[Typed]) -> Result<(), ExprProblem> {
    match arguments.iter().find_map(|argument| inner_replacement(&argument.expr)) {
        Some((function, span)) => {
            Err(ExprProblem::new(span, format!("`{}` cannot stand inside another replacement", function.name()))
                .hint("make two rules of it"))
        }
        None => Ok(()),
    }
}

fn inner_replacement(expr: &crate::ast::Expr) -> Option<(Function, Range<usize>)> {
    match &expr.kind {
        ExprKind::Call { function: function @ (Function::RegexReplace | Function::WildcardReplace), .. } => {
            Some((*function, expr.span.clone()))
        }
        ExprKind::Call { arguments, .. } => arguments.iter().find_map(inner_replacement),
        ExprKind::Index { base, .. } => inner_replacement(base),
        ExprKind::Compare { left: inner, .. }
        | ExprKind::In { value: inner, .. }
        | ExprKind::InList { value: inner, .. }
        | ExprKind::Not(inner) => inner_replacement(inner),
        ExprKind::And(parts) | ExprKind::Xor(parts) | ExprKind::Or(parts) => parts.iter().find_map(inner_replacement),
        ExprKind::Literal(_) | ExprKind::Field(_) => None,
    }
}
