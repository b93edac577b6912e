//! Words that have no place in the tree: what is unfinished, and where it was made.

use std::fs;

use crate::tree::{Findings, files, root};

/// A word, in parts so that this file passes its own test, where it is looked for, and what is wrong with it.
struct Banned {
    word: &'static str,
    scope: Scope,
    reason: &'static str,
}

/// Where a word is not wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// Anywhere, also as a part of a word.
    Anywhere,
    /// As a word of its own. In quotes, or joined to others by a hyphen, it is data.
    Alone,
    /// In Rust files.
    Rust,
}

const UNFINISHED: &str = "unfinished work is not in the tree: finish it, or leave it out";
const PLACE: &str = "the project speaks of the project alone, not of a machine it was made on";
const HOST: &str = "where packages come from is the business of whoever builds";
const IDLE: &str = "a test that does not run, or passes because something panics, proves nothing";

const BANNED: &[Banned] = &[
    Banned { word: concat!("TO", "DO"), scope: Scope::Alone, reason: UNFINISHED },
    Banned { word: concat!("FIX", "ME"), scope: Scope::Alone, reason: UNFINISHED },
    Banned { word: concat!("X", "XX"), scope: Scope::Alone, reason: UNFINISHED },
    Banned { word: concat!("todo", "!("), scope: Scope::Rust, reason: UNFINISHED },
    Banned { word: concat!("unimplemented", "!("), scope: Scope::Rust, reason: UNFINISHED },
    Banned { word: concat!("#[", "ignore"), scope: Scope::Rust, reason: IDLE },
    Banned { word: concat!("should", "_panic"), scope: Scope::Rust, reason: IDLE },
    Banned { word: concat!("/", "work/"), scope: Scope::Anywhere, reason: PLACE },
    Banned { word: concat!("/", "root/"), scope: Scope::Anywhere, reason: PLACE },
    Banned { word: concat!("shared", "/"), scope: Scope::Anywhere, reason: PLACE },
    Banned { word: concat!("sub", "agent"), scope: Scope::Anywhere, reason: PLACE },
    Banned { word: concat!("helper", "-"), scope: Scope::Anywhere, reason: PLACE },
    Banned { word: concat!("static.crates", ".io"), scope: Scope::Anywhere, reason: HOST },
    Banned { word: concat!("index.crates", ".io"), scope: Scope::Anywhere, reason: HOST },
    Banned { word: concat!("pypi", ".org"), scope: Scope::Anywhere, reason: HOST },
    Banned { word: concat!("registry.npmjs", ".org"), scope: Scope::Anywhere, reason: HOST },
    Banned { word: concat!("proxy.golang", ".org"), scope: Scope::Anywhere, reason: HOST },
    Banned { word: concat!("deb.debian", ".org"), scope: Scope::Anywhere, reason: HOST },
];

impl Banned {
    fn is_in(&self, line: &str, rust: bool) -> bool {
        match self.scope {
            Scope::Anywhere => line.contains(self.word),
            Scope::Rust => rust && line.contains(self.word),
            Scope::Alone => line.match_indices(self.word).any(|(start, _)| {
                let (before, rest) = line.split_at(start);
                let after = rest.strip_prefix(self.word).and_then(|after| after.chars().next());
                let joins = |neighbour: char| neighbour.is_alphanumeric() || matches!(neighbour, '_' | '-' | '"');
                !before.chars().next_back().is_some_and(joins) && !after.is_some_and(joins)
            }),
        }
    }
}

#[test]
fn nothing_speaks_of_what_it_should_not() {
    let mut findings = Findings::default();
    for path in files() {
        // what is no text has no words
        let Ok(text) = String::from_utf8(fs::read(root().join(&path)).unwrap()) else { continue };
        let rust = path.extension().is_some_and(|extension| extension == "rs");
        for (number, line) in text.lines().enumerate() {
            for banned in BANNED.iter().filter(|banned| banned.is_in(line, rust)) {
                let place = format!("{}:{}", path.display(), number + 1);
                findings.add(place, format!("`{}`", banned.word), banned.reason);
            }
        }
    }
    findings.none();
}

#[test]
fn a_word_alone_is_told_from_a_part() {
    let marker = BANNED.iter().find(|banned| banned.scope == Scope::Alone).unwrap();
    let word = marker.word;
    for line in [word.to_owned(), format!("// {word}: later"), format!("({word})")] {
        assert!(marker.is_in(&line, false), "{line}");
    }
    for line in
        [format!("{word}S"), format!("A{word}"), format!("\"{word}\""), format!("MY_{word}"), format!("0-{word}")]
    {
        assert!(!marker.is_in(&line, false), "{line}");
    }
}
