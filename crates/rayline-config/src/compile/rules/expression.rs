//! Expressions in the file: handed to the zone's program, and their problems shown where they stand in the text.

use rayline_rules::ast::{Expr, ExprKind};
use rayline_rules::ruleset::{Condition, Dynamic, Text};
use rayline_rules::{ExprProblem, Lists, ProgramBuilder, Stage, parse};

use crate::document::{At, Fields, Place, Report};
use crate::problem::Problem;
use crate::quoted::place_inside;
use crate::value::AnyText;

/// A zone's program in the making.
pub(super) struct Expressions<'a> {
    program: ProgramBuilder<'a>,
    lists: &'a Lists,
    pub(super) report: &'a Report<'a>,
}

impl<'a> Expressions<'a> {
    pub(super) fn new(lists: &'a Lists, report: &'a Report<'a>) -> Self {
        Self { program: ProgramBuilder::new(lists), lists, report }
    }

    /// All of them, to be compiled.
    pub(super) fn into_program(self) -> ProgramBuilder<'a> {
        self.program
    }

    /// A condition as it was written.
    pub(super) fn condition(&mut self, written: &At<String>, stage: Stage) -> Option<Condition> {
        let read = self.program.condition(&written.value, stage);
        read.map_err(|problem| self.report.push(in_text(problem, written, self.report))).ok()
    }

    /// An expression whose value is a text.
    pub(super) fn dynamic(&mut self, written: &At<String>, stage: Stage) -> Option<Dynamic> {
        let read = self.program.dynamic(&written.value, stage);
        read.map_err(|problem| self.report.push(in_text(problem, written, self.report))).ok()
    }

    /// A condition that is made of something else, written at that place.
    pub(super) fn made(&self, text: &str, written: &Place) -> Option<Expr> {
        parse(text, Stage::Request, self.lists).map_err(|problem| self.not_made(problem, written)).ok()
    }

    /// All of these conditions.
    pub(super) fn all_of(&mut self, parts: Vec<Expr>, written: &Place) -> Option<Condition> {
        let whole = match <[Expr; 1]>::try_from(parts) {
            Ok([only]) => only,
            Err(parts) => Expr { span: 0..0, kind: ExprKind::And(parts) },
        };
        self.program.condition_of(whole).map_err(|problem| self.not_made(problem, written)).ok()
    }

    /// A text that is made of something else, written at that place.
    pub(super) fn made_text(&mut self, text: &str, written: &Place) -> Option<Dynamic> {
        self.program.dynamic(text, Stage::Request).map_err(|problem| self.not_made(problem, written)).ok()
    }

    fn not_made(&self, problem: ExprProblem, written: &Place) {
        self.report.push(written.error(format!("no rule can be made of this: {}", problem.message)));
    }

    /// Whether a condition can be known at this stage.
    pub(super) fn is_known_at(&self, written: &str, stage: Stage) -> bool {
        parse(written, stage, self.lists).is_ok()
    }

    /// `{ value = … }` or `{ expression = … }`, with the place of the text that was written.
    pub(super) fn text(&mut self, fields: &Fields<'_>, stage: Stage) -> Option<(Text, Place)> {
        let value: Option<At<AnyText>> = fields.optional("value");
        let expression: Option<At<String>> = fields.optional("expression");
        match (value, expression) {
            (Some(value), None) => Some((Text::Value(value.value.0.into()), value.place)),
            (None, Some(written)) => Some((Text::Expression(self.dynamic(&written, stage)?), written.place)),
            (Some(value), Some(expression)) => {
                let problem = expression.place.error("there are both `value` and `expression`");
                fields.report.refuse(problem.hint("leave one of them out").related(&value.place, "the other"))
            }
            // what was written but could not be read has its problem already
            (None, None) if fields.written("value").or(fields.written("expression")).is_some() => None,
            (None, None) => {
                let problem = fields.place.error("there is neither `value` nor `expression`");
                fields.report.refuse(problem.hint("write one of them, for example `{ value = \"…\" }`"))
            }
        }
    }
}

/// A problem of an expression as one of the file.
fn in_text(problem: ExprProblem, written: &At<String>, report: &Report<'_>) -> Problem {
    let inner = written.place.span.and_then(|span| place_inside(report.source, span, &written.value, &problem.span));
    let place = Place { span: inner.or(written.place.span), path: written.place.path.clone() };
    let shown = place.error(problem.message);
    match problem.hint {
        Some(hint) => shown.hint(hint),
        None => shown,
    }
}
