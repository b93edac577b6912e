//! A visitor's socket with its read buffer, plain or TLS: what HTTP/1.1 works on, and what lies below HTTP/2.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::BytesMut;
use rayline_dial::Pipe;
use tokio::io::{AsyncReadExt, AsyncWrite};

use super::Stream;
use crate::deadline::Deadline;
use crate::output::Output;

/// How much is read ahead of a pipelining visitor while an earlier request is being served.
const READ_AHEAD: usize = 64 * 1024;
/// Room for a typical head: what is read at once while waiting for one.
const HEAD_READ: usize = 4 * 1024;
/// With less room than that nothing is read: it would come in crumbs.
const LEAST_ROOM: usize = 1024;

/// Interim responses kept for a visitor that does not read them.
const MAX_INTERIM_BYTES: usize = 64 * 1024;

/// How much of an unread request is read and thrown away before the connection closes, so that the answer is not lost
/// to a reset (RFC 9112 §9.6), and for how long.
const LINGER_BYTES: usize = 1024 * 1024;
pub(crate) const LINGER_TIME: Duration = Duration::from_secs(2);

/// The connection, shared by those who read from it and those who write to it. All live on one thread and borrow it
/// only while they poll.
pub(crate) type SharedIo = Rc<RefCell<VisitorIo>>;

/// A visitor's connection.
#[derive(Debug)]
pub(crate) struct VisitorIo {
    pub(super) stream: Stream,
    /// Bytes received and not yet parsed.
    pub(crate) input: BytesMut,
    /// The visitor has closed its sending side.
    pub(crate) ended: bool,
    /// Interim responses on their way.
    interim: Output,
    /// The read buffer is one for bodies.
    is_large: bool,
    /// Closing now would look like a proper end: reset instead.
    pub(crate) reset_on_drop: bool,
}

impl VisitorIo {
    pub(crate) fn new(stream: Stream) -> Self {
        Self {
            stream,
            input: BytesMut::new(),
            ended: false,
            interim: Output::default(),
            is_large: false,
            reset_on_drop: false,
        }
    }

    /// Reads at least `want` bytes' worth of room once. `Ready(0)`: the visitor closed its sending side.
    ///
    /// # Errors
    /// The socket's, or TLS's.
    pub(crate) fn poll_fill(&mut self, cx: &mut Context<'_>, want: usize) -> Poll<io::Result<usize>> {
        if self.ended {
            return Poll::Ready(Ok(0));
        }
        self.is_large |= want > HEAD_READ;
        if self.input.capacity() - self.input.len() < want.max(LEAST_ROOM) {
            self.input.reserve(want.max(HEAD_READ));
        }
        let count = ready!(pin!(self.stream.read_buf(&mut self.input)).poll(cx));
        self.ended = matches!(count, Ok(0));
        Poll::Ready(count)
    }

    /// Ready when reading may give something, without a buffer to read into. What TLS holds back is not looked at: there
    /// the answer is yes.
    pub(super) fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &self.stream {
            Stream::Plain(tcp) if !self.ended => tcp.poll_read_ready(cx).map(drop),
            Stream::Plain(_) | Stream::Tls(_) => Poll::Ready(()),
        }
    }

    /// Frees a buffer that a body needed: a visitor may be idle for long now.
    pub(crate) fn rest(&mut self) {
        if self.is_large && self.input.is_empty() {
            self.input = BytesMut::new();
            self.is_large = false;
        }
    }

    /// Watches a visitor that should be waiting: ready when it has left. What it pipelines meanwhile is kept, up to
    /// a bound; beyond that it is simply not read.
    ///
    /// A visitor that closes only its sending side counts as gone too: it cannot be told from one that closed both
    /// until something is written to it.
    pub(crate) fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.input.len() < READ_AHEAD {
            match ready!(self.poll_fill(cx, 1)) {
                Ok(0) | Err(_) => return Poll::Ready(()),
                Ok(_) => {}
            }
        }
        Poll::Pending
    }

    /// Queues an interim response (RFC 9110 §15.2). One that finds too many unread before it is dropped: they are
    /// optional, and a visitor that reads none must not make us keep them.
    pub(crate) fn queue_interim(&mut self, head: &[u8]) {
        if self.interim.prefix.len() + head.len() <= MAX_INTERIM_BYTES {
            self.interim.prefix.extend_from_slice(head);
        }
    }

    /// Writes queued interim responses out as far as the visitor takes them. What goes wrong is met again by whoever
    /// writes next.
    pub(crate) fn poll_interim(&mut self, cx: &mut Context<'_>) {
        if self.interim.is_empty() {
            return;
        }
        let _ = self.interim.poll_flush(&mut self.stream, cx);
    }

    /// Whether what is in a pipe can be sent: under TLS it would have to be read.
    pub(crate) fn takes_pipe(&self) -> bool {
        matches!(self.stream, Stream::Plain(_))
    }

    /// Writes what is left of interim responses, then what the pipe holds, then `output`.
    ///
    /// # Errors
    /// The socket's, or TLS's.
    pub(crate) fn poll_flush(
        &mut self,
        pipe: Option<&mut Pipe>,
        output: &mut Output,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.interim.poll_flush(&mut self.stream, cx))?;
        if let Some(pipe) = pipe {
            ready!(pipe.poll_drain(self.stream.tcp(), cx))?;
        }
        output.poll_flush(&mut self.stream, cx)
    }

    /// Closes our sending side: `close_notify` where there is TLS, then FIN.
    pub(crate) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Closes our side and waits a little for the other: what the visitor still sends must not meet a closed socket.
pub(crate) async fn linger(io: &SharedIo) {
    let mut deadline = Deadline::default();
    deadline.set_after(LINGER_TIME);
    let mut left = LINGER_BYTES;
    poll_fn(|cx| {
        let mut io = io.borrow_mut();
        if io.reset_on_drop || deadline.poll(cx).is_ready() || io.poll_shutdown(cx).is_pending() {
            return if io.reset_on_drop { Poll::Ready(()) } else { deadline.poll(cx) };
        }
        loop {
            io.input.clear();
            match io.poll_fill(cx, 16 * 1024) {
                Poll::Ready(Ok(count @ 1..)) if count < left => left -= count,
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return deadline.poll(cx),
            }
        }
    })
    .await;
}

impl Drop for VisitorIo {
    fn drop(&mut self) {
        if self.reset_on_drop {
            // Best effort: if the option cannot be set the connection is closed all the same.
            let _ = self.stream.tcp().set_zero_linger();
        } else if let Stream::Tls(tls) = &mut self.stream {
            // Whoever is dropped unheard, an idle visitor while we drain, is told once more; not if that would block.
            let (tcp, session) = tls.get_mut();
            session.send_close_notify();
            let mut last = Vec::new();
            let _ = session.write_tls(&mut last);
            let _ = tcp.try_write(&last);
        }
    }
}
