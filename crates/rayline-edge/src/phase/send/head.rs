//! The head of a request as the origin gets it: what is passed on of the visitor's, and what the edge adds.

use std::fmt::Write as _;

use bytes::{BufMut, BytesMut};
use rayline_http1::{Fields, Framing, IllegalField, encode};
use rayline_verdict::trace_context::TraceParent;
use rayline_verdict::{Country, put_address};

use crate::exchange::{Exchange, Route};
use crate::hop::{Hops, Known};
use crate::phase::request::TRACEPARENT;
use crate::tunnel::WEBSOCKET;

/// Our name in `CDN-Loop` (RFC 8586).
pub(crate) const CDN_TOKEN: &[u8] = b"rayline";

/// Encodes it in HTTP/1.1.
///
/// # Errors
/// A field that cannot be encoded.
pub(super) fn encode(exchange: &Exchange<'_>, route: &Route<'_>, out: &mut BytesMut) -> Result<(), IllegalField> {
    let head = exchange.head;
    encode::request_line(out, head.method(), exchange.path_and_query().as_ref())?;
    let changes = exchange.changes();
    let host = changes.and_then(|changes| changes.route.host_header.as_deref());
    encode::field(out, "Host", host.unwrap_or_else(|| head.host_bytes().unwrap_or(route.host.as_bytes())))?;
    let edits = changes.map(|changes| &changes.request_fields).filter(|edits| !edits.is_empty());
    let hops = Hops::of(&head.fields);
    let (mut forwarded, mut looped) = (false, false);
    let traced = exchange.passes_traces();
    encode::copy_fields(out, &head.fields, |name, _| match Known::of(name) {
        None | Some(Known::EndToEnd) if edits.is_some_and(|edits| edits.drops(name)) => false,
        None => !(hops.nominates(name) || traced && replaces(exchange, name)),
        Some(Known::ForwardedFor) => {
            forwarded = true;
            false
        }
        Some(Known::CdnLoop) => {
            looped = true;
            false
        }
        Some(Known::ContentLength | Known::EndToEnd) => true,
        Some(Known::Hop | Known::Host | Known::Ours) => false,
    });
    for (name, value) in edits.iter().flat_map(|edits| edits.put()) {
        encode::field(out, name, value)?;
    }
    match exchange.body.framing() {
        // The length itself was copied with the other fields.
        Framing::None | Framing::Length(_) | Framing::Close => {}
        Framing::Chunked => encode::field(out, "Transfer-Encoding", "chunked")?,
    }
    if exchange.upgrade.is_some() {
        encode::field(out, "Upgrade", WEBSOCKET)?;
        encode::field(out, "Connection", "Upgrade")?;
    } else if hops.trailers {
        encode::field(out, "TE", "trailers")?;
        encode::field(out, "Connection", "TE")?;
    }
    added_fields(exchange, out, forwarded, looped);
    encode::end(out);
    Ok(())
}

/// What tells an origin how the visitor asked.
macro_rules! scheme_fields {
    ($scheme:literal) => {
        concat!("X-Forwarded-Proto: ", $scheme, "\r\nCF-Visitor: {\"scheme\":\"", $scheme, "\"}").as_bytes()
    };
}

/// The fields that an edge adds toward an origin (HTTP headers page of the Cloudflare fundamentals). `Via` is not
/// among them, against RFC 9110 §7.6.3: origins such as nginx stop compressing when they see it, and `CDN-Loop` does
/// what it is for.
fn added_fields(exchange: &Exchange<'_>, out: &mut BytesMut, forwarded: bool, looped: bool) {
    let record = &exchange.record;
    let client = record.client_ip;
    let peer = exchange.visitor.ip();
    // A rule may keep the visitor's address from the origin.
    let tells = |name: &[u8]| exchange.changes().is_none_or(|changes| !changes.request_fields.drops(name));
    out.reserve(256);
    if tells(b"x-forwarded-for") {
        out.put_slice(b"X-Forwarded-For: ");
        if forwarded {
            join(out, &exchange.head.fields, "x-forwarded-for");
        }
        put_address(out, peer);
        out.put_slice(b"\r\n");
    }
    out.put_slice(match exchange.visitor.tls {
        None => scheme_fields!("http"),
        Some(_) => scheme_fields!("https"),
    });
    if tells(b"cf-connecting-ip") {
        out.put_slice(b"\r\nCF-Connecting-IP: ");
        put_address(out, client);
    }
    out.put_slice(b"\r\nCF-Ray: ");
    out.put_slice(&record.ray.at(record.colo));
    if exchange.zone.is_some_and(|zone| zone.zone.settings.ip_geolocation && !zone.zone.paused) {
        out.put_slice(b"\r\nCF-IPCountry: ");
        out.put_slice(record.country.unwrap_or(Country::UNKNOWN).as_bytes());
    }
    if exchange.passes_traces() {
        let rate = exchange.running.edition.plan.sight.trace.sample_rate;
        // a buffer in memory takes every write
        let _ = write!(out, "\r\ntraceparent: {}", TraceParent::toward_origin(record.trace, record.ray, rate));
    }
    out.put_slice(b"\r\nCDN-Loop: ");
    if looped {
        join(out, &exchange.head.fields, "cdn-loop");
    }
    out.put_slice(CDN_TOKEN);
    out.put_slice(b"; loops=1\r\n");
}

/// Whether a field is one that says which trace a request belongs to, and gives way to the edge's own: `tracestate` is
/// worth something beside a `traceparent` that can be read, and else nothing.
fn replaces(exchange: &Exchange<'_>, name: &[u8]) -> bool {
    let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
    is(TRACEPARENT) || exchange.record.trace.is_none() && is("tracestate")
}

/// The lines of a list field, as one list that goes on (RFC 9110 §5.3).
fn join(out: &mut BytesMut, fields: &Fields, name: &str) {
    for value in fields.all(name) {
        out.put_slice(value);
        out.put_slice(b", ");
    }
}
