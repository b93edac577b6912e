//! Reading the visitor's request, describing it in the record, and answering what the edge answers itself.

use std::borrow::Cow;

use bytes::Bytes;
use rayline_config::{Server, SslMode};
use rayline_http1::{RequestHead, TargetForm, Version};
use rayline_verdict::evidence::Fact;
use rayline_verdict::fault::{ReplyCause, RequestCause};
use rayline_verdict::trace_context::TraceParent;
use rayline_verdict::{Country, Fault};

use super::reply::Answered;
use crate::cdn_cgi;
use crate::exchange::{Exchange, Route};
use crate::lookout::Side;
use crate::running::ZonePlan;
use crate::tunnel::Upgrade;
use crate::visitor::Visitor;

/// The field that says which trace a request belongs to.
pub(crate) const TRACEPARENT: &str = "traceparent";

/// Bytes of `User-Agent` that a record keeps: its line waits in memory while the log cannot be written.
const MOST_USER_AGENT: usize = 4 * 1024;

/// Writes into the record what was asked, as slices of the head.
pub(crate) fn describe(exchange: &mut Exchange<'_>) {
    let head = exchange.head;
    let user_agent = head.fields.get("user-agent").unwrap_or_default();
    let slice = |part: &[u8]| head.raw().slice_ref(part);
    let record = &mut *exchange.record;
    record.host = slice(head.host_bytes().unwrap_or_default());
    record.method = match head.method() {
        "GET" => Bytes::from_static(b"GET"),
        "POST" => Bytes::from_static(b"POST"),
        other => Bytes::copy_from_slice(other.as_bytes()),
    };
    record.uri = slice(head.target_bytes());
    record.user_agent = slice(user_agent.get(..MOST_USER_AGENT).unwrap_or(user_agent));
    record.protocol = exchange.visitor.protocol.name(head.version);
    if let Some(zone) = exchange.zone {
        record.zone = std::sync::Arc::clone(&zone.name);
        let limit = exchange.running.limits().request_header_bytes;
        exchange.running.edition.lookout.section(Side::Request, &zone.name, &record.host, head.raw().len(), limit);
    }
    if let Some(ip) = believed_address(exchange.running.server(), exchange.visitor, exchange.head) {
        exchange.record.client_ip = ip;
    }
    exchange.record.country = country(exchange);
    if exchange.passes_traces() {
        exchange.record.trace = named_trace(exchange);
    }
}

/// The trace that the visitor names, if it names one and only one (W3C Trace Context, "traceparent Header").
fn named_trace(exchange: &Exchange<'_>) -> Option<TraceParent> {
    let mut named = exchange.head.fields.all(TRACEPARENT);
    let first = named.next()?;
    if named.next().is_none() { TraceParent::parse(first) } else { None }
}

/// The country of the visitor's address, by what the regional registries have assigned it to. `None` where the zone does
/// not want to know, and of addresses that are nobody's.
fn country(exchange: &Exchange<'_>) -> Option<Country> {
    let wanted = exchange.zone.is_none_or(|zone| zone.zone.settings.ip_geolocation);
    let code = wanted.then(|| iptocc::country_code(exchange.record.client_ip)).flatten()?;
    Country::new(code.as_bytes().try_into().ok()?)
}

/// The visitor's address as a trusted proxy in front tells it: `CF-Connecting-IP`, else the last entry of
/// `X-Forwarded-For`, which that proxy itself has written.
pub(crate) fn believed_address(server: &Server, visitor: &Visitor, head: &RequestHead) -> Option<std::net::IpAddr> {
    let trusted = &server.trusted_proxies;
    let peer = visitor.ip();
    if trusted.is_empty() || !trusted.iter().any(|network| network.contains(&peer)) {
        return None;
    }
    let fields = &head.fields;
    let told = fields
        .get("cf-connecting-ip")
        .or_else(|| fields.all("x-forwarded-for").last()?.rsplit(|&byte| byte == b',').next())?;
    std::str::from_utf8(told.trim_ascii()).ok()?.parse().ok()
}

