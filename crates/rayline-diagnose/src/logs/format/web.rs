//! Web servers: access logs of any layout, and the error logs of nginx, Apache, HAProxy and uWSGI.

use std::net::{IpAddr, SocketAddr};

use super::{Format, bracketed, event, number};
use crate::logs::entry::{Entry, Facts, Kind, Level, ray};
use crate::logs::source::Source;
use crate::logs::stamp::{self, Stamp};

/// The longest method that is one.
const METHOD_BYTES: usize = 20;

/// `2026/11/21 10:00:00 [error] 12#12: *45 connect() failed (111: ...), client: ..., request: "GET / HTTP/1.1"`.
pub(super) fn nginx_error(line: &str) -> Option<(Format, Entry)> {
    if line.as_bytes().get(4) != Some(&b'/') {
        return None;
    }
    let (at, rest) = stamp::leading(line)?;
    let (level, rest) = bracketed(rest.trim_start())?;
    let (process, rest) = number(rest.trim_start())?;
    let (_thread, rest) = number(rest.strip_prefix('#')?)?;
    let rest = rest.strip_prefix(':')?.trim_start();
    let numbered = rest.strip_prefix('*').and_then(number);
    let (connection, message) = numbered.map_or((None, rest), |(number, rest)| (Some(number), rest.trim_start()));
    let level = Some(Level::of(level)?);
    let entry = Entry { at: Some(at), level, process: Some(process), connection, ..event(message) };
    Some((Format::NginxError, entry))
}

/// Lines that begin with a bracket: Apache's error log, HAProxy's messages, uWSGI's requests.
pub(super) fn in_brackets(line: &str) -> Option<(Format, Entry)> {
    let (inner, rest) = bracketed(line)?;
    if let Some(entry) = uwsgi(inner, rest) {
        return Some((Format::Uwsgi, entry));
    }
    if let Some((at, "")) = stamp::leading(inner)
        && inner.starts_with(|first: char| first.is_ascii_alphabetic())
    {
        return apache_error(rest).map(|entry| (Format::ApacheError, Entry { at: Some(at), ..entry }));
    }
    let (behind, message) = rest.split_once(" : ")?;
    let level = Level::of(inner)?;
    let process = behind.rsplit_once('(').and_then(|(_, process)| process.strip_suffix(')')?.parse().ok())?;
    Some((Format::HaProxy, Entry { level: Some(level), process: Some(process), ..event(message) }))
}

/// Behind the time: ` [proxy:error] [pid 12:tid 34] [client 192.0.2.1:5] AH01114: ...`, or ` [error] [client ...] ...`.
fn apache_error(rest: &str) -> Option<Entry> {
    let (module, mut rest) = bracketed(rest.trim_start())?;
    let level = Level::of(module.rsplit_once(':').map_or(module, |(_, level)| level))
        .or_else(|| module.contains(":trace").then_some(Level::Debug))?;
    let mut entry = Entry { level: Some(level), ..Entry::default() };
    if let Some((inner, behind)) = bracketed(rest.trim_start())
        && let Some(process) = inner.strip_prefix("pid ")
    {
        entry.process = number(process).map(|(process, _)| process);
        rest = behind;
    }
    entry.message = rest.trim_start().to_owned();
    Some(entry)
}

/// `[pid: 12|app: 0|req: 1/1] 192.0.2.1 () {30 vars in 400 bytes} [Sat Nov 21 10:00:00 2026] GET /x => generated 21 bytes in
/// 3 msecs (HTTP/1.1 500) ...`.
fn uwsgi(inner: &str, rest: &str) -> Option<Entry> {
    let (process, _) = number(inner.strip_prefix("pid: ")?)?;
    let client = rest.split_whitespace().next().and_then(address);
    let (_, rest) = rest.split_once('[')?;
    let (at, rest) = stamp::leading(rest)?;
    let (asked, answered) = rest.strip_prefix("] ")?.split_once(" => ")?;
    let (method, target) = asked.split_once(' ')?;
    let status = answered.split_once("(HTTP/").and_then(|(_, version)| version.split([' ', ')']).nth(1)?.parse().ok());
    let bytes = answered.strip_prefix("generated ").and_then(number).map(|(bytes, _)| bytes);
    let request = Facts {
        method: Some(method.to_owned()),
        target: Some(target.to_owned()),
        status,
        client,
        bytes,
        ..Facts::default()
    };
    let at = Some(at);
    Some(Entry { source: Source::Uwsgi, kind: Kind::Access, at, process: Some(process), request, ..Entry::default() })
}

