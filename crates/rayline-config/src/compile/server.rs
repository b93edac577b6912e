//! `[server]`, `[log]` and `[limits]`.

use std::net::SocketAddr;
use std::path::Path;
use std::time::SystemTime;

use super::trust;
use crate::document::{At, Fields, Place};
use crate::plan::{Limits, Log, LogTarget, Server};
use crate::value::Resolver;

/// The longest brand, in characters: it stands in a page's title and in headers.
const LONGEST_BRAND: usize = 64;

/// What a socket is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Http,
    Https,
    Admin,
}

/// One address to listen on, and where it was written.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) role: Role,
    pub(crate) address: SocketAddr,
    pub(crate) place: Place,
}

/// `[server]`, and its listeners with their places.
pub(crate) fn read_server(fields: &Fields<'_>, now: SystemTime) -> (Server, Vec<Listener>) {
    let http: Vec<At<SocketAddr>> = fields.take("http");
    let https: Vec<At<SocketAddr>> = fields.take("https");
    let admin: Option<At<SocketAddr>> = fields.optional("admin");
    let server = Server {
        http: http.iter().map(|at| at.value).collect(),
        https: https.iter().map(|at| at.value).collect(),
        admin: admin.as_ref().map(|at| at.value),
        data_dir: fields.report.source.path(&fields.take::<String>("data_dir")),
        colo: fields.take("colo"),
        brand: read_brand(fields),
        threads: fields.take("threads"),
        allow_private_origins: fields.take("allow_private_origins"),
        development_ca: fields.take("development_ca"),
        origin_ca: trust::read_authorities(fields, now),
        origin_crl: trust::read_revocation_lists(fields, now),
        resolvers: fields.take::<Vec<Resolver>>("resolvers").into_iter().map(|resolver| resolver.0).collect(),
        trusted_proxies: fields.take("trusted_proxies"),
        proxy_protocol: fields.take("proxy_protocol"),
        drain_timeout: fields.take("drain_timeout"),
        client_head_timeout: fields.take("client_head_timeout"),
        client_body_timeout: fields.take("client_body_timeout"),
        client_write_timeout: fields.take("client_write_timeout"),
        keepalive_timeout: fields.take("keepalive_timeout"),
        max_connections: fields.take("max_connections"),
        http2_max_streams: fields.take("http2_max_streams"),
    };
    let of_role = |role| move |at: At<SocketAddr>| Listener { role, address: at.value, place: at.place };
    let listeners = http
        .into_iter()
        .map(of_role(Role::Http))
        .chain(https.into_iter().map(of_role(Role::Https)))
        .chain(admin.into_iter().map(of_role(Role::Admin)))
        .collect();
    (server, listeners)
}

fn read_brand(fields: &Fields<'_>) -> String {
    let brand: At<String> = fields.take("brand");
    if brand.value.chars().any(char::is_control) || brand.value.chars().count() > LONGEST_BRAND {
        let problem =
            brand.place.error(format!("a brand has at most {LONGEST_BRAND} characters, and no control characters"));
        fields.report.push(problem);
    }
    brand.value
}

/// `[log]`; the request log's path starts at `data_dir`.
pub(crate) fn read_log(fields: &Fields<'_>, data_dir: &Path) -> Log {
    let requests = match fields.take::<String>("requests").as_str() {
        "off" => LogTarget::Off,
        "stdout" => LogTarget::Stdout,
        path => LogTarget::File(data_dir.join(path)),
    };
    Log { requests, level: fields.take("level") }
}

/// `[limits]`.
pub(crate) fn read_limits(fields: &Fields<'_>) -> Limits {
    Limits {
        connect_timeout: fields.take("connect_timeout"),
        ack_timeout: fields.take("ack_timeout"),
        tls_timeout: fields.take("tls_timeout"),
        write_timeout: fields.take("write_timeout"),
        resolve_timeout: fields.take("resolve_timeout"),
        idle_timeout: fields.take("idle_timeout"),
        websocket_idle_timeout: fields.take("websocket_idle_timeout"),
        tcp_keepalive: fields.take("tcp_keepalive"),
        response_header_bytes: fields.take("response_header_bytes"),
        request_header_bytes: fields.take("request_header_bytes"),
        request_uri_bytes: fields.take("request_uri_bytes"),
        request_body_bytes: fields.take("request_body_bytes"),
    }
}
