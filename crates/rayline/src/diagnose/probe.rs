//! `rayline probe`: an origin alone: what it answers, its TLS, the way there.

use std::io;
use std::net::ToSocketAddrs as _;

use rayline_diagnose::case::{Origin, Resolve};
use rayline_diagnose::tls::Scheme;
use rayline_diagnose::trust::Trust;
use rayline_diagnose::{Case, Url};

use super::view::View;
use super::{finish, one};
use crate::cli::Global;
use crate::cli::diagnose::ProbeArgs;
use crate::output::{self, Exit};

/// How often the origin is asked.
const SAMPLES: u32 = 2;

pub(crate) fn run(args: &ProbeArgs, global: &Global) -> io::Result<Exit> {
    let case = match case(args) {
        Ok(case) => case,
        Err(why) => {
            output::fail(&why, None);
            return Ok(Exit::CouldNotRun);
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let view = View::new(global.json);
    let diagnosis = runtime.block_on(one(case, &view));
    runtime.shutdown_background();
    finish(&diagnosis?, global)
}

/// The site as if its name led straight to the origin.
fn case(args: &ProbeArgs) -> Result<Case, String> {
    let Origin { scheme, target } = &args.origin;
    let scheme = scheme.unwrap_or(match target.port {
        None | Some(443 | 8443) => Scheme::Https,
        Some(_) => Scheme::Http,
    });
    let host = args.host.as_deref().unwrap_or(&target.host);
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let port = target.port.map_or_else(String::new, |port| format!(":{port}"));
    let slash = if args.path.starts_with('/') { "" } else { "/" };
    let url = format!("{}://{host}{port}{slash}{}", scheme.name(), args.path);
    let url = Url::parse(&url).map_err(|error| error.to_string())?;
    let origin = Origin { scheme: Some(scheme), target: target.clone() };
    let resolved = resolve(args, url.port_or_known_default().unwrap_or(443))?;
    Ok(Case {
        origins: vec![origin],
        resolved,
        trust: Trust::load(&args.ca, std::env::var_os("SSL_CERT_FILE"))?,
        timeout: args.timeout.0,
        samples: SAMPLES,
        ..Case::new(url)
    })
}

/// Where the name asked for leads: to the origin, whatever DNS says of it.
fn resolve(args: &ProbeArgs, port: u16) -> Result<Vec<Resolve>, String> {
    let Some(host) = &args.host else { return Ok(Vec::new()) };
    let target = &args.origin.target;
    let found = (target.host.as_str(), port).to_socket_addrs();
    let found = found.map_err(|error| format!("`{}` has no address here: {error}", target.host))?;
    Ok(found.map(|address| Resolve { host: host.clone(), port, address: address.ip() }).collect())
}
