use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use super::{Key, Otherwise, SECTIONS, Section, nearest};
use crate::{Problem, Source, compile};

/// A text in which nothing is written but `key` of `section`, and the tables above it.
fn text_with(section: &Section, key: &Key, value: &str) -> String {
    let mut text = String::new();
    for end in section.path.match_indices('.').map(|(at, _)| at).chain([section.path.len()]) {
        let above = SECTIONS.iter().find(|above| above.path == &section.path[..end]).unwrap();
        text += &format!("{}\n", above.header());
    }
    format!("{text}{} = {value}\n", key.name)
}

/// The path that a problem of `key` has.
fn path_of(section: &Section, key: &Key) -> String {
    let mut path = String::new();
    let mut so_far = String::new();
    for name in section.path.split('.').filter(|name| !name.is_empty()) {
        so_far += if so_far.is_empty() { "" } else { "." };
        so_far += name;
        let header = SECTIONS.iter().find(|above| above.path == so_far).unwrap().header();
        let index = match (header.starts_with("[["), header.ends_with(".NAME]")) {
            (true, _) => "[0]",
            (false, true) => ".NAME",
            (false, false) => "",
        };
        path += &format!("{name}{index}.");
    }
    path + key.name
}

fn problems_of(section: &Section, key: &Key, value: &str) -> Vec<Problem> {
    let text = text_with(section, key, value);
    let source = Source { name: String::new(), text, base: PathBuf::from("/nowhere") };
    let (_, problems) = compile(&source, UNIX_EPOCH);
    problems.into_iter().filter(|problem| problem.path == path_of(section, key)).collect()
}

fn every_key() -> impl Iterator<Item = (&'static Section, &'static Key)> {
    SECTIONS.into_iter().flat_map(|section| section.keys.iter().map(move |key| (section, key)))
}

/// A date is a value of no key: where it passes, the key is in the table but nothing reads it.
#[test]
fn every_key_of_the_table_is_read() {
    for (section, key) in every_key() {
        let problems = problems_of(section, key, "2026-01-01");
        let refused = problems.iter().any(|problem| problem.message.starts_with("expected "));
        assert!(refused, "`{}` of `{}` is not read: {problems:?}", key.name, section.path);
    }
}

#[test]
fn every_default_and_example_is_of_its_kind() {
    for (section, key) in every_key() {
        let value = match key.otherwise {
            Otherwise::Required { example } | Otherwise::Nothing { example, .. } => example,
            Otherwise::Default(text) => text,
        };
        if key.kind.section().is_some() {
            continue;
        }
        // the files of examples are not there and there is no zone, but that is all that may be wrong
        for problem in problems_of(section, key, value) {
            let absent = problem.message.starts_with("there is no ");
            let of_this_version = problem.message.contains("in this version");
            assert!(absent || of_this_version, "{} = {value}: {}", key.name, problem.message);
        }
    }
}

#[test]
fn names_are_unique_and_sentences_have_no_full_stop() {
    for section in SECTIONS {
        let later = section.later.iter().flat_map(|later| later.names.iter().copied());
        let mut names: Vec<&str> = section.keys.iter().map(|key| key.name).chain(later).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "a name stands twice in `{}`", section.path);
    }
    for (section, key) in every_key() {
        assert!(!key.doc.is_empty() && !key.doc.ends_with('.'), "{}.{}", section.path, key.name);
    }
}

#[test]
fn every_section_hangs_on_a_key() {
    for section in SECTIONS.iter().filter(|section| !section.path.is_empty()) {
        assert!(!section.header().is_empty(), "nothing leads to `{}`", section.path);
    }
    let tables = every_key().filter(|(_, key)| key.kind.section().is_some()).count();
    assert_eq!(tables + 1, SECTIONS.len());
}

#[test]
fn nearest_finds_what_was_meant() {
    let rows = [
        ("thread", Some("threads")),
        ("Threads", Some("threads")),
        ("data-dir", Some("data_dir")),
        ("htpp", Some("http")),
        ("hosts", None),
        ("x", None),
        ("", None),
    ];
    for (written, expected) in rows {
        assert_eq!(nearest(written, ["http", "https", "threads", "data_dir", "colo"]), expected, "{written}");
    }
    assert_eq!(nearest("3", ["1", "2"]), None, "no letter of it is right");
}
