//! The thread that watches and tells.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rayline_store::Source;
use rayline_verdict::Moment;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::deliver::{Receiver, Refusal};
use super::ledger::{Ledger, Outgoing};
use super::notice::Notice;
use super::watch::{Finding, Known, watch};
use super::{Kind, Policy};
use crate::client::{Client, Limits};

/// Notices that wait for one receiver. What comes on top pushes out the oldest.
const WAITING: usize = 1000;
/// After a refusal, and at most.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// What alerts are made of, and where they go.
#[derive(Clone, Debug)]
pub struct Options {
    /// What is watched for.
    pub policies: Vec<Policy>,
    /// Who is told.
    pub receivers: Vec<Receiver>,
    /// Where what has been told, and what waits, is written.
    pub file: PathBuf,
    /// How often is looked.
    pub every: Duration,
    /// The beginning of links to the dashboard; empty: none.
    pub dashboard: String,
}

/// What is asked.
pub struct Sources {
    /// The store.
    pub store: Box<dyn Source + Send>,
    /// What is known besides it. Asked at every look.
    pub known: Box<dyn Fn() -> Known + Send>,
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sources")
    }
}

/// How the alerts fare: what goes on, and how each receiver takes it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Status {
    /// What goes on now and since when, the latest first.
    pub open: Vec<(Moment, Notice)>,
    /// Each receiver, in the order of the configuration.
    pub receivers: Vec<Post>,
    /// Why the last look failed, if it did.
    pub error: Option<String>,
}

/// How one receiver fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// What the configuration calls it.
    pub name: String,
    /// Its `type`.
    pub kind: &'static str,
    /// Notices that wait.
    pub waiting: usize,
    /// Notices that were taken since the start.
    pub sent: u64,
    /// When the last one was.
    pub last_sent: Option<Moment>,
    /// Why the last try failed; `None` if it went well, or there was none.
    pub last_error: Option<String>,
    /// Since when it fails.
    pub failing_since: Option<Moment>,
    /// Notices that were pushed out by later ones since the start.
    pub lost: u64,
    /// Tries that failed since the start.
    pub failed: u64,
}

/// Alerts at work. Dropping it ends them; what has not been told waits on disk.
pub struct Alerts {
    status: Arc<Mutex<Status>>,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Alerts {
    /// Reads what had been told before, and starts the thread.
    ///
    /// A file that cannot be read is set aside, and everything that goes on is told anew.
    ///
    /// # Errors
    ///
    /// If the system has no thread to give.
    pub fn start(options: Options, sources: Sources) -> io::Result<Self> {
        let kept = Kept::read(&options.file);
        let client = Arc::new(Client::new(&[], Limits { response: Duration::from_secs(20), ..Limits::default() })?);
        let status = Arc::new(Mutex::new(Status::default()));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        let (stop, stopped) = oneshot::channel();
        let mut desk = Desk::new(options, sources, kept, client, Arc::clone(&status));
        desk.settle();
        let thread = thread::Builder::new().name("alerts".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = desk.run() => {}
                    _ = stopped => {}
                }
            });
            runtime.shutdown_background();
        })?;
        Ok(Self { status, running: Some((stop, thread)) })
    }

    /// How they fare.
    pub fn status(&self) -> Status {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Alerts {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            drop(stop);
            // a panic has been printed by its hook
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Alerts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alerts").finish_non_exhaustive()
    }
}

/// What is on disk.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Kept {
    ledger: Ledger,
    /// By receiver, the oldest first.
    waiting: BTreeMap<String, VecDeque<Notice>>,
}

impl Kept {
    fn read(file: &Path) -> Self {
        let read = match std::fs::read(file) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| error.to_string()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Self::default(),
            Err(error) => Err(error.to_string()),
        };
        read.unwrap_or_else(|error| {
            let aside = file.with_extension("unreadable");
            // if that fails as well, the next write replaces it
            let _ = std::fs::rename(file, &aside);
            say(&format!("`{}` cannot be read ({error}): set aside; what goes on is told anew", file.display()));
            Self::default()
        })
    }

    /// Replaces the file by one that is whole.
    fn write(&self, file: &Path) -> io::Result<()> {
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let fresh = file.with_extension("new");
        let mut output = OpenOptions::new().write(true).create(true).truncate(true).mode(0o640).open(&fresh)?;
        output.write_all(&serde_json::to_vec(self)?)?;
        std::fs::rename(&fresh, file)
    }
}

/// What is known of one receiver.
struct Line {
    receiver: Arc<Receiver>,
    busy: bool,
    not_before: Instant,
    /// In a row.
    failures: u32,
    post: Post,
}

/// Everything the thread owns.
struct Desk {
    options: Options,
    sources: Sources,
    kept: Kept,
    client: Arc<Client>,
    lines: Vec<Line>,
    status: Arc<Mutex<Status>>,
    error: Option<String>,
    unwritten: bool,
}

/// What came of one try: which receiver, and how it took it.
type Told = (usize, Result<(), Refusal>);

impl Desk {
    fn new(
        options: Options,
        sources: Sources,
        mut kept: Kept,
        client: Arc<Client>,
        status: Arc<Mutex<Status>>,
    ) -> Self {
        kept.ledger.keep(&options.policies);
        kept.waiting.retain(|name, _| options.receivers.iter().any(|receiver| receiver.name == *name));
        let line = |receiver: &Receiver| Line {
            receiver: Arc::new(receiver.clone()),
            busy: false,
            not_before: Instant::now(),
            failures: 0,
            post: Post {
                name: receiver.name.clone(),
                kind: receiver.address.kind(),
                waiting: 0,
                sent: 0,
                last_sent: None,
                last_error: None,
                failing_since: None,
                lost: 0,
                failed: 0,
            },
        };
        let lines = options.receivers.iter().map(line).collect();
        Self { options, sources, kept, client, lines, status, error: None, unwritten: false }
    }

