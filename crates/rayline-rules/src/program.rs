//! A zone's expressions, compiled together, and what holds of a request.
//!
//! All rules of a zone go into one [`ProgramBuilder`] and become one [`Program`], which every worker shares. A request is
//! held against it by an [`Evaluation`], with the worker's [`Memory`] for what it works out on the way.

mod prepare;

use std::borrow::Cow;
use std::marker::PhantomData;

use crate::ast::Expr;
use crate::eval::Evaluator;
use crate::ruleset::{Condition, Dynamic};
use crate::value::Value;
use crate::{ExprProblem, Facts, Lists};

/// Collects a zone's expressions. The same one given twice is the same place.
#[derive(Debug)]
pub struct ProgramBuilder<'l> {
    lists: &'l Lists,
    exprs: Vec<Expr>,
    sequences: Vec<Box<[Condition]>>,
    needs: Needs,
}

/// Conditions that are asked one after the other, as those of the rules of a ruleset: see [`Evaluation::next_true`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sequence(u32);

/// What has to be read of a request, or kept of its answer, before a program can be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs {
    /// The first part of the request's body.
    pub body: bool,
    /// The answer: some expression is about it.
    pub response: bool,
}

/// A zone's expressions, compiled.
#[derive(Debug)]
pub struct Program {
    lists: Lists,
    exprs: Box<[Expr]>,
    sequences: Box<[Box<[Condition]>]>,
    needs: Needs,
}

/// What a worker works out for one request after the other. It is kept from request to request, and from program to
/// program, so that nothing is allocated for it once it has grown.
#[derive(Debug, Default)]
pub struct Memory;

/// A request held against a program.
pub struct Evaluation<'a> {
    program: &'a Program,
    facts: &'a dyn Facts,
    memory: PhantomData<&'a mut Memory>,
}

impl<'l> ProgramBuilder<'l> {
    /// With the lists that expressions may name.
    pub fn new(lists: &'l Lists) -> Self {
        Self { lists, exprs: Vec::new(), sequences: Vec::new(), needs: Needs::default() }
    }

    /// Adds a condition.
    ///
    /// # Errors
    /// A regular expression, a wildcard pattern or a replacement that is none, or a list that there is not.
    pub fn condition_of(&mut self, expr: Expr) -> Result<Condition, ExprProblem> {
        self.add(expr).map(Condition)
    }

    /// Adds an expression whose value is a text.
    ///
    /// # Errors
    /// As of [`Self::condition_of`].
    pub fn dynamic_of(&mut self, expr: Expr) -> Result<Dynamic, ExprProblem> {
        self.add(expr).map(Dynamic)
    }

    /// Adds the conditions of one ruleset, in the order in which they will be asked.
    pub fn sequence(&mut self, conditions: &[Condition]) -> Sequence {
        self.sequences.push(conditions.into());
        Sequence(u32::try_from(self.sequences.len() - 1).unwrap_or(u32::MAX))
    }

    fn add(&mut self, expr: Expr) -> Result<u32, ExprProblem> {
        prepare::check(&expr, self.lists)?;
        self.needs = self.needs.and(prepare::needs(&expr));
        self.exprs.push(expr);
        Ok(u32::try_from(self.exprs.len() - 1).unwrap_or(u32::MAX))
    }

    /// Compiles what was collected.
    pub fn build(self) -> Program {
        Program {
            lists: self.lists.clone(),
            exprs: self.exprs.into_boxed_slice(),
            sequences: self.sequences.into_boxed_slice(),
            needs: self.needs,
        }
    }
}

impl Needs {
    /// What both need together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { body: self.body || other.body, response: self.response || other.response }
    }
}

impl Program {
    /// Begins with a request.
    pub fn begin<'a>(&'a self, facts: &'a dyn Facts, _memory: &'a mut Memory) -> Evaluation<'a> {
        Evaluation { program: self, facts, memory: PhantomData }
    }

    /// What all its expressions together need.
    pub fn needs(&self) -> Needs {
        self.needs
    }
}

impl Evaluation<'_> {
    /// Whether a condition holds. One that is not of this program does not.
    pub fn is_true(&mut self, condition: Condition) -> bool {
        self.value(condition.0).is_true()
    }

    /// The place of the first condition of a sequence, from place `from` on, that holds. Those that cannot hold, because
    /// no part of them that they would need does, are passed over without being looked at: this costs about the same for
    /// a thousand rules `http.host eq "…"` as for ten.
    ///
    /// A phase runs with it like so, `forget` only where a rule changed the request:
    /// `while let Some(place) = evaluation.next_true(sequence, at) { …; at = place + 1; }`
    pub fn next_true(&mut self, sequence: Sequence, from: usize) -> Option<usize> {
        let conditions = self.program.sequences.get(usize::try_from(sequence.0).ok()?)?;
        let mut from_there = conditions.iter().enumerate().skip(from);
        from_there.find(|(_, condition)| self.value(condition.0).is_true()).map(|(place, _)| place)
    }

    /// The text that an expression is worth; nothing if it fails, as a missing header field does.
    pub fn text(&mut self, dynamic: Dynamic) -> Option<Cow<'_, [u8]>> {
        match self.value(dynamic.0) {
            Value::Bytes(text) => Some(text),
            _ => None,
        }
    }

    /// Forgets what is known: the request has changed.
    pub fn forget(&mut self) {}

    fn value(&self, place: u32) -> Value<'_> {
        let expr = usize::try_from(place).ok().and_then(|place| self.program.exprs.get(place));
        expr.map_or(Value::Missing, |expr| Evaluator::new(self.facts, &self.program.lists).value(expr))
    }
}

impl std::fmt::Debug for Evaluation<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Evaluation").finish_non_exhaustive()
    }
}