/// `192.0.2.1:5 [21/Nov/2026:10:00:00.123] www shop/app1 0/0/1/-1/3 502 217 - - SH-- 1/1/0/0/0 0/0 "GET /x HTTP/1.1"`, and
/// the shorter one of TCP.
pub(super) fn haproxy(line: &str) -> Option<(Format, Entry)> {
    let (client, rest) = line.split_once(" [")?;
    let client = client.parse::<SocketAddr>().ok().map(|address| address.ip()).or_else(|| unix_socket(client))?;
    let (at, rest) = stamp::leading(rest)?;
    let rest = rest.strip_prefix("] ")?;
    let mut words = rest.split(' ');
    let (_frontend, backend, timers) = (words.next()?, words.next()?, words.next()?);
    if !backend.contains('/') || !timers.contains('/') {
        // A connection that came to nothing: `www/1: SSL handshake failure`.
        return backend.contains(' ').then(|| (Format::HaProxy, Entry { at: Some(at), ..event(rest) }));
    }
    let mut request = Facts { client: Some(client), ..Facts::default() };
    let first = words.next()?;
    if timers.split('/').count() > 3 {
        request.status = first.parse().ok();
        request.bytes = words.next().and_then(|bytes| bytes.parse().ok());
    } else {
        request.bytes = first.parse().ok();
    }
    if let Some((asked, _)) = quoted_request(rest) {
        request.method = Some(asked.method.to_owned());
        request.target = Some(asked.target.to_owned());
    }
    request.ray = find_ray(rest);
    let entry = Entry { kind: Kind::Access, at: Some(at), message: rest.to_owned(), request, ..Entry::default() };
    Some((Format::HaProxy, entry))
}

/// HAProxy's clients on a socket of the machine: `unix:1`.
fn unix_socket(client: &str) -> Option<IpAddr> {
    client.starts_with("unix:").then_some(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST))
}

/// A line of an access log of whatever layout: it has a request in quotes, a status, and mostly a time.
pub(super) fn access(line: &str) -> Option<(Format, Entry)> {
    let (asked, behind) = quoted_request(line)?;
    let before = line.get(..asked.starts_at)?;
    let (status, bytes) = status_and_bytes(behind).or_else(|| status_and_bytes(before))?;
    let at = time_in(before).or_else(|| time_in(behind))?;
    let (client, host) = client_and_host(before);
    let request = Facts {
        method: Some(asked.method.to_owned()),
        target: Some(asked.target.to_owned()),
        host,
        status: Some(status),
        client,
        bytes,
        ray: find_ray(behind).or_else(|| find_ray(before)),
    };
    Some((Format::Access, Entry { kind: Kind::Access, at: Some(at), request, ..Entry::default() }))
}

/// A request as it stands in quotes.
struct Asked<'a> {
    method: &'a str,
    target: &'a str,
    /// Where the quotes open.
    starts_at: usize,
}

/// The request in quotes, and what is behind it.
fn quoted_request(line: &str) -> Option<(Asked<'_>, &str)> {
    let opens = line.bytes().enumerate().filter(|(_, byte)| *byte == b'"').map(|(at, _)| at);
    opens.into_iter().find_map(|starts_at| {
        let inside = line.get(starts_at + 1..)?;
        let (method, rest) = request_line(inside)?;
        let end = rest.bytes().enumerate().find(|&(at, byte)| {
            byte == b'"' && at.checked_sub(1).and_then(|at| rest.as_bytes().get(at)) != Some(&b'\\')
        });
        let (text, behind) =
            end.map_or((rest, ""), |(end, _)| (rest.get(..end).unwrap_or(rest), rest.get(end + 1..).unwrap_or("")));
        let target = text.split(' ').next().unwrap_or(text);
        Some((Asked { method, target, starts_at }, behind))
    })
}

