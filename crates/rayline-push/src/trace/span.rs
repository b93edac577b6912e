//! The spans of one request: the edge's, one per attempt at an origin, one per phase of the last.
//!
//! A line says how long each phase took, in whole milliseconds, and when the request began and ended. Phases follow one
//! another from when the origin was asked; waiting ends where the answer begins. So lengths are measured, and places follow
//! from them.

use rayline_verdict::{Moment, RayId, SpanId, TraceId};

use super::line::{Attempt, Line};
use super::proto::{AnyValue, ArrayValue, KeyValue, Kind, Span, Status, StatusCode, Value};
use crate::job::moment;

/// Bytes of a text in an attribute: what is longer is cut.
const TEXT_BYTES: usize = 2048;

/// Attempts that are shown.
const ATTEMPTS: usize = 32;

/// The methods that have a name of their own in OpenTelemetry's conventions. Others could be anything.
const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

/// Appends the spans of a line. `false`: it is no line of a request.
pub(super) fn write(line: &Line<'_>, spans: &mut Vec<Span>) -> bool {
    let (Ok(ray), Some(start), Some(end)) =
        (line.ray.parse(), moment(line.edge_start_timestamp), moment(line.edge_end_timestamp))
    else {
        return false;
    };
    let trace = Trace::of(line, ray, start, end.max(start));
    trace.edge(spans);
    trace.origin(spans);
    true
}

struct Trace<'a> {
    line: &'a Line<'a>,
    ray: RayId,
    id: TraceId,
    parent: Option<SpanId>,
    start: u64,
    end: u64,
}

impl<'a> Trace<'a> {
    fn of(line: &'a Line<'a>, ray: RayId, Moment(start): Moment, Moment(end): Moment) -> Self {
        let visitor: Option<TraceId> = line.trace_id.and_then(|id| id.parse().ok());
        let parent = visitor.and(line.parent_span_id).and_then(|id| id.parse().ok());
        let nanos = |moment: i64| u64::try_from(moment).unwrap_or_default();
        Self {
            line,
            ray,
            id: visitor.unwrap_or_else(|| TraceId::of(ray)),
            parent,
            start: nanos(start),
            end: nanos(end),
        }
    }

    fn span(&self, name: &str, kind: Kind, id: SpanId, parent: Option<SpanId>, (start, end): (u64, u64)) -> Span {
        Span {
            trace_id: self.id.to_bytes().to_vec(),
            span_id: id.to_bytes().to_vec(),
            parent_span_id: parent.map(|parent| parent.to_bytes().to_vec()).unwrap_or_default(),
            name: name.to_owned(),
            kind: kind.into(),
            // no span leaves the request's time, whatever the rounding
            start_time_unix_nano: start.clamp(self.start, self.end),
            end_time_unix_nano: end.clamp(self.start, self.end),
            attributes: Vec::new(),
            status: None,
        }
    }

