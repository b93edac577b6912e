//! `[[zone.dns_records]]`, one by one.

use std::net::{IpAddr, SocketAddr};

use crate::document::{At, Fields, Place, Report, shown};
use crate::name::{NotAName, lies_in, parse_name};
use crate::plan::{Content, Record, RecordKind};
use crate::problem::Problem;
use crate::value::word;

/// A record with the places that later checks point at.
#[derive(Debug)]
pub(super) struct WrittenRecord {
    pub(super) record: Record,
    pub(super) name: Place,
    pub(super) content: Place,
}

impl NotAName {
    /// The fault as a problem of what was written.
    pub(crate) fn problem(self, written: &At<String>) -> Problem {
        let problem = written.place.error(format!("`{}` is no name: {}", shown(&written.value), self.reason));
        Problem { hint: self.hint, ..problem }
    }
}

/// A record of `zone`, which is `None` where the zone's name could not be read; `zones` are all of them.
pub(super) fn read_record(fields: &Fields<'_>, zone: Option<&str>, zones: &[&str]) -> Option<WrittenRecord> {
    let kind: Option<RecordKind> = fields.required("type");
    let name: Option<At<String>> = fields.required("name");
    let content: Option<At<String>> = fields.required("content");
    let proxied: bool = fields.take("proxied");
    let comment: Option<String> = fields.optional("comment");

    let zone = zone?;
    let full_name = name.as_ref().and_then(|name| qualify(name, zone, zones, fields.report));
    let target =
        kind.zip(content.as_ref()).and_then(|(kind, content)| read_content(kind, content, zone, fields.report));
    let (full_name, wildcard) = full_name?;
    let record = Record {
        name: full_name,
        wildcard,
        kind: kind?,
        content: target?,
        proxied,
        comment: comment.unwrap_or_default(),
    };
    Some(WrittenRecord { record, name: name?.place, content: content?.place })
}

/// The full name, without the `*.` of a wildcard, and whether it is one.
fn qualify(written: &At<String>, zone: &str, zones: &[&str], report: &Report<'_>) -> Option<(String, bool)> {
    let text = written.value.as_str();
    let (wildcard, rest) = match text {
        "@" => return Some((zone.to_owned(), false)),
        "*" => return Some((zone.to_owned(), true)),
        _ => text.strip_prefix("*.").map_or((false, text), |rest| (true, rest)),
    };
    if rest.contains('*') {
        let message = format!("`{}` is no name: a `*` stands alone, as the first part", shown(text));
        return report.refuse(written.place.error(message).hint("write `*` or `*.name`"));
    }
    let name = read_name(rest, written, report)?;
    if lies_in(&name, zone) {
        return Some((name, wildcard));
    }
    let elsewhere = zones.iter().find(|other| lies_in(&name, other));
    // a relative name that ends as the zone does was almost surely meant in full
    let ends_alike = name.contains('.') && name.rsplit('.').next() == zone.rsplit('.').next();
    let full = format!("{name}.{zone}");
    if elsewhere.is_none() && !ends_alike && !rest.ends_with('.') {
        return Some((read_name(&full, written, report)?, wildcard));
    }
    let problem = written.place.error(format!("`{}` lies outside the zone `{zone}`", shown(text)));
    report.refuse(match elsewhere {
        Some(other) => problem.hint(format!("write it in the zone `{other}`")),
        None => problem.hint(format!("names are relative to the zone; if `{full}` is meant, write it in full")),
    })
}

/// `name` as a host name; it came from what was `written`.
pub(crate) fn read_name(name: &str, written: &At<String>, report: &Report<'_>) -> Option<String> {
    parse_name(name).map_or_else(|fault| report.refuse(fault.problem(written)), Some)
}

fn read_content(kind: RecordKind, written: &At<String>, zone: &str, report: &Report<'_>) -> Option<Content> {
    let text = written.value.as_str();
    let fits = |address: &IpAddr| match kind {
        RecordKind::A => address.is_ipv4(),
        RecordKind::Aaaa => address.is_ipv6(),
        RecordKind::Cname => false,
    };
    match (kind, text.parse::<IpAddr>()) {
        (_, Ok(address)) if fits(&address) => Some(Content::Address(address)),
        (kind, Ok(address)) => {
            let (version, of) = if address.is_ipv4() { ("IPv4", RecordKind::A) } else { ("IPv6", RecordKind::Aaaa) };
            let message = format!("`{text}` is an {version} address, which no `{}` record holds", word(kind));
            report.refuse(written.place.error(message).hint(format!("make it `type = \"{}\"`", word(of))))
        }
        (RecordKind::Cname, Err(_)) if text == "@" => Some(Content::Name(zone.to_owned())),
        (RecordKind::Cname, Err(_)) => read_name(text, written, report).map(Content::Name),
        (RecordKind::A | RecordKind::Aaaa, Err(_)) => {
            let version = if kind == RecordKind::A { "IPv4" } else { "IPv6" };
            let problem = written.place.error(format!("`{}` is not an {version} address", shown(text)));
            report.refuse(match text.parse::<SocketAddr>() {
                Ok(socket) => problem.hint(format!(
                    "write `{}`; the port is set by `origin_http_port` and `origin_https_port` in `[zone.settings]`",
                    socket.ip()
                )),
                Err(_) if text.contains(char::is_alphabetic) && parse_name(text).is_ok() => {
                    problem.hint("a name is the content of `type = \"CNAME\"`")
                }
                Err(_) => problem,
            })
        }
    }
}
