//! How each proxy is configured: the shortest file that makes it do the same as the others.

use std::fs;
use std::io;
use std::path::Path;

use super::load::HOST;
use super::peer::{Setup, Start};

/// Writes a configuration, and starts with `arguments` and its path.
fn written(file: &Path, text: String, arguments: &[&str]) -> io::Result<Start> {
    fs::write(file, text)?;
    let arguments = arguments.iter().map(|&argument| argument.to_owned()).chain([file.display().to_string()]);
    Ok(Start { arguments: arguments.collect(), environment: Vec::new() })
}

/// TLS to the origin whatever the visitor's scheme is `origin_pull`, which holds the certificate against an authority;
/// the others do not look at it.
pub(crate) fn rayline(setup: &Setup) -> io::Result<Start> {
    let Setup { folder, doors, origin, certificate, key, authority, .. } = setup;
    let (ssl, port) =
        if setup.origin_tls { ("origin_pull", "origin_https_port") } else { ("flexible", "origin_http_port") };
    let text = format!(
        "[server]
http = [\"{http}\"]
https = [\"{https}\"]
threads = 1
data_dir = \"{folder}\"
origin_ca = [\"{authority}\"]

[[zone]]
name = \"{HOST}\"

[zone.settings]
ssl = \"{ssl}\"
{port} = {origin}

[[zone.dns_records]]
type = \"A\"
name = \"@\"
content = \"{address}\"

[[zone.certificates]]
certificate = \"{certificate}\"
private_key = \"{key}\"
",
        http = doors.http,
        https = doors.https,
        folder = folder.display(),
        authority = authority.display(),
        origin = origin.port(),
        address = origin.ip(),
        certificate = certificate.display(),
        key = key.display(),
    );
    written(&folder.join("rayline.toml"), text, &["serve", "--config"])
}

/// Lines that nginx is told beyond what all are, by where they stand.
#[derive(Debug, Default)]
pub(crate) struct More<'a> {
    pub(crate) main: &'a str,
    pub(crate) http: &'a str,
    pub(crate) server: &'a str,
}

/// As of version 1.22.
pub(crate) fn nginx(setup: &Setup) -> io::Result<Start> {
    nginx_with(setup, "ssl http2", &More::default())
}

/// From version 1.25 on.
pub(crate) fn nginx_with_http2_directive(setup: &Setup) -> io::Result<Start> {
    nginx_with(setup, "ssl", &More { server: "http2 on;", ..More::default() })
}

pub(crate) fn nginx_with(setup: &Setup, listen: &str, more: &More<'_>) -> io::Result<Start> {
    let Setup { folder, doors, origin, certificate, key, .. } = setup;
    let scheme = if setup.origin_tls { "https" } else { "http" };
    let text = format!(
        "user root;
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
{main}
events {{ worker_connections 12000; }}
http {{
    {directives}
    access_log {folder}/access.log;
    client_body_temp_path {folder}/t1;
    proxy_temp_path {folder}/t2;
    fastcgi_temp_path {folder}/t3;
    uwsgi_temp_path {folder}/t4;
    scgi_temp_path {folder}/t5;
    keepalive_requests 1000000000;
    keepalive_timeout 400s;
    client_max_body_size 100m;
    client_body_buffer_size 128k;
    proxy_max_temp_file_size 0;
    upstream origin {{
        server {origin};
        keepalive 256;
        keepalive_requests 1000000000;
        keepalive_timeout 900s;
    }}
    server {{
        listen {http};
        listen {https} {listen};
        {server}
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        location / {{
            proxy_pass {scheme}://origin;
            proxy_http_version 1.1;
            proxy_set_header Connection \"\";
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
        }}
    }}
}}
",
        main = more.main,
        directives = more.http,
        server = more.server,
        folder = folder.display(),
        http = doors.http,
        https = doors.https,
        certificate = certificate.display(),
        key = key.display(),
    );
    let error_log = folder.join("error.log");
    written(&folder.join("nginx.conf"), text, &["-e", &error_log.display().to_string(), "-c"])
}

pub(crate) fn haproxy(setup: &Setup) -> io::Result<Start> {
    haproxy_with(setup, "")
}

/// With more lines for the frontend.
pub(crate) fn haproxy_with(setup: &Setup, frontend: &str) -> io::Result<Start> {
    let Setup { folder, doors, origin, certificate, key, .. } = setup;
    let both = folder.join("both.pem");
    fs::write(&both, fs::read_to_string(certificate)? + &fs::read_to_string(key)?)?;
    let tls = if setup.origin_tls { "ssl verify none" } else { "" };
    // Its standard output is a file. A second is what it waits by default before it tries a dead origin again.
    let text = format!(
        "global
    nbthread 1
    no strict-limits
    maxconn 12000
    log stdout format raw local0
defaults
    mode http
    log global
    option httplog
    option forwardfor
    retries 0
    http-reuse always
    timeout connect 19s
    timeout client 400s
    timeout server 125s
    timeout http-keep-alive 400s
frontend visitors
    bind {http}
    bind {https} ssl crt {both} alpn h2,http/1.1
{frontend}
    default_backend origin
backend origin
    server origin {origin} pool-max-conn 256 {tls}
",
        http = doors.http,
        https = doors.https,
        both = both.display(),
    );
    written(&folder.join("haproxy.cfg"), text, &["-db", "-f"])
}

pub(crate) fn envoy(setup: &Setup) -> io::Result<Start> {
    let Setup { folder, doors, origin, certificate, key, .. } = setup;
    let listener = |name: &str, port: u16, tls: &str| {
        format!(
            "  - name: {name}
    address: {{ socket_address: {{ address: 127.0.0.1, port_value: {port} }} }}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          \"@type\": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: {name}
          codec_type: AUTO
          use_remote_address: true
          access_log:
          - name: envoy.access_loggers.file
            typed_config:
              \"@type\": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog
              path: {folder}/access.log
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {{ \"@type\": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }}
          route_config:
            virtual_hosts:
            - name: all
              domains: [\"*\"]
              routes: [{{ match: {{ prefix: / }}, route: {{ cluster: origin, timeout: 125s }} }}]
{tls}",
            folder = folder.display(),
        )
    };
    let downstream = format!(
        "      transport_socket:
        name: envoy.transport_sockets.tls
        typed_config:
          \"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
          common_tls_context:
            alpn_protocols: [h2, http/1.1]
            tls_certificates:
            - certificate_chain: {{ filename: {certificate} }}
              private_key: {{ filename: {key} }}
",
        certificate = certificate.display(),
        key = key.display(),
    );
    let upstream = if setup.origin_tls {
        format!(
            "    transport_socket:
      name: envoy.transport_sockets.tls
      typed_config:
        \"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
        sni: {HOST}
"
        )
    } else {
        String::new()
    };
    let text = format!(
        "static_resources:
  listeners:
{http}{https}  clusters:
  - name: origin
    type: STATIC
    connect_timeout: 19s
    load_assignment:
      cluster_name: origin
      endpoints:
      - lb_endpoints:
        - endpoint: {{ address: {{ socket_address: {{ address: {address}, port_value: {port} }} }} }}
{upstream}",
        http = listener("http", doors.http.port(), ""),
        https = listener("https", doors.https.port(), &downstream),
        address = origin.ip(),
        port = origin.port(),
    );
    let arguments = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "error", "-c"];
    written(&folder.join("envoy.yaml"), text, &arguments)
}

pub(crate) fn caddy(setup: &Setup) -> io::Result<Start> {
    let Setup { folder, doors, origin, certificate, key, .. } = setup;
    let tls = if setup.origin_tls {
        format!("tls\n tls_insecure_skip_verify\n tls_server_name {HOST}")
    } else {
        String::new()
    };
    let site = format!(
        "    bind 127.0.0.1
    log {{
        output file {folder}/access.log {{
            roll_disabled
        }}
    }}
    reverse_proxy {origin} {{
        transport http {{
            keepalive 900s
            keepalive_idle_conns_per_host 256
            compression off
            {tls}
        }}
    }}
",
        folder = folder.display(),
    );
    let text = format!(
        "{{
    admin off
    persist_config off
    auto_https disable_redirects
    default_sni {HOST}
    servers {{
        protocols h1 h2
        timeouts {{
            idle 400s
        }}
    }}
}}
http://:{http} {{
{site}}}
https://:{https} {{
    tls {certificate} {key}
{site}}}
",
        http = doors.http.port(),
        https = doors.https.port(),
        certificate = certificate.display(),
        key = key.display(),
    );
    let mut start = written(&folder.join("Caddyfile"), text, &["run", "--adapter", "caddyfile", "--config"])?;
    start.environment.push(("GOMAXPROCS", "1".to_owned()));
    start.environment.push(("HOME", folder.display().to_string()));
    Ok(start)
}
