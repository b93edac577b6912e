//! Rayline: a zone for each origin.

use std::io;

use super::{Log, PRINTED, Peer, Setup, Start, everything, fields, json};
use crate::peers::stage::Route;
use crate::tools;

pub(super) const PEER: Peer = Peer {
    tool: tools::RAYLINE,
    title: "Rayline",
    lacks: everything,
    configure,
    access: Log { file: "data/requests.ndjson", title: "request log", read: access },
    second: Some(Log { file: PRINTED, title: "standard error", read: printed }),
    note: "What the lines hold besides, above all `VerdictEvidence`, is not counted.",
};

fn configure(setup: &Setup) -> io::Result<Vec<Start>> {
    let zone = |route: &Route| {
        let Route { host, origin, port, .. } = route;
        let kind = if route.is_named() { "CNAME" } else { "A" };
        let ssl = if route.tls { "origin_pull" } else { "flexible" };
        format!(
            "
[[zone]]
name = \"{host}\"
[zone.settings]
ssl = \"{ssl}\"
origin_http_port = {port}
origin_https_port = {port}
proxy_read_timeout = 2
[[zone.dns_records]]
type = \"{kind}\"
name = \"@\"
content = \"{origin}\"
"
        )
    };
    let text = format!(
        "[server]
http = [\"{http}\"]
data_dir = \"data\"
resolvers = [\"{dns}\"]
origin_ca = [\"{authority}\"]
[limits]
connect_timeout = \"2s\"
tls_timeout = \"2s\"
[log]
requests = \"requests.ndjson\"
{zones}",
        http = setup.http,
        dns = setup.dns,
        authority = setup.authority.display(),
        zones = setup.each(zone),
    );
    Ok(vec![Start::proxy(["serve".to_owned(), "--config".to_owned(), setup.write("rayline.toml", &text)?])])
}

fn access(line: &str) -> Option<String> {
    let names = ["EdgeResponseStatus", "OriginResponseStatus", "VerdictCode", "VerdictCertainty", "VerdictReached"];
    Some(fields(&json(line)?, &names))
}

/// What it says when it starts is about no request.
fn printed(line: &str) -> Option<String> {
    (!line.starts_with("serving ")).then(|| line.to_owned())
}
