//! What each kind of receiver gets, read by somebody else: signatures by the published algorithm and by Amazon's own
//! library, OTLP by its published types, the others by their documented formats.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::time::Duration;

use aws_lc_rs::{digest, hmac};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind, status::StatusCode};
use prost::Message as _;
use rayline_push::job::{Destination, OutputOptions, Retry, Spec, TimestampFormat};
use rayline_push::trace;
use rayline_verdict::{RayId, Record, SpanId, TraceId};
use tempfile::TempDir;

use crate::job::{spec, start};
use crate::receiver::{Play, Receiver, Seen};
use crate::records::{NOON, fine, line, lines, numbers, refused};

/// The requests that a job makes of lines, whose receiver answers well.
fn sent(make: impl FnOnce(&str) -> Spec, lines: &[u8]) -> Vec<Seen> {
    let receiver = Receiver::start(|_, _| Play::status(200));
    let dir = TempDir::new().unwrap();
    let (job, mut feed) = start(make(&receiver.addr.to_string()), dir.path());
    feed.take(lines);
    job.stop(Duration::from_secs(60));
    receiver.seen()
}

fn query(seen: &Seen) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(seen.uri.query().unwrap_or_default().as_bytes()).into_owned().collect()
}

const ACCESS_KEY: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET_KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

fn s3(place: &str) -> Spec {
    spec(&format!(
        "s3://logs/edge/{{DATE}}?region=eu-west-1&endpoint=http://{place}&access-key-id={ACCESS_KEY}&secret-access-key={SECRET_KEY}"
    ))
}

/// The signature of a request by its query, as in "Authenticating Requests: Using Query Parameters" of Amazon's S3 reference.
fn signature(seen: &Seen) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let sign =
        |key: &[u8], text: &str| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec();
    let mut pairs: Vec<&str> = seen.uri.query().unwrap().split('&').collect();
    pairs.retain(|pair| !pair.starts_with("X-Amz-Signature="));
    pairs.sort_unstable();
    let query = query(seen);
    let canonical = format!(
        "{}\n{}\n{}\nhost:{}\n\nhost\nUNSIGNED-PAYLOAD",
        seen.method,
        seen.uri.path(),
        pairs.join("&"),
        seen.header("host")
    );
    let hash = hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
    let date = &query["X-Amz-Date"];
    let (key, scope) = query["X-Amz-Credential"].split_once('/').unwrap();
    assert_eq!((key, query["X-Amz-SignedHeaders"].as_str()), (ACCESS_KEY, "host"));
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{hash}");
    let key = scope.split('/').fold(format!("AWS4{SECRET_KEY}").into_bytes(), |key, part| sign(&key, part));
    hex(&sign(&key, &text))
}

/// The same by `botocore`, if Python has it.
fn signature_of_botocore(seen: &Seen) -> Option<String> {
    const SCRIPT: &str = r#"
import sys, datetime, urllib.parse
import botocore.auth, botocore.awsrequest, botocore.credentials
method, url, key, secret, date, expires = sys.argv[1:]
then = datetime.datetime.strptime(date, "%Y%m%dT%H%M%SZ")
botocore.auth.get_current_datetime = lambda remove_tzinfo=True: then
request = botocore.awsrequest.AWSRequest(method=method, url=url)
credentials = botocore.credentials.Credentials(key, secret)
botocore.auth.S3SigV4QueryAuth(credentials, "s3", "eu-west-1", expires=int(expires)).add_auth(request)
print(urllib.parse.parse_qs(urllib.parse.urlsplit(request.url).query)["X-Amz-Signature"][0])
"#;
    let importable = Command::new("python3").args(["-c", "import botocore.auth"]).output().ok()?;
    if !importable.status.success() {
        eprintln!("skipped: Python has no `botocore`");
        return None;
    }
    let query = query(seen);
    let url = format!("http://{}{}", seen.header("host"), seen.uri.path());
    let output = Command::new("python3")
        .args(["-c", SCRIPT, seen.method.as_str(), &url, ACCESS_KEY, SECRET_KEY])
        .args([&query["X-Amz-Date"], &query["X-Amz-Expires"]])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap().trim().to_owned())
}

#[test]
fn objects_are_put_with_a_signature_that_others_verify() {
    let seen = sent(s3, &lines((0..12).map(fine)));
    assert_eq!(seen.len(), 2);
    for seen in &seen {
        let day = seen.uri.path().strip_prefix("/logs/edge/").unwrap();
        assert!(seen.method == "PUT" && day.ends_with(".log.gz") && day.as_bytes()[8] == b'/', "{day}");
        let given = query(seen)["X-Amz-Signature"].clone();
        assert_eq!(given, signature(seen));
        if let Some(theirs) = signature_of_botocore(seen) {
            assert_eq!(given, theirs);
        }
        assert_eq!(seen.header("content-encoding"), "", "an object that ends in `.gz` is gzip, not encoded with it");
    }
    assert_eq!(seen.iter().flat_map(|seen| numbers(&seen.plain())).collect::<Vec<_>>(), (0..12).collect::<Vec<_>>());
}

