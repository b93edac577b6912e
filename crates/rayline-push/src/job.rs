//! Log push: batches of the request log's lines to files, HTTP endpoints, object storage, ClickHouse and Loki.
//!
//! A job has Logpush's names and meanings. Its [`Feed`] takes lines and appends them to a bounded spool on disk; a thread of
//! its own uploads them in order, and deletes what has arrived. So every line that was taken arrives at least once, unless
//! the spool overflows, which is counted, or the receiver will not have it, which is kept and shown. A batch is sent again
//! after an attempt whose answer did not come, under the same id: at most one batch per attempt can come twice, and object
//! storage, files, and ClickHouse where the table deduplicates, then have it once.
//!
//! It decides nothing about requests, and knows the request log's lines alone.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustls_pki_types::CertificateDer;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::client::{Client, Limits};

mod batch;
pub(crate) mod body;
mod destination;
mod feed;
mod line;
mod shared;
mod spool;
mod upload;

pub use destination::Destination;
pub use feed::{Feed, Sample};
pub(crate) use line::moment;
pub use line::{Filter, OutputOptions, Subject, TimestampFormat};
pub use shared::Status;

use shared::{Shared, now};
use spool::{Bounds, Spool};
use upload::Uploader;

/// The folder in `data_dir` that has a folder per job.
const FOLDER: &str = "push";

/// Characters of a name.
const LONGEST_NAME: usize = 64;

/// What a job is to do.
#[derive(Clone, Debug)]
pub struct Spec {
    /// Letters, digits, `-`, `_` and `.`, 64 at most: also a folder's name.
    pub name: String,
    /// Where it goes.
    pub destination: Destination,
    /// `false`: it takes nothing and sends nothing. What was spooled stays.
    pub enabled: bool,
    /// Which lines; `None`: all.
    pub filter: Option<Filter>,
    /// How many of those.
    pub sample: Sample,
    /// What of each.
    pub output_options: OutputOptions,
    /// Bytes of lines in a batch, before compression. A batch is in memory while it is under way.
    pub max_upload_bytes: u64,
    /// Lines in a batch.
    pub max_upload_records: u64,
    /// The longest that a line waits for others.
    pub max_upload_interval: Duration,
    /// Bytes on disk that may wait.
    pub max_spool_bytes: u64,
    /// When to try again.
    pub retry: Retry,
    /// What the receiver may take.
    pub limits: Limits,
}

/// The waits between attempts: twice as long after each failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// After the first.
    pub first: Duration,
    /// At most.
    pub longest: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self { first: Duration::from_secs(1), longest: Duration::from_secs(300) }
    }
}

impl Spec {
    /// All lines to a destination: batches of 5 MB, 100 000 lines or 30 s, whichever comes first, and a spool of 1 GiB.
    pub fn new(name: &str, destination: Destination) -> Self {
        Self {
            name: name.to_owned(),
            destination,
            enabled: true,
            filter: None,
            sample: Sample::of_all(1.0),
            output_options: OutputOptions::default(),
            max_upload_bytes: 5_000_000,
            max_upload_records: 100_000,
            max_upload_interval: Duration::from_secs(30),
            max_spool_bytes: 1 << 30,
            retry: Retry::default(),
            limits: Limits::default(),
        }
    }

    /// # Errors
    ///
    /// What is wrong with it, in one sentence.
    fn check(&self) -> Result<(), String> {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if self.name.is_empty()
            || self.name.len() > LONGEST_NAME
            || self.name.starts_with('.')
            || !self.name.bytes().all(letter)
        {
            return Err(format!(
                "`{}` is no name of a job: letters, digits, `-`, `_` and `.`, {LONGEST_NAME} at most, no `.` first",
                self.name.escape_default()
            ));
        }
        if self.max_upload_bytes == 0 || self.max_upload_records == 0 || self.max_upload_interval.is_zero() {
            return Err("a batch of nothing can never be full".to_owned());
        }
        if !self.sample.is_sound() {
            return Err("a share to sample is a number from 0 to 1".to_owned());
        }
        Ok(())
    }
}

