//! The store as others see it: asked from any thread.

mod open;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use rayline_verdict::{Moment, RayId};

use crate::chunk::{Chunk, Source, Span, Table, Wanted};
use crate::intake::{Door, Flow, Intake, Order};
use crate::query::{self, Answer, Query, QueryError};
use crate::shelf::Shelf;
use crate::writer::{Piece, Volume};

/// Where the store lies and how much it may keep.
///
/// What it takes of memory is bounded without an option: 16 MiB of what lanes have handed over, the rows of up to three
/// journals (4 × 100,000 at most while files cannot be written, at about 200 bytes each, their lines left on disk), decoded
/// columns up to an eighth of the machine's memory and 512 MiB at most, and for each dimension up to 32 MiB of texts, of which
/// only those that visitors choose come near (host, path, address, `User-Agent`). The last two only grow as far as somebody
/// asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Its folder; made if it is missing.
    pub folder: PathBuf,
    /// How long requests are kept.
    pub requests_age: Duration,
    /// How long counts are kept.
    pub counts_age: Duration,
    /// Bytes of all files together, journals included. Requests go first, the oldest before others; of journals none goes.
    pub max_bytes: u64,
    /// Whether the last parts of visitors' addresses are removed (/24 of IPv4, /48 of IPv6).
    pub mask_addresses: bool,
    /// Whether the values in queries are removed from paths, referers and evidence.
    pub mask_queries: bool,
}

impl Options {
    /// What is sensible for a store in this folder: requests for thirty days, counts for four hundred, 4 GiB at most, addresses whole
    /// and values in queries removed.
    pub(crate) fn new(folder: PathBuf) -> Self {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        Self {
            folder,
            requests_age: 30 * DAY,
            counts_age: 400 * DAY,
            max_bytes: 4 << 30,
            mask_addresses: false,
            mask_queries: true,
        }
    }
}

/// How the store itself fares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Requests kept since the start.
    pub rows: u64,
    /// Successes that should have been kept since the start, and could not: there was no room for them, or the disk takes
    /// no more. They are counted all the same.
    pub lost_successes: u64,
    /// The same of failures.
    pub lost_failures: u64,
    /// Bytes of all its files.
    pub bytes: u64,
    /// Why nothing can be written now; `None` while that works.
    pub error: Option<String>,
    /// What else should be known, the newest last: files that are damaged or were set aside.
    pub notes: Vec<String>,
}

/// A handle on the store. Clones are the same store.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
    /// `None` where the store is only read.
    door: Option<Door>,
}

/// What the handles and the store's threads share.
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) shelf: Shelf,
    pub(crate) flow: Arc<Flow>,
    open: Mutex<Open>,
    /// Held by all who look what is where; by whoever moves rows from memory to files alone.
    gate: RwLock<()>,
    rows: AtomicU64,
    /// By [`Task`].
    trouble: Mutex<[Option<String>; 2]>,
    notes: Vec<String>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// Which of the store's two threads something is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Task {
    Write,
    Seal,
}

impl Task {
    fn pick<T>(self, writing: T, sealing: T) -> T {
        match self {
            Self::Write => writing,
            Self::Seal => sealing,
        }
    }
}

/// What is in memory.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) current: Volume,
    /// On their way to files, the oldest first.
    pub(crate) sealing: Vec<Arc<Volume>>,
}

impl Open {
    /// What was current, which is now being sealed.
    pub(crate) fn turn(&mut self, next: Volume) -> Arc<Volume> {
        let full = Arc::new(std::mem::replace(&mut self.current, next));
        self.sealing.push(Arc::clone(&full));
        full
    }

    /// It is in files now.
    pub(crate) fn forget(&mut self, number: u64) {
        self.sealing.retain(|volume| volume.number() != number);
    }

    fn volumes(&self) -> impl Iterator<Item = &Volume> {
        self.sealing.iter().map(|volume| &**volume).chain([&self.current])
    }
}

impl Store {
    /// A lane's end of the store; `None` of one that is only read.
    pub fn intake(&self) -> Option<Intake> {
        self.door.clone().map(Intake::new)
    }

    /// Asks.
    ///
    /// # Errors
    ///
    /// If the question makes no sense, or the files cannot be read.
    pub fn query(&self, query: &Query) -> Result<Answer, QueryError> {
        query::run(self, query)
    }

    /// The lines of the requests of that Ray ID, masked as the store was told to: one as a rule, none if it was a success
    /// that was not kept.
    ///
    /// # Errors
    ///
    /// If the files cannot be read.
    pub fn rays(&self, ray: RayId) -> io::Result<Vec<Bytes>> {
        let _nothing_moves = self.shared.ask();
        let always = Span { from: Moment(i64::MIN), to: Moment(i64::MAX) };
        let mut lines = self.shared.shelf.ray(ray)?;
        for piece in self.pieces(Table::Requests, always) {
            lines.extend(piece.lines_of(ray)?);
        }
        Ok(lines)
    }

