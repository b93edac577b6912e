//! The store's files: which there are, what is in them, how long they stay. It knows neither the journal nor what is asked
//! of the rows.

mod folder;
mod merge;
mod step;
#[cfg(test)]
mod tests;
mod trim;

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use rayline_verdict::{Moment, RayId};

use crate::cache::Columns;
use crate::chunk::{Chunk, Outcome, Source, Span, Table, Wanted};
use crate::dimension::Dimension;
use crate::segment::{Decoded, Facts, Ranges, Segment, Slot};
pub use trim::Trimmed;

const HOUR: i64 = 3_600_000_000_000;
/// How often a reader begins anew because the writer has changed the folder meanwhile.
const ATTEMPTS: usize = 20;
/// Row groups that are decoded before they are asked for, at most. So few of them are not worth a thread.
const AHEAD: usize = 4;
/// Messages kept.
const NOTES: usize = 100;

/// The files of a store. Any number of threads may ask while one adds and one tidies up; another process may read along.
#[derive(Debug)]
pub struct Shelf {
    folder: PathBuf,
    /// Held as long as this process is the one that writes; `None` if it only reads.
    lock: Option<File>,
    next: AtomicU64,
    catalog: Mutex<Catalog>,
    columns: Columns,
    /// Files that count no more and are still there. Held while tidying up.
    refuse: Mutex<Vec<PathBuf>>,
    notes: Mutex<Vec<String>>,
}

/// Which files there are.
#[derive(Clone, Debug, Default)]
struct Catalog {
    segments: Arc<Vec<Arc<Segment>>>,
    /// When the folder was changed last, as it was read; only of those who read along.
    changed: Option<SystemTime>,
}

/// A row group that is to be visited.
#[derive(Debug)]
struct Visit<'a> {
    segment: &'a Arc<Segment>,
    group: usize,
    first: i64,
    /// Its rows are minutes, and hours are asked for.
    by_hour: bool,
}

