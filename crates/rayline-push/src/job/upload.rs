//! What brings batches to their receiver, the oldest first, one at a time, again and again until each has arrived.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Response, StatusCode};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::Retry;
use super::batch::{Batch, random};
use super::body::{Parcel, pack};
use super::destination::{Body, Destination, Kind};
use super::line::OutputOptions;
use super::shared::Shared;
use crate::client::{Client, retry_after};
use crate::trace;

/// How often a batch is tried that its receiver calls bad, before it is set aside.
const REFUSALS: u32 = 3;

/// Characters of an answer's body that are shown.
const SHOWN: usize = 200;

/// When to stop: `None` while nobody has asked for it.
pub(super) type Stop = watch::Receiver<Option<Instant>>;

pub(super) struct Uploader {
    pub(super) shared: Arc<Shared>,
    pub(super) destination: Destination,
    pub(super) output: OutputOptions,
    pub(super) client: Client,
    pub(super) retry: Retry,
    pub(super) stop: Stop,
}

/// What came of one attempt.
enum Outcome {
    Arrived,
    /// It may go better later, not before so long.
    Later(String, Option<Duration>),
    /// The receiver has found fault with the batch itself.
    Refused(String),
    /// Its lines cannot be read any more.
    Gone(String),
}

impl Uploader {
    /// Runs until it is told to stop and has nothing left to send, or no more time to.
    pub(super) async fn run(self) {
        let (mut failures, mut refusals) = (0, 0);
        loop {
            let stopping = self.stop.borrow().is_some();
            self.shared.seal(stopping);
            let oldest = self.shared.spool().oldest();
            let Some(batch) = oldest else {
                if stopping || self.idle().await.is_err() {
                    return;
                }
                continue;
            };
            let outcome = tokio::select! {
                outcome = self.deliver(&batch) => outcome,
                () = over(self.stop.clone()) => return,
            };
            let wait = match outcome {
                Outcome::Arrived => {
                    self.shared.arrived(&batch);
                    (failures, refusals) = (0, 0);
                    continue;
                }
                Outcome::Gone(why) => {
                    self.shared.spool().unreadable(&batch);
                    self.shared.failed(why);
                    continue;
                }
                Outcome::Refused(why) => {
                    self.shared.failed(self.destination.mask(&why));
                    refusals += 1;
                    if refusals >= REFUSALS {
                        refusals = 0;
                        self.set_aside(&batch);
                        continue;
                    }
                    None
                }
                Outcome::Later(why, wait) => {
                    self.shared.failed(self.destination.mask(&why));
                    wait
                }
            };
            if stopping {
                return;
            }
            failures += 1;
            self.pause(self.retry.after(failures).max(wait.unwrap_or_default())).await;
        }
    }

    fn set_aside(&self, batch: &Batch) {
        let outcome = self.shared.spool().set_aside(batch);
        if let Err(error) = outcome {
            self.shared.failed(format!("the spool: {error}"));
        }
    }

    /// Waits until there may be something to send. An error: whoever could say so is gone.
    async fn idle(&self) -> Result<(), watch::error::RecvError> {
        let due = self.shared.spool().due();
        let aged = async {
            match due {
                Some(due) => sleep_until(Instant::from_std(due)).await,
                None => std::future::pending().await,
            }
        };
        let mut stop = self.stop.clone();
        tokio::select! {
            () = self.shared.wake.notified() => Ok(()),
            () = aged => Ok(()),
            stopped = stop.wait_for(Option::is_some) => stopped.map(drop),
        }
    }

    /// Waits, unless it is told to stop.
    async fn pause(&self, wait: Duration) {
        let mut stop = self.stop.clone();
        tokio::select! {
            () = sleep(wait) => {}
            _ = stop.wait_for(Option::is_some) => {}
        }
    }

