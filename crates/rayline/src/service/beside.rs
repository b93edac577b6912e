//! What stands beside the edge and follows its configuration: the store, what is sent away, the versions, and what the
//! dashboard is told of the plan.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use rayline_config::{Content, Plan, Zone};
use rayline_control::{Configurations, Evidence, Seats};
use rayline_edge::Lookout;
use rayline_push::job::Feed;
use rayline_store::Store;
use rayline_store::analysis::approaching::Limits;
use serde_json::{Value, json};

use super::alerts::{Watched, moment, rollback};
use super::diagnosing::Clinic;
use super::senders::Senders;
use super::stored;
use super::versions::Versions;

/// The folder in `data_dir` with the versions of the configuration.
const VERSIONS: &str = "versions";

/// All of it.
pub(super) struct Beside {
    pub(super) store: Option<Store>,
    senders: Arc<Senders>,
    pub(super) versions: Versions,
    dashboard: Option<SocketAddr>,
    source: String,
    /// As at the start.
    limits: Limits,
    told: Mutex<Value>,
}

/// What a plan means for it.
pub(super) struct Wanted {
    watched: Watched,
    told: Value,
}

impl Beside {
    /// Opens and starts what a plan asks for; alerts begin with [`follow`](Self::follow).
    pub(super) fn start(plan: &Plan) -> (Self, Vec<Feed>) {
        let (senders, feeds) = Senders::start(plan);
        let beside = Self {
            store: stored::open(plan),
            senders: Arc::new(senders),
            versions: Versions::open(plan.server.data_dir.join(VERSIONS)),
            dashboard: plan.server.admin,
            source: plan.source_name.clone(),
            limits: limits(plan),
            told: Mutex::default(),
        };
        (beside, feeds)
    }

    /// The version of a plan with this text that is about to run: the same as before if the text is.
    pub(super) fn version(&self, text: &str) -> u64 {
        self.versions.number(text)
    }

    /// Takes from a plan what must be known once it runs.
    pub(super) fn read(&self, plan: &Plan) -> Wanted {
        Wanted { watched: Watched::of(plan, self.dashboard), told: told(plan) }
    }

    /// The edge runs on that plan now: so does all of this.
    pub(super) fn follow(&self, wanted: Wanted, lookout: Arc<Lookout>) {
        self.senders.watch(wanted.watched, self.store.as_ref(), lookout);
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = wanted.told;
    }

    /// The same for the plan that it has started with.
    pub(super) fn begin(&self, wanted: Wanted, version: u64, text: &str, lookout: Arc<Lookout>) {
        self.versions.begin(version, text, &self.source);
        self.follow(wanted, lookout);
    }

    /// Whoever wants to know hears that a version was rolled back.
    pub(super) fn tell_rollback(&self, evidence: &Evidence) {
        self.senders.note_rollback(rollback(evidence));
    }

    /// What the dashboard asks.
    pub(super) fn seats(&self, configurations: Arc<dyn Configurations>) -> Seats {
        Seats {
            store: self.store.clone().map(|store| Arc::new(store) as Arc<_>),
            configurations: Some(configurations),
            diagnose: Some(Arc::new(Clinic::default())),
            replays: None,
            senders: Some(Arc::clone(&self.senders) as Arc<_>),
            limits: Some(self.limits),
        }
    }

    /// `zones` and `certificates`, as the admin server's pages know them.
    pub(super) fn told(&self) -> Value {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends what sends, then the store. Call it after the last record.
    pub(super) fn stop(&self) {
        self.senders.stop();
        if let Some(store) = &self.store {
            store.stop();
        }
    }
}

/// What traffic may come near to: of the zones' time-outs the shortest.
fn limits(plan: &Plan) -> Limits {
    /// How far back codes are looked for.
    const MEMORY: Duration = Duration::from_secs(7 * 86_400);
    /// Where no zone says otherwise, as at Cloudflare.
    const READ_TIMEOUT: Duration = Duration::from_secs(125);
    let read_timeouts = plan.zones.iter().map(|zone| zone.settings.proxy_read_timeout);
    Limits {
        read_timeout: read_timeouts.min().unwrap_or(READ_TIMEOUT),
        connect_timeout: plan.limits.connect_timeout,
        tls_timeout: plan.limits.tls_timeout,
        request_body_bytes: plan.limits.request_body_bytes,
        memory: MEMORY,
    }
}

fn told(plan: &Plan) -> Value {
    let now = moment(SystemTime::now()).0;
    let certificate = |certificate: &Arc<rayline_config::Certificate>| {
        let ends = moment(certificate.not_after);
        json!({
            "names": certificate.names,
            "not_after": ends.to_seconds(),
            "days_left": (ends.0 - now).div_euclid(86_400_000_000_000),
            "toward": "visitors",
        })
    };
    let certificates: Vec<Value> = plan.zones.iter().flat_map(|zone| &zone.certificates).map(certificate).collect();
    json!({ "zones": plan.zones.iter().map(|zone| of_zone(zone)).collect::<Vec<_>>(), "certificates": certificates })
}

fn of_zone(zone: &Zone) -> Value {
    let served = zone.records.iter().filter(|record| record.proxied);
    let host = |name: &str, wildcard: bool| if wildcard { format!("*.{name}") } else { name.to_owned() };
    let mut hosts: Vec<String> = served.clone().map(|record| host(&record.name, record.wildcard)).collect();
    let mut origins: Vec<String> = served
        .map(|record| match &record.content {
            Content::Address(address) => address.to_string(),
            Content::Name(name) => name.clone(),
        })
        .collect();
    for list in [&mut hosts, &mut origins] {
        list.sort_unstable();
        list.dedup();
    }
    json!({
        "name": zone.name,
        "ssl": zone.settings.ssl.as_str(),
        "hosts": hosts,
        "origins": origins,
        "read_timeout_ms": u64::try_from(zone.settings.proxy_read_timeout.as_millis()).unwrap_or(u64::MAX),
    })
}
