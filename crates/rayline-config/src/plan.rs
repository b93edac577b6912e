//! What runs: the configuration with every default filled in, every file read and every name resolved to its record.
//!
//! It holds no sockets and no state; which version of the configuration a plan is, whoever swaps it in knows.

mod rollout;
mod sight;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use rayline_rules::ZoneRules;
use rayline_verdict::Colo;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};

use crate::certificate::{Certificate, CertificateTable};
use crate::hosts::HostTable;

pub use rollout::{Maintenance, MaintenancePage, Rollout};
pub use sight::{Alert, AlertKind, Logpush, Receiver, ReceiverKind, Secret, Sight, Store, Trace};

/// A whole configuration, ready to run.
#[derive(Debug)]
pub struct Plan {
    /// What the configuration was called, to show it in logs.
    pub source_name: String,
    /// Listeners, files and what holds for every zone.
    pub server: Server,
    /// Where the request log goes and how much the edge says of itself.
    pub log: Log,
    /// Timers and sizes.
    pub limits: Limits,
    /// How the next version is rolled out.
    pub rollout: Rollout,
    /// What is kept of requests and sent elsewhere.
    pub sight: Sight,
    /// The zones in the order they were written.
    pub zones: Vec<Arc<Zone>>,
    /// Which zone and origin a host name leads to.
    pub hosts: HostTable,
    /// Which certificates a server name is answered with, over all zones.
    pub certificates: CertificateTable,
}

/// `[server]`.
#[derive(Debug, Clone)]
pub struct Server {
    /// Listeners for plain HTTP. Port 0 lets the system choose.
    pub http: Vec<SocketAddr>,
    /// Listeners for HTTP over TLS.
    pub https: Vec<SocketAddr>,
    /// The admin server, if it is opened.
    pub admin: Option<SocketAddr>,
    /// The folder for what the edge writes. It may not exist yet.
    pub data_dir: PathBuf,
    /// The place named in Ray IDs and in the trace.
    pub colo: Colo,
    /// The name error pages and headers give the edge.
    pub brand: String,
    /// Threads that serve visitors; 0 means one per core.
    pub threads: usize,
    /// Whether an origin *name* may resolve to a private, loopback or link-local address.
    pub allow_private_origins: bool,
    /// Whether the edge issues certificates from a local CA in `data_dir` for names that have none.
    pub development_ca: bool,
    /// CAs trusted toward origins besides the public ones.
    pub origin_ca: Vec<CertificateDer<'static>>,
    /// Revocation lists for origin certificates.
    pub origin_crl: Vec<CertificateRevocationListDer<'static>>,
    /// Name servers for origin names; empty means the system's.
    pub resolvers: Vec<SocketAddr>,
    /// Whose `CF-Connecting-IP` and `X-Forwarded-For` are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Which header visitors' connections begin with: all of them if `trusted_proxies` is empty; else those from its
    /// addresses must, and others, being direct visitors, must not.
    pub proxy_protocol: ProxyProtocol,
    /// How long requests in flight may take after the edge was told to end.
    pub drain_timeout: Duration,
    /// How long a visitor may take from the first byte of a request to the end of its header section.
    pub client_head_timeout: Duration,
    /// How long a visitor may pause between two pieces of a request body.
    pub client_body_timeout: Duration,
    /// How long a visitor may take none of an answer.
    pub client_write_timeout: Duration,
    /// How long a visitor's connection may stay open without a request.
    pub keepalive_timeout: Duration,
    /// Connections of visitors open at once, over all threads.
    pub max_connections: usize,
    /// Streams a visitor may have open on one HTTP/2 connection (RFC 9113 section 5.1.2), from 1 to 1000.
    pub http2_max_streams: u32,
}

/// `proxy_protocol`: which versions of the PROXY protocol's header are taken ("The PROXY protocol", versions 1 & 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProxyProtocol {
    /// None: connections begin with HTTP or TLS.
    Off,
    /// Version 1, one line of text.
    V1,
    /// Version 2, binary.
    V2,
    /// Either.
    Any,
}

/// `[log]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// Where the request log goes.
    pub requests: LogTarget,
    /// How much the edge says of itself on standard error.
    pub level: LogLevel,
}

/// Where request records are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogTarget {
    /// Appended to this file.
    File(PathBuf),
    /// Standard output.
    Stdout,
    /// Nowhere.
    Off,
}

/// How much the edge says of itself, from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// What failed.
    Error,
    /// What may be wrong.
    Warn,
    /// What changed: starts, reloads, listeners.
    Info,
    /// What someone who looks for a fault wants to know.
    Debug,
    /// Everything.
    Trace,
}

/// `[limits]`: timers and sizes that hold for every zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Origin: from SYN to SYN+ACK, over all addresses.
    pub connect_timeout: Duration,
    /// Origin: how long sent bytes may stay unacknowledged.
    pub ack_timeout: Duration,
    /// Origin: the whole TLS handshake.
    pub tls_timeout: Duration,
    /// Origin: how long it may refuse to read more of the request.
    pub write_timeout: Duration,
    /// Origin: resolving its name.
    pub resolve_timeout: Duration,
    /// Origin: how long an unused connection is kept.
    pub idle_timeout: Duration,
    /// How long a WebSocket may carry nothing either way.
    pub websocket_idle_timeout: Duration,
    /// Silence on an origin connection before keep-alive probes are sent.
    pub tcp_keepalive: Duration,
    /// Bytes of a response's header section, status line included.
    pub response_header_bytes: usize,
    /// Bytes of a request's header section, request line included.
    pub request_header_bytes: usize,
    /// Bytes of a request's target.
    pub request_uri_bytes: usize,
    /// Bytes of a request's body, unless the zone's `max_upload` says otherwise.
    pub request_body_bytes: u64,
}

