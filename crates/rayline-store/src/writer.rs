//! The store's own thread: it takes what the lanes hand over, masks it, writes it to the journal, and gathers it where it can
//! be asked for. From time to time it begins a new journal, and leaves the old one to the [`Sealer`].
//!
//! Nothing here makes a lane wait. A journal that cannot be written costs the rows that it should have taken; they are
//! counted, and the next ones are tried again.

mod counts;
mod rows;
mod sealer;
mod volume;

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use crate::intake::{Order, Rows};
use crate::journal::{self, Frame, Journal, Kind, wire};
use crate::row::Masks;
use crate::store::{Shared, Task};
pub(crate) use counts::BOUNDS;
use counts::Minutes;
pub(crate) use sealer::{Job, Sealer};
use volume::Taken;
pub(crate) use volume::{Piece, Volume};

/// When a journal is full.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Rows of requests.
    pub(crate) rows: usize,
    /// Bytes of the journal.
    pub(crate) bytes: u64,
    /// Since the first thing in it came.
    pub(crate) age: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { rows: 100_000, bytes: 64 * 1024 * 1024, age: Duration::from_secs(600) }
    }
}

/// How many times full a journal may get while older ones cannot be sealed. Rows beyond are lost, and counted.
const OVERFULL: usize = 4;

/// Journals that wait to be sealed, at most.
const UNSEALED: usize = 2;

/// Bytes of rows that are written at once.
const FRAME_BYTES: usize = 512 * 1024;

/// How long counts gather before they are written: what a crash may cost of them.
const COUNTS_WAIT: Duration = Duration::from_millis(500);

/// How often it is looked whether a journal is old, and after which time a failed try is repeated.
const PAUSE: Duration = Duration::from_secs(1);

/// After so long without a failed try all is well again, whatever is written.
const CALM: Duration = Duration::from_secs(3);

/// Everything the thread owns.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    orders: Receiver<Order>,
    jobs: Sender<Job>,
    /// `None` while none can be made.
    journal: Option<Journal>,
    limits: Limits,
    masks: Masks,
    /// When the first thing came into the journal.
    began: Option<Instant>,
    next_try: Instant,
    /// The longest frame that could not be written, and when that was last: where it found no room, a shorter one still may.
    failed: Option<(usize, Instant)>,
    frame: Frame,
    /// Counts that are not written yet, nor asked for.
    counts: Minutes,
    counts_due: Option<Instant>,
}

impl Writer {
    pub(crate) fn new(
        shared: Arc<Shared>,
        orders: Receiver<Order>,
        jobs: Sender<Job>,
        journal: Option<Journal>,
        limits: Limits,
    ) -> Self {
        let now = Instant::now();
        let masks = Masks { addresses: shared.options.mask_addresses, queries: shared.options.mask_queries };
        // What an earlier process has left is as old as can be told: it came before now.
        let began = (!shared.open().current.is_empty()).then_some(now);
        Self {
            shared,
            orders,
            jobs,
            journal,
            limits,
            masks,
            began,
            next_try: now,
            failed: None,
            frame: Frame::default(),
            counts: Minutes::default(),
            counts_due: None,
        }
    }

