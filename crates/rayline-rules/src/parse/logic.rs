//! `not`, `and`, `xor`, `or`, parentheses and comparisons, by falling precedence ("Operators and grouping symbols").

use std::ops::Range;

use crate::ast::{Expr, ExprKind, Literal, Operator};
use crate::names;
use crate::problem::ExprProblem;
use crate::scheme::{Function, Type};

use super::value::{NO_COMMENTS, is_literal};
use super::{Parser, Typed, check};

/// The English words of the language that are no names.
pub(super) const WORDS: &[&str] =
    &["eq", "ne", "lt", "le", "gt", "ge", "contains", "matches", "wildcard", "strict", "in", "and", "or", "xor", "not"];

/// Comparisons other than `in`, in both spellings.
const OPERATORS: &[(&str, Option<&str>, Operator)] = &[
    ("eq", Some("=="), Operator::Equal),
    ("ne", Some("!="), Operator::NotEqual),
    ("le", Some("<="), Operator::LessEqual),
    ("lt", Some("<"), Operator::Less),
    ("ge", Some(">="), Operator::GreaterEqual),
    ("gt", Some(">"), Operator::Greater),
    ("contains", None, Operator::Contains),
    ("matches", Some("~"), Operator::Matches),
    ("wildcard", None, Operator::Wildcard),
    ("bitwise_and", Some("&"), Operator::BitwiseAnd),
];

