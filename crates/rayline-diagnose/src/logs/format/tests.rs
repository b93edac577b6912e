use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::*;
use crate::logs::entry::{Facts, Level};
use crate::logs::stamp::Zone;

/// 2026-11-21 10:00:00 UTC.
const TEN: u64 = 1_795_255_200;

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn whole_second(entry: &Entry) -> Option<SystemTime> {
    let moment = entry.at?.resolve(&Zone::UTC, at(TEN));
    Some(at(moment.duration_since(UNIX_EPOCH).unwrap().as_secs()))
}

/// A line; its format; status, method and target, client, Ray ID.
type Row = (&'static str, Format, Option<u16>, Option<&'static str>, Option<&'static str>, Option<&'static str>);

#[test]
fn access_logs_of_every_layout_are_read() {
    let rows: &[Row] = &[
        (
            r#"192.0.2.1 - - [21/Nov/2026:10:00:00 +0000] "GET /cart?a=1 HTTP/1.1" 502 157 "-" "curl/8""#,
            Format::Access,
            Some(502),
            Some("GET /cart?a=1"),
            Some("192.0.2.1"),
            None,
        ),
        (
            r#"shop.example:443 2001:db8::1 - bob [21/Nov/2026:10:00:00 +0000] "POST /a HTTP/2.0" 500 0 "-" "x" 8f1d2c3b4a596877-FRA"#,
            Format::Access,
            Some(500),
            Some("POST /a"),
            Some("2001:db8::1"),
            Some("8f1d2c3b4a596877"),
        ),
        (
            r#"2026-11-21T10:00:00+00:00|8f1d2c3b4a596877|192.0.2.1|"GET / HTTP/1.1"|status=503|rt=0.001"#,
            Format::Access,
            Some(503),
            Some("GET /"),
            Some("192.0.2.1"),
            Some("8f1d2c3b4a596877"),
        ),
        (
            r#"1795255200.123 192.0.2.1 "GET /a HTTP/1.0" 200 12"#,
            Format::Access,
            Some(200),
            Some("GET /a"),
            Some("192.0.2.1"),
            None,
        ),
        (
            r#"[2026-11-21T10:00:00.000Z] "GET /e HTTP/1.1" 503 UF 0 91 12 - "-""#,
            Format::Access,
            Some(503),
            Some("GET /e"),
            None,
            None,
        ),
        (
            r#"192.0.2.1 - - [21/Nov/2026:10:00:00 +0000] "GET /a\"b HTTP/1.1" 404 1 "x" "GET /no HTTP/1.1""#,
            Format::Access,
            Some(404),
            Some(r#"GET /a\"b"#),
            Some("192.0.2.1"),
            None,
        ),
        (
            r#"192.0.2.1:5 [21/Nov/2026:10:00:00.916] www shop/app1 0/0/1/-1/3 502 217 - - SH-- 1/1/0/0/0 0/0 {8f1d2c3b4a596877-FRA} "GET /x HTTP/1.1""#,
            Format::HaProxy,
            Some(502),
            Some("GET /x"),
            Some("192.0.2.1"),
            Some("8f1d2c3b4a596877"),
        ),
        (
            "192.0.2.1:5 [21/Nov/2026:10:00:00.916] tcp db/pg1 1/-1/3002 0 SC 1/1/0/0/3 0/0",
            Format::HaProxy,
            None,
            None,
            Some("192.0.2.1"),
            None,
        ),
        (
            "[pid: 12|app: 0|req: 1/1] 192.0.2.1 () {30 vars in 400 bytes} [Sat Nov 21 10:00:00 2026] GET /x => generated 21 bytes in 3 msecs (HTTP/1.1 500) 2 headers in 80 bytes",
            Format::Uwsgi,
            Some(500),
            Some("GET /x"),
            Some("192.0.2.1"),
            None,
        ),
        (
            r#"{"level":"info","ts":1795255200.5,"logger":"http.log.access.log0","msg":"handled request","request":{"remote_ip":"192.0.2.1","method":"GET","host":"shop.example","uri":"/cart","headers":{"Cf-Ray":["8f1d2c3b4a596877-FRA"]}},"size":0,"status":502}"#,
            Format::Caddy,
            Some(502),
            Some("GET /cart"),
            Some("192.0.2.1"),
            Some("8f1d2c3b4a596877"),
        ),
        (
            r#"{"time_local":"21/Nov/2026:10:00:00 +0000","remote_addr":"192.0.2.1","request":"GET /j HTTP/1.1","status": "502","cf_ray":"8f1d2c3b4a596877-FRA"}"#,
            Format::JsonAccess,
            Some(502),
            Some("GET /j"),
            Some("192.0.2.1"),
            Some("8f1d2c3b4a596877"),
        ),
        (
            r#"{"level":30,"time":1795255200000,"pid":12,"hostname":"h","req":{"id":1,"method":"GET","url":"/p","remoteAddress":"::ffff:192.0.2.1"},"res":{"statusCode":500},"responseTime":3,"msg":"request completed"}"#,
            Format::NodeJson,
            Some(500),
            Some("GET /p"),
            Some("::ffff:192.0.2.1"),
            None,
        ),
        (
            r#"{"RayID":"8f1d2c3b4a596877","EdgeStartTimestamp":"2026-11-21T10:00:00.000000001Z","ClientIP":"192.0.2.1","ClientRequestMethod":"GET","ClientRequestHost":"shop.example","ClientRequestURI":"/cart","EdgeResponseStatus":521}"#,
            Format::Rayline,
            Some(521),
            Some("GET /cart"),
            Some("192.0.2.1"),
            Some("8f1d2c3b4a596877"),
        ),
        (
            r#"{"log":"192.0.2.1 - - [21/Nov/2026:10:00:00 +0000] \"GET /d HTTP/1.1\" 500 1\n","stream":"stdout","time":"2026-11-21T10:00:00.5Z"}"#,
            Format::Access,
            Some(500),
            Some("GET /d"),
            Some("192.0.2.1"),
            None,
        ),
        (
            r#"<190>Nov 21 10:00:00 web nginx: 192.0.2.1 - - [21/Nov/2026:10:00:00 +0000] "GET /s HTTP/1.1" 502 1"#,
            Format::Access,
            Some(502),
            Some("GET /s"),
            Some("192.0.2.1"),
            None,
        ),
    ];
    for (line, format, status, request, client, ray) in rows {
        let (found, entry) = read(line, Source::Unknown).unwrap_or_else(|| panic!("{line}"));
        assert_eq!((found, entry.kind), (*format, Kind::Access), "{line}");
        assert_eq!(whole_second(&entry), Some(at(TEN)), "{line}");
        let facts = entry.request;
        let asked = facts.method.zip(facts.target).map(|(method, target)| format!("{method} {target}"));
        assert_eq!((facts.status, asked.as_deref()), (*status, *request), "{line}");
        assert_eq!(facts.client, client.map(|client| client.parse().unwrap()), "{line}");
        assert_eq!(facts.ray.as_deref(), *ray, "{line}");
    }
}

#[test]
fn error_logs_of_every_server_are_read() {
    for (line, format, level, process, message) in [
        (
            r#"2026/11/21 10:00:00 [error] 12#12: *45 connect() failed (111: Connection refused)"#,
            Format::NginxError,
            Some(Level::Error),
            Some(12),
            "connect() failed (111: Connection refused)",
        ),
        (
            "[Sat Nov 21 10:00:00.5 2026] [proxy:error] [pid 12:tid 34] AH01114: x",
            Format::ApacheError,
            Some(Level::Error),
            Some(12),
            "AH01114: x",
        ),
        (
            "[Sat Nov 21 10:00:00 2026] [error] [client 192.0.2.1] x",
            Format::ApacheError,
            Some(Level::Error),
            None,
            "[client 192.0.2.1] x",
        ),
        (
            "[21-Nov-2026 10:00:00 UTC] PHP Fatal error:  x",
            Format::PhpError,
            Some(Level::Error),
            None,
            "PHP Fatal error:  x",
        ),
        (
            "[21-Nov-2026 10:00:00] WARNING: [pool www] child 12 exited",
            Format::PhpFpm,
            Some(Level::Warning),
            Some(12),
            "[pool www] child 12 exited",
        ),
        (
            "[21-Nov-2026 10:00:00]  [pool www] pid 12",
            Format::PhpSlow,
            Some(Level::Warning),
            Some(12),
            "[pool www] pid 12",
        ),
        (
            "[2026-11-21 10:00:00 +0000] [12] [CRITICAL] WORKER TIMEOUT (pid:13)",
            Format::Gunicorn,
            Some(Level::Critical),
            Some(12),
            "WORKER TIMEOUT (pid:13)",
        ),
        (
            "[2026-11-21T10:00:00.5+00:00] app.CRITICAL: Uncaught x",
            Format::Monolog,
            Some(Level::Critical),
            None,
            "Uncaught x",
        ),
        ("[2026-11-21 10:00:00] production.ERROR: x", Format::Monolog, Some(Level::Error), None, "x"),
        (
            "2026-11-21 10:00:00.5 ERROR 1 --- [main] c.x.Y : broken",
            Format::Java,
            Some(Level::Error),
            None,
            "1 --- [main] c.x.Y : broken",
        ),
        (
            "2026-11-21 10:00:00,500 [main] ERROR c.x.Y - broken",
            Format::Timed,
            Some(Level::Error),
            None,
            "c.x.Y - broken",
        ),
        (
            "21-Nov-2026 10:00:00.5 SEVERE [main] org.x.Y.z broken",
            Format::Tomcat,
            Some(Level::Error),
            None,
            "[main] org.x.Y.z broken",
        ),
        ("2026-11-21 10:00:00,500 - app - ERROR - broken", Format::Python, Some(Level::Error), None, "broken"),
        ("2026-11-21 10:00:00,500 django.request ERROR: broken", Format::Timed, Some(Level::Error), None, "broken"),
        ("E, [2026-11-21T10:00:00.5 #12] ERROR -- : broken", Format::Rails, Some(Level::Error), Some(12), "broken"),
        (
            "2026-11-21T10:00:00.5Z 8 [ERROR] [MY-010119] [Server] x",
            Format::MySql,
            Some(Level::Error),
            None,
            "[MY-010119] [Server] x",
        ),
        ("2026-11-21 10:00:00 0 [Note] x", Format::MySql, Some(Level::Info), None, "x"),
        (
            "2026-11-21 10:00:00.5 UTC [12] shop@shop FATAL:  too many",
            Format::PostgreSql,
            Some(Level::Critical),
            Some(12),
            "too many",
        ),
        ("12:M 21 Nov 2026 10:00:00.500 # x", Format::Redis, Some(Level::Warning), Some(12), "x"),
        ("Nov 21 10:00:00 web kernel: [12.345678] Out of memory", Format::Syslog, None, None, "Out of memory"),
        ("2026-11-21T10:00:00.5+00:00 web app[12]: x", Format::Syslog, None, Some(12), "x"),
        (
            r#"<11>1 2026-11-21T10:00:00.5Z web app 12 ID [a b="\]\""][c] x"#,
            Format::Syslog,
            Some(Level::Error),
            Some(12),
            "x",
        ),
        ("[Sat Nov 21 10:00:00 2026] Out of memory", Format::Kernel, None, None, "Out of memory"),
        (
            r#"{"__REALTIME_TIMESTAMP":"1795255200500000","MESSAGE":"2026/11/21 10:00:00 [error] 12#12: x","SYSLOG_IDENTIFIER":"nginx","_PID":"9","PRIORITY":"6"}"#,
            Format::Journal,
            Some(Level::Error),
            Some(12),
            "x",
        ),
        (
            r#"{"__REALTIME_TIMESTAMP":"1795255200500000","MESSAGE":[120,255],"PRIORITY":"3"}"#,
            Format::Journal,
            Some(Level::Error),
            None,
            "x\u{fffd}",
        ),
        (
            r#"{"log":"Error: x\n","stream":"stderr","time":"2026-11-21T10:00:00.5Z"}"#,
            Format::Docker,
            None,
            None,
            "Error: x",
        ),
        (
            r#"{"level":"error","ts":1795255200.5,"logger":"http.log.error","msg":"dial tcp 127.0.0.1:3000: connect: connection refused","request":{"method":"GET","uri":"/"},"status":502}"#,
            Format::Caddy,
            Some(Level::Error),
            None,
            "dial tcp 127.0.0.1:3000: connect: connection refused",
        ),
        (
            r#"{"level":50,"time":1795255200500,"pid":12,"err":{"type":"Error","message":"boom","stack":"Error: boom\n    at a"},"msg":"failed"}"#,
            Format::NodeJson,
            Some(Level::Error),
            Some(12),
            "failed: Error: boom\nError: boom\n    at a",
        ),
        (
            r#"{"level":"error","message":"boom","timestamp":"2026-11-21T10:00:00.5Z"}"#,
            Format::Json,
            Some(Level::Error),
            None,
            "boom",
        ),
        (
            r#"time="2026-11-21T10:00:00Z" level=error msg="it broke" error="boom""#,
            Format::Logfmt,
            Some(Level::Error),
            None,
            "it broke: boom",
        ),
        (
            "2026/11/21 10:00:00 http: panic serving 192.0.2.1:5: boom",
            Format::Go,
            Some(Level::Error),
            None,
            "http: panic serving 192.0.2.1:5: boom",
        ),
        ("Sat Nov 21 10:00:00 2026 - *** HARAKIRI ON WORKER 1", Format::Uwsgi, None, None, "*** HARAKIRI ON WORKER 1"),
        ("2026-11-21T10:00:00: Error: boom", Format::Timed, Some(Level::Error), None, "boom"),
        ("[ERROR] 2026-11-21 10:00:00,123 boom", Format::Timed, Some(Level::Error), None, "boom"),
    ] {
        let (found, entry) = read(line, Source::Unknown).unwrap_or_else(|| panic!("{line}"));
        assert_eq!((found, entry.kind, entry.level), (format, Kind::Event, level), "{line}");
        assert_eq!((entry.process, entry.message.as_str()), (process, message), "{line}");
        assert_eq!(whole_second(&entry), Some(at(TEN)), "{line}");
    }
}

#[test]
fn what_has_no_time_is_known_by_its_words() {
    for (line, format) in [
        ("ERROR:root:broken", Format::Python),
        ("[WARNING]  (4360) : Server a/b is DOWN", Format::HaProxy),
        ("[23272.135262] Out of memory", Format::Kernel),
        ("AH00526: Syntax error on line 31", Format::ApacheError),
        ("nginx: [emerg] bind() failed", Format::NginxError),
        ("Exception in thread \"main\" java.lang.Error", Format::Java),
    ] {
        assert_eq!(read(line, Source::Unknown).map(|(found, _)| found), Some(format), "{line}");
    }
    for line in [
        "",
        "hello",
        "[",
        "]",
        "{",
        "{}",
        "<",
        "\"GET ",
        "    at x (y.js:1:2)",
        "[1] 2",
        "12",
        "é[",
        "192.0.2.1 [",
        "E,",
    ] {
        assert!(read(line, Source::Unknown).is_none(), "{line}");
    }
}

#[test]
fn an_error_of_nginx_tells_its_request() {
    let line = r#"2026/11/21 10:00:00 [error] 1#1: *2 FastCGI sent in stderr: "PHP message: x, client: 9.9.9.9" while reading, client: 192.0.2.1, server: s, request: "GET /a?b=1 HTTP/1.1", upstream: "fastcgi://x", host: "Shop.example""#;
    let (_, mut entry) = read(line, Source::Unknown).unwrap();
    complete(&mut entry);
    let facts = Facts {
        method: Some("GET".to_owned()),
        target: Some("/a?b=1".to_owned()),
        host: Some("shop.example".to_owned()),
        client: Some("192.0.2.1".parse().unwrap()),
        ..Facts::default()
    };
    assert_eq!(entry.request, facts);
}

proptest::proptest! {
    #[test]
    fn no_line_panics(line in "[\\[\\]{}<>\"A-Za-z0-9/:., #*=é-]{0,80}") {
        if let Some((_, mut entry)) = read(&line, Source::MySql) {
            complete(&mut entry);
        }
    }

    #[test]
    fn no_cut_of_a_real_line_panics(row in 0..4_usize, from in 0..60_usize, to in 0..300_usize) {
        let line = [
            r#"192.0.2.1 - - [21/Nov/2026:10:00:00 +0000] "GET /cart?a=1 HTTP/1.1" 502 157 "-" "curl/8" 8f1d2c3b4a596877-FRA"#,
            r#"192.0.2.1:5 [21/Nov/2026:10:00:00.916] www shop/app1 0/0/1/-1/3 502 217 - - SH-- 1/1/0/0/0 0/0 "GET /x HTTP/1.1""#,
            r#"2026/11/21 10:00:00 [error] 1#1: *2 open() failed, client: 192.0.2.1, request: "GET /a HTTP/1.1", host: "x""#,
            "[pid: 12|app: 0|req: 1/1] 192.0.2.1 () {30 vars in 400 bytes} [Sat Nov 21 10:00:00 2026] GET /x => generated 21 bytes in 3 msecs (HTTP/1.1 500)",
        ][row];
        let to = to.min(line.len());
        if let Some((_, mut entry)) = read(&line[from.min(to)..to], Source::Unknown) {
            complete(&mut entry);
        }
    }
}
