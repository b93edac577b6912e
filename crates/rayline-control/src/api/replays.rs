//! What `rayline bisect` asks: which parts can be switched off, and a signature for a request that goes without some.

use std::io::ErrorKind;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Query as Pairs, State};
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;

use super::Shared;
use crate::envelope::{Failure, success};
use crate::seat::{Asked, Replays};

/// Bytes of a question: the names of 2,000 parts.
pub(super) const MOST_BYTES: usize = 512 * 1024;

#[derive(Debug, Deserialize)]
pub(super) struct Where {
    host: String,
}

/// The body of a question.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    method: String,
    url: String,
    #[serde(default)]
    off: Vec<String>,
    version: Option<u64>,
}

fn seat(shared: &Shared) -> Result<Arc<dyn Replays>, Box<Response>> {
    let none = || Box::new(Failure::NoRoute.answer(["this edge replays nothing"]));
    shared.seats.replays.clone().ok_or_else(none)
}

/// `GET /api/replays/parts?host=NAME`
pub(super) async fn parts(State(shared): State<Shared>, Pairs(Where { host }): Pairs<Where>) -> Response {
    let replays = match seat(&shared) {
        Ok(replays) => replays,
        Err(answer) => return *answer,
    };
    match replays.parts(&host) {
        Some(parts) => success(json!({ "parts": parts })),
        None => Failure::NoRoute.answer([format!("no zone of this edge has the name `{host}`")]),
    }
}

/// `POST /api/replays`
pub(super) async fn sign(State(shared): State<Shared>, body: Bytes) -> Response {
    let replays = match seat(&shared) {
        Ok(replays) => replays,
        Err(answer) => return *answer,
    };
    let wanted: Wanted = match serde_json::from_slice(&body) {
        Ok(wanted) => wanted,
        Err(error) => {
            let body = "{\"method\": text, \"url\": text, \"off\": [ids], \"version\": number}";
            return Failure::Invalid.answer([format!("the body is {body}: {error}")]);
        }
    };
    let Wanted { method, url, off, version } = wanted;
    let signed = tokio::task::spawn_blocking(move || replays.sign(&Asked { method, url }, &off, version)).await;
    match signed {
        Ok(Ok(signed)) => success(json!(signed)),
        Ok(Err(error)) if error.kind() == ErrorKind::NotFound => Failure::NoRoute.answer([error.to_string()]),
        Ok(Err(error)) => Failure::Invalid.answer([error.to_string()]),
        Err(_panicked) => Failure::Internal.answer(["signing broke off"]),
    }
}