impl Parser<'_> {
    /// An expression of any kind.
    pub(super) fn logic(&mut self) -> Result<Typed, ExprProblem> {
        self.chain("or", "||", ExprKind::Or, |parser| {
            parser.chain("xor", "^^", ExprKind::Xor, |parser| parser.chain("and", "&&", ExprKind::And, Self::single))
        })
    }

    /// One part, or several with this operator between them.
    fn chain(
        &mut self,
        english: &'static str,
        sign: &'static str,
        combine: fn(Vec<Expr>) -> ExprKind,
        part: impl Fn(&mut Self) -> Result<Typed, ExprProblem>,
    ) -> Result<Typed, ExprProblem> {
        let first = part(self)?;
        if self.reader.operator(english, Some(sign)).is_none() {
            return Ok(first);
        }
        check::operand(&first, self.reader.text(&first.span()), english)?;
        let (start, of) = (first.expr.span.start, first.of);
        let mut parts = vec![first.expr];
        loop {
            let next = part(self)?;
            check::operand(&next, self.reader.text(&next.span()), english)?;
            check::alike(&next, of, english)?;
            parts.push(next.expr);
            if self.reader.operator(english, Some(sign)).is_none() {
                return Ok(Typed::new(start..self.reader.end(), combine(parts), of));
            }
        }
    }

    /// What no `and`, `xor` or `or` splits.
    fn single(&mut self) -> Result<Typed, ExprProblem> {
        if let Some(opened) = self.reader.sign("(") {
            return self.nested(opened.clone(), |parser| parser.group(opened));
        }
        if let Some(not) = self.reader.operator("not", Some("!")) {
            let of = self.nested(not.clone(), Self::single)?;
            check::operand(&of, self.reader.text(&of.span()), "not")?;
            return Ok(Typed::new(not.start..self.reader.end(), ExprKind::Not(Box::new(of.expr)), of.of));
        }
        let value = self.value()?;
        self.comparison(value)
    }

    /// What stands between parentheses; the first has been read.
    fn group(&mut self, opened: Range<usize>) -> Result<Typed, ExprProblem> {
        let mut inner = self.logic()?;
        match self.reader.sign(")") {
            Some(closed) => {
                inner.expr.span = opened.start..closed.end;
                Ok(inner)
            }
            None if self.reader.is_at_end() => {
                Err(ExprProblem::new(opened, "this parenthesis is not closed").hint("end the group with `)`"))
            }
            None => Err(self.unexpected()),
        }
    }

    /// A value, and what it is compared with, if it is.
    fn comparison(&mut self, left: Typed) -> Result<Typed, ExprProblem> {
        if let Some(operator) = self.reader.word("in") {
            return self.membership(left, operator);
        }
        let Some((operator, span)) = self.operator() else {
            return match self.ends_here() {
                true => Ok(left),
                false => Err(self.no_operator(&left)),
            };
        };
        check::comparable(&left, operator, self.reader.text(&span), span.clone(), self.reader.text(&left.span()))?;
        let right = self.operand(&left, operator, span)?;
        Ok(self.compared(left, |left| ExprKind::Compare { left, operator, right }))
    }

    fn operator(&mut self) -> Option<(Operator, Range<usize>)> {
        if let Some(span) = self.reader.strict_wildcard() {
            return Some((Operator::StrictWildcard, span));
        }
        OPERATORS
            .iter()
            .find_map(|(english, sign, operator)| self.reader.operator(english, *sign).map(|span| (*operator, span)))
    }

    /// A comparison is true or false, or that for each element.
    pub(super) fn compared(&self, left: Typed, kind: impl FnOnce(Box<Expr>) -> ExprKind) -> Typed {
        let of = if left.each { Type::Array(&Type::Bool) } else { Type::Bool };
        Typed::new(left.expr.span.start..self.reader.end(), kind(Box::new(left.expr)), of)
    }

    /// Whether what comes next can follow a value that is not compared.
    fn ends_here(&self) -> bool {
        let rest = self.reader.rest();
        rest.is_empty()
            || [")", ",", "]", "}", "&&", "||", "^^"].iter().any(|sign| rest.starts_with(sign))
            || self.reader.next_name().is_some_and(|name| matches!(name, "and" | "or" | "xor"))
    }

    /// Something follows a value, and is no operator.
    fn no_operator(&self, left: &Typed) -> ExprProblem {
        let span = self.reader.next_span();
        let written = self.reader.text(&span);
        let value = self.reader.text(&left.span());
        let problem = ExprProblem::new(span, format!("`{written}` is no operator"));
        let lower = written.to_ascii_lowercase();
        if let Some(function @ (Function::StartsWith | Function::EndsWith)) = Function::named(&lower) {
            return problem.hint(format!("it is a function: write `{}({value}, \"…\")`", function.name()));
        }
        match lower.as_str() {
            "=" => problem.hint("write `==` or `eq`"),
            "is" | "equals" => problem.hint("write `eq`"),
            "like" => problem.hint("write `wildcard`, with `*` for any characters"),
            "!" => problem.hint("write `!=` or `ne`, or `not` before the whole comparison"),
            "not" => problem.hint(format!("write `not` before the whole comparison: `not {value} …`")),
            "|" => problem.hint("write `||` or `or`"),
            "#" => problem.hint(NO_COMMENTS),
            "strict" => problem.hint("write `strict wildcard`"),
            _ if is_literal(&left.expr) || written == "\"" => {
                problem.hint("between two arguments stands `,`, between a field and a text an operator such as `eq`")
            }
            _ => match names::nearest(written, WORDS.iter().copied()) {
                Some(word) if word == lower => problem.hint(format!("words are written small: `{word}`")),
                Some(word) => problem.hint(format!("did you mean `{word}`?")),
                None if left.of == Type::Bool => problem.hint("write `and` or `or` between two conditions"),
                None => problem.hint("after a value comes `eq`, `ne`, `contains`, `matches`, `in` or the like"),
            },
        }
    }

    /// Something follows a whole condition, and joins it with nothing.
    pub(super) fn unexpected(&self) -> ExprProblem {
        let span = self.reader.next_span();
        let written = self.reader.text(&span);
        let problem = ExprProblem::new(span, format!("`{written}` is not expected here"));
        let lower = written.to_ascii_lowercase();
        match lower.as_str() {
            ")" => problem.hint("there is no `(` that it closes"),
            "," => problem.hint("arguments stand between the parentheses of a function"),
            "#" => problem.hint(NO_COMMENTS),
            "&" => problem.hint("write `&&` or `and`"),
            "|" => problem.hint("write `||` or `or`"),
            "and" | "or" | "xor" if lower != written => problem.hint(format!("words are written small: `{lower}`")),
            _ => problem.hint("write `and`, `or` or `xor` between two conditions"),
        }
    }

    /// `true` or `false`, if one comes next.
    pub(super) fn truth(&mut self) -> Option<(Literal, Range<usize>)> {
        let truth = |word: &str| match word {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        };
        let value = truth(self.reader.next_name()?)?;
        self.reader.name().map(|(_, span)| (Literal::Bool(value), span))
    }
}
