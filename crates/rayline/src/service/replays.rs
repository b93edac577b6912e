//! Replays as the admin server offers them: the parts that can be switched off, and the edge's signature for a request
//! that goes without some.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use rayline_config::HostMatch;
use rayline_control::{Asked, Part, Replays, SignedReplay};
use rayline_edge::Edge;
use rayline_edge::replay::{Copy, FIELD, Replay};
use rayline_rules::ZoneRules;
use rayline_rules::ruleset::{Access, AccessMode, AccessTarget, Lockdown, UrlPattern};

use url::Url;

use super::steering::Steering;
use super::versions::now;

/// Whoever lets single requests be served differently.
pub(super) struct Stage {
    edge: Arc<Edge>,
    steering: Arc<Steering>,
    /// The versions that the edge has ready, the latest last; it keeps four.
    held: Mutex<Vec<u64>>,
}

impl Stage {
    pub(super) fn new(edge: Arc<Edge>, steering: Arc<Steering>) -> Self {
        Self { edge, steering, held: Mutex::default() }
    }

    /// Has the edge hold a version.
    fn hold(&self, version: u64) -> io::Result<()> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.contains(&version) {
            return Ok(());
        }
        let missing = || io::Error::new(io::ErrorKind::NotFound, format!("version {version} is not kept any more"));
        let plan = self.steering.plan_of(version).ok_or_else(missing)?;
        let plan = plan.map_err(|problems| io::Error::other(problems.join("; ")))?;
        self.edge.hold(version, plan).map_err(|error| io::Error::other(error.to_string()))?;
        if held.len() == 4 {
            held.remove(0);
        }
        held.push(version);
        Ok(())
    }
}

impl Replays for Stage {
    fn parts(&self, host: &str) -> Option<Vec<Part>> {
        let (zone, mut parts) = self.edge.look(|plan| {
            let zone = match plan.hosts.find(host) {
                HostMatch::Found { zone, .. } | HostMatch::DnsOnly { zone } | HostMatch::NoRecord { zone } => zone,
                HostMatch::Unknown => return None,
            };
            Some((zone.name.to_string(), zone.rules.as_deref().map(parts).unwrap_or_default()))
        })?;
        let (name, text) = self.steering.source();
        let lines: HashMap<String, usize> = rayline_config::rule_lines(&text, &zone).into_iter().collect();
        for part in &mut parts {
            // a Page Rule becomes several
            let line = lines.get(&part.id).or_else(|| lines.get(part.id.rsplit_once('.')?.0));
            // a configuration that stands in no file has no place to go to
            part.place = line.filter(|_| !name.is_empty()).map(|line| format!("{name}:{line}")).unwrap_or_default();
        }
        Some(parts)
    }

    fn sign(&self, request: &Asked, off: &[String], version: Option<u64>) -> io::Result<SignedReplay> {
        let url = Url::parse(&request.url).map_err(|error| {
            io::Error::new(io::ErrorKind::InvalidInput, format!("`{}` is no URL: {error}", request.url))
        })?;
        let query = url.query().map_or_else(String::new, |query| format!("?{query}"));
        // as it is sent: a backquote, which a URL may hold, is one that libraries refuse
        let target = format!("{}{query}", url.path()).replace('`', "%60").into_bytes();
        let copy = Copy { method: &request.method, host: url.host_str().unwrap_or_default(), target: &target };
        let running = self.edge.counts().plan_version.load(std::sync::atomic::Ordering::Relaxed);
        let version = version.filter(|version| *version != running);
        if let Some(version) = version {
            self.hold(version)?;
        }
        let replay = Replay::new(off.iter().map(String::as_str), version);
        let value = self.edge.sign(&replay, copy, now()).map_err(|error| io::Error::other(error.to_string()))?;
        Ok(SignedReplay { field: FIELD.to_owned(), value })
    }
}

/// Everything of a zone's that can be switched off: what stands beside the rules, then the rules in the order of their
/// phases.
fn parts(rules: &ZoneRules) -> Vec<Part> {
    let of_rules = rules.all().filter(|(_, rule)| rule.enabled).map(|(phase, rule)| Part {
        id: rule.id.to_string(),
        group: phase.name().to_owned(),
        description: rule.description.to_string(),
        action: rule.action.name().to_owned(),
        expression: rule.expression.to_string(),
        place: String::new(),
    });
    access(&rules.access).chain(of_rules).collect()
}

fn access(access: &Access) -> impl Iterator<Item = Part> {
    let part = |id: &str, action: &str, expression: String| Part {
        id: id.to_owned(),
        group: "access".to_owned(),
        description: String::new(),
        action: action.to_owned(),
        expression,
        place: String::new(),
    };
    let rules = access.rules.iter().map(move |rule| {
        let of = match &rule.target {
            AccessTarget::Network(network) => format!("address in {network}"),
            AccessTarget::Asn(number) => format!("address of AS{number}"),
            AccessTarget::Country(code) => format!("country {}", String::from_utf8_lossy(code)),
        };
        part(&rule.id, mode(rule.mode), of)
    });
    let urls = |rule: &Lockdown| rule.urls.iter().map(UrlPattern::as_str).collect::<Vec<_>>().join(" ");
    let lockdowns = access.lockdowns.iter().map(move |rule| part(&rule.id, "lockdown", urls(rule)));
    let agents = access.user_agents.iter().map(move |rule| {
        part(&rule.id, mode(rule.mode), format!("User-Agent {}", String::from_utf8_lossy(&rule.user_agent)))
    });
    rules.chain(lockdowns).chain(agents)
}

fn mode(mode: AccessMode) -> &'static str {
    match mode {
        AccessMode::Block => "block",
        AccessMode::Challenge => "managed_challenge",
        AccessMode::Allow => "whitelist",
    }
}
