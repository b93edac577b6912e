//! Logs of a JSON object per line: the journal, Docker, Caddy, Rayline, the Node.js libraries, and whatever else uses the
//! usual names of fields.

use serde_json::{Map, Value};

use super::{Format, system, wrapped};
use crate::logs::entry::{Entry, Facts, Kind, Level, ray};
use crate::logs::format::web;
use crate::logs::source::Source;
use crate::logs::stamp::{self, Stamp};

/// How deep a Ray ID may lie in the object.
const RAY_DEPTH: u8 = 4;

type Object = Map<String, Value>;

/// The entry of a line that is a JSON object.
pub(super) fn read(line: &str, source: Source, depth: u8) -> Option<(Format, Entry)> {
    let Ok(Value::Object(object)) = serde_json::from_str(line) else { return None };
    docker(&object, source, depth)
        .or_else(|| journal(&object, depth))
        .or_else(|| rayline(&object))
        .or_else(|| usual(&object))
}

/// `{"log":"...\n","stream":"stderr","time":"..."}`.
fn docker(object: &Object, source: Source, depth: u8) -> Option<(Format, Entry)> {
    let log = object.get("log")?.as_str()?.trim_end_matches(['\r', '\n']);
    let (at, _) = stamp::leading(object.get("time")?.as_str()?)?;
    let (format, mut entry) = match wrapped(log, source, depth) {
        Some(inner) => inner,
        None => (Format::Docker, Entry { source: known_or(source, Source::Docker), ..super::event(log) }),
    };
    // The container's clock is the machine's, and Docker writes its zone.
    if entry.at.is_none_or(|at| !at.has_zone()) {
        entry.at = Some(at);
    }
    Some((format, entry))
}

/// What `journalctl -o json` prints.
fn journal(object: &Object, depth: u8) -> Option<(Format, Entry)> {
    let micros: i128 = object.get("__REALTIME_TIMESTAMP")?.as_str()?.parse().ok()?;
    let message = match object.get("MESSAGE")? {
        Value::String(text) => text.clone(),
        // What is not UTF-8 is written as numbers.
        Value::Array(bytes) => {
            let bytes = bytes.iter().filter_map(|byte| u8::try_from(byte.as_u64()?).ok());
            String::from_utf8_lossy(&bytes.collect::<Vec<u8>>()).into_owned()
        }
        _ => return None,
    };
    let text = |name: &str| object.get(name).and_then(Value::as_str);
    let program =
        text("SYSLOG_IDENTIFIER").or_else(|| text("_COMM")).or_else(|| text("_SYSTEMD_UNIT")).unwrap_or_default();
    let process = text("_PID").and_then(|process| process.parse().ok());
    let (_, mut entry) = system::of_program(program, process, &message, depth);
    entry.at = Stamp::of_nanos(micros.checked_mul(1000)?);
    let priority = text("PRIORITY").and_then(|number| number.parse().ok());
    entry.level = entry.level.or_else(|| priority.map(Level::of_severity));
    Some((Format::Journal, entry))
}

/// A Rayline edge's request log.
fn rayline(object: &Object) -> Option<(Format, Entry)> {
    let text = |name: &str| object.get(name).and_then(Value::as_str).map(str::to_owned);
    let (at, _) = stamp::leading(object.get("EdgeStartTimestamp")?.as_str()?)?;
    let request = Facts {
        method: text("ClientRequestMethod"),
        target: text("ClientRequestURI"),
        host: text("ClientRequestHost").map(|host| host.to_ascii_lowercase()),
        status: object.get("EdgeResponseStatus").and_then(status),
        client: text("ClientIP").and_then(|client| client.parse().ok()),
        bytes: object.get("EdgeResponseBodyBytes").and_then(Value::as_u64),
        ray: object.get("RayID").and_then(Value::as_str).and_then(ray),
    };
    let message = text("VerdictCode").unwrap_or_default();
    let entry =
        Entry { source: Source::Rayline, kind: Kind::Access, at: Some(at), message, request, ..Entry::default() };
    Some((Format::Rayline, entry))
}

/// Any other object, by the names that most libraries give to time, level and message.
fn usual(object: &Object) -> Option<(Format, Entry)> {
    let at = first(
        object,
        &["time", "ts", "timestamp", "@timestamp", "time_iso8601", "time_local", "msec", "datetime", "date", "t"],
    )
    .and_then(time);
    let level_field = first(object, &["level", "severity", "lvl", "levelname", "log.level", "level_name"]);
    let level = level_field.and_then(|level| match level {
        Value::String(word) => Level::of(word),
        Value::Number(number) => {
            number.as_u64().map(if object.contains_key("level_name") { monolog } else { Level::of_tens })
        }
        _ => None,
    });
    let message = message(object);
    let request = request(object);
    let is_access = request.status.is_some()
        && request.target.is_some()
        && (message.is_empty() || matches!(text(object, &["msg"]), Some("handled request" | "request completed")));
    if !is_access && message.is_empty() || at.is_none() && level.is_none() {
        return None;
    }
    let caddy =
        object.get("ts").is_some_and(Value::is_number) && object.contains_key("level") && object.contains_key("msg");
    let numbered = level_field.is_some_and(Value::is_number);
    let (format, source) = if caddy {
        (Format::Caddy, Source::Caddy)
    } else if numbered && object.contains_key("pid") {
        (Format::NodeJson, Source::Node)
    } else if is_access {
        (Format::JsonAccess, Source::Unknown)
    } else {
        (Format::Json, Source::Unknown)
    };
    let kind = if is_access { Kind::Access } else { Kind::Event };
    let process = object.get("pid").and_then(Value::as_u64);
    Some((format, Entry { source, kind, at, level, message, request, process, handed_in_by: None, connection: None }))
}

