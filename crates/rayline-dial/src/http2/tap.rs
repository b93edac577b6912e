//! The connection under HTTP/2, with what the requests on it must know when it ends.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Shared;
use super::frames::Frames;
use crate::connection::Connection;

/// A connection, what came over it, and how it ended.
#[derive(Debug)]
pub(super) struct Tap {
    pub(super) connection: Connection,
    pub(super) frames: Frames,
    /// The first error met.
    error: Option<io::Error>,
    /// The origin has closed it.
    closed: bool,
    /// The last attempt to write had to wait.
    blocked: bool,
    /// Bytes that may be read until others have had their turn.
    turn: usize,
}

/// The most that is read in one go: an origin that sends without an end must not keep the worker from its other visitors.
const TURN: usize = 256 * 1024;

impl Tap {
    pub(super) fn new(connection: Connection, header_bytes: usize) -> Self {
        Self { connection, frames: Frames::new(header_bytes), error: None, closed: false, blocked: false, turn: TURN }
    }

    /// Begins another turn of reading.
    pub(super) fn begin_turn(&mut self) {
        self.turn = TURN;
    }

    pub(super) fn error(&self) -> Option<&io::Error> {
        self.error.as_ref()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(super) fn is_blocked(&self) -> bool {
        self.blocked
    }

    /// Keeps the first error, and hands up its kind.
    fn keep(&mut self, error: io::Error) -> io::Error {
        let kind = error.kind();
        self.error.get_or_insert(error);
        kind.into()
    }

    /// Takes note of an attempt to write `most` bytes.
    ///
    /// One that failed is passed for one that went well: the origin may have said why before it closed, and the reader,
    /// who meets the end next, is to hear it first.
    fn wrote(&mut self, outcome: Poll<io::Result<usize>>, most: usize) -> Poll<io::Result<usize>> {
        self.blocked = outcome.is_pending();
        outcome.map(|outcome| {
            Ok(outcome.unwrap_or_else(|error| {
                let _ = self.keep(error);
                most
            }))
        })
    }
}

/// What the library reads and writes.
#[derive(Debug)]
pub(super) struct TapStream(pub(super) Rc<Shared>);

impl AsyncRead for TapStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut tap = self.0.tap.borrow_mut();
        let tap = &mut *tap;
        if tap.turn == 0 {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buf.filled().len();
        match Pin::new(&mut tap.connection).poll_read(cx, buf) {
            Poll::Ready(Ok(())) => {
                let fresh = buf.filled().get(before..).unwrap_or_default();
                tap.closed |= fresh.is_empty();
                tap.turn = tap.turn.saturating_sub(fresh.len());
                tap.frames.see(fresh);
                // The library would go on reading; nobody has to.
                match tap.frames.flood() {
                    Some(_) => Poll::Ready(Err(io::ErrorKind::InvalidData.into())),
                    None => Poll::Ready(Ok(())),
                }
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(tap.keep(error))),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncWrite for TapStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut tap = self.0.tap.borrow_mut();
        let outcome = Pin::new(&mut tap.connection).poll_write(cx, bytes);
        tap.wrote(outcome, bytes.len())
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut tap = self.0.tap.borrow_mut();
        let outcome = Pin::new(&mut tap.connection).poll_write_vectored(cx, slices);
        tap.wrote(outcome, slices.iter().map(|slice| slice.len()).sum())
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut tap = self.0.tap.borrow_mut();
        let outcome = Pin::new(&mut tap.connection).poll_flush(cx).map_ok(|()| 0);
        tap.wrote(outcome, 0).map_ok(drop)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut tap = self.0.tap.borrow_mut();
        Pin::new(&mut tap.connection).poll_shutdown(cx).map_err(|error| tap.keep(error))
    }
}
