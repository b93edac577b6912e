//! The engine against a naive one, and its choices.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use rayline_verdict::Moment;

use super::*;
use crate::chunk::{Chunk, Column};
use crate::memory::{Line, Memory};

const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
/// A whole hour.
const START: i64 = 490_000 * HOUR;

fn span(from: i64, to: i64) -> Span {
    Span { from: Moment(START + from), to: Moment(START + to) }
}

fn failed(line: &Line) -> bool {
    !line.text(Dimension::Code).is_empty()
        || line.text(Dimension::EdgeStatus).parse().is_ok_and(|status: u16| status >= 500)
}

fn passes(filter: &Filter, line: &Line) -> bool {
    let value = line.text(filter.dimension);
    match filter.matching {
        Matching::Is => filter.values.iter().any(|wanted| value == wanted),
        Matching::IsNot => !filter.values.iter().any(|wanted| value == wanted),
        Matching::StartsWith => filter.values.iter().any(|wanted| value.starts_with(wanted)),
        Matching::Contains => filter.values.iter().any(|wanted| value.contains(wanted)),
    }
}

/// Sums up lines one by one.
fn sum(lines: &[&Line], query: &Query, table: Table, rows: &[&Line]) -> Sum {
    let sampled = table == Table::Requests;
    let weight = |line: &Line| u64::from(line.weight);
    let bytes = |line: &Line| line.number(Number::ResponseBytes) * if sampled { weight(line) } else { 1 };
    let variance: u64 = lines.iter().map(|line| weight(line) * (weight(line) - 1)).sum();
    Sum {
        requests: lines.iter().map(|line| weight(line)).sum::<u64>() as f64,
        error: if sampled { (variance as f64).sqrt() } else { 0.0 },
        failed: lines.iter().filter(|line| failed(line)).map(|line| weight(line)).sum(),
        bytes: lines.iter().map(|line| bytes(line)).sum::<u64>() as f64,
        quantiles: query.quantiles.iter().map(|(number, share)| exact(rows, *number, *share)).collect(),
    }
}

/// The value of that rank among all values, each as often as its weight says.
fn exact(lines: &[&Line], number: Number, share: f64) -> Option<f64> {
    let mut values: Vec<u64> = lines
        .iter()
        .filter(|line| !number.is_time() || line.number(number) > 0)
        .flat_map(|line| std::iter::repeat_n(line.number(number), line.weight as usize))
        .collect();
    values.sort_unstable();
    let rank = (share * values.len() as f64).ceil() as usize;
    values.get(rank.max(1) - 1).map(|value| *value as f64)
}

/// The naive engine, given the table and the span that the other one chose.
fn naive(lines: &[Line], requests: &[Line], query: &Query, table: Table, covered: Span) -> Answer {
    let wanted = |lines: &'_ [Line], span: Span| -> Vec<Line> {
        let passing = lines.iter().filter(|line| span.contains(Moment(line.at)));
        passing.filter(|line| query.filters.iter().all(|filter| passes(filter, line))).cloned().collect()
    };
    let (lines, requests) = (wanted(lines, covered), wanted(requests, query.span));
    let key = |line: &Line| query.by.iter().map(|by| line.text(*by).to_owned()).collect::<Vec<_>>();
    let mut groups: BTreeMap<Vec<String>, Vec<&Line>> = BTreeMap::new();
    for line in &lines {
        groups.entry(key(line)).or_default().push(line);
    }
    let mut ranked: Vec<_> = groups.into_iter().collect();
    ranked.sort_by(|(_, a), (_, b)| order(&sum(a, query, table, &[]), &sum(b, query, table, &[])));
    let listed = if query.top == 0 { ranked.len() } else { query.top.min(ranked.len()) };
    let keys: Vec<_> = ranked[..listed].iter().map(|(key, _)| key.clone()).collect();
    let others: Vec<&Line> = ranked[listed..].iter().flat_map(|(_, lines)| lines.iter().copied()).collect();
    let step_of = |line: &Line| {
        query.step.map(|step| {
            let step = step.as_nanos() as i64;
            Moment(line.at.div_euclid(step) * step)
        })
    };
    let mut found = Vec::new();
    for (group, lines) in &ranked[..listed] {
        let mut steps: BTreeMap<Option<Moment>, Vec<&Line>> = BTreeMap::new();
        for line in lines {
            steps.entry(step_of(line)).or_default().push(line);
        }
        for (at, lines) in steps {
            let rows: Vec<&Line> = requests.iter().filter(|line| key(line) == *group && step_of(line) == at).collect();
            found.push(Group { key: group.clone(), at, sum: sum(&lines, query, table, &rows) });
        }
    }
    found.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| order(&a.sum, &b.sum)).then_with(|| a.key.cmp(&b.key)));
    let rest: Vec<&Line> = requests.iter().filter(|line| !keys.contains(&key(line))).collect();
    let all: Vec<&Line> = lines.iter().collect();
    Answer {
        groups: found,
        others: (!others.is_empty()).then(|| sum(&others, query, table, &rest)),
        total: sum(&all, query, table, &requests.iter().collect::<Vec<_>>()),
        table,
        span: covered,
        rows: 0,
    }
}

