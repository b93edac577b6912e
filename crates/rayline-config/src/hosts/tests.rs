use std::net::IpAddr;
use std::sync::Arc;

use super::{HostMatch, HostTable, Target};
use crate::compile::{read_limits, read_settings};
use crate::document::{Fields, Report};
use crate::keys::{LIMITS, SETTINGS};
use crate::plan::{Content, ErrorPages, Record, RecordKind, Zone};
use crate::source::Source;

/// A zone of `name content` rows; a content in brackets is DNS-only.
fn zone(name: &str, rows: &[(&str, &str)]) -> Arc<Zone> {
    let source = Source { name: String::new(), text: String::new(), base: "/nowhere".into() };
    let report = Report::new(&source, false);
    let limits = read_limits(&Fields::absent(&LIMITS, &report));
    let record = |(name, content): &(&str, &str)| {
        let (name, wildcard) = name.strip_prefix("*.").map_or((*name, false), |name| (name, true));
        let (content, proxied) =
            content.strip_prefix('(').map_or((*content, true), |content| (content.trim_end_matches(')'), false));
        let (kind, content) = match content.parse::<IpAddr>() {
            Ok(address) if address.is_ipv4() => (RecordKind::A, Content::Address(address)),
            Ok(address) => (RecordKind::Aaaa, Content::Address(address)),
            Err(_) => (RecordKind::Cname, Content::Name(content.to_owned())),
        };
        Record { name: name.to_owned(), wildcard, kind, content, proxied, comment: String::new() }
    };
    Arc::new(Zone {
        name: name.to_owned(),
        paused: false,
        settings: read_settings(&Fields::absent(&SETTINGS, &report), &limits),
        records: rows.iter().map(record).collect(),
        certificates: Vec::new(),
        client_identity: None,
        error_pages: ErrorPages::default(),
        rules: None,
        maintenance: None,
    })
}

/// What a host leads to, in one line.
fn found(table: &HostTable, host: &str) -> String {
    match table.find(host) {
        HostMatch::Found { zone, origin } => match &origin.target {
            Target::Addresses(addresses) => {
                let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
                format!("{} in {}: {}", origin.name, zone.name, addresses.join(" "))
            }
            Target::Name(name) => format!("{} in {}: {name}", origin.name, zone.name),
        },
        HostMatch::DnsOnly { zone } => format!("DNS-only in {}", zone.name),
        HostMatch::NoRecord { zone } => format!("no record in {}", zone.name),
        HostMatch::Unknown => "unknown".to_owned(),
    }
}

fn check(table: &HostTable, rows: &[(&str, &str)]) {
    for (host, expected) in rows {
        assert_eq!(found(table, host), *expected, "{host}");
    }
}

#[test]
fn a_name_leads_to_its_records_before_any_wildcard() {
    let shop = zone(
        "shop.example",
        &[
            ("shop.example", "192.0.2.1"),
            ("shop.example", "192.0.2.2"),
            ("shop.example", "2001:db8::1"),
            ("www.shop.example", "origin.hosting.test"),
            ("*.shop.example", "192.0.2.9"),
            ("ssh.shop.example", "(192.0.2.3)"),
            ("*.grey.shop.example", "(192.0.2.4)"),
        ],
    );
    let table = HostTable::new(&[shop]);
    check(
        &table,
        &[
            ("shop.example", "shop.example in shop.example: 192.0.2.1 192.0.2.2 2001:db8::1"),
            ("shop.example.", "shop.example in shop.example: 192.0.2.1 192.0.2.2 2001:db8::1"),
            ("SHOP.Example", "shop.example in shop.example: 192.0.2.1 192.0.2.2 2001:db8::1"),
            ("www.shop.example", "www.shop.example in shop.example: origin.hosting.test"),
            ("anna.shop.example", "*.shop.example in shop.example: 192.0.2.9"),
            ("a.b.c.shop.example", "*.shop.example in shop.example: 192.0.2.9"),
            ("ssh.shop.example", "DNS-only in shop.example"),
            ("a.grey.shop.example", "DNS-only in shop.example"),
            // below a name that exists, that name's own wildcard is the only one
            ("below.www.shop.example", "no record in shop.example"),
            // `grey` itself exists, because something lies below it
            ("grey.shop.example", "no record in shop.example"),
            ("other.example", "unknown"),
            ("notshop.example", "unknown"),
            ("example", "unknown"),
            ("", "unknown"),
            (".", "unknown"),
            ("..", "unknown"),
            ("192.0.2.1", "unknown"),
        ],
    );
}

