//! Bytes that come in pieces, cut into lines of bounded length.

/// A record is far shorter. A line without end is not one, and is not kept.
const MOST_BYTES: usize = 1024 * 1024;

/// The line that is not complete yet.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    started: Vec<u8>,
    too_long: bool,
}

impl Lines {
    /// Hands every line that is complete now to `take`, without its line break.
    pub(crate) fn feed<E>(&mut self, bytes: &[u8], mut take: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, ended) = piece.strip_suffix(b"\n").map_or((piece, false), |text| (text, true));
            if self.started.len() + text.len() > MOST_BYTES {
                self.too_long = true;
                self.started.clear();
            }
            if !self.too_long {
                self.started.extend_from_slice(text);
            }
            if ended {
                let line = std::mem::take(&mut self.started);
                if !std::mem::take(&mut self.too_long) {
                    take(&line)?;
                }
            }
        }
        Ok(())
    }

    /// Forgets what has begun, as when the rest of it will not come.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The last line, where nothing ends it.
    pub(crate) fn rest(&mut self) -> Option<Vec<u8>> {
        let rest = std::mem::take(&mut self.started);
        (!rest.is_empty() && !self.too_long).then_some(rest)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn feed(lines: &mut Lines, bytes: &[u8]) -> Vec<String> {
        let mut seen = Vec::new();
        let take = |line: &[u8]| {
            seen.push(String::from_utf8_lossy(line).into_owned());
            Ok::<_, Infallible>(())
        };
        lines.feed(bytes, take).unwrap_or_else(|never| match never {});
        seen
    }

    #[test]
    fn lines_are_the_same_however_they_come() {
        let mut lines = Lines::default();
        assert_eq!(feed(&mut lines, b"one\n\ntw"), ["one", ""]);
        assert_eq!(feed(&mut lines, b"o"), [""; 0]);
        assert_eq!(feed(&mut lines, b"\nthree"), ["two"]);
        assert_eq!(lines.rest().as_deref(), Some(b"three".as_slice()));
        assert_eq!(lines.rest(), None);
    }

    #[test]
    fn a_line_without_end_is_dropped() {
        let mut lines = Lines::default();
        for _ in 0..3 {
            assert_eq!(feed(&mut lines, &vec![b'x'; MOST_BYTES]), [""; 0]);
        }
        assert!(lines.started.len() <= MOST_BYTES);
        assert_eq!(feed(&mut lines, b"rest of it\nnext\n"), ["next"]);
    }
}
