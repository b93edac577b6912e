//! The thread that makes files: it seals journals that are full, and tidies up the files. Nobody waits for it.
//!
//! A journal is deleted when all that it holds is in files, and a file names the journal that it was made of. So a crash at
//! any point loses nothing, and nothing is in two files.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::Volume;
use rayline_verdict::Moment;

use crate::chunk::{Chunk, Span, Table};
use crate::journal;
use crate::store::{Options, Shared, Task, now};

/// After which time a failed try is repeated.
const AGAIN: Duration = Duration::from_secs(5);

/// How often old files are looked for, at least.
const TIDY: Duration = Duration::from_secs(600);

/// What the thread is told.
#[derive(Debug)]
pub(crate) enum Job {
    /// Seals this, which is among those that are being sealed.
    Seal(Arc<Volume>),
    /// Ends.
    Stop,
}

/// Everything the thread owns.
pub(crate) struct Sealer {
    shared: Arc<Shared>,
    jobs: Receiver<Job>,
    waiting: VecDeque<Arc<Volume>>,
    tidy_at: Instant,
}

impl Sealer {
    pub(crate) fn new(shared: Arc<Shared>, jobs: Receiver<Job>) -> Self {
        Self { shared, jobs, waiting: VecDeque::new(), tidy_at: Instant::now() }
    }

    /// Runs until told to stop.
    pub(crate) fn run(mut self) {
        loop {
            let wait = match self.work() {
                Ok(()) => {
                    self.shared.recover(Task::Seal);
                    self.tidy_at.saturating_duration_since(Instant::now())
                }
                Err(error) => {
                    self.shared.fail(Task::Seal, &error.to_string());
                    AGAIN
                }
            };
            match self.jobs.recv_timeout(wait) {
                Ok(Job::Seal(volume)) => self.waiting.push_back(volume),
                Ok(Job::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    fn work(&mut self) -> io::Result<()> {
        while let Some(volume) = self.waiting.front() {
            seal(&self.shared, volume).map_err(|error| context("files cannot be written", &error))?;
            self.waiting.pop_front();
            self.tidy_at = Instant::now();
        }
        if self.tidy_at <= Instant::now() {
            self.tidy_at = Instant::now() + TIDY;
            let trimmed = self.tidy();
            trimmed.map_err(|error| context("files cannot be tidied up", &error))?;
        }
        Ok(())
    }
}

impl Sealer {
    /// Journals cannot go, but they take their part of what there may be.
    fn tidy(&self) -> io::Result<()> {
        let options = &self.shared.options;
        let journals = journal::bytes_in(&options.folder)?;
        let for_files = Options { max_bytes: options.max_bytes.saturating_sub(journals), ..options.clone() };
        self.shared.shelf.trim(now(), &for_files).map(drop)
    }
}

fn context(what: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{what}: {error}"))
}

/// Makes the files of a volume, lets go of it, and deletes its journal. Whoever asks meanwhile waits, for he must not meet
/// the same rows in memory and in a file.
fn seal(shared: &Shared, volume: &Volume) -> io::Result<()> {
    let tables = [Table::Requests, Table::Minutes, Table::Times];
    let chunks = tables.map(|table| (table, whole(volume, table)));
    {
        let _asked_by_nobody = shared.seal_alone();
        for (table, chunk) in chunks {
            shared.shelf.seal(volume.number(), table, &chunk?)?;
        }
        shared.open().forget(volume.number());
    }
    match std::fs::remove_file(journal::path(&shared.options.folder, volume.number())) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// All rows of a table, with everything.
fn whole(volume: &Volume, table: Table) -> io::Result<Chunk> {
    let pieces = volume.pieces(table, Span { from: Moment(i64::MIN), to: Moment(i64::MAX) });
    let chunks = pieces.iter().map(|piece| piece.chunk(true)).collect::<io::Result<Vec<_>>>()?;
    Ok(Chunk::concat(&chunks))
}
