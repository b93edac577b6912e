//! An origin connection in use by one request: the connection, its read buffer, its parser, its timer.

use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use rayline_dial::Connection;
use rayline_http1::ResponseParser;
use rayline_verdict::Fault;
use rayline_verdict::evidence::Fact;
use rayline_verdict::snippet::{SNIPPET_BYTES, Snippet};
use tokio::io::AsyncReadExt;

use crate::deadline::Deadline;
use crate::output::Output;
use crate::worker::Worker;

/// Room for a typical response head with a small body.
const HEAD_READ: usize = 16 * 1024;

/// An origin connection in use.
pub(crate) struct Link {
    pub(crate) connection: Connection,
    pub(crate) input: BytesMut,
    pub(crate) parser: ResponseParser,
    pub(crate) deadline: Deadline,
    /// Bytes received for this request.
    pub(crate) received: u64,
    /// The zone's SSL mode: the reason why TLS is spoken, or not.
    ssl_mode: &'static str,
    worker: Rc<Worker>,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("received", &self.received).finish_non_exhaustive()
    }
}

impl Link {
    pub(crate) fn new(
        worker: &Rc<Worker>,
        connection: Connection,
        limits: rayline_http1::Limits,
        ssl_mode: &'static str,
    ) -> Self {
        Self {
            connection,
            input: worker.buffer(),
            parser: ResponseParser::new(limits),
            deadline: worker.deadline(),
            received: 0,
            ssl_mode,
            worker: Rc::clone(worker),
        }
    }

    /// Reads once, with room for at least `want` bytes. `Ready(0)`: the origin closed.
    ///
    /// # Errors
    /// The socket's, or TLS's.
    pub(crate) fn poll_fill(&mut self, cx: &mut Context<'_>, want: usize) -> Poll<io::Result<usize>> {
        self.input.reserve(want.max(HEAD_READ));
        let count = ready!(pin!(self.connection.read_buf(&mut self.input)).poll(cx))?;
        self.received += count as u64;
        Poll::Ready(Ok(count))
    }

    /// Writes `output` out.
    ///
    /// # Errors
    /// The socket's, or TLS's.
    pub(crate) fn poll_flush(&mut self, output: &mut Output, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        output.poll_flush(&mut self.connection, cx)
    }

    /// Adds what both taps know. A cold path: it asks the kernel.
    pub(crate) fn testify(&self, mut fault: Fault) -> Fault {
        self.connection.testify(&mut fault.evidence);
        fault.with(Fact::SslMode(self.ssl_mode))
    }

    /// The same, with what came of a head that is not to become one.
    pub(crate) fn testify_of_head(&self, fault: Fault) -> Fault {
        let mut fault = self.testify(fault);
        if !self.input.is_empty() {
            fault.evidence.add(Fact::FirstBytes(Snippet::first(&self.input)));
        }
        if self.input.len() > SNIPPET_BYTES {
            fault.evidence.add(Fact::LastBytes(Snippet::last(&self.input)));
        }
        fault
    }

    /// Bytes of this request sent so far.
    pub(crate) fn sent(&self) -> u64 {
        self.connection.request_bytes().0
    }

    /// Takes the connection out, for the pool. The buffer and the timer go back to the worker.
    pub(crate) fn into_connection(self) -> Connection {
        self.worker.give_back(self.input);
        self.worker.give_back_deadline(self.deadline);
        self.connection
    }
}
