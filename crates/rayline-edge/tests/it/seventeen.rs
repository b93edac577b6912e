//! The seventeen faults of an origin that proxies are measured by: all of them told apart, and from an origin's own 502.

use std::collections::BTreeSet;
use std::io::Write;

use rayline_testkit::{Authority, Dns, DnsAnswer, Flaw, Script};
use serde_json::Value;

use crate::scene::{HOST, Scene, Setup, can_vanish};

/// What one fault came to.
struct Seen {
    fault: &'static str,
    status: Option<u16>,
    proxy_status: Option<String>,
    whole: bool,
    record: Value,
}

impl Seen {
    async fn of(fault: &'static str, setup: Setup) -> Self {
        let scene = setup
            .limit("connect_timeout", "300ms")
            .limit("tls_timeout", "300ms")
            .setting("proxy_read_timeout", "1")
            .start();
        let response = scene.get("/", "").await;
        Self {
            fault,
            status: response.status(),
            proxy_status: response.field("proxy-status").map(str::to_owned),
            whole: response.whole,
            record: scene.record_of(&response).await,
        }
    }

    fn code(&self) -> &str {
        self.record["VerdictCode"].as_str().expect("a verdict")
    }
}

#[tokio::test]
async fn are_told_apart_from_the_record_and_from_the_headers() {
    let authority = Authority::new("Test").expect("an authority");
    let expired = authority.issue(Flaw::Expired, &[HOST]).expect("a certificate");
    let dns = Dns::start([("other.test", DnsAnswer::NxDomain)]).expect("a name server");
    let resolvers = format!("[\"{}\"]", dns.addr());
    let of = |script: Script| Scene::with(script);
    // To the one who connects they are the same.
    let silent = if can_vanish() { Script::drop_syn() } else { Script::backlog_full() };
    let seen = [
        Seen::of("an own 502", of(Script::status(502))).await,
        Seen::of("1 connection refused", of(Script::refuse())).await,
        Seen::of("2 SYN dropped", of(silent)).await,
        Seen::of("3 no route", Scene::pointing_to("224.0.0.1")).await,
        Seen::of("4 name not found", Scene::pointing_to("gone.test").server("resolvers", &resolvers)).await,
        Seen::of("5 silence in TLS", of(Script::tls_silent())).await,
        Seen::of("6 reset in TLS", of(Script::tls_reset())).await,
        Seen::of("7 bad certificate", of(Script::certificate(&expired)).trusting(&authority)).await,
        Seen::of("8 reset before the head", of(Script::reset_after_request())).await,
        Seen::of("9 empty answer", of(Script::close_empty())).await,
        Seen::of("10 half a head", of(Script::half_header())).await,
        Seen::of("11 not HTTP", of(Script::garbage())).await,
        Seen::of("12 illegal header name", of(Script::space_in_field_name())).await,
        Seen::of("13 2 MB of header", of(Script::huge_head())).await,
        Seen::of("14 no answer", of(Script::stall_before_head())).await,
        Seen::of("15 body truncated", of(Script::truncated_body(1000, 100))).await,
        Seen::of("16 bad chunk", of(Script::bad_chunk())).await,
        Seen::of("17 two lengths", of(Script::two_lengths())).await,
    ];
    print(&seen);

    let codes: BTreeSet<_> = seen.iter().map(Seen::code).collect();
    assert_eq!(codes.len(), 18, "{codes:?}");
    assert!(!codes.contains("edge.reply.unclassified"));

    let (in_the_body, before): (Vec<_>, Vec<_>) =
        seen.iter().partition(|seen| ["15 body truncated", "16 bad chunk"].contains(&seen.fault));
    let details: BTreeSet<_> = before.iter().map(|seen| seen.proxy_status.as_deref().expect("Proxy-Status")).collect();
    assert_eq!(details.len(), 16, "{details:#?}");
    for seen in &before {
        let error = seen.proxy_status.as_deref().is_some_and(|value| value.contains("; error="));
        assert_eq!(error, seen.fault != "an own 502", "only a failure of the way there has an error: {}", seen.fault);
    }
    for seen in in_the_body {
        assert!(!seen.whole, "{} looks whole", seen.fault);
        assert_eq!(seen.record["OriginResponseStatus"], 200);
    }
}

/// The table, on the test's output.
fn print(seen: &[Seen]) {
    let mut table = String::new();
    for Seen { fault, status, record, whole, .. } in seen {
        let (code, origin) = (record["VerdictCode"].as_str().unwrap_or("-"), &record["OriginResponseStatus"]);
        let status = status.map_or_else(|| "-".to_owned(), |status| status.to_string());
        let cut = if *whole { "" } else { ", cut" };
        table += &format!("{fault:26} {:12} {code:42} origin: {origin}\n", format!("{status}{cut}"));
    }
    std::io::stdout().write_all(table.as_bytes()).expect("an output");
}
