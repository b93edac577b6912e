//! What leaves the edge by itself: log push, traces and alerts, from the configuration to the threads that send.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rayline_config::{Logpush, Plan, Trace};
use rayline_control as control;
use rayline_edge::Lookout;
use rayline_observe::{Subject, TailFilter};
use rayline_push::alert::{Alerts, Known, Notice, Post, Rollback, Sources};
use rayline_push::job::{self, Destination, Feed, Filter, Job, OutputOptions, Sample, Spec};
use rayline_push::trace;
use rayline_store::Store;
use rayline_verdict::Moment;

use super::alerts::{Watched, known_now};
use super::stored::private;
use crate::output;

/// The job that exports traces; the configuration's names cannot have a dot.
const TRACES: &str = "open.telemetry";
/// The folder in `data_dir` where lines wait.
const FOLDER: &str = "push";
/// Versions rolled back that are remembered for alerts.
const MOST_ROLLBACKS: usize = 16;
/// How long the last lines may take to be sent when the edge ends. What is left then is sent at the next start.
const LAST: Duration = Duration::from_secs(2);

/// Everything that sends.
#[derive(Debug, Default)]
pub(crate) struct Senders {
    jobs: Mutex<Vec<Job>>,
    alerts: Mutex<Option<Alerts>>,
    /// Versions that the edge has rolled back, the oldest first.
    rollbacks: Arc<Mutex<Vec<Rollback>>>,
}

impl Senders {
    /// Starts the jobs that a plan asks for, and gives the ends that lines are put into. One that cannot start is said, and
    /// the edge serves without it.
    pub(crate) fn start(plan: &Plan) -> (Self, Vec<Feed>) {
        let specs = plan.sight.logpush.iter().map(|job| (job.name.clone(), spec(job)));
        let specs = specs.chain(traces(&plan.sight.trace).map(|spec| ("trace".to_owned(), spec)));
        let (mut jobs, mut feeds) = (Vec::new(), Vec::new());
        for (name, spec) in specs {
            match spec.and_then(|spec| run(spec, &plan.server.data_dir)) {
                Ok((job, feed)) => {
                    jobs.push(job);
                    feeds.push(feed);
                }
                Err(why) => output::say(&format!("nothing is sent by `{name}`: {why}")),
            }
        }
        (Self { jobs: Mutex::new(jobs), ..Self::default() }, feeds)
    }

    /// Watches for this, and for nothing else from now on. What has been told stays told.
    pub(crate) fn watch(&self, watched: Watched, store: Option<&Store>, lookout: Arc<Lookout>) {
        let mut alerts = lock(&self.alerts);
        // the old ones end first: both would write the same file
        *alerts = None;
        let Watched { options: Some(options), known, zones } = watched else { return };
        let Some(store) = store else {
            output::say("no alert is watched for: there is no store to ask");
            return;
        };
        let rollbacks = Arc::clone(&self.rollbacks);
        let known = move || Known { rollbacks: lock(&rollbacks).clone(), ..known_now(&known, &zones, &lookout) };
        let sources = Sources { store: Box::new(store.clone()), known: Box::new(known) };
        match Alerts::start(options, sources) {
            Ok(started) => *alerts = Some(started),
            Err(error) => output::say(&format!("no alert is watched for: {error}")),
        }
    }

    /// Has it told that a version was rolled back.
    pub(crate) fn note_rollback(&self, rollback: Rollback) {
        let mut rollbacks = lock(&self.rollbacks);
        let surplus = (rollbacks.len() + 1).saturating_sub(MOST_ROLLBACKS);
        rollbacks.drain(..surplus);
        rollbacks.push(rollback);
    }

    /// Sends what can be sent soon, and ends.
    pub(crate) fn stop(&self) {
        *lock(&self.alerts) = None;
        let jobs = std::mem::take(&mut *lock(&self.jobs));
        std::thread::scope(|scope| {
            for job in jobs {
                scope.spawn(move || job.stop(LAST));
            }
        });
    }
}

