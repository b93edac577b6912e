//! What a text must have in it so that a regular expression can match.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

/// Fewer bytes say too little.
const SHORTEST: usize = 2;
/// More alternatives say too little.
const MOST: usize = 16;

/// Literals of which a text has one, at least, if the expression matches it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Required {
    pub(super) literals: Vec<Vec<u8>>,
    /// In either case, and in lower case here.
    pub(super) ignores_case: bool,
}

/// The literals that an expression cannot match without, if there are any to speak of.
pub(super) fn required(pattern: &[u8]) -> Option<Required> {
    let pattern = std::str::from_utf8(pattern).ok()?;
    let parsed = ParserBuilder::new().unicode(false).utf8(false).build().parse(pattern).ok()?;
    let mut found = of(&parsed)?;
    if found.ignores_case {
        found.literals.iter_mut().for_each(|literal| literal.make_ascii_lowercase());
    }
    (found.shortest() >= SHORTEST && found.literals.len() <= MOST).then_some(found)
}

impl Required {
    fn one(literal: Vec<u8>, ignores_case: bool) -> Self {
        Self { literals: vec![literal], ignores_case }
    }

    fn shortest(&self) -> usize {
        self.literals.iter().map(Vec::len).min().unwrap_or(0)
    }

    /// Either of two: what ignores the case of one ignores that of both, which only says less.
    fn or(mut self, other: Self) -> Self {
        self.literals.extend(other.literals);
        Self { literals: self.literals, ignores_case: self.ignores_case || other.ignores_case }
    }
}

fn of(hir: &Hir) -> Option<Required> {
    match hir.kind() {
        HirKind::Literal(_) | HirKind::Class(_) => piece(hir).map(|(bytes, folds)| Required::one(bytes, folds)),
        HirKind::Capture(group) => of(&group.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => of(&repetition.sub),
        HirKind::Repetition(_) | HirKind::Look(_) | HirKind::Empty => None,
        HirKind::Alternation(alternatives) => {
            let each = alternatives.iter().map(of).collect::<Option<Vec<_>>>()?;
            each.into_iter().reduce(Required::or)
        }
        HirKind::Concat(parts) => {
            let mut found: Vec<Required> = parts.iter().filter_map(of).collect();
            // neighbours that are literals are one literal
            let mut run = Required::one(Vec::new(), false);
            for part in parts.iter().map(Some).chain([None]) {
                match part.and_then(piece) {
                    Some((bytes, folds)) => {
                        run.literals.iter_mut().for_each(|literal| literal.extend_from_slice(&bytes));
                        run.ignores_case |= folds;
                    }
                    None => found.push(std::mem::replace(&mut run, Required::one(Vec::new(), false))),
                }
            }
            found.into_iter().max_by_key(Required::shortest)
        }
    }
}

/// A literal, or a letter in either case, and whether it is that.
fn piece(hir: &Hir) -> Option<(Vec<u8>, bool)> {
    match hir.kind() {
        HirKind::Literal(literal) => Some((literal.0.to_vec(), false)),
        HirKind::Class(Class::Bytes(class)) => match class.ranges() {
            [upper, lower] if upper.start() == upper.end() && lower.start() == lower.end() => {
                either(upper.start(), lower.start())
            }
            _ => None,
        },
        HirKind::Class(Class::Unicode(class)) => match class.ranges() {
            [upper, lower] if upper.start() == upper.end() && lower.start() == lower.end() => {
                either(u8::try_from(upper.start()).ok()?, u8::try_from(lower.start()).ok()?)
            }
            _ => None,
        },
        HirKind::Empty
        | HirKind::Look(_)
        | HirKind::Repetition(_)
        | HirKind::Capture(_)
        | HirKind::Concat(_)
        | HirKind::Alternation(_) => None,
    }
}

fn either(upper: u8, lower: u8) -> Option<(Vec<u8>, bool)> {
    (upper.is_ascii_uppercase() && upper.to_ascii_lowercase() == lower).then(|| (vec![lower], true))
}

#[cfg(test)]
mod tests {
    use super::required;

    #[test]
    fn what_every_match_has_is_required() {
        type Row = (&'static str, Option<(&'static [&'static str], bool)>);
        let rows: [Row; 12] = [
            (r"^/articles/200[7-8]/$", Some((&["/articles/200"], false))),
            (r"(foo|quux)bar+", Some((&["foo", "quux"], false))),
            (r"(?i)union\s+select", Some((&["select"], true))),
            (r"(?i)wp-login\.php", Some((&["wp-login.php"], true))),
            (r"\.php$", Some((&[".php"], false))),
            (r"(abc)?", None),
            (r"[a-z]+", None),
            (r".*", None),
            (r"a", None),
            (r"(abc|.*)", None),
            (r"(?:abc){2}", Some((&["abc"], false))),
            (r"x*abc", Some((&["abc"], false))),
        ];
        for (pattern, expected) in rows {
            let found = required(pattern.as_bytes());
            let found = found.map(|it| {
                (
                    it.literals.iter().map(|it| String::from_utf8(it.clone()).unwrap()).collect::<Vec<_>>(),
                    it.ignores_case,
                )
            });
            let expected = expected.map(|(texts, folds)| (texts.iter().map(|it| (*it).to_owned()).collect(), folds));
            assert_eq!(found, expected, "{pattern}");
        }
    }
}
