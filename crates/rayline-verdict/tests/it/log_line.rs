//! The request log's line, and its documentation.

use std::fmt::Write;
use std::sync::Arc;

use bytes::Bytes;
use expect_test::{expect, expect_file};
use proptest::prelude::*;
use rayline_verdict::log_line::{FIELDS, Field, Kind, Origin, write};
use rayline_verdict::record::{CacheStatus, OriginFacts};
use rayline_verdict::rules::{Logged, MOST_MATCHES, RuleChange, RuleFacts, RuleMatch, SecurityEvent, Value as Seen};
use rayline_verdict::trace_context::TraceParent;
use rayline_verdict::{Code, Colo, Country, Moment, RayId, Record, TABLE};
use serde_json::{Map, Value, json};

use crate::sample::{full_verdict, verdict};

pub(crate) fn record() -> Record {
    Record {
        ray: RayId(0x230b_0300_23ae_2822),
        colo: Colo::new("LHR").unwrap(),
        start: Moment(1_795_237_169_000_000_001),
        end: Moment(1_795_237_169_012_345_678),
        plan_version: 3,
        zone: Arc::from("shop.example"),
        client: "203.0.113.7:51234".parse().unwrap(),
        client_ip: "2001:db8::7".parse().unwrap(),
        country: None,
        host: Bytes::from_static(b"www.shop.example"),
        method: Bytes::from_static(b"GET"),
        uri: Bytes::from_static(b"/cart?item=7"),
        user_agent: Bytes::from_static(b"Mozilla/5.0 (X11; \"Linux\")"),
        protocol: "HTTP/1.1",
        scheme: "https",
        client_ssl_protocol: "TLSv1.3",
        edge_status: 200,
        edge_bytes: 5_678,
        edge_body_bytes: 5_432,
        client_body_bytes: 0,
        first_byte_us: 12_999,
        grpc_status: None,
        trace: None,
        cache: CacheStatus::Dynamic,
        origin: Some(OriginFacts {
            address: Some("192.0.2.10:443".parse().unwrap()),
            status: 200,
            reused: false,
            protocol: "",
            ssl_protocol: "TLSv1.2",
            dns_us: 1_500,
            tcp_us: 2_500,
            tls_us: 3_500,
            send_us: 40,
            header_us: 4_500,
            response_us: 12_500,
        }),
        rules: None,
        verdict: None,
    }
}

fn line(record: &Record) -> String {
    // What stands before it in the buffer is left alone.
    let mut out = b"before\n".to_vec();
    write(record, &mut out);
    String::from_utf8(out).unwrap().strip_prefix("before\n").unwrap().to_owned()
}

fn object(record: &Record) -> Map<String, Value> {
    let line = line(record);
    assert!(line.ends_with("}\n") && line.matches('\n').count() == 1, "{line}");
    let Value::Object(object) = serde_json::from_str(&line).unwrap() else { panic!("{line}") };
    object
}

