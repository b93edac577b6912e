//! What can be asked: metrics, status, the live tail, a reload.

mod tail;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use rayline_observe::Observer;
use rayline_verdict::Moment;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::envelope::{Failure, success};
use crate::token::Token;
use crate::{Edge, gate, page};

/// Tails that are open at once.
const TAILS: usize = 16;

/// What the handlers share.
#[derive(Clone)]
struct Shared {
    observer: Observer,
    edge: Arc<dyn Edge>,
    started: Moment,
    tails: Arc<Semaphore>,
}

/// Everything the server answers. Expects the peer's address as an extension of each request.
pub(crate) fn router(token: Token, observer: Observer, edge: Arc<dyn Edge>, started: Moment) -> Router {
    Router::new()
        .route("/", get(page::show))
        .route("/metrics", get(metrics))
        .route("/api/status", get(status))
        .route("/api/tail", get(tail::follow))
        .route("/api/reload", post(reload))
        .fallback(async || Failure::NoRoute.answer(["nothing is here; see `/` for what is"]))
        .method_not_allowed_fallback(async || {
            Failure::MethodNotAllowed.answer(["this path takes another method; see the header `Allow`"])
        })
        .layer(middleware::from_fn_with_state(Arc::new(token), gate::guard))
        .with_state(Shared { observer, edge, started, tails: Arc::new(Semaphore::new(TAILS)) })
}

async fn metrics(State(shared): State<Shared>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], shared.observer.metrics()).into_response()
}

async fn status(State(shared): State<Shared>) -> Response {
    let health = shared.observer.health();
    let mut result = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "plan_version": shared.edge.plan_version(),
        "started_at": shared.started.to_seconds(),
        "records_lost": health.records_lost,
        "log_write_errors": health.log_write_errors,
        "log_error": health.log_error,
    });
    if let (Value::Object(result), Value::Object(more)) = (&mut result, shared.edge.status()) {
        result.extend(more);
    }
    success(result)
}

async fn reload(State(shared): State<Shared>) -> Response {
    match tokio::task::spawn_blocking(move || shared.edge.reload()).await {
        Ok(Ok(version)) => success(json!({ "plan_version": version })),
        Ok(Err(problems)) => Failure::Invalid.answer(problems),
        Err(_panicked) => Failure::Internal.answer(["the reload broke off; the old configuration runs on"]),
    }
}
