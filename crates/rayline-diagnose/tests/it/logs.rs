//! Logs that real servers wrote, and files in every state that files get into.

mod files;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rayline_diagnose::logs::{Cause, Reading, Request, Wanted, read};
use rayline_diagnose::probe::Unwatched;

/// 2026-11-21 10:00:00 UTC.
const TEN: u64 = 1_795_255_200;

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// Files of a real server. They count as written long after their last line: the time of a checkout would make the zone of
/// their lines a guess that hangs on the time of day.
fn data(path: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/logs").join(path);
    if path.is_dir() {
        for entry in std::fs::read_dir(&path).unwrap() {
            settle(&entry.unwrap().path());
        }
    } else {
        settle(&path);
    }
    path
}

fn write(path: &Path, text: impl AsRef<[u8]>) {
    std::fs::write(path, text).unwrap();
    settle(path);
}

fn settle(path: &Path) {
    written_at(path, TEN + 30 * 86_400);
}

fn written_at(path: &Path, seconds: u64) {
    File::options().append(true).open(path).unwrap().set_modified(at(seconds)).unwrap();
}

fn request(seconds: u64, target: &str, status: u16) -> Request {
    Request {
        at: at(seconds),
        took: Duration::from_millis(100),
        method: "GET".to_owned(),
        path_and_query: target.to_owned(),
        host: "www.example.com".to_owned(),
        status: Some(status),
        ray_id: None,
        client: None,
        body_bytes: None,
    }
}

fn of(paths: Vec<PathBuf>, requests: Vec<Request>) -> Reading {
    read(&Wanted { paths, requests, ..Wanted::default() }, &Unwatched)
}

/// 11:01:59 of the day that the logs are from, when nginx met most of its faults.
const NGINX: u64 = TEN + 3719;

#[test]
fn who_asks_most_often_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let line =
        |client: &str| format!("{client} - - [21/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"x\"\n");
    let lines = ["104.16.0.2", "203.0.113.9", "104.16.0.2", "::ffff:104.16.0.2", "203.0.113.8"].map(line).concat();
    std::fs::write(folder.path().join("access.log"), lines).unwrap();
    let reading = read(&Wanted { paths: vec![folder.path().to_owned()], ..Wanted::default() }, &Unwatched);
    let clients: Vec<_> = reading.clients.iter().map(|(client, count)| (client.to_string(), *count)).collect();
    let counted = |client: &str, count| (client.to_owned(), count);
    assert_eq!(clients, [counted("104.16.0.2", 3), counted("203.0.113.8", 1), counted("203.0.113.9", 1)]);
}

#[test]
fn what_real_servers_wrote_is_recognised() {
    let known: &[(&str, &[&str])] = &[
        ("nginx", &["nginx error log", "nginx access log"]),
        ("apache", &["Apache error log", "Apache access log"]),
        ("php", &["PHP error log"]),
        ("php-fpm", &["PHP-FPM log"]),
        ("gunicorn", &["Gunicorn log", "Gunicorn access log"]),
        ("haproxy", &["HAProxy log"]),
        ("caddy", &["Caddy log"]),
        ("tomcat", &["Tomcat log", "Tomcat access log"]),
        ("mariadb", &["MySQL error log"]),
        ("postgresql", &["PostgreSQL log"]),
        ("redis", &["Redis log"]),
        ("kernel", &["kernel log"]),
    ];
    for (folder, formats) in known {
        let reading = of(vec![data(folder)], Vec::new());
        assert!(!reading.files.is_empty(), "{folder}");
        for file in &reading.files {
            let known = file.format.is_some_and(|format| formats.contains(&format));
            // A trace that was cut off at its head is of no format.
            let headless = file.path.ends_with("gunicorn/dns_and_third_party.log");
            assert!(known || headless, "{}: {:?}", file.path.display(), file.format);
            assert_eq!((file.trouble.as_deref(), file.lines > 0), (None, true), "{}", file.path.display());
        }
    }
}

