//! The metrics, read as Prometheus reads them.

use std::collections::HashMap;

use rayline_observe::{Gauges, Target};

use crate::{observer, records};

/// Every sample by its name and labels as written. Holds the text to the exposition format, version 0.0.4: each
/// sample follows the `# HELP` and `# TYPE` of its family, occurs once, and has a number.
pub(crate) fn samples(text: &str) -> HashMap<String, f64> {
    let mut samples = HashMap::new();
    let (mut helped, mut family, mut kind) = ("", "", "");
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            helped = help.split_once(' ').expect("a help text").0;
        } else if let Some(typed) = line.strip_prefix("# TYPE ") {
            (family, kind) = typed.split_once(' ').expect("a type");
            assert_eq!(helped, family);
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert_eq!(kind == "counter", family.ends_with("_total"), "{family} is a {kind}");
        } else {
            let (sample, value) = line.rsplit_once(' ').expect("a value");
            let (name, labels) = sample.split_once('{').unwrap_or((sample, "}"));
            let suffix = name.strip_prefix(family).unwrap_or_else(|| panic!("{name} within {family}"));
            let suffixes: &[&str] = if kind == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
            assert!(suffixes.contains(&suffix), "{line}");
            assert!(labels.ends_with('}'), "{line}");
            let previous = samples.insert(sample.to_owned(), value.parse().expect("a number"));
            assert_eq!(previous, None, "{sample} twice");
        }
    }
    samples
}

#[test]
fn records_are_counted_by_zone_code_and_phase() {
    let (observer, mut lane) = observer(Target::Off);
    observer.set_gauges(|| Gauges {
        visitor_connections: 12,
        idle_origin_connections: 3,
        plan_version: 7,
        rate_limit_keys_forgotten: 5,
        ..Gauges::default()
    });
    lane.record(records::fine("/"));
    lane.record(records::fine("/"));
    let mut reused = records::fine("/");
    if let Some(origin) = &mut reused.origin {
        origin.reused = true;
        origin.tcp_us = 0;
    }
    lane.record(reused);
    lane.record(records::refused("/"));
    lane.record(records::nowhere("/"));
    observer.clone().stop();
    let samples = samples(&observer.metrics());
    for (sample, value) in [
        ("rayline_rate_limit_keys_forgotten_total", 5.0),
        (r#"rayline_requests_total{status_class="2xx",zone="shop.example"}"#, 3.0),
        (r#"rayline_requests_total{status_class="5xx",zone="shop.example"}"#, 2.0),
        (r#"rayline_requests_total{status_class="none",zone="shop.example"}"#, 0.0),
        (
            r#"rayline_failures_total{code="origin.connect.refused",party="origin",status="521",zone="shop.example"}"#,
            1.0,
        ),
        (
            r#"rayline_failures_total{code="owner.resolve.nxdomain",party="owner",status="1016",zone="shop.example"}"#,
            1.0,
        ),
        (r#"rayline_request_duration_seconds_bucket{zone="shop.example",le="0.01"}"#, 0.0),
        (r#"rayline_request_duration_seconds_bucket{zone="shop.example",le="0.025"}"#, 5.0),
        (r#"rayline_request_duration_seconds_count{zone="shop.example"}"#, 5.0),
        (r#"rayline_origin_phase_seconds_count{phase="connect"}"#, 2.0),
        (r#"rayline_origin_phase_seconds_count{phase="wait"}"#, 3.0),
        (r#"rayline_origin_phase_seconds_count{phase="tls"}"#, 0.0),
        (r#"rayline_origin_connections_total{reused="true"}"#, 1.0),
        (r#"rayline_origin_connections_total{reused="false"}"#, 2.0),
        (r#"rayline_bytes_total{direction="sent"}"#, 6000.0),
        (r#"rayline_bytes_total{direction="received"}"#, 150.0),
        (r#"rayline_records_lost_total{kind="failure",reason="log_unwritable"}"#, 0.0),
        ("rayline_log_write_errors_total", 0.0),
        ("rayline_visitor_connections", 12.0),
        ("rayline_idle_origin_connections", 3.0),
        ("rayline_plan_version", 7.0),
        (concat!(r#"rayline_build_info{version=""#, env!("CARGO_PKG_VERSION"), r#""}"#), 1.0),
    ] {
        assert_eq!(samples.get(sample), Some(&value), "{sample}");
    }
}
