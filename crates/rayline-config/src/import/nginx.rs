//! nginx: `server` blocks with their locations, upstreams and limits.
//!
//! nginx chooses one location for a request; each rule here excludes the locations that would have been chosen before.

mod directives;
mod location;
mod regex;
mod scope;
mod upstream;
mod variables;

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::ImportText;
use super::draft::{Draft, Item};
use super::made::Made;
use super::sites::{Origin, Sites, all, hosts, literal};
use super::syntax::{Directive, Grammar, parse};
use location::{Kind, Location, chosen, location};
use scope::{Scope, is_alike, is_inherited, says_nothing};

/// What changes nothing for visitors or origins, or what this edge does anyway.
const SAYS_NOTHING: [&str; 76] = [
    "access_log",
    "break",
    "charset",
    "client_body_buffer_size",
    "client_body_timeout",
    "client_header_buffer_size",
    "client_header_timeout",
    "default_type",
    "error_log",
    "etag",
    "events",
    "gzip_buffers",
    "gzip_comp_level",
    "gzip_disable",
    "gzip_http_version",
    "gzip_min_length",
    "gzip_proxied",
    "gzip_static",
    "gzip_types",
    "gzip_vary",
    "http2",
    "keepalive",
    "keepalive_requests",
    "keepalive_timeout",
    "large_client_header_buffers",
    "log_format",
    "log_not_found",
    "log_subrequest",
    "multi_accept",
    "open_file_cache",
    "open_file_cache_errors",
    "open_file_cache_min_uses",
    "open_file_cache_valid",
    "pid",
    "proxy_buffer_size",
    "proxy_buffering",
    "proxy_buffers",
    "proxy_busy_buffers_size",
    "proxy_headers_hash_bucket_size",
    "proxy_headers_hash_max_size",
    "proxy_http_version",
    "proxy_max_temp_file_size",
    "proxy_redirect",
    "proxy_request_buffering",
    "proxy_socket_keepalive",
    "proxy_ssl_protocols",
    "proxy_ssl_server_name",
    "proxy_ssl_session_reuse",
    "proxy_temp_file_write_size",
    "reset_timedout_connection",
    "resolver",
    "resolver_timeout",
    "send_timeout",
    "sendfile",
    "server_names_hash_bucket_size",
    "server_names_hash_max_size",
    "server_tokens",
    "ssl_buffer_size",
    "ssl_ciphers",
    "ssl_conf_command",
    "ssl_dhparam",
    "ssl_early_data",
    "ssl_ecdh_curve",
    "ssl_prefer_server_ciphers",
    "ssl_session_cache",
    "ssl_session_tickets",
    "ssl_session_timeout",
    "ssl_stapling",
    "ssl_stapling_verify",
    "ssl_trusted_certificate",
    "tcp_nodelay",
    "tcp_nopush",
    "types",
    "types_hash_max_size",
    "user",
    "variables_hash_max_size",
];

/// What may stand around servers, and holds for each that says nothing of it.
const COMMON: [&str; 3] = ["client_max_body_size", "proxy_read_timeout", "ssl_protocols"];

/// What stands around servers.
#[derive(Debug, Default)]
struct Http<'a> {
    upstreams: HashMap<&'a str, &'a [Directive]>,
    /// `limit_req_zone`, by its name.
    limits: HashMap<String, &'a Directive>,
    /// Directives that servers inherit.
    common: Vec<(&'a ImportText, &'a Directive)>,
    servers: Vec<(&'a ImportText, &'a Directive)>,
}

/// A `server` on its way.
struct Server<'a> {
    text: &'a ImportText,
    names: Vec<String>,
    http: &'a Http<'a>,
    /// What stands in it, and what it inherits.
    directives: Vec<&'a Directive>,
    /// Whether locations rewrite paths, so that conditions have to ask for the path as it came.
    rewrites: bool,
    /// What is true of the scheme: empty where the server is for both, or no other has its names.
    scheme: &'static str,
}

impl Server<'_> {
    fn place(&self, directive: &Directive) -> String {
        let inherited = self.http.common.iter().find(|(_, common)| std::ptr::eq(*common, directive));
        format!("{}:{}", inherited.map_or(self.text, |(text, _)| text).name, directive.line)
    }

    fn path(&self) -> &'static str {
        if self.rewrites { "raw.http.request.uri.path" } else { "http.request.uri.path" }
    }
}