#[test]
fn a_failing_request_finds_its_lines_and_its_cause() {
    let paths = vec![data("nginx/upstream_refused.access.log"), data("nginx/upstream_refused.error.log")];
    let reading = of(paths, vec![request(NGINX, "/cart?id=3", 502)]);
    let first = &reading.joined[0];
    assert!(first.line.contains("GET /cart?id=(masked) HTTP") && first.likelihood > 0.9, "{first:?}");
    let cause = &reading.named[0];
    assert_eq!(cause.cause, Cause::ServerUpstreamRefused);
    assert!(cause.likelihood > 0.9, "{cause:?}");
    let names: Vec<&str> = reading.probes.iter().map(|probe| probe.name.as_str()).collect();
    assert_eq!(names, ["logs.nginx", "logs.join"]);
    let hint = reading.format_hint;
    assert_eq!(hint, None, "no Ray ID was seen, so there is none to log");
}

#[test]
fn a_trace_far_from_the_request_is_not_its_cause() {
    // The same logs, looked at for a request of ten minutes later.
    let paths = vec![data("nginx/upstream_refused.access.log"), data("nginx/upstream_refused.error.log")];
    let reading = of(paths, vec![request(NGINX + 500, "/", 502)]);
    assert!(reading.named.iter().all(|named| named.likelihood <= 0.5), "{:?}", reading.named);
}

#[test]
fn a_request_is_told_from_what_else_failed_in_its_second() {
    let reading = of(
        vec![data("php"), data("nginx/php_fatal_stderr.error.log")],
        // 11:01:12.
        vec![request(TEN + 3672, "/checkout.php", 500)],
    );
    let first = &reading.named[0];
    assert_eq!((first.cause, first.place.as_deref()), (Cause::AppPhpFatal, Some("/var/www/shop/checkout.php:2")));
    assert!(first.likelihood > 0.9, "{first:?}");
}

#[test]
fn the_edge_of_the_site_joins_by_ray_id() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("edge.ndjson");
    let record = |ray: &str, status: u16| {
        format!(
            "{{\"RayID\":\"{ray}\",\"EdgeStartTimestamp\":\"2026-11-21T10:00:00.1Z\",\"ClientRequestMethod\":\"GET\",\
             \"ClientRequestHost\":\"www.example.com\",\"ClientRequestURI\":\"/cart\",\"EdgeResponseStatus\":{status},\
             \"VerdictCode\":\"origin.connect.refused\"}}\n"
        )
    };
    write(&path, record("8f1d2c3b4a596877", 521) + &record("8f1d2c3b4a596878", 200));
    let asked = Request { ray_id: Some("8f1d2c3b4a596877-FRA".to_owned()), ..request(TEN, "/cart", 521) };
    let reading = of(vec![path.clone()], vec![asked]);
    let joined: Vec<_> = reading.joined.iter().map(|line| (line.found.clone(), line.status, line.by)).collect();
    assert_eq!(joined, [((path, 1), Some(521), "Ray ID")]);
    assert_eq!(reading.files[0].format, Some("Rayline request log"));
}

#[test]
fn a_clock_that_is_off_is_noticed_and_taken_off() {
    let folder = tempfile::tempdir().unwrap();
    let access = folder.path().join("access.log");
    let error = folder.path().join("error.log");
    write(
        &access,
        "192.0.2.1 - - [21/Nov/2026:10:00:45 +0000] \"GET /a HTTP/1.1\" 502 1 \"-\" \"x\" 8f1d2c3b4a596877-FRA\n",
    );
    write(
        &error,
        "2026/11/21 10:00:00 [error] 1#1: *1 connect() to unix:/a.sock failed (2: No such file or directory) while \
         connecting to upstream, client: 192.0.2.9, server: s, request: \"GET /x HTTP/1.1\", host: \"y\"\n\
         2026/11/21 10:00:45 [error] 1#1: *2 connect() failed (111: Connection refused) while connecting to upstream, \
         client: 192.0.2.1, server: s, request: \"GET /a HTTP/1.1\", upstream: \"http://127.0.0.1:3000/a\", host: \"y\"\n",
    );
    let asked = Request { ray_id: Some("8f1d2c3b4a596877".to_owned()), ..request(TEN, "/a", 502) };
    let reading = of(vec![access, error], vec![asked]);
    let skew = reading.skew_seconds.unwrap();
    assert!((44.0..46.0).contains(&skew), "{skew}");
    assert!(reading.named[0].sentence.contains("127.0.0.1:3000"), "{:?}", reading.named);
    assert!(reading.named[0].likelihood > 0.9 && reading.named[1].likelihood < 0.6, "{:?}", reading.named);
    let by: Vec<&str> = reading.joined.iter().map(|line| line.by).collect();
    assert_eq!(by, ["Ray ID", "the request of a line with the Ray ID"]);
}

