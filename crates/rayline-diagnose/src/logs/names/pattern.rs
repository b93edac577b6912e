//! A pattern of the table, and the sentence that is made of what it finds.

use regex::Captures;

use super::spoken::tidy;
use crate::logs::{Cause, Source};

/// What a message looks like, and what that means.
pub(super) struct Pattern {
    /// One of these is in every message that fits, upper or lower case: no expression is run without.
    pub(super) needles: &'static [&'static str],
    /// What decides. Each group with a name is a particular; `file` and `line` are the place in the code.
    pub(super) regex: &'static str,
    /// The cause, and its sentence: `{group}` stands for what the group found, and what is in `[ ]` is left out unless all
    /// of its groups found something. `None`: it is no fault.
    pub(super) meaning: Option<(Cause, &'static str)>,
    /// Who may have written it; empty: anybody.
    sources: &'static [Source],
}

/// A message that fits means this.
pub(super) const fn means(
    cause: Cause,
    needles: &'static [&'static str],
    regex: &'static str,
    sentence: &'static str,
) -> Pattern {
    Pattern { needles, regex, meaning: Some((cause, sentence)), sources: &[] }
}

/// A message that fits is no fault, whatever else it looks like.
pub(super) const fn harmless(needles: &'static [&'static str], regex: &'static str) -> Pattern {
    Pattern { needles, regex, meaning: None, sources: &[] }
}

impl Pattern {
    /// The same, for what these wrote alone.
    pub(super) const fn by(mut self, sources: &'static [Source]) -> Self {
        self.sources = sources;
        self
    }

    /// Whether `source` may have written such a message.
    pub(super) fn may_be_by(&self, source: Source) -> bool {
        self.sources.is_empty() || self.sources.contains(&source)
    }
}

/// The place in the code that the pattern itself found.
pub(super) fn place(captures: &Captures<'_>) -> Option<String> {
    let file = captures.name("file")?.as_str();
    let line = captures.name("line")?.as_str();
    Some(format!("{}:{line}", tidy(file)))
}

/// Fills a sentence with what was found.
pub(super) fn fill(sentence: &str, captures: &Captures<'_>) -> String {
    let mut out = String::new();
    let mut rest = sentence;
    while let Some((before, after)) = rest.split_once('[') {
        let (optional, behind) = after.split_once(']').unwrap_or((after, ""));
        out.push_str(&filled(before, captures).0);
        if let (text, true) = filled(optional, captures) {
            out.push_str(&text);
        }
        rest = behind;
    }
    out.push_str(&filled(rest, captures).0);
    out
}

/// Fills a piece without options, and says whether all of its groups found something.
fn filled(piece: &str, captures: &Captures<'_>) -> (String, bool) {
    let mut out = String::new();
    let mut whole = true;
    let mut rest = piece;
    while let Some((before, after)) = rest.split_once('{') {
        let (group, behind) = after.split_once('}').unwrap_or((after, ""));
        let found = captures.name(group).map(|found| tidy(found.as_str())).filter(|found| !found.is_empty());
        out.push_str(before);
        whole &= found.is_some();
        out.push_str(found.as_deref().unwrap_or("?"));
        rest = behind;
    }
    out.push_str(rest);
    (out, whole)
}

/// The groups that a sentence names.
#[cfg(test)]
pub(super) fn groups_of(sentence: &str) -> Vec<&str> {
    sentence.split('{').skip(1).filter_map(|after| after.split_once('}')).map(|(group, _)| group).collect()
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;

    #[test]
    fn an_option_needs_all_that_it_names() {
        let regex = Regex::new("(?P<a>x)?(?P<b>y)?").unwrap();
        let filled = |text| fill("it is {a}[, {b}][ or {a} and {b}]!", &regex.captures(text).unwrap());
        assert_eq!(filled("x"), "it is x!");
        assert_eq!(filled("xy"), "it is x, y or x and y!");
        assert_eq!(filled("y"), "it is ?, y!");
    }
}
