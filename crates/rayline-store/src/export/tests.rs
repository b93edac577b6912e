use super::*;
use crate::memory::{Line, Memory};
use crate::query::Matching;
use crate::segment::Segment;
use crate::segment::tests::{read_all, rows_of};

/// What a visitor might choose to hurt whoever opens the table.
const HOSTILE: [&str; 6] = ["=cmd|'/c calc'!A1", "@SUM(1)", "a,\"b\"\r\nc", "-1+1", "\u{fffd}\u{0}", "+49 30"];

fn store() -> Memory {
    let mut memory = Memory::default();
    let lines: Vec<_> = (0..100)
        .map(|row| {
            let host = if row % 2 == 0 { "even.example" } else { "odd.example" };
            let mut line = Line::new(1_700_000_000_000_000_000 + row * 1_000_000)
                .with(Dimension::Host, host)
                .with(Dimension::UserAgent, HOSTILE[row as usize % HOSTILE.len()]);
            line.numbers.insert(Number::Wait, row as u64);
            line
        })
        .collect();
    memory.add(Table::Requests, &lines, 7);
    memory
}

const SPAN: Span = Span { from: Moment(0), to: Moment(1_700_000_000_090_000_000) };

fn even() -> Vec<Filter> {
    vec![Filter { dimension: Dimension::Host, matching: Matching::Is, values: vec!["even.example".to_owned()] }]
}

fn exported(format: Format) -> Vec<u8> {
    let mut out = Vec::new();
    assert_eq!(export(&store(), SPAN, &even(), format, &mut out).unwrap(), 45);
    out
}

#[test]
fn csv_has_one_record_per_row_and_no_formula() {
    let out = exported(Format::Csv);
    let mut table = csv::Reader::from_reader(&out[..]);
    let names: Vec<_> = table.headers().unwrap().iter().map(str::to_owned).collect();
    let place = |name: &str| names.iter().position(|have| have == name).unwrap();
    assert_eq!(names[..4], ["at", "ray", "weight", "zone"]);
    let records: Vec<_> = table.records().map(Result::unwrap).collect();
    assert_eq!(records.len(), 45);
    assert_eq!(&records[1][place("at")], "2023-11-14T22:13:20.002Z");
    for (nth, record) in records.iter().enumerate() {
        let hostile = HOSTILE[nth * 2 % HOSTILE.len()];
        assert_eq!(record[place("user_agent")].trim_start_matches('\''), hostile);
        assert!(record.iter().all(|field| !field.starts_with(['=', '+', '-', '@'])));
        assert_eq!(record[place("wait")], (nth * 2).to_string());
    }
    assert!(out.ends_with(b"\r\n"));
}

#[test]
fn lines_are_the_logs() {
    let out = String::from_utf8(exported(Format::Ndjson)).unwrap();
    assert_eq!(out.lines().count(), 45);
}

#[test]
fn parquet_holds_the_same_rows() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), exported(Format::Parquet)).unwrap();
    let rows = rows_of(&read_all(&Segment::open(file.path()).unwrap()));
    assert_eq!(rows.len(), 45);
    let waits = rows.iter().map(|row| row.4.iter().find(|(number, _)| *number == Number::Wait).unwrap().1);
    assert!(waits.eq((0..90).step_by(2)));
    assert!(rows.iter().all(|row| row.3.contains(&(Dimension::Host, "even.example".to_owned()))));
}

#[test]
fn nothing_to_export_is_still_a_whole_file() {
    for format in Format::ALL {
        assert_eq!(Format::named(format.name()), Some(format));
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut out = file.reopen().unwrap();
        assert_eq!(export(&Memory::default(), SPAN, &[], format, &mut out).unwrap(), 0);
        if format == Format::Parquet {
            assert_eq!(Segment::open(file.path()).unwrap().rows(), 0);
        }
    }
}
