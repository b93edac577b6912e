//! The tap below TLS: a TCP stream that counts its bytes and keeps the first ones received.
//!
//! During a TLS handshake it keeps a copy and a timer, which runs out as an error of the wire, so that the wire comes back
//! with every failure and can be asked. Afterwards the tap costs two additions.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rayline_verdict::snippet::SNIPPET_BYTES;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use crate::pipe::Pipe;

/// A TCP stream with its tap.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: TcpStream,
    sent: u64,
    received: u64,
    handshake: Option<Box<Handshake>>,
}

#[derive(Debug)]
struct Handshake {
    /// The first bytes received.
    first: Vec<u8>,
    deadline: Pin<Box<Sleep>>,
}

impl Wire {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream, sent: 0, received: 0, handshake: None }
    }

    pub(crate) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Bytes sent and received on this connection, TLS included.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        (self.sent, self.received)
    }

    /// Takes what waits in the socket into an empty pipe, as [`Pipe::fill`] does.
    pub(crate) fn fill(&mut self, pipe: &mut Pipe, most: u64, left: u64) -> usize {
        let count = pipe.fill(&self.stream, most, left);
        self.received += count as u64;
        count
    }

    /// From now on keeps the first [`SNIPPET_BYTES`] received, and fails to read with [`io::ErrorKind::TimedOut`] and
    /// without an errno when `limit` is over.
    pub(crate) fn begin_handshake(&mut self, limit: Duration) {
        self.handshake = Some(Box::new(Handshake { first: Vec::new(), deadline: Box::pin(sleep(limit)) }));
    }

    /// Ends that, with what was kept.
    pub(crate) fn end_handshake(&mut self) -> Vec<u8> {
        self.handshake.take().map(|handshake| handshake.first).unwrap_or_default()
    }
}

impl Handshake {
    fn keep(&mut self, fresh: &[u8]) {
        let room = SNIPPET_BYTES.saturating_sub(self.first.len());
        self.first.extend_from_slice(fresh.get(..room).unwrap_or(fresh));
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        match Pin::new(&mut this.stream).poll_read(cx, buf) {
            Poll::Ready(outcome) => outcome?,
            Poll::Pending => {
                let Some(handshake) = &mut this.handshake else { return Poll::Pending };
                ready!(handshake.deadline.as_mut().poll(cx));
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
        let fresh = buf.filled().get(before..).unwrap_or_default();
        this.received += fresh.len() as u64;
        if let Some(handshake) = &mut this.handshake {
            handshake.keep(fresh);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = ready!(Pin::new(&mut this.stream).poll_write(cx, bytes))?;
        this.sent += written as u64;
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = ready!(Pin::new(&mut this.stream).poll_write_vectored(cx, slices))?;
        this.sent += written as u64;
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
