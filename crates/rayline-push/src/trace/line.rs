//! The fields of a request log's line that a trace is made of.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// One line. What is missing is empty.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Line<'a> {
    #[serde(rename = "RayID")]
    pub(super) ray: &'a str,
    /// Not there unless the visitor's `traceparent` named it.
    #[serde(rename = "TraceID")]
    pub(super) trace_id: Option<&'a str>,
    #[serde(rename = "ParentSpanID")]
    pub(super) parent_span_id: Option<&'a str>,
    pub(super) edge_start_timestamp: &'a str,
    pub(super) edge_end_timestamp: &'a str,
    #[serde(borrow)]
    pub(super) edge_colo_code: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) zone_name: Cow<'a, str>,
    pub(super) plan_version: u64,
    #[serde(rename = "ClientIP")]
    pub(super) client_ip: &'a str,
    pub(super) client_src_port: u16,
    pub(super) client_request_scheme: &'a str,
    #[serde(borrow)]
    pub(super) client_request_method: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) client_request_host: Cow<'a, str>,
    #[serde(rename = "ClientRequestURI", borrow)]
    pub(super) client_request_uri: Cow<'a, str>,
    pub(super) client_request_protocol: &'a str,
    #[serde(borrow)]
    pub(super) client_request_user_agent: Cow<'a, str>,
    pub(super) client_request_body_bytes: u64,
    pub(super) edge_response_status: u16,
    pub(super) edge_response_body_bytes: u64,
    pub(super) edge_time_to_first_byte_ms: u64,
    pub(super) cache_cache_status: &'a str,
    #[serde(rename = "OriginIP")]
    pub(super) origin_ip: &'a str,
    pub(super) origin_port: u16,
    pub(super) origin_response_status: u16,
    pub(super) origin_connection_reused: bool,
    #[serde(rename = "OriginDNSResponseTimeMs")]
    pub(super) origin_dns_ms: u64,
    #[serde(rename = "OriginTCPHandshakeDurationMs")]
    pub(super) origin_tcp_ms: u64,
    #[serde(rename = "OriginTLSHandshakeDurationMs")]
    pub(super) origin_tls_ms: u64,
    #[serde(rename = "OriginRequestHeaderSendDurationMs")]
    pub(super) origin_send_ms: u64,
    #[serde(rename = "OriginResponseHeaderReceiveDurationMs")]
    pub(super) origin_wait_ms: u64,
    #[serde(rename = "OriginResponseDurationMs")]
    pub(super) origin_ms: u64,
    pub(super) verdict_code: Option<&'a str>,
    pub(super) verdict_status: u16,
    pub(super) verdict_certainty: &'a str,
    #[serde(borrow)]
    pub(super) verdict_rivals: Vec<&'a str>,
    pub(super) verdict_reached: &'a str,
    #[serde(borrow)]
    pub(super) verdict_evidence: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) verdict_attempts: Vec<Attempt<'a>>,
}

/// One of `VerdictAttempts`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Attempt<'a> {
    #[serde(borrow)]
    pub(super) address: Option<Cow<'a, str>>,
    pub(super) reused: bool,
    pub(super) status: Option<u16>,
    #[serde(borrow)]
    pub(super) code: Option<Cow<'a, str>>,
    pub(super) took_ms: u64,
}

impl Line<'_> {
    /// Party and phase of the code.
    pub(super) fn party_and_phase(&self) -> Option<(&str, &str)> {
        let mut parts = self.verdict_code?.split('.');
        Some((parts.next()?, parts.next()?))
    }

    /// Whether the server's side is at fault: a visitor's mistake, or a rule that did what it is for, is no error of the
    /// span (OpenTelemetry, "Semantic conventions for HTTP spans", status).
    pub(super) fn is_error(&self) -> bool {
        let blamed = self.party_and_phase().is_some_and(|(party, _)| party != "visitor" && party != "policy");
        blamed || self.edge_response_status >= 500
    }
}
