//! The fact kept of every request: what was asked, what each phase took, what came of it.
//!
//! Field names in the log are those of Cloudflare's `http_requests` dataset for what they cover, and `Verdict*`
//! beside them. Texts are slices of the request's own bytes, so that a record costs no copy on the data path.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;

use crate::moment::Moment;
use crate::ray::{Colo, RayId};
use crate::rules::RuleFacts;
use crate::trace_context::TraceParent;
use crate::verdict::Verdict;

/// How the answer relates to the cache, as in `CacheCacheStatus`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CacheStatus {
    /// Not eligible for the cache.
    #[default]
    Dynamic,
    /// Answered before the cache was asked.
    None,
}

impl CacheStatus {
    /// The word in the request log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dynamic => "dynamic",
            Self::None => "unknown",
        }
    }
}

/// Where an address is registered, as in `CF-IPCountry`: two letters of ISO 3166-1, or a pair such as `T1` or `XX`
/// that stands for no country.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Country([u8; 2]);

impl Country {
    /// Not known: a private address, or one that nobody has been given.
    pub const UNKNOWN: Self = Self(*b"XX");

    /// Takes two ASCII letters or digits; letters become capitals.
    pub const fn new(letters: [u8; 2]) -> Option<Self> {
        let [first, second] = letters;
        if first.is_ascii_alphanumeric() && second.is_ascii_alphanumeric() {
            Some(Self([first.to_ascii_uppercase(), second.to_ascii_uppercase()]))
        } else {
            None
        }
    }

    /// The two characters, letters as capitals.
    pub const fn as_bytes(&self) -> &[u8; 2] {
        &self.0
    }

    /// The same as text.
    pub const fn as_str(&self) -> &str {
        match std::str::from_utf8(&self.0) {
            Ok(text) => text,
            // What is not ASCII is not taken.
            Err(_) => "XX",
        }
    }
}

/// What was seen of the origin while one request was served.
#[derive(Clone, Debug, Default)]
pub struct OriginFacts {
    /// The address that answered, or the last that was tried.
    pub address: Option<SocketAddr>,
    /// The status received, 0 if none was.
    pub status: u16,
    /// Whether a kept-alive connection was used.
    pub reused: bool,
    /// The version of HTTP spoken, `HTTP/1.1` or `HTTP/2`; empty until it is known.
    pub protocol: &'static str,
    /// The TLS version, such as `TLSv1.3`; `none` over plain TCP.
    pub ssl_protocol: &'static str,
    /// Microseconds to resolve the origin's name; 0 when it was an address or cached.
    pub dns_us: u64,
    /// Microseconds to connect; 0 on a reused connection.
    pub tcp_us: u64,
    /// Microseconds of TLS handshake; 0 on a reused connection.
    pub tls_us: u64,
    /// Microseconds to send the request's head.
    pub send_us: u64,
    /// Microseconds from the head's sending to the response head's arrival.
    pub header_us: u64,
    /// Microseconds from the decision to ask the origin to the response head's arrival.
    pub response_us: u64,
}

/// Everything known of one request.
#[derive(Clone, Debug)]
pub struct Record {
    /// Which request.
    pub ray: RayId,
    /// Where.
    pub colo: Colo,
    /// The visitor's first byte of the request.
    pub start: Moment,
    /// The end of the answer.
    pub end: Moment,
    /// The configuration that decided.
    pub plan_version: u64,
    /// The zone; empty if none matched.
    pub zone: Arc<str>,
    /// The visitor.
    pub client: SocketAddr,
    /// The address believed to be the visitor's, where a trusted proxy stands in front.
    pub client_ip: IpAddr,
    /// Where that address is registered, if that was looked up and is known.
    pub country: Option<Country>,
    /// `Host`, as sent.
    pub host: Bytes,
    /// The method.
    pub method: Bytes,
    /// The request target.
    pub uri: Bytes,
    /// `User-Agent`.
    pub user_agent: Bytes,
    /// `HTTP/1.0`, `HTTP/1.1` or `HTTP/2`.
    pub protocol: &'static str,
    /// `http` or `https`.
    pub scheme: &'static str,
    /// The visitor's TLS version, `none` over plain TCP.
    pub client_ssl_protocol: &'static str,
    /// The status sent; 0 if none was.
    pub edge_status: u16,
    /// Bytes sent, head and body.
    pub edge_bytes: u64,
    /// Body bytes sent.
    pub edge_body_bytes: u64,
    /// Body bytes received from the visitor.
    pub client_body_bytes: u64,
    /// Microseconds from the request's start to the first byte of the answer.
    pub first_byte_us: u64,
    /// The `grpc-status` that the visitor got, where the call was one of gRPC.
    pub grpc_status: Option<u32>,
    /// The trace that the visitor named in `traceparent`, where traces are passed on (W3C Trace Context).
    pub trace: Option<TraceParent>,
    /// The cache.
    pub cache: CacheStatus,
    /// The origin, if it was asked.
    pub origin: Option<OriginFacts>,
    /// What rules did to it, if any did something.
    pub rules: Option<Box<RuleFacts>>,
    /// The verdict, if there is one.
    pub verdict: Option<Box<Verdict>>,
}
