//! A plan made ready to run on one worker: what can be prepared once is not prepared per request.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use foldhash::fast::RandomState;
use rayline_config::{ErrorPage, HostMatch, Limits, Server, Zone};
use rayline_dial::{Dialer, Identity, Resolver, TrustSettings};
use rayline_rules::ruleset::{Action, Phase};
use rayline_rules::waf::Managed;
use rayline_verdict::surface::CustomPage;

use crate::edition::Edition;
use crate::phase::client_tls::Handshakes;

/// One plan on one worker.
pub(crate) struct Running {
    pub(crate) edition: Arc<Edition>,
    pub(crate) dialer: Dialer,
    pub(crate) resolver: Resolver,
    pub(crate) handshakes: Handshakes,
    /// The empty name, for records of requests that belong to no zone.
    pub(crate) no_zone: Arc<str>,
    /// By the address of the plan's zone: a name is looked up once, in the plan's own table.
    zones: HashMap<*const Zone, ZonePlan, RandomState>,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").field("version", &self.edition.version).finish_non_exhaustive()
    }
}

/// One zone, with what its answers need.
#[derive(Debug)]
pub(crate) struct ZonePlan {
    pub(crate) zone: Arc<Zone>,
    /// The zone's name, in this worker's own allocation: its count of references is touched by every record.
    pub(crate) name: Arc<str>,
    pub(crate) page_500: Option<CustomPage>,
    pub(crate) page_1000: Option<CustomPage>,
    /// What people see during maintenance.
    pub(crate) page_maintenance: Option<CustomPage>,
    /// What is shown to its origins when they ask for a client certificate.
    pub(crate) identity: Option<Arc<Identity>>,
    /// Its choice among the managed rules, by the id of the rule that runs them.
    managed: Vec<(Arc<str>, Managed)>,
}

impl Running {
    /// Prepares `plan`.
    ///
    /// # Errors
    /// Trust anchors, revocation lists or client certificates that the TLS library does not take, or a system without a
    /// readable resolver configuration.
    pub(crate) fn new(edition: Arc<Edition>) -> io::Result<Self> {
        let plan = &edition.plan;
        let server = &plan.server;
        let dialer = Dialer::new(TrustSettings {
            extra_roots: edition.origin_roots.clone(),
            crls: server.origin_crl.clone(),
            generation: edition.trust,
            presented: Arc::clone(&edition.lookout.presented),
        })
        .map_err(io::Error::other)?;
        let resolver = Resolver::new(&server.resolvers, plan.limits.resolve_timeout)?;
        let handshakes = Handshakes::new(&edition)?;
        let prepare = |zone| Ok((Arc::as_ptr(zone), ZonePlan::new(zone)?));
        let zones = plan.zones.iter().map(prepare).collect::<io::Result<_>>()?;
        Ok(Self { edition, dialer, resolver, handshakes, no_zone: "".into(), zones })
    }

    pub(crate) fn server(&self) -> &Server {
        &self.edition.plan.server
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.edition.plan.limits
    }

    /// What the plan says of a host name.
    pub(crate) fn find(&self, host: &str) -> HostMatch<'_> {
        self.edition.plan.hosts.find(host)
    }

    /// The prepared form of one of the plan's zones.
    pub(crate) fn zone(&self, zone: &Arc<Zone>) -> Option<&ZonePlan> {
        self.zones.get(&Arc::as_ptr(zone))
    }

    /// How much of a visitor's message is read before it is refused.
    pub(crate) fn request_limits(&self) -> rayline_http1::Limits {
        rayline_http1::Limits {
            uri: self.limits().request_uri_bytes,
            head: self.limits().request_header_bytes,
            ..rayline_http1::Limits::default()
        }
    }

    /// The same for an origin's.
    pub(crate) fn response_limits(&self) -> rayline_http1::Limits {
        rayline_http1::Limits { head: self.limits().response_header_bytes, ..rayline_http1::Limits::default() }
    }
}

impl ZonePlan {
    fn new(zone: &Arc<Zone>) -> io::Result<Self> {
        let own = zone.client_identity.as_ref();
        let identity = own.map(|own| Identity::new(own.chain.clone(), own.key.clone_key()).map(Arc::new));
        let parse = |page: &Option<ErrorPage>| page.as_ref().map(|page| CustomPage::parse(&page.html));
        let maintenance = zone.maintenance.as_ref().and_then(|maintenance| maintenance.page.as_ref());
        Ok(Self {
            zone: Arc::clone(zone),
            name: zone.name.as_str().into(),
            page_500: parse(&zone.error_pages.errors_500),
            page_1000: parse(&zone.error_pages.errors_1000),
            page_maintenance: maintenance.map(|page| CustomPage::parse(&page.html)),
            identity: identity.transpose().map_err(io::Error::other)?,
            managed: managed(zone)?,
        })
    }

    /// The managed rules that a rule runs.
    pub(crate) fn managed(&self, rule: &str) -> Option<&Managed> {
        self.managed.iter().find(|(id, _)| **id == *rule).map(|(_, managed)| managed)
    }
}

fn managed(zone: &Zone) -> io::Result<Vec<(Arc<str>, Managed)>> {
    let rules = zone.rules.iter().flat_map(|rules| rules.of(Phase::FirewallManaged)).filter(|rule| rule.enabled);
    let executes = rules.filter_map(|rule| match &rule.action {
        Action::Execute(execute) => Some((Arc::clone(&rule.id), execute)),
        _ => None,
    });
    executes.map(|(id, execute)| Ok((id, Managed::compile(execute).map_err(io::Error::other)?))).collect()
}
