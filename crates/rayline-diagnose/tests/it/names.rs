//! What lines of logs mean: a table of lines, and logs that real servers wrote of real faults.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rayline_diagnose::logs::names::name;
use rayline_diagnose::logs::{Cause, Source};

/// What a file is named after, where it is not a cause's own name.
const STEMS: [(&str, &[Cause]); 43] = [
    ("apache/denied_by_configuration", &[Cause::ServerPermissionDenied]),
    ("apache/htaccess_", &[Cause::ServerConfiguration]),
    ("apache/options_not_allowed", &[Cause::ServerConfiguration]),
    ("apache/tls_", &[Cause::ServerTlsFailed]),
    ("certificate_missing", &[Cause::ServerTlsFailed]),
    ("index_forbidden", &[Cause::ServerFileMissing]),
    ("rewrite_loop", &[Cause::ServerConfiguration]),
    ("nginx/no_live_upstreams", &[Cause::ServerUpstreamRefused]),
    ("nginx/php_stopped", &[Cause::ServerUpstreamRefused]),
    // What nginx sees of a pool that is exhausted is its slowness, and of a worker that ends that it ended.
    ("nginx/php_pool_exhausted", &[Cause::ServerUpstreamTimedOut]),
    ("nginx/php_terminate_timeout", &[Cause::ServerUpstreamClosed]),
    ("nginx/php_worker_", &[Cause::ServerUpstreamClosed]),
    ("primary_script_unknown", &[Cause::ServerFileMissing]),
    ("file_permission", &[Cause::ServerPermissionDenied]),
    ("upstream_host_not_found", &[Cause::ServerUpstreamUnresolved]),
    ("worker_connections", &[Cause::ServerPoolExhausted]),
    ("node/permission_denied", &[Cause::ServerFileMissing]),
    ("node/heap", &[Cause::AppOutOfMemory]),
    ("fatal", &[Cause::AppPhpFatal]),
    ("php/configuration", &[Cause::AppEnvironment]),
    ("parse_error", &[Cause::AppPhpFatal]),
    ("syntax_error", &[Cause::AppException]),
    ("unhandled_rejection", &[Cause::AppException]),
    ("terminate_timeout", &[Cause::AppWorkerTimeout]),
    ("oom", &[Cause::HostOutOfMemory]),
    ("dns_and_third_party", &[Cause::ThirdPartyFailed]),
    ("upstream_socket_missing", &[Cause::ServerUpstreamRefused]),
    ("php/memory", &[Cause::AppPhpMemory]),
    ("php/time.", &[Cause::AppPhpTime]),
    ("compile_error", &[Cause::AppException]),
    ("too_many_clients", &[Cause::DatabaseTooManyConnections]),
    ("postgresql/access_denied", &[Cause::DatabaseAccessDenied]),
    ("postgresql/disk_full", &[Cause::DatabaseFull]),
    ("postgresql/locked", &[Cause::DatabaseLocked]),
    ("postgresql/missing", &[Cause::DatabaseMissing]),
    ("postgresql/statement_timeout", &[Cause::DatabaseTimedOut]),
    ("postgresql/terminated", &[Cause::DatabaseGone]),
    ("postgresql/worker_killed", &[Cause::DatabaseGone]),
    ("mariadb/access_denied", &[Cause::DatabaseAccessDenied]),
    ("mariadb/permission_denied", &[Cause::ServerPermissionDenied]),
    // The log of the server that had let nobody in before it was stopped.
    ("mariadb/stopped", &[Cause::DatabaseAccessDenied]),
    ("caddy/", &[Cause::ServerUpstreamRefused]),
    ("haproxy/", &[Cause::ServerUpstreamRefused]),
];

/// Files that hold nothing but a server's start and stop, or whose server does not write its fault down.
const SILENT: [&str; 10] = [
    "healthy",
    "/start",
    "php-fpm/stopped",
    "postgresql/stopped",
    "redis/stopped",
    "crash_recovery",
    "php/warnings",
    // Apache says nothing of a worker that was killed, MariaDB nothing of connections that it did not take.
    "apache/worker_killed",
    "mariadb/too_many_connections",
    "tomcat/access",
];

/// What a server's own stop is named.
const STOPS: [Cause; 2] = [Cause::ServerStopped, Cause::DatabaseGone];

fn real_logs() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/logs");
    let folders = std::fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let mut files: Vec<PathBuf> =
        folders.flat_map(|folder| std::fs::read_dir(folder).unwrap()).map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
        .into_iter()
        .filter(|file| file.extension().is_some_and(|end| end == "log"))
        .map(|file| {
            let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
            (file.strip_prefix(&root).unwrap().display().to_string(), text)
        })
        .filter(|(file, _)| !file.contains(".access."))
        .collect()
}

/// The messages of a file: a line that begins like none goes on with the one before.
fn messages(file: &str, text: &str) -> Vec<String> {
    let mut messages: Vec<String> = Vec::new();
    for line in text.lines() {
        let stamped = line.starts_with(|c: char| c.is_ascii_digit() || c == '[' || c == '{')
            && !line.starts_with("[Error")
            && line.get(1..2) != Some(":");
        let begins = (stamped && !file.starts_with("node/")) || line.starts_with("AH") || line.starts_with("backend ");
        match messages.last_mut() {
            Some(message) if !begins => message.extend(["\n", line]),
            _ => messages.push(line.to_owned()),
        }
    }
    messages
}

#[test]
fn real_logs_are_named_by_their_fault() {
    let mut wrong = Vec::new();
    for (file, text) in real_logs() {
        let named: BTreeSet<Cause> = messages(&file, &text)
            .iter()
            .filter_map(|message| name(Source::Unknown, message))
            .map(|meaning| meaning.cause)
            .collect();
        let others: Vec<&str> = named.iter().filter(|cause| !STOPS.contains(cause)).map(|cause| cause.name()).collect();
        let is_silent = SILENT.iter().any(|part| file.contains(part));
        let wanted: Vec<Cause> = match STEMS.iter().find(|(stem, _)| file.contains(stem)) {
            Some((_, causes)) => causes.to_vec(),
            None => {
                let is_named = |cause: &&Cause| {
                    let (layer, trouble) = cause.name().split_once('.').unwrap();
                    let is_plain = matches!(layer, "server" | "app" | "host");
                    file.contains(&format!("{layer}_{trouble}")) || (is_plain && file.contains(trouble))
                };
                Cause::ALL.iter().filter(is_named).copied().collect()
            }
        };
        let is_right = if is_silent { others.is_empty() } else { wanted.iter().any(|cause| named.contains(cause)) };
        if !is_right {
            wrong.push(format!("{file}: {named:?} in place of {wanted:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
