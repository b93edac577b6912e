//! The request log's line: one JSON object per record, and a line break.
//!
//! Names and types are those of Cloudflare's `http_requests` dataset for what it covers, with `Verdict*` and a few
//! of ours beside them; times are RFC 3339 in UTC with nanoseconds, which that dataset offers beside its default,
//! integers. The fields stand in one table, [`FIELDS`], which writes the line and documents it. Where a line goes
//! is not known here.

use crate::evidence::Audience;
use crate::record::{OriginFacts, Record};
use crate::rules::{AsObject, Logged, RuleFacts, RuleMatch, SecurityEvent};
use crate::verdict::Verdict;
use crate::write;

/// The JSON type of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A string.
    String,
    /// A number without a fraction.
    Int,
    /// `true` or `false`.
    Bool,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl Kind {
    /// The word in the documentation.
    pub const fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Int => "int",
            Self::Bool => "bool",
            Self::Array => "array",
            Self::Object => "object",
        }
    }
}

/// Whose name a field bears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The `http_requests` dataset's: same name, same type, same meaning.
    Dataset,
    /// Rayline's own.
    Ours,
}

/// One field of the line.
#[derive(Debug)]
pub struct Field {
    /// The name.
    pub name: &'static str,
    /// The type.
    pub kind: Kind,
    /// Whose name it is.
    pub origin: Origin,
    /// One sentence of documentation, in Markdown.
    pub doc: &'static str,
    source: Source,
}

impl Field {
    /// Whether only the lines of requests with a verdict have it.
    pub const fn needs_verdict(&self) -> bool {
        matches!(self.source, Source::Verdict)
    }

    /// Whether a line is without it where there is nothing to say.
    pub const fn is_optional(&self) -> bool {
        matches!(self.source, Source::Known)
    }
}

/// What a field is made of.
#[derive(Debug)]
enum Source {
    /// The record.
    Record,
    /// The record, which may have nothing to say.
    Known,
    /// The verdict, if there is one.
    Verdict,
}

impl Source {
    #[inline(always)]
    fn record(key: &str, record: &Record, out: &mut Vec<u8>, write: impl FnOnce(&Record, &mut Vec<u8>)) {
        out.extend_from_slice(key.as_bytes());
        write(record, out);
    }

    /// `write` says whether it wrote anything.
    #[inline(always)]
    fn known(key: &str, record: &Record, out: &mut Vec<u8>, write: impl FnOnce(&Record, &mut Vec<u8>) -> bool) {
        let before = out.len();
        out.extend_from_slice(key.as_bytes());
        if !write(record, out) {
            out.truncate(before);
        }
    }

    #[inline(always)]
    fn verdict(key: &str, record: &Record, out: &mut Vec<u8>, write: impl FnOnce(&Verdict, &mut Vec<u8>)) {
        if let Some(verdict) = record.verdict.as_deref() {
            out.extend_from_slice(key.as_bytes());
            write(verdict, out);
        }
    }
}

/// Appends one line. Of the evidence it holds everything: the log is the operator's.
///
/// Without a verdict nothing is allocated but what `out` needs to grow.
pub fn write(record: &Record, out: &mut Vec<u8>) {
    let start = out.len();
    write_fields(record, out);
    // Every field begins with a comma; the first one's makes room for the brace.
    if let Some(first) = out.get_mut(start) {
        *first = b'{';
    }
    out.extend_from_slice(b"}\n");
}

macro_rules! fields {
    ($($source:ident $origin:ident $kind:ident $name:literal $doc:literal $write:expr;)+) => {
        /// Every field, in the order of the line.
        pub static FIELDS: &[Field] = &[$(Field {
            name: $name,
            kind: Kind::$kind,
            origin: Origin::$origin,
            doc: $doc,
            source: Source::$source,
        }),+];

        fn write_fields(record: &Record, out: &mut Vec<u8>) {
            $(write_field!($source)(concat!(",\"", $name, "\":"), record, out, $write);)+
        }
    };
}

macro_rules! write_field {
    (Record) => {
        Source::record
    };
    (Known) => {
        Source::known
    };
    (Verdict) => {
        Source::verdict
    };
}

