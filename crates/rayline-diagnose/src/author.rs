//! Whose answer it is: who wrote an error page, by landmarks in its head and body; and which edges it passed.
//!
//! It reads an answer and asks nobody. That an edge stands in the way does not make it the author: most edges name
//! themselves on everything that passes them.

use rayline_verdict::Code;

use crate::fetch::Answer;

/// Where on the way an author stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// A CDN, a load balancer, a proxy for many sites.
    Edge,
    /// A web server or gateway of the site itself. What is an edge to one site is this to another.
    Server,
    /// The application, its framework or its language.
    Application,
}

/// What an answer tells of those who made it.
#[derive(Clone, Debug, Default)]
pub struct Recognition {
    /// Edges and servers that it passed, the visitor's end first, by their marks.
    pub passed: Vec<Mark>,
    /// Who wrote it, if that can be told. For an answer that is no error: who says that it made it.
    pub author: Option<Mark>,
    /// What an edge's error page says of the cause.
    pub told: Option<Told>,
    /// The request's id, under which the edge's log has it: Cloudflare's and Rayline's Ray ID, others' request ids.
    pub request_id: Option<String>,
}

/// A mark that somebody left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Who, as they call themselves: `Cloudflare`, `nginx`, `PHP`.
    pub name: &'static str,
    /// Where on the way.
    pub role: Role,
    /// The rule that matched, for a person to read: `header \`cf-ray\``.
    pub rule: &'static str,
    /// What it matched, at most a line.
    pub seen: String,
}

/// What an error page says of the cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The number it shows beside the status, such as 522 or 1016.
    pub number: Option<u16>,
    /// What it says happened, in its own words.
    pub words: String,
    /// The codes that fit it, the likeliest first. Empty: it says nothing of the cause.
    pub codes: Vec<Code>,
}

/// Reads an answer.
pub fn recognise(_answer: &Answer) -> Recognition {
    Recognition::default()
}
