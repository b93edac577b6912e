//! OpenTelemetry: a trace per request, a span per phase, the verdict as their status.
//!
//! It is a job like others, with the same spool, the same retries and the same promises; what it sends is OTLP over HTTP,
//! as protocol buffers. Ids are made of the Ray ID, so a trace that is sent twice is the same trace. It does not trace the
//! edge's own work, and makes no metrics: those are for Prometheus.

use prost::Message as _;

use crate::job::{Destination, Sample, Spec, body};

mod line;
mod proto;
mod span;

use line::Line;
use proto::{AnyValue, KeyValue, Request, Resource, ResourceSpans, Response, Scope, ScopeSpans, Value};

/// The version of OpenTelemetry's conventions that the attributes follow.
const SCHEMA: &str = "https://opentelemetry.io/schemas/1.26.0";

/// The job that exports traces: of all failures, and of a share of the successes from 0 to 1.
///
/// The destination is one of `otlp+http(s)`, see [`Destination::parse`]. Batches are of 2 000 requests, 4 MB or 5 s.
pub fn spec(name: &str, destination: Destination, sample_rate: f64) -> Spec {
    Spec {
        max_upload_bytes: 4_000_000,
        max_upload_records: 2_000,
        max_upload_interval: std::time::Duration::from_secs(5),
        sample: Sample { failures: 1.0, successes: sample_rate },
        ..Spec::new(name, destination)
    }
}

/// What a collector that has taken a batch says against it: how many spans it has rejected for good, and why, which may be
/// a warning alone. `None`: nothing.
pub(crate) fn objection(body: &[u8]) -> Option<(u64, String)> {
    let partial = Response::decode(body).ok()?.partial_success?;
    let rejected = u64::try_from(partial.rejected_spans).unwrap_or_default();
    (rejected > 0 || !partial.error_message.is_empty()).then_some((rejected, partial.error_message))
}

/// The body of an export request for lines of the request log. Those that are none are left out.
pub(crate) fn encode(lines: &[u8]) -> Vec<u8> {
    let mut spans = Vec::new();
    for line in body::each(lines) {
        if let Ok(line) = serde_json::from_slice::<Line<'_>>(line) {
            span::write(&line, &mut spans);
        }
    }
    let text = |key: &str, value: &str| KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(Value::Text(value.to_owned())) }),
    };
    let version = env!("CARGO_PKG_VERSION");
    let resource = Resource { attributes: vec![text("service.name", "rayline"), text("service.version", version)] };
    let scope = Scope { name: "rayline".to_owned(), version: version.to_owned() };
    let scope_spans = vec![ScopeSpans { scope: Some(scope), spans }];
    let resource_spans = vec![ResourceSpans { resource: Some(resource), scope_spans, schema_url: SCHEMA.to_owned() }];
    Request { resource_spans }.encode_to_vec()
}