fields! {
    Record Dataset String "RayID" "Which request: 16 hexadecimal digits, as in `cf-ray` before the dash."
        |record, out| write::quoted(out, &record.ray.digits());
    Record Dataset String "EdgeStartTimestamp" "When the first byte of the request arrived (RFC 3339, UTC, nanoseconds)."
        |record, out| time(out, record.start);
    Record Dataset String "EdgeEndTimestamp" "When the answer ended (RFC 3339, UTC, nanoseconds)."
        |record, out| time(out, record.end);
    Record Dataset String "EdgeColoCode" "Which edge: three letters, `colo` in the configuration."
        |record, out| write::quoted(out, record.colo.as_bytes());
    Record Dataset String "ZoneName" "The zone; empty if no zone has the host name."
        |record, out| write::json(out, record.zone.as_bytes());
    Record Ours Int "PlanVersion" "The version of the configuration that decided."
        |record, out| write::int(out, record.plan_version);

    Record Dataset String "ClientIP" "The visitor's address; behind a trusted proxy, the one that it names."
        |record, out| ip(out, Some(record.client_ip));
    Known Dataset String "ClientCountry" "Where `ClientIP` is registered: two lower-case letters of ISO 3166-1."
        |record, out| known(record.country, |country| write::quoted(out, &country.as_bytes().map(|letter| letter.to_ascii_lowercase())));
    Record Dataset Int "ClientSrcPort" "The port that the connection came from."
        |record, out| write::int(out, record.client.port());
    Record Dataset String "ClientRequestScheme" "`http` or `https`."
        |record, out| write::quoted(out, record.scheme.as_bytes());
    Record Dataset String "ClientRequestMethod" "The method."
        |record, out| write::json(out, &record.method);
    Record Dataset String "ClientRequestHost" "The host name asked for, as sent."
        |record, out| write::json(out, &record.host);
    Record Dataset String "ClientRequestURI" "Path and query, as sent."
        |record, out| write::json(out, &record.uri);
    Record Dataset String "ClientRequestProtocol" "The version of HTTP, such as `HTTP/1.1`."
        |record, out| write::quoted(out, record.protocol.as_bytes());
    Record Dataset String "ClientRequestUserAgent" "`User-Agent`, as sent."
        |record, out| write::json(out, &record.user_agent);
    Record Ours Int "ClientRequestBodyBytes" "Bytes of the request's body that arrived."
        |record, out| write::int(out, record.client_body_bytes);
    Record Dataset String "ClientSSLProtocol" "The visitor's TLS version, such as `TLSv1.3`; `none` without TLS."
        |record, out| write::quoted(out, record.client_ssl_protocol.as_bytes());

    Record Dataset Int "EdgeResponseStatus" "The status sent to the visitor; 0 if nothing could be sent."
        |record, out| write::int(out, record.edge_status);
    Record Dataset Int "EdgeResponseBytes" "Bytes sent to the visitor, head and body."
        |record, out| write::int(out, record.edge_bytes);
    Record Dataset Int "EdgeResponseBodyBytes" "Bytes of the body sent to the visitor."
        |record, out| write::int(out, record.edge_body_bytes);
    Record Dataset Int "EdgeTimeToFirstByteMs" "Milliseconds from the start of the request to the first byte of the answer."
        |record, out| millis(out, record.first_byte_us);

    Known Ours Int "GrpcStatus" "The `grpc-status` that the visitor got, whoever set it."
        |record, out| known(record.grpc_status, |status| write::int(out, status));

    Known Ours String "TraceID" "The trace that the visitor named in `traceparent`, where `[trace]` passes traces on: 32 hexadecimal digits."
        |record, out| known(record.trace, |trace| write::quoted(out, trace.trace.to_string().as_bytes()));
    Known Ours String "ParentSpanID" "The span of the visitor's that this request belongs to: 16 hexadecimal digits."
        |record, out| known(record.trace, |trace| write::quoted(out, trace.parent.to_string().as_bytes()));

    Record Dataset String "CacheCacheStatus" "How the cache was met: `dynamic` (not to be cached), `unknown` (answered before it was asked)."
        |record, out| write::quoted(out, record.cache.name().as_bytes());

    Record Dataset String "OriginIP" "The origin's address that answered, or the last that was tried; empty if none was."
        |record, out| ip(out, origin(record, |origin| origin.address).flatten().map(|address| address.ip()));
    Record Ours Int "OriginPort" "The port at `OriginIP`; 0 if none was tried."
        |record, out| write::int(out, origin(record, |origin| origin.address).flatten().map_or(0, |address| address.port()));
    Record Dataset Int "OriginResponseStatus" "The status that the origin sent; 0 if none came."
        |record, out| write::int(out, origin(record, |origin| origin.status).unwrap_or_default());
    Record Ours Bool "OriginConnectionReused" "Whether a kept-alive connection was used; the durations of handshakes are then 0."
        |record, out| write::bool(out, origin(record, |origin| origin.reused).unwrap_or_default());
    Known Ours String "OriginProtocol" "The version of HTTP spoken to the origin: `HTTP/1.1` or `HTTP/2`."
        |record, out| known(protocol(record), |protocol| write::quoted(out, protocol.as_bytes()));
    Record Dataset String "OriginSSLProtocol" "The TLS version toward the origin; `none` without TLS, empty if no origin was asked."
        |record, out| write::quoted(out, origin(record, |origin| origin.ssl_protocol).unwrap_or_default().as_bytes());
    Record Dataset Int "OriginDNSResponseTimeMs" "Milliseconds to resolve the origin's name."
        |record, out| millis(out, origin(record, |origin| origin.dns_us).unwrap_or_default());
    Record Dataset Int "OriginTCPHandshakeDurationMs" "Milliseconds to connect to the origin."
        |record, out| millis(out, origin(record, |origin| origin.tcp_us).unwrap_or_default());
    Record Dataset Int "OriginTLSHandshakeDurationMs" "Milliseconds of the TLS handshake with the origin."
        |record, out| millis(out, origin(record, |origin| origin.tls_us).unwrap_or_default());
    Record Dataset Int "OriginRequestHeaderSendDurationMs" "Milliseconds to send the head of the request to the origin."
        |record, out| millis(out, origin(record, |origin| origin.send_us).unwrap_or_default());
    Record Dataset Int "OriginResponseHeaderReceiveDurationMs" "Milliseconds from the head's sending to the arrival of the response's head."
        |record, out| millis(out, origin(record, |origin| origin.header_us).unwrap_or_default());
    Record Dataset Int "OriginResponseDurationMs" "Milliseconds from the decision to ask the origin to the arrival of the response's head."
        |record, out| millis(out, origin(record, |origin| origin.response_us).unwrap_or_default());

    Record Dataset String "SecurityAction" "What the rule of security did that ended the request: `block` or `managed_challenge`; empty: none did."
        |record, out| write::quoted(out, ended(record).map_or("", |event| event.action).as_bytes());
    Record Dataset String "SecurityRuleID" "The rule that did it; empty: none did."
        |record, out| write::json(out, ended(record).map_or("", |event| &event.rule).as_bytes());
    Known Dataset Array "SecurityActions" "What each rule of security did that matched, in order."
        |record, out| known(security(record), |events| write::value(out, &actions(events)));
    Known Dataset Array "SecurityRuleIDs" "Those rules."
        |record, out| known(security(record), |events| write::value(out, &ids(events)));
    Known Dataset Array "SecuritySources" "What kind of rule each of them is, such as `firewallCustom`."
        |record, out| known(security(record), |events| write::value(out, &sources(events)));
    Known Ours Array "Rules" "The rules that matched, in order: `id`, `phase`, `action`, `ended`, and `changes` with `what`, `before`, `after`."
        |record, out| known(matches(record), |matches| write::value(out, &matches));
    Known Dataset Object "RequestHeaders" "Header fields of the request that a rule has put into the log."
        |record, out| known(logged(record, |rules| &rules.request_headers), |fields| write::value(out, &fields));
    Known Dataset Object "ResponseHeaders" "Header fields of the answer that a rule has put into the log."
        |record, out| known(logged(record, |rules| &rules.response_headers), |fields| write::value(out, &fields));
    Known Dataset Object "Cookies" "Cookies of the request that a rule has put into the log."
        |record, out| known(logged(record, |rules| &rules.cookies), |fields| write::value(out, &fields));
    Record Dataset String "WorkerStatus" "How the worker ended; empty: none ran."
        |_, out| write::quoted(out, b"");

    Verdict Ours String "VerdictCode" "What failed: `party.phase.cause`, such as `origin.connect.refused`."
        |verdict, out| write::quoted(out, verdict.code.name().as_bytes());
    Verdict Ours Int "VerdictStatus" "The number that stands for it: 520, 1016, the origin's own status; 0 where there is none."
        |verdict, out| write::int(out, verdict.number);
    Verdict Ours String "VerdictCertainty" "`proven`: the evidence fits nothing else; `inferred`: it fits the rivals too."
        |verdict, out| write::quoted(out, verdict.certainty.name().as_bytes());
    Verdict Ours Array "VerdictRivals" "The codes that it could be as well."
        |verdict, out| rivals(out, verdict);
    Verdict Ours String "VerdictReached" "Whether the request reached the application: `no`, `maybe`, `yes`. After `no` repeating it is safe."
        |verdict, out| write::quoted(out, verdict.reached.name().as_bytes());
    Verdict Ours Object "VerdictEvidence" "The facts that show it, by name."
        |verdict, out| write::value(out, &verdict.evidence.visible(Audience::Operator));
    Verdict Ours Array "VerdictAttempts" "What was tried, in order: `address`, `reused`, `status`, `code`, `took_ms`."
        |verdict, out| write::value(out, &verdict.attempts);
}

