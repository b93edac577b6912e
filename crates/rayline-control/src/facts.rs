//! Asking the store without holding up the server: its files are read on threads for blocking work, a few at a time.

use std::io;
use std::sync::Arc;

use rayline_store::{Filter, QueryError, Row, Source, Span};
use rayline_verdict::RayId;
use tokio::sync::Semaphore;

use crate::envelope::Failure;
use crate::page::line::Line;
use crate::seat::Facts;

/// Questions that are answered at once; others wait for their turn.
const AT_ONCE: usize = 3;
/// Files that are sent at once: who reads one slowly must hold up neither pages nor all threads.
const SENT_AT_ONCE: usize = 2;

/// Where questions go.
#[derive(Clone)]
pub(crate) struct Desk {
    store: Option<Arc<dyn Facts>>,
    room: Arc<Semaphore>,
    room_to_send: Arc<Semaphore>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Unanswered {
    /// Nothing is stored here.
    NoStore,
    /// The question makes no sense.
    Invalid(Vec<String>),
    /// The store cannot be read, or the thread that did so broke off.
    Broken(String),
}

impl Desk {
    pub(crate) fn new(store: Option<Arc<dyn Facts>>) -> Self {
        let [room, room_to_send] = [AT_ONCE, SENT_AT_ONCE].map(|turns| Arc::new(Semaphore::new(turns)));
        Self { store, room, room_to_send }
    }

    /// Has something read from the store.
    pub(crate) async fn ask<T, E>(
        &self,
        question: impl FnOnce(&dyn Facts) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Unanswered>
    where
        T: Send + 'static,
        E: Into<Unanswered> + Send + 'static,
    {
        let store = self.store.clone().ok_or(Unanswered::NoStore)?;
        let broken = || Unanswered::Broken("the answer broke off".to_owned());
        let _turn = self.room.acquire().await.map_err(|_| broken())?;
        tokio::task::spawn_blocking(move || question(&*store)).await.map_err(|_| broken())?.map_err(Into::into)
    }

    /// Has something read from the store and sent meanwhile. Returns when that begins.
    pub(crate) async fn send(&self, work: impl FnOnce(&dyn Facts) + Send + 'static) -> Result<(), Unanswered> {
        let store = self.store.clone().ok_or(Unanswered::NoStore)?;
        let turn = Arc::clone(&self.room_to_send).acquire_owned().await;
        let turn = turn.map_err(|_| Unanswered::Broken("the answer broke off".to_owned()))?;
        // Nobody waits for its end but who reads what it sends.
        drop(tokio::task::spawn_blocking(move || {
            work(&*store);
            drop(turn);
        }));
        Ok(())
    }

    /// The lines of a Ray ID.
    pub(crate) async fn ray(&self, ray: RayId) -> Result<Vec<Line>, Unanswered> {
        let lines = self.ask(move |store| store.ray(ray)).await?;
        Ok(lines.iter().filter_map(|line| Line::parse(line)).collect())
    }

    /// The newest requests of a span.
    pub(crate) async fn rows(&self, span: Span, filters: Vec<Filter>, limit: usize) -> Result<Vec<Row>, Unanswered> {
        self.ask(move |store| rayline_store::rows(source(store), span, &filters, limit)).await
    }
}

/// The store as what queries are run on.
pub(crate) fn source(store: &dyn Facts) -> &dyn Source {
    store
}

impl From<QueryError> for Unanswered {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Invalid(why) => Self::Invalid(vec![why]),
            QueryError::Unreadable(error) => Self::Broken(format!("the store cannot be read: {error}")),
        }
    }
}

impl From<io::Error> for Unanswered {
    fn from(error: io::Error) -> Self {
        Self::Broken(format!("the store cannot be read: {error}"))
    }
}

impl From<Vec<String>> for Unanswered {
    fn from(wrong: Vec<String>) -> Self {
        Self::Invalid(wrong)
    }
}

impl Unanswered {
    /// As a call of the API answers it.
    pub(crate) fn answer(self) -> axum::response::Response {
        match self {
            Self::NoStore => Failure::Unavailable.answer(["this edge keeps no store: there is nothing to ask"]),
            Self::Invalid(wrong) => Failure::Invalid.answer(wrong),
            Self::Broken(why) => Failure::Internal.answer([why]),
        }
    }
}