/// The zone and the questions of RFC 4592 section 2.2.1, as far as they are about addresses.
#[test]
fn wildcards_are_those_of_rfc_4592() {
    let rfc = zone(
        "example",
        &[
            ("*.example", "192.0.2.1"),
            ("sub.*.example", "192.0.2.2"),
            ("host1.example", "192.0.2.3"),
            ("_ssh._tcp.host1.example", "192.0.2.4"),
            ("_ssh._tcp.host2.example", "192.0.2.5"),
        ],
    );
    let table = HostTable::new(&[rfc]);
    check(
        &table,
        &[
            ("host3.example", "*.example in example: 192.0.2.1"),
            ("foo.bar.example", "*.example in example: 192.0.2.1"),
            ("host1.example", "host1.example in example: 192.0.2.3"),
            ("_telnet._tcp.host1.example", "no record in example"),
            ("host2.example", "no record in example"),
            ("ghost.host2.example", "no record in example"),
        ],
    );
}

#[test]
fn a_zone_within_a_zone_keeps_its_names() {
    let table = HostTable::new(&[
        zone("shop.example", &[("*.shop.example", "192.0.2.1")]),
        zone("api.shop.example", &[("v1.api.shop.example", "192.0.2.2")]),
    ]);
    check(
        &table,
        &[
            ("www.shop.example", "*.shop.example in shop.example: 192.0.2.1"),
            ("api.shop.example", "no record in api.shop.example"),
            ("v1.api.shop.example", "v1.api.shop.example in api.shop.example: 192.0.2.2"),
            ("v2.api.shop.example", "no record in api.shop.example"),
        ],
    );
}

#[test]
fn names_of_the_zones_are_followed() {
    let mut table = HostTable::new(&[
        zone(
            "shop.example",
            &[
                ("shop.example", "192.0.2.1"),
                ("www.shop.example", "shop.example"),
                ("w.shop.example", "www.shop.example"),
                ("blog.shop.example", "any.blog.test"),
                ("out.shop.example", "far.test"),
                ("to-grey.shop.example", "grey.shop.example"),
                ("grey.shop.example", "(192.0.2.3)"),
                ("lost.shop.example", "gone.shop.example"),
                ("a.shop.example", "b.shop.example"),
                ("b.shop.example", "a.shop.example"),
            ],
        ),
        zone("blog.test", &[("*.blog.test", "192.0.2.2")]),
    ]);
    let mut lost: Vec<String> = table.follow_names().iter().map(|lost| format!("{lost:?}")).collect();
    lost.sort();
    expect_test::expect![[r#"
        Circle { name: "a.shop.example" }
        Circle { name: "b.shop.example" }
        NoRecord { name: "lost.shop.example", target: "gone.shop.example", zone: "shop.example" }"#]]
    .assert_eq(&lost.join("\n"));
    check(
        &table,
        &[
            ("www.shop.example", "www.shop.example in shop.example: 192.0.2.1"),
            ("w.shop.example", "w.shop.example in shop.example: 192.0.2.1"),
            ("blog.shop.example", "blog.shop.example in shop.example: 192.0.2.2"),
            ("out.shop.example", "out.shop.example in shop.example: far.test"),
            ("to-grey.shop.example", "to-grey.shop.example in shop.example: 192.0.2.3"),
            ("grey.shop.example", "DNS-only in shop.example"),
            ("lost.shop.example", "lost.shop.example in shop.example: gone.shop.example"),
        ],
    );
}
