//! What each path answers.

use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

use rayline_control::{Control, Seats};
use serde_json::json;

use crate::{Running, Small, wire};

#[test]
fn metrics_are_prometheus_text() {
    let running = Running::start();
    let answer = running.call("GET", "/metrics");
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    for line in [
        "# TYPE rayline_build_info gauge",
        "# TYPE rayline_sender_sent_total counter",
        r#"rayline_sender_sent_total{kind="clickhouse",name="to <clickhouse>"} 12345"#,
        r#"rayline_sender_failed_tries_total{kind="clickhouse",name="to <clickhouse>"} 3"#,
        r#"rayline_sender_lost_total{kind="clickhouse",name="to <clickhouse>"} 0"#,
        r#"rayline_sender_waiting{kind="clickhouse",name="to <clickhouse>"} 7"#,
        r#"rayline_sender_waiting_bytes{kind="clickhouse",name="to <clickhouse>"} 2048"#,
        r#"rayline_sender_failing{kind="clickhouse",name="to <clickhouse>"} 1"#,
        r#"rayline_sender_last_success_timestamp_seconds{kind="clickhouse",name="to <clickhouse>"} 1795262300"#,
        "rayline_alerts_firing 1",
    ] {
        assert!(answer.body.lines().any(|found| found == line), "no {line} in {}", answer.body);
    }
}

#[test]
fn what_the_shipped_files_ask_of_senders_is_there() {
    let contrib = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contrib");
    let shipped = ["prometheus/rayline.rules.yml", "grafana/rayline.json"];
    let shipped = shipped.map(|file| std::fs::read_to_string(contrib.join(file)).unwrap()).concat();
    let words = shipped.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let is_of_senders = |word: &&str| word.starts_with("rayline_sender_") || word.starts_with("rayline_alerts_");
    let asked: Vec<&str> = words.filter(is_of_senders).collect();
    assert!(asked.contains(&"rayline_sender_failing"), "{asked:?}");
    let answer = Running::start().call("GET", "/metrics");
    for name in asked {
        assert!(answer.body.contains(&format!("# TYPE {name} ")), "no {name} in {}", answer.body);
    }
}

