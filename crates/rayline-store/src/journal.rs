//! The journal: what has come in since the last file was sealed, appended as it comes, so that a process that is killed
//! loses nothing that was written. It knows neither requests nor counts: it keeps what it is given in frames.
//!
//! A frame is a mark, the length of what follows it, a checksum, what it is, and its bytes. The mark has a byte that no text
//! has, so nobody who sends requests can make a frame of his own in the middle of another. What is torn or damaged is left
//! out when a journal is read, and reading goes on at the next frame that is whole.

pub(crate) mod wire;

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use memchr::memmem;

/// A file's first bytes. The number is the format's.
const HEAD: &[u8] = b"rayline journal 1\n";

const MARK: &[u8] = b"\xff\0RL";

/// Mark, length, checksum.
const FRAME_HEAD: usize = MARK.len() + 4 + 4;

/// Bytes in one frame.
const FRAME_BYTES: usize = 32 * 1024 * 1024;

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// See [`wire::Row`].
    Rows,
    /// See [`wire::Cell`].
    Cells,
}

impl Kind {
    const fn byte(self) -> u8 {
        match self {
            Self::Rows => b'R',
            Self::Cells => b'C',
        }
    }

    const fn of(byte: u8) -> Option<Self> {
        match byte {
            b'R' => Some(Self::Rows),
            b'C' => Some(Self::Cells),
            _ => None,
        }
    }
}

/// A journal that is written.
#[derive(Debug)]
pub(crate) struct Journal {
    file: Arc<File>,
    /// Bytes of whole frames. What a failed write left behind them is overwritten by the next.
    length: u64,
}

/// What is to be written at once: room for the head, and what was put behind it.
#[derive(Debug)]
pub(crate) struct Frame(Vec<u8>);

impl Default for Frame {
    fn default() -> Self {
        Self(vec![0; FRAME_HEAD + 1])
    }
}

impl Frame {
    pub(crate) fn clear(&mut self) {
        self.0.truncate(FRAME_HEAD + 1);
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.get(FRAME_HEAD + 1..).unwrap_or_default()
    }

    /// Where more is to be appended.
    pub(crate) fn bytes_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }

    fn put_head(&mut self, head: &[u8]) {
        for (place, byte) in self.0.iter_mut().zip(head) {
            *place = *byte;
        }
    }
}

impl Journal {
    /// Makes a new one.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o640).open(path)?;
        if let Err(error) = file.write_all_at(HEAD, 0) {
            // Else its name would be taken when there is room again. Of two errors the first one is told.
            let _ = std::fs::remove_file(path);
            return Err(error);
        }
        Ok(Self { file: Arc::new(file), length: HEAD.len() as u64 })
    }

    /// Goes on writing one that was read up to `length`.
    pub(crate) fn resume(path: &Path, length: u64) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        file.set_len(length)?;
        let begun = HEAD.len() as u64;
        if length < begun {
            file.write_all_at(HEAD, 0)?;
        }
        let length = length.max(begun);
        Ok(Self { file: Arc::new(file), length })
    }

    /// Its bytes so far.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// For reading what was written.
    pub(crate) fn file(&self) -> &Arc<File> {
        &self.file
    }

    /// Writes a frame through to the kernel, or nothing. Where its bytes begin.
    pub(crate) fn append(&mut self, kind: Kind, frame: &mut Frame) -> io::Result<u64> {
        let bytes = frame.bytes();
        let length = u32::try_from(bytes.len()).ok().filter(|length| *length as usize <= FRAME_BYTES);
        let length = length.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        let sum = checksum(kind.byte(), bytes);
        frame.put_head(&[MARK, &length.to_le_bytes(), &sum.to_le_bytes(), &[kind.byte()]].concat());
        self.file.write_all_at(&frame.0, self.length)?;
        let begin = self.length + FRAME_HEAD as u64 + 1;
        self.length += frame.0.len() as u64;
        Ok(begin)
    }
}

fn checksum(kind: u8, bytes: &[u8]) -> u32 {
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(&[kind]);
    checksum.update(bytes);
    checksum.finalize()
}

/// What was read of a journal.
#[derive(Debug)]
pub(crate) struct Reading {
    bytes: Vec<u8>,
    at: usize,
    /// Behind the last whole frame so far.
    whole: usize,
    /// Bytes that belong to no frame and have a whole one behind them.
    damaged: usize,
}

impl Reading {
    /// Takes a file in.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or is no journal of this format: [`io::ErrorKind::InvalidData`].
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        Self::new(std::fs::read(path)?)
    }

    fn new(bytes: Vec<u8>) -> io::Result<Self> {
        // Killed while it was made: there is nothing in it.
        if bytes.len() < HEAD.len() && HEAD.starts_with(&bytes) {
            return Ok(Self { at: bytes.len(), whole: 0, damaged: 0, bytes });
        }
        if !bytes.starts_with(HEAD) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it is no journal of this format"));
        }
        Ok(Self { bytes, at: HEAD.len(), whole: HEAD.len(), damaged: 0 })
    }

    /// The next whole frame: what it is, where its bytes begin, and its bytes.
    pub(crate) fn next(&mut self) -> Option<(Kind, u64, &[u8])> {
        loop {
            self.at += memmem::find(self.bytes.get(self.at..)?, MARK)?;
            if let Some((kind, begin, end)) = self.frame() {
                self.damaged += self.at - self.whole;
                self.at = end;
                self.whole = end;
                return Some((kind, begin as u64, self.bytes.get(begin..end)?));
            }
            self.at += 1;
        }
    }

    fn frame(&self) -> Option<(Kind, usize, usize)> {
        let head = self.bytes.get(self.at + MARK.len()..self.at + FRAME_HEAD)?;
        let (length, sum) = head.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok().filter(|length| *length <= FRAME_BYTES)?;
        let sum = u32::from_le_bytes(*sum.first_chunk()?);
        let begin = self.at + FRAME_HEAD + 1;
        let end = begin + length;
        let kind = *self.bytes.get(begin - 1)?;
        let bytes = self.bytes.get(begin..end)?;
        (checksum(kind, bytes) == sum).then_some((Kind::of(kind)?, begin, end))
    }

    /// How far it is whole: there it can be resumed. `None`: something before that is damaged.
    pub(crate) fn end(&self) -> Option<u64> {
        (self.damaged == 0).then_some(self.whole as u64)
    }

    /// Bytes that had to be left out.
    pub(crate) fn left_out(&self) -> usize {
        self.damaged + self.bytes.len() - self.whole
    }
}

/// The name of a journal's file.
pub(crate) fn path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("journal-{number}"))
}

/// Bytes of a folder's journals.
pub(crate) fn bytes_in(folder: &Path) -> io::Result<u64> {
    let bytes = |number: u64| std::fs::metadata(path(folder, number)).map_or(0, |facts| facts.len());
    Ok(numbers(folder)?.into_iter().map(bytes).sum())
}

/// The numbers of a folder's journals, the oldest first.
pub(crate) fn numbers(folder: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        numbers.extend(name.to_str().and_then(|name| name.strip_prefix("journal-")?.parse::<u64>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

#[cfg(test)]
mod tests;
