//! How a rule of the table is matched: looks at fields, at landmarks in the body, at the title.
//!
//! Landmarks are literal and matched in any case, all of them in one pass over the body.

use std::collections::HashMap;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::page::{Page, line, number};
use super::rules::RULES;
use super::{Mark, Role};

/// What a rule proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Proves {
    /// It passed the answer on, or is said to have.
    Passed,
    /// It wrote the answer, if nobody has a better claim.
    Perhaps,
    /// It wrote it: these are its words.
    Likely,
    /// It wrote it: nobody else's answer looks so.
    Wrote,
}

/// What is looked at. Names of fields and all that is compared with are in lower case.
#[derive(Debug)]
pub(super) enum Look {
    /// The field is there.
    Has(&'static str),
    /// The field's value is this.
    Is(&'static str, &'static str),
    /// The field's value begins so.
    Begins(&'static str, &'static str),
    /// The field's value has this in it.
    Holds(&'static str, &'static str),
    /// A cookie of a name that begins so is set.
    Cookie(&'static str),
    /// The body has this in it.
    Body(&'static str),
    /// The body begins so.
    Opens(&'static str),
    /// The body begins so, and a number of three or four digits follows.
    OpensNumber(&'static str),
    /// The body is this and nothing else, white space aside.
    Whole(&'static str),
    /// The title has this in it.
    Title(&'static str),
    /// There is no body.
    Empty,
    /// The status is this one.
    Status(u16),
    /// Also where the status is no error.
    AnyStatus,
}

/// One row.
#[derive(Debug)]
pub(super) struct Rule {
    /// Who.
    pub(super) name: &'static str,
    /// Where on the way.
    pub(super) role: Role,
    /// What it proves if all looks match.
    pub(super) proves: Proves,
    /// For a person to read.
    pub(super) said: &'static str,
    /// What is looked at: all of it has to match.
    pub(super) looks: &'static [Look],
}

impl Rule {
    pub(super) fn mark(&self, seen: &str) -> Mark {
        Mark { name: self.name, role: self.role, rule: self.said, seen: seen.to_owned() }
    }
}

/// A rule that matched.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) rule: &'static Rule,
    pub(super) seen: String,
}

/// The rules that match, in the table's order.
pub(super) fn matching(page: &Page<'_>) -> Vec<Found> {
    let landmarks = Landmarks::of(page);
    RULES.iter().filter_map(|rule| Some(Found { rule, seen: seen(rule, page, &landmarks)? })).collect()
}

/// What the rule's first look matched, if all of them match.
fn seen(rule: &Rule, page: &Page<'_>, landmarks: &Landmarks) -> Option<String> {
    let any_status = rule.proves == Proves::Passed || rule.looks.iter().any(|look| matches!(look, Look::AnyStatus));
    if !any_status && !page.is_error() {
        return None;
    }
    let mut first = None;
    for look in rule.looks {
        let seen = look.seen(page, landmarks)?;
        first.get_or_insert(seen);
    }
    first
}

impl Look {
    fn seen(&self, page: &Page<'_>, landmarks: &Landmarks) -> Option<String> {
        let field = |name: &str, wanted: &dyn Fn(&str) -> bool| {
            page.values(name).find(|value| wanted(&value.to_ascii_lowercase())).map(|value| line(&value))
        };
        match *self {
            Self::Has(name) => field(name, &|_| true),
            Self::Is(name, wanted) => field(name, &|value| value == wanted),
            Self::Begins(name, start) => field(name, &|value| value.starts_with(start)),
            Self::Holds(name, part) => field(name, &|value| value.contains(part)),
            // Never a cookie's value: it may be a key to somebody's session.
            Self::Cookie(name) => field("set-cookie", &|value| value.starts_with(name)).map(|_| name.to_owned()),
            Self::Body(landmark) => landmarks.at(landmark).map(|at| page.line(at)),
            Self::Opens(words) => {
                let at = page.beginning();
                page.lower.get(at..)?.starts_with(words).then(|| page.line(at))
            }
            Self::OpensNumber(words) => {
                let at = page.beginning();
                number(page.lower.get(at..)?.strip_prefix(words)?).map(|_| page.line(at))
            }
            Self::Whole(words) => (page.lower.trim() == words).then(|| words.to_owned()),
            Self::Title(words) => page.title.clone().filter(|title| title.to_ascii_lowercase().contains(words)),
            Self::Empty => page.is_empty().then(|| "no body".to_owned()),
            Self::Status(status) => (page.status() == status).then(|| status.to_string()),
            Self::AnyStatus => Some(String::new()),
        }
    }
}

/// Where a body has the table's landmarks, all found in one pass.
struct Landmarks(HashMap<&'static str, usize>);

impl Landmarks {
    fn of(page: &Page<'_>) -> Self {
        let (names, searcher) = &*SEARCHER;
        let mut places = HashMap::new();
        for found in searcher.find_overlapping_iter(&page.lower) {
            if let Some(name) = names.get(found.pattern().as_usize()) {
                places.entry(*name).or_insert(found.start());
            }
        }
        Self(places)
    }

    fn at(&self, landmark: &str) -> Option<usize> {
        self.0.get(landmark).copied()
    }
}

#[expect(clippy::expect_used, reason = "the patterns are literals, built by every test of this module")]
static SEARCHER: LazyLock<(Vec<&'static str>, AhoCorasick)> = LazyLock::new(|| {
    let looks = RULES.iter().flat_map(|rule| rule.looks);
    let mut names: Vec<&str> = looks
        .filter_map(|look| match look {
            Look::Body(landmark) => Some(*landmark),
            Look::Has(_)
            | Look::Is(..)
            | Look::Begins(..)
            | Look::Holds(..)
            | Look::Cookie(_)
            | Look::Opens(_)
            | Look::OpensNumber(_)
            | Look::Whole(_)
            | Look::Title(_)
            | Look::Empty
            | Look::Status(_)
            | Look::AnyStatus => None,
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    let searcher = AhoCorasick::new(&names).expect("the landmarks are short");
    (names, searcher)
});
