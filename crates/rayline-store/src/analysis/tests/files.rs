//! Files, which keep failed requests apart and tell what they know of their rows, against the same rows in memory.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::shelf::Shelf;
use crate::store::Options;

/// Whatever is asked must be the same from both.
fn assert_same(memory: &Memory, shelf: &Shelf, span: Span) {
    let filters: [&[Filter]; 4] = [
        &[],
        &[only(Dimension::Host, "shop.example")],
        &[only(Dimension::Code, REFUSED), only(Dimension::Method, "GET")],
        &[Filter { dimension: Dimension::Path, matching: Matching::StartsWith, values: vec!["/l".to_owned()] }],
    ];
    for filters in filters {
        assert_eq!(incidents(shelf, span, filters).unwrap(), incidents(memory, span, filters).unwrap());
        assert_eq!(impact(shelf, span, filters).unwrap(), impact(memory, span, filters).unwrap());
        let warned = |source: &dyn Source| approaching(source, span, filters, &limits()).unwrap();
        assert_eq!(warned(shelf), warned(memory));
        let by = vec![Dimension::Path, Dimension::Code];
        let asked = Query { by, filters: filters.to_vec(), ..Query::new(span) };
        assert_eq!(run(shelf, &asked).unwrap().groups, run(memory, &asked).unwrap().groups);
    }
}

/// Looked for text by text, row by row.
fn came_through(memory: &Memory, span: Span) -> u64 {
    let (mut failed, mut through) = (BTreeMap::new(), BTreeSet::new());
    for chunk in memory.chunks(Table::Requests, span, &Wanted::all()).unwrap() {
        for row in (0..chunk.len()).filter(|row| span.contains(Moment(chunk.at[*row]))) {
            let text = |dimension: Dimension| {
                let column = chunk.columns[dimension.index()].as_ref().unwrap();
                column.values[column.codes[row] as usize].to_string()
            };
            let asked = [Dimension::Client, Dimension::Host, Dimension::Path].map(text);
            if !text(Dimension::Code).is_empty() {
                failed.entry(asked).or_insert(chunk.at[row]);
            } else if failed.get(&asked).is_some_and(|failed| *failed < chunk.at[row]) {
                through.insert(text(Dimension::Client));
            }
        }
    }
    through.len() as u64
}

#[test]
fn files_answer_as_rows_in_memory_do() {
    for seed in SEEDS {
        let mut history = History::new(seed);
        history.fail(30 * MINUTE, 50 * MINUTE, 0.7, REFUSED, |line| line.text(Dimension::Origin) == "10.0.0.1:80");
        history.fail(40 * MINUTE, 55 * MINUTE, 0.3, TIMED_OUT, |line| line.text(Dimension::Path) == "/list");
        history.change(20 * MINUTE, 21 * MINUTE, |line| {
            line.numbers.insert(Number::RequestBytes, 90_000);
        });
        let memory = history.store(0, 2 * HOUR);
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(folder.path()).unwrap();
        for table in [Table::Requests, Table::Minutes, Table::Times] {
            // files of different sizes, some of which overlap
            let chunks = memory.chunks(table, span(0, 2 * HOUR), &Wanted::all()).unwrap();
            for parts in chunks.chunks(1 + seed as usize) {
                shelf.add(table, &Chunk::concat(parts)).unwrap();
            }
        }
        let asked = [span(0, 2 * HOUR), span(25 * MINUTE + SECOND, HOUR + 7 * SECOND)];
        for span in asked {
            assert_same(&memory, &shelf, span);
            assert_eq!(impact(&shelf, span, &[]).unwrap().came_through, came_through(&memory, span), "seed {seed}");
        }
        assert!(came_through(&memory, asked[0]) > 5, "too little to compare");
        let options = Options {
            requests_age: Duration::MAX,
            counts_age: Duration::MAX,
            max_bytes: u64::MAX,
            ..Options::new(folder.path().to_owned())
        };
        shelf.trim(Moment(START + 48 * HOUR), &options).unwrap();
        asked.into_iter().for_each(|span| assert_same(&memory, &shelf, span));
    }
}
