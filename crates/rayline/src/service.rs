//! The edge together with what listens to it: request log, metrics, admin server. `serve` and `demo` both run one.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

use rayline_config::{LogTarget, Plan, Problem, Source};
use rayline_control::{Control, Facts, Seats};
use rayline_edge::{Counts, Edge, Sink, StartError};
use rayline_observe::{Gauges, Lane, Observer, Options, Target};
use rayline_store::Store;
use rayline_verdict::{Moment, Record};
use serde_json::{Value, json};

use crate::config_file;
use crate::output::say;
use crate::serve::Overridden;

/// Records a worker may be ahead of the log's writer: several tenths of a second at a core's full rate.
const LANE_CAPACITY: usize = 16 * 1024;
/// The admin token's file in `data_dir`.
pub(crate) const TOKEN_FILE: &str = "admin.token";

/// The store's folder in `data_dir`.
pub(crate) const STORE_FOLDER: &str = "store";

/// Everything that runs.
pub(crate) struct Service {
    edge: Arc<Edge>,
    observer: Observer,
    store: Option<Store>,
    control: Option<Control>,
}

/// A lane as the edge sees it.
struct IntoLane(Lane);

impl Sink for IntoLane {
    fn record(&mut self, record: Record) {
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
        let store = open_store(&plan);
        let (observer, lanes) = Observer::start_with(options, store.clone())
            .map_err(|error| format!("cannot open the request log: {error}"))?;
        let sinks = lanes.into_iter().map(|lane| Box::new(IntoLane(lane)) as Box<dyn Sink>).collect();
        let edge = Arc::new(Edge::start(plan, sinks).map_err(|error| error.to_string())?);
        let counts = Arc::clone(edge.counts());
        observer.set_gauges(move || gauges(&counts));
        let control = match admin {
            None => None,
            Some(address) => {
                let seat = Seat { edge: Arc::clone(&edge), reload, started: SystemTime::now() };
                let facts = store.clone().map(|store| Arc::new(store) as Arc<dyn Facts>);
                let seats = Seats { store: facts, ..Seats::default() };
                let started = Control::start(address, &token, observer.clone(), Arc::new(seat), seats);
                Some(started.map_err(|error| format!("cannot start the admin server on {address}: {error}"))?)
            }
        };
        Ok(Self { edge, observer, store, control })
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

    /// Drains the visitors, then writes the last records, then ends.
    pub(crate) fn stop(self, drain: std::time::Duration) {
        self.edge.stop(drain);
        if let Some(control) = self.control {
            control.stop();
        }
        self.observer.stop();
        if let Some(store) = self.store {
            store.stop();
        }
    }
}

/// The store, if it is on and can be opened. An edge without it serves all the same.
fn open_store(plan: &Plan) -> Option<Store> {
    let wanted = plan.sight.store.as_ref()?;
    let options = rayline_store::Options {
        folder: plan.server.data_dir.join(STORE_FOLDER),
        requests_age: wanted.requests_age,
        counts_age: wanted.counts_age,
        max_bytes: wanted.max_bytes,
        mask_addresses: wanted.mask_addresses,
        mask_queries: wanted.mask_queries,
    };
    let name = options.folder.display().to_string();
    let opened = Store::open(options);
    opened.inspect_err(|error| say(&format!("cannot open the store `{name}`, so nothing is kept in it: {error}"))).ok()
}

fn log_target(plan: &Plan) -> Target {
    match &plan.log.requests {
        LogTarget::File(path) => Target::File(path.clone()),
        LogTarget::Stdout => Target::Stdout,
        LogTarget::Off => Target::Off,
    }
}

fn gauges(counts: &Counts) -> Gauges {
    Gauges {
        visitor_connections: counts.visitor_connections.load(Ordering::Relaxed) as u64,
        idle_origin_connections: counts.idle_origin_connections.load(Ordering::Relaxed) as u64,
        plan_version: counts.plan_version.load(Ordering::Relaxed),
    }
}

/// Where a configuration comes from again, when it is to be read anew.
#[derive(Clone, Debug)]
pub(crate) enum Reload {
    /// This file, which said `running` when it was read, under what the command line says whatever the file says.
    File { path: PathBuf, running: String, overridden: Overridden },
    /// The command line or the demo: there is nothing to read again.
    Fixed,
}

/// What a reload came to.
pub(crate) struct Reloaded {
    pub(crate) version: u64,
    pub(crate) source: Source,
    pub(crate) warnings: Vec<Problem>,
    /// Keys that have changed and cannot change while the edge runs.
    pub(crate) needs_restart: Vec<&'static str>,
}

/// Why a reload changed nothing.
#[derive(Debug)]
pub(crate) enum ReloadProblem {
    NothingToRead,
    Unreadable(String),
    Problems(Source, Vec<Problem>),
    CannotStart(StartError),
}

impl Reload {
    /// Reads the configuration again and runs the edge on it.
    pub(crate) fn run(&self, edge: &Edge) -> Result<Reloaded, ReloadProblem> {
        let Self::File { path, overridden, .. } = self else { return Err(ReloadProblem::NothingToRead) };
        let source = config_file::read(path).map_err(|error| ReloadProblem::Unreadable(error.to_string()))?;
        match rayline_config::compile(&source, SystemTime::now()) {
            (Some(mut plan), warnings) => {
                overridden.apply(&mut plan);
                let needs_restart = edge.fixed_changes(&plan);
                let version = edge.reload(plan).map_err(ReloadProblem::CannotStart)?;
                Ok(Reloaded { version, source, warnings, needs_restart })
            }
            (None, problems) => Err(ReloadProblem::Problems(source, problems)),
        }
    }
}

/// The edge as the admin server sees it.
struct Seat {
    edge: Arc<Edge>,
    reload: Reload,
    started: SystemTime,
}

impl rayline_control::Edge for Seat {
    fn plan_version(&self) -> u64 {
        self.edge.counts().plan_version.load(Ordering::Relaxed)
    }

    fn reload(&self) -> Result<u64, Vec<String>> {
        match self.reload.run(&self.edge) {
            Ok(reloaded) => Ok(reloaded.version),
            Err(ReloadProblem::NothingToRead) => Err(vec![
                "this edge was started without a configuration file, so there is nothing to reload".to_owned(),
            ]),
            Err(ReloadProblem::Unreadable(why)) => Err(vec![why]),
            Err(ReloadProblem::CannotStart(error)) => Err(vec![error.to_string()]),
            Err(ReloadProblem::Problems(source, problems)) => {
                Err(problems.iter().map(|problem| problem.render(&source, false)).collect())
            }
        }
    }

    fn status(&self) -> Value {
        let started = self.started.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let started = Moment(i64::try_from(started.as_nanos()).unwrap_or(i64::MAX));
        let shown = |addresses: Vec<SocketAddr>| addresses.iter().map(ToString::to_string).collect::<Vec<_>>();
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "plan_version": self.plan_version(),
            "started_at": started.to_seconds(),
            "http": shown(self.edge.http()),
            "https": shown(self.edge.https()),
            "visitor_connections": self.edge.counts().visitor_connections.load(Ordering::Relaxed),
            "idle_origin_connections": self.edge.counts().idle_origin_connections.load(Ordering::Relaxed),
        })
    }
}
