//! How a version comes into use, and when a zone is not in use.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use rayline_verdict::Moment;

/// `[rollout]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Rollout {
    /// Percent of the visitors, rising; the last is 100.
    pub steps: Vec<f64>,
    /// How long each step lasts at least.
    pub dwell: Duration,
    /// How many requests either version must have served before it is judged.
    pub min_requests: u64,
    /// Whether the next step begins by itself.
    pub promote: bool,
}

/// `[zone.maintenance]`, where it is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maintenance {
    /// What `Retry-After` says.
    pub retry_after: Duration,
    /// Who is served all the same.
    pub allow: Vec<IpNet>,
    /// When it ends by itself; `None`: when it is switched off.
    pub until: Option<Moment>,
    /// Beginnings of the paths in maintenance; none: all.
    pub paths: Vec<String>,
    /// What people see in place of the edge's own page.
    pub page: Option<MaintenancePage>,
}

/// A page with its tokens, at most 1,500,000 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaintenancePage {
    /// The file it came from.
    pub path: PathBuf,
    /// The page.
    pub html: Arc<str>,
}
