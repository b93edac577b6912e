//! What is kept of requests and sent elsewhere.

use std::fmt;
use std::time::Duration;

use rayline_verdict::Party;

/// `[store]`, `[[logpush]]`, `[trace]`, `[[alert]]` and `[[alert_receiver]]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Sight {
    /// The analytics store, unless it is off.
    pub store: Option<Store>,
    /// Jobs that send the request log elsewhere, the enabled ones.
    pub logpush: Vec<Logpush>,
    /// OpenTelemetry.
    pub trace: Trace,
    /// What is watched for, the enabled ones.
    pub alerts: Vec<Alert>,
    /// Who is told.
    pub receivers: Vec<Receiver>,
}

/// `[store]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// How long requests are kept.
    pub requests_age: Duration,
    /// How long counts are kept.
    pub counts_age: Duration,
    /// Bytes on disk, journals included.
    pub max_bytes: u64,
    /// Whether visitors' addresses lose their last parts.
    pub mask_addresses: bool,
    /// Whether the values in queries are taken out.
    pub mask_queries: bool,
}

/// One `[[logpush]]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Logpush {
    /// What it is called; fit to be a folder's name.
    pub name: String,
    /// Where to.
    pub destination: Secret,
    /// Conditions in the words of `rayline tail`, joined by `&`; empty: all.
    pub filter: String,
    /// Which fields; none: all.
    pub field_names: Vec<String>,
    /// Which share of the requests without a verdict, from 0 to 1.
    pub sample_rate: f64,
    /// Bytes of a batch before it is packed.
    pub max_upload_bytes: u64,
    /// Requests of a batch.
    pub max_upload_records: u64,
    /// How long a request may wait for its batch.
    pub max_upload_interval: Duration,
    /// Bytes that may wait on disk.
    pub max_spool_bytes: u64,
}

/// `[trace]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// The collector, if traces are sent.
    pub endpoint: Option<Secret>,
    /// Names and values sent to it.
    pub headers: Vec<(String, Secret)>,
    /// Which share of the requests without a verdict, from 0 to 1.
    pub sample_rate: f64,
    /// Whether origins are given `traceparent`.
    pub propagate: bool,
}

/// One `[[alert]]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// What it is called.
    pub name: String,
    /// What is watched for.
    pub kind: AlertKind,
    /// Of these zones; none: of each.
    pub zones: Vec<String>,
    /// Whose faults count.
    pub parties: Vec<Party>,
    /// Codes, or their beginnings; none: all of the parties.
    pub codes: Vec<String>,
    /// Percent of requests, or how many times too fast, or percent of the time-out.
    pub threshold: f64,
    /// Percent of requests that are to go well.
    pub objective: f64,
    /// Over which time.
    pub window: Duration,
    /// Requests that the window must have.
    pub min_requests: u64,
    /// How long before a certificate's end.
    pub before: Duration,
    /// Names of receivers.
    pub receivers: Vec<String>,
    /// After which time it is told again.
    pub repeat: Duration,
    /// Minutes of the UTC day, from and to, when nobody is told; it may go over midnight.
    pub quiet_minutes: Option<(u16, u16)>,
}

/// `alert_type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AlertKind {
    /// The share of failed requests passes the threshold.
    FailureRate,
    /// A failure with a code not seen before.
    NewCode,
    /// The error budget is used up too fast.
    BurnRate,
    /// A certificate is about to end.
    Certificate,
    /// The origin's answers come near the read time-out.
    NearTimeout,
    /// A version of the configuration is rolled back by itself.
    Rollback,
}

/// One `[[alert_receiver]]`, with what its type needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receiver {
    /// What alerts name.
    pub name: String,
    /// How it is told.
    pub kind: ReceiverKind,
    /// The webhook or the mail server; empty for a command.
    pub url: Secret,
    /// The token of a webhook, the routing key of PagerDuty.
    pub secret: Option<Secret>,
    /// The sender of mail.
    pub from: String,
    /// The recipients of mail.
    pub to: Vec<String>,
    /// The program and its arguments.
    pub command: Vec<String>,
}

/// `type` of a receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReceiverKind {
    /// Rayline's own JSON.
    Webhook,
    /// Slack's incoming webhooks.
    Slack,
    /// Discord's webhooks.
    Discord,
    /// Teams' workflows: an adaptive card.
    Teams,
    /// PagerDuty's Events API, version 2.
    PagerDuty,
    /// SMTP.
    Email,
    /// A program on this machine.
    Command,
}

/// A text that may hold a password or token, and is not in the debug output.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
