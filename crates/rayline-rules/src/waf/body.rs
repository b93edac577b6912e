//! A body taken apart into the texts that rules look at: by its type, or by its looks where it has none.
//!
//! A body that is not what it says it is, is a finding, never an error, and its bytes are still looked at as text. Files
//! of pictures, sound and the like are left alone.

mod json;
mod multipart;
mod xml;

use super::Place;
use super::detector::Signal;
use super::inspection::Inspection;

/// Arguments that are looked at of one request; one more is a finding.
pub(super) const ARGUMENTS: usize = 4096;

/// Levels of nesting of JSON; one more is a finding.
pub(super) const DEPTH: usize = 64;

/// The beginning of a request's body.
#[derive(Debug, Clone, Copy)]
pub struct Body<'a> {
    /// As many bytes as were read; content codings are not undone here.
    pub bytes: &'a [u8],
    /// Whether there is more of it.
    pub truncated: bool,
    /// `Content-Type`, as it came.
    pub content_type: Option<&'a [u8]>,
}

/// What a body is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Form,
    Json,
    Multipart,
    Xml,
    Text,
    /// Nothing that a text could be in.
    Binary,
}

/// Shows each text of the body to the inspection.
pub(super) fn read(body: &Body<'_>, inspection: &mut Inspection<'_, '_>) {
    if body.bytes.is_empty() {
        return;
    }
    let kind = match body.content_type.map(<[u8]>::trim_ascii).filter(|text| !text.is_empty()) {
        Some(content_type) => declared(content_type),
        None => {
            inspection.signal(Signal::UntypedBody);
            guessed(body.bytes)
        }
    };
    let malformed = match kind {
        Kind::Form => {
            inspection.text(Place::Query, b"", body.bytes);
            inspection.form(body.bytes);
            None
        }
        Kind::Json => json::read(body, inspection),
        Kind::Multipart => multipart::read(body, inspection),
        Kind::Xml => {
            xml::read(body.bytes, inspection);
            inspection.text(Place::Body, b"", body.bytes);
            None
        }
        Kind::Text => {
            inspection.text(Place::Body, b"", body.bytes);
            None
        }
        Kind::Binary => None,
    };
    if let Some(signal) = malformed {
        inspection.signal(signal);
        inspection.text(Place::Body, b"", body.bytes);
    }
}

/// The type and subtype, without parameters.
fn essence(content_type: &[u8]) -> &[u8] {
    content_type.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii()
}

fn declared(content_type: &[u8]) -> Kind {
    let essence = essence(content_type).to_ascii_lowercase();
    let (kind, subtype) = match essence.iter().position(|byte| *byte == b'/') {
        Some(slash) => (essence.get(..slash).unwrap_or_default(), essence.get(slash + 1..).unwrap_or_default()),
        None => (&*essence, &b""[..]),
    };
    match (kind, subtype) {
        (b"application", b"x-www-form-urlencoded") => Kind::Form,
        (b"multipart", _) => Kind::Multipart,
        (b"image", b"svg+xml") => Kind::Xml,
        (b"image" | b"audio" | b"video" | b"font", _) => Kind::Binary,
        (_, subtype) if subtype.ends_with(b"json") || subtype.ends_with(b"json5") => Kind::Json,
        (_, subtype) if subtype.ends_with(b"xml") || subtype == b"html" => Kind::Xml,
        (b"application", subtype) if is_binary(subtype) => Kind::Binary,
        _ => Kind::Text,
    }
}

/// Subtypes of `application` in which no interpreter reads text.
fn is_binary(subtype: &[u8]) -> bool {
    const WHOLE: &[&[u8]] = &[
        b"octet-stream",
        b"zip",
        b"gzip",
        b"pdf",
        b"wasm",
        b"msgpack",
        b"cbor",
        b"protobuf",
        b"x-protobuf",
        b"x-tar",
        b"x-7z-compressed",
        b"x-bzip2",
        b"zstd",
        b"grpc",
    ];
    WHOLE.contains(&subtype) || subtype.starts_with(b"grpc") || subtype.starts_with(b"vnd.openxmlformats")
}

fn guessed(bytes: &[u8]) -> Kind {
    let start = bytes.trim_ascii_start();
    let head = start.get(..64).unwrap_or(start);
    match start.first() {
        Some(b'{' | b'[') if serde_json::from_slice::<serde::de::IgnoredAny>(start).is_ok() => Kind::Json,
        Some(b'<') => Kind::Xml,
        _ if head.contains(&b'=') && !head.contains(&b'\n') => Kind::Form,
        _ => Kind::Text,
    }
}
