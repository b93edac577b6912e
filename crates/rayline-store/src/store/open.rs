//! How a store is opened: what an earlier process has left is taken in again, and what cannot be read is set aside.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, RwLock};
use std::thread;

use super::{Open, Options, Shared, Store, say};
use crate::chunk::Table;
use crate::intake::{Door, Flow};
use crate::journal::{self, Journal, Reading};
use crate::shelf::Shelf;
use crate::writer::{Job, Limits, Sealer, Volume, Writer};

/// What the journals held.
#[derive(Default)]
struct Found {
    /// The oldest first; the last one may be gone on with.
    volumes: Vec<Volume>,
    /// The last one, if it is whole.
    last: Option<Journal>,
    greatest: u64,
    notes: Vec<String>,
}

impl Store {
    /// Opens it for writing, and starts its threads.
    ///
    /// What is damaged is set aside and said: it is no error.
    ///
    /// # Errors
    ///
    /// If the folder cannot be used, or another process writes to it ([`io::ErrorKind::WouldBlock`]).
    pub fn open(options: Options) -> io::Result<Self> {
        Self::open_with(options, Limits::default())
    }

    pub(crate) fn open_with(options: Options, limits: Limits) -> io::Result<Self> {
        let shelf = Shelf::open(&options.folder)?;
        let mut found = Found::default();
        let numbers = journal::numbers(&options.folder)?;
        for number in &numbers {
            let resumed = numbers.last() == Some(number) && !is_sealed(&shelf, *number);
            found.take_in(&options.folder, *number, resumed)?;
        }
        let mut next = found.greatest + 1;
        while is_sealed(&shelf, next) {
            next += 1;
        }
        let current = match found.last {
            Some(_) => found.volumes.pop(),
            None => None,
        };
        let current = current.unwrap_or_else(|| Volume::new(next, None));
        let sealing: Vec<_> = found.volumes.into_iter().map(Arc::new).collect();

        found.notes.iter().for_each(|note| say(note));
        let shared = Shared::new(options, shelf, Open { current, sealing }, found.notes);
        Self::start(Arc::new(shared), found.last, limits)
    }

    fn start(shared: Arc<Shared>, journal: Option<Journal>, limits: Limits) -> io::Result<Self> {
        let (jobs, jobs_end) = channel();
        for volume in &shared.open().sealing {
            // The other end is here.
            let _ = jobs.send(Job::Seal(Arc::clone(volume)));
        }
        let (orders, orders_end) = channel();
        let sealer = Sealer::new(Arc::clone(&shared), jobs_end);
        let writer = Writer::new(Arc::clone(&shared), orders_end, jobs, journal, limits);
        let spawn = |name: &str, run: Box<dyn FnOnce() + Send>| thread::Builder::new().name(name.to_owned()).spawn(run);
        let threads = vec![spawn("store", Box::new(|| writer.run()))?, spawn("store-seal", Box::new(|| sealer.run()))?];
        *super::lock(&shared.threads) = threads;
        let flow = Arc::clone(&shared.flow);
        Ok(Self { shared, door: Some(Door { orders, flow }) })
    }

    /// Opens it for reading only, as it is now. Nothing in it is changed, and another process may write to it.
    ///
    /// # Errors
    ///
    /// If the folder cannot be read.
    pub fn read(folder: &Path) -> io::Result<Self> {
        // The journals first: what is sealed in between is then met in both, and left out of the first.
        let mut volumes = Vec::new();
        for number in journal::numbers(folder)? {
            let path = journal::path(folder, number);
            match fs::File::open(&path).and_then(|file| Ok((file, Reading::of(&path)?))) {
                Ok((file, mut reading)) => volumes.push(Volume::of(number, Some(Arc::new(file)), &mut reading)),
                // sealed, or not to be read, which is for those to say who write
                Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidData) => {}
                Err(error) => return Err(error),
            }
        }
        let shelf = Shelf::open_read_only(folder)?;
        let current = volumes.pop().unwrap_or_else(|| Volume::new(0, None));
        let sealing = volumes.into_iter().map(Arc::new).collect();
        let options = Options::new(folder.to_owned());
        let shared = Shared::new(options, shelf, Open { current, sealing }, Vec::new());
        Ok(Self { shared: Arc::new(shared), door: None })
    }
}

impl Shared {
    fn new(options: Options, shelf: Shelf, open: Open, notes: Vec<String>) -> Self {
        Self {
            options,
            shelf,
            flow: Arc::new(Flow::default()),
            open: Mutex::new(open),
            gate: RwLock::new(()),
            rows: AtomicU64::new(0),
            trouble: Mutex::default(),
            notes,
            threads: Mutex::new(Vec::new()),
        }
    }
}

/// Whether any of a journal's rows are in files.
fn is_sealed(shelf: &Shelf, number: u64) -> bool {
    Table::ALL.into_iter().any(|table| shelf.has_sealed(number, table))
}

impl Found {
    fn take_in(&mut self, folder: &Path, number: u64, resumed: bool) -> io::Result<()> {
        self.greatest = number;
        let path = journal::path(folder, number);
        let mut reading = match Reading::of(&path) {
            Ok(reading) => reading,
            Err(error) => return self.set_aside(&path, &error),
        };
        let file = Arc::new(fs::File::open(&path)?);
        let volume = Volume::of(number, Some(file), &mut reading);
        let bytes = reading.left_out();
        match reading.end() {
            Some(end) if resumed => self.last = Some(Journal::resume(&path, end)?),
            // A torn end is how a killed process leaves it.
            Some(_) => {}
            None => self.notes.push(format!("`{}` is damaged: {bytes} bytes of it are left out", path.display())),
        }
        self.volumes.push(volume);
        Ok(())
    }

    fn set_aside(&mut self, path: &Path, error: &io::Error) -> io::Result<()> {
        let mut aside = path.as_os_str().to_owned();
        aside.push(".damaged");
        fs::rename(path, &aside)?;
        let aside = Path::new(&aside).display();
        self.notes.push(format!("`{}` cannot be read ({error}), and is now `{aside}`", path.display()));
        Ok(())
    }
}
