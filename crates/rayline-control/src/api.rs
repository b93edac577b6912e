//! What can be asked: metrics, status, the live tail, a reload, and beside each page the same as data.

mod alerts;
mod analytics;
mod configuration;
mod export;
mod insight;
mod metrics;
mod replays;
mod tail;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::middleware;
use axum::response::Response;
use axum::routing::{get, post};
use rayline_observe::Observer;
use rayline_verdict::Moment;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::access::Keys;
use crate::control::now;
use crate::envelope::{Failure, success};
use crate::facts::Desk;
use crate::page::{self, diagnose::Runs};
use crate::seat::{Edge, Seats};
use crate::{gate, login};

/// Tails that are open at once.
const TAILS: usize = 16;

/// Pages that follow along at once.
const LIVE: usize = 24;

/// What an error budget is held against if nothing is said.
pub(crate) const OBJECTIVE: f64 = 0.999;

/// Bytes of a request's body.
const BODY_BYTES: usize = 16 * 1024;

/// What the handlers share. Clones are the same.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) keys: Keys,
    pub(crate) observer: Observer,
    pub(crate) edge: Arc<dyn Edge>,
    pub(crate) seats: Seats,
    pub(crate) desk: Desk,
    pub(crate) started: Moment,
    pub(crate) live: Arc<Semaphore>,
    pub(crate) runs: Arc<Runs>,
    tails: Arc<Semaphore>,
}

impl Shared {
    pub(crate) fn new(keys: Keys, observer: Observer, edge: Arc<dyn Edge>, seats: Seats) -> Self {
        let (live, tails) = (Arc::new(Semaphore::new(LIVE)), Arc::new(Semaphore::new(TAILS)));
        let desk = Desk::new(seats.store.clone());
        Self { keys, observer, edge, seats, desk, started: now(), live, runs: Arc::default(), tails }
    }
}

/// Everything the server answers. Expects the peer's address as an extension of each request.
pub(crate) fn router(shared: Shared) -> Router {
    let guard = middleware::from_fn_with_state(shared.keys.clone(), gate::guard);
    pages()
        .merge(calls())
        .fallback(async || Failure::NoRoute.answer(["nothing is here; see `/` for what is"]))
        .method_not_allowed_fallback(async || {
            Failure::MethodNotAllowed.answer(["this path takes another method; see the header `Allow`"])
        })
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(guard)
        .with_state(shared)
}

fn pages() -> Router<Shared> {
    Router::new()
        .route("/", get(page::overview::show))
        .route("/errors", get(page::errors::show))
        .route("/ray", get(page::ray::find))
        .route("/ray/newest", get(page::ray::newest))
        .route("/ray/{id}", get(page::ray::show))
        .route("/origins", get(page::origins::show))
        .route("/login", get(login::show).post(login::enter))
        .route("/logout", post(login::leave))
        .route("/assets/{name}", get(page::assets::show))
        .route("/tail", get(page::tail::show))
        .route("/live/tail", get(page::tail::stream))
        .route("/live/pulse", get(page::tail::pulse))
        .route("/explain", get(page::explain::list))
        .route("/explain/{code}", get(page::explain::show))
        .route("/configuration", get(page::configuration::show))
        .route("/configuration/reload", post(page::configuration::reload))
        .route("/configuration/rollback", post(page::configuration::roll_back))
        .route("/configuration/promote", post(page::configuration::promote))
        .route("/configuration/abort", post(page::configuration::abort))
        .route("/diagnose", get(page::diagnose::show).post(page::diagnose::start))
        .route("/diagnose/{id}", get(page::diagnose::watch))
        .route("/diagnose/{id}/result", get(page::diagnose::result))
        .route("/diagnose/{id}/events", get(page::diagnose::stream))
        .route("/system", get(page::system::show))
}

fn calls() -> Router<Shared> {
    Router::new()
        .route("/metrics", get(metrics::show))
        .route("/api/status", get(status))
        .route("/api/analytics", get(analytics::ask))
        .route("/api/analytics/changes", get(insight::ask_changes))
        .route("/api/budget", get(insight::ask_budget))
        .route("/api/origins", get(insight::ask_origins))
        .route("/api/incidents", get(insight::ask_incidents))
        .route("/api/impact", get(insight::ask_impact))
        .route("/api/approaching", get(insight::ask_approaching))
        .route("/api/export", get(export::ask))
        .route("/api/alerts", get(alerts::ask))
        .route("/api/dimensions", get(analytics::dimensions))
        .route("/api/ray/{id}", get(page::ray::call))
        .route("/api/ray/{id}/har", get(page::ray::call_har))
        .route("/api/tail", get(tail::follow))
        .route("/api/replays/parts", get(replays::parts))
        .route("/api/replays", post(replays::sign).layer(DefaultBodyLimit::max(replays::MOST_BYTES)))
        .route("/api/reload", post(reload))
        .route(
            "/api/config/versions",
            get(configuration::versions)
                .post(configuration::apply)
                .layer(DefaultBodyLimit::max(configuration::TEXT_BYTES)),
        )
        .route("/api/config/versions/{number}", get(configuration::version))
        .route("/api/config/diff", get(configuration::diff))
        .route("/api/config/rollback", post(configuration::roll_back))
        .route("/api/config/rollout", get(configuration::rollout))
        .route("/api/config/rollout/promote", post(configuration::promote))
        .route("/api/config/rollout/abort", post(configuration::abort))
        .route("/api/config/maintenance", get(configuration::maintenance).post(configuration::maintain))
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

/// `POST /api/reload`
async fn reload(State(shared): State<Shared>) -> Response {
    let before = shared.edge.plan_version();
    match tokio::task::spawn_blocking(move || shared.edge.reload()).await {
        Ok(Ok(version)) => success(json!({ "plan_version": version, "is_new": version != before })),
        Ok(Err(problems)) => Failure::Invalid.answer(problems),
        Err(_panicked) => Failure::Internal.answer(["the reload broke off; the old configuration runs on"]),
    }
}
