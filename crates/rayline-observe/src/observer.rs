//! The handle on the writer: started once, asked from anywhere, stopped last.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rayline_store::Store;

use crate::lane::{Lane, Slots};
use crate::metrics::{Gauges, Metrics};
use crate::request_log::RequestLog;
use crate::tail::{TailFilter, TailStream, Tails};
use crate::writer::{Command, Writer};

/// How long [`Observer::stop`] waits for the last records to be written.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// Where the request log goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Appended to this file, which is made with mode 0640, its folder too if it is missing.
    File(PathBuf),
    /// Standard output.
    Stdout,
    /// Nowhere; metrics and tails work all the same.
    Off,
}

/// What takes every line of the request log as it is made, whole lines each time. It is called on the writer's thread, so
/// it must not wait for anything but a file.
pub type Feed = Box<dyn FnMut(&[u8]) + Send>;

/// How an [`Observer`] starts.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the request log goes.
    pub log: Target,
    /// How many lanes are needed: one per worker that makes records.
    pub lanes: usize,
    /// Records a lane holds before it loses some. The writer comes by every 50 ms, sooner when a lane is half full.
    pub lane_capacity: usize,
}

/// How the observer itself fares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Records lost since the start, because a lane was full or the log could not be written.
    pub records_lost: u64,
    /// Failed tries to open or write the request log since the start.
    pub log_write_errors: u64,
    /// Why the request log cannot be written now; `None` while it can.
    pub log_error: Option<String>,
}

/// Takes records in and tells what happened: in the request log, in metrics, to whoever follows along.
///
/// Clones are the same observer.
#[derive(Clone)]
pub struct Observer {
    shared: Arc<Shared>,
    commands: Sender<Command>,
}

type GaugeSource = Box<dyn Fn() -> Gauges + Send + Sync>;

struct Shared {
    metrics: Arc<Metrics>,
    tails: Arc<Tails>,
    gauges: Mutex<Option<GaugeSource>>,
    log_error: Arc<Mutex<Option<String>>>,
    store: Option<Store>,
    writer: thread::Thread,
    /// Taken by the first `stop`.
    running: Mutex<Option<Running>>,
}

struct Running {
    thread: JoinHandle<()>,
    /// Closed when the thread has ended.
    ended: Receiver<()>,
}

impl Observer {
    /// Opens the request log and starts the writer's thread.
    ///
    /// A log that cannot be opened is no error here: it is said on stderr and in [`Health`], and tried again.
    ///
    /// # Errors
    ///
    /// If the system has no thread to give, or standard output is closed.
    pub fn start(options: Options) -> io::Result<(Self, Vec<Lane>)> {
        Self::start_with(options, None, Vec::new())
    }

    /// The same, with a store that every lane feeds, and others that take every line. Whoever opened the store stops it,
    /// after this.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn start_with(options: Options, store: Option<Store>, feeds: Vec<Feed>) -> io::Result<(Self, Vec<Lane>)> {
        let metrics = Arc::new(Metrics::new().map_err(io::Error::other)?);
        let log_error = Arc::new(Mutex::new(None));
        let log = RequestLog::open(options.log, Arc::clone(&metrics), Arc::clone(&log_error))?;
        let logged = log.is_on() || !feeds.is_empty();
        let tails = Arc::new(Tails::default());
        let slots: Vec<_> = (0..options.lanes).map(|_| Arc::new(Slots::default())).collect();
        let (commands, orders) = channel();
        let (end, ended) = channel();
        let writer = Writer::new(slots.clone(), orders, log, feeds, Arc::clone(&tails));
        let thread = thread::Builder::new().name("observe".to_owned()).spawn(move || {
            let _end = end;
            writer.run();
        })?;
        let handle = thread.thread().clone();
        let lane = |slots| {
            let (metrics, tails) = (Arc::clone(&metrics), Arc::clone(&tails));
            let intake = store.as_ref().and_then(Store::intake);
            Lane::new(slots, metrics, tails, logged, intake, options.lane_capacity, handle.clone())
        };
        let lanes = slots.into_iter().map(lane).collect();
        let shared = Shared {
            metrics,
            tails,
            gauges: Mutex::new(None),
            log_error,
            store,
            writer: handle,
            running: Mutex::new(Some(Running { thread, ended })),
        };
        Ok((Self { shared: Arc::new(shared), commands }, lanes))
    }

    /// Says where [`metrics`](Self::metrics) finds what only the edge knows. Asked at every scrape.
    pub fn set_gauges(&self, source: impl Fn() -> Gauges + Send + Sync + 'static) {
        *lock(&self.shared.gauges) = Some(Box::new(source));
    }

    /// Opens the request log anew by its name, as after a rotation (SIGUSR1).
    pub fn reopen(&self) {
        self.order(Command::Reopen);
    }

    /// Follows the records that the filter lets through, from now on.
    pub fn subscribe(&self, filter: TailFilter) -> TailStream {
        self.shared.tails.connect(filter)
    }

    /// Every metric in the Prometheus text format.
    pub fn metrics(&self) -> String {
        let gauges = lock(&self.shared.gauges).as_ref().map(|source| source()).unwrap_or_default();
        let store = self.shared.store.as_ref().map(Store::health).unwrap_or_default();
        self.shared.metrics.render(gauges, &store)
    }

    /// How the observer itself fares.
    pub fn health(&self) -> Health {
        Health {
            records_lost: self.shared.metrics.records_lost(),
            log_write_errors: self.shared.metrics.log_write_errors.get(),
            log_error: lock(&self.shared.log_error).clone(),
        }
    }

    /// Takes what is left in the lanes, writes it, ends every tail and the thread. Call it after the last record.
    ///
    /// Waits 5 s at most, for a log that nobody reads (a pipe) takes no more.
    pub fn stop(self) {
        let Some(running) = lock(&self.shared.running).take() else { return };
        self.order(Command::Stop);
        // nothing is ever sent: the wait ends when the thread drops its end
        let timed_out = running.ended.recv_timeout(STOP_TIMEOUT) == Err(std::sync::mpsc::RecvTimeoutError::Timeout);
        if timed_out {
            say("the request log takes no more: its last records are lost");
        } else if running.thread.join().is_err() {
            say("the thread that writes the request log had ended in a panic");
        }
    }

    fn order(&self, command: Command) {
        // a writer that has stopped needs no orders
        let _ = self.commands.send(command);
        self.shared.writer.unpark();
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observer").field("health", &self.health()).finish_non_exhaustive()
    }
}

/// The value behind a lock; whoever panicked while holding it left it whole, for it is only ever replaced.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One line on standard error, which may be closed.
pub(crate) fn say(message: &str) {
    let _ = io::Write::write_all(&mut io::stderr(), format!("rayline: {message}\n").as_bytes());
}
