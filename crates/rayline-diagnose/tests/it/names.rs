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

/// The lines of a table, without its remarks, their line ends as they are meant.
fn lines(table: &'static str) -> impl Iterator<Item = String> {
    table
        .lines()
        .filter(|line| !line.starts_with("# ") && !line.is_empty())
        .map(|line| line.replace("\\n", "\n").replace("\\t", "\t"))
}

const NAMES: &str = include_str!("../data/names.txt");
const HARMLESS: &str = include_str!("../data/harmless.txt");

#[test]
fn each_line_of_the_table_means_what_it_says() {
    let mut wrong = Vec::new();
    let mut causes = BTreeSet::new();
    let mut count = 0;
    for line in lines(NAMES) {
        let mut fields = line.splitn(4, " || ");
        let mut field = || fields.next().unwrap_or_else(|| panic!("four fields: {line}"));
        let (wanted, particular, place, message) = (field(), field(), field(), field());
        let (wanted, source) = match wanted.split_once('@') {
            Some((wanted, "Caddy")) => (wanted, Source::Caddy),
            Some((_, other)) => panic!("no such source here: {other}"),
            None => (wanted, Source::Unknown),
        };
        let cause = Cause::find(wanted).unwrap_or_else(|| panic!("no such cause: {wanted}"));
        causes.insert(cause);
        count += 1;
        let is_right = name(source, message).is_some_and(|meaning| {
            meaning.cause == cause
                && meaning.sentence.contains(particular)
                && !meaning.sentence.contains('?')
                && meaning.place.as_deref() == Some(place).filter(|place| *place != "-")
        });
        if !is_right {
            wrong.push(format!("{line}\n    {:?}", name(source, message)));
        }
    }
    assert!(wrong.is_empty(), "{} of {count} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count >= 250, "{count}");
    // What no log tells, the machine does.
    let unseen = [Cause::HostNotListening, Cause::HostListensOnLoopback];
    let missed: Vec<&Cause> =
        Cause::ALL.iter().filter(|cause| !causes.contains(cause) && !unseen.contains(cause)).collect();
    assert!(missed.is_empty(), "no line for {missed:?}");
}

#[test]
fn what_is_no_fault_is_named_nothing() {
    let mut count = 0;
    let wrong: Vec<String> = lines(HARMLESS)
        .inspect(|_| count += 1)
        .filter_map(|line| name(Source::Unknown, &line).map(|meaning| format!("{line}\n    {meaning:?}")))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 80, "{count}");
}

#[test]
fn a_visitor_cannot_write_a_cause_into_a_log() {
    let forged = [
        "Out of memory: Killed process 1 (nginx)",
        "connect ECONNREFUSED 127.0.0.1:5432",
        "Too many connections",
        "PHP Fatal error: x in /a.php:1",
    ];
    for words in forged {
        let line = format!(
            r#"[info] *1 client 203.0.113.7 asked, client: 203.0.113.7, server: a, request: "GET /{words} HTTP/1.1", host: "{words}", referrer: "{words}""#
        );
        assert_eq!(name(Source::Nginx, &line), None, "{words}");
        assert_eq!(name(Source::Apache, &format!("AH99999: nothing, referer: http://a/{words}")), None, "{words}");
    }
}

#[test]
fn secrets_are_masked_in_what_is_told() {
    let message = r#"Get "https://pay.example/v1?token=hunter2": context deadline exceeded (Client.Timeout exceeded while awaiting headers)"#;
    let meaning = name(Source::Go, message).unwrap();
    assert_eq!(meaning.cause, Cause::ThirdPartyTimedOut);
    assert!(
        meaning.sentence.contains("token=(masked)") && !meaning.sentence.contains("hunter2"),
        "{}",
        meaning.sentence
    );
}

#[test]
fn a_message_of_any_length_is_looked_at_at_both_ends() {
    let message = format!(
        "Traceback (most recent call last):\n{}ModuleNotFoundError: No module named 'stripe'",
        "  File \"/srv/a.py\", line 1\n".repeat(100_000)
    );
    assert_eq!(name(Source::Python, &message).unwrap().cause, Cause::AppModuleMissing);
    assert_eq!(name(Source::Python, &"é".repeat(1_000_000)), None);
}

proptest::proptest! {
    #[test]
    fn no_message_makes_it_panic(line in 0..400_usize, cut in 0..200_usize, more in "\\PC{0,60}") {
        let all: Vec<String> = lines(NAMES).collect();
        let line = &all[line % all.len()];
        let cut = (0..=cut.min(line.len())).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
        if let Some(meaning) = name(Source::Unknown, &format!("{}{more}{}", &line[..cut], &line[cut..])) {
            proptest::prop_assert!(!meaning.sentence.chars().any(char::is_control));
            proptest::prop_assert!(meaning.sentence.chars().count() < 1200);
        }
    }
}