/// One `[[zone]]`.
#[derive(Debug)]
pub struct Zone {
    /// Its apex, lower case, without a final dot.
    pub name: String,
    /// Proxied, logged and attributed, but with no settings, rules, cache or workers.
    pub paused: bool,
    /// `[zone.settings]`.
    pub settings: Settings,
    /// Its records in the order they were written.
    pub records: Vec<Record>,
    /// Certificates toward visitors.
    pub certificates: Vec<Arc<Certificate>>,
    /// Whom the edge shows itself to origins as; `Some` only where `tls_client_auth` is on.
    pub client_identity: Option<Arc<ClientIdentity>>,
    /// Pages of its own in place of the edge's.
    pub error_pages: ErrorPages,
    /// Its rules; `None` where it has none, or is paused.
    pub rules: Option<Arc<ZoneRules>>,
    /// `Some` while it is in maintenance.
    pub maintenance: Option<Maintenance>,
}

/// `[zone.origin_tls_client_auth]`: a client certificate with its key, which belong together.
#[derive(Debug)]
pub struct ClientIdentity {
    /// The certificate, followed by the intermediate ones.
    pub chain: Vec<CertificateDer<'static>>,
    /// The key of the first certificate; its bytes are not in the debug output.
    pub key: PrivateKeyDer<'static>,
}

/// `[zone.settings]`, named as Cloudflare's zone settings are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How the edge speaks to the origin.
    pub ssl: SslMode,
    /// How long an origin may take to answer, and to pause between two reads of the body.
    pub proxy_read_timeout: Duration,
    /// Whether plain HTTP is redirected to HTTPS.
    pub always_use_https: bool,
    /// The lowest TLS version a visitor may use.
    pub min_tls_version: TlsVersion,
    /// The highest HTTP version spoken to origins.
    pub origin_max_http_version: HttpVersion,
    /// Streams the edge opens on one HTTP/2 connection to an origin, from 1 to 1000; the origin's own limit may be lower.
    pub origin_h2_max_streams: u32,
    /// Whether visitors are offered HTTP/2 by ALPN.
    pub http2: bool,
    /// Whether visitors may open WebSockets.
    pub websockets: bool,
    /// Whether origins are told the visitor's country.
    pub ip_geolocation: bool,
    /// Whether origins that ask for a client certificate are shown the zone's (authenticated origin pulls).
    pub tls_client_auth: bool,
    /// Whether the cache is bypassed.
    pub development_mode: bool,
    /// The port origins listen on for HTTP.
    pub origin_http_port: u16,
    /// The port origins listen on for HTTPS.
    pub origin_https_port: u16,
    /// Whether an origin's own 502 and 504 bodies reach the visitor.
    pub origin_error_page_pass_thru: bool,
    /// Bytes of a request's body: `max_upload` if written, else `limits.request_body_bytes`.
    pub max_upload_bytes: u64,
    /// Whether answers carry `Server-Timing`.
    pub server_timing: bool,
    /// Whether requests with header fields that no browser sends are refused (browser integrity check).
    pub browser_check: bool,
    /// Whether pages of other sites are refused this zone's images.
    pub hotlink_protection: bool,
    /// How long a challenge that was passed holds.
    pub challenge_ttl: Duration,
}

/// The zone setting `ssl` (Cloudflare documentation, "Encryption modes").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SslMode {
    /// Plain HTTP on both sides.
    Off,
    /// HTTP to the origin, whatever the visitor uses.
    Flexible,
    /// The visitor's scheme; the origin's certificate is not checked.
    Full,
    /// The visitor's scheme; the origin's certificate is checked.
    Strict,
    /// Always HTTPS to the origin; its certificate is checked.
    OriginPull,
}

/// A TLS version the edge can speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TlsVersion {
    /// TLS 1.2.
    V12,
    /// TLS 1.3.
    V13,
}

/// A major HTTP version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HttpVersion {
    /// HTTP/1.1.
    V1,
    /// HTTP/2.
    V2,
}

/// One `[[zone.dns_records]]`, as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The full name, lower case, without a final dot. For a wildcard without its `*.`.
    pub name: String,
    /// Whether it was written with a leading `*`.
    pub wildcard: bool,
    /// Its type.
    pub kind: RecordKind,
    /// What it points to.
    pub content: Content,
    /// Whether the edge serves it; `false` is DNS-only.
    pub proxied: bool,
    /// The operator's note.
    pub comment: String,
}

/// The record types that lead to an origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecordKind {
    /// An IPv4 address.
    A,
    /// An IPv6 address.
    Aaaa,
    /// Another name.
    Cname,
}

/// What a record points to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// An address written literally.
    Address(IpAddr),
    /// A name, lower case, without a final dot.
    Name(String),
}

/// `[zone.error_pages]`: Cloudflare's identifiers, as far as this edge makes such errors.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErrorPages {
    /// `500_errors`: 500 to 526 made by the edge.
    pub errors_500: Option<ErrorPage>,
    /// `1000_errors`: the 1xxx family.
    pub errors_1000: Option<ErrorPage>,
}

/// A custom error page, its tokens not yet filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorPage {
    /// The file it came from.
    pub path: PathBuf,
    /// The page with its tokens, at most 1,500,000 bytes.
    pub html: Arc<str>,
}