    /// The root: what the visitor asked the edge, and what came of it.
    fn edge(&self, spans: &mut Vec<Span>) {
        let line = self.line;
        let method = known(&line.client_request_method);
        let name = format!("edge {}", if method == "_OTHER" { "HTTP" } else { method });
        let mut span = self.span(&name, Kind::Server, SpanId::edge(self.ray), self.parent, (self.start, self.end));
        let mut attributes = Attributes::default();
        attributes.text("http.request.method", method);
        if method == "_OTHER" {
            attributes.text("http.request.method_original", &line.client_request_method);
        }
        let (path, query) = line.client_request_uri.split_once('?').unwrap_or((&line.client_request_uri, ""));
        let (host, port) = host_and_port(&line.client_request_host);
        let (protocol, version) = line.client_request_protocol.split_once('/').unwrap_or_default();
        attributes.text("url.scheme", line.client_request_scheme);
        attributes.text("url.path", path);
        attributes.text("url.query", &without_values(query));
        attributes.text("server.address", host);
        attributes.int("server.port", port);
        attributes.text("client.address", line.client_ip);
        attributes.int("client.port", line.client_src_port);
        attributes.text("network.protocol.name", &protocol.to_ascii_lowercase());
        attributes.text("network.protocol.version", version);
        attributes.text("user_agent.original", &line.client_request_user_agent);
        attributes.int("http.response.status_code", line.edge_response_status);
        attributes.int("http.request.body.size", line.client_request_body_bytes);
        attributes.int("http.response.body.size", line.edge_response_body_bytes);
        attributes.text("rayline.ray_id", line.ray);
        attributes.text("rayline.zone", &line.zone_name);
        attributes.text("rayline.colo", &line.edge_colo_code);
        attributes.int("rayline.plan_version", line.plan_version);
        attributes.text("rayline.cache_status", line.cache_cache_status);
        attributes.int("rayline.origin_status", line.origin_response_status);
        if let Some(code) = line.verdict_code {
            let (party, phase) = line.party_and_phase().unwrap_or_default();
            attributes.text("error.type", code);
            attributes.text("rayline.verdict.code", code);
            attributes.text("rayline.verdict.party", party);
            attributes.text("rayline.verdict.phase", phase);
            attributes.int("rayline.verdict.status", line.verdict_status);
            attributes.text("rayline.verdict.certainty", line.verdict_certainty);
            attributes.texts("rayline.verdict.rivals", &line.verdict_rivals);
            attributes.text("rayline.verdict.reached", line.verdict_reached);
            attributes.text("rayline.verdict.evidence", line.verdict_evidence.map_or("", |evidence| evidence.get()));
        } else if line.is_error() {
            attributes.text("error.type", &line.edge_response_status.to_string());
        }
        span.attributes = attributes.0;
        span.status = line.is_error().then(|| error(line.verdict_code.unwrap_or_default()));
        spans.push(span);
    }

    /// The attempts. The last is told to the origin as its parent, and has the phases.
    fn origin(&self, spans: &mut Vec<Span>) {
        let line = self.line;
        if line.origin_ip.is_empty() && line.verdict_attempts.is_empty() {
            return;
        }
        let answered = line.origin_response_status > 0;
        // the answer's first byte left the edge when the head had come; without one, the page followed at once
        let head = self.start + ms(line.edge_time_to_first_byte_ms);
        let asked = head.saturating_sub(ms(line.origin_ms)).max(self.start);
        let until = if answered { self.end } else { head.max(asked) };
        let earlier = line.verdict_attempts.len().saturating_sub(1).min(ATTEMPTS);
        let mut at = asked;
        for (place, attempt) in (2..).zip(line.verdict_attempts.iter().take(earlier)) {
            let time = (at, at + ms(attempt.took_ms));
            let id = SpanId::nth(self.ray, 16 + place);
            at = time.1;
            spans.push(self.attempt(id, time, attempt));
        }
        let last = line.verdict_attempts.last();
        let whole = Attempt {
            address: Some(format!("{}:{}", bracketed(line.origin_ip), line.origin_port).into()),
            reused: line.origin_connection_reused,
            status: answered.then_some(line.origin_response_status),
            code: last.and_then(|last| last.code.clone()),
            took_ms: 0,
        };
        let id = SpanId::origin(self.ray);
        let at = at.min(until);
        spans.push(self.attempt(id, (at, until), &whole));
        self.phases(spans, id, at, head, until);
    }

    fn attempt(&self, id: SpanId, time: (u64, u64), attempt: &Attempt<'_>) -> Span {
        let mut span = self.span("origin", Kind::Client, id, Some(SpanId::edge(self.ray)), time);
        let mut attributes = Attributes::default();
        let (host, port) = host_and_port(attempt.address.as_deref().unwrap_or_default());
        attributes.text("http.request.method", known(&self.line.client_request_method));
        attributes.text("server.address", host);
        attributes.int("server.port", port);
        attributes.text("network.peer.address", host);
        attributes.int("network.peer.port", port);
        attributes.int("http.response.status_code", attempt.status.unwrap_or_default());
        attributes.bool("rayline.connection_reused", attempt.reused);
        if let Some(code) = &attempt.code {
            attributes.text("error.type", code);
            span.status = Some(error(code));
        }
        span.attributes = attributes.0;
        span
    }