    async fn deliver(&self, batch: &Batch) -> Outcome {
        let path = self.shared.spool().lines(batch);
        let lines = match fs::read(&path) {
            Ok(lines) => lines,
            // it was dropped for lack of room a moment ago, which was counted, or somebody has deleted it
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Outcome::Gone("a batch has vanished from the spool".to_owned());
            }
            Err(error) => return Outcome::Later(format!("the spool: {error}"), None),
        };
        match pack(&self.destination.kind, &self.output, batch, &lines) {
            Err(why) => Outcome::Refused(why),
            Ok(Parcel::File { folder, name, bytes }) => match write(Path::new(&folder), &name, &bytes) {
                Ok(()) => Outcome::Arrived,
                Err(error) => Outcome::Later(format!("`{folder}`: {error}"), None),
            },
            Ok(Parcel::Request(request)) => match self.client.send(*request).await {
                Ok(response) => self.judge(&response),
                Err(failure) => Outcome::Later(failure.to_string(), None),
            },
        }
    }

    fn judge(&self, response: &Response<Bytes>) -> Outcome {
        let status = response.status();
        let exception = matches!(&self.destination.kind, Kind::Http { body: Body::ClickHouse { .. }, .. })
            && response.headers().contains_key("x-clickhouse-exception-code");
        if status.is_success() && !exception {
            if let Kind::Http { body: Body::Otlp, .. } = &self.destination.kind
                && let Some((rejected, why)) = trace::objection(response.body())
            {
                let why = self.destination.mask(&why).chars().take(SHOWN).flat_map(char::escape_debug).collect();
                self.shared.objected((rejected, why));
            }
            return Outcome::Arrived;
        }
        let text = String::from_utf8_lossy(response.body());
        // masked whole: a secret that is cut would not be found
        let text = self.destination.mask(&text);
        let shown: String = text.trim().chars().take(SHOWN).flat_map(char::escape_debug).collect();
        let colon = if shown.is_empty() { "" } else { ": " };
        let redirect = if status.is_redirection() { ", and redirects are not followed" } else { "" };
        let why = format!("the receiver answered {}{redirect}{colon}{shown}", status.as_u16());
        if is_refusal(status) {
            return Outcome::Refused(why);
        }
        Outcome::Later(why, retry_after(response.headers(), SystemTime::now()))
    }
}

impl Retry {
    /// The wait after so many failures one after the other: twice as long each time, half of it by chance, so that those
    /// that failed together do not come back together.
    fn after(self, failures: u32) -> Duration {
        let doubled = self.first.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1))).min(self.longest);
        let chance = (random() % 1000) as u32;
        doubled / 2 + doubled / 2 * chance / 1000
    }
}

/// Until a stop was ordered and its time is over, or nobody is left who could order one.
async fn over(mut stop: Stop) {
    let deadline = stop.wait_for(Option::is_some).await.ok().and_then(|deadline| *deadline);
    if let Some(deadline) = deadline {
        sleep_until(deadline).await;
    }
}

/// Whether a status finds fault with the batch. Those left out may be put right without changing it: credentials, a table
/// that is not there yet, a moment of rest.
fn is_refusal(status: StatusCode) -> bool {
    status.is_client_error() && !matches!(status.as_u16(), 401 | 403 | 404 | 407 | 408 | 421 | 425 | 429)
}

/// Writes a file so that its name is there only once all of it is on disk.
fn write(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let part = folder.join(format!(".{name}.part"));
    let mut file = File::create(&part)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&part, folder.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_bound() {
        let retry = Retry { first: Duration::from_secs(1), longest: Duration::from_secs(60) };
        for (failures, least, most) in [(1, 500, 1000), (2, 1000, 2000), (7, 30_000, 60_000), (1000, 30_000, 60_000)] {
            let wait = retry.after(failures).as_millis();
            assert!((least..=most).contains(&wait), "{wait} ms after {failures}");
        }
    }

    #[test]
    fn a_refusal_is_the_batchs_fault() {
        for (status, expected) in [
            (400, true),
            (413, true),
            (422, true),
            (401, false),
            (404, false),
            (429, false),
            (500, false),
            (302, false),
        ] {
            assert_eq!(is_refusal(StatusCode::from_u16(status).unwrap()), expected, "{status}");
        }
    }
}
