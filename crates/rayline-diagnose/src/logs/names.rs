//! What a line of a log means: its cause, with the particulars that it tells.
//!
//! It goes by what a line says, whoever wrote it: any program's message may turn up in any log, an application's in its
//! web server's, everybody's in the journal. What visitors chose (paths, queries, referrers) is left out of what is looked
//! at as far as the servers quote it, so that nobody can write a false cause into a log. Access logs have nothing to name,
//! but for HAProxy's, whose termination state tells.

use std::sync::{LazyLock, OnceLock};

use aho_corasick::AhoCorasick;
use regex::{Regex, RegexBuilder};

use self::pattern::Pattern;
use super::{Cause, Source};

mod apache;
mod caches;
mod database;
mod go;
mod harmless;
mod host;
mod java;
mod nginx;
mod node;
mod pattern;
mod php;
mod place;
mod proxies;
mod python;
mod resources;
mod ruby;
mod services;
mod spoken;
mod systemd;

/// The most bytes of a message that are looked at: its beginning, and as many again of its end, where some languages put
/// what matters.
const HALF: usize = 16 * 1024;

/// What a line means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// What is wrong.
    pub cause: Cause,
    /// What the line tells of it, in one sentence with its particulars; without a period at its end.
    pub sentence: String,
    /// Where in the code, `file:line`: the application's own line rather than a library's.
    pub place: Option<String>,
}

/// What a message means, or nothing if it names no fault that is known.
///
/// The message may have several lines, such as a stack trace; with or without the time and level before it. `source` is
/// who wrote the log: few patterns need it.
pub fn name(source: Source, message: &str) -> Option<Meaning> {
    let table = &*TABLE;
    let message = spoken::ends(message, HALF);
    // Most lines have no needle: they cost one pass, and no memory.
    let mut hits: Vec<bool> = Vec::new();
    for hit in table.needles.find_overlapping_iter(&*message) {
        hits.resize(table.rows.len(), false);
        for &row in table.rows_of.get(hit.pattern().as_usize()).into_iter().flatten() {
            if let Some(slot) = hits.get_mut(row) {
                *slot = true;
            }
        }
    }
    if hits.is_empty() {
        return None;
    }
    let message = spoken::without_visitors_words(&message);
    let hit_rows = table.rows.iter().zip(hits).filter_map(|(row, hit)| hit.then_some(row));
    for row in hit_rows.filter(|row| row.pattern.may_be_by(source)) {
        if let Some(captures) = row.regex().and_then(|regex| regex.captures(&message)) {
            let (cause, sentence) = row.pattern.meaning?;
            let told = pattern::place(&captures);
            return Some(Meaning {
                cause,
                sentence: pattern::fill(sentence, &captures),
                place: told.or_else(|| place::find(&message)),
            });
        }
    }
    None
}

/// All patterns, in the order in which they are tried: what is no fault first, then the particular before the general.
static TABLE: LazyLock<Table> = LazyLock::new(|| Table::new(&PATTERNS));

const PATTERNS: [&[Pattern]; 18] = [
    harmless::PATTERNS,
    host::PATTERNS,
    database::PATTERNS,
    database::unreachable::PATTERNS,
    caches::PATTERNS,
    services::DNS,
    nginx::PATTERNS,
    apache::PATTERNS,
    proxies::PATTERNS,
    services::PATTERNS,
    php::PATTERNS,
    resources::PATTERNS,
    python::PATTERNS,
    node::PATTERNS,
    java::PATTERNS,
    ruby::PATTERNS,
    go::PATTERNS,
    systemd::PATTERNS,
];

struct Table {
    needles: AhoCorasick,
    /// For each needle, the rows that want it.
    rows_of: Vec<Vec<usize>>,
    rows: Vec<Row>,
}

struct Row {
    pattern: &'static Pattern,
    regex: OnceLock<Option<Regex>>,
}

impl Row {
    /// The pattern's expression, compiled when it is first wanted. A test sees to it that all of them compile.
    fn regex(&self) -> Option<&Regex> {
        self.regex
            .get_or_init(|| RegexBuilder::new(self.pattern.regex).multi_line(true).size_limit(1 << 22).build().ok())
            .as_ref()
    }
}

impl Table {
    fn new(groups: &[&'static [Pattern]]) -> Self {
        let mut needles: Vec<&'static str> = Vec::new();
        let mut rows_of: Vec<Vec<usize>> = Vec::new();
        let mut rows = Vec::new();
        for pattern in groups.iter().copied().flatten() {
            for needle in pattern.needles {
                let known = needles.iter().position(|other| other == needle).unwrap_or_else(|| {
                    needles.push(needle);
                    rows_of.push(Vec::new());
                    needles.len() - 1
                });
                if let Some(wanted_by) = rows_of.get_mut(known) {
                    wanted_by.push(rows.len());
                }
            }
            rows.push(Row { pattern, regex: OnceLock::new() });
        }
        #[expect(clippy::expect_used, reason = "the needles are constants, few and short: a test builds them")]
        let needles = AhoCorasick::builder().ascii_case_insensitive(true).build(needles).expect("needles fit");
        Self { needles, rows_of, rows }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_is_whole() {
        for row in &TABLE.rows {
            let pattern = row.pattern;
            assert!(!pattern.needles.is_empty(), "no needle: {}", pattern.regex);
            let regex = row.regex().unwrap_or_else(|| panic!("does not compile: {}", pattern.regex));
            let Some((_, sentence)) = pattern.meaning else { continue };
            assert!(!sentence.ends_with('.'), "{sentence}");
            for group in pattern::groups_of(sentence) {
                assert!(regex.capture_names().flatten().any(|name| name == group), "no `{group}` in {}", pattern.regex);
            }
        }
    }
}
