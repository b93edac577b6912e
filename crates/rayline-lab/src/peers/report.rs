//! Everything that was said, and what it comes to.

use serde::Serialize;

use super::peer::Peer;
use super::score::{Observation, Place, Score};

/// The whole report.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// UTC, as in `2026-11-21`.
    pub(crate) date: String,
    pub(crate) peers: Vec<Row>,
}

/// One proxy.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// `None` if it is not there.
    pub(crate) version: Option<String>,
    /// Why there are no figures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trouble: Option<String>,
    /// In the order of [`Place::ALL`]; empty if there are none.
    pub(crate) scores: Vec<Score>,
    pub(crate) observations: Vec<Observation>,
    #[serde(skip)]
    pub(crate) peer: &'static Peer,
}

impl Row {
    pub(crate) fn of(peer: &'static Peer, version: String, observations: Vec<Observation>) -> Self {
        let scores = Place::ALL.map(|place| Score::of(&observations, place)).to_vec();
        Self { name: peer.tool.name, version: Some(version), trouble: None, scores, observations, peer }
    }

    pub(crate) fn missing(peer: &'static Peer) -> Self {
        Self::in_trouble(peer, None, format!("it is not there; {}", peer.tool.remedy()))
    }

    pub(crate) fn in_trouble(peer: &'static Peer, version: Option<String>, trouble: String) -> Self {
        let (scores, observations) = (Vec::new(), Vec::new());
        Self { name: peer.tool.name, version, trouble: Some(trouble), scores, observations, peer }
    }

    /// Its name with its version.
    pub(crate) fn title(&self) -> String {
        let version = self.version.as_deref().unwrap_or_default();
        format!("{} {version}", self.peer.title).trim_end().to_owned()
    }

    pub(crate) fn score(&self, place: Place) -> Option<&Score> {
        self.scores.iter().find(|score| score.place == place)
    }
}
