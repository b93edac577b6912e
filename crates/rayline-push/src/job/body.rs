//! One batch as its receiver wants it: the request, or the file's name and bytes.
//!
//! The same batch always makes the same request but for its signature, so that a receiver who has it can tell.

use std::io::Write as _;
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT};
use http::{Method, Request};
use rayline_verdict::Moment;
use rusty_s3::S3Action as _;
use serde::Deserialize;

use super::batch::Batch;
use super::destination::{Body, Kind};
use super::line::{OutputOptions, moment};
use crate::trace;

/// How long a signature holds: longer than an upload takes, and than clocks differ.
const SIGNED_FOR: Duration = Duration::from_secs(900);

/// See draft-ietf-httpapi-idempotency-key-header: a structured string.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

const AGENT: &str = concat!("rayline/", env!("CARGO_PKG_VERSION"));

/// What is to be done with a batch.
pub(super) enum Parcel {
    /// Write this file, which may be there already.
    File { folder: String, name: String, bytes: Vec<u8> },
    /// Send this request.
    Request(Box<Request<Bytes>>),
}

/// Packs lines. Those that are no lines of the request log are left out where their fields are needed.
///
/// # Errors
///
/// When the destination makes an address that cannot be written.
pub(super) fn pack(kind: &Kind, output: &OutputOptions, batch: &Batch, lines: &[u8]) -> Result<Parcel, String> {
    let name = format!("{}.log.gz", batch.id);
    match kind {
        Kind::File { folder } => {
            let folder = folder.replace("{DATE}", batch.day());
            Ok(Parcel::File { folder, name, bytes: compressed(&chosen(output, lines)) })
        }
        Kind::S3 { bucket, credentials, prefix } => {
            let prefix = prefix.replace("{DATE}", batch.day());
            let object = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
            let url = bucket.put_object(Some(credentials), &object).sign(SIGNED_FOR);
            let body = compressed(&chosen(output, lines));
            let request = request(Method::PUT, url.as_str(), "application/gzip", body)?;
            Ok(Parcel::Request(Box::new(request)))
        }
        Kind::Http { url, headers, body } => {
            let mut url = url.clone();
            let (kind, plain) = match body {
                Body::Lines => ("application/x-ndjson", chosen(output, lines)),
                Body::ClickHouse { table } => {
                    insert_into(&mut url, table, batch);
                    ("application/x-ndjson", chosen(output, lines))
                }
                Body::Loki { labels } => ("application/json", loki(labels, output, batch, lines).into()),
                Body::Otlp => ("application/x-protobuf", trace::encode(lines).into()),
            };
            let mut request = request(Method::POST, url.as_str(), kind, compressed(&plain))?;
            let fields = request.headers_mut();
            fields.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            fields.extend(HeaderValue::try_from(format!("\"{}\"", batch.id)).ok().map(|id| (IDEMPOTENCY_KEY, id)));
            // what a person wrote wins
            fields.extend(headers.clone());
            Ok(Parcel::Request(Box::new(request)))
        }
    }
}

fn request(method: Method, url: &str, kind: &str, body: Vec<u8>) -> Result<Request<Bytes>, String> {
    let request = Request::builder().method(method).uri(url).header(CONTENT_TYPE, kind).header(USER_AGENT, AGENT);
    request.body(Bytes::from(body)).map_err(|error| error.to_string())
}

/// The lines with what is wanted of each.
fn chosen<'a>(output: &OutputOptions, lines: &'a [u8]) -> std::borrow::Cow<'a, [u8]> {
    if output.is_plain() {
        return lines.into();
    }
    let mut out = Vec::with_capacity(lines.len());
    for line in each(lines) {
        output.write(line, &mut out);
    }
    out.into()
}

/// The lines without their ends.
pub(crate) fn each(lines: &[u8]) -> impl Iterator<Item = &[u8]> {
    lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

/// Fast rather than small: a line shrinks to a sixth already so.
fn compressed(plain: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::with_capacity(plain.len() / 4), Compression::fast());
    // writing into memory does not fail
    let _ = out.write_all(plain);
    out.finish().unwrap_or_default()
}

/// The parameters of ClickHouse's HTTP interface. A token that was inserted lately inserts nothing again, where the table
/// deduplicates (`non_replicated_deduplication_window`).
fn insert_into(url: &mut url::Url, table: &str, batch: &Batch) {
    let given: Vec<String> = url.query_pairs().map(|(name, _)| name.into_owned()).collect();
    let query = format!("INSERT INTO {table} FORMAT JSONEachRow");
    let ours = [
        ("query", query.as_str()),
        ("insert_deduplication_token", batch.id.as_str()),
        ("input_format_skip_unknown_fields", "1"),
        ("date_time_input_format", "best_effort"),
        ("wait_end_of_query", "1"),
    ];
    let ours = ours.iter().filter(|(name, _)| !given.iter().any(|given| given == name));
    url.query_pairs_mut().extend_pairs(ours);
}

/// Loki's push request: one stream, a value per line with the time of its request's end.
fn loki(labels: &[(String, String)], output: &OutputOptions, batch: &Batch, lines: &[u8]) -> Vec<u8> {
    #[derive(Deserialize)]
    struct End<'a> {
        #[serde(rename = "EdgeEndTimestamp")]
        end: Option<&'a str>,
    }
    let stream: serde_json::Map<_, _> =
        labels.iter().map(|(name, value)| (name.clone(), serde_json::Value::from(value.as_str()))).collect();
    let values = each(lines).map(|line| {
        let end: Option<End<'_>> = serde_json::from_slice(line).ok();
        let Moment(nanos) = end.and_then(|line| moment(line.end?)).unwrap_or(batch.began);
        let mut text = Vec::with_capacity(line.len());
        if output.is_plain() || !output.write(line, &mut text) {
            text.clear();
            text.extend_from_slice(line);
        }
        let text = String::from_utf8_lossy(text.trim_ascii_end()).into_owned();
        serde_json::json!([nanos.to_string(), text])
    });
    let values: Vec<_> = values.collect();
    serde_json::json!({"streams": [{"stream": stream, "values": values}]}).to_string().into_bytes()
}
