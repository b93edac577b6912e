//! How rows and cells are written as bytes, between lane and store as in the journal: whole numbers of as many bytes as
//! they need (LEB128), and texts with their length before them. Reading takes any bytes and gives `None` where they end.

use std::num::NonZeroU32;

use crate::dimension::Number;

/// A request that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row<'a> {
    /// For how many it stands.
    pub(crate) weight: NonZeroU32,
    pub(crate) failed: bool,
    /// When it began, in nanoseconds since 1970.
    pub(crate) at: i64,
    /// As measured: finer than the line says it.
    pub(crate) numbers: [u64; Number::ALL.len()],
    /// The request log's line, without its newline.
    pub(crate) line: &'a [u8],
}

/// How often a combination of values was seen in a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cell<'a> {
    /// Minutes since 1970.
    pub(crate) minute: u64,
    pub(crate) hits: u64,
    pub(crate) sums: [u64; Number::ALL.len()],
    /// The values of the dimensions that are rolled up, as texts.
    pub(crate) key: &'a [u8],
}

pub(crate) fn put_int(out: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_int(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_bytes(out, text.as_bytes());
}

pub(crate) fn put_row(out: &mut Vec<u8>, row: &Row<'_>) {
    put_facts(out, row);
    put_bytes(out, row.line);
}

/// The same with another line, which `put` appends: it need not lie somewhere else before.
pub(crate) fn put_row_with(out: &mut Vec<u8>, row: &Row<'_>, put: impl FnOnce(&[u8], &mut Vec<u8>)) {
    put_facts(out, row);
    let length_at = out.len();
    out.extend_from_slice(&[0; LENGTH]);
    let begin = out.len();
    put(row.line, out);
    let mut length = out.len() - begin;
    for (nth, byte) in out.iter_mut().skip(length_at).take(LENGTH).enumerate() {
        *byte = (length & 0x7f) as u8 | if nth + 1 < LENGTH { 0x80 } else { 0 };
        length >>= 7;
    }
}

/// Bytes of a length that is not known yet: enough for 256 MiB, which no line has.
const LENGTH: usize = 4;

fn put_facts(out: &mut Vec<u8>, row: &Row<'_>) {
    put_int(out, u64::from(row.weight.get()) << 1 | u64::from(row.failed));
    put_int(out, row.at.cast_unsigned());
    row.numbers.iter().for_each(|number| put_int(out, *number));
}

pub(crate) fn put_cell(out: &mut Vec<u8>, cell: &Cell<'_>) {
    put_int(out, cell.minute);
    put_int(out, cell.hits);
    cell.sums.iter().for_each(|sum| put_int(out, *sum));
    put_bytes(out, cell.key);
}

/// Reads what was written, from the front.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many bytes are left.
    pub(crate) fn left(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn int(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..u64::BITS).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.int()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    fn numbers(&mut self) -> Option<[u64; Number::ALL.len()]> {
        let mut numbers = [0; Number::ALL.len()];
        for number in &mut numbers {
            *number = self.int()?;
        }
        Some(numbers)
    }

    pub(crate) fn row(&mut self) -> Option<Row<'a>> {
        let head = self.int()?;
        let weight = NonZeroU32::new(u32::try_from(head >> 1).ok()?)?;
        let at = self.int()?.cast_signed();
        Some(Row { weight, failed: head & 1 == 1, at, numbers: self.numbers()?, line: self.bytes()? })
    }

    pub(crate) fn cell(&mut self) -> Option<Cell<'a>> {
        Some(Cell { minute: self.int()?, hits: self.int()?, sums: self.numbers()?, key: self.bytes()? })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn rows_and_cells_read_back(
            weight in 1..u32::MAX, failed: bool, at: i64, numbers: [u64; Number::ALL.len()], line: Vec<u8>, minute: u64,
        ) {
            let row = Row { weight: NonZeroU32::new(weight).unwrap(), failed, at, numbers, line: &line };
            let cell = Cell { minute, hits: 3, sums: numbers, key: &line };
            let mut out = Vec::new();
            put_row(&mut out, &row);
            put_row_with(&mut out, &row, |line, out| out.extend_from_slice(line));
            put_cell(&mut out, &cell);
            let mut reader = Reader::new(&out);
            prop_assert_eq!(reader.row(), Some(row));
            prop_assert_eq!(reader.row(), Some(row));
            prop_assert_eq!(reader.cell(), Some(cell));
            prop_assert!(reader.is_empty());
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            let mut reader = Reader::new(&bytes);
            while reader.row().is_some() || reader.cell().is_some() {}
        }
    }
}
