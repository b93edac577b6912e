//! `/cdn-cgi/`: the paths of every zone that the edge answers itself ("/cdn-cgi/ endpoint" of the Cloudflare
//! fundamentals).

use std::fmt::Write;

use bytes::Bytes;
use rayline_verdict::explain::{self, Found};
use rayline_verdict::surface::{Format, Notice};
use rayline_verdict::{Certainty, Code, Country, Evidence, Verdict};

use crate::exchange::Exchange;
use crate::phase::reply::{Answered, own_page, render};
use crate::phase::request::path_and_query;
use crate::phase::route::host_name;
use crate::phase::rules::challenge;

/// Answers a request under `/cdn-cgi/`, known or not: nothing there ever reaches an origin.
pub(crate) fn answer(exchange: &Exchange<'_>) -> Option<Answered> {
    let target = path_and_query(exchange.head);
    let path = String::from_utf8_lossy(target.strip_prefix(b"/cdn-cgi/")?);
    let (path, query) = path.split_once('?').unwrap_or((&path, ""));
    Some(match path.strip_prefix("error/") {
        _ if path == "trace" => trace(exchange),
        _ if path == "challenge-platform/verify" => challenge::verify(exchange, query),
        Some(code) => preview(exchange, code).unwrap_or_else(not_found),
        None => not_found(),
    })
}

fn text(status: u16, body: String) -> Answered {
    let fields = vec![
        ("content-type", Bytes::from_static(b"text/plain")),
        ("cache-control", Bytes::from_static(b"no-store")),
        ("x-content-type-options", Bytes::from_static(b"nosniff")),
    ];
    Answered::made(status, fields, body.into())
}

fn not_found() -> Answered {
    text(404, "not found\n".to_owned())
}

/// What the edge sees of this request, line by line, in the order of the original.
fn trace(exchange: &Exchange<'_>) -> Answered {
    let record = &exchange.record;
    let tls = exchange.visitor.tls.as_ref();
    let milliseconds = record.start.0 / 1_000_000;
    let mut out = String::with_capacity(512);
    let mut line = |key: &str, value: &dyn std::fmt::Display| {
        // Writing into a string does not fail.
        let _ = writeln!(out, "{key}={value}");
    };
    line("fl", &format_args!("{}f{}", record.colo.as_str().to_ascii_lowercase(), record.plan_version));
    line("h", &String::from_utf8_lossy(&record.host));
    line("ip", &record.client_ip);
    line("ts", &format_args!("{}.{:03}", milliseconds / 1000, milliseconds % 1000));
    line("visit_scheme", &record.scheme);
    line("uag", &String::from_utf8_lossy(&record.user_agent));
    line("colo", &record.colo);
    line("sliver", &"none");
    line("http", &record.protocol.to_ascii_lowercase());
    line("loc", &record.country.unwrap_or(Country::UNKNOWN).as_str());
    line("tls", &tls.map_or("off", |tls| tls.protocol));
    line("sni", &if tls.is_some_and(|tls| tls.server_name.is_some()) { "plaintext" } else { "off" });
    line("warp", &"off");
    line("gateway", &"off");
    line("rbi", &"off");
    line("kex", &tls.map_or("none", |tls| tls.key_exchange));
    text(200, out)
}

/// Any code's page as a visitor would see it, without anything having failed. A number shows the first of its codes.
fn preview(exchange: &Exchange<'_>, query: &str) -> Option<Answered> {
    let code = match explain::find(query) {
        Found::Code(code) => code,
        Found::Number(_, codes) => *codes.first()?,
        Found::Status(..) | Found::Unsent(_) | Found::Several(_) | Found::Unknown { .. } => return None,
    };
    let verdict = sample(code);
    let status = verdict.shown()?.status;
    let host = host_name(exchange.head.host().unwrap_or_default());
    let notice = Notice {
        verdict: &verdict,
        ray: exchange.record.ray,
        colo: exchange.record.colo,
        host,
        at: exchange.record.start,
        client_ip: exchange.record.client_ip,
        country: exchange.record.country,
        brand: &exchange.running.server().brand,
        preview: true,
    };
    let format = Format::negotiate(exchange.head.fields.get("accept"));
    Some(render(&notice, status, own_page(exchange.zone, &verdict), format))
}

/// A verdict of this code with no evidence: what the table says of it.
fn sample(code: Code) -> Verdict {
    let entry = code.entry();
    Verdict {
        code,
        // For an origin's own status, the first that has a page.
        number: if entry.number() == 0 { 502 } else { entry.number() },
        certainty: if entry.rivals.is_empty() { Certainty::Proven } else { Certainty::Inferred },
        rivals: entry.rivals.to_vec(),
        reached: entry.reached,
        evidence: Evidence::default(),
        attempts: Vec::new(),
    }
}