/// A method, and what is behind the space after it.
pub(super) fn request_line(text: &str) -> Option<(&str, &str)> {
    let length = text.bytes().take(METHOD_BYTES).take_while(|byte| byte.is_ascii_uppercase() || *byte == b'-').count();
    let rest = text.get(length..)?.strip_prefix(' ')?;
    let is_target = rest.starts_with(['/', '*']) || rest.starts_with("http");
    (length >= 3 && is_target).then(|| Some((text.get(..length)?, rest)))?
}

/// The first number of three digits that can be a status, and the number behind it.
fn status_and_bytes(text: &str) -> Option<(u16, Option<u64>)> {
    let mut words = text.split([' ', '\t', '|', ',', ';']).map(|word| word.trim_matches('"')).map(unnamed);
    let status = words.by_ref().find_map(|word| {
        let status = (word.len() == 3).then(|| word.parse::<u16>().ok())??;
        (100..600).contains(&status).then_some(status)
    })?;
    Some((status, words.next().and_then(|word| word.parse().ok())))
}

/// `200` of `status=200`.
fn unnamed(word: &str) -> &str {
    word.rsplit_once(['=', ':']).map_or(word, |(_, value)| value)
}

/// A time anywhere in the text: in brackets, at the start, or as a number.
fn time_in(text: &str) -> Option<Stamp> {
    let in_brackets = text.match_indices('[').find_map(|(at, _)| stamp::leading(text.get(at + 1..)?));
    let found = in_brackets.or_else(|| stamp::leading(text.trim_start())).or_else(|| {
        let words = text.match_indices([' ', '\t', '|', '"', '=']);
        words.into_iter().find_map(|(at, _)| stamp::leading(text.get(at + 1..)?))
    });
    found.map(|(stamp, _)| stamp).or_else(|| {
        let mut words = text.split([' ', '\t', '|', '"', '=']);
        words.find_map(|word| Stamp::of_number(word.parse().ok().filter(|_| word.starts_with(['1', '2']))?))
    })
}

/// The first address, and the site's name where one stands before it (`vhost_combined`) or by itself.
fn client_and_host(text: &str) -> (Option<IpAddr>, Option<String>) {
    let mut host = None;
    for word in text.split([' ', '\t', '|', '"', ',', '=']) {
        if let Some(client) = address(word) {
            return (Some(client), host);
        }
        let name = word.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map_or(word, |(name, _)| name);
        if host.is_none() && name.contains('.') && crate::target::host_name(name).is_ok() {
            host = Some(name.to_ascii_lowercase());
        }
    }
    (None, host)
}

/// An address that may have a port, or brackets.
pub(super) fn address(word: &str) -> Option<IpAddr> {
    if !word.starts_with(|first: char| first.is_ascii_hexdigit() || matches!(first, ':' | '[')) {
        return None;
    }
    let bare = word.strip_prefix('[').map(|word| word.split(']').next().unwrap_or(word));
    bare.unwrap_or(word).parse().ok().or_else(|| word.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

/// A Ray ID that stands by itself anywhere in the text.
pub(super) fn find_ray(text: &str) -> Option<String> {
    text.split(|at: char| !(at.is_ascii_alphanumeric() || at == '-')).find_map(ray)
}

/// Takes out of a whole event what it says of a request: nginx and Apache write it around the message, the former behind
/// lines that a program wrote.
pub(in crate::logs) fn complete(entry: &mut Entry) {
    if entry.kind == Kind::Access {
        return;
    }
    match entry.source {
        Source::Nginx => {
            let message = &entry.message;
            let behind = |name: &str| message.rsplit_once(name).map(|(_, behind)| behind);
            entry.request.client = behind(", client: ").and_then(|text| address(text.split(',').next()?));
            if let Some((method, rest)) = behind(", request: \"").and_then(request_line) {
                entry.request.method = Some(method.to_owned());
                entry.request.target = rest.split([' ', '"']).next().map(str::to_owned);
            }
            let host = behind(", host: \"").and_then(|text| text.split('"').next());
            entry.request.host = host.map(str::to_ascii_lowercase);
        }
        Source::Apache => {
            let client = entry.message.split_once("[client ").and_then(|(_, rest)| rest.split_once(']'));
            let client = client.and_then(|(client, _)| address(client).or_else(|| address(client.rsplit_once(':')?.0)));
            entry.request.client = client;
        }
        _ => {}
    }
}