pub(super) fn read(texts: &[ImportText], draft: &mut Draft) {
    let mut parsed = Vec::new();
    for text in texts {
        let (directives, unread) = parse(&text.text, Grammar::Nginx);
        if let Some(unread) = unread {
            draft.leave(&format!("{}:{}", text.name, unread.line), "the rest of the text", unread.why);
        }
        parsed.push((text, directives));
    }
    let mut http = Http::default();
    for (text, directives) in &parsed {
        collect(text, directives, &mut http, draft);
    }
    let names: Vec<String> = http.servers.iter().flat_map(|(_, server)| names(server)).collect();
    let mut sites = Sites::new(&names);
    draft.server.insert("allow_private_origins".to_owned(), Value::Bool(true));
    for (text, server) in &http.servers {
        translate(text, server, &http, &mut sites, draft);
    }
    sites.placeholders(draft);
}

fn collect<'a>(text: &'a ImportText, directives: &'a [Directive], http: &mut Http<'a>, draft: &mut Draft) {
    for directive in directives {
        match directive.name() {
            "http" => collect(text, directive.inside(), http, draft),
            "server" if directive.block.is_some() => http.servers.push((text, directive)),
            "upstream" => {
                http.upstreams.insert(directive.argument(0), directive.inside());
            }
            "limit_req_zone" => {
                let zone = directive.arguments().iter().find_map(|word| word.strip_prefix("zone="));
                let name = zone.unwrap_or_default().split(':').next().unwrap_or_default();
                http.limits.insert(name.to_owned(), directive);
            }
            name if is_inherited(name) || COMMON.contains(&name) => http.common.push((text, directive)),
            name if says_nothing(directive) || name.starts_with("worker_") => {}
            _ => left(&format!("{}:{}", text.name, directive.line), directive, draft),
        }
    }
}

/// Notes a directive that has no counterpart.
fn left(place: &str, directive: &Directive, draft: &mut Draft) {
    let why = match directive.name() {
        "include" => "it names other files: translate those too",
        "root" | "alias" | "index" | "try_files" | "autoindex" => "this edge serves no files: let an origin do so",
        "fastcgi_pass" | "uwsgi_pass" | "scgi_pass" | "grpc_pass" | "memcached_pass" => {
            "origins of this edge speak HTTP: put a server in front of it that does"
        }
        "auth_basic" | "auth_basic_user_file" | "auth_request" => "this edge asks for no passwords",
        "set" => "variables of one's own have no counterpart: write what it is used for into rules",
        "set_real_ip_from" | "real_ip_header" | "real_ip_recursive" => {
            "proxies that are believed about the visitor stand in `trusted_proxies` under `[server]`"
        }
        "proxy_connect_timeout" | "proxy_send_timeout" => "how long origins are waited for stands under `[limits]`",
        "map" | "geo" | "split_clients" => {
            "variables of one's own have no counterpart: write their conditions into rules"
        }
        "error_page" => "write it as a rule in `http_custom_errors`, or as `[zone.error_pages]`",
        name if name.starts_with("proxy_cache") || name == "proxy_no_cache" || name == "proxy_ignore_headers" => {
            "write it as a rule in `http_request_cache_settings`"
        }
        "limit_conn" | "limit_conn_zone" => {
            "connections of one visitor are not counted here: `limit_req` is translated"
        }
        "stream" | "mail" => "this edge speaks HTTP alone",
        _ => "it has no counterpart",
    };
    draft.leave(place, directive.shown(), why);
}

/// The host names of a server, without those that are none.
fn names(server: &Directive) -> Vec<String> {
    let of = server.inside().iter().filter(|directive| directive.name() == "server_name");
    let expand = |name: &String| match name.strip_prefix('.') {
        Some(bare) => vec![bare.to_owned(), format!("*.{bare}")],
        None => vec![name.clone()],
    };
    let is_name =
        |name: &String| !name.starts_with('~') && name.contains('.') && name.find('*').is_none_or(|at| at == 0);
    of.flat_map(|directive| directive.arguments())
        .flat_map(expand)
        .filter(is_name)
        .map(|name| name.to_lowercase())
        .collect()
}

