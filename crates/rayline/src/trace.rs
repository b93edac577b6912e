//! `rayline trace`: one request through every phase of its zone's rules, on paper: nothing is sent.
//!
//! It runs what the edge runs, on the configuration as it is on disk. What only a living edge knows is not there: rate
//! limits count nothing, and no origin answers unless the request's description has an answer.

mod simulated;
mod view;

use std::io;

use rayline_config::{HostMatch, Plan};

use crate::cli::Global;
use crate::cli::trace::TraceArgs;
use crate::config_file;
use crate::diagnose::known;
use crate::output::{self, Exit};
use crate::rules::request;
use simulated::simulate;

pub(crate) fn run(args: &TraceArgs, global: &Global) -> io::Result<Exit> {
    let mut request = request::read(&args.request)?;
    let Some(path) = config_file::find(args.config.as_deref()) else {
        output::fail("there is no configuration to trace through", Some("name it with --config FILE"));
        return Ok(Exit::CouldNotRun);
    };
    let plan: Plan = match known::plan(&path) {
        Ok(plan) => plan,
        Err(why) => {
            output::fail(&why, None);
            return Ok(Exit::CouldNotRun);
        }
    };
    let zone = match plan.hosts.find(request.host()) {
        HostMatch::Found { zone, .. } | HostMatch::DnsOnly { zone } | HostMatch::NoRecord { zone } => zone,
        HostMatch::Unknown => {
            let zones: Vec<String> = plan.zones.iter().map(|zone| format!("`{}`", zone.name)).collect();
            let hint = format!("its zones: {}", zones.join(", "));
            output::fail(&format!("no zone of `{}` has the name `{}`", path.display(), request.host()), Some(&hint));
            return Ok(Exit::CouldNotRun);
        }
    };
    if let Some(networks) = zone.rules.as_deref().and_then(|rules| rules.lists().networks()) {
        request.find_network(networks);
    }
    let trace = simulate(zone, &request, args.all);
    view::show(&mut output::stdout(), &trace, global)?;
    Ok(if trace.failed() { Exit::Fault } else { Exit::Fine })
}
