//! From text to an expression whose names, types and places are right (Cloudflare Rules language).
//!
//! The text is read once, from left to right, and what something is decides how that which follows is read: `80` is a
//! number after a port and a byte after a path. The first thing wrong ends it: there is always one problem, never a
//! second that follows from it. It does not evaluate, and knows no request.

mod check;
mod lexer;
mod literal;
mod logic;
mod value;

use std::ops::Range;

use crate::ast::{Expr, ExprKind};
use crate::list::Lists;
use crate::names;
use crate::problem::ExprProblem;
use crate::scheme::{Field, Function, Stage, Type};

use self::lexer::Reader;

/// Characters that an expression may have ("Expressions", "Maximum rule expression length").
pub const MAX_CHARACTERS: usize = 4096;

/// How deep parentheses, `not` and calls may be nested. Ours; whoever walks an expression needs that much stack.
pub const MAX_DEPTH: usize = 48;

/// Reads a rule's expression: what is true or false of a request at that stage.
///
/// # Errors
///
/// The first thing that is wrong with it.
pub fn parse(text: &str, stage: Stage, lists: &Lists) -> Result<Expr, ExprProblem> {
    let mut parser = Parser::new(text, Place::Rule, stage, lists)?;
    let typed = parser.whole()?;
    check::condition(&typed, text)?;
    Ok(typed.expr)
}

/// Reads an expression with a value, such as the target of a redirect, and says of which type it is.
///
/// # Errors
///
/// The first thing that is wrong with it.
pub fn parse_value(text: &str, stage: Stage, lists: &Lists) -> Result<(Expr, Type), ExprProblem> {
    let mut parser = Parser::new(text, Place::Value, stage, lists)?;
    let typed = parser.whole()?;
    check::unpacked(&typed, text)?;
    Ok((typed.expr, typed.of))
}

/// Where the expression stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In a rule's `expression`.
    Rule,
    /// In a parameter of its action.
    Value,
}

/// An expression and what is known of it.
#[derive(Debug, Clone)]
struct Typed {
    expr: Expr,
    /// Its type; that of one element where it is unpacked.
    of: Type,
    /// Whether it ends in `[*]`, and so stands for each element in turn.
    each: bool,
}

impl Typed {
    fn new(span: Range<usize>, kind: ExprKind, of: Type) -> Self {
        Self { expr: Expr { span, kind }, of, each: false }
    }

    fn span(&self) -> Range<usize> {
        self.expr.span.clone()
    }

    /// Whether it is true or false, or an array of that.
    fn is_logical(&self) -> bool {
        !self.each && matches!(self.of, Type::Bool | Type::Array(Type::Bool))
    }
}

/// The state of reading one text.
struct Parser<'a> {
    reader: Reader<'a>,
    place: Place,
    stage: Stage,
    lists: &'a Lists,
    depth: usize,
    /// The functions that may come once, and have come.
    spent: Vec<Function>,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, place: Place, stage: Stage, lists: &'a Lists) -> Result<Self, ExprProblem> {
        if let Some((beyond, _)) = text.char_indices().nth(MAX_CHARACTERS) {
            return Err(ExprProblem::new(
                beyond..text.len(),
                format!("the expression is longer than {MAX_CHARACTERS} characters"),
            )
            .hint("move addresses, host names or texts into a list, and write `in $name`"));
        }
        Ok(Self { reader: Reader::new(text), place, stage, lists, depth: 0, spent: Vec::new() })
    }

    /// Everything there is.
    fn whole(&mut self) -> Result<Typed, ExprProblem> {
        self.reader.skip_space();
        if self.reader.is_at_end() {
            return Err(ExprProblem::new(0..self.reader.offset(), "there is no expression").hint(match self.place {
                Place::Rule => "write `true` for every request, or a condition such as `http.host eq \"example.com\"`",
                Place::Value => "write a text between quotes, or a field such as `http.request.uri.path`",
            }));
        }
        let typed = self.logic()?;
        match self.reader.is_at_end() {
            true => Ok(typed),
            false => Err(self.unexpected()),
        }
    }

    /// One level deeper, for as long as `inner` reads.
    fn nested<T>(
        &mut self,
        opened: Range<usize>,
        inner: impl FnOnce(&mut Self) -> Result<T, ExprProblem>,
    ) -> Result<T, ExprProblem> {
        if self.depth == MAX_DEPTH {
            return Err(ExprProblem::new(opened, format!("this is nested more than {MAX_DEPTH} levels deep"))
                .hint("leave out parentheses that change nothing, or make several rules of it"));
        }
        self.depth += 1;
        let read = inner(self);
        self.depth -= 1;
        read
    }

    /// Whether a field is known when the expression runs; `name` is the one that was written.
    fn known(&self, field: Field, name: &str, span: Range<usize>) -> Result<(), ExprProblem> {
        if field == Field::IpSrcAsnum && self.lists.networks().is_none() {
            return Err(not_known(name, NO_NETWORKS, span));
        }
        match field.stage() {
            Stage::Unknown(reason) => Err(not_known(name, reason, span)),
            when if when <= self.stage => Ok(()),
            Stage::Request => Ok(()),
            Stage::Body => Err(ExprProblem::new(
                span,
                format!("`{name}` is known only once the body has been read, and that is not so in this phase"),
            )
            .hint(format!("use it in {}", names::phases_at(Stage::Body)))),
            Stage::Response => Err(ExprProblem::new(span, format!("`{name}` is known only once there is an answer"))
                .hint(format!("use it in {}", names::phases_at(Stage::Response)))),
        }
    }
}

/// Why the number of a visitor's network is not known.
const NO_NETWORKS: &str =
    "this edge has no table of networks; name one with `asn_table` in `[server]`, or use a list of addresses";

/// A field that this edge never knows. The reason ends, behind a semicolon, in what to use instead, or is no more than that.
fn not_known(name: &str, reason: &str, span: Range<usize>) -> ExprProblem {
    let (reason, advice) = match reason.split_once("; ") {
        Some((reason, advice)) => (reason, Some(advice)),
        None if reason.starts_with("use ") => ("", Some(reason)),
        None => (reason, None),
    };
    let problem = ExprProblem::new(
        span,
        match reason {
            "" => format!("`{name}` is not known to this edge"),
            reason => format!("`{name}` is not known: {reason}"),
        },
    );
    match advice {
        Some(advice) => problem.hint(advice),
        None => problem,
    }
}
