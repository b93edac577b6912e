//! `/api/config/`: the versions of the configuration, what differs between two, and how one comes into use.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use rayline_verdict::Moment;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use similar::TextDiff;

use super::Shared;
use crate::envelope::{Failure, success};
use crate::seat::{Applied, Change, Configurations, Event, MaintenanceOrder, Pace, Rollout, Signed, Version};

/// Bytes of a configuration that can be applied, as JSON.
pub(super) const TEXT_BYTES: usize = 4 << 20;
/// Lines around a change that are shown with it.
const CONTEXT: usize = 3;

const NONE: &str = "this edge keeps no versions of its configuration";

/// Who, and why, as every call takes it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Words {
    author: String,
    comment: String,
    /// Of a rollback: to which version.
    version: Option<u64>,
    /// Of a promotion: to the end.
    whole: bool,
}

/// A text to apply.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    text: String,
    #[serde(default)]
    author: String,
    #[serde(default)]
    comment: String,
    rollout: Option<Pace>,
}

/// `GET /api/config/versions`
pub(super) async fn versions(State(shared): State<Shared>) -> Response {
    let versions = shared.seats.configurations.as_ref().map(|configurations| configurations.versions());
    let running = shared.edge.plan_version();
    success(versions.unwrap_or_default().iter().map(|version| described(version, running)).collect())
}

/// `GET /api/config/versions/{number}`: the same of one, with its text.
pub(super) async fn version(State(shared): State<Shared>, Path(number): Path<String>) -> Response {
    let Some(configurations) = &shared.seats.configurations else { return Failure::Unavailable.answer([NONE]) };
    let versions = configurations.versions();
    let found = number.parse().ok().and_then(|number: u64| versions.iter().find(|version| version.number == number));
    let Some(version) = found else { return unknown(&number) };
    let mut described = described(version, shared.edge.plan_version());
    if let Value::Object(described) = &mut described {
        described.insert("text".to_owned(), configurations.text(version.number).into());
    }
    success(described)
}

fn unknown(number: &str) -> Response {
    Failure::NoRoute.answer([format!("version `{}` is not known", number.escape_default())])
}

/// `GET /api/config/diff?from=&to=`
pub(super) async fn diff(State(shared): State<Shared>, Query(pairs): Query<Vec<(String, String)>>) -> Response {
    let Some(configurations) = &shared.seats.configurations else { return Failure::Unavailable.answer([NONE]) };
    let asked = |name: &str| pairs.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let text = |name| asked(name).parse().ok().and_then(|number| configurations.text(number));
    match (text("from"), text("to")) {
        (None, _) => unknown(asked("from")),
        (_, None) => unknown(asked("to")),
        (Some(from), Some(to)) => {
            let (old, new) = (format!("version {}", asked("from")), format!("version {}", asked("to")));
            let diff = TextDiff::from_lines(&from, &to);
            let unified = diff.unified_diff().context_radius(CONTEXT).header(&old, &new).to_string();
            success(
                json!({ "from": asked("from").parse::<u64>().ok(), "to": asked("to").parse::<u64>().ok(), "diff": unified }),
            )
        }
    }
}

/// `POST /api/config/versions`
pub(super) async fn apply(State(shared): State<Shared>, body: Bytes) -> Response {
    change::<Text>(shared, &body, |configurations, asked| {
        let Text { text, author, comment, rollout } = asked;
        configurations.apply(Change { text, signed: Signed { author, comment }, pace: rollout })
    })
    .await
}

/// `POST /api/config/rollback`
pub(super) async fn roll_back(State(shared): State<Shared>, body: Bytes) -> Response {
    change::<Words>(shared, &body, |configurations, asked| {
        configurations.roll_back(asked.version, Signed { author: asked.author, comment: asked.comment })
    })
    .await
}

/// `GET /api/config/rollout`
pub(super) async fn rollout(State(shared): State<Shared>) -> Response {
    let rollout = shared.seats.configurations.as_ref().and_then(|configurations| configurations.rollout());
    success(rollout.as_ref().map_or(Value::Null, described_rollout))
}

/// `POST /api/config/rollout/promote`
pub(super) async fn promote(State(shared): State<Shared>, body: Bytes) -> Response {
    change::<Words>(shared, &body, |configurations, asked| {
        configurations.promote(asked.whole, Signed { author: asked.author, comment: asked.comment })
    })
    .await
}

/// `POST /api/config/rollout/abort`
pub(super) async fn abort(State(shared): State<Shared>, body: Bytes) -> Response {
    change::<Words>(shared, &body, |configurations, asked| {
        configurations.abort(Signed { author: asked.author, comment: asked.comment })
    })
    .await
}

/// What to do about a zone's maintenance.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Maintain {
    enabled: bool,
    zone: Option<String>,
    retry_after: Option<String>,
    allow: Option<Vec<String>>,
    lasts_seconds: Option<u64>,
    #[serde(default)]
    author: String,
    #[serde(default)]
    comment: String,
}

/// `GET /api/config/maintenance`
pub(super) async fn maintenance(State(shared): State<Shared>) -> Response {
    let zones = shared.seats.configurations.as_ref().map(|configurations| configurations.maintenance());
    success(json!(zones.unwrap_or_default()))
}

/// `POST /api/config/maintenance`
pub(super) async fn maintain(State(shared): State<Shared>, body: Bytes) -> Response {
    change::<Maintain>(shared, &body, |configurations, asked| {
        let Maintain { enabled, zone, retry_after, allow, lasts_seconds, author, comment } = asked;
        let signed = Signed { author, comment };
        configurations.maintain(MaintenanceOrder { zone, enabled, retry_after, allow, lasts_seconds, signed })
    })
    .await
}

/// Reads what is asked, does it on a thread that may block, and says what came of it.
async fn change<Asked: DeserializeOwned + Send + 'static>(
    shared: Shared,
    body: &[u8],
    act: impl FnOnce(&dyn Configurations, Asked) -> Result<Applied, Vec<String>> + Send + 'static,
) -> Response {
    let Some(configurations) = shared.seats.configurations else { return Failure::Unavailable.answer([NONE]) };
    // No body asks for nothing in particular.
    let asked = if body.is_empty() { b"{}" } else { body };
    let asked = match serde_json::from_slice(asked) {
        Ok(asked) => asked,
        Err(error) => return Failure::Invalid.answer([format!("the body is not what is expected: {error}")]),
    };
    let configurations = Arc::clone(&configurations);
    match tokio::task::spawn_blocking(move || act(&*configurations, asked)).await {
        Ok(Ok(applied)) => success(json!(applied)),
        Ok(Err(problems)) => Failure::Invalid.answer(problems),
        Err(_panicked) => Failure::Internal.answer(["the change broke off; what ran runs on"]),
    }
}

fn described(version: &Version, running: u64) -> Value {
    json!({
        "version": version.number,
        "since": version.since.to_seconds(),
        "source": version.source,
        "author": version.author,
        "comment": version.comment,
        "state": version.state,
        "running": version.number == running,
        "history": version.history.iter().map(described_event).collect::<Vec<_>>(),
    })
}

fn described_event(event: &Event) -> Value {
    let Event { at, what, by, evidence } = event;
    json!({ "at": Moment(*at).to_seconds(), "what": what, "by": by, "evidence": evidence })
}

fn described_rollout(rollout: &Rollout) -> Value {
    let mut described = json!(rollout);
    if let Value::Object(described) = &mut described {
        described.insert("since".to_owned(), Moment(rollout.since).to_seconds().into());
    }
    described
}