    fn phases(&self, spans: &mut Vec<Span>, parent: SpanId, asked: u64, head: u64, until: u64) {
        let line = self.line;
        let mut place = 2;
        let mut put = |name: &str, time: (u64, u64)| {
            spans.push(self.span(name, Kind::Internal, SpanId::nth(self.ray, place), Some(parent), time));
            place += 1;
        };
        let mut at = asked;
        for (name, took_ms) in [
            ("dns", line.origin_dns_ms),
            ("connect", line.origin_tcp_ms),
            ("tls", line.origin_tls_ms),
            ("send", line.origin_send_ms),
            ("wait", line.origin_wait_ms),
        ] {
            if took_ms > 0 {
                put(name, (at.min(until), (at + ms(took_ms)).min(until)));
                at += ms(took_ms);
            }
        }
        if line.origin_response_status > 0 && head < until {
            put("receive", (head, until));
        }
    }
}

fn ms(millis: u64) -> u64 {
    millis.saturating_mul(1_000_000)
}

fn known(method: &str) -> &'static str {
    METHODS.into_iter().find(|known| *known == method).unwrap_or("_OTHER")
}

fn error(message: &str) -> Status {
    Status { message: message.to_owned(), code: StatusCode::Error.into() }
}

/// The values of a query may be secrets; its keys tell what was asked.
fn without_values(query: &str) -> String {
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((key, _)) => format!("{key}=REDACTED"),
        None => pair.to_owned(),
    });
    pairs.collect::<Vec<_>>().join("&")
}

/// The two parts of `host:port`, the host without brackets; 0 where there is no port.
fn host_and_port(text: &str) -> (&str, u16) {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().unwrap_or_default()),
        Some(_) | None => (text, 0),
    };
    (host.trim_start_matches('[').trim_end_matches(']'), port)
}

fn bracketed(address: &str) -> String {
    if address.contains(':') { format!("[{address}]") } else { address.to_owned() }
}

#[derive(Default)]
struct Attributes(Vec<KeyValue>);

impl Attributes {
    /// An empty text says nothing, and is left out.
    fn text(&mut self, key: &str, text: &str) {
        if !text.is_empty() {
            self.put(key, Value::Text(cut(text)));
        }
    }

    fn texts(&mut self, key: &str, texts: &[&str]) {
        if !texts.is_empty() {
            let values = texts.iter().map(|text| AnyValue { value: Some(Value::Text(cut(text))) }).collect();
            self.put(key, Value::Array(ArrayValue { values }));
        }
    }

    /// Zero stands for nothing known in the fields that are asked for here.
    fn int(&mut self, key: &str, number: impl TryInto<i64>) {
        if let Some(number) = number.try_into().ok().filter(|number| *number != 0) {
            self.put(key, Value::Int(number));
        }
    }

    fn bool(&mut self, key: &str, value: bool) {
        self.put(key, Value::Bool(value));
    }

    fn put(&mut self, key: &str, value: Value) {
        self.0.push(KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }) });
    }
}

fn cut(text: &str) -> String {
    let end = (0..=TEXT_BYTES.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or_default()).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_keep_their_keys_alone() {
        assert_eq!(without_values("token=s3cret&a&b="), "token=REDACTED&a&b=REDACTED");
        assert_eq!(without_values(""), "");
    }

    #[test]
    fn hosts_are_taken_apart() {
        for (text, expected) in [
            ("a.example", ("a.example", 0)),
            ("a.example:8080", ("a.example", 8080)),
            ("[::1]:443", ("::1", 443)),
            ("[::1]", ("::1", 0)),
            ("", ("", 0)),
        ] {
            assert_eq!(host_and_port(text), expected);
        }
    }
}