/// Writes what there is, and says whether there was anything.
fn known<T>(value: Option<T>, write: impl FnOnce(T)) -> bool {
    value.map(write).is_some()
}

fn rules(record: &Record) -> Option<&RuleFacts> {
    record.rules.as_deref()
}

fn ended(record: &Record) -> Option<&SecurityEvent> {
    rules(record)?.ended_by()
}

fn security(record: &Record) -> Option<&[SecurityEvent]> {
    rules(record).map(|rules| &*rules.security).filter(|events| !events.is_empty())
}

fn actions(events: &[SecurityEvent]) -> Vec<&str> {
    events.iter().map(|event| event.action).collect()
}

fn ids(events: &[SecurityEvent]) -> Vec<&str> {
    events.iter().map(|event| &*event.rule).collect()
}

fn sources(events: &[SecurityEvent]) -> Vec<&str> {
    events.iter().map(|event| event.source).collect()
}

fn matches(record: &Record) -> Option<&[RuleMatch]> {
    rules(record).map(|rules| &*rules.matches).filter(|matches| !matches.is_empty())
}

fn logged(record: &Record, pick: impl Fn(&RuleFacts) -> &Vec<Logged>) -> Option<AsObject<'_>> {
    rules(record).map(|rules| AsObject(pick(rules))).filter(|fields| !fields.0.is_empty())
}

fn protocol(record: &Record) -> Option<&'static str> {
    origin(record, |origin| origin.protocol).filter(|protocol| !protocol.is_empty())
}

fn time(out: &mut Vec<u8>, moment: crate::Moment) {
    out.push(b'"');
    write::nanoseconds(out, moment);
    out.push(b'"');
}

fn ip(out: &mut Vec<u8>, address: Option<std::net::IpAddr>) {
    out.push(b'"');
    if let Some(address) = address {
        write::put_address(out, address);
    }
    out.push(b'"');
}

/// Whole milliseconds, rounded down: the dataset's durations are integers.
fn millis(out: &mut Vec<u8>, micros: u64) {
    write::int(out, micros / 1000);
}

fn rivals(out: &mut Vec<u8>, verdict: &Verdict) {
    out.push(b'[');
    for (place, rival) in verdict.rivals.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        write::quoted(out, rival.name().as_bytes());
    }
    out.push(b']');
}

fn origin<T>(record: &Record, pick: impl Fn(&OriginFacts) -> T) -> Option<T> {
    record.origin.as_ref().map(pick)
}