impl Shelf {
    /// Opens the folder for writing; makes it if it is not there. What a crash has left is cleared away, and damaged files
    /// are set aside: see [`Shelf::notes`].
    ///
    /// # Errors
    ///
    /// If the folder cannot be used, or another process writes to it ([`io::ErrorKind::WouldBlock`]).
    pub fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let lock = File::create(folder.join("lock"))?;
        rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive).map_err(|error| {
            let message = format!("another process writes to `{}`", folder.display());
            if error == rustix::io::Errno::WOULDBLOCK {
                io::Error::new(io::ErrorKind::WouldBlock, message)
            } else {
                error.into()
            }
        })?;
        let shelf = Self::new(folder, Some(lock));
        let found = folder::read(folder, &[])?;
        for (path, error) in &found.damaged {
            let done = match folder::set_aside(path) {
                Ok(()) => "it is set aside".to_owned(),
                Err(error) => format!("it cannot be set aside: {error}"),
            };
            shelf.note(format_args!("`{}` is damaged: {error}; {done}", path.display()));
        }
        let replaced = found.replaced.iter().map(|segment| segment.path.as_path());
        folder::remove(replaced.chain(found.unfinished.iter().map(PathBuf::as_path)))?;
        shelf.next.store(found.greatest.saturating_add(1), Ordering::Relaxed);
        shelf.catalog().segments = Arc::new(found.segments);
        Ok(shelf)
    }

    /// Opens the folder for reading, also while another process writes to it. Nothing in it is changed.
    ///
    /// # Errors
    ///
    /// If the folder cannot be read.
    pub fn open_read_only(folder: &Path) -> io::Result<Self> {
        let shelf = Self::new(folder, None);
        shelf.segments()?;
        Ok(shelf)
    }

    fn new(folder: &Path, lock: Option<File>) -> Self {
        Self {
            folder: folder.to_owned(),
            lock,
            next: AtomicU64::new(0),
            catalog: Mutex::default(),
            columns: Columns::new(),
            refuse: Mutex::default(),
            notes: Mutex::default(),
        }
    }

    /// Writes rows to a file of their own. When this returns, they survive a loss of power.
    ///
    /// # Errors
    ///
    /// If they cannot be written; none of them is kept then.
    pub fn add(&self, table: Table, chunk: &Chunk) -> io::Result<()> {
        self.write(table, chunk, Ranges::default())
    }

    /// The same of the rows of a journal, once: if they are here already, nothing happens. So whoever finds a journal
    /// after a crash may seal all of it again.
    ///
    /// # Errors
    ///
    /// As [`Shelf::add`].
    pub fn seal(&self, journal: u64, table: Table, chunk: &Chunk) -> io::Result<()> {
        if self.has_sealed(journal, table) {
            return Ok(());
        }
        let mut journals = Ranges::default();
        journals.insert(journal);
        self.write(table, chunk, journals)
    }

    /// Whether a journal's rows of a table are in a file.
    pub fn has_sealed(&self, journal: u64, table: Table) -> bool {
        let segments = Arc::clone(&self.catalog().segments);
        segments.iter().any(|segment| segment.facts.table == table && segment.facts.journals.contains(journal))
    }

    fn write(&self, table: Table, chunk: &Chunk, journals: Ranges) -> io::Result<()> {
        self.check_writable()?;
        if chunk.is_empty() {
            return Ok(());
        }
        let facts = Facts { journals, ..Facts::new(table, self.next_number()) };
        let made =
            folder::create(&self.folder, Slot::all_of(chunk), &facts, |writer| writer.add(Arc::new(chunk.clone())))?;
        self.replace(&[], Some(made));
        Ok(())
    }

    fn check_writable(&self) -> io::Result<()> {
        if self.lock.is_some() {
            return Ok(());
        }
        Err(io::Error::new(io::ErrorKind::PermissionDenied, "the store is open for reading only"))
    }

    fn next_number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Takes files out of the catalog and puts another in, at once for whoever asks.
    fn replace(&self, gone: &[Arc<Segment>], made: Option<Arc<Segment>>) {
        let mut catalog = self.catalog();
        let stays = |segment: &&Arc<Segment>| !gone.iter().any(|gone| gone.id == segment.id);
        catalog.segments = Arc::new(catalog.segments.iter().filter(stays).cloned().chain(made).collect());
    }

    /// Removes the files of segments that are no longer in the catalog, and what could not be removed before. A file that
    /// stays would come back to life once that which replaces it is gone: as long as one is there, nothing is merged.
    fn clear_away(&self, refuse: &mut Vec<PathBuf>, gone: &[Arc<Segment>]) -> io::Result<()> {
        refuse.extend(gone.iter().map(|segment| segment.path.clone()));
        folder::remove(refuse.iter().map(PathBuf::as_path))?;
        refuse.clear();
        folder::sync(&self.folder)
    }

    /// The lines of the requests of that Ray ID: one as a rule. Ray IDs grow with time, so there are few row groups where
    /// it can be, and of these one column is read and one page of lines.
    ///
    /// # Errors
    ///
    /// If files cannot be read.
    pub fn ray(&self, ray: RayId) -> io::Result<Vec<Bytes>> {
        let mut lines = Vec::new();
        for segment in self.segments()?.iter().filter(|segment| segment.facts.table == Table::Requests) {
            for (place, group) in segment.groups.iter().enumerate() {
                if group.rays.is_some_and(|(least, greatest)| (least..=greatest).contains(&ray.0)) {
                    let found = self.ray_in(segment, place, ray);
                    lines.extend(self.unless_damaged(segment, found)?.unwrap_or_default());
                }
            }
        }
        Ok(lines)
    }

    fn ray_in(&self, segment: &Segment, group: usize, ray: RayId) -> io::Result<Vec<Bytes>> {
        let all = 0..segment.groups.get(group).map_or(0, |group| group.rows);
        let Some(Decoded::Rays(rays)) = self.columns.read(segment, group, Slot::Ray, &all)? else {
            return Ok(Vec::new());
        };
        let mut lines = Vec::new();
        for (row, _) in rays.iter().enumerate().filter(|(_, have)| **have == ray) {
            lines.extend(segment.lines(group, row..row + 1)?.unwrap_or_default());
        }
        Ok(lines)
    }

    /// What should be known of the files: which are damaged. The newest are last.
    pub fn notes(&self) -> Vec<String> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Forgets every decoded column; for measuring how long it takes without.
    pub fn forget_columns(&self) {
        self.columns.clear();
    }

    fn note(&self, message: fmt::Arguments<'_>) {
        let message = message.to_string();
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        if !notes.contains(&message) {
            if notes.len() == NOTES {
                notes.remove(0);
            }
            notes.push(message);
        }
    }

    /// What is damaged is left out and noted; other errors stay errors.
    fn unless_damaged<T>(&self, segment: &Segment, read: io::Result<T>) -> io::Result<Option<T>> {
        match read {
            Ok(read) => Ok(Some(read)),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                let path = segment.path.display();
                self.note(format_args!("`{path}` is damaged: {error}; some of its rows are left out"));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn catalog(&self) -> MutexGuard<'_, Catalog> {
        self.catalog.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The files as they are now. They stay readable, whatever becomes of them meanwhile.
    pub(crate) fn segments(&self) -> io::Result<Arc<Vec<Arc<Segment>>>> {
        if self.lock.is_some() {
            return Ok(Arc::clone(&self.catalog().segments));
        }
        let mut catalog = self.catalog();
        let mut known = Arc::clone(&catalog.segments);
        let mut seen = None;
        for _ in 0..ATTEMPTS {
            let changed = fs::metadata(&self.folder)?.modified()?;
            if catalog.changed == Some(changed) {
                return Ok(Arc::clone(&catalog.segments));
            }
            let found = match folder::read(&self.folder, &known) {
                Ok(found) => found,
                // The writer has removed a file since it was listed.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            known = Arc::new(found.segments);
            let ids: Vec<_> = known.iter().map(|segment| segment.id).collect();
            // The clock of files ticks slowly, and a listing may miss what is renamed meanwhile. So what has changed just
            // now counts only if it is the same twice, and is looked at again the next time.
            let settled = changed.elapsed().is_ok_and(|ago| ago > Duration::from_secs(1));
            let unchanged = fs::metadata(&self.folder)?.modified()? == changed;
            if unchanged && (settled || seen.as_ref() == Some(&ids)) {
                for (path, error) in &found.damaged {
                    self.note(format_args!("`{}` is damaged: {error}; it is left out", path.display()));
                }
                *catalog = Catalog { segments: known, changed: settled.then_some(changed) };
                return Ok(Arc::clone(&catalog.segments));
            }
            seen = Some(ids);
        }
        Err(io::Error::new(io::ErrorKind::ResourceBusy, "the store's files change too fast to be read"))
    }

    /// The wanted columns of a row group, of the rows in the span: nothing else is widened, and of lines no other page is
    /// decompressed.
    fn chunk(&self, segment: &Segment, group: usize, span: Span, wanted: &Wanted) -> io::Result<Chunk> {
        let mut chunk = Chunk::default();
        let Some(facts) = segment.groups.get(group) else { return Ok(chunk) };
        let mut rows = 0..facts.rows;
        let inside = facts.lies_in(span);
        if !(inside && wanted.untimed) {
            if let Some(Decoded::At(at)) = self.columns.read(segment, group, Slot::At, &rows)? {
                chunk.at = at;
            }
            if !inside && chunk.at.is_sorted() {
                let before = |end: Moment| chunk.at.partition_point(|at| Moment(*at) < end);
                rows = before(span.from)..before(span.to);
                chunk.at = chunk.at.part(&rows);
            }
        }
        let is_known = |slot: &Slot| {
            let tells = matches!(slot, Slot::Text(Dimension::Code | Dimension::EdgeStatus));
            tells && wanted.outcome == Outcome::Fine && facts.outcome == Outcome::Fine
        };
        let needed = |slot: &Slot| !matches!(slot, Slot::At | Slot::Line) && !is_known(slot);
        if wanted.asked {
            chunk.asked = self.columns.asked(segment, group, &rows)?;
        }
        for slot in Slot::all_wanted(wanted).into_iter().filter(needed) {
            if let Some(column) = self.columns.read(segment, group, slot, &rows)? {
                column.put_into(&mut chunk, slot);
            }
        }
        if wanted.lines {
            chunk.lines = segment.lines(group, rows)?.unwrap_or_default().into();
        }
        Ok(chunk)
    }
}

impl Source for Shelf {
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
        self.visit_files(&self.segments()?, table, span, wanted, visit)
    }
}

impl Shelf {
    /// Visits the rows of the files that there were at some moment. Hours are there as soon as minutes are: those not summed
    /// up yet are handed out as they are, by the hour.
    ///
    /// # Errors
    ///
    /// If files cannot be read, and what `visit` returns.
    pub(crate) fn visit_files(
        &self,
        segments: &[Arc<Segment>],
        table: Table,
        span: Span,
        wanted: &Wanted,
        visit: &mut dyn FnMut(Arc<Chunk>) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut visits = visits_of(segments, table, span);
        visits.retain(|visit| visit.segment.groups.get(visit.group).is_none_or(|group| group.may_have(wanted)));
        let later = Span { to: Moment(span.to.0.saturating_add(HOUR)), ..span };
        let unsummed = table.by_minute().map(|by_minute| merge::unsummed(segments, by_minute)).unwrap_or_default();
        let minutes = table.by_minute().map(|by_minute| visits_of(&unsummed, by_minute, later)).unwrap_or_default();
        visits.extend(minutes.into_iter().map(|visit| Visit { by_hour: true, ..visit }));
        visits.sort_by_key(|visit| visit.first);
        let timed = Wanted { untimed: false, ..wanted.clone() };
        let read = |it: &Visit<'_>| {
            let (span, wanted) = if it.by_hour { (later, &timed) } else { (span, wanted) };
            let chunk = self.unless_damaged(it.segment, self.chunk(it.segment, it.group, span, wanted))?;
            Ok(chunk.map(|chunk| if it.by_hour { chunk.by_hour() } else { chunk }))
        };
        let ahead = if wanted.lines { 1 } else { AHEAD };
        read_ahead(&visits, ahead, read, |chunk| visit(Arc::new(chunk)))
    }
}

