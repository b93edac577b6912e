//! What is told: the verdict, since when, how many, and what to do.

use rayline_verdict::{Moment, Party};
use serde::{Deserialize, Serialize};

/// Whether it begins, goes on, or is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It has begun.
    Firing,
    /// It has gone on for a while since it was last told.
    Ongoing,
    /// It is over.
    Resolved,
}

impl State {
    /// The word in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Ongoing => "ongoing",
            Self::Resolved => "resolved",
        }
    }
}

/// One fact, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// What it says something of.
    pub name: String,
    /// What it says.
    pub value: String,
}

/// One message to one or more receivers; as it stands here it is what a `webhook` receives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// The same from the beginning to the end of one trouble, and for nothing else.
    pub id: String,
    /// Where in its life it is.
    pub state: State,
    /// Which policy.
    pub policy: String,
    /// Its `alert_type`.
    pub alert_type: String,
    /// One sentence that is enough for who reads nothing else.
    pub headline: String,
    /// The zone; empty where it is of none.
    pub zone: String,
    /// Who can act; empty where nobody failed.
    pub party: String,
    /// The commonest code of it; empty where there is none.
    pub code: String,
    /// What that code means.
    pub summary: String,
    /// When it began, in RFC 3339.
    pub since: String,
    /// When it was over.
    pub until: Option<String>,
    /// Failed requests in the window.
    pub failed: u64,
    /// Requests in the window.
    pub requests: u64,
    /// What was measured and what the policy allows, in the policy's unit.
    pub measured: f64,
    /// See `measured`.
    pub threshold: f64,
    /// What the last such request shows.
    pub evidence: Vec<Evidence>,
    /// What else is told apart: hosts and origins that met it.
    #[serde(rename = "where")]
    pub places: Vec<String>,
    /// The last such request.
    pub ray_id: String,
    /// What to do, the likeliest first.
    pub steps: Vec<String>,
    /// Where to see more; empty where no dashboard is open.
    pub link: String,
}

impl Notice {
    /// "Whose fault" in a few words.
    pub fn whose(&self) -> &'static str {
        match Party::ALL.into_iter().find(|party| party.name() == self.party) {
            Some(Party::Visitor) => "the visitors'",
            Some(Party::Policy) => "nobody's: a rule did its work",
            Some(Party::Owner) => "the zone's configuration",
            Some(Party::Edge) => "the edge's own",
            Some(Party::Network) => "the network's, between edge and origin",
            Some(Party::Origin) => "the origin's",
            None => "nobody's yet",
        }
    }
}

/// A moment as people and programs read it.
pub(super) fn written(at: Moment) -> String {
    at.to_seconds()
}
