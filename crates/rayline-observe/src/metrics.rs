//! The metrics: what they are called, what they count, and how one record is counted.
//!
//! Labels are closed sets (codes, numbers, parties, phases) or the configured zones; never hosts, addresses or paths.
//! Each lane counts for itself; the writer's thread adds that up, so that workers do not contend for a counter.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use foldhash::fast::RandomState;
use prometheus::local::{LocalHistogram, LocalIntCounter};
use prometheus::{
    Gauge, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};
use rayline_verdict::{Code, Record};

use crate::observer::lock;

/// Seconds: from a fast answer on the same machine to Cloudflare's 125 s of waiting.
const BUCKETS: [f64; 16] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 125.0];

/// The label `status_class`; an answer that was never sent has the status 0.
const STATUS_CLASSES: [&str; 6] = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"];

/// Numbers that the edge knows of itself at the moment it is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Gauges {
    /// Connections of visitors that are open.
    pub visitor_connections: u64,
    /// Connections to origins that are open and wait for a request.
    pub idle_origin_connections: u64,
    /// The version of the plan that decides now.
    pub plan_version: u64,
    /// The version that is being rolled out; 0 where none is.
    pub rollout_version: u64,
    /// To how many percent of the visitors.
    pub rollout_percent: f64,
    /// How often a version was rolled back by itself, ever since the start.
    pub rollbacks: u64,
    /// Keys that rate limits forgot before their time, ever since the start.
    pub rate_limit_keys_forgotten: u64,
}

/// Counts records that were lost at one place, failures apart from the rest.
#[derive(Clone, Debug)]
pub(crate) struct Lost {
    successes: IntCounter,
    failures: IntCounter,
}

impl Lost {
    fn new(vec: &IntCounterVec, reason: &str) -> Self {
        Self {
            successes: vec.with_label_values(&[reason, "success"]),
            failures: vec.with_label_values(&[reason, "failure"]),
        }
    }

    pub(crate) fn count(&self, record: &Record) {
        if record.verdict.is_some() { self.failures.inc() } else { self.successes.inc() }
    }

    pub(crate) fn add(&self, successes: u64, failures: u64) {
        self.successes.inc_by(successes);
        self.failures.inc_by(failures);
    }

    fn total(&self) -> u64 {
        self.successes.get() + self.failures.get()
    }
}

/// Every metric of the process, in a registry of its own.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    failures: IntCounterVec,
    duration: HistogramVec,
    phases: HistogramVec,
    bytes: IntCounterVec,
    origin_requests: IntCounterVec,
    visitor_connections: IntGauge,
    idle_origin_connections: IntGauge,
    plan_version: IntGauge,
    rollout_version: IntGauge,
    rollout_percent: Gauge,
    rollbacks: IntCounter,
    rate_limit_keys_forgotten: IntCounter,
    /// Records that found their lane full.
    pub(crate) lost_in_lane: Lost,
    /// Records that the request log could not take.
    pub(crate) lost_in_log: Lost,
    /// Failed tries to write or open the request log.
    pub(crate) log_write_errors: IntCounter,
    store_rows: IntCounter,
    store_lost: IntCounterVec,
    store_bytes: IntGauge,
    store_failing: IntGauge,
    /// Held while what others count is copied.
    copying: Mutex<()>,
}

