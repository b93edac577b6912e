//! What the admin server asks of others: small traits, so that it need not know who answers.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rayline_store::analysis::approaching::Limits;
use rayline_store::{Source, Store};
use rayline_verdict::{Moment, RayId};
use serde_json::{Value, json};
use tokio::sync::mpsc::Receiver;

mod configurations;
mod replays;

pub use configurations::{
    Applied, Change, CodeCount, Configurations, Event, Evidence, MaintenanceOrder, Pace, Rollout, Sample, Signed,
    State, Version, ZoneMaintenance,
};
pub use replays::{Asked, Part, Replays, SignedReplay};

/// What the admin server asks of the edge. Calls may come from any thread at any time.
pub trait Edge: Send + Sync {
    /// The version of the plan that decides now.
    fn plan_version(&self) -> u64;

    /// Reads the configuration again and runs it; the version that runs then. May block.
    ///
    /// # Errors
    ///
    /// Every problem, each in one text; the old plan runs on.
    fn reload(&self) -> Result<u64, Vec<String>>;

    /// An object of what else the edge can say of itself. Its entries stand beside those of the admin server in
    /// `GET /api/status` and on the page *System*. The pages know these names, all of them optional:
    /// `zones` (`[{"name", "ssl", "hosts", "origins": [text], "read_timeout_ms"}]`), `certificates`
    /// (`[{"names": [text], "not_after", "days_left", "toward", "address"}]`, with an address where an origin showed it),
    /// `near_limits` (`[{"what": "request" or "response", "key", "zone", "host", "bytes", "limit", "seen_at"}]`: header
    /// sections), `http`, `https` (addresses),
    /// `visitor_connections`, `idle_origin_connections`.
    fn status(&self) -> Value;
}

/// What happened: the analytics store. Calls may come from any thread at any time, and block while files are read.
pub trait Facts: Source + Send + Sync {
    /// The lines of the requests of that Ray ID: mostly one, for IDs are not guaranteed to be unique.
    ///
    /// # Errors
    ///
    /// If files cannot be read.
    fn ray(&self, ray: RayId) -> io::Result<Vec<Bytes>>;

    /// An object of how the store fares, for the page *System*: names in `snake_case`, those of sizes ending in `_bytes`.
    fn health(&self) -> Value;
}

impl Facts for Store {
    fn ray(&self, ray: RayId) -> io::Result<Vec<Bytes>> {
        self.rays(ray)
    }

    fn health(&self) -> Value {
        let health = Self::health(self);
        json!({
            "kept_since_the_start": health.rows,
            "lost_failures": health.lost_failures,
            "lost_successes": health.lost_successes,
            "size_bytes": health.bytes,
            "error": health.error,
            "notes": health.notes,
        })
    }
}

/// Whoever can find the culprit of a failing site.
pub trait Diagnose: Send + Sync {
    /// Begins to look at a URL, with the origins that a person named. What is seen comes through the channel, which ends
    /// with [`Step::Concluded`] or [`Step::Broken`]; whoever drops it wants no more.
    ///
    /// # Errors
    ///
    /// One sentence, if the question cannot be asked.
    fn start(&self, url: &str, origins: &[String]) -> Result<Receiver<Step>, String>;
}

/// What happens in a diagnosis.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// A step begins: its name, and what it does in a few words.
    Began {
        /// Dotted, such as `visit.http1`.
        name: String,
        /// In a few words.
        doing: String,
    },
    /// A step has ended: an object of `probes` as `rayline diagnose --json` prints them.
    Ended(Value),
    /// All was looked at: the object that `rayline diagnose --json` prints.
    Concluded(Value),
    /// It broke off, and why.
    Broken(String),
}

/// Whatever sends things away by itself: log push, traces, alerts.
pub trait Senders: Send + Sync {
    /// How each receiver fares.
    fn jobs(&self) -> Vec<Job>;

    /// What is firing, and what has recovered of late; the newest first.
    fn alerts(&self) -> Vec<Alert>;
}

/// One receiver of what is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Job {
    /// As the configuration calls it.
    pub name: String,
    /// `http`, `s3`, `clickhouse`, `loki`, `otlp`, `webhook`, `smtp`, …
    pub kind: String,
    /// Where to, without secrets.
    pub receiver: String,
    /// Records or messages that were taken.
    pub sent: u64,
    /// Those that wait.
    pub waiting: u64,
    /// Bytes on disk that wait; 0 where what waits is no file of its own.
    pub waiting_bytes: u64,
    /// Those that were given up.
    pub lost: u64,
    /// Tries that failed since the start.
    pub failed: u64,
    /// When something was taken last.
    pub last_success: Option<Moment>,
    /// What the receiver said against something that it took all the same.
    pub objection: Option<String>,
    /// Why the last try failed; `None` if it went well, or there was none.
    pub error: Option<String>,
    /// Since when it fails.
    pub failing_since: Option<Moment>,
}

/// Something that people were told, or are to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// The rule's name.
    pub rule: String,
    /// What it says: side, cause and how many, in one sentence.
    pub summary: String,
    /// Since when.
    pub since: Moment,
    /// When it was over; `None` while it fires.
    pub until: Option<Moment>,
    /// A path of the dashboard that shows what it is about, such as `/errors?code=…`.
    pub link: String,
}

/// What there is besides the edge. What is missing is said on the pages that would need it.
#[derive(Clone, Default)]
pub struct Seats {
    /// The analytics store.
    pub store: Option<Arc<dyn Facts>>,
    /// Versions of the configuration.
    pub configurations: Option<Arc<dyn Configurations>>,
    /// Diagnoses from the dashboard.
    pub diagnose: Option<Arc<dyn Diagnose>>,
    /// Requests that go without parts of the plan.
    pub replays: Option<Arc<dyn Replays>>,
    /// Log push and alerts.
    pub senders: Option<Arc<dyn Senders>>,
    /// What traffic may come near to; `None`: the defaults of the configuration.
    pub limits: Option<Limits>,
}

impl Seats {
    /// The limits that are configured, or the defaults ("Connection limits").
    pub(crate) fn limits(&self) -> Limits {
        self.limits.unwrap_or(Limits {
            read_timeout: Duration::from_secs(125),
            connect_timeout: Duration::from_secs(19),
            tls_timeout: Duration::from_secs(19),
            request_body_bytes: 104_857_600,
            memory: Duration::from_secs(7 * 86_400),
        })
    }
}

impl fmt::Debug for Seats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seats")
            .field("store", &self.store.is_some())
            .field("configurations", &self.configurations.is_some())
            .field("diagnose", &self.diagnose.is_some())
            .field("replays", &self.replays.is_some())
            .field("senders", &self.senders.is_some())
            .finish()
    }
}
