//! The request log's file: written in batches, opened anew on request, and patient with a full disk.
//!
//! What cannot be written waits in a bounded backlog and is tried again every second. Trouble is said once when it
//! begins and once when it ends.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rayline_verdict::Record;

use crate::metrics::Metrics;
use crate::observer::{Target, lock, say};

/// Bytes of lines that wait for a log that cannot be written. What comes on top is lost, and counted.
const BACKLOG_BYTES: usize = 4 * 1024 * 1024;

/// How long after a failed try the next one comes, and how often a file is looked after that may have been removed.
const PAUSE: Duration = Duration::from_secs(1);

/// Whole lines, and how many of them are of which kind.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) lines: Vec<u8>,
    successes: u64,
    failures: u64,
}

impl Batch {
    pub(crate) fn count(&mut self, record: &Record) {
        if record.verdict.is_some() { self.failures += 1 } else { self.successes += 1 }
    }

    pub(crate) fn clear(&mut self) {
        self.lines.clear();
        self.successes = 0;
        self.failures = 0;
    }
}

/// Where lines go, and what could not go there yet.
#[derive(Debug)]
pub(crate) struct RequestLog {
    target: Target,
    file: Option<File>,
    backlog: Vec<u8>,
    /// The backlog begins in the middle of a line whose start the file already has.
    cut: bool,
    /// The last write failed, or there is no file: the backlog waits for the next look.
    stuck: bool,
    /// The name must be opened anew; until then the old file, if there is one, is written.
    reopen: bool,
    next_look: Instant,
    trouble: Option<Trouble>,
    metrics: Arc<Metrics>,
    error: Arc<Mutex<Option<String>>>,
}

/// What is known of the trouble that lasts.
#[derive(Debug)]
struct Trouble {
    since: Instant,
    records_lost: u64,
}

impl RequestLog {
    /// A file that cannot be opened is trouble, not an error; a closed standard output is an error.
    pub(crate) fn open(target: Target, metrics: Arc<Metrics>, error: Arc<Mutex<Option<String>>>) -> io::Result<Self> {
        let now = Instant::now();
        let file = match &target {
            Target::Stdout => Some(File::from(io::stdout().as_fd().try_clone_to_owned()?)),
            Target::File(_) | Target::Off => None,
        };
        let reopen = matches!(target, Target::File(_));
        let mut log = Self {
            target,
            stuck: file.is_none(),
            file,
            backlog: Vec::new(),
            cut: false,
            reopen,
            next_look: now,
            trouble: None,
            metrics,
            error,
        };
        log.tend(now);
        Ok(log)
    }

    pub(crate) fn is_on(&self) -> bool {
        self.target != Target::Off
    }

    /// Writes a batch, or keeps it for later, or loses it. Its lines are taken out of it.
    pub(crate) fn write(&mut self, batch: &mut Batch, now: Instant) {
        if !self.is_on() || batch.lines.is_empty() {
            return;
        }
        if self.backlog.len() + batch.lines.len() > BACKLOG_BYTES {
            self.metrics.lost_in_log.add(batch.successes, batch.failures);
            if let Some(trouble) = &mut self.trouble {
                trouble.records_lost += batch.successes + batch.failures;
            }
            return;
        }
        if self.backlog.is_empty() {
            std::mem::swap(&mut self.backlog, &mut batch.lines);
        } else {
            self.backlog.append(&mut batch.lines);
        }
        if !self.stuck {
            self.flush(now);
        }
    }

    /// What time brings: another try after trouble, and a look whether the file is still there.
    pub(crate) fn tend(&mut self, now: Instant) {
        if now < self.next_look || !self.is_on() {
            return;
        }
        self.next_look = now + PAUSE;
        // rotated away it has another name and is written on until the reopening; removed it has none
        if matches!(self.target, Target::File(_)) && self.file.as_ref().is_some_and(is_removed) {
            self.file = None;
            self.stuck = true;
            self.cut = false;
            self.reopen = true;
        }
        if self.reopen {
            self.reopen(now);
        } else if self.stuck {
            self.flush(now);
        }
    }

    /// Opens the file by its name again. The old one is written until that succeeds.
    pub(crate) fn reopen(&mut self, now: Instant) {
        let Target::File(path) = &self.target else { return };
        let opened = open_file(path);
        if !self.backlog.is_empty() {
            self.flush(now);
        }
        match opened {
            Ok(file) => {
                self.reopen = false;
                self.file = Some(file);
                if self.cut {
                    // the rest of a line whose start is in the other file is of no use here
                    let rest = self.backlog.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1);
                    self.backlog.drain(..rest);
                    self.cut = false;
                }
                self.flush(now);
            }
            Err(error) => {
                self.reopen = true;
                self.fail("opened", &error, now);
            }
        }
    }

    /// A last try; what is still left then is lost.
    pub(crate) fn finish(&mut self) {
        if self.stuck {
            self.flush(Instant::now());
        }
        if !self.backlog.is_empty() {
            let lines = self.backlog.iter().filter(|byte| **byte == b'\n').count();
            say(&format!("the last {lines} records are not in the request log, which could not be written"));
        }
    }

    fn flush(&mut self, now: Instant) {
        let Some(file) = &mut self.file else { return };
        let mut written = 0;
        let outcome = loop {
            let rest = self.backlog.get(written..).unwrap_or_default();
            if rest.is_empty() {
                break Ok(());
            }
            match file.write(rest) {
                Ok(0) => break Err(io::Error::from(io::ErrorKind::WriteZero)),
                Ok(count) => written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        if let Some(last) = written.checked_sub(1).and_then(|last| self.backlog.get(last)) {
            self.cut = *last != b'\n';
        }
        self.backlog.drain(..written);
        self.stuck = outcome.is_err();
        match outcome {
            Ok(()) => self.recover(now),
            Err(error) => self.fail("written", &error, now),
        }
    }

    fn fail(&mut self, doing: &str, error: &io::Error, now: Instant) {
        self.metrics.log_write_errors.inc();
        self.next_look = now + PAUSE;
        if self.trouble.is_none() {
            let message = format!("the request log {} cannot be {doing}: {error}", self.name());
            say(&format!("{message}; trying again every second"));
            *lock(&self.error) = Some(message);
            self.trouble = Some(Trouble { since: now, records_lost: 0 });
        }
    }

    /// Nothing is left to write: the trouble is over, unless the file's name still awaits its opening.
    fn recover(&mut self, now: Instant) {
        if self.reopen {
            return;
        }
        if let Some(Trouble { since, records_lost }) = self.trouble.take() {
            let seconds = now.duration_since(since).as_secs();
            say(&format!(
                "the request log {} is written again after {seconds} s; records lost: {records_lost}",
                self.name()
            ));
            *lock(&self.error) = None;
            self.backlog.shrink_to(crate::lane::BATCH_BYTES);
        }
    }

    fn name(&self) -> String {
        match &self.target {
            Target::File(path) => format!("`{}`", path.display()),
            Target::Stdout => "on standard output".to_owned(),
            Target::Off => "that is off".to_owned(),
        }
    }
}

fn is_removed(file: &File) -> bool {
    file.metadata().is_ok_and(|facts| facts.nlink() == 0)
}

fn open_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o640);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            options.open(path)
        }
        outcome => outcome,
    }
}