/// Whether quantiles are as near as buckets allow, after which they are made the same.
fn level(found: &mut Sum, naive: &Sum) {
    for (found, naive) in found.quantiles.iter_mut().zip(&naive.quantiles) {
        if let (Some(near), Some(exact)) = (&found, naive) {
            assert!(exact <= near && *near <= exact * (1.0 + 1.0 / 64.0), "{near} for {exact}");
        }
        if found.is_some() == naive.is_some() {
            *found = *naive;
        }
    }
}

const GROUPABLE: [Dimension; 5] =
    [Dimension::Zone, Dimension::Code, Dimension::EdgeStatus, Dimension::Path, Dimension::Origin];

prop_compose! {
    fn line(rolled: bool)(
        at in 0..6 * HOUR,
        weight in prop_oneof![Just(1_u32), Just(10), Just(100), 1..50_u32],
        zone in "[ab]?", code in prop_oneof![Just(""), Just("origin.connect.refused"), Just("edge.reply.shutdown")],
        status in prop_oneof![Just("200"), Just("502"), Just("404")], path in "/[a-e]{0,2}", origin in "[xyz]?",
        bytes in 0..5_000_u64, wait in prop_oneof![Just(0_u64), 1..3_000_000_u64],
    ) -> Line {
        let at = START + if rolled { at - at % MINUTE } else { at };
        let mut line = Line::new(at).with(Dimension::Zone, &zone).with(Dimension::Code, code).with(Dimension::Origin, &origin);
        line = line.with(Dimension::EdgeStatus, status);
        if !rolled {
            line = line.with(Dimension::Path, &path);
        }
        line.weight = weight;
        line.numbers.insert(Number::ResponseBytes, bytes);
        line.numbers.insert(Number::Wait, wait);
        line
    }
}

fn filter() -> impl Strategy<Value = Filter> {
    let matching =
        prop_oneof![Just(Matching::Is), Just(Matching::IsNot), Just(Matching::StartsWith), Just(Matching::Contains)];
    let value =
        prop_oneof![Just(""), Just("a"), Just("b"), Just("502"), Just("2"), Just("origin."), Just("/a"), Just("x")];
    (0..GROUPABLE.len(), matching, vec(value, 1..3)).prop_map(|(dimension, matching, values)| Filter {
        dimension: GROUPABLE[dimension],
        matching,
        values: values.into_iter().map(str::to_owned).collect(),
    })
}

prop_compose! {
    fn question()(
        from in -HOUR..5 * HOUR, length in prop_oneof![1..HOUR, Just(HOUR), Just(5 * HOUR)], whole: bool,
        filters in vec(filter(), 0..3), by in proptest::sample::subsequence(GROUPABLE.to_vec(), 0..=4).prop_shuffle(),
        step in prop_oneof![Just(None), Just(Some(7)), Just(Some(60)), Just(Some(300)), Just(Some(3_600))],
        top in 0..4_usize,
        quantiles in proptest::sample::subsequence(vec![(Number::Wait, 0.5), (Number::Wait, 1.0), (Number::ResponseBytes, 0.0)], 0..=3),
    ) -> Query {
        let from = if whole { from - from.rem_euclid(MINUTE) } else { from };
        Query { span: span(from, from + length), filters, by, step: step.map(Duration::from_secs), top, quantiles }
    }
}

