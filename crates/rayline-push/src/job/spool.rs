//! What waits on disk for its receiver: segments of lines, each of which is one batch.
//!
//! A segment is appended to under the name `SEQUENCE.open`, and renamed when it is full or old enough; its new name tells
//! all that is to be known of it, its stable id included, so nothing is read again at a start but the one that was open.
//! What was written survives the process. A segment that is sealed is handed out to be put on the disk, so that it
//! survives the machine too; of the open one the system decides. Where the spool is full, the oldest goes. It never asks
//! the network, nor waits for it.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rayline_verdict::Moment;
use rustix::fs::{FlockOperation, flock};

use super::batch::Batch;

#[cfg(test)]
mod tests;

/// How much fits into a segment, and into all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// Bytes of lines in one segment. One line alone may be longer.
    pub(crate) segment_bytes: u64,
    /// Lines in one segment.
    pub(crate) segment_records: u64,
    /// How long a segment is appended to.
    pub(crate) segment_age: Duration,
    /// Bytes of all segments.
    pub(crate) total_bytes: u64,
}

/// The folder and what is in it.
#[derive(Debug)]
pub(crate) struct Spool {
    folder: PathBuf,
    bounds: Bounds,
    open: Option<Open>,
    sealed: VecDeque<Batch>,
    /// What its receiver will not have. It is kept for a person to look at while there is room.
    refused: VecDeque<Batch>,
    sequence: u64,
    lost: u64,
    /// Sealed, and perhaps not on the disk yet.
    unsynced: Vec<File>,
    /// Held until the spool is dropped: two that write to one folder would lose each other's lines.
    _lock: File,
}

/// The segment that is appended to.
#[derive(Debug)]
struct Open {
    file: File,
    path: PathBuf,
    bytes: u64,
    records: u64,
    began: Moment,
    since: Instant,
}

/// Segments that may not be on the disk yet, under names that may not be there either.
#[derive(Debug)]
pub(crate) struct Unsynced {
    folder: PathBuf,
    files: Vec<File>,
}

impl Unsynced {
    pub(crate) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Returns when they are.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub(crate) fn sync(self) -> io::Result<()> {
        self.files.iter().try_for_each(File::sync_data)?;
        File::open(self.folder)?.sync_all()
    }
}

/// What a spool holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) bytes: u64,
    pub(crate) records: u64,
    pub(crate) refused: u64,
    pub(crate) lost: u64,
    pub(crate) oldest: Option<Moment>,
}

/// Sealed segments that wait to be put on the disk, at most.
const UNSYNCED: usize = 64;

const OPEN: &str = "open";
const SEALED: &str = "ndjson";
const REFUSED: &str = "refused";

