//! Whose answer it is: who wrote an error page, by landmarks in its head and body; and which edges it passed.
//!
//! It reads an answer and asks nobody. That an edge stands in the way does not make it the author: most edges name
//! themselves on everything that passes them.

use rayline_verdict::Code;

use crate::fetch::Answer;
use crate::logs::Cause;

mod ids;
mod look;
mod page;
mod rules;
mod sayings;
mod told;

use look::{Found, Proves};
use page::Page;

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
    /// Edges and servers that it passed, the visitor's end first, by their marks; the author may be among them.
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
    /// What is wrong inside the origin, if the page shows that too.
    pub cause: Option<Cause>,
}

/// Reads an answer: all fields, and at most the first 64 KiB of the body.
pub fn recognise(answer: &Answer) -> Recognition {
    let page = Page::read(answer);
    let found = look::matching(&page);
    let passed = passed(&found);
    let claim = claim(&found).map(|found| found.rule.mark(&found.seen));
    let fails = page.is_error() || claim.is_some();
    let author = claim.or_else(|| maker(&page, &passed));
    let told = author.as_ref().filter(|_| fails).and_then(|author| told::told(&page, author));
    Recognition {
        told: told.or_else(|| told::by_rayline(&page)),
        request_id: ids::request_id(&page, author.as_ref(), &passed),
        passed,
        author,
    }
}

/// One mark for each who left any in the head, edges first.
fn passed(found: &[Found]) -> Vec<Mark> {
    let mut marks: Vec<Mark> = Vec::new();
    for Found { rule, seen } in found {
        if rule.proves == Proves::Passed && marks.iter().all(|mark| mark.name != rule.name) {
            marks.push(rule.mark(seen));
        }
    }
    marks.sort_by_key(|mark| mark.role);
    marks
}

/// The strongest claim wins. Of claims that are equally strong and contradict each other it is the innermost: whoever
/// stands further out passed on what the other wrote.
fn claim<'a>(found: &'a [Found]) -> Option<&'a Found> {
    let rank = |found: &Found| (found.rule.proves, found.rule.role);
    let mut best: Option<&'a Found> = None;
    for claim in found.iter().filter(|claim| claim.rule.proves != Proves::Passed) {
        if best.is_none_or(|best| rank(claim) > rank(best)) {
            best = Some(claim);
        }
    }
    best
}

/// Who made what nobody claims. An application that names itself in the head made what it sent; a server does too, unless
/// it is an error, which it may have passed on under its own name.
fn maker(page: &Page<'_>, passed: &[Mark]) -> Option<Mark> {
    let innermost = passed.last()?;
    let made = match innermost.role {
        Role::Application => true,
        Role::Server => !page.is_error(),
        Role::Edge => false,
    };
    made.then(|| innermost.clone())
}
