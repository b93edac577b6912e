//! What a text must contain for a regular expression to match it at all: one of a few literals.
//!
//! They are found from the expression itself, so that nobody has to keep a list of them in step with it. Where nothing
//! useful can be said (`\d+`), there are none, and the expression is tried on every text.

use std::borrow::Cow;

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, ClassBytes, Hir, HirKind};

/// Alternatives of one place that are still told apart.
const ALTERNATIVES: usize = 256;

/// Bytes of a literal; what follows is left to the expression.
const LENGTH: usize = 16;

/// The expression, read as the rules' patterns are: bytes, whatever their case.
///
/// # Errors
/// What is wrong with it.
pub(super) fn parsed(pattern: &str) -> Result<Hir, String> {
    let mut parser = ParserBuilder::new().utf8(false).unicode(false).case_insensitive(true).build();
    parser.parse(pattern).map_err(|error| error.to_string())
}

/// Literals in lower case, one of which is in every text that the expression matches, whatever its case. `None` if there
/// are no such of two bytes or more.
pub(super) fn required(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    let mut set = literals(hir).filter(|set| worth(set) >= 2)?;
    set.sort();
    set.dedup();
    Some(set)
}

/// The shortest of a set decides how much it narrows down.
fn worth(set: &[Vec<u8>]) -> usize {
    set.iter().map(Vec::len).min().unwrap_or(0)
}

fn better(one: Option<Vec<Vec<u8>>>, other: Option<Vec<Vec<u8>>>) -> Option<Vec<Vec<u8>>> {
    match (one, other) {
        (Some(one), Some(other)) => {
            let (rank, against) = ((worth(&one), usize::MAX - one.len()), (worth(&other), usize::MAX - other.len()));
            Some(if against > rank { other } else { one })
        }
        (one, other) => one.or(other),
    }
}

/// A set of literals of which every match has one.
fn literals(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    if let Some(set) = exact(hir) {
        return (worth(&set) > 0).then_some(set);
    }
    match hir.kind() {
        HirKind::Capture(capture) => literals(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => {
            // what comes twice to five times, comes twice
            let twice = exact(&repetition.sub).filter(|_| repetition.min > 1).and_then(|set| product(&set, &set));
            better(twice, literals(&repetition.sub))
        }
        HirKind::Alternation(branches) => {
            let mut all = Vec::new();
            for branch in branches {
                all.extend(literals(branch)?);
            }
            (all.len() <= ALTERNATIVES).then_some(all)
        }
        HirKind::Concat(parts) => in_sequence(parts),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) | HirKind::Repetition(_) => None,
    }
}

/// The best of what the parts need, neighbours that are exact taken together.
fn in_sequence(parts: &[Hir]) -> Option<Vec<Vec<u8>>> {
    let mut best = None;
    let mut run: Option<Vec<Vec<u8>>> = None;
    for part in parts {
        let longer = exact(part).and_then(|set| match &run {
            Some(run) => product(run, &set),
            None => Some(set),
        });
        if longer.is_none() {
            best = better(best, run.take().filter(|set| worth(set) > 0));
            best = better(best, literals(part));
        }
        run = longer.or_else(|| exact(part));
    }
    better(best, run.filter(|set| worth(set) > 0))
}

/// Every text that `hir` matches, in lower case, if those are few.
fn exact(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    match hir.kind() {
        // a border is no text
        HirKind::Empty | HirKind::Look(_) => Some(vec![Vec::new()]),
        HirKind::Literal(literal) => Some(vec![literal.0.to_ascii_lowercase()]),
        HirKind::Class(class) => members(class),
        HirKind::Capture(capture) => exact(&capture.sub),
        HirKind::Repetition(repetition) => {
            let set = exact(&repetition.sub)?;
            match (repetition.min, repetition.max) {
                (0, Some(1)) => {
                    let mut set = set;
                    set.push(Vec::new());
                    Some(set)
                }
                (min, Some(max)) if min == max && max <= 4 => {
                    (0..min).try_fold(vec![Vec::new()], |all, _| product(&all, &set))
                }
                _ => None,
            }
        }
        HirKind::Concat(parts) => parts.iter().try_fold(vec![Vec::new()], |all, part| product(&all, &exact(part)?)),
        HirKind::Alternation(branches) => {
            let mut all = Vec::new();
            for branch in branches {
                all.extend(exact(branch)?);
            }
            (all.len() <= ALTERNATIVES).then_some(all)
        }
    }
}

/// The class as one of bytes. `None` if there are characters of several bytes in it.
pub(super) fn of_bytes(class: &Class) -> Option<Cow<'_, ClassBytes>> {
    match class {
        Class::Bytes(class) => Some(Cow::Borrowed(class)),
        Class::Unicode(class) => class.to_byte_class().map(Cow::Owned),
    }
}

fn members(class: &Class) -> Option<Vec<Vec<u8>>> {
    let class = of_bytes(class)?;
    let mut all = Vec::new();
    for range in class.ranges() {
        if range.end() - range.start() > 8 {
            return None;
        }
        all.extend((range.start()..=range.end()).map(|byte| vec![byte.to_ascii_lowercase()]));
    }
    all.sort();
    all.dedup();
    (all.len() <= 8).then_some(all)
}

fn product(heads: &[Vec<u8>], tails: &[Vec<u8>]) -> Option<Vec<Vec<u8>>> {
    if heads.len() * tails.len() > ALTERNATIVES || heads.iter().any(|head| head.len() > LENGTH) {
        return None;
    }
    Some(heads.iter().flat_map(|head| tails.iter().map(|tail| [head.as_slice(), tail].concat())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pattern: &str) -> Vec<String> {
        let found = required(&parsed(pattern).unwrap()).unwrap_or_default();
        found.into_iter().map(|literal| String::from_utf8_lossy(&literal).into_owned()).collect()
    }

    #[test]
    fn the_longest_that_is_certain_is_taken() {
        assert_eq!(of(r"\bunion\b\s+select"), ["select"]);
        assert_eq!(of(r"(?:sleep|benchmark)\s*\("), ["benchmark", "sleep"]);
        assert_eq!(of(r"\.git/(?:config|HEAD)\b"), [".git/config", ".git/head"]);
        assert_eq!(of(r"a?b[xy]c"), ["abxc", "abyc", "bxc", "byc"]);
        assert_eq!(of(r"(?:passwd)+x?"), ["passwd"]);
        assert_eq!(of(r"[a-z]\.{2,5}/?"), [".."]);
    }

    #[test]
    fn where_nothing_is_certain_nothing_is_said() {
        assert!(of(r"\d+").is_empty());
        assert!(of(r"(?:select|\d)\s").is_empty());
        assert!(of(r"(?:select)?").is_empty());
        assert!(of(r"[<>]").is_empty());
    }
}
