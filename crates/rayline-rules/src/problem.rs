//! What is wrong with an expression: where, why, and what to write instead.

use std::fmt;
use std::ops::Range;

/// A problem in an expression's text. How it is drawn (caret, colours) is the caller's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExprProblem {
    /// Bytes of the expression's text that it is about.
    pub span: Range<usize>,
    /// What is wrong: lower-case start, no full stop.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl ExprProblem {
    /// A problem without a hint.
    pub fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), hint: None }
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl fmt::Display for ExprProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ExprProblem {}
