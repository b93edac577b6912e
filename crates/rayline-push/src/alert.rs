//! Alerts: when, to whom, and that each is told once. The alert is the verdict.
//!
//! Every few seconds [`watch`] asks the store what each policy looks for. The ledger compares that with what has been
//! told already, and writes notices: one when something begins, one each time it has gone on for long, one when it is
//! over. They wait on disk for their receivers, are tried again until they are taken, and survive a restart.

mod deliver;
mod ledger;
mod notice;
mod service;
mod shape;
mod watch;

pub use deliver::{Address, Receiver};
pub use ledger::{Ledger, Outgoing};
pub use notice::{Evidence, Notice, State};
pub use service::{Alerts, Options, Post, Sources, Status};
pub use shape::shape;
pub use watch::{Certificate, Finding, Known, Rollback, watch};

use std::time::Duration;

use rayline_verdict::{Moment, Party};

/// What is watched for, and who is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// What it is called; unique.
    pub name: String,
    /// What.
    pub kind: Kind,
    /// Of these zones; none: of each.
    pub zones: Vec<String>,
    /// Whose faults count.
    pub parties: Vec<Party>,
    /// Codes, or their beginnings; none: all of the parties.
    pub codes: Vec<String>,
    /// Over which time.
    pub window: Duration,
    /// Requests that the window must have before a share of them means anything.
    pub min_requests: u64,
    /// Names of receivers.
    pub receivers: Vec<String>,
    /// After which time it is told again while it goes on.
    pub repeat: Duration,
    /// Minutes of the UTC day, from and to before, when nobody is told; it may go over midnight.
    pub quiet_minutes: Option<(u16, u16)>,
}

/// What a policy looks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// At least so many percent of a zone's requests fail.
    FailureRate {
        /// From 0 to 100.
        percent: f64,
    },
    /// A failure with a code that the thirty days before did not have.
    NewCode,
    /// A zone's error budget is used up at least so many times too fast, over the window and over its last twelfth.
    BurnRate {
        /// Percent of requests that are to go well.
        objective: f64,
        /// 1: exactly used up.
        times: f64,
    },
    /// A certificate ends.
    Certificate {
        /// So long before.
        before: Duration,
    },
    /// The 99th percentile of an origin's time to answer is at least so many percent of the read time-out.
    NearTimeout {
        /// From 0 to 100.
        percent: f64,
    },
    /// The edge has rolled back a version of the configuration by itself.
    Rollback,
}

impl Kind {
    /// As `alert_type` has it in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FailureRate { .. } => "failure_rate",
            Self::NewCode => "new_code",
            Self::BurnRate { .. } => "burn_rate",
            Self::Certificate { .. } => "certificate",
            Self::NearTimeout { .. } => "near_timeout",
            Self::Rollback => "rollback",
        }
    }
}

impl Policy {
    /// Whether nobody is to be told now.
    pub fn is_quiet(&self, now: Moment) -> bool {
        const DAY: i64 = 24 * 60;
        let minute = now.0.div_euclid(60_000_000_000).rem_euclid(DAY);
        self.quiet_minutes.is_some_and(|(from, to)| {
            let (from, to) = (i64::from(from), i64::from(to));
            if from < to { (from..to).contains(&minute) } else { minute >= from || minute < to }
        })
    }
}
