//! `GET /api/tail`: the request log's lines as they are made, as NDJSON without end.
//!
//! Query: `zone`, `status`, `party`, `code`, `failures`. An empty line comes at once and whenever nothing else has come
//! for 15 s. `{"missed":N}` stands for N lines that this reader was too slow for.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream::{Stream, unfold};
use rayline_observe::{TailFilter, TailStream, Tailed};
use tokio::time::timeout;

use super::{Shared, TAILS};
use crate::envelope::Failure;

/// How long a tail may be silent.
const HEARTBEAT: Duration = Duration::from_secs(15);

pub(super) async fn follow(State(shared): State<Shared>, query: Query<Vec<(String, String)>>) -> Response {
    let pairs = query.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    let filter = match TailFilter::from_pairs(pairs) {
        Ok(filter) => filter,
        Err(wrong) => return Failure::Invalid.answer(wrong),
    };
    let Ok(place) = Arc::clone(&shared.tails).try_acquire_owned() else {
        return Failure::TooMany.answer([format!("{TAILS} tails are open already; close one first")]);
    };
    let lines = lines(shared.observer.subscribe(filter), place);
    ([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response()
}

/// The body; it keeps the `place` until it is dropped.
fn lines<Place>(tail: TailStream, place: Place) -> impl Stream<Item = Result<Bytes, Infallible>> {
    unfold((tail, place, true), |(mut tail, place, first)| async move {
        let line = if first {
            Bytes::from_static(b"\n")
        } else {
            match timeout(HEARTBEAT, tail.next()).await {
                Ok(Some(Tailed::Line(line))) => line,
                Ok(Some(Tailed::Missed(count))) => Bytes::from(format!("{{\"missed\":{count}}}\n")),
                Ok(None) => return None,
                Err(_silent) => Bytes::from_static(b"\n"),
            }
        };
        Some((Ok(line), (tail, place, false)))
    })
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;
    use rayline_observe::{Observer, Options, Target};
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_silent_tail_shows_that_it_lives() {
        let (observer, _lanes) = Observer::start(Options { log: Target::Off, lanes: 0, lane_capacity: 1 }).unwrap();
        let mut lines = std::pin::pin!(lines(observer.subscribe(TailFilter::default()), ()));
        let start = Instant::now();
        for beat in 0..3 {
            assert_eq!(lines.next().await, Some(Ok(Bytes::from_static(b"\n"))));
            assert_eq!(start.elapsed().as_secs(), beat * HEARTBEAT.as_secs());
        }
        observer.stop();
        assert_eq!(lines.next().await, None);
    }
}