/// Refuses what cannot be forwarded, before anything is.
///
/// # Errors
/// A method that is not for gateways, an expectation that cannot be met, a body announced over the limit; a visitor that
/// has given the request up already.
pub(crate) fn check(exchange: &mut Exchange<'_>) -> Result<(), Fault> {
    let head = exchange.head;
    if matches!(head.method(), "CONNECT" | "TRACE") {
        return Err(Fault::new(RequestCause::MethodNotAllowed));
    }
    if let Some(value) = head.fields.get("expect")
        && head.version == Version::Http11
        && !value.eq_ignore_ascii_case(b"100-continue")
    {
        let value = String::from_utf8_lossy(value).into_owned();
        return Err(Fault::new(RequestCause::ExpectationFailed).with(Fact::RequestHeader { name: "Expect", value }));
    }
    // A flood of requests that are opened only to be cancelled must not become one of connections to the origin.
    if exchange.body.is_abandoned() {
        return Err(Fault::new(ReplyCause::Gone).with(Fact::BytesSent(0)));
    }
    exchange.upgrade = Upgrade::asked(head).filter(|_| takes_websockets(exchange));
    // One that was opened as a tunnel has no other answer.
    if exchange.body.awaits_tunnel() && exchange.upgrade.is_none() {
        return Err(Fault::new(RequestCause::MethodNotAllowed));
    }
    // A configuration rule may allow more, or less: it is looked at when that has run.
    let overrides = |zone: &ZonePlan| zone.zone.rules.as_deref().is_some_and(|rules| rules.overrides().upload);
    if let Some(zone) = exchange.zone.filter(|zone| !overrides(zone)) {
        exchange.body.set_limit(zone.zone.settings.max_upload_bytes);
        exchange.body.check_announced()?;
    }
    Ok(())
}

fn takes_websockets(exchange: &Exchange<'_>) -> bool {
    exchange.zone.is_none_or(|zone| zone.zone.paused || zone.zone.settings.websockets)
}

/// Path and query for the origin. The absolute form is for proxies: an origin gets the origin form (RFC 9112 §3.2.1).
pub(crate) fn path_and_query(head: &RequestHead) -> Cow<'_, [u8]> {
    match head.form() {
        TargetForm::Origin | TargetForm::Asterisk | TargetForm::Authority => head.target_bytes().into(),
        TargetForm::Absolute { path: "", .. } if head.method() == "OPTIONS" => b"*".into(),
        TargetForm::Absolute { path, .. } if path.starts_with('/') => path.as_bytes().into(),
        TargetForm::Absolute { path, .. } => format!("/{path}").into_bytes().into(),
    }
}

/// Answers what needs no origin: the reserved path `/cdn-cgi/`, and the redirects between HTTP and HTTPS, unless
/// configuration rules have a say in those.
pub(crate) fn answer_here(exchange: &mut Exchange<'_>, route: &Route<'_>) -> Option<Answered> {
    if let Some(answered) = cdn_cgi::answer(exchange) {
        return Some(answered);
    }
    let is_ruled = route.zone.zone.rules.as_deref().is_some_and(|rules| rules.overrides().scheme);
    if route.zone.zone.paused || is_ruled { None } else { answer_by_scheme(exchange, route) }
}

/// Redirects between HTTP and HTTPS.
pub(crate) fn answer_by_scheme(exchange: &Exchange<'_>, route: &Route<'_>) -> Option<Answered> {
    let ruled = exchange.changes().and_then(|changes| changes.config.always_use_https);
    let always_use_https = ruled.unwrap_or(route.zone.zone.settings.always_use_https);
    let scheme = match (exchange.visitor.tls.is_some(), exchange.ssl(route.zone)) {
        // "Off": HTTPS is sent to HTTP, and `always_use_https` has no say.
        (true, SslMode::Off) => "http",
        (false, SslMode::Flexible | SslMode::Full | SslMode::Strict | SslMode::OriginPull) if always_use_https => {
            "https"
        }
        _ => return None,
    };
    let location = location(exchange, route, scheme);
    Some(Answered::made(301, vec![("location", location)], Bytes::new()))
}

/// The same address under another scheme, on the port of the edge's own listener for it.
fn location(exchange: &Exchange<'_>, route: &Route<'_>, scheme: &str) -> Bytes {
    let server = exchange.running.server();
    let (listeners, usual) = if scheme == "https" { (&server.https, 443) } else { (&server.http, 80) };
    let mut ports = listeners.iter().map(std::net::SocketAddr::port);
    let port = if ports.clone().any(|port| port == usual) { None } else { ports.next() };
    let port = port.map_or_else(String::new, |port| format!(":{port}"));
    let path = path_and_query(exchange.head);
    let path = if *path == *b"*" { "/".into() } else { String::from_utf8_lossy(&path) };
    let (open, close) = if route.host.contains(':') { ("[", "]") } else { ("", "") };
    format!("{scheme}://{open}{}{close}{port}{path}", route.host).into()
}
