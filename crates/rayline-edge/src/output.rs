//! What is on its way into a socket: a prefix of our own making, a piece of somebody's body, a fixed suffix.
//!
//! All three go out in one vectored write, so a body is never copied to be framed.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::AsyncWrite;

/// Bytes to write, in order: `prefix`, `data`, `suffix`.
#[derive(Debug, Default)]
pub(crate) struct Output {
    /// Heads and chunk sizes.
    pub(crate) prefix: BytesMut,
    /// A piece of a body.
    pub(crate) data: Bytes,
    /// The end of a chunk, or of all chunks.
    pub(crate) suffix: &'static [u8],
    /// Bytes written so far, in all.
    pub(crate) written: u64,
}

impl Output {
    pub(crate) fn is_empty(&self) -> bool {
        self.prefix.is_empty() && self.data.is_empty() && self.suffix.is_empty()
    }

    /// Writes until everything is out, and counts in `written` what went.
    ///
    /// # Errors
    /// What the writer says; a writer that takes nothing is `WriteZero`.
    pub(crate) fn poll_flush<W: AsyncWrite + Unpin>(
        &mut self,
        writer: &mut W,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while !self.is_empty() {
            let slices = [IoSlice::new(&self.prefix), IoSlice::new(&self.data), IoSlice::new(self.suffix)];
            let count = ready!(Pin::new(&mut *writer).poll_write_vectored(cx, &slices))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.advance(count);
        }
        Pin::new(writer).poll_flush(cx)
    }

    fn advance(&mut self, count: usize) {
        self.written += count as u64;
        let from_prefix = count.min(self.prefix.len());
        self.prefix.advance(from_prefix);
        let from_data = (count - from_prefix).min(self.data.len());
        self.data.advance(from_data);
        let from_suffix = count - from_prefix - from_data;
        self.suffix = self.suffix.get(from_suffix..).unwrap_or_default();
    }
}
