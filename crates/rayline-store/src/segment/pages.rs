//! Reading the pages of a column: dictionary codes as they are, lines without copying them. Every length is checked: a
//! file may be damaged.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::Encoding;
use parquet::column::page::{Page, PageReader};

use crate::chunk::{Column, Texts};

/// A column of texts.
pub(super) fn texts(pages: &mut dyn PageReader, rows: usize) -> io::Result<Column> {
    let mut texts = Texts::default();
    let codes = codes(pages, rows, &mut |values, new| {
        let code = |value: &Bytes| {
            let text = String::from_utf8_lossy(value);
            // A dictionary has each text once: looking them up would take longer than all the rest.
            if new { texts.add(&text) } else { texts.place(&text) }
        };
        values.iter().map(code).collect()
    })?;
    Ok(Column { codes: codes.into(), values: Arc::new(texts.values) })
}

/// The codes of a column of texts. Whoever asks gives them to the texts, and is told whether these come for the first time.
pub(super) fn codes(
    pages: &mut dyn PageReader,
    rows: usize,
    place: &mut dyn FnMut(&[Bytes], bool) -> Vec<u32>,
) -> io::Result<Vec<u32>> {
    let mut first = true;
    let mut dictionary = Vec::new();
    let mut codes = Vec::with_capacity(rows);
    while let Some(page) = pages.get_next_page()? {
        match page {
            Page::DictionaryPage { buf, num_values, .. } => {
                let values = plain(&buf, num_values as usize).ok_or_else(|| damaged("a dictionary"))?;
                dictionary = place(&values, first);
                first = false;
            }
            Page::DataPage { buf, num_values, encoding, .. } | Page::DataPageV2 { buf, num_values, encoding, .. } => {
                let count = num_values as usize;
                if codes.len() + count > rows {
                    return Err(damaged("the number of rows"));
                }
                if encoding == Encoding::PLAIN {
                    let values = plain(&buf, count).ok_or_else(|| damaged("a text"))?;
                    codes.extend(place(&values, false));
                } else {
                    indexes(&buf, count, &dictionary, &mut codes).ok_or_else(|| damaged("a code"))?;
                }
            }
        }
    }
    if codes.len() != rows {
        return Err(damaged("the number of rows"));
    }
    Ok(codes)
}

/// Some of a column's lines. Pages before and after are not decompressed.
pub(super) fn lines(pages: &mut dyn PageReader, wanted: Range<usize>) -> io::Result<Vec<Bytes>> {
    let mut lines = Vec::with_capacity(wanted.len());
    let mut row = 0;
    while row < wanted.end {
        let Some(next) = pages.peek_next_page()? else { break };
        let levels = next.num_levels.or(next.num_rows);
        if let Some(count) = levels
            && row + count <= wanted.start
        {
            pages.skip_next_page()?;
            row += count;
            continue;
        }
        let Some(Page::DataPage { buf, num_values, encoding: Encoding::PLAIN, .. }) = pages.get_next_page()? else {
            return Err(damaged("the encoding of the lines"));
        };
        let values = plain(&buf, num_values as usize).ok_or_else(|| damaged("a line"))?;
        let first = wanted.start.saturating_sub(row);
        let end = wanted.end.saturating_sub(row).min(values.len());
        lines.extend(values.get(first..end).unwrap_or_default().iter().cloned());
        row += values.len();
    }
    if lines.len() != wanted.len() {
        return Err(damaged("the number of lines"));
    }
    Ok(lines)
}

/// Each value with its length before it.
fn plain(buf: &Bytes, count: usize) -> Option<Vec<Bytes>> {
    // A value takes four bytes at least, so a wrong count cannot ask for more memory than the page has.
    let mut values = Vec::with_capacity(count.min(buf.len() / 4));
    let mut at = 0_usize;
    for _ in 0..count {
        let start = at.checked_add(4)?;
        let length = u32::from_le_bytes(buf.get(at..start)?.try_into().ok()?) as usize;
        let end = start.checked_add(length)?;
        if end > buf.len() {
            return None;
        }
        values.push(buf.slice(start..end));
        at = end;
    }
    Some(values)
}

/// Codes of a dictionary: a byte that says how many bits each has, then runs of one code and packs of many, mixed
/// (Parquet, "RLE / Bit-Packing Hybrid").
fn indexes(buf: &[u8], count: usize, dictionary: &[u32], codes: &mut Vec<u32>) -> Option<()> {
    let (&bits, mut rest) = buf.split_first()?;
    let bits = u32::from(bits);
    if bits > 32 {
        return None;
    }
    let end = codes.len() + count;
    while codes.len() < end {
        let missing = end - codes.len();
        let header = varint(&mut rest)?;
        let length = usize::try_from(header >> 1).ok()?;
        if length == 0 {
            return None;
        }
        if header & 1 == 0 {
            let (value, after) = rest.split_at_checked(bits.div_ceil(8) as usize)?;
            let index = value.iter().rev().fold(0_usize, |index, byte| (index << 8) | usize::from(*byte));
            codes.extend(std::iter::repeat_n(*dictionary.get(index)?, length.min(missing)));
            rest = after;
        } else {
            let bytes = length.checked_mul(bits as usize)?.min(rest.len());
            let (packed, after) = rest.split_at_checked(bytes)?;
            unpack(packed, bits, length.saturating_mul(8).min(missing), dictionary, codes)?;
            rest = after;
        }
    }
    Some(())
}

/// Values of `bits` bits each, the lowest first.
fn unpack(packed: &[u8], bits: u32, count: usize, dictionary: &[u32], codes: &mut Vec<u32>) -> Option<()> {
    let mask = (1_u64 << bits) - 1;
    let mut bytes = packed.iter();
    let (mut held, mut have) = (0_u64, 0);
    for _ in 0..count {
        while have < bits {
            held |= u64::from(*bytes.next()?) << have;
            have += 8;
        }
        codes.push(*dictionary.get((held & mask) as usize)?);
        held >>= bits;
        have -= bits;
    }
    Some(())
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..63).step_by(7) {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Said of a file that does not hold together.
pub(super) fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{what} makes no sense"))
}
