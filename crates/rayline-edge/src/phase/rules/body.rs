//! The first part of a request's body, read for rules before an origin is asked, and sent on from memory afterwards.

mod parts;

use std::future::poll_fn;
use std::task::{Poll, ready};

use bytes::{Bytes, BytesMut};
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
    bytes: Bytes,
    /// Whether anything was looked for.
    read: bool,
    /// There is more.
    truncated: bool,
}

impl FirstBytes {
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn capacity(&self) -> usize {
        self.bytes.len()
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
        let _ = parts::each_part(&self.bytes, content_type, &mut |part| match field {
            Field::BodyMultipartNames => part.names(&mut |name| each(b"", name)),
            Field::BodyMultipartFilenames => part.file_names(&mut |name| each(b"", name)),
            _ => each(b"", part.content),
        });
    }
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
/// later. The body of a call or of a tunnel is a conversation: nothing is waited for there, and rules are told that they do
/// not see it (`http.request.body.truncated`).
///
/// # Errors
/// The visitor's faults while it sends the body.
pub(super) async fn read(exchange: &mut Exchange<'_>, most: usize) -> Result<(), Fault> {
    if exchange.body.is_done() {
        return Ok(());
    }
    if exchange.is_call() || exchange.upgrade.is_some() || exchange.body.awaits_tunnel() {
        if let Some(ruled) = exchange.rules.as_deref_mut() {
            ruled.body.truncated = true;
        }
        return Ok(());
    }
    if exchange.body.awaits_continue {
        exchange.body.awaits_continue = false;
        exchange.body.queue_interim(Interim::Continue);
    }
    let body = &mut exchange.body;
    // One buffer, however small the pieces are: it holds no buffer of the connection's for so long, and no more than was sent.
    let mut read = BytesMut::new();
    let last = poll_fn(|cx| {
        loop {
            body.poll_interim(cx);
            match ready!(body.poll_next(cx))? {
                Piece::Data(data) => read.extend_from_slice(&data),
                last @ (Piece::Trailers(_) | Piece::End) => return Poll::Ready(Ok(Some(last))),
            }
            if read.len() >= most {
                return Poll::Ready(Ok::<_, Fault>(None));
            }
        }
    })
    .await?;
    exchange.now = std::time::Instant::now();
    let read = read.freeze();
    let truncated = read.len() > most || (last.is_none() && !exchange.body.is_done());
    let bytes = read.slice(..read.len().min(most));
    exchange.body.put_back((!read.is_empty()).then_some(Piece::Data(read)).into_iter().chain(last));
    if let Some(ruled) = exchange.rules.as_deref_mut() {
        ruled.body = FirstBytes { bytes, read: true, truncated };
    }
    Ok(())
}