#[test]
fn an_object_whose_answer_was_lost_is_put_again_under_its_name() {
    let receiver = Receiver::start(|nth, _| match nth {
        0 => Play::Answer(503, Vec::new(), format!("SlowDown {ACCESS_KEY} {SECRET_KEY}")),
        1 => Play::Close,
        _ => Play::status(200),
    });
    let dir = TempDir::new().unwrap();
    let (job, mut feed) = start(s3(&receiver.addr.to_string()), dir.path());
    feed.take(&lines((0..10).map(fine)));
    let seen = receiver.wait(|seen| seen.len() >= 3);
    assert_eq!(seen.iter().map(|seen| seen.uri.path()).collect::<BTreeSet<_>>().len(), 1);
    let said = format!("{:?} {job:?}", job.status());
    assert!(!said.contains(ACCESS_KEY) && !said.contains(SECRET_KEY), "{said}");
    job.stop(Duration::from_secs(60));
}

#[test]
fn loki_gets_a_stream_of_nanoseconds_and_lines() {
    let make = |place: &str| {
        let conf = format!(
            "loki+http://{place}/loki/api/v1/push?label_service_name=edge&label_env=test&header_X-Scope-OrgID=t1"
        );
        let output_options =
            OutputOptions { field_names: vec!["RayID".to_owned()], timestamp_format: TimestampFormat::default() };
        Spec { output_options, ..spec(&conf) }
    };
    let seen = sent(make, &lines([fine(1), refused(2)]));
    let body: serde_json::Value = serde_json::from_slice(&seen[0].plain()).unwrap();
    let nanos = (NOON + 30_000_000).to_string();
    let expected = serde_json::json!({"streams": [{
        "stream": {"service_name": "edge", "env": "test"},
        "values": [[nanos, "{\"RayID\":\"0000000000000001\"}"], [nanos, "{\"RayID\":\"0000000000000002\"}"]],
    }]});
    assert_eq!(body, expected);
    for (name, value) in [("content-type", "application/json"), ("content-encoding", "gzip"), ("x-scope-orgid", "t1")] {
        assert_eq!(seen[0].header(name), value);
    }
}

#[test]
fn clickhouse_gets_an_insert_with_a_token_and_may_answer_with_an_exception() {
    let receiver = Receiver::start(|nth, _| match nth {
        0 => Play::Answer(200, vec![("x-clickhouse-exception-code", "241".to_owned())], "Memory limit".to_owned()),
        _ => Play::status(200),
    });
    let dir = TempDir::new().unwrap();
    let conf = "?database=edge&table=requests&user=writer&password=s3cret&async_insert=0";
    let (job, mut feed) = start(spec(&format!("clickhouse+http://{}/{conf}", receiver.addr)), dir.path());
    feed.take(&lines((0..10).map(refused)));
    let seen = receiver.wait(|seen| seen.len() >= 2);
    job.stop(Duration::from_secs(60));
    for seen in &seen {
        let query = query(seen);
        assert_eq!(query["query"], "INSERT INTO edge.requests FORMAT JSONEachRow");
        assert_eq!((query["async_insert"].as_str(), query.contains_key("password")), ("0", false));
        assert_eq!((seen.header("x-clickhouse-user"), seen.header("x-clickhouse-key")), ("writer", "s3cret"));
        assert_eq!(numbers(&seen.plain()), (0..10).collect::<Vec<_>>());
    }
    assert_eq!(query(&seen[0])["insert_deduplication_token"], query(&seen[1])["insert_deduplication_token"]);
}

/// The spans of some lines, as a collector reads them.
fn spans(sample_rate: f64, lines: &[u8]) -> Vec<Span> {
    let make = |place: &str| {
        let conf = format!("otlp+http://{place}/v1/traces?header_api-key=s3cret");
        let retry = Retry { first: Duration::from_millis(5), longest: Duration::from_millis(5) };
        Spec { retry, ..trace::spec("traces", Destination::parse(&conf).unwrap(), sample_rate) }
    };
    let seen = sent(make, lines);
    let mut spans = Vec::new();
    for seen in seen {
        assert_eq!((seen.header("content-type"), seen.header("api-key")), ("application/x-protobuf", "s3cret"));
        let request = ExportTraceServiceRequest::decode(&*seen.plain()).unwrap();
        for resource in request.resource_spans {
            assert_eq!(text(&resource.resource.unwrap().attributes, "service.name"), "rayline");
            spans.extend(resource.scope_spans.into_iter().flat_map(|scope| scope.spans));
        }
    }
    spans
}

fn value<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a Value> {
    let AnyValue { value } = attributes.iter().find(|attribute| attribute.key == key)?.value.as_ref()?;
    value.as_ref()
}

fn text<'a>(attributes: &'a [KeyValue], key: &str) -> &'a str {
    match value(attributes, key) {
        Some(Value::StringValue(text)) => text,
        Some(other) => panic!("`{key}` is {other:?}"),
        None => "",
    }
}

fn outline(spans: &[Span]) -> Vec<(&str, u64, u64)> {
    let ms = |nanos: u64| (nanos - NOON as u64) / 1_000_000;
    spans.iter().map(|span| (span.name.as_str(), ms(span.start_time_unix_nano), ms(span.end_time_unix_nano))).collect()
}

