//! All the steps, run side by side where they do not disturb each other, and what comes of them.

use std::time::{Duration, SystemTime};

use crate::case::Case;
use crate::conclude::{Conclusion, Seen};

/// A diagnosis that was made.
#[derive(Clone, Debug)]
pub struct Diagnosis {
    /// What was asked.
    pub case: Case,
    /// When it began.
    pub started_at: SystemTime,
    /// How long it took.
    pub took: Duration,
    /// What was seen.
    pub seen: Seen,
    /// What follows.
    pub conclusion: Conclusion,
}
