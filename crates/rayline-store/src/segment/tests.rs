use std::fs;

use proptest::prelude::*;
use rayline_verdict::RayId;

use super::write::GROUP_LINES;
use super::*;
use crate::chunk::Table;
use crate::dimension::{Dimension, Number};

/// One row with everything that it has.
pub(crate) type Row = (i64, u32, Option<u64>, Vec<(Dimension, String)>, Vec<(Number, u64)>, Option<Bytes>);

/// A chunk's rows, so that two can be compared however their texts are coded.
pub(crate) fn rows_of(chunk: &Chunk) -> Vec<Row> {
    let texts = |row: usize| {
        let of = |dimension: Dimension| {
            let column = chunk.columns[dimension.index()].as_ref()?;
            Some((dimension, column.values[column.codes[row] as usize].to_string()))
        };
        Dimension::ALL.into_iter().filter_map(of).collect()
    };
    let numbers = |row: usize| {
        let of = |number: Number| Some((number, chunk.numbers[number.index()].as_ref()?[row]));
        Number::ALL.into_iter().filter_map(of).collect()
    };
    (0..chunk.len())
        .map(|row| {
            (
                chunk.at[row],
                chunk.weight[row],
                chunk.rays.get(row).map(|ray| ray.0),
                texts(row),
                numbers(row),
                chunk.lines.get(row).cloned(),
            )
        })
        .collect()
}

pub(crate) fn read_all(segment: &Segment) -> Chunk {
    let groups = (0..segment.groups.len()).map(|group| {
        let mut chunk = Chunk::default();
        for slot in segment.slots() {
            segment.read(group, *slot).unwrap().unwrap().put_into(&mut chunk, *slot);
        }
        Arc::new(chunk)
    });
    Chunk::concat(&groups.collect::<Vec<_>>())
}

fn write_to(path: &Path, chunk: &Chunk) -> Segment {
    let facts = Facts::new(Table::Requests, 1);
    let mut writer = Writer::new(File::create(path).unwrap(), Slot::all_of(chunk), &facts).unwrap();
    writer.add(Arc::new(chunk.clone())).unwrap();
    writer.finish().unwrap();
    Segment::open(path).unwrap()
}

fn texts(rows: &[String]) -> Column {
    let mut texts = crate::chunk::Texts::default();
    let codes = rows.iter().map(|row| texts.place(row)).collect();
    Column { codes, values: Arc::new(texts.values) }
}

prop_compose! {
    fn chunks()(rows in 1..300_usize, has_rays in any::<bool>(), has_lines in any::<bool>(), dimensions in prop::collection::vec(any::<bool>(), Dimension::ALL.len()), numbers in prop::collection::vec(any::<bool>(), Number::ALL.len()))
        (at in prop::collection::vec(any::<i64>(), rows),
         weight in prop::collection::vec(any::<u32>(), rows),
         rays in prop::collection::vec(any::<u64>().prop_map(RayId), if has_rays { rows } else { 0 }),
         lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), if has_lines { rows } else { 0 }),
         some in prop::collection::vec("\\PC{0,3}", rows),
         any in prop::collection::vec("(?s).{0,40}", rows),
         sizes in prop::collection::vec(any::<u64>(), rows),
         dimensions in Just(dimensions), numbers in Just(numbers)) -> Chunk
    {
        let mut chunk = Chunk {
            at: at.into(), weight: weight.into(), rays: rays.into(),
            lines: lines.into_iter().map(Bytes::from).collect(),
            ..Chunk::default()
        };
        for (place, has) in dimensions.iter().enumerate() {
            chunk.columns[place] = has.then(|| texts(if place % 2 == 0 { &some } else { &any }));
        }
        for (place, has) in numbers.iter().enumerate() {
            chunk.numbers[place] = has.then(|| sizes.iter().map(|size| size >> (place * 6)).collect());
        }
        chunk.sorted()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_written_is_read(chunk in chunks()) {
        let folder = tempfile::tempdir().unwrap();
        let segment = write_to(&folder.path().join("a"), &chunk);
        prop_assert_eq!(rows_of(&read_all(&segment)), rows_of(&chunk));
        prop_assert_eq!(segment.bounds(), (chunk.at[0], *chunk.at.last().unwrap()));
        for (row, line) in chunk.lines.iter().enumerate() {
            let read = segment.lines(0, row..row + 1).unwrap().unwrap();
            prop_assert_eq!(read, vec![line.clone()]);
        }
    }

    /// No damage makes reading panic, hang or ask for memory without bounds.
    #[test]
    fn damage_is_an_error_or_goes_unnoticed(chunk in chunks(), places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8), cut: Option<prop::sample::Index>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        write_to(&path, &chunk);
        let mut bytes = fs::read(&path).unwrap();
        for (place, byte) in places {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        fs::write(&path, bytes).unwrap();
        if let Ok(segment) = Segment::open(&path) {
            for group in 0..segment.groups.len() {
                for slot in segment.slots() {
                    if let Err(error) = segment.read(group, *slot) {
                        prop_assert_eq!(error.kind(), io::ErrorKind::InvalidData);
                    }
                }
            }
        }
    }
}

#[test]
fn row_groups_are_bounded_by_rows_and_by_lines() {
    let folder = tempfile::tempdir().unwrap();
    let rows = GROUP_ROWS + 10;
    let mut chunk =
        Chunk { at: (0..rows).map(|row| row as i64).collect(), weight: vec![1; rows].into(), ..Chunk::default() };
    // More different values than any page of a dictionary would hold by default.
    chunk.columns[Dimension::Path.index()] =
        Some(texts(&(0..rows).map(|row| format!("/a/rather/long/path/{row}")).collect::<Vec<_>>()));
    let segment = write_to(&folder.path().join("rows"), &chunk);
    assert_eq!(segment.groups.iter().map(|group| group.rows).collect::<Vec<_>>(), [GROUP_ROWS, 10]);
    assert_eq!(segment.groups[1].first, GROUP_ROWS as i64);
    assert_eq!(rows_of(&read_all(&segment)), rows_of(&chunk));

    let line = Bytes::from(vec![b'x'; GROUP_LINES / 4]);
    let chunk =
        Chunk { at: vec![1; 9].into(), weight: vec![1; 9].into(), lines: vec![line; 9].into(), ..Chunk::default() };
    let segment = write_to(&folder.path().join("lines"), &chunk);
    assert_eq!(segment.groups.iter().map(|group| group.rows).collect::<Vec<_>>(), [4, 4, 1]);
    assert_eq!(segment.lines(1, 3..4).unwrap().unwrap()[0].len(), GROUP_LINES / 4);
    assert_eq!(rows_of(&read_all(&segment)), rows_of(&chunk));
}

#[test]
fn texts_of_a_file_without_dictionary_are_read_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    let slots = vec![Slot::At, Slot::Weight, Slot::Text(Dimension::Path)];
    let values: Vec<_> = (0..20_000).map(|row| format!("/{}", row % 9_000)).collect();
    let mut chunk =
        Chunk { at: vec![5; values.len()].into(), weight: vec![1; values.len()].into(), ..Chunk::default() };
    chunk.columns[Dimension::Path.index()] = Some(texts(&values));
    // A dictionary that is full after a few values: the pages after it hold texts.
    write::write_with_small_dictionary(File::create(&path).unwrap(), &slots, &chunk);
    let segment = Segment::open(&path).unwrap();
    assert_eq!(rows_of(&read_all(&segment)), rows_of(&chunk));
}
