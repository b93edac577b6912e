//! `rayline ips`: an edge's addresses as lines for the firewall or web server of an origin.

use std::io::{self, Write};
use std::net::IpAddr;
use std::path::Path;

use ipnet::IpNet;
use rayline_diagnose::ranges::{EDGES, Edge, Format, find, print};
use serde_json::json;

use super::known;
use crate::cli::Global;
use crate::cli::diagnose::IpsArgs;
use crate::output::{self, CYAN, DIM, Exit, say, styled};

/// The field in which a Rayline edge sends the visitor's address.
const OWN_HEADER: &str = "CF-Connecting-IP";

pub(crate) fn run(args: &IpsArgs, global: &Global) -> io::Result<Exit> {
    if let Some(message) = idle_option(args, global.json) {
        output::fail(&message, None);
        return Ok(Exit::Usage);
    }
    let mut out = output::stdout();
    if let Some(config) = &args.config {
        return match own(config) {
            Ok(nets) => put(&mut out, args, &nets, Some(OWN_HEADER)),
            Err(why) => {
                output::fail(&why, None);
                Ok(Exit::CouldNotRun)
            }
        };
    }
    let Some(name) = &args.edge else { return list(&mut out, global.json) };
    let Some(edge) = find(name) else {
        let known: Vec<&str> = EDGES.iter().map(|edge| edge.name).collect();
        output::fail(
            &format!("the addresses of `{name}` are not known here"),
            Some(&format!("known are {}", known.join(", "))),
        );
        return Ok(Exit::Usage);
    };
    if global.json {
        let object = json!({ "edge": edge.name, "source": edge.source, "dated": edge.dated, "ranges": edge.nets() });
        writeln!(out, "{object:#}")?;
        return Ok(Exit::Fine);
    }
    say(&format!(
        "{} as of {}, from {}; lists grow old: compare them with that page",
        edge.name, edge.dated, edge.source
    ));
    put(&mut out, args, &edge.nets(), edge.real_ip_header)
}

/// What is wrong with options that would have no effect, if there are such.
fn idle_option(args: &IpsArgs, as_json: bool) -> Option<String> {
    let format = args.format.unwrap_or(Format::Plain);
    let is_firewall = matches!(format, Format::Ufw | Format::Nft | Format::Iptables);
    let is_server = matches!(format, Format::Nginx | Format::Apache);
    let has_options = args.format.is_some() || !args.port.is_empty() || args.only;
    if has_options && args.edge.is_none() && args.config.is_none() {
        Some("name an edge, or --config: the list of edges has no format".to_owned())
    } else if as_json && args.format.is_some_and(|format| format != Format::Json) {
        Some(format!("--json and `--format {}` do not go together", format.name()))
    } else if !args.port.is_empty() && !is_firewall {
        Some(format!("--port is for firewalls, and `--format {}` names no port", format.name()))
    } else if args.only && !is_server {
        Some(format!("--only is for `--format nginx` and `--format apache`, not for `{}`", format.name()))
    } else {
        None
    }
}

fn put(out: &mut impl Write, args: &IpsArgs, nets: &[IpNet], real_ip_header: Option<&str>) -> io::Result<Exit> {
    let real_ip_header = real_ip_header.filter(|_| !args.only);
    write!(out, "{}", print(nets, args.format.unwrap_or(Format::Plain), &args.port, real_ip_header))?;
    Ok(Exit::Fine)
}

/// The edges that are known.
fn list(out: &mut impl Write, as_json: bool) -> io::Result<Exit> {
    if as_json {
        let all: Vec<_> = EDGES.iter().map(in_short).collect();
        writeln!(out, "{:#}", serde_json::Value::from(all))?;
        return Ok(Exit::Fine);
    }
    for edge in EDGES.iter() {
        let (name, networks) = (edge.name, edge.v4.len() + edge.v6.len());
        let from = styled(DIM, format_args!("{networks:>4} networks as of {}, from {}", edge.dated, edge.source));
        writeln!(out, "  {} {from}", styled(CYAN, format_args!("{name:14}")))?;
    }
    Ok(Exit::Fine)
}

fn in_short(edge: &Edge) -> serde_json::Value {
    json!({ "edge": edge.name, "source": edge.source, "dated": edge.dated, "networks": edge.v4.len() + edge.v6.len() })
}

/// The addresses that a Rayline edge connects from: those it listens on, or, where that is all, this machine's.
fn own(config: &Path) -> Result<Vec<IpNet>, String> {
    let plan = known::plan(config)?;
    let listeners = plan.server.http.iter().chain(&plan.server.https);
    let mut addresses: Vec<IpAddr> = listeners.map(|listener| listener.ip()).collect();
    if addresses.iter().any(IpAddr::is_unspecified) {
        say("the edge listens on all addresses: these are this machine's, so run it on the edge itself");
        let interfaces =
            if_addrs::get_if_addrs().map_err(|error| format!("this machine's addresses cannot be read: {error}"))?;
        addresses.extend(
            interfaces.into_iter().filter(|interface| !interface.is_loopback()).map(|interface| interface.ip()),
        );
    }
    addresses.retain(|address| !address.is_unspecified());
    addresses.sort_unstable();
    addresses.dedup();
    if addresses.is_empty() {
        return Err("no address was found that the edge may connect from".to_owned());
    }
    Ok(addresses.into_iter().map(IpNet::from).collect())
}