fn translate(text: &ImportText, directive: &Directive, http: &Http<'_>, sites: &mut Sites, draft: &mut Draft) {
    let place = format!("{}:{}", text.name, directive.line);
    let names = names(directive);
    if names.is_empty() {
        return draft.leave(&place, "server { … }", "it has no host name, or none that is written out");
    }
    let inherited = http.common.iter().map(|(_, common)| *common);
    let own = |common: &&Directive| directive.inside().iter().any(|inner| is_alike(inner.name(), common.name()));
    let directives: Vec<&Directive> =
        directive.inside().iter().chain(inherited.filter(|common| !own(common))).collect();
    let rewrites =
        directives.iter().filter(|inner| inner.name() == "location").any(|inner| has_rewrites(inner.inside()));
    let scheme = scheme(directive, &names, http);
    let server = Server { text, names, http, directives, rewrites, scheme };
    for inner in &server.directives {
        of_server(&server, inner, sites, draft);
    }
    scopes(&server, sites, draft);
}

/// What there is of a server once.
fn of_server(server: &Server<'_>, inner: &Directive, sites: &Sites, draft: &mut Draft) {
    match inner.name() {
        "listen" => listen(server, inner, draft),
        "server_name" => {
            for name in inner.arguments().iter().filter(|name| name.starts_with('~') || name.ends_with(".*")) {
                draft.leave(&server.place(inner), name, "names of hosts are written out here, or begin with `*.`");
            }
        }
        "location" if location(inner).is_none() => left(&server.place(inner), inner, draft),
        "ssl_certificate" => certificate(server, inner, sites, draft),
        "client_max_body_size" | "ssl_protocols" | "proxy_read_timeout" => setting(server, inner, sites, draft),
        _ => {}
    }
}

/// Its locations, without those whose paths cannot be told here: nothing is translated of them.
fn locations<'a>(server: &Server<'a>, draft: &mut Draft) -> Vec<Location<'a>> {
    let mut told = Vec::new();
    for directive in server.directives.iter().copied().filter(|inner| inner.name() == "location") {
        let Some(location) = location(directive) else { continue };
        match location.problem() {
            None => told.push(location),
            Some(problem) => {
                let why = format!("nothing of it is translated, for its regular expression is none here: {problem}");
                draft.leave(&server.place(directive), directive.shown(), why);
            }
        }
    }
    told
}

/// What stands beside the locations, then each of them.
fn scopes(server: &Server<'_>, sites: &mut Sites, draft: &mut Draft) {
    let locations = locations(server, draft);
    let parted = |parts: &[String], sites: &Sites| -> Vec<(String, String)> {
        let of_zone = |(zone, names): (String, Vec<&str>)| {
            let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
            let all_parts = [&[hosts(&names), server.scheme.to_owned()], parts].concat();
            (zone, all(&all_parts))
        };
        sites.by_zone(&server.names).into_iter().map(of_zone).collect()
    };
    let directives = server.directives.iter().copied().filter(|inner| !is_of_server(inner.name())).collect();
    let whole = Scope { server, location: None, directives, zones: parted(&[], sites), locations: &locations };
    whole.translate(sites, draft);
    for (index, location) in locations.iter().enumerate() {
        let zones = parted(&chosen(location, index, &locations, server.path()), sites);
        let directives = location.directive.inside().iter().collect();
        Scope { server, location: Some(location), directives, zones, locations: &[] }.translate(sites, draft);
        if let Some(bare) = without_slash(location, &locations) {
            let folder = parted(&[format!("{} eq {}", server.path(), literal(bare))], sites);
            let from =
                json!({ "target_url": { "value": location.path }, "status_code": 301, "preserve_query_string": true });
            Made::redirect(&from).add(&server.place(location.directive), &folder, draft);
        }
    }
}