proptest! {
    #[test]
    fn says_what_a_naive_one_says(
        requests in vec(line(false), 0..120), minutes in vec(line(true), 0..120), size in 1..50_usize, mut query in question(),
    ) {
        let mut memory = Memory::default();
        memory.add(Table::Requests, &requests, size);
        memory.add(Table::Minutes, &minutes, size);
        if query.step == Some(Duration::from_secs(7)) {
            query.span.to = query.span.to.min(Moment(query.span.from.0 + HOUR));
        }
        let mut found = run(&memory, &query).unwrap();
        let sketched = found.table != Table::Requests;
        if sketched {
            query.quantiles.clear();
            found = run(&memory, &query).unwrap();
        }
        let lines = if sketched { &minutes } else { &requests };
        let mut naive = naive(lines, &requests, &query, found.table, found.span);
        prop_assert_eq!(found.groups.len(), naive.groups.len());
        for (found, naive) in found.groups.iter_mut().zip(&naive.groups) {
            level(&mut found.sum, &naive.sum);
        }
        level(&mut found.total, &naive.total);
        if let (Some(found), Some(naive)) = (&mut found.others, &naive.others) {
            level(found, naive);
        }
        naive.rows = found.rows;
        prop_assert_eq!(found, naive);
    }

    #[test]
    fn a_damaged_chunk_harms_nobody(
        at in vec(0..6 * HOUR, 0..40), weight in vec(0..9_u32, 0..40), codes in vec(0..6_u32, 0..40),
        values in vec("[ab]{0,2}", 0..4), numbers in vec(any::<u64>(), 0..40), query in question(),
    ) {
        let mut chunk = Chunk { at: at.iter().map(|at| START + at).collect(), weight: weight.into(), ..Chunk::default() };
        let values = std::sync::Arc::new(values.into_iter().map(Into::into).collect::<Vec<std::sync::Arc<str>>>());
        for dimension in [Dimension::Code, Dimension::Zone, Dimension::Path, Dimension::Origin] {
            chunk.columns[dimension.index()] = Some(Column { codes: codes.clone().into(), values: values.clone() });
        }
        chunk.numbers[Number::Wait.index()] = Some(numbers.clone().into());
        chunk.numbers[Number::ResponseBytes.index()] = Some(numbers.into());
        let mut memory = Memory::default();
        for table in [Table::Requests, Table::Minutes, Table::Hours, Table::Times] {
            memory.add_chunk(table, chunk.clone());
        }
        let length = query.span.to.0 - query.span.from.0;
        let asked = run(&memory, &query);
        prop_assert!(asked.is_ok() || length > 5_000 * 7 * SECOND);
        prop_assert!(rows(&memory, query.span, &query.filters, 10).is_ok());
    }

    #[test]
    fn a_link_is_the_same_question(mut query in question()) {
        let mut seen = Vec::new();
        query.filters.retain(|filter| {
            let kind = (filter.dimension, filter.matching.sign());
            let new = !seen.contains(&kind);
            seen.push(kind);
            new
        });
        prop_assert_eq!(Query::from_pairs(query.to_pairs(), Moment(0)), Ok(query));
    }

    #[test]
    fn quantiles_are_never_low_and_at_most_a_64th_high(value: u64) {
        let bound = measure::bound_of(value);
        prop_assert!(value <= bound && u128::from(bound) * 64 <= u128::from(value) * 65 + 64);
    }
}

fn ask(pairs: &[(&str, &str)]) -> Result<Query, Vec<String>> {
    Query::from_pairs(pairs.iter().copied(), Moment(START))
}

