//! What a configuration becomes: defaults, and values as they were written.

use std::path::Path;
use std::time::Duration;

use expect_test::expect;
use rayline_config::{
    AlertKind, HostMatch, HttpVersion, LogLevel, LogTarget, ProxyProtocol, SslMode, Target, TlsVersion,
};

use rayline_verdict::Party;

use crate::support::{compile_text, plan};

const LEAST: &str = r#"
[server]
http = ["127.0.0.1:8080"]

[[zone]]
name = "shop.example"
dns_records = [{ type = "A", name = "www", content = "192.0.2.10" }]
"#;

#[test]
fn defaults() {
    let plan = plan(LEAST);
    let shown = format!("{:#?}\n{:#?}\n{:#?}\n{:#?}", plan.server, plan.log, plan.limits, plan.zones[0].settings);
    expect![[r#"
        Server {
            http: [
                127.0.0.1:8080,
            ],
            https: [],
            admin: None,
            data_dir: "/nowhere/rayline-data",
            colo: Colo(RAY),
            brand: "Rayline",
            threads: 0,
            allow_private_origins: false,
            development_ca: false,
            origin_ca: [],
            origin_crl: [],
            resolvers: [],
            trusted_proxies: [],
            proxy_protocol: Off,
            drain_timeout: 30s,
            client_head_timeout: 30s,
            client_body_timeout: 30s,
            client_write_timeout: 60s,
            keepalive_timeout: 400s,
            max_connections: 65536,
            http2_max_streams: 100,
        }
        Log {
            requests: File(
                "/nowhere/rayline-data/requests.ndjson",
            ),
            level: Info,
        }
        Limits {
            connect_timeout: 19s,
            ack_timeout: 90s,
            tls_timeout: 19s,
            write_timeout: 30s,
            resolve_timeout: 5s,
            idle_timeout: 900s,
            websocket_idle_timeout: 900s,
            tcp_keepalive: 30s,
            response_header_bytes: 131072,
            request_header_bytes: 131072,
            request_uri_bytes: 32768,
            request_body_bytes: 104857600,
        }
        Settings {
            ssl: Strict,
            proxy_read_timeout: 125s,
            always_use_https: false,
            min_tls_version: V12,
            origin_max_http_version: V2,
            origin_h2_max_streams: 100,
            http2: true,
            websockets: true,
            ip_geolocation: true,
            tls_client_auth: false,
            development_mode: false,
            origin_http_port: 80,
            origin_https_port: 443,
            origin_error_page_pass_thru: false,
            max_upload_bytes: 104857600,
            server_timing: false,
            browser_check: false,
            hotlink_protection: false,
            challenge_ttl: 1800s,
        }"#]]
    .assert_eq(&shown);
}

#[test]
fn the_least_in_the_hint_for_an_empty_text_compiles() {
    let (_, problems) = compile_text("");
    let hint = problems[0].hint.as_deref().unwrap();
    let (_, text) = hint.split_once("is\n").unwrap();
    plan(text);
}

#[test]
fn everything_written() {
    let text = r#"
        [server]
        http = ["127.0.0.1:0", "127.0.0.1:0", "[::1]:8080"]
        https = []
        admin = "127.0.0.1:8787"
        data_dir = "state"
        colo = "LHR"
        brand = "Edge & Söhne"
        threads = 2
        allow_private_origins = true
        resolvers = ["9.9.9.9", "2620:fe::fe", "127.0.0.1:5353"]
        trusted_proxies = ["10.1.2.3/8", "192.0.2.1", "fd00::/8"]
        proxy_protocol = "any"
        drain_timeout = 0
        client_head_timeout = "250ms"
        client_body_timeout = "2m"
        keepalive_timeout = "1h"
        max_connections = 1_000
        http2_max_streams = 1000

        [log]
        requests = "log/requests.ndjson"
        level = "debug"

        [limits]
        connect_timeout = "1500 ms"
        websocket_idle_timeout = "24h"
        request_header_bytes = 0x1_0000
        request_body_bytes = 0

        [[zone]]
        name = "Shop.Example."
        paused = true

        [zone.settings]
        ssl = "origin_pull"
        proxy_read_timeout = 6000
        always_use_https = false
        min_tls_version = "1.3"
        origin_max_http_version = "1"
        origin_h2_max_streams = 1
        http2 = "off"
        websockets = "off"
        ip_geolocation = false
        tls_client_auth = "off"
        development_mode = "off"
        origin_http_port = 8080
        origin_https_port = 8443
        origin_error_page_pass_thru = "on"
        max_upload = 200
        server_timing = true

        [[zone.dns_records]]
        type = "CNAME"
        name = "WWW"
        content = "Origin.Hosting.test."
        proxied = true
        comment = "moved in May"
    "#;
    let plan = plan(text);
    let server = &plan.server;
    assert_eq!(server.http.len(), 3);
    assert_eq!(server.admin, Some("127.0.0.1:8787".parse().unwrap()));
    assert_eq!(server.data_dir, Path::new("/nowhere/state"));
    assert_eq!(server.colo.as_str(), "LHR");
    assert_eq!(server.brand, "Edge & Söhne");
    assert_eq!(server.threads, 2);
    assert!(server.allow_private_origins);
    let resolvers: Vec<String> = server.resolvers.iter().map(ToString::to_string).collect();
    assert_eq!(resolvers, ["9.9.9.9:53", "[2620:fe::fe]:53", "127.0.0.1:5353"]);
    let proxies: Vec<String> = server.trusted_proxies.iter().map(ToString::to_string).collect();
    assert_eq!(proxies, ["10.0.0.0/8", "192.0.2.1/32", "fd00::/8"]);
    assert_eq!(server.proxy_protocol, ProxyProtocol::Any);
    assert_eq!(server.drain_timeout, Duration::ZERO);
    assert_eq!(server.client_head_timeout, Duration::from_millis(250));
    assert_eq!(server.client_body_timeout, Duration::from_secs(120));
    assert_eq!(server.keepalive_timeout, Duration::from_secs(3600));
    assert_eq!(server.max_connections, 1000);
    assert_eq!(server.http2_max_streams, 1000);
    assert_eq!(plan.log.requests, LogTarget::File("/nowhere/state/log/requests.ndjson".into()));
    assert_eq!(plan.log.level, LogLevel::Debug);
    assert_eq!(plan.limits.connect_timeout, Duration::from_millis(1500));
    assert_eq!(plan.limits.websocket_idle_timeout, Duration::from_secs(86_400));
    assert_eq!(plan.limits.request_header_bytes, 65_536);
    assert_eq!(plan.limits.request_body_bytes, 0);

    let zone = &plan.zones[0];
    assert_eq!((zone.name.as_str(), zone.paused), ("shop.example", true));
    let settings = &zone.settings;
    assert_eq!(settings.ssl, SslMode::OriginPull);
    assert_eq!(settings.proxy_read_timeout, Duration::from_secs(6000));
    assert_eq!(settings.min_tls_version, TlsVersion::V13);
    assert_eq!(settings.origin_max_http_version, HttpVersion::V1);
    assert_eq!(settings.origin_h2_max_streams, 1);
    assert!(!settings.http2 && !settings.websockets && !settings.ip_geolocation && !settings.tls_client_auth);
    assert_eq!((settings.origin_http_port, settings.origin_https_port), (8080, 8443));
    assert!(settings.origin_error_page_pass_thru && settings.server_timing);
    assert!(!settings.always_use_https && !settings.development_mode);
    assert_eq!(settings.max_upload_bytes, 209_715_200);
    assert_eq!(zone.records[0].comment, "moved in May");
    match plan.hosts.find("www.shop.example") {
        HostMatch::Found { origin, .. } => assert_eq!(origin.target, Target::Name("origin.hosting.test".to_owned())),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_absolute_path_stays() {
    let text = LEAST.replace("[[zone]]", "data_dir = \"/srv/edge\"\n[[zone]]");
    let plan = plan(&format!("{text}\n[log]\nrequests = \"/var/log/requests.ndjson\"\n"));
    assert_eq!(plan.server.data_dir, Path::new("/srv/edge"));
    assert_eq!(plan.log.requests, LogTarget::File("/var/log/requests.ndjson".into()));
}

#[test]
fn proxy_protocols() {
    let rows = [
        ("off", ProxyProtocol::Off),
        ("v1", ProxyProtocol::V1),
        ("v2", ProxyProtocol::V2),
        ("any", ProxyProtocol::Any),
    ];
    for (written, expected) in rows {
        let text = LEAST.replace("[[zone]]", &format!("proxy_protocol = \"{written}\"\n[[zone]]"));
        assert_eq!(plan(&text).server.proxy_protocol, expected);
    }
}

#[test]
fn log_targets() {
    for (written, expected) in [("stdout", LogTarget::Stdout), ("off", LogTarget::Off)] {
        assert_eq!(plan(&format!("{LEAST}\n[log]\nrequests = \"{written}\"\n")).log.requests, expected);
    }
}

#[test]
fn what_is_kept_and_sent() {
    let sight = plan(LEAST).sight;
    let store = sight.store.expect("on unless told otherwise");
    assert_eq!((store.requests_age, store.mask_addresses, store.mask_queries), (days(30), false, true));
    assert_eq!((sight.logpush.len(), sight.alerts.len(), sight.trace.endpoint), (0, 0, None));
    assert_eq!(plan(&format!("{LEAST}\n[store]\nenabled = \"off\"\n")).sight.store, None);

    let written = r#"
[[logpush]]
name = "archive"
destination_conf = "s3://bucket/edge?access-key-id=key&secret-access-key=hunter2"
filter = "failures&party=origin"
sample_rate = 0.5
[[logpush]]
name = "later"
destination_conf = "file:///var/log/edge"
enabled = false
[trace]
endpoint = "http://127.0.0.1:4318/v1/traces"
headers = ["authorization: Bearer hunter2"]
[[alert]]
name = "origin"
alert_type = "burn_rate"
threshold = 14.4
quiet_hours = "22:00-06:30"
receivers = ["ops"]
[[alert_receiver]]
name = "ops"
type = "pagerduty"
secret = "hunter2"
"#;
    let sight = plan(&format!("{LEAST}{written}")).sight;
    assert_eq!(sight.logpush.iter().map(|job| job.name.as_str()).collect::<Vec<_>>(), ["archive"]);
    assert_eq!(sight.trace.headers[0].1.0, "Bearer hunter2");
    let alert = &sight.alerts[0];
    assert_eq!((alert.kind, alert.threshold, alert.quiet_minutes), (AlertKind::BurnRate, 14.4, Some((1320, 390))));
    assert_eq!(alert.parties, [Party::Owner, Party::Edge, Party::Network, Party::Origin]);
    assert_eq!(sight.receivers[0].url.0, "https://events.pagerduty.com/v2/enqueue");
    assert!(!format!("{sight:?}").contains("hunter2"), "secrets are not in the debug output");
}

fn days(count: u64) -> Duration {
    Duration::from_secs(count * 86_400)
}
