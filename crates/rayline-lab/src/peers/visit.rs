//! A visitor without opinions: one request, and what came back of it.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use rayline_testkit::{End, Response, Visitor};

use super::essence::text_of;

/// How long a visitor waits for the next byte: longer than any of the proxies does, told or not.
const PATIENCE: Duration = Duration::from_secs(15);
/// Field names with one of these in them say why there is no answer, whoever sends them.
const CAUSES: [&str; 5] = ["proxy-status", "error", "reason", "cause", "warning"];
/// The most that is read of a page.
const PAGE: usize = 64 * 1024;

/// What a visitor saw.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    /// The status line, what the page says if it is one about an error, and how the answer ended if it is not whole.
    pub(crate) seen: String,
    /// The fields that tell a cause.
    pub(crate) fields: String,
}

/// Asks `host` for `path`.
///
/// # Errors
/// The proxy takes no connection.
pub(crate) async fn visit(address: SocketAddr, host: &str, path: &str) -> io::Result<Visit> {
    let mut visitor = Visitor::connect(address).await?.patience(PATIENCE);
    visitor.send(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\nConnection: close\r\n\r\n")).await?;
    let response = visitor.read_response("GET").await;
    let is_cause = |name: &str| CAUSES.iter().any(|cause| name.to_ascii_lowercase().contains(cause));
    let fields = response.head.fields.iter().filter(|(name, _)| is_cause(name));
    let fields: Vec<String> = fields.map(|(name, value)| format!("{name}: {value}")).collect();
    Ok(Visit { seen: seen(&response), fields: fields.join("; ") })
}

fn seen(response: &Response) -> String {
    // What a good answer holds is the origin's, and says nothing of the way to it.
    let page = if matches!(response.status(), Some(400..)) { response.text() } else { String::new() };
    let page = text_of(page.get(..PAGE).unwrap_or(&page));
    let end = if response.whole { "" } else { end(response.end) };
    let head = match response.head.start.split_once(' ') {
        Some((version, status)) if version.starts_with("HTTP/") => status.trim().to_owned(),
        _ if response.raw_head.is_empty() => "no answer".to_owned(),
        _ => "bytes that are not HTTP".to_owned(),
    };
    let parts = [head.as_str(), page.trim(), end];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
}

/// How an answer ended that is not whole.
fn end(end: Option<End>) -> &'static str {
    match end {
        Some(End::Closed | End::Cut) => "cut short",
        Some(End::Reset) => "reset",
        Some(End::Silent) => "and no end",
        Some(End::TooLong) => "without an end",
        Some(End::Failed(_)) | None => "broken",
    }
}
