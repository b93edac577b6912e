//! What feed, uploader and whoever asks share: the spool, and how the job fares.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rayline_verdict::Moment;
use tokio::sync::Notify;

use super::batch::Batch;
use super::spool::{Held, Spool};

/// How a job fares, with the names of Cloudflare's job object where it has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// The job's name.
    pub name: String,
    /// Where it goes, without secrets.
    pub destination: String,
    /// Whether it takes anything.
    pub enabled: bool,
    /// When a batch arrived last.
    pub last_complete: Option<Moment>,
    /// When an attempt failed last.
    pub last_error: Option<Moment>,
    /// Why it is failing; `None` since the last success.
    pub error_message: Option<String>,
    /// The age of the oldest line that waits.
    pub lag: Option<Duration>,
    /// Bytes on disk.
    pub spooled_bytes: u64,
    /// Lines that wait.
    pub spooled_records: u64,
    /// Lines that arrived since the start.
    pub delivered_records: u64,
    /// Batches that arrived since the start.
    pub delivered_batches: u64,
    /// Attempts that failed since the start.
    pub failed_attempts: u64,
    /// Lines lost since the start: the spool was full, or the disk took them not.
    pub dropped_records: u64,
    /// Lines on disk that the receiver will not have.
    pub refused_records: u64,
    /// Spans of batches that arrived, which the collector has said it rejects for good, since the start.
    pub rejected_spans: u64,
    /// What the receiver said against the last batch that it had something to say against, though it took it.
    pub objection: Option<String>,
}

/// What is counted.
#[derive(Debug, Default)]
struct Progress {
    last_complete: Option<Moment>,
    last_error: Option<Moment>,
    error_message: Option<String>,
    delivered_records: u64,
    delivered_batches: u64,
    failed_attempts: u64,
    rejected_spans: u64,
    objection: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    spool: Mutex<Spool>,
    progress: Mutex<Progress>,
    /// There is something to do.
    pub(super) wake: Notify,
    /// A segment has been sealed.
    sealed: Notify,
}

impl Shared {
    pub(super) fn new(spool: Spool) -> Self {
        Self { spool: Mutex::new(spool), progress: Mutex::default(), wake: Notify::new(), sealed: Notify::new() }
    }

    /// Held for as long as a file takes to be written or renamed.
    pub(super) fn spool(&self) -> MutexGuard<'_, Spool> {
        self.spool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn append(&self, lines: &[u8], records: u64, at: Instant) {
        let (outcome, stirred) = {
            let mut spool = self.spool();
            let idle = spool.due().is_none();
            let outcome = spool.append(lines, records, (now(), at));
            (outcome, idle || spool.is_ready())
        };
        self.sealed.notify_one();
        if let Err(error) = outcome {
            self.failed(format!("the spool: {error}"));
        }
        if stirred {
            self.wake.notify_one();
        }
    }

    /// Seals what is due, or everything that there is.
    pub(super) fn seal(&self, everything: bool) {
        let mut spool = self.spool();
        let sealed = if everything { spool.seal(now()) } else { spool.seal_due((now(), Instant::now())) };
        drop(spool);
        self.sealed.notify_one();
        if let Err(error) = sealed {
            self.failed(format!("the spool: {error}"));
        }
    }

    /// Has whatever is sealed put on the disk from now on, on a thread that nobody waits for.
    pub(super) async fn keep_synced(&self) {
        loop {
            let unsynced = self.spool().unsynced();
            if unsynced.is_empty() {
                self.sealed.notified().await;
                continue;
            }
            if let Ok(Err(error)) = tokio::task::spawn_blocking(move || unsynced.sync()).await {
                self.failed(format!("the spool: {error}"));
            }
        }
    }

    /// The receiver has taken a batch and rejects some of its spans, or has something to say.
    pub(super) fn objected(&self, (rejected, why): (u64, String)) {
        let mut progress = self.progress();
        progress.rejected_spans += rejected;
        progress.objection = Some(why);
    }

    pub(super) fn arrived(&self, batch: &Batch) {
        let deleted = self.spool().arrived(batch);
        let mut progress = self.progress();
        progress.last_complete = Some(now());
        progress.error_message = None;
        progress.delivered_records += batch.records;
        progress.delivered_batches += 1;
        drop(progress);
        if let Err(error) = deleted {
            self.failed(format!("the spool: {error}"));
        }
    }

    pub(super) fn failed(&self, why: String) {
        let mut progress = self.progress();
        progress.last_error = Some(now());
        progress.error_message = Some(why);
        progress.failed_attempts += 1;
    }

    /// All but what the job is called and where it goes.
    pub(super) fn status(&self) -> Status {
        let Held { bytes, records, refused, lost, oldest } = self.spool().held();
        let progress = self.progress();
        let age = |Moment(began): Moment| Duration::from_nanos(now().0.saturating_sub(began).try_into().unwrap_or(0));
        Status {
            name: String::new(),
            destination: String::new(),
            enabled: true,
            last_complete: progress.last_complete,
            last_error: progress.last_error,
            error_message: progress.error_message.clone(),
            lag: oldest.map(age),
            spooled_bytes: bytes,
            spooled_records: records,
            delivered_records: progress.delivered_records,
            delivered_batches: progress.delivered_batches,
            failed_attempts: progress.failed_attempts,
            dropped_records: lost,
            refused_records: refused,
            rejected_spans: progress.rejected_spans,
            objection: progress.objection.clone(),
        }
    }
}

/// The system's clock.
pub(crate) fn now() -> Moment {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Moment(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}
