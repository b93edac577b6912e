//! The rules language and what runs on it: expressions, rulesets in phases, managed rules, rate limits.
//!
//! Text becomes an [`ast::Expr`] whose names and types are known to be right, a zone's rules become one program, and a
//! request is held against it. There is no I/O here, no clock and no configuration file: what is known of a request
//! comes through [`Facts`], the time is an argument.

pub mod ast;
mod automaton;
pub mod challenge;
pub mod eval;
pub mod explain;
pub mod facts;
mod function;
pub mod function_signatures;
pub mod list;
mod matcher;
pub mod names;
pub mod networks;
pub mod parse;
pub mod places;
mod print;
pub mod problem;
pub mod program;
mod radix;
pub mod rate;
pub mod reference;
pub mod ruleset;
pub mod run;
#[cfg(test)]
mod sample;
pub mod scheme;
pub mod value;
pub mod waf;

pub use explain::{Term, explain};
pub use facts::Facts;
pub use list::{List, ListItems, ListKind, Lists};
pub use parse::{parse, parse_value};
pub use problem::ExprProblem;
pub use program::{Evaluation, Memory, Needs, Program, ProgramBuilder, Sequence};
pub use run::ZoneRules;
pub use scheme::{Field, Stage, Type};
