//! A zone's expressions, compiled together, and what holds of a request.
//!
//! All rules of a zone go into one [`ProgramBuilder`] and become one [`Program`], which every worker shares. A request is
//! held against it by an [`Evaluation`], with the worker's [`Memory`] for what it works out on the way.
//!
//! Four things make a thousand rules cost little more than ten. What two expressions have in common is one node, worked
//! out once per request. Tests of one value that are of one kind (is it one of these texts, does it hold one of these, in
//! which of these networks is it) are answered together by an index, when the first of them is asked. A pattern is tried
//! only where the literal that it cannot match without is there. And a ruleset knows by which of those tests each of its
//! conditions could come to hold, so that only the conditions are looked at whose tests do.
//!
//! The meaning of expressions is [`crate::eval`]'s: a test of random expressions and requests holds both to the same.

mod compile;
mod evaluation;
mod index;
mod literal;
mod memory;
mod node;
mod prepare;
mod sequence;
mod test;
#[cfg(test)]
mod tests;

use std::borrow::Borrow;

use crate::ast::Expr;
use crate::program::compile::{Compiled, Compiler};
use crate::program::index::Index;
use crate::program::memory::Sizes;
use crate::program::node::{Node, NodeId};
use crate::program::sequence::Conditions;
use crate::ruleset::{Condition, Dynamic};
use crate::{ExprProblem, Facts, Lists, Stage, Type, parse, parse_value};

pub use evaluation::Evaluation;
pub(crate) use memory::Generation;
pub use memory::Memory;

/// Collects a zone's expressions. The same one given twice is the same place.
#[derive(Debug)]
pub struct ProgramBuilder<'l> {
    lists: &'l Lists,
    compiler: Compiler<'l>,
    sequences: Vec<Conditions>,
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
    nodes: Box<[Node]>,
    texts: Box<[Box<[u8]>]>,
    indexes: Box<[Index]>,
    /// By test, the index that answers it.
    index_of_atom: Box<[u32]>,
    sequences: Box<[Conditions]>,
    sizes: Sizes,
    needs: Needs,
}

impl<'l> ProgramBuilder<'l> {
    /// With the lists that expressions may name.
    pub fn new(lists: &'l Lists) -> Self {
        Self { lists, compiler: Compiler::new(lists), sequences: Vec::new(), needs: Needs::default() }
    }

    /// The lists that its expressions may name.
    pub fn lists(&self) -> &'l Lists {
        self.lists
    }

    /// Reads a condition and adds it.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn condition(&mut self, text: &str, stage: Stage) -> Result<Condition, ExprProblem> {
        self.condition_of(parse(text, stage, self.lists)?)
    }

    /// Reads an expression whose value is a text, and adds it. Any other value has to go through `to_string`.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn dynamic(&mut self, text: &str, stage: Stage) -> Result<Dynamic, ExprProblem> {
        let (expr, of) = parse_value(text, stage, self.lists)?;
        match of {
            Type::Bytes => self.dynamic_of(expr),
            of => {
                let problem = ExprProblem::new(expr.span, format!("this is {of}, and a text is wanted"));
                Err(problem.hint("use `to_string(…)`"))
            }
        }
    }

    /// Adds a condition.
    ///
    /// # Errors
    /// A regular expression, a wildcard pattern or a replacement that is none, or a list that there is not.
    pub fn condition_of(&mut self, expr: impl Borrow<Expr>) -> Result<Condition, ExprProblem> {
        let expr = expr.borrow();
        self.check(expr)?;
        Ok(Condition(self.compiler.truth(expr).0))
    }

    /// Adds an expression whose value is a text.
    ///
    /// # Errors
    /// As of [`Self::condition_of`].
    pub fn dynamic_of(&mut self, expr: impl Borrow<Expr>) -> Result<Dynamic, ExprProblem> {
        let expr = expr.borrow();
        self.check(expr)?;
        Ok(Dynamic(self.compiler.value(expr).0))
    }

    /// Adds the conditions of one ruleset, in the order in which they will be asked.
    pub fn sequence(&mut self, conditions: &[Condition]) -> Sequence {
        let nodes: Vec<NodeId> = conditions.iter().map(|condition| NodeId(condition.0)).collect();
        let from = self.sequences.last().map_or(0, |last| last.words.end);
        self.sequences.push(Conditions::new(&nodes, from, &self.compiler));
        Sequence(u32::try_from(self.sequences.len() - 1).unwrap_or(u32::MAX))
    }

    fn check(&mut self, expr: &Expr) -> Result<(), ExprProblem> {
        prepare::check(expr, self.lists)?;
        self.needs = self.needs.and(prepare::needs(expr));
        Ok(())
    }

    /// Compiles what was collected.
    pub fn build(self) -> Program {
        let Compiled { nodes, slots, texts, indexes } = self.compiler.build();
        let (indexes, index_of_atom) = indexes.build();
        let sizes = Sizes {
            slots,
            atoms: index_of_atom.len(),
            indexes: indexes.len(),
            sequences: self.sequences.len(),
            words: self.sequences.last().map_or(0, |last| last.words.end),
        };
        let sequences = self.sequences.into_boxed_slice();
        Program { nodes, texts, indexes, index_of_atom, sequences, sizes, needs: self.needs }
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
    pub fn begin<'a>(&'a self, facts: &'a dyn Facts, memory: &'a mut Memory) -> Evaluation<'a> {
        memory.begin(self.sizes);
        Evaluation { program: self, facts, memory }
    }

    /// Goes on with a request: what was worked out when the memory was in that generation is known still. Begins anew if
    /// somebody has used the memory since, or if there is none.
    pub(crate) fn go_on<'a>(
        &'a self,
        facts: &'a dyn Facts,
        memory: &'a mut Memory,
        generation: Option<Generation>,
    ) -> Evaluation<'a> {
        if generation.is_none_or(|generation| generation != memory.generation()) {
            return self.begin(facts, memory);
        }
        Evaluation { program: self, facts, memory }
    }

    /// What all its expressions together need.
    pub fn needs(&self) -> Needs {
        self.needs
    }
}