#[test]
fn a_good_answer() {
    expect![[r#"
        {"RayID":"230b030023ae2822","EdgeStartTimestamp":"2026-11-21T04:59:29.000000001Z","EdgeEndTimestamp":"2026-11-21T04:59:29.012345678Z","EdgeColoCode":"LHR","ZoneName":"shop.example","PlanVersion":3,"ClientIP":"2001:db8::7","ClientSrcPort":51234,"ClientRequestScheme":"https","ClientRequestMethod":"GET","ClientRequestHost":"www.shop.example","ClientRequestURI":"/cart?item=7","ClientRequestProtocol":"HTTP/1.1","ClientRequestUserAgent":"Mozilla/5.0 (X11; \"Linux\")","ClientRequestBodyBytes":0,"ClientSSLProtocol":"TLSv1.3","EdgeResponseStatus":200,"EdgeResponseBytes":5678,"EdgeResponseBodyBytes":5432,"EdgeTimeToFirstByteMs":12,"CacheCacheStatus":"dynamic","OriginIP":"192.0.2.10","OriginPort":443,"OriginResponseStatus":200,"OriginConnectionReused":false,"OriginSSLProtocol":"TLSv1.2","OriginDNSResponseTimeMs":1,"OriginTCPHandshakeDurationMs":2,"OriginTLSHandshakeDurationMs":3,"OriginRequestHeaderSendDurationMs":0,"OriginResponseHeaderReceiveDurationMs":4,"OriginResponseDurationMs":12,"SecurityAction":"","SecurityRuleID":"","WorkerStatus":""}
    "#]].assert_eq(&line(&record()));
}

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

fn trace() -> Option<TraceParent> {
    TraceParent::parse(format!("00-{TRACE}-b7ad6b7169203331-01").as_bytes())
}

#[test]
fn what_is_known_is_said() {
    let mut record = record();
    record.country = Country::new(*b"GB");
    record.grpc_status = Some(0);
    record.trace = trace();
    record.origin.as_mut().unwrap().protocol = "HTTP/2";
    let object = object(&record);
    assert_eq!(object["ClientCountry"], "gb");
    assert_eq!(object["GrpcStatus"], 0);
    assert_eq!(object["OriginProtocol"], "HTTP/2");
    assert_eq!((&object["TraceID"], &object["ParentSpanID"]), (&TRACE.into(), &"b7ad6b7169203331".into()));
    assert_eq!(Country::new(*b"t1").unwrap().as_str(), "T1");
    assert_eq!([*b"G\"", *b"\xc3\xa9"].map(Country::new), [None, None]);
}

#[test]
fn a_refused_connection() {
    let mut record = record();
    let mut verdict = verdict(Code::NetworkConnectTimedOut.entry());
    verdict.attempts = full_verdict(Code::NetworkConnectTimedOut.entry()).attempts;
    record.verdict = Some(Box::new(verdict));
    record.origin = None;
    let line = line(&record);
    let shown = line.split_once(",\"OriginIP\"").unwrap().1;
    expect![[r#"
        :"","OriginPort":0,"OriginResponseStatus":0,"OriginConnectionReused":false,"OriginSSLProtocol":"","OriginDNSResponseTimeMs":0,"OriginTCPHandshakeDurationMs":0,"OriginTLSHandshakeDurationMs":0,"OriginRequestHeaderSendDurationMs":0,"OriginResponseHeaderReceiveDurationMs":0,"OriginResponseDurationMs":0,"SecurityAction":"","SecurityRuleID":"","WorkerStatus":"","VerdictCode":"network.connect.timed_out","VerdictStatus":522,"VerdictCertainty":"inferred","VerdictRivals":["origin.connect.refused","network.connect.unreachable"],"VerdictReached":"no","VerdictEvidence":{},"VerdictAttempts":[{"address":"198.51.100.99:443","reused":false,"status":null,"code":"origin.connect.refused","took_ms":731731}]}
    "#]].assert_eq(shown);
}

#[test]
fn the_line_has_the_documented_fields_in_order() {
    for entry in &TABLE {
        let record = record();
        let known = Record {
            country: Country::new(*b"gb"),
            grpc_status: Some(14),
            trace: trace(),
            rules: Some(Box::new(rules())),
            origin: record.origin.clone().map(|origin| OriginFacts { protocol: "HTTP/2", ..origin }),
            ..record.clone()
        };
        let failed = |record: &Record| Record { verdict: Some(Box::new(full_verdict(entry))), ..record.clone() };
        for record in [failed(&record), failed(&known), record, known] {
            let object = object(&record);
            let written = |field: &&Field| {
                (record.verdict.is_some() || !field.needs_verdict())
                    && (record.country.is_some() || !field.is_optional())
            };
            let fields: Vec<&Field> = FIELDS.iter().filter(written).collect();
            let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
            assert_eq!(object.keys().map(String::as_str).collect::<Vec<_>>(), names);
            for field in fields {
                let value = &object[field.name];
                let fits = match field.kind {
                    Kind::String => value.is_string(),
                    Kind::Int => value.is_u64(),
                    Kind::Bool => value.is_boolean(),
                    Kind::Array => value.is_array(),
                    Kind::Object => value.is_object(),
                };
                assert!(fits, "{} is {value}", field.name);
            }
        }
    }
}

/// What rules may have done.
fn rules() -> RuleFacts {
    let logged = |name: &str, value: &[u8]| Logged { name: name.into(), value: value.into() };
    let changes = vec![
        RuleChange { what: "path".into(), before: Some(Seen::new(b"/a")), after: Some(Seen::new(&[b'/'; 999])) },
        RuleChange { what: "request.header.cookie".into(), before: Some(Seen::masked()), after: None },
    ];
    let mut rules = RuleFacts {
        request_headers: vec![logged("X-A", b"1\xff")],
        response_headers: vec![logged("etag", b"\"e\"")],
        cookies: vec![logged("session", b"s")],
        ..RuleFacts::default()
    };
    for _ in 0..MOST_MATCHES + 1 {
        let changes = changes.clone();
        let phase = "http_request_transform";
        rules.add(RuleMatch { id: "to-b".into(), phase, action: "rewrite", ended: false, changes });
    }
    for (action, ended) in [("log", false), ("block", true)] {
        rules.add_security(SecurityEvent { action, rule: "no-bots".into(), source: "firewallCustom", ended });
    }
    rules
}

#[test]
fn what_rules_did() {
    let object = object(&Record { rules: Some(Box::new(rules())), ..record() });
    assert_eq!((&object["SecurityAction"], &object["SecurityRuleID"]), (&json!("block"), &json!("no-bots")));
    assert_eq!(object["SecurityActions"], json!(["log", "block"]));
    assert_eq!(object["SecurityRuleIDs"], json!(["no-bots", "no-bots"]));
    assert_eq!(object["SecuritySources"], json!(["firewallCustom", "firewallCustom"]));
    assert_eq!(object["Rules"].as_array().unwrap().len(), MOST_MATCHES);
    let first = &object["Rules"][0];
    assert_eq!((&first["id"], &first["action"]), (&json!("to-b"), &json!("rewrite")));
    assert_eq!(first["changes"][0]["before"], "/a");
    assert_eq!(first["changes"][0]["after"].as_str().map(str::len), Some(256), "bounded");
    assert_eq!(first["changes"][1], json!({ "what": "request.header.cookie", "before": "(masked)", "after": null }));
    assert_eq!(object["RequestHeaders"], json!({ "X-A": "1\u{fffd}" }));
    assert_eq!(object["Cookies"], json!({ "session": "s" }));
}

#[test]
fn the_operator_sees_every_fact() {
    let mut record = record();
    let verdict = full_verdict(Code::EdgeReplyUnclassified.entry());
    let count = verdict.evidence.facts().len();
    record.verdict = Some(Box::new(verdict));
    assert_eq!(object(&record)["VerdictEvidence"].as_object().unwrap().len(), count);
}

proptest! {
    #[test]
    fn what_a_visitor_sends_comes_back(
        uri in proptest::collection::vec(any::<u8>(), 0..64),
        host in "[\"\\\\\u{0}-\u{1f}\u{7f}\u{2028}\u{2029}é😀a-z]{0,20}",
    ) {
        let mut record = record();
        record.uri = Bytes::from(uri.clone());
        record.user_agent = Bytes::from(host.clone());
        record.zone = Arc::from(host.as_str());
        let object = object(&record);
        prop_assert_eq!(object["ClientRequestURI"].as_str(), Some(&*String::from_utf8_lossy(&uri)));
        prop_assert_eq!(object["ClientRequestUserAgent"].as_str(), Some(host.as_str()));
        prop_assert_eq!(object["ZoneName"].as_str(), Some(host.as_str()));
        let breaks = line(&record).contains(['\u{2028}', '\u{2029}', '\r']);
        prop_assert!(!breaks);
    }
}

#[test]
fn names_are_unique_and_documented() {
    for (place, field) in FIELDS.iter().enumerate() {
        assert!(FIELDS.iter().skip(place + 1).all(|other| other.name != field.name), "{}", field.name);
        assert!(field.doc.ends_with('.') && !field.doc.contains('|'), "{}", field.name);
    }
}

/// The guide is made from the table; `UPDATE_EXPECT=1` writes it anew.
#[test]
fn the_guide_is_current() {
    expect_file!["../../../../docs/guide/request-log.md"].assert_eq(&guide());
}

fn guide() -> String {
    let mut out = String::from(
        "# The request log\n\n\
        <!-- Made from crates/rayline-verdict/src/log_line.rs: UPDATE_EXPECT=1 cargo test -p rayline-verdict -->\n\n\
        One JSON object per request and line (NDJSON), written when the answer has ended. `requests` under `[log]` says\n\
        where: a file in `data_dir`, `\"stdout\"`, or `\"off\"`. `rayline tail` shows the same lines live.\n\n\
        Names and types are those of Cloudflare's `http_requests` dataset where it has the field; the others, marked\n\
        *ours*, are Rayline's. Times are RFC 3339 in UTC with nine digits of a second, so that lines sort as text; that\n\
        dataset writes integers unless asked for this. Durations are whole milliseconds, rounded down. A field always\n\
        has the same type, is never `null`, and is in every line, but for those of the last two tables.\n\n\
        What a visitor sent is copied as it came: bytes that are no UTF-8 become U+FFFD, and a line break is escaped, so\n\
        that nobody can write a line of their own into the log.\n\n\
        ```sh\n\
        # Whose fault were the failures of today?\n\
        jq -r 'select(.VerdictCode) | .VerdictCode' requests.ndjson | sort | uniq -c | sort -rn\n\
        ```\n",
    );
    table(&mut out, "## In every line", |field| !field.needs_verdict() && !field.is_optional());
    table(&mut out, "## Where it is known", Field::is_optional);
    table(&mut out, "## Where a request failed", Field::needs_verdict);
    out.push_str(
        "\nWhat a `VerdictCode` means, how it is known and how to mend it: `rayline explain CODE`. A status of 500 or above\n\
        that the application sent itself has a verdict too, `origin.wait.error_status`; a 4xx of its own has none.\n",
    );
    out
}

fn table(out: &mut String, heading: &str, belongs: impl Fn(&Field) -> bool) {
    write!(out, "\n{heading}\n\n| field | type | what |\n| --- | --- | --- |\n").unwrap();
    for field in FIELDS.iter().filter(|field| belongs(field)) {
        let ours = match field.origin {
            Origin::Dataset => "",
            Origin::Ours => " *ours*",
        };
        writeln!(out, "| `{}`{ours} | {} | {} |", field.name, field.kind.name(), field.doc).unwrap();
    }
}
