//! Caddy, as Debian has it and newer: one site with a `handle` for each origin.

use std::io;

use super::{Log, PRINTED, Peer, Setup, Start, everything, fields, json};
use crate::peers::stage::Route;
use crate::tools;

pub(super) const DEBIAN: Peer = Peer {
    tool: tools::CADDY,
    title: "Caddy",
    lacks: everything,
    configure: |setup| configure(setup, "tls_trusted_ca_certs", ""),
    access: Log { file: "access.log", title: "access log", read: access },
    second: Some(Log { file: PRINTED, title: "log at INFO", read: error }),
    note: "The fields of the access log are fixed. Its default log has the failures, with an identifier of their own that \
           the access log does not have.",
};

pub(super) const NEWEST: Peer = Peer {
    tool: tools::CADDY_WHEEL,
    configure: |setup| configure(setup, "tls_trust_pool file", APPENDED),
    note: "`log_append` in `handle_errors` adds the error to the access log, which has no cause otherwise; what is handled so \
           is no longer in its default log. That an answer was cut short is, without an identifier of the request.",
    ..DEBIAN
};

/// What an operator may add from version 2.8 on.
const APPENDED: &str = "    log_append upstream_status {http.reverse_proxy.status_code}
    handle_errors {
        log_append error {err.message}
        respond \"{err.status_code} {err.status_text}\"
    }
";

fn configure(setup: &Setup, trust: &str, more: &str) -> io::Result<Vec<Start>> {
    let handle = |route: &Route| {
        let Route { fault, host, origin, port, tls } = route;
        let (scheme, tls) = if *tls {
            let authority = setup.authority.display();
            let tls =
                format!("tls_server_name {host}\n                {trust} {authority}\n                tls_timeout 2s");
            ("https", tls)
        } else {
            ("http", String::new())
        };
        format!(
            "    @{name} host {host}
    handle @{name} {{
        reverse_proxy {scheme}://{origin}:{port} {{
            transport http {{
                dial_timeout 2s
                response_header_timeout 2s
                read_timeout 2s
                resolvers {dns}
                {tls}
            }}
        }}
    }}
",
            name = fault.name,
            dns = setup.dns,
        )
    };
    let text = format!(
        "{{
    admin off
    auto_https off
}}
http://:{http} {{
    bind 127.0.0.1
    log {{
        output file {folder}/access.log {{
            roll_disabled
        }}
        format json
    }}
{more}{handles}}}
",
        http = setup.http.port(),
        folder = setup.folder.display(),
        handles = setup.each(handle),
    );
    let file = setup.write("Caddyfile", &text)?;
    Ok(vec![Start::proxy(["run", "--adapter", "caddyfile", "--config", &file])])
}

fn access(line: &str) -> Option<String> {
    Some(fields(&json(line)?, &["status", "upstream_status", "error"]))
}

/// Below a warning there is nothing about a request.
fn error(line: &str) -> Option<String> {
    let line = json(line)?;
    let level = line.get("level")?.as_str()?;
    (matches!(level, "error" | "warn") && line.get("request").is_some())
        .then(|| fields(&line, &["logger", "msg", "error", "status"]))
}