fn run(spec: Spec, data_dir: &Path) -> Result<(Job, Feed), String> {
    private(&data_dir.join(FOLDER)).and_then(|()| Job::start(spec, data_dir, &[])).map_err(|error| error.to_string())
}

fn spec(written: &Logpush) -> Result<Spec, String> {
    let destination = Destination::parse(&written.destination.0)?;
    let filter = match written.filter.as_str() {
        "" => None,
        text => Some(filter(text)?),
    };
    Ok(Spec {
        filter,
        sample: Sample { failures: 1.0, successes: written.sample_rate },
        output_options: OutputOptions { field_names: written.field_names.clone(), ..OutputOptions::default() },
        max_upload_bytes: written.max_upload_bytes,
        max_upload_records: written.max_upload_records,
        max_upload_interval: written.max_upload_interval,
        max_spool_bytes: written.max_spool_bytes,
        ..Spec::new(&written.name, destination)
    })
}

/// `failures&party=origin`, in the words of `rayline tail`.
fn filter(text: &str) -> Result<Filter, String> {
    let pairs = text.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "true")));
    let filter = TailFilter::from_pairs(pairs).map_err(|wrong| wrong.join("; "))?;
    Ok(Filter::new(move |subject| {
        let verdict = subject.verdict.map(|(code, number)| (code.into(), number));
        filter.admits(&Subject { zone: subject.zone.into(), edge_status: subject.edge_status, verdict })
    }))
}

fn traces(written: &Trace) -> Option<Result<Spec, String>> {
    let endpoint = &written.endpoint.as_ref()?.0;
    let mut url = format!("otlp+{endpoint}");
    for (name, value) in &written.headers {
        url.push(if url.contains('?') { '&' } else { '?' });
        url.push_str(
            &form_urlencoded::Serializer::new(String::new()).append_pair(&format!("header_{name}"), &value.0).finish(),
        );
    }
    Some(Destination::parse(&url).map(|destination| trace::spec(TRACES, destination, written.sample_rate)))
}

impl control::Senders for Senders {
    fn jobs(&self) -> Vec<control::Job> {
        let mut all: Vec<control::Job> = lock(&self.jobs).iter().map(|job| shown(&job.status())).collect();
        let alerts = lock(&self.alerts).as_ref().map(Alerts::status).unwrap_or_default();
        all.extend(alerts.receivers.iter().map(receiver));
        all
    }

    fn alerts(&self) -> Vec<control::Alert> {
        let alerts = lock(&self.alerts).as_ref().map(Alerts::status).unwrap_or_default();
        alerts.open.iter().map(alert).collect()
    }
}

fn shown(status: &job::Status) -> control::Job {
    let kind = status.destination.split("://").next().unwrap_or_default();
    control::Job {
        name: status.name.clone(),
        kind: kind.to_owned(),
        receiver: status.destination.clone(),
        sent: status.delivered_records,
        waiting: status.spooled_records,
        waiting_bytes: status.spooled_bytes,
        lost: status.dropped_records + status.refused_records,
        failed: status.failed_attempts,
        last_success: status.last_complete,
        objection: status.objection.as_ref().map(|why| match status.rejected_spans {
            0 => why.clone(),
            rejected => format!("{rejected} spans rejected since the start, lately: {why}"),
        }),
        error: status.error_message.clone(),
        failing_since: status.last_error.filter(|_| status.error_message.is_some()),
    }
}

fn receiver(post: &Post) -> control::Job {
    control::Job {
        name: post.name.clone(),
        kind: post.kind.to_owned(),
        receiver: String::new(),
        sent: post.sent,
        waiting: post.waiting as u64,
        waiting_bytes: 0,
        lost: post.lost,
        failed: post.failed,
        last_success: post.last_sent,
        objection: None,
        error: post.last_error.clone(),
        failing_since: post.failing_since,
    }
}

fn alert((since, notice): &(Moment, Notice)) -> control::Alert {
    let path = notice.link.splitn(4, '/').nth(3).map(|path| format!("/{path}")).unwrap_or_default();
    control::Alert {
        rule: notice.policy.clone(),
        summary: notice.headline.clone(),
        since: *since,
        until: None,
        link: path,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