#[test]
fn what_is_shown_holds_no_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("error.log");
    let line = "2026/11/21 10:00:00 [error] 1#1: *2 connect() failed (111: Connection refused) while connecting to \
                upstream, client: 192.0.2.1, server: s, request: \"GET /a?token=hunter2&q=hunter2 HTTP/1.1\", \
                upstream: \"http://u:hunter2@127.0.0.1:3000/a?token=hunter2\", host: \"y\"\n";
    write(&path, line);
    let reading = of(vec![path], vec![request(TEN, "/a", 502)]);
    assert_eq!((reading.named.len(), reading.joined.len()), (1, 1));
    let json = reading.to_json().to_string();
    assert!(!json.contains("hunter2"), "{json}");
    assert!(json.contains("server.upstream_refused"), "{json}");
}

#[test]
fn every_server_is_told_how_to_log_the_ray_id() {
    for (path, wanted) in [
        ("nginx/healthy.access.log", "$http_cf_ray"),
        ("apache/healthy.access.log", "%{CF-Ray}i"),
        ("haproxy/haproxy.log", "req.hdr(CF-Ray)"),
        ("gunicorn/exception.access.log", "%({cf-ray}i)s"),
        ("tomcat/access.log", "%{CF-Ray}i"),
    ] {
        let hint = of(vec![data(path)], Vec::new()).format_hint;
        assert!(hint.as_deref().is_some_and(|hint| hint.contains(wanted)), "{path}: {hint:?}");
    }
}

#[test]
fn what_befell_another_path_is_not_this_ones_cause() {
    let folder = tempfile::tempdir().unwrap();
    let (errors, php) = (folder.path().join("error.log"), folder.path().join("php.log"));
    let unknown = |path: &str| {
        format!(
            "2026/11/21 10:00:00 [error] 1#1: *1 FastCGI sent in stderr: \"Primary script unknown\" while reading response \
             header from upstream, client: 192.0.2.1, server: s, request: \"GET {path} HTTP/1.1\", upstream: \
             \"fastcgi://127.0.0.1:9000\", host: \"y\"\n"
        )
    };
    write(&php, "[21-Nov-2026 10:00:00 UTC] PHP Fatal error:  Uncaught Error: x in /srv/cart.php:3\n");
    for (path, first) in [("/other", Cause::AppPhpFatal), ("/cart", Cause::ServerFileMissing)] {
        write(&errors, unknown(path));
        let reading = of(vec![errors.clone(), php.clone()], vec![request(TEN, "/cart", 500)]);
        assert_eq!(reading.named[0].cause, first, "{:?}", reading.named);
        let missing = reading.named.iter().find(|named| named.cause == Cause::ServerFileMissing).unwrap();
        assert_eq!(missing.likelihood > 0.3, path == "/cart", "{missing:?}");
    }
}

#[test]
fn the_last_words_of_a_program_need_no_time() {
    // A project's folder may be called anything, after another program, too.
    let folder = tempfile::Builder::new().prefix("rayline-shop-").tempdir().unwrap();
    let path = folder.path().join("printed.log");
    let trace = "/srv/shop/server.js:3\n  throw new TypeError('no cart');\n  ^\n\nTypeError: no cart\n    \
                 at total (/srv/shop/server.js:3:9)\n\nNode.js v20.11.0\n";
    let likelihood = |text: &str, written: u64, status: u16| {
        write(&path, text);
        written_at(&path, written);
        let reading = of(vec![path.clone()], vec![request(TEN, "/cart", status)]);
        let named = reading.named.iter().find(|named| named.cause == Cause::AppException).unwrap();
        assert_eq!(named.source, "Node.js");
        named.likelihood
    };
    let of = |written, status| likelihood(trace, written, status);
    assert!(of(TEN - 300, 502) >= 0.6);
    assert!(of(TEN - 86_400, 502) < 0.1, "it may have been started again since");
    assert!(of(TEN - 86_400, 521) >= 0.4, "it does not run any more");
    let long_ago = format!("{trace}{}", "GET /cart took 3 ms\n".repeat(100));
    assert!(likelihood(&long_ago, TEN, 521) < 0.5, "it went on");
}