/// A job at work.
#[derive(Debug)]
pub struct Job {
    name: String,
    destination: String,
    enabled: bool,
    shared: Arc<Shared>,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    stop: watch::Sender<Option<Instant>>,
    thread: thread::JoinHandle<()>,
    /// Closed when the thread has ended.
    ended: mpsc::Receiver<()>,
}

impl Job {
    /// Opens the spool in `data_dir`, and starts to send what it holds from before.
    ///
    /// `roots` are trusted besides the public authorities.
    ///
    /// # Errors
    ///
    /// When the spec cannot be, the spool cannot be opened or is in use, or the system has no thread to give. A job of the
    /// same name can start once [`stop`](Self::stop) has returned and the [`Feed`] is dropped.
    pub fn start(spec: Spec, data_dir: &Path, roots: &[CertificateDer<'static>]) -> io::Result<(Self, Feed)> {
        spec.check().map_err(|why| io::Error::new(io::ErrorKind::InvalidInput, why))?;
        let bounds = Bounds {
            segment_bytes: spec.max_upload_bytes,
            segment_records: spec.max_upload_records,
            segment_age: spec.max_upload_interval,
            total_bytes: spec.max_spool_bytes,
        };
        let spool = Spool::open(&data_dir.join(FOLDER).join(&spec.name), bounds, now())?;
        let shared = Arc::new(Shared::new(spool));
        let feed = Feed::new(Arc::clone(&shared), spec.filter.clone(), spec.sample, spec.enabled);
        let (name, destination, enabled) = (spec.name.clone(), spec.destination.to_string(), spec.enabled);
        let running = if enabled { Some(run(spec, Arc::clone(&shared), roots)?) } else { None };
        Ok((Self { name, destination, enabled, shared, running }, feed))
    }

    /// How it fares.
    pub fn status(&self) -> Status {
        let (name, destination) = (self.name.clone(), self.destination.clone());
        Status { name, destination, enabled: self.enabled, ..self.shared.status() }
    }

    /// Sends what there is without waiting for more.
    pub fn flush(&self) {
        self.shared.seal(true);
        self.shared.wake.notify_one();
    }

    /// Sends what there is within a time, and ends. What has not arrived by then, or fails now, stays on disk for the next
    /// start.
    pub fn stop(mut self, within: Duration) {
        let Some(Running { stop, thread, ended }) = self.running.take() else { return };
        stop.send_replace(Some(Instant::now() + within));
        // nothing is ever sent: the wait ends when the thread drops its end. A disk that hangs is not waited for.
        if ended.recv_timeout(within + Duration::from_secs(1)) == Err(mpsc::RecvTimeoutError::Disconnected) {
            // a thread that has panicked has said so on standard error
            let _ = thread.join();
        }
    }
}

fn run(spec: Spec, shared: Arc<Shared>, roots: &[CertificateDer<'static>]) -> io::Result<Running> {
    let (stop, stopped) = watch::channel(None);
    let (end, ended) = mpsc::channel();
    let client = Client::new(roots, spec.limits)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    let Spec { destination, output_options: output, retry, .. } = spec;
    let synced = Arc::clone(&shared);
    let uploader = Uploader { shared, destination, output, client, retry, stop: stopped };
    let thread = thread::Builder::new().name(format!("push-{}", spec.name)).spawn(move || {
        let _end = end;
        runtime.block_on(async {
            tokio::select! {
                () = uploader.run() => {}
                () = synced.keep_synced() => {}
            }
        });
        // what was sealed last; an error has no one left to be told, and the segments are there
        let _ = synced.spool().unsynced().sync();
        // a name that is still being resolved is not waited for
        runtime.shutdown_background();
    })?;
    Ok(Running { stop, thread, ended })
}