/// Hands over what is read of the visits, in their order. If there are more than a few, another thread reads what comes
/// next meanwhile, so that decoding and counting share two processors.
fn read_ahead<V: Sync, T: Send>(
    visits: &[V],
    ahead: usize,
    read: impl Fn(&V) -> io::Result<Option<T>> + Send,
    mut take: impl FnMut(T) -> io::Result<()>,
) -> io::Result<()> {
    if visits.len() <= AHEAD {
        return visits.iter().try_for_each(|visit| read(visit)?.map_or(Ok(()), &mut take));
    }
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::sync_channel(ahead);
        thread::Builder::new().name("store-reader".to_owned()).spawn_scoped(scope, move || {
            // Whoever asked may have had enough.
            visits.iter().map(read).try_for_each(|read| sender.send(read)).is_ok()
        })?;
        // On an error the receiver is dropped, and with it the reason to read on.
        receiver.into_iter().try_for_each(|read| read?.map_or(Ok(()), &mut take))
    })
}

fn visits_of(segments: &[Arc<Segment>], table: Table, span: Span) -> Vec<Visit<'_>> {
    let mut visits = Vec::new();
    for segment in segments.iter().filter(|segment| segment.facts.table == table) {
        for (group, it) in segment.groups.iter().enumerate().filter(|(_, group)| group.overlaps(span)) {
            visits.push(Visit { segment, group, first: it.first, by_hour: false });
        }
    }
    visits
}
