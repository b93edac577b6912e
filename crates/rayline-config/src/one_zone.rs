//! The plan of a command line: one zone, one origin, every host name served.
//!
//! Everything else has the same defaults as a file that does not mention it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use crate::certificate::CertificateTable;
use crate::compile::{read_limits, read_log, read_name, read_rollout, read_server, read_settings, read_sight};
use crate::document::{At, Fields, Place, Report, shown};
use crate::hosts::{HostOrigin, HostTable, Target};
use crate::keys::{LIMITS, LOG, ROOT, SERVER, SETTINGS};
use crate::plan::{Content, ErrorPages, LogTarget, Plan, Record, RecordKind, Settings, SslMode, Zone};
use crate::problem::Problem;
use crate::source::Source;

/// The plan of `serve --zone ZONE --origin URL --listen ADDRESS`.
///
/// `origin` is `http://HOST[:PORT]`, which means `ssl = "flexible"`, or `https://HOST[:PORT]`, which means
/// `"origin_pull"`: the origin's certificate is checked as `"strict"` does, and HTTPS is spoken to it whatever the visitor
/// speaks, where `"strict"` would follow the plain listener's scheme. Every host name is served. The request log goes to standard output. Whoever types the origin means it, so a name may resolve
/// to a private address, and `localhost` stands for both loopback addresses.
///
/// # Errors
/// Every problem of the arguments; their paths are `--zone` and `--origin`, and they have no place in a text.
pub fn one_zone(zone: &str, origin: &str, listen: SocketAddr, admin: Option<SocketAddr>) -> Result<Plan, Vec<Problem>> {
    let argument =
        |name: &str, value: &str| At { value: value.to_owned(), place: Place { span: None, path: name.to_owned() } };
    let source = Source { name: "command line".to_owned(), text: String::new(), base: PathBuf::new() };
    let report = Report::new(&source, false);
    let zone = argument("--zone", zone);
    let name = read_name(&zone.value, &zone, &report);
    let origin = argument("--origin", origin);
    let origin = parse_origin(&origin, listen, &report);

    let (mut server, _) = read_server(&Fields::absent(&SERVER, &report), UNIX_EPOCH);
    server.http = vec![listen];
    server.admin = admin;
    server.allow_private_origins = true;
    let mut log = read_log(&Fields::absent(&LOG, &report), &server.data_dir);
    log.requests = LogTarget::Stdout;
    let limits = read_limits(&Fields::absent(&LIMITS, &report));
    let root = Fields::absent(&ROOT, &report);
    let (rollout, sight) = (read_rollout(&root.table("rollout")), read_sight(&root, &[]));
    let settings = read_settings(&Fields::absent(&SETTINGS, &report), &limits);

    let (Some(name), Some(origin)) = (name, origin) else { return Err(report.into_problems()) };
    let zone = Arc::new(Zone {
        records: origin.records(&name),
        name,
        paused: false,
        settings: origin.settings(settings),
        certificates: Vec::new(),
        client_identity: None,
        error_pages: ErrorPages::default(),
        rules: None,
        maintenance: None,
    });
    let hosts = HostTable::every_host(&zone, HostOrigin { name: "*".to_owned(), target: origin.target, proxied: true });
    let certificates = CertificateTable::default();
    Ok(Plan { source_name: source.name, server, log, limits, rollout, sight, zones: vec![zone], hosts, certificates })
}

#[derive(Debug)]
struct Origin {
    ssl: SslMode,
    target: Target,
    port: u16,
}

impl Origin {
    fn settings(&self, defaults: Settings) -> Settings {
        match self.ssl {
            SslMode::Off | SslMode::Flexible => Settings { ssl: self.ssl, origin_http_port: self.port, ..defaults },
            SslMode::Full | SslMode::Strict | SslMode::OriginPull => {
                Settings { ssl: self.ssl, origin_https_port: self.port, ..defaults }
            }
        }
    }

    /// The origin as records of the zone's apex.
    fn records(&self, zone: &str) -> Vec<Record> {
        let record = |kind, content| Record {
            name: zone.to_owned(),
            wildcard: false,
            kind,
            content,
            proxied: true,
            comment: String::new(),
        };
        match &self.target {
            Target::Name(name) => vec![record(RecordKind::Cname, Content::Name(name.clone()))],
            Target::Addresses(addresses) => addresses
                .iter()
                .map(|address| {
                    let kind = if address.is_ipv4() { RecordKind::A } else { RecordKind::Aaaa };
                    record(kind, Content::Address(*address))
                })
                .collect(),
        }
    }
}

fn parse_origin(written: &At<String>, listen: SocketAddr, report: &Report<'_>) -> Option<Origin> {
    let text = written.value.as_str();
    let refuse = |message: String, hint: &str| report.refuse(written.place.error(message).hint(hint));
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let (ssl, port) = match scheme.to_ascii_lowercase().as_str() {
        "http" => (SslMode::Flexible, 80),
        "https" => (SslMode::OriginPull, 443),
        _ => {
            return refuse(
                format!("`{}` is not an `http://` or `https://` URL", shown(text)),
                "write it as `http://127.0.0.1:3000`",
            );
        }
    };
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    if authority.contains(['/', '?', '#', '@']) {
        let message = format!("`{}` has more than a host and a port", shown(text));
        return refuse(message, "leave out path, query and user: requests keep the path the visitor asked for");
    }
    let (host, port) = match authority.rsplit_once(':') {
        // the colons of an IPv6 address in brackets are not before a port
        Some((host, port)) if !port.ends_with(']') => match port.parse::<u16>() {
            Ok(port) if port > 0 => (host, port),
            Ok(_) | Err(_) => {
                return refuse(format!("`{}` is not a port", shown(port)), "a port is a number from 1 to 65535");
            }
        },
        _ => (authority, port),
    };
    if host.starts_with('[') != host.ends_with(']') {
        return refuse(
            format!("`{}` has half a pair of brackets", shown(text)),
            "write an IPv6 address as `http://[::1]:3000`",
        );
    }
    let target = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host).parse::<IpAddr>()
    {
        Ok(address) => Target::Addresses(vec![address]),
        Err(_) => match read_name(host, written, report)? {
            // RFC 6761 section 6.3
            name if name == "localhost" => {
                Target::Addresses(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()])
            }
            name => Target::Name(name),
        },
    };
    if let Target::Addresses(addresses) = &target
        && addresses.iter().any(|address| SocketAddr::new(*address, port) == listen)
    {
        let message = format!("`{}` is where the edge itself listens: requests would run in a circle", shown(text));
        return refuse(message, "listen on another port, or write the origin's");
    }
    Some(Origin { ssl, target, port })
}