    /// How the store itself fares.
    pub fn health(&self) -> Health {
        let shared = &*self.shared;
        let lost = shared.flow.lost();
        Health {
            rows: shared.rows.load(Ordering::Relaxed),
            lost_successes: lost.successes,
            lost_failures: lost.failures,
            bytes: bytes_in(&shared.options.folder),
            error: lock(&shared.trouble).iter().flatten().next().cloned(),
            notes: shared.notes.iter().cloned().chain(shared.shelf.notes()).collect(),
        }
    }

    /// Waits until all that was handed over before is written and can be asked for. At once if the store has stopped or is
    /// only read.
    pub fn sync(&self) {
        let Some(door) = &self.door else { return };
        let (done, synced) = sync_channel(1);
        if door.orders.send(Order::Sync(done)).is_ok() {
            // The end of the thread ends the wait too.
            let _ = synced.recv();
        }
    }

    /// Has what is in memory written to files soon. That happens by itself every ten minutes.
    pub fn seal(&self) {
        if let Some(door) = &self.door {
            // One that has stopped seals no more.
            let _ = door.orders.send(Order::Seal);
        }
    }

    /// Takes what was handed over, and ends the store's threads. It can still be asked. Call it after the last lane's end.
    pub fn stop(&self) {
        let Some(door) = &self.door else { return };
        // One that has stopped needs no orders.
        let _ = door.orders.send(Order::Stop);
        let threads = std::mem::take(&mut *lock(&self.shared.threads));
        for thread in threads {
            if thread.join().is_err() {
                say("a thread of the store had ended in a panic");
            }
        }
    }

    fn pieces(&self, table: Table, span: Span) -> Vec<Piece> {
        let shared = &*self.shared;
        let sealed = table.by_minute().unwrap_or(table);
        // One that a crash has interrupted may be in files in part.
        let in_memory = |volume: &&Volume| !shared.shelf.has_sealed(volume.number(), sealed);
        shared.open().volumes().filter(in_memory).flat_map(|volume| volume.pieces(table, span)).collect()
    }
}

impl Source for Store {
    fn chunks(&self, table: Table, span: Span, wanted: &Wanted) -> io::Result<Vec<Arc<Chunk>>> {
        let mut chunks = Vec::new();
        self.visit(table, span, wanted, &mut |chunk| {
            chunks.push(chunk);
            Ok(())
        })?;
        Ok(chunks)
    }

    fn visit(
        &self,
        table: Table,
        span: Span,
        wanted: &Wanted,
        visit: &mut dyn FnMut(Arc<Chunk>) -> io::Result<()>,
    ) -> io::Result<()> {
        // Whoever visits may take his time, so rows must be free to move meanwhile.
        let (files, pieces) = {
            let _nothing_moves = self.shared.ask();
            (self.shared.shelf.segments()?, self.pieces(table, span))
        };
        self.shared.shelf.visit_files(&files, table, span, wanted, visit)?;
        for piece in pieces {
            visit(piece.chunk(wanted.lines)?)?;
        }
        Ok(())
    }
}

impl Shared {
    pub(crate) fn open(&self) -> MutexGuard<'_, Open> {
        lock(&self.open)
    }

    fn ask(&self) -> RwLockReadGuard<'_, ()> {
        self.gate.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for all who ask, and has those who come wait.
    pub(crate) fn seal_alone(&self) -> RwLockWriteGuard<'_, ()> {
        self.gate.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn count_rows(&self, rows: usize) {
        self.rows.fetch_add(rows as u64, Ordering::Relaxed);
    }

    /// Says what is wrong, once.
    pub(crate) fn fail(&self, task: Task, what: &str) {
        let mut troubles = lock(&self.trouble);
        let [writing, sealing] = &mut *troubles;
        let trouble = task.pick(writing, sealing);
        if trouble.is_none() {
            say(&format!("{}: {what}; trying again", self.name()));
        }
        *trouble = Some(what.to_owned());
    }

    /// Says that it is over, if something was wrong.
    pub(crate) fn recover(&self, task: Task) {
        let mut troubles = lock(&self.trouble);
        let [writing, sealing] = &mut *troubles;
        if task.pick(writing, sealing).take().is_some() {
            let lost = self.flow.lost();
            let lost = lost.successes + lost.failures;
            let what = task.pick("its journal is", "its files are");
            say(&format!("{}: {what} written again; requests lost so far: {lost}", self.name()));
        }
    }

    fn name(&self) -> String {
        format!("the store `{}`", self.options.folder.display())
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("options", &self.shared.options).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Bytes of the files in a folder; those that go away meanwhile do not count.
fn bytes_in(folder: &std::path::Path) -> u64 {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    files.filter_map(|file| file.metadata().ok()).map(|facts| facts.len()).sum()
}

pub(crate) fn now() -> Moment {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Moment(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// One line on standard error, which may be closed.
fn say(message: &str) {
    let _ = io::Write::write_all(&mut io::stderr(), format!("rayline: {message}\n").as_bytes());
}

#[cfg(test)]
mod tests;
