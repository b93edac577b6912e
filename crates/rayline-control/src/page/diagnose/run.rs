//! Diagnoses that were started here: two at once, ten kept, in memory.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rayline_verdict::Moment;
use serde_json::Value;
use tokio::sync::mpsc::Receiver;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::control::now;
use crate::seat::Step;
use crate::session::Secret;

/// Diagnoses at once.
const AT_ONCE: usize = 2;
/// Diagnoses that are kept.
const KEPT: usize = 10;
/// Steps of one that are kept: far more than there are.
const STEPS: usize = 500;

/// How one ended.
#[derive(Clone, Debug)]
pub(crate) enum Ended {
    Concluded(Value),
    Broken(String),
}

/// One diagnosis.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) id: String,
    pub(crate) url: String,
    pub(crate) began: Moment,
    seen: Mutex<(Vec<Value>, Option<Ended>)>,
    changes: watch::Sender<()>,
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Runs {
    kept: Mutex<VecDeque<Arc<Run>>>,
    room: Arc<Semaphore>,
}

impl Default for Runs {
    fn default() -> Self {
        Self { kept: Mutex::default(), room: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl Runs {
    /// Room for one more.
    pub(crate) fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.room).try_acquire_owned().ok()
    }

    /// Keeps what comes, until it ends.
    pub(crate) fn follow(
        &self,
        url: &str,
        mut steps: Receiver<Step>,
        place: OwnedSemaphorePermit,
    ) -> io::Result<Arc<Run>> {
        let id = Secret::new()?.as_str().chars().take(16).collect();
        let run = Arc::new(Run {
            id,
            url: url.to_owned(),
            began: now(),
            seen: Mutex::default(),
            changes: watch::Sender::new(()),
        });
        {
            let mut kept = lock(&self.kept);
            kept.push_front(Arc::clone(&run));
            kept.truncate(KEPT);
        }
        let following = Arc::clone(&run);
        tokio::spawn(async move {
            let _place = place;
            while let Some(step) = steps.recv().await {
                following.take(step);
            }
            following.end(Ended::Broken("it ended without a result".to_owned()));
        });
        Ok(run)
    }

    pub(crate) fn find(&self, id: &str) -> Option<Arc<Run>> {
        lock(&self.kept).iter().find(|run| run.id == id).cloned()
    }

    /// The newest first.
    pub(crate) fn all(&self) -> Vec<Arc<Run>> {
        lock(&self.kept).iter().cloned().collect()
    }
}

impl Run {
    /// The steps that have ended, from the one of that number on, and how it all ended.
    pub(crate) fn so_far(&self, from: usize) -> (Vec<Value>, Option<Ended>) {
        let seen = lock(&self.seen);
        (seen.0.get(from..).unwrap_or_default().to_vec(), seen.1.clone())
    }

    /// Changes whenever there is more.
    pub(crate) fn changed(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    fn take(&self, step: Step) {
        match step {
            Step::Began { .. } => {}
            Step::Ended(probe) => {
                let mut seen = lock(&self.seen);
                if seen.0.len() < STEPS {
                    seen.0.push(probe);
                }
                drop(seen);
                self.changes.send_replace(());
            }
            Step::Concluded(result) => self.end(Ended::Concluded(result)),
            Step::Broken(why) => self.end(Ended::Broken(why)),
        }
    }

    /// The first end counts.
    fn end(&self, ended: Ended) {
        lock(&self.seen).1.get_or_insert(ended);
        self.changes.send_replace(());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
