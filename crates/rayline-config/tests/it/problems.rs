//! One row per problem: a text, and in `problems/*.txt` how its problems are shown.
//!
//! The files are written by `UPDATE_EXPECT=1 cargo test -p rayline-config`.

use expect_test::{ExpectFile, expect_file};

use crate::support::{compile_text, has_error, render};

/// Compiles each row and holds all that is shown against the file.
fn check(rows: &[(&str, String)], expected: ExpectFile) {
    let mut shown = String::new();
    for (name, text) in rows {
        let (plan, problems) = compile_text(text);
        assert!(!problems.is_empty(), "{name}: there should be a problem");
        assert_eq!(plan.is_none(), has_error(&problems), "{name}: a plan exactly where nothing is an error");
        shown += &format!("=== {name} ===\n{}\n", render(text, &problems));
    }
    expected.assert_eq(&shown);
}

/// A text with these lines at the end of `[server]`.
fn server(lines: &str) -> String {
    format!("{ZONE}\n[server]\n{lines}\n")
}

/// A text with these lines at the end of a `[server]` that has a listener.
fn listening(lines: &str) -> String {
    server(&format!("http = [\"127.0.0.1:8080\"]\n{lines}"))
}

/// A text with these lines at the end of `[[zone]]`, which has a record.
fn zone(lines: &str) -> String {
    format!("{LISTENER}{ZONE}{lines}\n")
}

/// A text with these lines at the end of `[zone.settings]`.
fn settings(lines: &str) -> String {
    zone(&format!("[zone.settings]\n{lines}"))
}

/// A text with these lines at the end of a `[[zone]]` without records.
fn records(lines: &str) -> String {
    format!("{LISTENER}[[zone]]\nname = \"shop.example\"\n{lines}\n")
}

/// A text with one record of these keys.
fn record(keys: &str) -> String {
    records(&format!("dns_records = [{{ {keys} }}]"))
}

const LISTENER: &str = "server.http = [\"127.0.0.1:8080\"]\n";
const ZONE: &str = r#"[[zone]]
name = "shop.example"
dns_records = [{ type = "A", name = "@", content = "192.0.2.10" }]
"#;

