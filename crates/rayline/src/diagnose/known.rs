//! What the configuration of a Rayline edge in front says of a site: its origin, and where the edge's records are.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rayline_config::{HostMatch, LogTarget, Plan, SslMode, Target, compile};
use rayline_diagnose::Case;
use rayline_diagnose::case::Origin;
use rayline_diagnose::tls::Scheme;

use crate::config_file;

/// Reads and compiles a configuration.
///
/// # Errors
/// It cannot be read, or has errors; in words.
pub(crate) fn plan(path: &Path) -> Result<Plan, String> {
    let source = config_file::read(path).map_err(|error| error.to_string())?;
    let (plan, _problems) = compile(&source, SystemTime::now());
    plan.ok_or_else(|| format!("`{0}` has errors; `rayline check {0}` shows them", source.name))
}

/// Where the edge of this plan looks for the site's origin; it is asked there, unless a person said it better.
pub(crate) fn add_origins(case: &mut Case, plan: &Plan) {
    let HostMatch::Found { zone, origin } = plan.hosts.find(case.host()) else { return };
    let scheme = match zone.settings.ssl {
        SslMode::Off | SslMode::Flexible => Scheme::Http,
        SslMode::Full | SslMode::Strict => case.scheme(),
        SslMode::OriginPull => Scheme::Https,
    };
    let port = match scheme {
        Scheme::Http => zone.settings.origin_http_port,
        Scheme::Https => zone.settings.origin_https_port,
    };
    let hosts: Vec<String> = match &origin.target {
        Target::Addresses(addresses) => addresses.iter().map(IpAddr::to_string).collect(),
        Target::Name(name) => vec![name.clone()],
    };
    let target = |host| rayline_diagnose::Target { host, port: Some(port) };
    case.edge_origins = hosts.into_iter().map(|host| Origin { scheme: Some(scheme), target: target(host) }).collect();
    if case.origins.is_empty() {
        case.origins.clone_from(&case.edge_origins);
    }
}

/// The file that the edge of this plan writes its request log to.
pub(crate) fn request_log(plan: &Plan) -> Option<PathBuf> {
    match &plan.log.requests {
        LogTarget::File(path) => Some(path.clone()),
        LogTarget::Stdout | LogTarget::Off => None,
    }
}
