//! One request on its way through the phases: what it asked, what is known so far, what was tried.

use std::borrow::Cow;
use std::rc::Rc;
use std::time::{Duration, Instant};

use rayline_config::SslMode;
use rayline_http1::RequestHead;
use rayline_rules::run::Changes;
use rayline_verdict::record::OriginFacts;
use rayline_verdict::{Attempt, Fault};

use crate::grpc;
use crate::phase::request::path_and_query;
use crate::phase::rules::{Ruled, ssl_mode};
use crate::record::OpenRecord;
use crate::running::{Running, ZonePlan};
use crate::tunnel::Upgrade;
use crate::visitor::{Protocol, RequestBody, Visitor};
use crate::worker::Worker;

/// `proxy_read_timeout` where there is no zone to say otherwise.
const READ_TIMEOUT: Duration = Duration::from_secs(125);

/// What a visitor's connection hands to the pipeline.
#[derive(Debug)]
pub(crate) struct Incoming {
    /// When its first byte arrived.
    pub(crate) started: Instant,
    /// When its head was whole, or was known not to become so.
    pub(crate) ready: Instant,
    /// A request whose head was read and whose body is still coming, or the fault that kept it from being one.
    pub(crate) request: Result<(RequestHead, RequestBody), Fault>,
}

/// Everything the phases share while they serve one request.
#[derive(Debug)]
pub(crate) struct Exchange<'a> {
    pub(crate) worker: &'a Rc<Worker>,
    pub(crate) running: &'a Rc<Running>,
    pub(crate) visitor: &'a Visitor,
    pub(crate) head: &'a RequestHead,
    /// It stays here whatever becomes of the request: what is not read of it must not be taken for the next one.
    pub(crate) body: RequestBody,
    /// Known from `route` on.
    pub(crate) zone: Option<&'a ZonePlan>,
    /// What the zone's rules have done; `None` where it has none, and until they run.
    pub(crate) rules: Option<Box<Ruled>>,
    /// The change of protocol that the visitor asks for, if it may: known from `request` on.
    pub(crate) upgrade: Option<Upgrade>,
    pub(crate) record: OpenRecord,
    /// The time, as it was read after the last wait: phases that do not wait take none.
    pub(crate) now: Instant,
    pub(crate) attempts: Vec<Attempt>,
}

impl Exchange<'_> {
    /// The longest wait for the origin: the zone's setting, known by the time an origin is waited for.
    pub(crate) fn read_timeout(&self) -> Duration {
        let ruled = self.changes().and_then(Changes::read_timeout);
        if let Some(timeout) = ruled {
            return timeout;
        }
        self.zone.map_or(READ_TIMEOUT, |zone| zone.zone.settings.proxy_read_timeout)
    }

    /// What rules changed, where they run.
    pub(crate) fn changes(&self) -> Option<&Changes> {
        self.rules.as_deref().map(|ruled| &ruled.changes)
    }

    /// The same, to change them further.
    pub(crate) fn changes_mut(&mut self) -> Option<&mut Changes> {
        self.rules.as_deref_mut().map(|ruled| &mut ruled.changes)
    }

    /// Path and query as the origin is asked for them: the visitor's, or those that rules made.
    pub(crate) fn path_and_query(&self) -> Cow<'_, [u8]> {
        match self.changes().and_then(|changes| changes.uri.as_ref()) {
            Some(uri) => uri.path_and_query().into(),
            None => path_and_query(self.head),
        }
    }

    /// How the origin is spoken to: the zone's setting, or a rule's word.
    pub(crate) fn ssl(&self, zone: &ZonePlan) -> SslMode {
        let ruled = self.changes().and_then(|changes| ssl_mode(changes.config.ssl.as_deref()?));
        ruled.unwrap_or(zone.zone.settings.ssl)
    }

    /// Whether it is a gRPC call: over HTTP/1.1 none can be, whatever its fields say.
    pub(crate) fn is_call(&self) -> bool {
        self.visitor.protocol == Protocol::Http2 && self.head.method() == "POST" && grpc::is_call(&self.head.fields)
    }

    /// Whether origins are told which trace a request belongs to (`[trace]`).
    pub(crate) fn passes_traces(&self) -> bool {
        self.running.edition.plan.sight.trace.propagate
    }

    /// The origin's part of the record.
    pub(crate) fn origin(&mut self) -> &mut OriginFacts {
        self.record.origin.get_or_insert_default()
    }
}

/// Where a request goes: the zone, and its origin by the record that matched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Route<'a> {
    pub(crate) zone: &'a ZonePlan,
    pub(crate) origin: &'a rayline_config::HostOrigin,
    /// The host name asked for, without port.
    pub(crate) host: &'a str,
}

/// Whole microseconds between two moments, as records count them.
pub(crate) fn micros(since: Instant, until: Instant) -> u64 {
    u64::try_from(until.saturating_duration_since(since).as_micros()).unwrap_or(u64::MAX)
}