impl Spool {
    /// Opens a folder, which is made where there is none, and seals what another process left open in it.
    ///
    /// # Errors
    ///
    /// Those of the file system; `WouldBlock` while another process has the folder.
    pub(crate) fn open(folder: &Path, bounds: Bounds, now: Moment) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let lock = File::create(folder.join("lock"))?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive).map_err(|error| match error {
            rustix::io::Errno::WOULDBLOCK => {
                io::Error::new(io::ErrorKind::WouldBlock, format!("another process uses `{}`", folder.display()))
            }
            other => other.into(),
        })?;
        let mut spool = Self {
            folder: folder.to_owned(),
            bounds,
            open: None,
            sealed: VecDeque::new(),
            refused: VecDeque::new(),
            sequence: 0,
            lost: 0,
            unsynced: Vec::new(),
            _lock: lock,
        };
        spool.find(now)?;
        Ok(spool)
    }

    /// Fills in what the folder holds. A file with a name that is not ours is left alone.
    fn find(&mut self, now: Moment) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            let kind = path.extension().and_then(|extension| extension.to_str());
            match kind {
                Some(OPEN) => {
                    if let Some(batch) = self.recover(&path, now)? {
                        self.sealed.push_back(batch);
                    }
                }
                Some(SEALED) => self.sealed.extend(Batch::named(name, fs::metadata(&path)?.len())),
                Some(REFUSED) => self.refused.extend(Batch::named(name, fs::metadata(&path)?.len())),
                Some(_) | None => {}
            }
        }
        self.sealed.make_contiguous().sort_by_key(|batch| batch.sequence);
        self.refused.make_contiguous().sort_by_key(|batch| batch.sequence);
        let last = self.sealed.iter().chain(&self.refused).map(|batch| batch.sequence).max();
        self.sequence = last.map_or(0, |last| last + 1);
        Ok(())
    }

    /// Seals a segment that was being written when its process ended. A line without its end is not one.
    fn recover(&self, path: &Path, now: Moment) -> io::Result<Option<Batch>> {
        let lines = fs::read(path)?;
        let whole = memchr::memrchr(b'\n', &lines).map_or(0, |end| end + 1);
        let sequence = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
        let (Some(sequence), true) = (sequence, whole > 0) else {
            fs::remove_file(path)?;
            return Ok(None);
        };
        OpenOptions::new().write(true).open(path)?.set_len(whole as u64)?;
        let records = memchr::memchr_iter(b'\n', &lines).count() as u64;
        let began = fs::metadata(path)?.modified().ok().and_then(moment).unwrap_or(now);
        let batch = Batch::new(sequence, began, now.max(began), records, whole as u64);
        fs::rename(path, self.path(&batch, SEALED))?;
        Ok(Some(batch))
    }

    /// Appends whole lines, of which there are `records`.
    ///
    /// # Errors
    ///
    /// Those of the file system. What could not be written is counted as lost.
    pub(crate) fn append(&mut self, lines: &[u8], records: u64, now: (Moment, Instant)) -> io::Result<()> {
        let mut left = records;
        let outcome = self.append_each(lines, &mut left, now);
        if outcome.is_err() {
            self.lost += left;
        }
        self.trim();
        outcome
    }

    /// Appends to the open segment, and to others after it. `left` is how many lines are yet to be written.
    fn append_each(&mut self, mut lines: &[u8], left: &mut u64, now: (Moment, Instant)) -> io::Result<()> {
        while *left > 0 {
            let (bytes, taken) = self.fitting(lines, *left);
            if taken == 0 {
                self.seal(now.0)?;
                continue;
            }
            let (first, rest) = lines.split_at(bytes.min(lines.len()));
            self.write(first, taken, now)?;
            lines = rest;
            *left -= taken;
        }
        let is_full = self.open.as_ref().is_some_and(|open| open.records >= self.bounds.segment_records);
        if is_full { self.seal(now.0) } else { Ok(()) }
    }

    /// Bytes and number of the first lines that the open segment has room for.
    fn fitting(&self, lines: &[u8], records: u64) -> (usize, u64) {
        let (bytes, taken) = self.open.as_ref().map_or((0, 0), |open| (open.bytes, open.records));
        let room = self.bounds.segment_bytes.saturating_sub(bytes);
        let places = self.bounds.segment_records.saturating_sub(taken);
        if lines.len() as u64 <= room && records <= places {
            return (lines.len(), records);
        }
        let ends = memchr::memchr_iter(b'\n', lines).map(|end| end + 1).zip(1..);
        let fit =
            ends.take_while(|(end, count)| (*end as u64 <= room && *count <= places) || (taken == 0 && *count == 1));
        fit.last().unwrap_or_default()
    }

    fn write(&mut self, lines: &[u8], records: u64, now: (Moment, Instant)) -> io::Result<()> {
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.begin(now)?,
        };
        if let Err(error) = open.file.write_all(lines) {
            // the half of a line must not become the beginning of another
            open.file.set_len(open.bytes)?;
            self.open = Some(open);
            return Err(error);
        }
        open.bytes += lines.len() as u64;
        open.records += records;
        self.open = Some(open);
        Ok(())
    }

    fn begin(&mut self, (began, since): (Moment, Instant)) -> io::Result<Open> {
        let path = self.folder.join(format!("{:016}.{OPEN}", self.sequence));
        let file = OpenOptions::new().append(true).create_new(true).open(&path)?;
        self.sequence += 1;
        Ok(Open { file, path, bytes: 0, records: 0, began, since })
    }

    /// Ends the open segment, if there is one: it can be sent now.
    pub(crate) fn seal(&mut self, now: Moment) -> io::Result<()> {
        let Some(open) = self.open.take() else { return Ok(()) };
        let Open { file, path, bytes, records, began, since: _ } = open;
        if records == 0 {
            return fs::remove_file(path);
        }
        let sequence = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
        let batch = Batch::new(sequence.unwrap_or(self.sequence), began, now.max(began), records, bytes);
        if let Err(error) = fs::rename(path, self.path(&batch, SEALED)) {
            self.lost += records;
            return Err(error);
        }
        self.sealed.push_back(batch);
        // a disk that hangs must not collect open files
        if self.unsynced.len() < UNSYNCED {
            self.unsynced.push(file);
        }
        Ok(())
    }

    /// What has been sealed since this was asked last. Whoever asks has it put on the disk: that may take long, and is done
    /// where nobody waits for the spool.
    pub(crate) fn unsynced(&mut self) -> Unsynced {
        Unsynced { folder: self.folder.clone(), files: std::mem::take(&mut self.unsynced) }
    }

    /// Ends the open segment if it is old enough.
    pub(crate) fn seal_due(&mut self, now: (Moment, Instant)) -> io::Result<()> {
        if self.due().is_some_and(|due| due <= now.1) { self.seal(now.0) } else { Ok(()) }
    }

    /// When the open segment is old enough.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.open.as_ref().map(|open| open.since + self.bounds.segment_age)
    }

    /// The batch whose turn it is.
    pub(crate) fn oldest(&self) -> Option<Batch> {
        self.sealed.front().cloned()
    }

    /// Whether anything can be sent.
    pub(crate) fn is_ready(&self) -> bool {
        !self.sealed.is_empty()
    }

    /// Where a batch's lines are.
    pub(crate) fn lines(&self, batch: &Batch) -> PathBuf {
        self.path(batch, SEALED)
    }

    /// Deletes a batch that has arrived.
    ///
    /// # Errors
    ///
    /// Those of the file system: the batch is then sent again at the next start, under the same id.
    pub(crate) fn arrived(&mut self, batch: &Batch) -> io::Result<()> {
        // otherwise it was dropped for lack of room while it was under way
        if self.leave(batch) { fs::remove_file(self.path(batch, SEALED)) } else { Ok(()) }
    }

    /// Counts a batch as lost whose lines cannot be read.
    pub(crate) fn unreadable(&mut self, batch: &Batch) {
        if self.leave(batch) {
            self.lost += batch.records;
            let _ = fs::remove_file(self.path(batch, SEALED));
        }
    }

    /// Sets a batch aside that its receiver will not have. It is dropped before others for lack of room.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub(crate) fn set_aside(&mut self, batch: &Batch) -> io::Result<()> {
        if self.leave(batch) {
            self.refused.push_back(batch.clone());
            fs::rename(self.path(batch, SEALED), self.path(batch, REFUSED))?;
        }
        Ok(())
    }

    fn leave(&mut self, batch: &Batch) -> bool {
        let before = self.sealed.len();
        self.sealed.retain(|other| other.sequence != batch.sequence);
        self.sealed.len() < before
    }

    /// Drops the oldest until the rest has room. The open segment is never dropped: the next one is not begun before.
    fn trim(&mut self) {
        while self.bytes() > self.bounds.total_bytes {
            if let Some(batch) = self.refused.pop_front() {
                let _ = fs::remove_file(self.path(&batch, REFUSED));
            } else if let Some(batch) = self.sealed.pop_front() {
                self.lost += batch.records;
                let _ = fs::remove_file(self.path(&batch, SEALED));
            } else {
                return;
            }
        }
    }

    fn bytes(&self) -> u64 {
        let open = self.open.as_ref().map_or(0, |open| open.bytes);
        open + self.sealed.iter().chain(&self.refused).map(|batch| batch.bytes).sum::<u64>()
    }

    /// What is in it now.
    pub(crate) fn held(&self) -> Held {
        let open = self.open.as_ref();
        Held {
            bytes: self.bytes(),
            records: open.map_or(0, |open| open.records) + self.sealed.iter().map(|batch| batch.records).sum::<u64>(),
            refused: self.refused.iter().map(|batch| batch.records).sum(),
            lost: self.lost,
            oldest: self.sealed.front().map(|batch| batch.began).or_else(|| open.map(|open| open.began)),
        }
    }

    fn path(&self, batch: &Batch, kind: &str) -> PathBuf {
        self.folder.join(format!("{}.{kind}", batch.name()))
    }
}

fn moment(time: std::time::SystemTime) -> Option<Moment> {
    let since = time.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_nanos()).ok().map(Moment)
}