#[test]
fn pairs_are_read() {
    let query = ask(&[
        ("from", "-2h"),
        ("to", "now"),
        ("by", "code"),
        ("by", "origin"),
        ("step", "5m"),
        ("top", "7"),
        ("q", "wait:0.99"),
        ("zone", "a.example"),
        ("zone", "b.example"),
        ("path^", "/shop"),
        ("code!", ""),
    ])
    .unwrap();
    assert_eq!(query.span, span(-2 * HOUR, 0));
    assert_eq!(query.by, [Dimension::Code, Dimension::Origin]);
    assert_eq!((query.step, query.top), (Some(Duration::from_secs(300)), 7));
    assert_eq!(query.quantiles, [(Number::Wait, 0.99)]);
    assert_eq!(query.filters.len(), 3);
    assert_eq!(query.filters[0].values, ["a.example", "b.example"]);
    assert_eq!((query.filters[1].matching, query.filters[2].matching), (Matching::StartsWith, Matching::IsNot));
}

#[test]
fn every_mistake_in_a_link_is_named() {
    let wrong =
        ask(&[("form", "-2h"), ("to", "soon"), ("by", "orgin"), ("step", "x"), ("q", "wiat:0.5"), ("top", "-1")]);
    let wrong = wrong.unwrap_err();
    assert_eq!(wrong.len(), 6);
    assert!(wrong[0].ends_with("did you mean `from`?"), "{}", wrong[0]);
    assert!(wrong[1].contains("`soon`"), "{}", wrong[1]);
    assert!(wrong[2].ends_with("did you mean `origin`?"), "{}", wrong[2]);
    assert!(wrong[4].ends_with("did you mean `wait`?"), "{}", wrong[4]);
}

#[test]
fn nonsense_is_refused_by_the_limit_it_breaks() {
    let good = Query::new(span(0, HOUR));
    let day = 24 * HOUR;
    let code = Filter { dimension: Dimension::Code, matching: Matching::Is, values: Vec::new() };
    let rows = [
        (Query { span: span(HOUR, 0), ..good.clone() }, "`from` must be earlier"),
        (Query { span: span(0, 401 * day), ..good.clone() }, "400 days"),
        (Query { by: GROUPABLE.to_vec(), ..good.clone() }, "4 dimensions"),
        (Query { by: vec![Dimension::Code; 2], ..good.clone() }, "`code` twice"),
        (Query { step: Some(Duration::ZERO), ..good.clone() }, "longer than nothing"),
        (Query { step: Some(Duration::from_millis(1)), ..good.clone() }, "5000"),
        (Query { quantiles: vec![(Number::Wait, 1.5)], ..good.clone() }, "between 0 and 1"),
        (Query { quantiles: vec![(Number::Wait, f64::NAN)], ..good.clone() }, "between 0 and 1"),
        (Query { filters: vec![code], ..good.clone() }, "no value"),
        (Query { by: vec![Dimension::Phase, Dimension::Code], ..good }, "`phase` is only kept"),
    ];
    for (query, why) in rows {
        let refused = run(&Memory::default(), &query).unwrap_err().to_string();
        assert!(refused.contains(why), "{refused}");
    }
}

#[test]
fn an_empty_store_has_an_answer() {
    let query = Query { by: vec![Dimension::Code], quantiles: vec![(Number::Wait, 0.5)], ..Query::new(span(0, HOUR)) };
    let answer = run(&Memory::default(), &query).unwrap();
    assert_eq!(answer.total, Sum { quantiles: vec![None], ..Sum::default() });
    assert_eq!((answer.groups, answer.others), (Vec::new(), None));
    assert_eq!(rows(&Memory::default(), span(0, HOUR), &[], 10).unwrap(), []);
    assert_eq!(first_seen(&Memory::default(), Dimension::Code, span(0, HOUR), &[]).unwrap(), []);
}

