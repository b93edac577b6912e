//! Envoy: a virtual host and a cluster for each origin.

use std::io;

use super::{Log, PRINTED, Peer, Setup, Start, everything};
use crate::peers::stage::Route;
use crate::tools;

pub(super) const PEER: Peer = Peer {
    tool: tools::ENVOY,
    title: "Envoy",
    lacks: everything,
    configure,
    access: Log { file: "access.log", title: "access log", read: access },
    second: Some(Log { file: PRINTED, title: "log at `warning`", read: printed }),
    note: "`proxy_status_config` is on, with the statuses that RFC 9209 recommends; without it there is no such field and \
           most failures are 503. The format of the access log has flags, details and transport failure added.",
};

const TYPES: &str = "type.googleapis.com/envoy.extensions";

fn configure(setup: &Setup) -> io::Result<Vec<Start>> {
    let host = |route: &Route| {
        format!(
            "            - name: {name}
              domains: [\"{host}\"]
              routes: [{{ match: {{ prefix: / }}, route: {{ cluster: {name}, timeout: 2s }} }}]
",
            name = route.fault.name,
            host = route.host,
        )
    };
    let cluster = |route: &Route| cluster(setup, route);
    let text = format!(
        "static_resources:
  listeners:
  - name: visitors
    address: {{ socket_address: {{ address: 127.0.0.1, port_value: {http} }} }}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          \"@type\": {TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: visitors
          proxy_status_config: {{ set_recommended_response_code: true }}
          access_log:
          - name: envoy.access_loggers.file
            typed_config:
              \"@type\": {TYPES}.access_loggers.file.v3.FileAccessLog
              path: {folder}/access.log
              log_format:
                text_format_source:
                  inline_string: \"%REQ(:AUTHORITY)% %RESPONSE_CODE% flags=%RESPONSE_FLAGS% details=%RESPONSE_CODE_DETAILS% \
transport=%UPSTREAM_TRANSPORT_FAILURE_REASON% close=%UPSTREAM_DETECTED_CLOSE_TYPE% \
connection=%CONNECTION_TERMINATION_DETAILS%\\n\"
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {{ \"@type\": {TYPES}.filters.http.router.v3.Router }}
          route_config:
            virtual_hosts:
{hosts}  clusters:
{clusters}",
        http = setup.http.port(),
        folder = setup.folder.display(),
        hosts = setup.each(host),
        clusters = setup.each(cluster),
    );
    let file = setup.write("envoy.yaml", &text)?;
    let arguments = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "warning"];
    let arguments = arguments.into_iter().chain(["--file-flush-interval-msec", "50", "-c", &file]);
    Ok(vec![Start::proxy(arguments)])
}

fn cluster(setup: &Setup, route: &Route) -> String {
    let Route { fault, host, origin, port, .. } = route;
    let kind = if route.is_named() {
        format!(
            "STRICT_DNS
    typed_dns_resolver_config:
      name: envoy.network.dns_resolver.cares
      typed_config:
        \"@type\": {TYPES}.network.dns_resolver.cares.v3.CaresDnsResolverConfig
        resolvers: [{{ socket_address: {{ address: {address}, port_value: {port} }} }}]
        dns_resolver_options: {{ no_default_search_domain: true }}",
            address = setup.dns.ip(),
            port = setup.dns.port(),
        )
    } else {
        "STATIC".to_owned()
    };
    let tls = if route.tls {
        format!(
            "    transport_socket:
      name: envoy.transport_sockets.tls
      typed_config:
        \"@type\": {TYPES}.transport_sockets.tls.v3.UpstreamTlsContext
        sni: {host}
        common_tls_context:
          validation_context:
            trusted_ca: {{ filename: {authority} }}
            match_typed_subject_alt_names: [{{ san_type: DNS, matcher: {{ exact: {host} }} }}]
",
            authority = setup.authority.display(),
        )
    } else {
        String::new()
    };
    format!(
        "  - name: {name}
    connect_timeout: 2s
    type: {kind}
    load_assignment:
      cluster_name: {name}
      endpoints:
      - lb_endpoints:
        - endpoint: {{ address: {{ socket_address: {{ address: {origin}, port_value: {port} }} }} }}
{tls}",
        name = fault.name,
    )
}

fn access(line: &str) -> Option<String> {
    line.split_once(' ').map(|(_, rest)| rest.to_owned())
}

/// `[2026-11-21 08:15:06.123][17][warning][upstream] [source.cc:1] message`
fn printed(line: &str) -> Option<String> {
    line.split_once("] [").map(|(_, message)| message.to_owned())
}
