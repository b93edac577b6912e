//! Fields, calls, literals, and what stands in brackets behind them.

use std::ops::Range;

use crate::ast::{Expr, ExprKind, Index, Literal};
use crate::function_signatures::Gives;
use crate::names;
use crate::problem::ExprProblem;
use crate::scheme::{Field, Function, Type};

use super::logic::WORDS;
use super::{Parser, Place, Typed, check, lexer, literal, not_known};

impl Parser<'_> {
    /// A value with its indices.
    pub(super) fn value(&mut self) -> Result<Typed, ExprProblem> {
        let mut value = match self.written_out()? {
            Some(literal) => literal,
            None => self.named()?,
        };
        while let Some(opened) = self.reader.sign("[") {
            value = self.index(value, opened)?;
        }
        Ok(value)
    }

    /// A literal, if one comes next.
    fn written_out(&mut self) -> Result<Option<Typed>, ExprProblem> {
        if let Some((truth, span)) = self.truth() {
            return Ok(Some(Typed::new(span, ExprKind::Literal(truth), Type::Bool)));
        }
        if let Some((text, span)) = self.reader.text_literal(lexer::basic_escapes)? {
            return Ok(Some(Typed::new(span, ExprKind::Literal(Literal::Bytes(text.into())), Type::Bytes)));
        }
        if let Some((bytes, span)) = self.reader.bytes_with_colons() {
            return Ok(Some(Typed::new(span, ExprKind::Literal(Literal::Bytes(bytes.into())), Type::Bytes)));
        }
        if let Some((address, span)) = self.reader.whole_address() {
            return Ok(Some(Typed::new(span, ExprKind::Literal(Literal::Ip(address)), Type::Ip)));
        }
        let Some((written, span)) = self.reader.number() else {
            return Ok(None);
        };
        let number = literal::number(written, &span)?;
        Ok(Some(Typed::new(span, ExprKind::Literal(Literal::Int(number)), Type::Int)))
    }

    /// A field or a call.
    fn named(&mut self) -> Result<Typed, ExprProblem> {
        let Some((name, span)) = self.reader.name() else {
            return Err(self.no_value());
        };
        if self.reader.rest().starts_with('(') {
            return self.call(name, span);
        }
        match Field::named(name) {
            Some(field) => {
                self.known(field, name, span.clone())?;
                Ok(Typed::new(span, ExprKind::Field(field), field.of_type()))
            }
            None => Err(unknown_field(name, span)),
        }
    }

    /// Nothing that a value can begin with.
    fn no_value(&self) -> ExprProblem {
        let span = self.reader.next_span();
        match self.reader.text(&span) {
            "" => ExprProblem::new(span, "the expression ends where a value should follow")
                .hint("write a field such as `http.host`, or a function"),
            "$" => ExprProblem::new(span, "a list stands behind `in`").hint("write `ip.src in $name`"),
            "{" => ExprProblem::new(span, "a set stands behind `in`").hint("write `ip.src in {192.0.2.0/24}`"),
            "'" => ExprProblem::new(span, "texts stand between double quotes").hint("write `\"…\"`"),
            "#" => ExprProblem::new(span, "`#` is no value").hint(NO_COMMENTS),
            "/" if self.place == Place::Value => ExprProblem::new(span, "`/` is no value")
                .hint("what is the same for every request stands between double quotes: `\"/…\"`"),
            written => ExprProblem::new(span.clone(), format!("`{written}` is no value"))
                .hint("write a field such as `http.host`, or a function"),
        }
    }

    /// What stands in brackets behind a value; the first bracket has been read.
    fn index(&mut self, base: Typed, opened: Range<usize>) -> Result<Typed, ExprProblem> {
        let index = self.index_inside()?;
        let Some(closed) = self.reader.sign("]") else {
            return Err(ExprProblem::new(self.reader.next_span(), "`]` is expected here")
                .hint("between brackets stands one number, one key between quotes, or `*`"));
        };
        let brackets = opened.start..closed.end;
        let of = check::indexed(&base, &index, brackets, self.reader.text(&base.span()))?;
        let each = base.each || index == Index::Each;
        let span = base.expr.span.start..closed.end;
        Ok(Typed { each, ..Typed::new(span, ExprKind::Index { base: Box::new(base.expr), index }, of) })
    }

    fn index_inside(&mut self) -> Result<Index, ExprProblem> {
        if self.reader.sign("*").is_some() {
            return Ok(Index::Each);
        }
        if let Some((key, span)) = self.reader.text_literal(lexer::basic_escapes)? {
            return String::from_utf8(key)
                .map(|key| Index::Key(key.into()))
                .map_err(|_| ExprProblem::new(span, "a key is a text in UTF-8"));
        }
        if let Some((written, span)) = self.reader.number() {
            let number = literal::number(written, &span)?;
            return u32::try_from(number).map(Index::Place).map_err(|_| {
                ExprProblem::new(span, format!("`{written}` is no place in an array")).hint("they are counted from 0")
            });
        }
        let span = self.reader.next_span();
        let written = self.reader.text(&span).to_owned();
        Err(ExprProblem::new(span, "between brackets stands a number, a key between quotes, or `*`").hint(
            match written.as_str() {
                "" | "]" => "write `[0]`, `[\"name\"]` or `[*]`".to_owned(),
                _ => format!("write `[\"{written}\"]`"),
            },
        ))
    }

    /// A call; its name has been read, its parenthesis comes next.
    fn call(&mut self, name: &str, span: Range<usize>) -> Result<Typed, ExprProblem> {
        let Some(function) = Function::named(name) else {
            return Err(unknown_function(name, span));
        };
        let signature = function.signature();
        if signature.only_in_values && self.place == Place::Rule {
            return Err(ExprProblem::new(span, format!("`{name}` cannot stand in a rule's expression"))
                .hint("it makes values: use it where an action takes an expression, as in a rewrite or the target of a redirect"));
        }
        self.once(function, &span)?;
        let arguments = self.nested(span.clone(), |parser| parser.arguments(name, &span))?;
        let span = span.start..self.reader.end();
        check::arguments(function, &arguments, &span)?;
        let first = arguments.first();
        let gives = match signature.gives {
            Gives::Always(of) => of,
            Gives::AsFirst => first.map_or(Type::Bytes, |first| first.of),
        };
        let of = match first.is_some_and(|first| first.each) {
            true => check::array_of(gives, &span)?,
            false => gives,
        };
        let arguments = arguments.into_iter().map(|argument| argument.expr).collect();
        Ok(Typed::new(span, ExprKind::Call { function, arguments }, of))
    }

    /// `regex_replace` and `wildcard_replace` come once each ("Functions").
    fn once(&mut self, function: Function, span: &Range<usize>) -> Result<(), ExprProblem> {
        if !matches!(function, Function::RegexReplace | Function::WildcardReplace) {
            return Ok(());
        }
        if self.spent.contains(&function) {
            let name = function.name();
            return Err(ExprProblem::new(span.clone(), format!("`{name}` comes twice in this expression"))
                .hint("once is allowed: put both replacements into one pattern, or into two rules"));
        }
        self.spent.push(function);
        Ok(())
    }

    fn arguments(&mut self, name: &str, span: &Range<usize>) -> Result<Vec<Typed>, ExprProblem> {
        let Some(opened) = self.reader.sign("(") else {
            return Err(self.unexpected());
        };
        let mut arguments = Vec::new();
        if self.reader.sign(")").is_some() {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.logic()?);
            if self.reader.sign(")").is_some() {
                return Ok(arguments);
            }
            if self.reader.sign(",").is_none() {
                return Err(match self.reader.is_at_end() {
                    true => {
                        ExprProblem::new(span.start..opened.end, format!("the arguments of `{name}` are not closed"))
                            .hint("end them with `)`")
                    }
                    false => {
                        let next = self.reader.next_span();
                        let written = self.reader.text(&next).to_owned();
                        ExprProblem::new(next, format!("`{written}` is not expected among arguments"))
                            .hint("write `,` between two arguments, `)` behind the last")
                    }
                });
            }
        }
    }
}