impl Metrics {
    pub(crate) fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let counter = |name: &str, help: &str| -> prometheus::Result<IntCounter> {
            let metric = IntCounter::new(name, help)?;
            registry.register(Box::new(metric.clone()))?;
            Ok(metric)
        };
        let counters = |name: &str, help: &str, labels: &[&str]| -> prometheus::Result<IntCounterVec> {
            let metric = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(metric.clone()))?;
            Ok(metric)
        };
        let histograms = |name: &str, help: &str, labels: &[&str]| -> prometheus::Result<HistogramVec> {
            let metric = HistogramVec::new(HistogramOpts::new(name, help).buckets(BUCKETS.to_vec()), labels)?;
            registry.register(Box::new(metric.clone()))?;
            Ok(metric)
        };
        let gauge = |name: &str, help: &str| -> prometheus::Result<IntGauge> {
            let metric = IntGauge::new(name, help)?;
            registry.register(Box::new(metric.clone()))?;
            Ok(metric)
        };
        let build =
            IntGaugeVec::new(Opts::new("rayline_build_info", "Always 1; the labels say what runs."), &["version"])?;
        registry.register(Box::new(build.clone()))?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        let rollout_percent =
            Gauge::new("rayline_rollout_percent", "Percent of the visitors that the version being rolled out serves.")?;
        registry.register(Box::new(rollout_percent.clone()))?;
        let lost = counters(
            "rayline_records_lost_total",
            "Requests of which no record was kept: their lane was full (these are in no other metric), or the log could not be written.",
            &["reason", "kind"],
        )?;
        Ok(Self {
            requests: counters(
                "rayline_requests_total",
                "Requests, by zone and class of the status sent.",
                &["zone", "status_class"],
            )?,
            failures: counters(
                "rayline_failures_total",
                "Requests with a verdict, by who can act, what failed, and the number shown or recorded.",
                &["zone", "party", "code", "status"],
            )?,
            duration: histograms(
                "rayline_request_duration_seconds",
                "From the first byte of a request to the end of its answer.",
                &["zone"],
            )?,
            phases: histograms(
                "rayline_origin_phase_seconds",
                "Time spent on the origin, by phase; a phase that was skipped is not counted.",
                &["phase"],
            )?,
            bytes: counters(
                "rayline_bytes_total",
                "Bytes exchanged with visitors: answers sent with their heads, request bodies received.",
                &["direction"],
            )?,
            origin_requests: counters(
                "rayline_origin_connections_total",
                "Requests that went to an origin, by whether a kept-alive connection was used.",
                &["reused"],
            )?,
            visitor_connections: gauge("rayline_visitor_connections", "Connections of visitors that are open.")?,
            idle_origin_connections: gauge(
                "rayline_idle_origin_connections",
                "Connections to origins that are kept for the next request.",
            )?,
            plan_version: gauge("rayline_plan_version", "Version of the configuration that is running.")?,
            rollout_version: gauge(
                "rayline_rollout_version",
                "Version of the configuration that is being rolled out; 0 where none is.",
            )?,
            rollout_percent,
            rollbacks: counter(
                "rayline_rollbacks_total",
                "Versions that were rolled back because failures of owner or edge had risen.",
            )?,
            rate_limit_keys_forgotten: counter(
                "rayline_rate_limit_keys_forgotten_total",
                "Clients that rate limits forgot before their time: more were counted at once than there is room for.",
            )?,
            lost_in_lane: Lost::new(&lost, "lane_full"),
            lost_in_log: Lost::new(&lost, "log_unwritable"),
            log_write_errors: counter(
                "rayline_log_write_errors_total",
                "Failed tries to open or write the request log.",
            )?,
            store_rows: counter("rayline_store_rows_total", "Requests whose lines the store has kept.")?,
            store_lost: counters(
                "rayline_store_lost_total",
                "Requests whose lines the store should have kept and could not; they are counted all the same.",
                &["kind"],
            )?,
            store_bytes: gauge("rayline_store_bytes", "Bytes of all files of the store.")?,
            store_failing: gauge("rayline_store_failing", "1 while the store cannot write, such as to a full disk.")?,
            copying: Mutex::new(()),
            registry,
        })
    }

    /// How many records were lost, for whatever reason.
    pub(crate) fn records_lost(&self) -> u64 {
        self.lost_in_lane.total() + self.lost_in_log.total()
    }

    /// The Prometheus text format, version 0.0.4.
    pub(crate) fn render(&self, gauges: Gauges, store: &rayline_store::Health) -> String {
        let whole = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        self.visitor_connections.set(whole(gauges.visitor_connections));
        self.idle_origin_connections.set(whole(gauges.idle_origin_connections));
        self.plan_version.set(whole(gauges.plan_version));
        self.rollout_version.set(whole(gauges.rollout_version));
        self.rollout_percent.set(gauges.rollout_percent);
        self.store_bytes.set(whole(store.bytes));
        self.store_failing.set(store.error.is_some().into());
        let _copying = lock(&self.copying);
        for (counter, total) in [
            (&self.rollbacks, gauges.rollbacks),
            (&self.rate_limit_keys_forgotten, gauges.rate_limit_keys_forgotten),
            (&self.store_rows, store.rows),
            (&self.store_lost.with_label_values(&["success"]), store.lost_successes),
            (&self.store_lost.with_label_values(&["failure"]), store.lost_failures),
        ] {
            counter.inc_by(total.saturating_sub(counter.get()));
        }
        TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap_or_else(|error| format!("# {error}\n"))
    }
}

