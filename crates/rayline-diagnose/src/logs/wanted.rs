//! What is looked for in logs, and where.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// What to read, and for the sake of which requests.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Files and folders. Empty, and [`here`](Self::here): the usual places of servers, databases and runtimes.
    pub paths: Vec<PathBuf>,
    /// Whether this machine is the origin: its zone is that of the logs, and its journal is one of them.
    pub here: bool,
    /// The requests that failed.
    pub requests: Vec<Request>,
    /// How far around the requests is read; `None`, or no requests: all of each file.
    pub window: Option<Window>,
    /// Where there are no requests: what was written since then.
    pub since: Option<SystemTime>,
    /// The most that is read of a file, in bytes; its end, where no time tells which part is wanted.
    pub most_bytes: u64,
}

/// How far around requests is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Before the first one.
    pub before: Duration,
    /// After the last one ended.
    pub after: Duration,
}

/// A request that failed, as its visitor saw it.
#[derive(Clone, Debug)]
pub struct Request {
    /// When it began, by our clock.
    pub at: SystemTime,
    /// How long it took.
    pub took: Duration,
    /// The method.
    pub method: String,
    /// Path and query, as sent.
    pub path_and_query: String,
    /// The site's name.
    pub host: String,
    /// The status that came, if one did.
    pub status: Option<u16>,
    /// The Ray ID, with its data centre or without.
    pub ray_id: Option<String>,
    /// Our address, as the origin may see it.
    pub client: Option<IpAddr>,
    /// Bytes of the answer's body.
    pub body_bytes: Option<u64>,
}

/// How far a log's clock may be ahead of ours.
const AHEAD: Duration = Duration::from_secs(24 * 60 * 60);

impl Default for Window {
    fn default() -> Self {
        Self { before: Duration::from_secs(600), after: Duration::from_secs(60) }
    }
}

impl Default for Wanted {
    fn default() -> Self {
        Self {
            paths: Vec::new(),
            here: false,
            requests: Vec::new(),
            window: Some(Window::default()),
            since: None,
            most_bytes: 256 << 20,
        }
    }
}

/// The time that is looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    /// From here.
    pub(super) start: SystemTime,
    /// To here.
    pub(super) end: SystemTime,
}

impl Span {
    /// Whether it holds this moment.
    pub(super) fn holds(&self, at: SystemTime) -> bool {
        (self.start..=self.end).contains(&at)
    }
}

impl Wanted {
    /// The time to look at; `None`: all of it.
    pub(super) fn span(&self) -> Option<Span> {
        if let (Some(start), []) = (self.since, self.requests.as_slice()) {
            // A clock that is ahead of ours writes of what is to come.
            return Some(Span { start, end: SystemTime::now().checked_add(AHEAD)? });
        }
        let window = self.window?;
        let first = self.requests.iter().map(|request| request.at).min()?;
        let last = self.requests.iter().filter_map(|request| request.at.checked_add(request.took)).max()?;
        Some(Span { start: first.checked_sub(window.before)?, end: last.checked_add(window.after)? })
    }
}

impl Request {
    /// When it had ended.
    pub(super) fn ended(&self) -> SystemTime {
        self.at.checked_add(self.took).unwrap_or(self.at)
    }

    /// The 16 digits of its Ray ID, in lower case.
    pub(super) fn ray(&self) -> Option<String> {
        let ray = self.ray_id.as_deref()?;
        let digits = ray.split('-').next()?.to_ascii_lowercase();
        (digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(digits)
    }

    /// The path without the query.
    pub(super) fn path(&self) -> &str {
        path_of(&self.path_and_query)
    }
}

/// The path of a request's target, which may be a whole URL.
pub(super) fn path_of(target: &str) -> &str {
    let target = target.split(['?', '#']).next().unwrap_or(target);
    match target.split_once("://") {
        Some((_, rest)) => rest.find('/').and_then(|slash| rest.get(slash..)).unwrap_or("/"),
        None => target,
    }
}
