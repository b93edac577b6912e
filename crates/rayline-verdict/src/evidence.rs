//! Typed facts that show how a verdict is known, each marked with who may see it.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::snippet::Snippet;
use crate::write;

/// Who may see a fact. The order is one of trust: each sees what those before it see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Audience {
    /// Whoever sent the request. Sees no address, path, byte or stack of the owner's.
    Visitor,
    /// Whoever owns the zone.
    Owner,
    /// Whoever runs the edge.
    Operator,
}

/// Which end of a connection did something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Rayline's end.
    Ours,
    /// The other end.
    Theirs,
}

impl End {
    /// The word in `VerdictEvidence`.
    const fn name(self) -> &'static str {
        match self {
            Self::Ours => "edge",
            Self::Theirs => "peer",
        }
    }
}

/// The name of an HTTP/2 error code (RFC 9113 §7); `unknown` for one that is not registered there, which is treated as
/// `INTERNAL_ERROR`.
pub const fn http2_error_name(code: u32) -> &'static str {
    match code {
        0x0 => "NO_ERROR",
        0x1 => "PROTOCOL_ERROR",
        0x2 => "INTERNAL_ERROR",
        0x3 => "FLOW_CONTROL_ERROR",
        0x4 => "SETTINGS_TIMEOUT",
        0x5 => "STREAM_CLOSED",
        0x6 => "FRAME_SIZE_ERROR",
        0x7 => "REFUSED_STREAM",
        0x8 => "CANCEL",
        0x9 => "COMPRESSION_ERROR",
        0xa => "CONNECT_ERROR",
        0xb => "ENHANCE_YOUR_CALM",
        0xc => "INADEQUATE_SECURITY",
        0xd => "HTTP_1_1_REQUIRED",
        _ => "unknown",
    }
}

/// What the kernel knows of a TCP connection: `TCP_INFO` of Linux, read when the fault was met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpState {
    /// State of the connection, such as `ESTABLISHED`, by the kernel's name.
    pub state: &'static str,
    /// Segments sent and not acknowledged.
    pub unacked_segments: u32,
    /// Bytes handed to the kernel and not yet sent.
    pub unsent_bytes: u32,
    /// Segments sent again, in all.
    pub retransmits: u32,
    /// Retransmission time-outs in a row, without an acknowledgement since the first of them.
    pub timeouts: u32,
    /// Smoothed round-trip time in microseconds.
    pub rtt_us: u32,
    /// Milliseconds since data last arrived.
    pub last_received_ms: u32,
    /// The window the peer offers, in bytes; 0 with nothing unacknowledged: the peer does not read.
    pub peer_window: u32,
}

impl TcpState {
    /// Whether the other end's kernel does not acknowledge what it has room for. What is on its way looks the same for a
    /// moment, so it must have been sent again in vain; and an end that shut its window acknowledges every probe.
    pub fn is_unacknowledged(&self) -> bool {
        self.unacked_segments > 0 && self.timeouts > 0 && self.peer_window > 0
    }
}

/// The facts that a certificate states of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFacts {
    /// Distinguished name of the subject.
    pub subject: String,
    /// Distinguished name of the issuer.
    pub issuer: String,
    /// Subject alternative names: host names and addresses, at most 100.
    pub names: Vec<String>,
    /// Start of validity, seconds since 1970-01-01 UTC.
    pub not_before: i64,
    /// End of validity, seconds since 1970-01-01 UTC.
    pub not_after: i64,
    /// Serial number, hexadecimal.
    pub serial: String,
    /// How many certificates were presented, this one included.
    pub chain_length: usize,
}

/// What was asked of the name servers, and what they said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DnsFacts {
    /// The name asked for.
    pub name: String,
    /// The response code by its name in RFC 1035 and 6895, such as `NXDOMAIN`; `none` when no answer came.
    pub response_code: String,
    /// Aliases followed, in order.
    pub aliases: Vec<String>,
    /// Addresses found.
    pub addresses: Vec<IpAddr>,
    /// The name servers asked.
    pub servers: Vec<SocketAddr>,
    /// Milliseconds it took.
    pub took_ms: u64,
}

