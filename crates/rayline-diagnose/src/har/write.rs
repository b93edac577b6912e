//! What a diagnosis asked and was answered, as HAR.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rayline_verdict::Moment;
use serde_json::{Value, json};
use url::Url;

use crate::case::Case;
use crate::diagnosis::Diagnosis;
use crate::fetch::{Answer, Exchange, Obstacle, Timings};
use crate::mask::{self, Masking};

/// The most bytes of a body that are written.
const BODY: usize = 64 * 1024;

/// Which way the requests went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Through {
    /// As visitors', through the edge if there is one.
    Edge,
    /// Straight to the origin.
    Nothing,
}

/// The HAR of one of the two ways.
pub fn write(diagnosis: &Diagnosis, through: Through, masking: Masking) -> Value {
    let Diagnosis { case, seen, .. } = diagnosis;
    let entries: Vec<Value> = match through {
        Through::Edge => {
            seen.visit.samples.iter().map(|sample| entry(case, &sample.url, &sample.exchange, masking)).collect()
        }
        Through::Nothing => {
            let asked = seen.direct.iter().flat_map(|direct| &direct.asked);
            asked.map(|asked| entry(case, &case.url, &asked.exchange, masking)).collect()
        }
    };
    json!({
        "log": {
            "version": "1.2",
            "creator": { "name": "Rayline", "version": env!("CARGO_PKG_VERSION") },
            "pages": [],
            "entries": entries,
        }
    })
}

fn entry(case: &Case, url: &Url, exchange: &Exchange, masking: Masking) -> Value {
    let version = exchange.protocol.unwrap_or("HTTP/1.1");
    let (response, comment) = match &exchange.outcome {
        Ok(answer) => (response(case, answer, version, masking), None),
        Err(obstacle) => (no_response(), Some(in_words(obstacle))),
    };
    let mut entry = json!({
        "startedDateTime": moment(exchange.at),
        "time": milliseconds(exchange.timings.total),
        "request": request(case, url, version, masking),
        "response": response,
        "cache": {},
        "timings": timings(&exchange.timings),
    });
    if let Value::Object(entry) = &mut entry {
        if let Some(address) = exchange.address {
            entry.insert("serverIPAddress".to_owned(), address.ip().to_string().into());
        }
        if let Some(comment) = comment {
            entry.insert("comment".to_owned(), comment.into());
        }
    }
    entry
}

fn request(case: &Case, url: &Url, version: &str, masking: Masking) -> Value {
    let host = url.host_str().map(|host| match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    });
    // what a person gave for one site is told to no other
    let same_host = url.host() == case.url.host();
    let is_upgrade = same_host && (case.url.scheme(), url.scheme()) == ("http", "https");
    let told = url.origin() == case.url.origin() || is_upgrade;
    let given = case.fields.iter().filter(|_| told);
    let mut fields = vec![json!({ "name": "host", "value": host.unwrap_or_default() })];
    fields.extend(given.map(|(name, value)| {
        let value = if masking == Masking::On { mask::MASK } else { value };
        json!({ "name": name, "value": value })
    }));
    let written = url.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    let query: Vec<Value> = url
        .query_pairs()
        .zip(written)
        .map(|((name, value), written)| match masking {
            Masking::Off => json!({ "name": name, "value": value }),
            Masking::On if written.contains('=') => json!({ "name": name, "value": mask::MASK }),
            // a value without a name, such as a token
            Masking::On => json!({ "name": mask::MASK, "value": "" }),
        })
        .collect();
    json!({
        "method": case.method,
        "url": mask::url(url, masking),
        "httpVersion": version,
        "cookies": [],
        "headers": fields,
        "queryString": query,
        "headersSize": -1,
        "bodySize": 0,
    })
}

fn response(case: &Case, answer: &Answer, version: &str, masking: Masking) -> Value {
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let location = answer.field("location").map(|value| mask::field("location", &value, masking));
    json!({
        "status": answer.status,
        "statusText": "",
        "httpVersion": version,
        "cookies": [],
        "headers": answer.fields.iter().map(|(name, value)| pair(name, &text(value), masking)).collect::<Vec<_>>(),
        "content": content(case, answer, masking),
        "redirectURL": location.unwrap_or_default(),
        "headersSize": -1,
        "bodySize": answer.body_bytes,
    })
}

/// What stands where no answer came: browsers write a status of 0.
fn no_response() -> Value {
    json!({
        "status": 0,
        "statusText": "",
        "httpVersion": "",
        "cookies": [],
        "headers": [],
        "content": { "size": 0, "mimeType": "" },
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": -1,
    })
}

fn content(case: &Case, answer: &Answer, masking: Masking) -> Value {
    let kept = answer.body.get(..BODY).unwrap_or(&answer.body);
    let mime_type = answer.field("content-type").unwrap_or_default();
    let bare = json!({ "size": answer.body_bytes, "mimeType": mime_type });
    let Value::Object(mut content) = bare else { return bare };
    if masking == Masking::On {
        let (member, text) = if is_error_page(answer, &mime_type) {
            let given = case.fields.iter().map(|(_, value)| value.as_str());
            ("text", mask::page(&String::from_utf8_lossy(kept), given))
        } else {
            ("comment", "left out: it may hold secrets".to_owned())
        };
        content.insert(member.to_owned(), text.into());
    } else if let Ok(text) = std::str::from_utf8(kept) {
        content.insert("text".to_owned(), text.into());
    } else {
        content.insert("text".to_owned(), BASE64_STANDARD.encode(kept).into());
        content.insert("encoding".to_owned(), "base64".into());
    }
    content.into()
}

/// Whether the body is what people are shown when something fails: what tells whose it is, and little else.
fn is_error_page(answer: &Answer, mime_type: &str) -> bool {
    let mime_type = mime_type.to_ascii_lowercase();
    let is_text = ["text/html", "text/plain"].iter().any(|kind| mime_type.starts_with(kind));
    answer.status >= 400 && is_text && answer.field("content-encoding").is_none()
}

fn pair(name: &str, value: &str, masking: Masking) -> Value {
    json!({ "name": name, "value": mask::field(name, value, masking) })
}

/// `-1` stands for a phase that did not take place. `connect` includes `ssl`.
fn timings(timings: &Timings) -> Value {
    let phase = |took: Option<Duration>| took.map_or(-1.0, milliseconds);
    let connect = timings.connect.map(|connect| connect + timings.tls.unwrap_or_default());
    json!({
        "blocked": -1,
        "dns": -1,
        "connect": phase(connect),
        "ssl": phase(timings.tls),
        "send": 0,
        "wait": timings.wait.map_or(0.0, milliseconds),
        "receive": timings.receive.map_or(0.0, milliseconds),
    })
}

fn in_words(obstacle: &Obstacle) -> String {
    match obstacle {
        Obstacle::Fault(verdict) => format!("{}: {}", verdict.code.name(), verdict.sentence()),
        Obstacle::Silent { waited } => format!("no answer within {} ms", waited.as_millis()),
    }
}

fn milliseconds(took: Duration) -> f64 {
    (took.as_secs_f64() * 1e6).round() / 1e3
}

fn moment(at: SystemTime) -> String {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Moment(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)).to_nanoseconds()
}
