//! Traefik: a router and a service for each origin.

use std::io;

use super::{Log, PRINTED, Peer, Setup, Start, everything, fields, json};
use crate::peers::stage::Route;
use crate::tools;

pub(super) const PEER: Peer = Peer {
    tool: tools::TRAEFIK,
    title: "Traefik",
    lacks: everything,
    configure,
    access: Log { file: "access.log", title: "access log", read: access },
    second: Some(Log { file: PRINTED, title: "log at INFO", read: printed }),
    note: "All fields of the access log are kept. Most causes are logged at DEBUG only, which is not how it is run. It asks \
           the system's name servers alone; so that none is asked, the name that does not exist is one that its resolver \
           refuses by itself, with the same error.",
};

/// Go's resolver takes no empty label for a name, and asks nobody about it.
const UNNAMED: &str = "gone..test";

fn configure(setup: &Setup) -> io::Result<Vec<Start>> {
    let router = |route: &Route| {
        let Route { fault, host, .. } = route;
        let name = fault.name;
        format!("    {name}: {{ rule: \"Host(`{host}`)\", service: {name}, entryPoints: [web] }}\n")
    };
    let service = |route: &Route| {
        let Route { fault, origin, port, .. } = route;
        let (scheme, name) = (if route.tls { "https" } else { "http" }, fault.name);
        let origin = if route.is_named() { UNNAMED } else { origin };
        format!(
            "    {name}:
      loadBalancer:
        serversTransport: {name}
        servers: [{{ url: \"{scheme}://{origin}:{port}\" }}]
"
        )
    };
    let transport = |route: &Route| {
        let Route { fault, host, .. } = route;
        format!(
            "    {name}:
      serverName: {host}
      rootCAs: [\"{authority}\"]
      forwardingTimeouts: {{ dialTimeout: 2s, responseHeaderTimeout: 2s }}
",
            name = fault.name,
            authority = setup.authority.display(),
        )
    };
    let text = format!(
        "http:\n  routers:\n{}  services:\n{}  serversTransports:\n{}",
        setup.each(router),
        setup.each(service),
        setup.each(transport)
    );
    let routes = setup.write("routes.yml", &text)?;
    Ok(vec![Start::proxy([
        format!("--entryPoints.web.address={}", setup.http),
        format!("--providers.file.filename={routes}"),
        format!("--accessLog.filePath={}", setup.folder.join("access.log").display()),
        "--accessLog.format=json".to_owned(),
        "--accessLog.fields.defaultMode=keep".to_owned(),
        "--log.level=INFO".to_owned(),
        "--log.format=json".to_owned(),
        "--global.checkNewVersion=false".to_owned(),
        "--global.sendAnonymousUsage=false".to_owned(),
    ])])
}

fn access(line: &str) -> Option<String> {
    Some(fields(&json(line)?, &["DownstreamStatus", "OriginStatus", "OriginError", "RetryAttempts"]))
}

fn printed(line: &str) -> Option<String> {
    Some(fields(&json(line)?, &["level", "message", "error"]))
}
