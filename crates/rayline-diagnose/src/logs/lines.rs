//! Lines of whatever bytes, one at a time, none of them kept.

use std::borrow::Cow;
use std::cell::Cell;
use std::io::{self, BufRead, Read, Seek, SeekFrom};
use std::rc::Rc;

/// The most of a line that is looked at.
pub(super) const LINE_BYTES: usize = 64 << 10;

/// How much of what a file holds is looked at around a point to find a line with a time.
const PROBE_BYTES: u64 = 256 << 10;

/// When the search has come this near, reading on is cheaper than searching.
const NEAR_BYTES: u64 = 64 << 10;

/// A reader that counts what is read of it, for all who share the count.
#[derive(Debug)]
pub(super) struct Counted<R> {
    inner: R,
    bytes: Rc<Cell<u64>>,
}

impl<R> Counted<R> {
    /// Counts into this.
    pub(super) const fn new(inner: R, bytes: Rc<Cell<u64>>) -> Self {
        Self { inner, bytes }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.bytes.set(self.bytes.get().saturating_add(read as u64));
        Ok(read)
    }
}

impl<R: Seek> Seek for Counted<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

/// The lines of a reader: without their end, cut at [`LINE_BYTES`], with what is not UTF-8 replaced.
#[derive(Debug)]
pub(super) struct Lines<R> {
    reader: R,
    kept: Vec<u8>,
    /// Lines read so far.
    pub(super) count: u64,
    /// Bytes that the lines read so far took, line ends included.
    pub(super) bytes: u64,
}

impl<R: BufRead> Lines<R> {
    /// Those from where the reader stands.
    pub(super) const fn new(reader: R) -> Self {
        Self { reader, kept: Vec::new(), count: 0, bytes: 0 }
    }

    /// The next line; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Cow<'_, str>>> {
        if !self.advance()? {
            return Ok(None);
        }
        let mut line = self.kept.as_slice();
        while let [rest @ .., b'\r' | b'\n'] = line {
            line = rest;
        }
        // A file that was emptied while its writer wrote on begins with a hole.
        while let [0, rest @ ..] = line {
            line = rest;
        }
        Ok(Some(String::from_utf8_lossy(line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line))))
    }

    /// Reads to the end of a line, and keeps its beginning.
    fn advance(&mut self) -> io::Result<bool> {
        self.kept.clear();
        let before = self.bytes;
        loop {
            let bytes = match self.reader.fill_buf() {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let end = memchr::memchr(b'\n', bytes);
            let taken = end.map_or(bytes.len(), |end| end + 1);
            // The zeros of a hole take no room.
            let line = bytes.get(..taken).unwrap_or_default();
            let line = if self.kept.is_empty() { line.trim_prefix_zeros() } else { line };
            let room = LINE_BYTES.saturating_sub(self.kept.len());
            self.kept.extend_from_slice(line.get(..room).unwrap_or(line));
            self.reader.consume(taken);
            self.bytes += taken as u64;
            if end.is_some() || taken == 0 {
                break;
            }
        }
        let any = self.bytes > before;
        self.count += u64::from(any);
        Ok(any)
    }
}

trait TrimZeros {
    /// The rest behind leading zeros.
    fn trim_prefix_zeros(&self) -> &Self;
}

impl TrimZeros for [u8] {
    fn trim_prefix_zeros(&self) -> &Self {
        let zeros = self.iter().take_while(|byte| **byte == 0).count();
        self.get(zeros..).unwrap_or_default()
    }
}

/// The offset of a line from which on all lines are at `start` or later, for a file that is mostly in the order of time;
/// `None` if its lines do not tell times often enough to find that out. `dated` says when a line was written.
pub(super) fn search<R: Read + Seek, T: PartialOrd>(
    file: &mut R,
    length: u64,
    start: &T,
    dated: impl Fn(&str) -> Option<T>,
) -> io::Result<Option<u64>> {
    let (mut low, mut high) = (0, length);
    while high - low > NEAR_BYTES {
        let middle = low + (high - low) / 2;
        match first_dated(file, middle, high, &dated)? {
            Some((at, offset)) if at < *start => low = offset,
            Some(_) => high = middle,
            // No time up to the end of the part, which is short: what is wanted may begin before.
            None if high - middle <= PROBE_BYTES => high = middle,
            None => return Ok(None),
        }
    }
    Ok(Some(low))
}

/// The first line behind `from` that tells its time, with the offset that it begins at.
fn first_dated<R: Read + Seek, T>(
    file: &mut R,
    from: u64,
    to: u64,
    dated: &impl Fn(&str) -> Option<T>,
) -> io::Result<Option<(T, u64)>> {
    file.seek(SeekFrom::Start(from))?;
    let part = file.take(PROBE_BYTES.min(to - from));
    let mut lines = Lines::new(io::BufReader::with_capacity(8 << 10, part));
    // It began in the middle of a line.
    lines.next()?;
    loop {
        let offset = from + lines.bytes;
        let Some(line) = lines.next()? else { return Ok(None) };
        if let Some(at) = dated(&line) {
            return Ok(Some((at, offset)));
        }
    }
}

/// How many lines end before `offset`.
pub(super) fn count_before<R: Read + Seek>(file: &mut R, offset: u64) -> io::Result<u64> {
    file.seek(SeekFrom::Start(0))?;
    let mut reader = io::BufReader::with_capacity(NEAR_BYTES as usize, file.take(offset));
    let mut count = 0;
    loop {
        let bytes = reader.fill_buf()?;
        let length = bytes.len();
        if length == 0 {
            return Ok(count);
        }
        count += memchr::memchr_iter(b'\n', bytes).count() as u64;
        reader.consume(length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> Vec<String> {
        let mut lines = Lines::new(io::BufReader::with_capacity(7, bytes));
        let mut all = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            all.push(line.into_owned());
        }
        all
    }

    #[test]
    fn lines_end_in_any_way() {
        assert_eq!(all(b"a\r\nb\n\nc"), ["a", "b", "", "c"]);
        assert_eq!(all(b""), [""; 0]);
        assert_eq!(all(b"\xef\xbb\xbfa\xff\n\0\0\0b"), ["a\u{fffd}", "b"]);
    }

    #[test]
    fn a_long_line_is_cut() {
        let mut bytes = vec![b'x'; LINE_BYTES * 3];
        bytes.extend_from_slice(b"\nshort");
        let lines = all(&bytes);
        assert_eq!((lines[0].len(), lines[1].as_str()), (LINE_BYTES, "short"));
    }

    proptest::proptest! {
        #[test]
        fn what_is_searched_is_found(
            steps in proptest::collection::vec((0..3_u64, 0..400_usize), 1..3000),
            start in 0..3000_u64,
        ) {
            let (mut now, mut file, mut first) = (0, Vec::new(), None);
            for (step, length) in &steps {
                now += step;
                if now >= start && first.is_none() {
                    first = Some(file.len() as u64);
                }
                file.extend_from_slice(format!("{now} {}\n", "x".repeat(*length)).as_bytes());
            }
            let length = file.len() as u64;
            let dated = |line: &str| line.split(' ').next()?.parse::<u64>().ok();
            let offset = search(&mut io::Cursor::new(&file), length, &start, dated).unwrap().unwrap();
            let wanted = first.unwrap_or(length);
            // It begins with a line, misses nothing, and is near.
            proptest::prop_assert!(offset == 0 || file[offset as usize - 1] == b'\n');
            proptest::prop_assert!(offset <= wanted && wanted - offset <= 2 * NEAR_BYTES, "{} {}", offset, wanted);
        }
    }
}