    /// Runs until told to stop, or until nobody is left who could.
    pub(crate) fn run(mut self) {
        loop {
            let wait = self.counts_due.map_or(PAUSE, |due| due.saturating_duration_since(Instant::now()));
            match self.orders.recv_timeout(wait) {
                Ok(Order::Rows(rows, how_many)) => self.take_rows(&rows, how_many),
                Ok(Order::Counts(cells)) => self.take_counts(&cells),
                Ok(Order::Sync(done)) => {
                    self.write_counts();
                    // Who asked may have gone.
                    let _ = done.try_send(());
                }
                Ok(Order::Seal) => self.turn(),
                Ok(Order::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {}
            }
            if self.counts_due.is_some_and(|due| due <= Instant::now()) {
                self.write_counts();
            }
            if self.is_full() {
                self.turn();
            }
        }
        self.write_counts();
        // Nothing is sealed now: the journal is as good, and the next process goes on with it.
        let _ = self.jobs.send(Job::Stop);
    }

    fn take_rows(&mut self, rows: &[u8], how_many: Rows) {
        let mut left = how_many;
        let mut reader = wire::Reader::new(rows);
        let mut frame = std::mem::take(&mut self.frame);
        let mut framed = Rows::default();
        while let Some(row) = reader.row() {
            wire::put_row_with(frame.bytes_mut(), &row, |line, out| self.masks.apply(line, out));
            framed.count(row.failed);
            if frame.bytes().len() >= FRAME_BYTES || reader.is_empty() {
                self.write_rows(&mut frame, framed);
                left = left.without(framed);
                framed = Rows::default();
                frame.clear();
            }
        }
        self.frame = frame;
        // What cannot be read back is a mistake of ours; it is not passed over.
        self.shared.flow.lose(left);
        self.shared.flow.taken(rows.len());
    }

    fn write_rows(&mut self, frame: &mut Frame, how_many: Rows) {
        let begin = match self.append(Kind::Rows, frame) {
            Ok(begin) => begin,
            Err(error) => {
                self.shared.flow.lose(how_many);
                return self.shared.fail(Task::Write, &format!("requests cannot be kept: {error}"));
            }
        };
        let taken = Taken::read(frame.bytes(), begin);
        self.shared.count_rows(taken.len());
        self.shared.flow.lose(how_many.without(taken.rows()));
        self.shared.open().current.add_rows(&taken);
    }

    fn take_counts(&mut self, cells: &[u8]) {
        self.counts.add_all(cells);
        self.counts_due.get_or_insert_with(|| Instant::now() + COUNTS_WAIT);
        self.shared.flow.taken(cells.len());
    }

    fn write_counts(&mut self) {
        self.counts_due = None;
        let mut cells = Frame::default();
        std::mem::take(&mut self.counts).write_to(cells.bytes_mut());
        if cells.bytes().is_empty() {
            return;
        }
        // They are few, and exact only if all of them are there: they count until the next crash even if not written.
        if let Err(error) = self.append(Kind::Cells, &mut cells) {
            self.shared.fail(Task::Write, &format!("counts cannot be kept: {error}"));
        }
        self.began.get_or_insert_with(Instant::now);
        self.shared.open().current.add_cells(cells.bytes());
    }

    /// Writes to the journal. Where the bytes begin in it.
    fn append(&mut self, kind: Kind, frame: &mut Frame) -> io::Result<u64> {
        let bytes = frame.bytes().len();
        let written = self.try_to_append(kind, frame);
        match &written {
            Ok(_) if self.failed.is_none_or(|(failed, when)| bytes >= failed || when.elapsed() >= CALM) => {
                self.failed = None;
                self.shared.recover(Task::Write);
            }
            Ok(_) => {}
            Err(_) => {
                let longest = self.failed.map_or(0, |(longest, _)| longest);
                self.failed = Some((longest.max(bytes), Instant::now()));
            }
        }
        written
    }

    fn try_to_append(&mut self, kind: Kind, frame: &mut Frame) -> io::Result<u64> {
        if self.journal.is_none() {
            let now = Instant::now();
            if now < self.next_try {
                return Err(io::Error::other("there is no journal"));
            }
            let number = self.shared.open().current.number();
            self.begin(number).inspect_err(|_| self.next_try = now + PAUSE)?;
        }
        if self.overflows() {
            return Err(io::Error::other("the files of earlier ones cannot be written"));
        }
        let Some(journal) = &mut self.journal else { return Err(io::Error::other("there is no journal")) };
        let begin = journal.append(kind, frame)?;
        self.began.get_or_insert_with(Instant::now);
        Ok(begin)
    }

    fn begin(&mut self, number: u64) -> io::Result<()> {
        let journal = Journal::create(&journal::path(&self.shared.options.folder, number))?;
        self.shared.open().current.read_lines_from(Arc::clone(journal.file()));
        self.journal = Some(journal);
        Ok(())
    }

    fn length(&self) -> u64 {
        self.journal.as_ref().map_or(0, Journal::length)
    }

    fn is_full(&self) -> bool {
        self.began.is_some_and(|began| began.elapsed() >= self.limits.age)
            || self.length() >= self.limits.bytes
            || self.shared.open().current.rows() >= self.limits.rows
    }

    fn overflows(&self) -> bool {
        self.length() >= self.limits.bytes.saturating_mul(OVERFULL as u64)
            || self.shared.open().current.rows() >= self.limits.rows.saturating_mul(OVERFULL)
    }

    /// Begins a new journal, and has the old one sealed. While that is not possible, the old one goes on.
    fn turn(&mut self) {
        self.write_counts();
        let now = Instant::now();
        {
            let open = self.shared.open();
            if open.current.is_empty() || open.sealing.len() >= UNSEALED || now < self.next_try {
                return;
            }
        }
        let number = self.shared.open().current.number() + 1;
        let journal = match Journal::create(&journal::path(&self.shared.options.folder, number)) {
            Ok(journal) => journal,
            Err(error) => {
                self.next_try = now + PAUSE;
                return self.shared.fail(Task::Write, &format!("no new journal can be made: {error}"));
            }
        };
        let next = Volume::new(number, Some(Arc::clone(journal.file())));
        let full = self.shared.open().turn(next);
        self.journal = Some(journal);
        self.began = None;
        // A sealer that has ended leaves the journals to the next process.
        let _ = self.jobs.send(Job::Seal(full));
    }
}