    async fn run(mut self) {
        let mut looks = interval(self.options.every);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut telling: JoinSet<Told> = JoinSet::new();
        loop {
            self.tell(&mut telling);
            self.settle();
            let next = self.lines.iter().filter(|line| !line.busy);
            let next = next.filter(|line| self.waits(&line.post.name)).map(|line| line.not_before).min();
            tokio::select! {
                _ = looks.tick() => self.look(now()),
                Some(told) = telling.join_next() => if let Ok(told) = told { self.take(told) },
                () = until(next) => {}
            }
        }
    }

    fn waits(&self, name: &str) -> bool {
        self.kept.waiting.get(name).is_some_and(|waiting| !waiting.is_empty())
    }

    /// Asks the store what every policy finds, and queues what is to be told.
    fn look(&mut self, now: Moment) {
        let known = (self.sources.known)();
        self.error = None;
        for policy in &self.options.policies {
            match watch(&*self.sources.store, policy, &known, now) {
                Ok(findings) => {
                    let link = |finding: &Finding| link(&self.options.dashboard, policy, finding);
                    let outgoing = self.kept.ledger.take(policy, findings, now, link);
                    self.unwritten |= !outgoing.is_empty();
                    queue(&mut self.kept.waiting, &mut self.lines, outgoing);
                }
                Err(error) => self.error = Some(format!("`{}`: {error}", policy.name)),
            }
        }
    }

    /// Starts a try for each receiver that is free and has something waiting.
    fn tell(&mut self, telling: &mut JoinSet<Told>) {
        let now = Instant::now();
        for (at, line) in self.lines.iter_mut().enumerate() {
            let first = self.kept.waiting.get(&line.post.name).and_then(VecDeque::front);
            let Some(notice) = first.filter(|_| !line.busy && line.not_before <= now).cloned() else { continue };
            line.busy = true;
            let (receiver, client) = (Arc::clone(&line.receiver), Arc::clone(&self.client));
            telling.spawn(async move { (at, receiver.tell(&client, &notice).await) });
        }
    }

    fn take(&mut self, (at, outcome): Told) {
        let Some(line) = self.lines.get_mut(at) else { return };
        line.busy = false;
        match outcome {
            Ok(()) => {
                if let Some(waiting) = self.kept.waiting.get_mut(&line.post.name) {
                    waiting.pop_front();
                }
                self.unwritten = true;
                line.failures = 0;
                line.post.sent += 1;
                line.post.last_sent = Some(now());
                line.post.last_error = None;
                line.post.failing_since = None;
            }
            Err(Refusal { why, after }) => {
                let doubled = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(line.failures.min(16)));
                line.not_before = Instant::now() + after.unwrap_or(doubled).clamp(FIRST_PAUSE, LONGEST_PAUSE);
                line.failures = line.failures.saturating_add(1);
                line.post.failed += 1;
                line.post.last_error = Some(why);
                line.post.failing_since.get_or_insert_with(now);
            }
        }
    }

    /// Writes what has changed, and shows how it stands.
    fn settle(&mut self) {
        if self.unwritten {
            match self.kept.write(&self.options.file) {
                Ok(()) => self.unwritten = false,
                Err(error) => {
                    self.error = Some(format!("`{}` cannot be written: {error}", self.options.file.display()))
                }
            }
        }
        for line in &mut self.lines {
            line.post.waiting = self.kept.waiting.get(&line.post.name).map_or(0, VecDeque::len);
        }
        let status = Status {
            open: self.kept.ledger.open().into_iter().map(|(since, notice)| (since, notice.clone())).collect(),
            receivers: self.lines.iter().map(|line| line.post.clone()).collect(),
            error: self.error.clone(),
        };
        *self.status.lock().unwrap_or_else(PoisonError::into_inner) = status;
    }
}

fn queue(waiting: &mut BTreeMap<String, VecDeque<Notice>>, lines: &mut [Line], outgoing: Vec<Outgoing>) {
    for Outgoing { receivers, notice } in outgoing {
        for line in lines.iter_mut().filter(|line| receivers.contains(&line.post.name)) {
            let waiting = waiting.entry(line.post.name.clone()).or_default();
            // the first may be on its way: the second is pushed out
            if waiting.len() >= WAITING {
                waiting.remove(1);
                line.post.lost += 1;
            }
            waiting.push_back(notice.clone());
        }
    }
}

/// The page of the dashboard that shows what a finding is about.
fn link(dashboard: &str, policy: &Policy, finding: &Finding) -> String {
    if dashboard.is_empty() {
        return String::new();
    }
    if matches!(policy.kind, Kind::Certificate { .. }) {
        return format!("{dashboard}/origins");
    }
    let mut pairs = form_urlencoded::Serializer::new(String::new());
    pairs.append_pair("zone", &finding.zone);
    if let Some(code) = finding.code {
        pairs.append_pair("code", code.name());
    }
    pairs.append_pair("from", &finding.since.to_seconds());
    format!("{dashboard}/errors?{}", pairs.finish())
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

fn now() -> Moment {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Moment(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// One line on standard error, which may be closed.
fn say(message: &str) {
    let _ = io::Write::write_all(&mut io::stderr(), format!("rayline: {message}\n").as_bytes());
}
