//! The versions of the configuration, and how one comes into use: what the admin server asks of whoever keeps them.

use std::time::Duration;

use rayline_verdict::Moment;
use serde::{Deserialize, Serialize};

/// The versions of the configuration. Calls may come from any thread at any time, and may block for a file; those that
/// change something run one after the other.
pub trait Configurations: Send + Sync {
    /// Every version that is still known, the newest first; at most a hundred.
    fn versions(&self) -> Vec<Version>;

    /// The text of one, its secrets masked; `None` if it is not known.
    fn text(&self, number: u64) -> Option<String>;

    /// Runs another text, or begins to roll it out.
    ///
    /// # Errors
    ///
    /// Every problem, each in one text; nothing has changed then.
    fn apply(&self, change: Change) -> Result<Applied, Vec<String>>;

    /// Runs the text of an earlier version again, as a new one; that before the running one unless another is named.
    /// While a version is being rolled out, it ends that instead.
    ///
    /// # Errors
    ///
    /// As [`apply`](Self::apply).
    fn roll_back(&self, to: Option<u64>, signed: Signed) -> Result<Applied, Vec<String>>;

    /// The rollout that goes on.
    fn rollout(&self) -> Option<Rollout>;

    /// Goes to the next step of the rollout now, or with `whole` to its end.
    ///
    /// # Errors
    ///
    /// If none goes on.
    fn promote(&self, whole: bool, signed: Signed) -> Result<Applied, Vec<String>>;

    /// Ends the rollout: all run on what they ran on before.
    ///
    /// # Errors
    ///
    /// If none goes on.
    fn abort(&self, signed: Signed) -> Result<Applied, Vec<String>>;

    /// The zones of the configuration that runs, each with its maintenance.
    fn maintenance(&self) -> Vec<ZoneMaintenance>;

    /// Switches the maintenance of a zone on or off: a version like any other.
    ///
    /// # Errors
    ///
    /// As [`apply`](Self::apply); or if the zone is not there, or not the only one and not named.
    fn maintain(&self, order: MaintenanceOrder) -> Result<Applied, Vec<String>>;
}

/// Whether a zone is in maintenance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ZoneMaintenance {
    /// The zone's name.
    pub zone: String,
    /// Whether visitors are turned away now.
    pub enabled: bool,
    /// When it ends by itself: RFC 3339 in UTC.
    pub until: Option<String>,
    /// What `Retry-After` says at most, in seconds; 0 while it is off.
    pub retry_after_seconds: u64,
    /// Who is served all the same.
    pub allow: Vec<String>,
    /// Beginnings of the paths in maintenance; none: all.
    pub paths: Vec<String>,
}

/// Maintenance, on or off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MaintenanceOrder {
    /// Which zone; the only one if `None`.
    pub zone: Option<String>,
    /// On or off.
    pub enabled: bool,
    /// What `Retry-After` is to say, as the configuration writes it; `None` leaves it as it is.
    pub retry_after: Option<String>,
    /// Who is to be served all the same, as the configuration writes it; `None` leaves it as it is.
    pub allow: Option<Vec<String>>,
    /// After how many seconds it ends by itself; `None`: when it is switched off.
    pub lasts_seconds: Option<u64>,
    /// Who, and why.
    pub signed: Signed,
}

/// Who does something, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signed {
    /// Who, as they call themselves.
    pub author: String,
    /// Why; may be empty.
    pub comment: String,
}

/// A text to run.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The whole configuration.
    pub text: String,
    /// Who wants it, and why.
    pub signed: Signed,
    /// `None`: for everybody at once.
    pub pace: Option<Pace>,
}

/// How a version is rolled out, as far as that is not to be as the configuration says.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pace {
    /// Percent of the visitors at the beginning: steps below are left out.
    pub percent: Option<f64>,
    /// Percent of the visitors, step by step.
    pub steps: Option<Vec<f64>>,
    /// Seconds that each step lasts at least.
    pub dwell_seconds: Option<u64>,
    /// Requests that either version must have had in a step.
    pub min_requests: Option<u64>,
    /// Whether the next step begins by itself.
    pub promote: Option<bool>,
}

/// What came of a change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Applied {
    /// The version that it is about.
    pub version: u64,
    /// What became of it, as one sentence.
    pub outcome: String,
    /// What else is worth knowing: warnings, and what takes a restart.
    pub messages: Vec<String>,
}

/// A version of the configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    /// Its number, as in the log's `PlanVersion`.
    pub number: u64,
    /// Since when it runs, or ran.
    pub since: Moment,
    /// Where it came from, such as a file's name.
    pub source: String,
    /// Who brought it.
    pub author: String,
    /// Why.
    pub comment: String,
    /// How far it came.
    pub state: State,
    /// What happened to it, the oldest first.
    pub history: Vec<Event>,
}

/// How far a version came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It runs, or ran for everybody.
    #[default]
    Used,
    /// It is being rolled out.
    RollingOut,
    /// Its rollout was ended by the edge, for what it broke.
    RolledBack,
    /// Its rollout was ended otherwise.
    Aborted,
}

impl State {
    /// The words on a page.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Used => "used",
            Self::RollingOut => "being rolled out",
            Self::RolledBack => "rolled back by itself",
            Self::Aborted => "rollout ended",
        }
    }
}

/// Something that happened to a version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Nanoseconds since 1970.
    pub at: i64,
    /// What, as one sentence.
    pub what: String,
    /// Who did it; empty where the edge did.
    #[serde(default)]
    pub by: String,
    /// What it rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
}

/// What came of two versions in the same window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// What it comes to, as one sentence.
    pub conclusion: String,
    /// How sure it is that failures of owner or edge have risen, in percent: at least this; 0 where not even 95.
    pub confidence: f64,
    /// Seconds that the window had lasted.
    pub seconds: u64,
    /// The version that ran before.
    pub old: Sample,
    /// The one that was being rolled out.
    pub new: Sample,
    /// Failures of owner and edge by code, the commonest under the new version first.
    pub codes: Vec<CodeCount>,
}

/// What came of the requests under one version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// The version.
    pub version: u64,
    /// All requests.
    pub requests: u64,
    /// Failures whose party is owner or edge.
    pub blamed: u64,
    /// The share of those, in percent, and between which bounds it lies for sure enough (Wilson's interval).
    pub percent: f64,
    /// See `percent`.
    pub percent_low: f64,
    /// See `percent`.
    pub percent_high: f64,
    /// About how many visitors there were.
    pub visitors: u64,
    /// About how many of them met a failure of owner or edge.
    pub failing_visitors: u64,
    /// Failures of the other parties, which count for nothing here: name and count.
    pub others: Vec<(String, u64)>,
}

/// How often a code occurred.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeCount {
    /// The code.
    pub code: String,
    /// Under the version that ran before.
    pub old: u64,
    /// Under the new one.
    pub new: u64,
}

/// A rollout that goes on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rollout {
    /// The version that is rolled out.
    pub version: u64,
    /// The one that runs for the others.
    pub from: u64,
    /// Percent of the visitors, now.
    pub percent: f64,
    /// Every step in percent.
    pub steps: Vec<f64>,
    /// Since when the step goes on, in nanoseconds since 1970.
    pub since: i64,
    /// How long it lasts at least.
    #[serde(serialize_with = "seconds")]
    pub dwell: Duration,
    /// Whether the next begins by itself.
    pub promote: bool,
    /// What it waits for, as one sentence.
    pub waiting_for: String,
    /// What has come of both so far in this step.
    pub evidence: Evidence,
}

fn seconds<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(duration.as_secs())
}