/// `/api` of a location `/api/` whose requests are passed on: nginx sends who asks for that to the path with the slash,
/// unless another location is for it.
fn without_slash<'a>(location: &Location<'a>, all: &[Location<'_>]) -> Option<&'a str> {
    let folder = location.path.strip_suffix('/').filter(|folder| !folder.is_empty())?;
    let is_prefix = matches!(location.kind, Kind::Prefix { .. });
    let passes = location.directive.inside().iter().any(|inner| inner.name() == "proxy_pass");
    let is_taken = all.iter().any(|other| !matches!(other.kind, Kind::Regex { .. }) && other.path == folder);
    (is_prefix && passes && !is_taken).then_some(folder)
}

/// `ssl`, `not ssl`, or nothing: which scheme a server is for, if others have the same names.
fn scheme(directive: &Directive, own: &[String], http: &Http<'_>) -> &'static str {
    let is_shared = http
        .servers
        .iter()
        .any(|(_, other)| !std::ptr::eq(*other, directive) && names(other).iter().any(|name| own.contains(name)));
    let listens: Vec<&Directive> = directive.inside().iter().filter(|inner| inner.name() == "listen").collect();
    let is_tls = |listen: &&Directive| listen.arguments().iter().any(|word| word == "ssl");
    match (is_shared, listens.iter().any(is_tls), listens.iter().all(is_tls)) {
        (false, ..) | (true, true, false) => "",
        // without any `listen` it is port 80
        (true, false, _) => "not ssl",
        (true, true, true) => "ssl",
    }
}

fn is_of_server(name: &str) -> bool {
    matches!(
        name,
        "listen"
            | "server_name"
            | "location"
            | "ssl_certificate"
            | "ssl_certificate_key"
            | "client_max_body_size"
            | "ssl_protocols"
            | "proxy_read_timeout"
    )
}

fn has_rewrites(directives: &[Directive]) -> bool {
    directives.iter().any(|directive| {
        let is_rewrite = directive.name() == "rewrite" && !matches!(directive.argument(2), "permanent" | "redirect");
        let replaces = directive.name() == "proxy_pass"
            && Origin::parse(directive.argument(0)).is_some_and(|origin| !origin.path.is_empty() && origin.path != "/");
        is_rewrite || replaces || (directive.name() == "location" && has_rewrites(directive.inside()))
    })
}

fn listen(server: &Server<'_>, directive: &Directive, draft: &mut Draft) {
    let address = directive.argument(0);
    let (host, port) = match address.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ if address.parse::<u16>().is_ok() => ("", address),
        _ => (address, "80"),
    };
    let host = if matches!(host, "" | "*") { "0.0.0.0" } else { host };
    let is_tls = directive.arguments().iter().any(|word| word == "ssl");
    if port.parse::<u16>().is_err() || (host.parse::<std::net::IpAddr>().is_err() && !host.starts_with('[')) {
        return draft.leave(&server.place(directive), directive.shown(), "listeners have an address and a port here");
    }
    if host != "0.0.0.0" && host.starts_with("[::]") {
        // one listener for all addresses is enough
        return;
    }
    let key = if is_tls { "https" } else { "http" };
    let listeners = draft.server.entry(key).or_insert_with(|| Value::Array(Vec::new()));
    let written = Value::from(format!("{host}:{port}"));
    if let Some(listeners) = listeners.as_array_mut()
        && !listeners.contains(&written)
    {
        listeners.push(written);
    }
}

fn certificate(server: &Server<'_>, directive: &Directive, sites: &Sites, draft: &mut Draft) {
    let key = server.directives.iter().find(|sibling| sibling.name() == "ssl_certificate_key");
    let place = server.place(directive);
    let Some(key) = key else { return draft.leave(&place, directive.shown(), "it has no key") };
    for (zone, _) in sites.by_zone(&server.names) {
        let entries = [("certificate", directive.argument(0)), ("private_key", key.argument(0))];
        let keys: Map<String, Value> =
            entries.into_iter().map(|(key, value)| (key.to_owned(), Value::from(value))).collect();
        let item = Item { place: place.clone(), what: directive.shown(), keys };
        draft.zone(&zone).table("certificates", item);
    }
}

fn setting(server: &Server<'_>, directive: &Directive, sites: &Sites, draft: &mut Draft) {
    let place = server.place(directive);
    let found = match directive.name() {
        "client_max_body_size" => megabytes(directive.argument(0)).map(|of| ("max_upload", Value::from(of))),
        "ssl_protocols" => {
            let lowest = directive.arguments().iter().filter_map(|word| word.strip_prefix("TLSv")).min();
            lowest.map(|version| ("min_tls_version", Value::from(if version == "1.3" { "1.3" } else { "1.2" })))
        }
        _ => {
            let text = directive.argument(0);
            let seconds = text.strip_suffix('s').unwrap_or(text).parse::<u64>().ok();
            seconds.map(|seconds| ("proxy_read_timeout", Value::from(seconds)))
        }
    };
    match found {
        Some((key, value)) => {
            for (zone, _) in sites.by_zone(&server.names) {
                draft.zone(&zone).setting(&place, key, value.clone());
            }
        }
        None => draft.leave(&place, directive.shown(), "its value has no counterpart"),
    }
}

/// `10m`, `512k`, `1g` in megabytes, rounded up.
fn megabytes(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let bytes = number.checked_mul(match unit {
        "" => 1,
        "k" | "K" => 1 << 10,
        "m" | "M" => 1 << 20,
        "g" | "G" => 1 << 30,
        _ => return None,
    })?;
    (bytes > 0).then(|| bytes.div_ceil(1 << 20))
}