/// Monolog counts in hundreds.
const fn monolog(number: u64) -> Level {
    match number {
        0..200 => Level::Debug,
        200..250 => Level::Info,
        250..300 => Level::Notice,
        300..400 => Level::Warning,
        400..500 => Level::Error,
        _ => Level::Critical,
    }
}

/// What is said, with the error that goes with it, and its stack.
fn message(object: &Object) -> String {
    let mut said = text(object, &["msg", "message", "event", "short_message"]).unwrap_or_default().to_owned();
    for name in ["error", "err", "exception", "reason"] {
        match object.get(name) {
            Some(Value::String(error)) => add(&mut said, ": ", error),
            Some(Value::Object(error)) => {
                let named = [text(error, &["type", "name", "class"]), text(error, &["message", "msg"])];
                named.into_iter().flatten().for_each(|part| add(&mut said, ": ", part));
                if let Some(stack) = text(error, &["stack", "stacktrace", "trace"]) {
                    add(&mut said, "\n", stack);
                }
            }
            _ => {}
        }
    }
    if let Some(stack) =
        text(object, &["stack", "stack_trace", "stacktrace", "exc_info", "traceback", "error.stack_trace"])
    {
        add(&mut said, "\n", stack);
    }
    said
}

fn add(said: &mut String, between: &str, part: &str) {
    if part.is_empty() || said.ends_with(part) {
        return;
    }
    if !said.is_empty() {
        said.push_str(between);
    }
    said.push_str(part);
}

/// The request that the object tells of: by itself, or in an object of its own.
fn request(object: &Object) -> Facts {
    let inner = ["request", "req", "http"].iter().find_map(|name| object.get(*name)?.as_object());
    let answer = ["response", "res"].iter().find_map(|name| object.get(*name)?.as_object());
    let asked = inner.unwrap_or(object);
    let line = text(object, &["request", "request_line"]).and_then(web::request_line);
    let method = line.map(|(method, _)| method);
    let method = method.or_else(|| text(asked, &["method", "request_method", "http_method", "RequestMethod"]));
    let target = line.and_then(|(_, rest)| rest.split(' ').next());
    let target = target.or_else(|| text(asked, &["uri", "request_uri", "url", "originalUrl", "path", "RequestPath"]));
    let status_names = ["status", "statusCode", "status_code", "response_code", "DownstreamStatus"];
    let host = text(asked, &["host", "http_host", "server_name", "vhost", "RequestHost"]);
    let client_names = ["client_ip", "remote_ip", "remote_addr", "remoteAddress", "remote_address", "ip", "ClientHost"];
    let bytes = ["size", "body_bytes_sent", "bytes_sent", "bytes", "responseSize"];
    Facts {
        method: method.map(str::to_owned),
        target: target.map(str::to_owned),
        host: host.map(|host| host.rsplit_once(':').map_or(host, |(name, _)| name).to_ascii_lowercase()),
        status: first(object, &status_names).or_else(|| first(answer?, &status_names)).and_then(status),
        client: text(asked, &client_names).or_else(|| text(object, &client_names)).and_then(web::address),
        bytes: first(object, &bytes).and_then(|bytes| bytes.as_u64().or_else(|| bytes.as_str()?.parse().ok())),
        ray: find_ray(object, RAY_DEPTH),
    }
}

/// The Ray ID in a field of such a name, wherever it lies: `http_cf_ray`, `Cf-Ray`, `ray_id`.
fn find_ray(object: &Object, depth: u8) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    object.iter().find_map(|(name, value)| match value {
        Value::Object(inner) => find_ray(inner, depth),
        Value::String(text) if names_ray(name) => ray(text),
        Value::Array(values) if names_ray(name) => values.iter().find_map(|value| ray(value.as_str()?)),
        _ => None,
    })
}

fn names_ray(name: &str) -> bool {
    name.as_bytes().windows(3).any(|part| part.eq_ignore_ascii_case(b"ray"))
}

fn status(value: &Value) -> Option<u16> {
    let number = value.as_u64().or_else(|| value.as_str()?.parse().ok())?;
    u16::try_from(number).ok().filter(|status| (100..1000).contains(status))
}

/// A time as text or number.
fn time(value: &Value) -> Option<Stamp> {
    match value {
        Value::Number(number) => Stamp::of_number(number.as_f64()?),
        Value::String(text) => stamp::leading(text).map(|(at, _)| at).or_else(|| Stamp::of_number(text.parse().ok()?)),
        _ => None,
    }
}

fn first<'a>(object: &'a Object, names: &[&str]) -> Option<&'a Value> {
    names.iter().find_map(|name| object.get(*name))
}

fn text<'a>(object: &'a Object, names: &[&str]) -> Option<&'a str> {
    names.iter().find_map(|name| object.get(*name)?.as_str())
}

const fn known_or(source: Source, other: Source) -> Source {
    match source {
        Source::Unknown => other,
        known => known,
    }
}
