use std::io::Write as _;

use proptest::prelude::*;

use super::*;

fn frame_of(bytes: &[u8]) -> Frame {
    let mut frame = Frame::default();
    frame.bytes_mut().extend_from_slice(bytes);
    frame
}

/// A journal of these frames, and where each one ends.
fn written(path: &Path, frames: &[Vec<u8>]) -> Vec<u64> {
    let mut journal = Journal::create(path).unwrap();
    let mut ends = Vec::new();
    for (place, frame) in frames.iter().enumerate() {
        let kind = if place % 2 == 0 { Kind::Rows } else { Kind::Cells };
        journal.append(kind, &mut frame_of(frame)).unwrap();
        ends.push(journal.length());
    }
    ends
}

fn read(bytes: Vec<u8>) -> Option<(Vec<Vec<u8>>, Option<u64>)> {
    let mut reading = Reading::new(bytes).ok()?;
    let mut frames = Vec::new();
    while let Some((_, _, bytes)) = reading.next() {
        frames.push(bytes.to_vec());
    }
    Some((frames, reading.end()))
}

#[test]
fn a_torn_journal_is_resumed_behind_its_last_whole_frame() {
    let folder = tempfile::tempdir().unwrap();
    let file = path(folder.path(), 7);
    let ends = written(&file, &[b"one".to_vec(), b"two".to_vec()]);
    OpenOptions::new().append(true).open(&file).unwrap().write_all(b"\xff\0RL\x05\0\0").unwrap();
    let mut reading = Reading::of(&file).unwrap();
    let begins: Vec<_> = std::iter::from_fn(|| reading.next().map(|(_, begin, _)| begin)).collect();
    assert_eq!(begins, [ends[0] - 3, ends[1] - 3]);
    assert_eq!((reading.end(), reading.left_out()), (Some(ends[1]), 7));
    let mut journal = Journal::resume(&file, ends[1]).unwrap();
    journal.append(Kind::Rows, &mut frame_of(b"three")).unwrap();
    let frames = read(std::fs::read(&file).unwrap()).unwrap().0;
    assert_eq!(frames, [b"one".to_vec(), b"two".to_vec(), b"three".to_vec()]);
    assert_eq!(numbers(folder.path()).unwrap(), [7]);
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(bytes: Vec<u8>, begun: bool) {
        let bytes = if begun { [HEAD, &bytes].concat() } else { bytes };
        read(bytes);
    }

    #[test]
    fn what_is_torn_off_is_all_that_is_missing(frames: Vec<Vec<u8>>, cut: prop::sample::Index) {
        let folder = tempfile::tempdir().unwrap();
        let file = path(folder.path(), 1);
        let ends = written(&file, &frames);
        let mut bytes = std::fs::read(&file).unwrap();
        let cut = cut.index(bytes.len() + 1);
        bytes.truncate(cut);
        let whole = ends.iter().filter(|end| **end <= cut as u64).count();
        let (found, end) = read(bytes).unwrap();
        prop_assert_eq!(&found, &frames[..whole]);
        let begun = if cut < HEAD.len() { 0 } else { HEAD.len() as u64 };
        prop_assert_eq!(end, Some(whole.checked_sub(1).map_or(begun, |last| ends[last])));
        drop(Journal::resume(&file, end.unwrap()).unwrap());
        prop_assert_eq!(read(std::fs::read(&file).unwrap()).unwrap().0, found);
    }

    #[test]
    fn a_changed_byte_costs_one_frame(
        frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 1..8),
        at: prop::sample::Index,
        change in 1..=255_u8,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let file = path(folder.path(), 1);
        let ends = written(&file, &frames);
        let mut bytes = std::fs::read(&file).unwrap();
        let at = HEAD.len() + at.index(bytes.len() - HEAD.len());
        bytes[at] ^= change;
        let hit = ends.iter().position(|end| (at as u64) < *end).unwrap();
        let mut left = frames;
        left.remove(hit);
        prop_assert_eq!(read(bytes).unwrap().0, left);
    }
}