#[test]
fn status_joins_what_both_know() {
    let running = Running::start();
    let body = running.call("GET", "/api/status").json();
    assert_eq!(body["success"], true);
    let result = &body["result"];
    assert_eq!(result["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(result["plan_version"], 1);
    assert_eq!(result["zones"], json!(["shop.example"]));
    assert_eq!(result["connections"]["visitors"], 3);
    assert_eq!(result["records_lost"], 0);
    assert_eq!(result["log_error"], json!(null));
    assert!(result["started_at"].as_str().is_some_and(|at| at.starts_with("20") && at.ends_with('Z')), "{result}");
}

#[test]
fn a_reload_answers_with_the_version_or_every_problem() {
    let running = Running::start();
    let first = running.call("POST", "/api/reload");
    assert_eq!((first.status, &first.json()["result"]), (200, &json!({ "plan_version": 2, "is_new": true })));
    let second = running.call("POST", "/api/reload");
    assert_eq!((second.status, &second.json()["result"]), (200, &json!({ "plan_version": 2, "is_new": false })));
    let third = running.call("POST", "/api/reload");
    assert_eq!(third.status, 400);
    assert_eq!(
        third.json()["errors"],
        json!([
            { "code": 10400, "message": "unknown key `zzl`" },
            { "code": 10400, "message": "there is no zone" },
        ])
    );
}

#[test]
fn paths_and_methods_that_are_not_there_say_so_in_the_envelope() {
    let running = Running::start();
    let missing = running.call("GET", "/api/nothing");
    assert_eq!((missing.status, missing.failure()), (404, 7000));
    for (method, path, allow) in
        [("GET", "/api/reload", "POST"), ("POST", "/metrics", "GET,HEAD"), ("DELETE", "/", "GET,HEAD")]
    {
        let answer = running.call(method, path);
        assert_eq!((answer.status, answer.failure()), (405, 10405), "{method} {path}");
        assert_eq!(answer.header("allow"), Some(allow), "{method} {path}");
    }
    let wrong = running.call("GET", "/api/tail?status=6xx&colour=red");
    assert_eq!(wrong.status, 400);
    assert_eq!(wrong.json()["errors"].as_array().map(Vec::len), Some(2));
}

#[test]
fn stopping_frees_the_address() {
    let running = Running::start();
    let addr = running.control.addr();
    let mut open = wire::connect(addr);
    running.control.stop();
    assert_eq!(std::io::Read::read(&mut open, &mut [0]).ok().unwrap_or(0), 0);
    TcpListener::bind(addr).unwrap();
}

#[test]
fn a_taken_address_and_a_lost_token_are_errors_that_name_the_place() {
    let running = Running::start();
    let addr = running.control.addr();
    let start = |addr, path: &Path| {
        let edge = Arc::new(Small { plan: 1.into(), same: false.into() });
        Control::start(addr, path, running.observer.clone(), edge, Seats::default()).unwrap_err().to_string()
    };
    let folder = tempfile::tempdir().unwrap();
    let taken = start(addr, &folder.path().join("admin.token"));
    assert!(taken.contains(&addr.to_string()), "{taken}");
    let lost = start("127.0.0.1:0".parse().unwrap(), Path::new("/dev/null/admin.token"));
    assert!(lost.contains("/dev/null/admin.token"), "{lost}");
}

#[test]
fn alerts_say_what_fires_and_who_was_told() {
    let running = Running::start();
    let result = running.call("GET", "/api/alerts").json()["result"].clone();
    let alert = &result["alerts"][0];
    assert_eq!((&alert["state"], &alert["until"]), (&json!("firing"), &json!(null)));
    assert_eq!(alert["link"], "/errors?code=origin.connect.refused");
    assert!(alert["since"].as_str().is_some_and(|since| since.ends_with('Z')), "{alert}");
    let receiver = &result["receivers"][0];
    assert_eq!((&receiver["waiting"], &receiver["error"]), (&json!(7), &json!("connection refused")));
}

/// A body in chunks (RFC 9112, section 7.1), put together; `None` if it breaks off.
fn joined(mut body: &str) -> Option<String> {
    let mut joined = String::new();
    loop {
        let (length, rest) = body.split_once("\r\n")?;
        let length = usize::from_str_radix(length, 16).ok()?;
        if length == 0 {
            return Some(joined);
        }
        joined.push_str(rest.get(..length)?);
        body = rest.get(length..)?.strip_prefix("\r\n")?;
    }
}

#[test]
fn requests_are_exported_piece_by_piece() {
    const LINES: u64 = 3_000;
    let running = Running::start();
    for nth in 0..LINES {
        let at = format!("2026-11-21T12:{:02}:{:02}Z", nth / 60, nth % 60);
        let line =
            json!({ "RayID": format!("{nth:016x}"), "EdgeStartTimestamp": at, "ClientRequestURI": "x".repeat(100) });
        running.shelf.add_line(line.to_string().as_bytes());
    }
    let answer = running.call("GET", "/api/export?from=2026-11-21T12:00:00Z&to=2026-11-21T13:00:00Z");
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/x-ndjson")));
    assert_eq!(answer.header("content-disposition"), Some("attachment; filename=\"requests.ndjson\""));
    assert_eq!((answer.header("transfer-encoding"), answer.header("content-length")), (Some("chunked"), None));
    let lines = joined(&answer.body).unwrap();
    assert!(lines.len() > 400_000 && lines.lines().count() as u64 == LINES, "{}", lines.len());
    // nothing found is a file too
    let empty = running.call("GET", "/api/export?from=2020-11-21T12:00:00Z&to=2020-11-21T13:00:00Z");
    assert_eq!((empty.status, joined(&empty.body).as_deref()), (200, Some("")));
    // who goes away in the middle holds nothing up
    for _ in 0..6 {
        let mut gone = wire::connect(running.control.addr());
        let request = format!(
            "GET /api/export?from=2026-11-21T12:00:00Z&to=2026-11-21T13:00:00Z HTTP/1.1\r\nHost: localhost\r\nAuthorization: {}\r\n\r\n",
            running.bearer()
        );
        std::io::Write::write_all(&mut gone, request.as_bytes()).unwrap();
        std::io::Read::read_exact(&mut gone, &mut [0; 15]).unwrap();
    }
    assert_eq!(running.call("GET", "/api/export?format=csv").status, 200);
    let wrong = running.call("GET", "/api/export?format=xlsx");
    assert_eq!((wrong.status, wrong.failure()), (400, 10400));
}