fn rows<const N: usize>(rows: [(&'static str, String); N]) -> Vec<(&'static str, String)> {
    rows.into()
}

#[test]
fn of_the_text() {
    let rows = rows([
        ("empty", String::new()),
        ("nothing but a comment", "# to be written\n".to_owned()),
        ("a value without quotes", settings("ssl = strict\nproxy_read_timeout = 0")),
        ("a key without a value, and another problem", settings("ssl =\nalways_use_https = 1")),
        ("a key written twice", listening("threads = 1\nthreads = 2")),
        ("a string that does not end", listening("colo = \"LHR\nthreads = \"many\"")),
        ("a header that does not end", "[server\nhttp = []\n[[zone]\nname = 1\n".to_owned()),
        ("no TOML at all", "server {\n  listen 80;\n}\n".to_owned()),
        ("deep nesting", format!("x = {}{}", "[".repeat(100), "]".repeat(100))),
        ("the last byte", "[server]\nhttp = [".to_owned()),
    ]);
    check(&rows, expect_file!["problems/text.txt"]);
}

#[test]
fn of_keys_and_types() {
    let rows = rows([
        ("an unknown table", format!("{}[cache]\nsize = 1\n", zone(""))),
        ("a table misspelt", format!("{}[[zones]]\nname = \"a.example\"\n", zone(""))),
        ("an unknown key, nearly right", listening("data-dir = \"/tmp\"\nAdmin = \"127.0.0.1:8787\"")),
        ("a key of another table", listening("ssl = \"full\"")),
        ("a table of another table", zone("[zone.limits]")),
        ("a key like no other", zone("[zone.error_pages]\nsomething = 1")),
        ("an odd key", listening("\"\\u001b[31m\" = 1")),
        ("a table that is none", "server = 80\nzone = \"shop.example\"".to_owned()),
        ("one bracket too few", format!("{LISTENER}[zone]\nname = \"shop.example\"\n")),
        ("an array that holds other things", format!("{LISTENER}zone = [1, {{ name = \"shop.example\" }}]\n")),
        ("an array was expected", server("http = \"127.0.0.1:8080\"")),
        ("one was expected", listening("admin = [\"127.0.0.1:8787\"]")),
        ("a flag in quotes", listening("allow_private_origins = \"true\"")),
        ("a flag as a switch", listening("development_ca = \"on\"")),
        ("a switch that is neither", settings("always_use_https = \"yes\"\nserver_timing = 1")),
        ("a version without quotes", settings("min_tls_version = 1.2\norigin_max_http_version = 1")),
        ("numbers out of bounds", listening("threads = -1\nmax_connections = 99999999999999999999")),
        ("a number that is none", listening("threads = 1.5")),
        ("a port out of bounds", settings("origin_http_port = 0\norigin_https_port = 65536")),
        ("an empty string", listening("data_dir = \"\"")),
    ]);
    check(&rows, expect_file!["problems/keys.txt"]);
}

/// A text with these lines behind a zone.
fn behind(lines: &str) -> String {
    format!("{}{lines}\n", zone(""))
}

#[test]
fn of_what_is_kept_and_sent() {
    let alert = "[[alert]]\nname = \"a\"\nreceivers = [\"ops\"]\nalert_type = \"new_code\"\n";
    let rows = rows([
        ("bounds of the store", behind("[store]\nmax_bytes = 1\nrequests_age = \"1m\"\nmask_queries = 2")),
        ("a job without anything", behind("[[logpush]]\nsample_rate = 1.5\nfield_names = [\"RayId\", \"Colour\"]")),
        ("a destination that is none", behind("[[logpush]]\nname = \"../x\"\ndestination_conf = \"r2://bucket\"")),
        (
            "a name twice",
            behind("logpush = [{ name = \"a\", destination_conf = \"file:///x\" }, { name = \"a\", destination_conf = \"file:///y\" }]")
                .replace(ZONE, ""),
        ),
        ("a collector that is none", behind("[trace]\nendpoint = \"127.0.0.1:4318\"\nheaders = [\"token\"]")),
        ("an alert that nobody hears", behind(alert)),
        (
            "an alert of nothing known",
            behind(&format!(
                "{alert}zones = [\"shop.exmaple\"]\nparties = [\"host\"]\ncodes = [\"origin.connect.refuse\", \"orign.connect.refused\"]\n\
                 quiet_hours = \"22-6\"\nthreshold = 2000\n[[alert_receiver]]\nname = \"ops\"\ntype = \"command\"\ncommand = [\"true\"]"
            )),
        ),
        (
            "receivers that lack something",
            behind(
                "alert_receiver = [{ name = \"a\", type = \"slack\" }, { name = \"b\", type = \"email\", url = \"mail.example\" }, \
                 { name = \"c\", type = \"pagerduty\" }, { name = \"d\", type = \"pager\" }, { name = \"e\", type = \"command\" }]",
            )
            .replace(ZONE, ""),
        ),
    ]);
    check(&rows, expect_file!["problems/sight.txt"]);
}

#[test]
fn of_features_to_come() {
    let rows = rows([
        ("pools", format!("{}[[monitor]]\nname = \"a\"\n[[pool]]\nname = \"a\"\n[[worker]]\nname = \"a\"\n", zone(""))),
        ("routes", zone("[[zone.load_balancers]]\n[[zone.workers_routes]]")),
        ("HTTP/3", listening("http3 = [\"0.0.0.0:443\"]")),
        ("settings", settings("http3 = \"on\"\nearly_hints = \"on\"\nbrotli = \"on\"\nsecurity_level = \"high\"")),
        ("error pages", zone("[zone.error_pages]\nwaf_block = \"waf.html\"")),
        ("other records", record("type = \"MX\", name = \"@\", content = \"mail.example\", ttl = 300")),
        ("what has no effect yet", settings("development_mode = \"on\"")),
    ]);
    check(&rows, expect_file!["problems/later.txt"]);
}

#[test]
fn of_the_server() {
    let rows = rows([
        ("no listener", server("admin = \"127.0.0.1:8787\"")),
        ("no server", ZONE.to_owned()),
        (
            "addresses that are none",
            server("http = [\"80\", \":80\", \"localhost:80\", \"127.0.0.1\", \"::1\", \"edge.example:80\", \"\"]"),
        ),
        (
            "listeners in each other's way",
            server(
                "http = [\"127.0.0.1:80\", \"127.0.0.1:80\", \"0.0.0.0:80\", \"[::]:80\"]\nadmin = \"127.0.0.1:80\"",
            ),
        ),
        ("no certificate", server("https = [\"0.0.0.0:443\"]")),
        ("a colo that is none", listening("colo = \"lhr\"")),
        ("another", listening("colo = \"London\"")),
        ("name servers that are none", listening("resolvers = [\"9.9.9.9\", \"dns.example\", \"9.9.9.9:0x35\"]")),
        ("networks that are none", listening("trusted_proxies = [\"10.0.0.0/8\", \"10.0.0.0/33\", \"proxy\"]")),
        ("a brand that is none", listening("brand = \"A\\nB\"")),
        ("a PROXY protocol in capitals", listening("proxy_protocol = \"V2\"")),
        ("a PROXY protocol as a flag", listening("proxy_protocol = true")),
        ("streams out of bounds", listening("http2_max_streams = 0")),
        (
            "a log level",
            zone(
                "[log]
level = \"warning\"",
            ),
        ),
    ]);
    check(&rows, expect_file!["problems/server.txt"]);
}

#[test]
fn of_durations() {
    let limits = |lines: &str| format!("{}[limits]\n{lines}\n", zone(""));
    let rows = rows([
        ("no unit that is one", limits("connect_timeout = \"19 sec\"")),
        ("a fraction", limits("connect_timeout = 1.5")),
        ("a fraction in quotes", limits("connect_timeout = \"1.5s\"")),
        ("two parts", limits("connect_timeout = \"1m30s\"")),
        ("below zero", limits("connect_timeout = -1")),
        ("zero", limits("connect_timeout = 0")),
        ("too long", limits("connect_timeout = \"2h\"")),
        ("longer than can be counted", limits("connect_timeout = \"99999999999999999999h\"")),
        ("for ever", limits("websocket_idle_timeout = 0")),
        ("the setting", settings("proxy_read_timeout = 6001")),
    ]);
    check(&rows, expect_file!["problems/durations.txt"]);
}

#[test]
fn of_zones() {
    let rows = rows([
        ("no zone", LISTENER.to_owned()),
        ("no name", format!("{LISTENER}[[zone]]\npaused = true\n")),
        ("no record", format!("{LISTENER}[[zone]]\nname = \"shop.example\"\n")),
        ("a name that is a URL", format!("{LISTENER}[[zone]]\nname = \"https://shop.example/\"\n")),
        ("a name with a control character", format!("{LISTENER}[[zone]]\nname = \"\\u001b://shop.example\"\n")),
        ("a name that is an address", format!("{LISTENER}[[zone]]\nname = \"192.0.2.1\"\n")),
        ("a name with a port", format!("{LISTENER}[[zone]]\nname = \"shop.example:80\"\n")),
        ("a name beyond ASCII", format!("{LISTENER}[[zone]]\nname = \"münchen.example\"\n")),
        ("a name with a gap", format!("{LISTENER}[[zone]]\nname = \"shop..example\"\n")),
        ("a name with a space", format!("{LISTENER}[[zone]]\nname = \"my shop.example\"\n")),
        ("a name with a hyphen at its end", format!("{LISTENER}[[zone]]\nname = \"shop-.example\"\n")),
        ("a label too long", format!("{LISTENER}[[zone]]\nname = \"{}.example\"\n", "a".repeat(64))),
        ("a name too long", format!("{LISTENER}[[zone]]\nname = \"{}example\"\n", "abc.".repeat(70))),
        ("the same zone twice", format!("{LISTENER}{ZONE}{}", ZONE.replace("shop", "SHOP"))),
        ("redirects in a circle", settings("ssl = \"off\"\nalways_use_https = \"on\"")),
        ("redirects to nowhere", settings("always_use_https = \"on\"")),
        ("streams out of bounds", settings("origin_h2_max_streams = 1001")),
        ("a version to come", settings("origin_max_http_version = \"3\"")),
        ("switches that are neither", settings("http2 = \"2\"\nwebsockets = \"enabled\"\nip_geolocation = 1")),
        ("a mode misspelt", settings("ssl = \"full_strict\"")),
        ("a mode near another", settings("ssl = \"Strict\"")),
        ("old TLS", settings("min_tls_version = \"1.1\"")),
    ]);
    check(&rows, expect_file!["problems/zones.txt"]);
}

#[test]
fn of_records() {
    let rows = rows([
        ("nothing in it", record("")),
        ("a type that is none", record("type = \"ANAME\", name = \"@\", content = \"a.example\"")),
        ("a type in small letters", record("type = \"cname\", name = \"@\", content = \"a.example\"")),
        ("an A with a name", record("type = \"A\", name = \"@\", content = \"origin.example\"")),
        ("an A with an IPv6 address", record("type = \"A\", name = \"@\", content = \"2001:db8::1\"")),
        ("an AAAA with an IPv4 address", record("type = \"AAAA\", name = \"@\", content = \"192.0.2.1\"")),
        ("an address with a port", record("type = \"A\", name = \"@\", content = \"192.0.2.1:8080\"")),
        ("an address that is none", record("type = \"A\", name = \"@\", content = \"192.0.2.256\"")),
        ("a CNAME with an address", record("type = \"CNAME\", name = \"@\", content = \"192.0.2.1\"")),
        ("a CNAME with a URL", record("type = \"CNAME\", name = \"@\", content = \"http://origin.example/\"")),
        ("a CNAME with a port", record("type = \"CNAME\", name = \"@\", content = \"origin.example:8080\"")),
        ("outside the zone", record("type = \"A\", name = \"www.other.example\", content = \"192.0.2.1\"")),
        ("outside by its dot", record("type = \"A\", name = \"www.\", content = \"192.0.2.1\"")),
        ("a star in the middle", record("type = \"A\", name = \"www.*.shop\", content = \"192.0.2.1\"")),
        ("a star with letters", record("type = \"A\", name = \"*-shop\", content = \"192.0.2.1\"")),
        (
            "in full too long",
            record(&format!("type = \"A\", name = \"{}a\", content = \"192.0.2.1\"", "abc.".repeat(62))),
        ),
        (
            "one twice",
            records(
                "[[zone.dns_records]]\ntype = \"A\"\nname = \"www\"\ncontent = \"192.0.2.1\"\n\n\
                 [[zone.dns_records]]\ntype = \"A\"\nname = \"WWW.shop.example.\"\ncontent = \"192.0.2.1\"",
            ),
        ),
        (
            "a CNAME beside an A",
            records(
                "[[zone.dns_records]]\ntype = \"A\"\nname = \"www\"\ncontent = \"192.0.2.1\"\n\n\
                 [[zone.dns_records]]\ntype = \"CNAME\"\nname = \"www\"\ncontent = \"origin.example\"",
            ),
        ),
        (
            "two CNAMEs",
            records(
                "[[zone.dns_records]]\ntype = \"CNAME\"\nname = \"*\"\ncontent = \"a.example.net\"\n\n\
                 [[zone.dns_records]]\ntype = \"CNAME\"\nname = \"*\"\ncontent = \"b.example.net\"",
            ),
        ),
        (
            "half proxied",
            records(
                "[[zone.dns_records]]\ntype = \"A\"\nname = \"www\"\ncontent = \"192.0.2.1\"\n\n\
                 [[zone.dns_records]]\ntype = \"A\"\nname = \"www\"\ncontent = \"192.0.2.2\"\nproxied = false",
            ),
        ),
        (
            "of a zone within the zone",
            format!(
                "{}{}",
                record("type = \"A\", name = \"a.api\", content = \"192.0.2.1\""),
                ZONE.replace("shop.example", "api.shop.example")
            ),
        ),
        (
            "of another zone",
            format!(
                "{}{}",
                record("type = \"A\", name = \"www.bakery.test\", content = \"192.0.2.1\""),
                ZONE.replace("shop.example", "bakery.test")
            ),
        ),
        (
            "CNAMEs in a circle",
            records(
                "dns_records = [\n  { type = \"CNAME\", name = \"a\", content = \"b.shop.example\" },\n  \
                 { type = \"CNAME\", name = \"b\", content = \"a.shop.example\" },\n  \
                 { type = \"CNAME\", name = \"*.c\", content = \"d.c.shop.example\" },\n]",
            ),
        ),
        (
            "a CNAME to a name that is not there",
            record("type = \"CNAME\", name = \"@\", content = \"www.shop.example\""),
        ),
        (
            "the edge itself",
            r#"server.http = ["0.0.0.0:80", "192.0.2.7:8080"]

[[zone]]
name = "shop.example"
settings.ssl = "flexible"
dns_records = [
  { type = "A", name = "a", content = "127.0.0.1" },
  { type = "A", name = "b", content = "0.0.0.0" },
  { type = "A", name = "fine", content = "192.0.2.7" },
]

[[zone]]
name = "other.test"
settings = { ssl = "flexible", origin_http_port = 8080 }
dns_records = [
  { type = "A", name = "c", content = "192.0.2.7" },
  { type = "A", name = "fine", content = "127.0.0.1" },
  { type = "A", name = "grey", content = "192.0.2.7", proxied = false },
]
"#
            .to_owned(),
        ),
    ]);
    check(&rows, expect_file!["problems/records.txt"]);
}

#[test]
fn many_at_once_in_the_order_of_the_text() {
    let text = r#"[server]
http = ["80"]
colo = "london"
thread = 4

[limits]
connect_timeout = "soon"

[[zone]]
name = "shop.example"

[zone.settings]
ssl = "ful"
always_use_https = "maybe"

[[zone.dns_records]]
type = "A"
name = "www"
content = "origin.example"

[[zone.dns_records]]
type = "CNAME"
content = "192.0.2.1"
"#;
    check(&[("many", text.to_owned())], expect_file!["problems/many.txt"]);
}

#[test]
fn json_has_lines_and_columns() {
    let text = settings("ssl = \"ful\"");
    let (_, problems) = compile_text(&text);
    let source = crate::support::source(&text, std::path::Path::new("/nowhere"));
    let json: Vec<_> = problems.iter().map(|problem| problem.to_json(&source)).collect();
    expect_test::expect![[r#"
        [
          {
            "severity": "error",
            "message": "expected `\"off\"`, `\"flexible\"`, `\"full\"`, `\"strict\"` or `\"origin_pull\"`, found `ful`",
            "path": "zone[0].settings.ssl",
            "file": "rayline.toml",
            "start": {
              "line": 6,
              "column": 7
            },
            "end": {
              "line": 6,
              "column": 12
            },
            "hint": "did you mean `full`?"
          }
        ]"#]]
    .assert_eq(&serde_json::to_string_pretty(&json).unwrap());
}

#[test]
fn colour_is_there_when_asked_for() {
    let text = settings("ssl = \"ful\"");
    let (_, problems) = compile_text(&text);
    let source = crate::support::source(&text, std::path::Path::new("/nowhere"));
    let [problem] = problems.as_slice() else { panic!("one problem, not {problems:?}") };
    assert!(problem.render(&source, true).contains("\u{1b}["));
    assert!(!problem.render(&source, false).contains('\u{1b}'));
}
