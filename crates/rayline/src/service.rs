//! The edge together with what listens to it: request log, metrics, admin server. `serve` and `demo` both run one.

mod alerts;
mod beside;
mod diagnosing;
mod file;
mod maintaining;
mod reload;
mod replays;
mod rollout;
mod senders;
mod steering;
pub(crate) mod stored;
mod versions;
mod watched;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

use rayline_config::{LogTarget, Plan};
use rayline_control::{Control, Seats};
use rayline_edge::{Counts, Edge, Sink};
use rayline_observe::{Feed, Gauges, Lane, Observer, Options, Target};
use rayline_verdict::{Moment, Record};
use serde_json::{Value, json};

use beside::Beside;
pub(crate) use reload::{Reload, ReloadProblem, Reloaded};
use replays::Stage;
use steering::Steering;

/// Records a worker may be ahead of the log's writer: several tenths of a second at a core's full rate.
const LANE_CAPACITY: usize = 16 * 1024;
/// The admin token's file in `data_dir`.
pub(crate) const TOKEN_FILE: &str = "admin.token";

/// Everything that runs.
pub(crate) struct Service {
    edge: Arc<Edge>,
    observer: Observer,
    steering: Arc<Steering>,
    beside: Arc<Beside>,
    control: Option<Control>,
}

/// A lane as the edge sees it.
struct IntoLane(Lane);

impl Sink for IntoLane {
    fn record(&mut self, record: &Record) {
        self.0.record(record);
    }
}

/// Why the service cannot start, as one line.
pub(crate) type StartProblem = String;

impl Service {
    /// Starts everything that `plan` asks for. `reload` is what the admin server does when it is told to reload.
    pub(crate) fn start(plan: Plan, reload: Reload) -> Result<Self, StartProblem> {
        let workers = Edge::workers_for(&plan);
        let (admin, token) = (plan.server.admin, plan.server.data_dir.join(TOKEN_FILE));
        let options = Options { log: log_target(&plan), lanes: workers, lane_capacity: LANE_CAPACITY };
        let (beside, feeds) = Beside::start(&plan);
        let beside = Arc::new(beside);
        let feeds = feeds.into_iter().map(|mut feed| Box::new(move |lines: &[u8]| feed.take(lines)) as Feed).collect();
        let (observer, lanes) = Observer::start_with(options, beside.store.clone(), feeds)
            .map_err(|error| format!("cannot open the request log: {error}"))?;
        let sinks = lanes.into_iter().map(|lane| Box::new(IntoLane(lane)) as Box<dyn Sink>).collect();
        let (version, wanted) = (beside.version(reload.running()), beside.read(&plan));
        let configured = plan.rollout.clone();
        let edge = Arc::new(Edge::start_at(version, plan, sinks).map_err(|error| error.to_string())?);
        beside.begin(wanted, version, reload.running(), edge.lookout());
        let steering = Steering::start(Arc::clone(&edge), Arc::clone(&beside), reload, configured)
            .map_err(|error| format!("cannot start a thread: {error}"))?;
        let (counts, steered) = (Arc::clone(edge.counts()), Arc::clone(&steering));
        observer.set_gauges(move || gauges(&counts, &steered));
        let control = match admin {
            None => None,
            Some(address) => {
                let stage = Arc::new(Stage::new(Arc::clone(&edge), Arc::clone(&steering)));
                let seats = Seats { replays: Some(stage), ..beside.seats(Arc::clone(&steering) as Arc<_>) };
                let (edge, beside, steering) = (Arc::clone(&edge), Arc::clone(&beside), Arc::clone(&steering));
                let seat = Seat { edge, beside, steering, started: SystemTime::now() };
                let started = Control::start(address, &token, observer.clone(), Arc::new(seat), seats);
                Some(started.map_err(|error| format!("cannot start the admin server on {address}: {error}"))?)
            }
        };
        Ok(Self { edge, observer, steering, beside, control })
    }