#[test]
fn a_request_is_a_trace_of_its_phases() {
    let spans = spans(1.0, &line(&fine(0x230b_0300_23ae_2822)));
    assert_eq!(
        outline(&spans),
        [
            ("edge GET", 0, 30),
            ("origin", 3, 30),
            ("dns", 3, 6),
            ("connect", 6, 8),
            ("wait", 8, 23),
            ("receive", 25, 30)
        ]
    );
    let ray = RayId(0x230b_0300_23ae_2822);
    assert!(spans.iter().all(|span| span.trace_id == TraceId::of(ray).to_bytes()));
    let ids: BTreeSet<_> = spans.iter().map(|span| span.span_id.clone()).collect();
    assert_eq!(ids.len(), spans.len());
    let (edge, origin) = (&spans[0], &spans[1]);
    assert_eq!((edge.kind(), origin.kind(), edge.parent_span_id.len()), (SpanKind::Server, SpanKind::Client, 0));
    assert_eq!((&*origin.span_id, &origin.parent_span_id), (&SpanId::origin(ray).to_bytes()[..], &edge.span_id));
    assert!(spans[2..].iter().all(|span| span.parent_span_id == origin.span_id));
    for (key, expected) in [
        ("http.request.method", "GET"),
        ("url.scheme", "https"),
        ("url.query", "token=REDACTED"),
        ("server.address", "www.shop.example"),
        ("user_agent.original", "a \"quoted\" agent"),
        ("network.protocol.version", "1.1"),
        ("rayline.ray_id", "230b030023ae2822"),
    ] {
        assert_eq!(text(&edge.attributes, key), expected, "{key}");
    }
    assert_eq!(value(&edge.attributes, "http.response.status_code"), Some(&Value::IntValue(200)));
    assert_eq!(value(&edge.attributes, "server.port"), Some(&Value::IntValue(8443)));
    assert_eq!((edge.status.clone(), text(&edge.attributes, "error.type")), (None, ""));
}

#[test]
fn a_failure_shows_its_verdict_and_its_attempts() {
    let spans = spans(0.0, &lines([fine(1), refused(2), fine(3)]));
    assert_eq!(
        outline(&spans),
        [("edge GET", 0, 30), ("origin", 3, 7), ("origin", 7, 12), ("dns", 7, 10), ("connect", 10, 12)]
    );
    let edge = &spans[0];
    let status = edge.status.clone().unwrap();
    assert_eq!((status.code(), status.message.as_str()), (StatusCode::Error, "origin.connect.refused"));
    for (key, expected) in [
        ("error.type", "origin.connect.refused"),
        ("rayline.verdict.party", "origin"),
        ("rayline.verdict.phase", "connect"),
        ("rayline.verdict.certainty", "proven"),
        ("rayline.verdict.reached", "no"),
    ] {
        assert_eq!(text(&edge.attributes, key), expected, "{key}");
    }
    assert!(text(&edge.attributes, "rayline.verdict.evidence").contains("ECONNREFUSED"));
    let addresses: Vec<_> = spans[1..3].iter().map(|span| text(&span.attributes, "server.address")).collect();
    assert_eq!(addresses, ["192.0.2.10", "192.0.2.11"]);
    assert!(spans[1..3].iter().all(|span| span.status.as_ref().unwrap().code() == StatusCode::Error));
}

#[test]
fn a_visitors_trace_is_continued() {
    let ids = r#","TraceID":"4bf92f3577b34da6a3ce929d0e0e4736","ParentSpanID":"00f067aa0ba902b7"}"#;
    let mut line = line(&fine(7));
    line.truncate(line.len() - 2);
    line.extend_from_slice(ids.as_bytes());
    line.push(b'\n');
    let spans = spans(1.0, &line);
    let trace: TraceId = "4bf92f3577b34da6a3ce929d0e0e4736".parse().unwrap();
    assert!(spans.iter().all(|span| span.trace_id == trace.to_bytes()));
    let parent: SpanId = "00f067aa0ba902b7".parse().unwrap();
    assert_eq!(spans[0].parent_span_id, parent.to_bytes());
}

#[test]
fn hostile_lines_make_traces_or_none() {
    let visitor = Record {
        method: vec![0xff; 9].into(),
        host: "[".repeat(9000).into(),
        uri: "?=&".repeat(5000).into(),
        ..fine(1)
    };
    let mut hostile = line(&visitor);
    hostile.extend_from_slice(b"{\"RayID\":1}\n[]\n{\"RayID\":\"zz\"}\nnull\n\n{\n");
    let spans = spans(1.0, &hostile);
    assert_eq!((spans[0].name.as_str(), text(&spans[0].attributes, "http.request.method")), ("edge HTTP", "_OTHER"));
    assert!(spans.iter().flat_map(|span| &span.attributes).all(|attribute| attribute.encoded_len() < 2200));
    assert_eq!(spans.iter().filter(|span| span.kind() == SpanKind::Server).count(), 1);
}