/// What to do instead of writing a comment.
pub(super) const NO_COMMENTS: &str = "there are no comments in expressions: use the rule's `description`";

fn unknown_field(name: &str, span: Range<usize>) -> ExprProblem {
    if WORDS.contains(&name) {
        return ExprProblem::new(span, format!("`{name}` is not expected here"))
            .hint(format!("write a value or a condition before `{name}`"));
    }
    if let Some(function) = Function::named(name) {
        return ExprProblem::new(span, format!("`{name}` is a function"))
            .hint(format!("write its arguments: `{}(…)`", function.name()));
    }
    if let Some(reason) = names::elsewhere(name) {
        return not_known(name, reason, span);
    }
    let problem = ExprProblem::new(span, format!("there is no field `{name}`"));
    match names::nearest(name, Field::ALL.iter().map(|field| field.name())) {
        Some(near) => problem.hint(format!("did you mean `{near}`?")),
        None => problem.hint("`rayline rules fields` lists them; texts stand between double quotes"),
    }
}

fn unknown_function(name: &str, span: Range<usize>) -> ExprProblem {
    if name == "bit_slice" {
        return ExprProblem::new(span, "`bit_slice` looks at packets, and this edge sees requests");
    }
    if WORDS.contains(&name) || Field::named(name).is_some() {
        return match Field::named(name) {
            Some(_) => ExprProblem::new(span, format!("`{name}` is a field, not a function")),
            None => unknown_field(name, span),
        };
    }
    let problem = ExprProblem::new(span, format!("there is no function `{name}`"));
    match names::nearest(name, Function::ALL.iter().map(|function| function.name())) {
        Some(near) => problem.hint(format!("did you mean `{near}`?")),
        None => problem.hint("`rayline rules fields` lists them"),
    }
}

/// Whether the expression is written out.
pub(super) fn is_literal(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Literal(_))
}
