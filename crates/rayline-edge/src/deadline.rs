//! A timer that costs nothing to move further away.
//!
//! A busy connection sets a time-out for every request and almost none ever fires. Re-registering it each time
//! would cost more than the rest of the bookkeeping, so the timer stays where it was armed first; when it goes off
//! early it looks at the time that counts and sleeps on.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// A movable point in time to wait for. Without one set it never comes.
#[derive(Debug, Default)]
pub(crate) struct Deadline {
    sleep: Option<Pin<Box<Sleep>>>,
    due: Option<Instant>,
}

impl Deadline {
    /// Fires at `due`.
    pub(crate) fn set(&mut self, due: Instant) {
        self.due = Some(due);
        match &mut self.sleep {
            Some(sleep) if sleep.deadline() <= due && !sleep.is_elapsed() => {}
            Some(sleep) => sleep.as_mut().reset(due),
            None => self.sleep = Some(Box::pin(tokio::time::sleep_until(due))),
        }
    }

    /// Fires `after` from now.
    pub(crate) fn set_after(&mut self, after: Duration) {
        self.set(Instant::now() + after);
    }

    /// Sets it unless one is set already.
    pub(crate) fn set_after_if_unset(&mut self, after: Duration) {
        if self.due.is_none() {
            self.set_after(after);
        }
    }

    /// Never fires, until set again.
    pub(crate) fn clear(&mut self) {
        self.due = None;
    }

    /// Ready once the time has come; it stays so until set or cleared.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let (Some(due), Some(sleep)) = (self.due, &mut self.sleep) else { return Poll::Pending };
        while sleep.as_mut().poll(cx).is_ready() {
            if Instant::now() >= due {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(due);
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn fires_at_the_last_time_set() {
        let start = Instant::now();
        let mut deadline = Deadline::default();
        deadline.set_after(Duration::from_secs(1));
        deadline.set_after(Duration::from_secs(5));
        poll_fn(|cx| deadline.poll(cx)).await;
        assert_eq!(start.elapsed().as_secs(), 5);
        deadline.set_after(Duration::from_secs(10));
        deadline.set_after(Duration::from_secs(2));
        poll_fn(|cx| deadline.poll(cx)).await;
        assert_eq!(start.elapsed().as_secs(), 7);
    }

    #[tokio::test(start_paused = true)]
    async fn never_fires_when_cleared() {
        let mut deadline = Deadline::default();
        deadline.set_after(Duration::from_secs(1));
        deadline.clear();
        let fired = tokio::time::timeout(Duration::from_secs(60), poll_fn(|cx| deadline.poll(cx))).await;
        assert!(fired.is_err());
    }
}
