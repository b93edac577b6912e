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

/// Where questions go.
#[derive(Clone)]
pub(crate) struct Desk {
    store: Option<Arc<dyn Facts>>,
    room: Arc<Semaphore>,
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
        Self { store, room: Arc::new(Semaphore::new(AT_ONCE)) }
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