/// Counts records with every label looked up once, and without an atomic operation; [`flush`](Self::flush) adds all that
/// was counted to [`Metrics`].
pub(crate) struct Tally {
    metrics: Arc<Metrics>,
    zones: Vec<ZoneTally>,
    /// Where each zone stands among those.
    places: HashMap<Arc<str>, usize, RandomState>,
    /// The place of the last record's zone, which is often the next one's too.
    last: usize,
    resolve: LocalHistogram,
    connect: LocalHistogram,
    origin_tls: LocalHistogram,
    send: LocalHistogram,
    wait: LocalHistogram,
    bytes_sent: LocalIntCounter,
    bytes_received: LocalIntCounter,
    reused: LocalIntCounter,
    fresh: LocalIntCounter,
}

struct ZoneTally {
    zone: Arc<str>,
    by_class: [LocalIntCounter; STATUS_CLASSES.len()],
    duration: LocalHistogram,
    failures: HashMap<(Code, u16), LocalIntCounter, RandomState>,
}

impl Tally {
    pub(crate) fn new(metrics: Arc<Metrics>) -> Self {
        let phase = |name: &str| metrics.phases.with_label_values(&[name]).local();
        Self {
            resolve: phase("dns"),
            connect: phase("connect"),
            origin_tls: phase("tls"),
            send: phase("send"),
            wait: phase("wait"),
            bytes_sent: metrics.bytes.with_label_values(&["sent"]).local(),
            bytes_received: metrics.bytes.with_label_values(&["received"]).local(),
            reused: metrics.origin_requests.with_label_values(&["true"]).local(),
            fresh: metrics.origin_requests.with_label_values(&["false"]).local(),
            zones: Vec::new(),
            places: HashMap::default(),
            last: 0,
            metrics,
        }
    }

    pub(crate) fn count(&mut self, record: &Record) {
        let took_ns = record.end.0.saturating_sub(record.start.0).max(0);
        let place = self.place(&record.zone);
        let Some(zone) = self.zones.get_mut(place) else { return };
        if let Some(counter) = zone.by_class.get(usize::from(record.edge_status / 100).min(STATUS_CLASSES.len() - 1)) {
            counter.inc();
        }
        zone.duration.observe(took_ns as f64 / 1e9);
        if let Some(verdict) = &record.verdict {
            let labels = (verdict.code, verdict.number);
            let failures = &self.metrics.failures;
            zone.failures
                .entry(labels)
                .or_insert_with(|| {
                    let number = verdict.number.to_string();
                    let labels = [&*record.zone, verdict.party().name(), verdict.code.name(), number.as_str()];
                    failures.with_label_values(&labels).local()
                })
                .inc();
        }
        self.bytes_sent.inc_by(record.edge_bytes);
        self.bytes_received.inc_by(record.client_body_bytes);
        if let Some(origin) = &record.origin {
            if origin.address.is_some() {
                if origin.reused { self.reused.inc() } else { self.fresh.inc() }
            }
            for (histogram, took_us) in [
                (&self.resolve, origin.dns_us),
                (&self.connect, origin.tcp_us),
                (&self.origin_tls, origin.tls_us),
                (&self.send, origin.send_us),
                (&self.wait, origin.header_us),
            ] {
                if took_us > 0 {
                    histogram.observe(took_us as f64 / 1e6);
                }
            }
        }
    }

    /// Where a zone stands. That it is the last record's is seen without a look at its name.
    fn place(&mut self, zone: &Arc<str>) -> usize {
        if self.zones.get(self.last).is_none_or(|last| !Arc::ptr_eq(&last.zone, zone)) {
            self.last = *self.places.entry(Arc::clone(zone)).or_insert_with(|| {
                self.zones.push(ZoneTally::new(&self.metrics, zone));
                self.zones.len() - 1
            });
            // Another plan has another copy of the name.
            if let Some(tally) = self.zones.get_mut(self.last) {
                tally.zone = Arc::clone(zone);
            }
        }
        self.last
    }

    /// Adds what was counted to the metrics that are shown.
    pub(crate) fn flush(&self) {
        for zone in &self.zones {
            zone.by_class.iter().chain(zone.failures.values()).for_each(LocalIntCounter::flush);
            zone.duration.flush();
        }
        for histogram in [&self.resolve, &self.connect, &self.origin_tls, &self.send, &self.wait] {
            histogram.flush();
        }
        for counter in [&self.bytes_sent, &self.bytes_received, &self.reused, &self.fresh] {
            counter.flush();
        }
    }
}

impl ZoneTally {
    fn new(metrics: &Metrics, zone: &Arc<str>) -> Self {
        Self {
            zone: Arc::clone(zone),
            by_class: STATUS_CLASSES.map(|class| metrics.requests.with_label_values(&[&**zone, class]).local()),
            duration: metrics.duration.with_label_values(&[&**zone]).local(),
            failures: HashMap::default(),
        }
    }
}
