//! One stream of an origin: its request, the part of the body that waits, and how far its acts have got.

use std::collections::VecDeque;

use bytes::Bytes;
use tokio::time::Instant;

use super::act::Act;
use crate::origin::Seen;
use crate::serve;

#[derive(Debug, Default)]
pub(super) struct Stream<'a> {
    acts: &'a [Act],
    at: usize,
    request: Option<Seen>,
    /// Pieces of the body with what they take of the windows.
    inbox: VecDeque<(Bytes, u32)>,
    /// The length of the body so far.
    body: u64,
    /// Whether the request has ended.
    pub(super) received: bool,
    /// Whether our side has ended.
    pub(super) sent_all: bool,
    /// How much the act at hand has sent.
    pub(super) sent: u64,
    /// When the act at hand goes on by itself.
    pub(super) wakes: Option<Instant>,
}

impl<'a> Stream<'a> {
    pub(super) fn new(acts: &'a [Act], request: Seen, received: bool) -> Self {
        Self { acts, request: Some(request), received, ..Self::default() }
    }

    /// The act at hand.
    pub(super) fn act(&self) -> Option<&'a Act> {
        self.acts.get(self.at)
    }

    pub(super) fn next_act(&mut self) {
        self.at += 1;
        self.sent = 0;
        self.wakes = None;
    }

    pub(super) fn is_head(&self) -> bool {
        self.request.as_ref().is_some_and(|request| request.head.word(0) == Some("HEAD"))
    }

    /// The request as it arrived.
    pub(super) fn shown(&self) -> Bytes {
        self.request.as_ref().map(|request| serve::echo(request, self.body)).unwrap_or_default()
    }

    pub(super) fn receive(&mut self, bytes: Bytes, flow: u32, end_stream: bool) {
        self.body += bytes.len() as u64;
        self.inbox.push_back((bytes, flow));
        self.received |= end_stream;
    }

    /// Whether nothing waits to be read.
    pub(super) fn is_read(&self) -> bool {
        self.inbox.is_empty()
    }

    /// At most so many bytes of what waits, with what they give back to the windows; nothing if `at_most` is too little for any.
    pub(super) fn take(&mut self, at_most: usize) -> Option<(Bytes, u32)> {
        let (bytes, flow) = self.inbox.front_mut()?;
        if at_most >= bytes.len() {
            return self.inbox.pop_front();
        }
        if at_most == 0 {
            return None;
        }
        let piece = bytes.split_to(at_most);
        let given = u32::try_from(at_most).unwrap_or(u32::MAX).min(*flow);
        *flow -= given;
        Some((piece, given))
    }

    /// Forgets what waits; says what that gives back to the windows.
    pub(super) fn discard(&mut self) -> u32 {
        self.inbox.drain(..).map(|(_, flow)| flow).sum()
    }

    /// Gives the windows back what waits, without forgetting it.
    pub(super) fn keep(&mut self) -> u32 {
        self.inbox.iter_mut().map(|(_, flow)| std::mem::take(flow)).sum()
    }
}
