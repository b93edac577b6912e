//! The first part of a request's body, read for rules before an origin is asked, and sent on from memory afterwards.

use std::future::poll_fn;
use std::ops::ControlFlow;
use std::task::Poll;

use bytes::Bytes;
use memchr::memmem;
use rayline_http1::{Framing, RequestHead};
use rayline_rules::facts::Each;
use rayline_rules::ruleset::{Action, Phase};
use rayline_rules::{Field, ZoneRules};
use rayline_verdict::Fault;

use crate::exchange::Exchange;
use crate::visitor::body::{Interim, Piece};

/// Bytes of a body that expressions see ("Fields reference", `http.request.body.raw`).
pub(super) const MOST_OF_RULES: usize = 128 * 1024;

/// What was read of a body.
#[derive(Debug, Default)]
pub(super) struct FirstBytes {
    bytes: Vec<u8>,
    /// Whether anything was looked for.
    read: bool,
    /// There is more.
    truncated: bool,
}

impl FirstBytes {
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        (self.read, self.truncated) = (false, false);
    }

    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn was_read(&self) -> bool {
        self.read
    }

    pub(super) fn is_truncated(&self) -> bool {
        self.truncated
    }

    /// How long the body is, as announced, or as far as it was read.
    pub(super) fn size(&self, head: &RequestHead) -> u64 {
        match head.framing() {
            Framing::Length(length) => length,
            Framing::None => 0,
            Framing::Chunked | Framing::Close => self.bytes.len() as u64,
        }
    }

    /// Each name, value or file name of a form in parts (RFC 7578), as far as it was read.
    pub(super) fn each_part(&self, content_type: &[u8], field: Field, each: &mut Each<'_>) {
        let Some(boundary) = parameter(content_type, b"boundary") else { return };
        let delimiter = [b"--", boundary].concat();
        let mut places = memmem::find_iter(&self.bytes, &delimiter).peekable();
        while let Some(begin) = places.next() {
            let end = places.peek().copied().unwrap_or(self.bytes.len());
            let part = self.bytes.get(begin + delimiter.len()..end).unwrap_or_default();
            let Some(head_end) = memmem::find(part, b"\r\n\r\n") else { continue };
            let (head, content) = part.split_at_checked(head_end).unwrap_or((part, b""));
            let Some(disposition) = head.split(|byte| *byte == b'\n').find_map(disposition) else { continue };
            let value = match field {
                Field::BodyMultipartNames => parameter(disposition, b"name"),
                Field::BodyMultipartFilenames => parameter(disposition, b"filename"),
                _ => {
                    let content = content.strip_prefix(b"\r\n\r\n").unwrap_or_default();
                    Some(content.strip_suffix(b"\r\n").unwrap_or(content))
                }
            };
            if value.is_some_and(|value| each(b"", value) == ControlFlow::Break(())) {
                return;
            }
        }
    }
}

/// The value of a `Content-Disposition` line.
fn disposition(line: &[u8]) -> Option<&[u8]> {
    const NAME: &[u8] = b"content-disposition:";
    let (name, value) = line.split_at_checked(NAME.len())?;
    name.eq_ignore_ascii_case(NAME).then_some(value)
}

/// A parameter's value, without its quotes.
fn parameter<'a>(value: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    value.split(|byte| *byte == b';').find_map(|parameter| {
        let (found, value) = parameter.trim_ascii().split_at_checked(name.len())?;
        let value = value.strip_prefix(b"=").filter(|_| found.eq_ignore_ascii_case(name))?;
        Some(value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value))
    })
}

/// How much of the body the managed rules want that are about to run; nothing if none does, or it was read already.
pub(super) fn managed_need(exchange: &Exchange<'_>, rules: &ZoneRules) -> Option<usize> {
    let zone = exchange.zone?;
    let ruled = exchange.rules.as_deref()?;
    if ruled.body.was_read() || ruled.changes.skips.skips(Phase::FirewallManaged) {
        return None;
    }
    let executes = rules.of(Phase::FirewallManaged).iter().filter(|rule| matches!(rule.action, Action::Execute(_)));
    executes.filter_map(|rule| zone.managed(&rule.id)?.needs_body()).max()
}

/// Reads the body until that many bytes are there, or all of it, as slowly as bodies may come. What was read is sent on
/// later. The body of a call or of a tunnel is a conversation: nothing is waited for there.
///
/// # Errors
/// The visitor's faults while it sends the body.
pub(super) async fn read(exchange: &mut Exchange<'_>, most: usize) -> Result<(), Fault> {
    if exchange.body.is_done() || exchange.is_call() || exchange.upgrade.is_some() || exchange.body.awaits_tunnel() {
        return Ok(());
    }
    if exchange.body.awaits_continue {
        exchange.body.awaits_continue = false;
        exchange.body.queue_interim(Interim::Continue);
    }
    let mut pieces: Vec<Piece> = Vec::new();
    let mut first = FirstBytes { read: true, ..FirstBytes::default() };
    let body = &mut exchange.body;
    let outcome = poll_fn(|cx| {
        loop {
            body.poll_interim(cx);
            match body.poll_next(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(fault)) => return Poll::Ready(Err(fault)),
                Poll::Ready(Ok(Piece::Data(data))) => {
                    keep(&mut first, &data, most);
                    // What is kept for so long holds no buffer of the connection's.
                    pieces.push(Piece::Data(Bytes::copy_from_slice(&data)));
                    if first.bytes.len() >= most {
                        return Poll::Ready(Ok(()));
                    }
                }
                Poll::Ready(Ok(other)) => {
                    pieces.push(other);
                    return Poll::Ready(Ok(()));
                }
            }
        }
    })
    .await;
    outcome?;
    exchange.now = std::time::Instant::now();
    let whole = matches!(pieces.last(), Some(Piece::End | Piece::Trailers(_)));
    first.truncated |= !whole && !exchange.body.is_done();
    exchange.body.put_back(pieces);
    if let Some(ruled) = exchange.rules.as_deref_mut() {
        ruled.body = first;
    }
    Ok(())
}

fn keep(first: &mut FirstBytes, data: &[u8], most: usize) {
    let room = most - first.bytes.len().min(most);
    first.bytes.extend(data.iter().take(room));
    first.truncated |= data.len() > room;
}