#[test]
fn hours_are_read_as_far_as_they_are_there_and_minutes_around_them() {
    let counted = |at: i64, weight| {
        let mut line = Line::new(START + at).with(Dimension::Code, "").with(Dimension::EdgeStatus, "200");
        line.weight = weight;
        line
    };
    let minutes: Vec<Line> = (0..6 * 60).map(|minute| counted(minute * MINUTE, 1)).collect();
    // the last two hours have not been summed up yet
    let hours: Vec<Line> = (0..4).map(|hour| counted(hour * HOUR, 60)).collect();
    let mut memory = Memory::default();
    memory.add(Table::Minutes, &minutes, 100);
    memory.add(Table::Hours, &hours, 100);
    let answer = run(&memory, &Query::new(span(30 * MINUTE, 5 * HOUR + 30 * MINUTE))).unwrap();
    assert_eq!((answer.table, answer.total.requests, answer.total.error), (Table::Hours, 300.0, 0.0));
    assert_eq!(answer.rows, 3 + 30 + 90);
    let by_minute = Query { step: Some(Duration::from_secs(60)), ..Query::new(span(0, 6 * HOUR)) };
    let answer = run(&memory, &by_minute).unwrap();
    assert_eq!((answer.table, answer.groups.len()), (Table::Minutes, 360));
}

#[test]
fn times_come_from_sketches_where_these_know_the_dimensions() {
    let bucket = |bound: u64, weight| {
        let mut line = Line::new(START).with(Dimension::Zone, "a").with(Dimension::Phase, "wait");
        line = line.with(Dimension::Bucket, &bound.to_string());
        line.weight = weight;
        line
    };
    let counted = Line { weight: 100, ..Line::new(START).with(Dimension::Zone, "a") };
    let mut memory = Memory::default();
    memory.add(Table::Minutes, &[counted], 10);
    memory.add(Table::Times, &[bucket(1_000, 90), bucket(9, 1), bucket(50_000, 9)], 2);
    let quantiles = vec![(Number::Wait, 0.5), (Number::Wait, 0.99), (Number::Tcp, 0.5)];
    let query = Query { by: vec![Dimension::Zone], quantiles, ..Query::new(span(0, HOUR)) };
    let answer = run(&memory, &query).unwrap();
    assert_eq!(answer.groups[0].sum.quantiles, [Some(1_000.0), Some(50_000.0), None]);
    assert_eq!(answer.total.quantiles, [Some(1_000.0), Some(50_000.0), None]);
    let by_bucket = Query { by: vec![Dimension::Bucket], ..Query::new(span(0, HOUR)) };
    assert_eq!(run(&memory, &by_bucket).unwrap().groups[0].key, ["1000"]);
}

#[test]
fn the_newest_rows_come_first_with_their_lines() {
    let lines: Vec<Line> = (0..300)
        .map(|nth| Line::new(START + nth * 40 * SECOND).with(Dimension::Zone, ["a", "b", "c"][nth as usize % 3]))
        .collect();
    let mut memory = Memory::default();
    memory.add(Table::Requests, &lines, 7);
    let filters = [Filter { dimension: Dimension::Zone, matching: Matching::Is, values: vec!["b".to_owned()] }];
    let found = rows(&memory, span(0, 200 * 40 * SECOND), &filters, 5).unwrap();
    let at: Vec<i64> = found.iter().map(|row| (row.at.0 - START) / (40 * SECOND)).collect();
    assert_eq!(at, [199, 196, 193, 190, 187]);
    assert!(found[0].line.starts_with(b"line of "));
}

#[test]
fn a_value_is_first_seen_to_the_minute() {
    let day = 24 * HOUR;
    let at = |at: i64, code| Line::new(START + at).with(Dimension::Code, code);
    let lines = [
        at(0, "a"),
        at(3 * day + 5 * MINUTE, "b"),
        at(50 * day + 7 * HOUR + 3 * MINUTE, "c"),
        at(50 * day + 8 * HOUR, "a"),
    ];
    let mut memory = Memory::default();
    memory.add(Table::Minutes, &lines, 2);
    let first = first_seen(&memory, Dimension::Code, span(0, 60 * day), &[]).unwrap();
    let expected = [("a", 0), ("b", 3 * day + 5 * MINUTE), ("c", 50 * day + 7 * HOUR + 3 * MINUTE)];
    assert_eq!(first, expected.map(|(code, at)| (code.to_owned(), Moment(START + at))));
}