/// One typed fact. At most one of each kind per attempt; a later one of the same kind replaces the earlier.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// The address that was connected to, or tried.
    OriginAddress(SocketAddr),
    /// The origin's name, where the record holds a name.
    OriginName(String),
    /// The system call's error.
    Errno { number: i32, name: &'static str },
    /// The ICMP message that the kernel's error queue held (`IP_RECVERR`).
    Icmp { kind: u8, code: u8, meaning: &'static str, from: Option<IpAddr> },
    /// The timer that ran out: its setting's name and its limit in milliseconds.
    Timer { setting: &'static str, limit_ms: u64 },
    /// Bytes of this request sent to the origin, head and body.
    BytesSent(u64),
    /// Bytes of the response received from the origin.
    BytesReceived(u64),
    /// Body bytes received, and how many were announced where a length was.
    Body { received: u64, expected: Option<u64> },
    /// The first bytes received on the attempt, below HTTP.
    FirstBytes(Snippet),
    /// The last bytes received.
    LastBytes(Snippet),
    /// The bytes around the place where a rule was broken, the rule and its clause.
    Violation { rule: String, clause: &'static str, offset: usize, bytes: Snippet },
    /// A size over its limit: what, how large (at least), and the limit in bytes or entries.
    Limit { what: &'static str, seen: u64, limit: u64 },
    /// The origin connection: its age and its time idle before this request, in milliseconds, and how many requests
    /// it had served before.
    Connection { age_ms: u64, idle_ms: u64, served: u32 },
    /// The kernel's view of the connection.
    Tcp(TcpState),
    /// A TLS alert, by name and number, and who sent it.
    TlsAlert { name: String, number: u8, sent_by: End },
    /// What the TLS library said.
    TlsError(String),
    /// The HTTP/2 frame that ended a stream or the connection: `GOAWAY` or `RST_STREAM`, its error code by number and by
    /// name (see [`http2_error_name`]), who sent it, and the text that a GOAWAY may carry.
    Http2Error { frame: &'static str, code: u32, name: &'static str, sent_by: End, debug: Option<Snippet> },
    /// The HTTP/2 connection to the origin: streams open with this one, requests served before, and the origin's
    /// `SETTINGS_MAX_CONCURRENT_STREAMS`, `u32::MAX` where it set none.
    Http2Connection { streams: u32, served: u64, most: u32 },
    /// HTTP/2 frames in numbers no client needs: their kind, how many there were, and how many are allowed.
    Frames { kind: &'static str, count: u64, limit: u64 },
    /// The protocol that an upgrade asked for, and what the answer offered in its place.
    Upgrade { asked: String, got: String },
    /// The version of HTTP spoken to the origin: `HTTP/1.1` or `HTTP/2`.
    Protocol(&'static str),
    /// The SSL mode in force: `off`, `flexible`, `full`, `strict`, `origin_pull`.
    SslMode(&'static str),
    /// The server name asked for in the handshake.
    ServerName(String),
    /// What was offered in the ClientHello of the other side: versions, by name.
    TlsOffered { versions: Vec<String> },
    /// The leaf certificate that was presented.
    Certificate(CertificateFacts),
    /// The name that the certificate should have covered.
    ExpectedName(String),
    /// When the certificate was judged, seconds since 1970-01-01 UTC.
    CheckedAt(i64),
    /// What said that the certificate is revoked: `crl` or `ocsp`.
    RevokedBy(&'static str),
    /// The name servers' answer.
    Dns(DnsFacts),
    /// The address that is not allowed.
    ProhibitedAddress(IpAddr),
    /// The status that the origin sent.
    OriginStatus(u16),
    /// Interim (1xx) responses received.
    Informational(u32),
    /// A header of the request that decided, with its value (masked where it may be a secret).
    RequestHeader { name: &'static str, value: String },
    /// The rule that decided: its id, what its owner says of it, and its phase by the API's name (`http_request_transform`);
    /// what stands before the rules has names of its own, such as `ip_access_rules`.
    Rule { id: String, description: String, phase: &'static str },
    /// What a rule made, and could not be used: `path`, `query`, `location`, or the name of a header field; the value is
    /// cut short, and without what may be a secret.
    Made { what: String, value: String },
    /// The host name asked for, and the server name of the connection.
    Host { host: String, server_name: Option<String> },
    /// Seconds after which repeating may help, where the zone says so: what `Retry-After` says.
    RetryAfter(u32),
    /// Milliseconds that the request had taken when the fault was met.
    Elapsed(u64),
    /// A panic's or an internal error's text.
    Internal(String),
}

impl Fact {
    /// The key in `VerdictEvidence`.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::OriginAddress(_) => "origin_address",
            Self::OriginName(_) => "origin_name",
            Self::Errno { .. } => "errno",
            Self::Icmp { .. } => "icmp",
            Self::Timer { .. } => "timer",
            Self::BytesSent(_) => "bytes_sent",
            Self::BytesReceived(_) => "bytes_received",
            Self::Body { .. } => "body",
            Self::FirstBytes(_) => "first_bytes",
            Self::LastBytes(_) => "last_bytes",
            Self::Violation { .. } => "violation",
            Self::Limit { .. } => "limit",
            Self::Connection { .. } => "connection",
            Self::Tcp(_) => "tcp",
            Self::TlsAlert { .. } => "tls_alert",
            Self::TlsError(_) => "tls_error",
            Self::Http2Error { .. } => "http2_error",
            Self::Http2Connection { .. } => "http2_connection",
            Self::Frames { .. } => "http2_frames",
            Self::Upgrade { .. } => "upgrade",
            Self::Protocol(_) => "protocol",
            Self::SslMode(_) => "ssl_mode",
            Self::ServerName(_) => "server_name",
            Self::TlsOffered { .. } => "tls_offered",
            Self::Certificate(_) => "certificate",
            Self::ExpectedName(_) => "expected_name",
            Self::CheckedAt(_) => "checked_at",
            Self::RevokedBy(_) => "revoked_by",
            Self::Dns(_) => "dns",
            Self::ProhibitedAddress(_) => "prohibited_address",
            Self::OriginStatus(_) => "origin_status",
            Self::Informational(_) => "informational_responses",
            Self::RequestHeader { .. } => "request_header",
            Self::Rule { .. } => "rule",
            Self::Made { .. } => "made",
            Self::Host { .. } => "host",
            Self::RetryAfter(_) => "retry_after",
            Self::Elapsed(_) => "elapsed_ms",
            Self::Internal(_) => "internal",
        }
    }

    /// Who may see it.
    pub const fn audience(&self) -> Audience {
        match self {
            Self::Limit { .. }
            | Self::Host { .. }
            | Self::OriginStatus(_)
            | Self::TlsOffered { .. }
            | Self::RetryAfter(_) => Audience::Visitor,
            Self::Internal(_) => Audience::Operator,
            Self::OriginAddress(_)
            | Self::OriginName(_)
            | Self::Errno { .. }
            | Self::Icmp { .. }
            | Self::Timer { .. }
            | Self::BytesSent(_)
            | Self::BytesReceived(_)
            | Self::Body { .. }
            | Self::FirstBytes(_)
            | Self::LastBytes(_)
            | Self::Violation { .. }
            | Self::Connection { .. }
            | Self::Tcp(_)
            | Self::TlsAlert { .. }
            | Self::TlsError(_)
            | Self::Http2Error { .. }
            | Self::Http2Connection { .. }
            | Self::Frames { .. }
            | Self::Upgrade { .. }
            | Self::Protocol(_)
            | Self::SslMode(_)
            | Self::ServerName(_)
            | Self::Certificate(_)
            | Self::ExpectedName(_)
            | Self::CheckedAt(_)
            | Self::RevokedBy(_)
            | Self::Dns(_)
            | Self::ProhibitedAddress(_)
            | Self::Informational(_)
            | Self::RequestHeader { .. }
            | Self::Rule { .. }
            | Self::Made { .. }
            | Self::Elapsed(_) => Audience::Owner,
        }
    }

    /// The value in `VerdictEvidence`, see its [`Serialize`].
    pub fn value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// An object with these members, in order.
macro_rules! object {
    ($serializer:expr, { $($key:literal: $value:expr),+ $(,)? }) => {{
        let mut object = $serializer.serialize_map(None)?;
        $(object.serialize_entry($key, &$value)?;)+
        object.end()
    }};
}
pub(crate) use object;

/// What is written as it is shown.
struct Shown<'a, T>(&'a T);

impl<T: fmt::Display> Serialize for Shown<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self.0)
    }
}

/// An address with its port, as the standard library shows it. One of IPv4 does not go through a formatter.
pub(crate) struct Address(pub(crate) SocketAddr);

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(address) = self;
        if address.is_ipv6() {
            return serializer.collect_str(address);
        }
        let mut text = Vec::with_capacity("255.255.255.255:65535".len());
        write::put_address(&mut text, address.ip());
        text.push(b':');
        write::int(&mut text, address.port());
        serializer.serialize_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

/// The value in `VerdictEvidence`. Times are RFC 3339 in UTC.
impl Serialize for Fact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::OriginAddress(address) => Address(*address).serialize(serializer),
            Self::OriginName(text)
            | Self::TlsError(text)
            | Self::ServerName(text)
            | Self::ExpectedName(text)
            | Self::Internal(text) => text.serialize(serializer),
            Self::Errno { number, name } => object!(serializer, { "number": number, "name": name }),
            Self::Icmp { kind, code, meaning, from } => {
                object!(serializer, { "type": kind, "code": code, "meaning": meaning, "from": from })
            }
            Self::Timer { setting, limit_ms } => object!(serializer, { "setting": setting, "limit_ms": limit_ms }),
            Self::BytesSent(count) | Self::BytesReceived(count) | Self::Elapsed(count) => count.serialize(serializer),
            Self::Body { received, expected } => object!(serializer, { "received": received, "expected": expected }),
            Self::FirstBytes(bytes) | Self::LastBytes(bytes) => serializer.collect_str(bytes),
            Self::Violation { rule, clause, offset, bytes } => {
                object!(serializer, { "rule": rule, "clause": clause, "offset": offset, "bytes": Shown(bytes) })
            }
            Self::Limit { what, seen, limit } => object!(serializer, { "what": what, "seen": seen, "limit": limit }),
            Self::Connection { age_ms, idle_ms, served } => {
                object!(serializer, { "age_ms": age_ms, "idle_ms": idle_ms, "served": served })
            }
            Self::Tcp(state) => object!(serializer, {
                "state": state.state,
                "unacked_segments": state.unacked_segments,
                "unsent_bytes": state.unsent_bytes,
                "retransmits": state.retransmits,
                "timeouts": state.timeouts,
                "rtt_us": state.rtt_us,
                "last_received_ms": state.last_received_ms,
                "peer_window": state.peer_window,
            }),
            Self::TlsAlert { name, number, sent_by } => {
                object!(serializer, { "name": name, "number": number, "sent_by": sent_by.name() })
            }
            Self::Http2Error { frame, code, name, sent_by, debug } => object!(serializer, {
                "frame": frame,
                "code": code,
                "name": name,
                "sent_by": sent_by.name(),
                "debug": debug.as_ref().map(Shown),
            }),
            Self::Http2Connection { streams, served, most } => object!(serializer, {
                "streams": streams,
                "served": served,
                "most": (*most != u32::MAX).then_some(most),
            }),
            Self::Frames { kind, count, limit } => {
                object!(serializer, { "kind": kind, "count": count, "limit": limit })
            }
            Self::Upgrade { asked, got } => object!(serializer, { "asked": asked, "got": got }),
            Self::SslMode(word) | Self::RevokedBy(word) | Self::Protocol(word) => word.serialize(serializer),
            Self::TlsOffered { versions } => object!(serializer, { "versions": versions }),
            Self::Certificate(facts) => object!(serializer, {
                "subject": facts.subject,
                "issuer": facts.issuer,
                "names": facts.names,
                "not_before": crate::moment::rfc3339_seconds(facts.not_before),
                "not_after": crate::moment::rfc3339_seconds(facts.not_after),
                "serial": facts.serial,
                "chain_length": facts.chain_length,
            }),
            Self::CheckedAt(at) => crate::moment::rfc3339_seconds(*at).serialize(serializer),
            Self::Dns(facts) => object!(serializer, {
                "name": facts.name,
                "response_code": facts.response_code,
                "aliases": facts.aliases,
                "addresses": facts.addresses,
                "servers": facts.servers,
                "took_ms": facts.took_ms,
            }),
            Self::ProhibitedAddress(ip) => ip.serialize(serializer),
            Self::OriginStatus(status) => status.serialize(serializer),
            Self::Informational(count) | Self::RetryAfter(count) => count.serialize(serializer),
            Self::RequestHeader { name, value } => object!(serializer, { "name": name, "value": value }),
            Self::Rule { id, description, phase } => {
                object!(serializer, { "id": id, "description": description, "phase": phase })
            }
            Self::Made { what, value } => object!(serializer, { "what": what, "value": value }),
            Self::Host { host, server_name } => object!(serializer, { "host": host, "server_name": server_name }),
        }
    }
}

/// The facts of one fault.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence(Vec<Fact>);

impl Evidence {
    /// Adds a fact; one of the same kind is replaced.
    pub fn add(&mut self, fact: Fact) {
        match self.0.iter_mut().find(|known| known.key() == fact.key()) {
            Some(known) => *known = fact,
            None => self.0.push(fact),
        }
    }

    /// The facts, in the order in which they were found.
    pub fn facts(&self) -> &[Fact] {
        &self.0
    }

    /// The first fact that `pick` knows.
    pub fn find<'a, T>(&'a self, pick: impl Fn(&'a Fact) -> Option<T>) -> Option<T> {
        self.0.iter().find_map(pick)
    }

    /// What `audience` may see, as the object `VerdictEvidence`.
    pub fn to_json(&self, audience: Audience) -> Value {
        serde_json::to_value(self.visible(audience)).unwrap_or_default()
    }

    /// The same, ready to be written.
    pub fn visible(&self, audience: Audience) -> impl Serialize {
        Visible { facts: &self.0, audience }
    }
}

/// Facts as far as somebody may see them.
struct Visible<'a> {
    facts: &'a [Fact],
    audience: Audience,
}

impl Serialize for Visible<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let visible = self.facts.iter().filter(|fact| fact.audience() <= self.audience);
        serializer.collect_map(visible.map(|fact| (fact.key(), fact)))
    }
}

#[cfg(test)]
mod tests {
    use super::TcpState;

    #[test]
    fn silence_is_what_was_sent_again_in_vain() {
        let silent = TcpState { unacked_segments: 1, timeouts: 2, peer_window: 65_536, ..TcpState::default() };
        assert!(silent.is_unacknowledged());
        let on_its_way = TcpState { timeouts: 0, ..silent };
        let shut = TcpState { peer_window: 0, ..silent };
        let acknowledged = TcpState { unacked_segments: 0, ..silent };
        assert!(![on_its_way, shut, acknowledged].iter().any(TcpState::is_unacknowledged));
    }
}