    /// Reads the configuration again and runs on it.
    pub(crate) fn reload(&self) -> Result<Reloaded, ReloadProblem> {
        self.steering.reload()
    }

    /// The same, unless the file says what runs already.
    pub(crate) fn reload_if_changed(&self) -> Option<Result<Reloaded, ReloadProblem>> {
        self.steering.reload_if_changed()
    }

    pub(crate) fn edge(&self) -> &Arc<Edge> {
        &self.edge
    }

    pub(crate) fn observer(&self) -> &Observer {
        &self.observer
    }

    /// Where the admin server listens.
    pub(crate) fn admin(&self) -> Option<SocketAddr> {
        self.control.as_ref().map(Control::addr)
    }

    /// A link that logs one browser on this machine in to the dashboard, once; `None` if there is no admin server.
    pub(crate) fn login_link(&self, path: &str) -> std::io::Result<Option<String>> {
        self.control.as_ref().map(|control| control.login_link(path)).transpose()
    }

    /// Drains the visitors, then writes the last records, then ends.
    pub(crate) fn stop(self, drain: std::time::Duration) {
        self.steering.stop();
        self.edge.stop(drain);
        if let Some(control) = self.control {
            control.stop();
        }
        self.observer.stop();
        self.beside.stop();
    }
}

fn log_target(plan: &Plan) -> Target {
    match &plan.log.requests {
        LogTarget::File(path) => Target::File(path.clone()),
        LogTarget::Stdout => Target::Stdout,
        LogTarget::Off => Target::Off,
    }
}

fn gauges(counts: &Counts, steering: &Steering) -> Gauges {
    let (rollout_version, rollout_percent, rollbacks) = steering.shown();
    Gauges {
        visitor_connections: counts.visitor_connections.load(Ordering::Relaxed) as u64,
        idle_origin_connections: counts.idle_origin_connections.load(Ordering::Relaxed) as u64,
        plan_version: counts.plan_version.load(Ordering::Relaxed),
        rollout_version,
        rollout_percent,
        rollbacks,
        rate_limit_keys_forgotten: counts.rate_limit_keys_forgotten(),
    }
}

/// The edge as the admin server sees it.
struct Seat {
    edge: Arc<Edge>,
    beside: Arc<Beside>,
    steering: Arc<Steering>,
    started: SystemTime,
}

impl Seat {
    /// Ours, and those that origins have shown.
    fn certificates(&self, ours: Option<&Value>) -> Vec<Value> {
        let ours = ours.and_then(Value::as_array).into_iter().flatten().cloned();
        ours.chain(watched::certificates(&self.edge.lookout())).collect()
    }
}

impl rayline_control::Edge for Seat {
    fn plan_version(&self) -> u64 {
        self.edge.counts().plan_version.load(Ordering::Relaxed)
    }

    fn reload(&self) -> Result<u64, Vec<String>> {
        self.steering.reload().map(|reloaded| reloaded.version).map_err(|problem| problem.in_words())
    }

    fn status(&self) -> Value {
        let started = self.started.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let started = Moment(i64::try_from(started.as_nanos()).unwrap_or(i64::MAX));
        let shown = |addresses: Vec<SocketAddr>| addresses.iter().map(ToString::to_string).collect::<Vec<_>>();
        let told = self.beside.told();
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "plan_version": self.plan_version(),
            "started_at": started.to_seconds(),
            "zones": told.get("zones"),
            "certificates": self.certificates(told.get("certificates")),
            "near_limits": watched::near_limits(&self.edge.lookout()),
            "http": shown(self.edge.http()),
            "https": shown(self.edge.https()),
            "rate_limit_keys_forgotten": self.edge.counts().rate_limit_keys_forgotten(),
            "visitor_connections": self.edge.counts().visitor_connections.load(Ordering::Relaxed),
            "idle_origin_connections": self.edge.counts().idle_origin_connections.load(Ordering::Relaxed),
        })
    }
}
