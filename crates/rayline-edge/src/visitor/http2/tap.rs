//! The visitor's socket as the HTTP/2 library sees it: every byte goes past the frame counter.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::frames::SharedFrames;
use crate::visitor::io::SharedIo;

/// The socket, and the counter beside it.
#[derive(Debug)]
pub(super) struct Tap {
    pub(super) io: SharedIo,
    pub(super) frames: SharedFrames,
}

impl AsyncRead for Tap {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // A visitor that has to go is not listened to any more: whoever polls the connection ends it.
        if self.frames.borrow().broken.is_some() {
            return Poll::Pending;
        }
        let mut io = self.io.borrow_mut();
        let before = buf.filled().len();
        if io.input.is_empty() {
            ready!(Pin::new(&mut io.stream).poll_read(cx, buf))?;
        } else {
            // What was read to find out which protocol it is.
            let count = io.input.len().min(buf.remaining());
            buf.put_slice(io.input.get(..count).unwrap_or_default());
            io.input.advance(count);
            if io.input.is_empty() {
                // From here on the library has buffers of its own.
                io.input = BytesMut::new();
            }
        }
        let fresh = buf.filled().get(before..).unwrap_or_default();
        io.ended = fresh.is_empty();
        if !self.frames.borrow_mut().receive(fresh) {
            buf.set_filled(before);
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tap {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let count = ready!(Pin::new(&mut self.io.borrow_mut().stream).poll_write_vectored(cx, slices))?;
        let mut frames = self.frames.borrow_mut();
        let mut left = count;
        for slice in slices {
            let taken = slice.get(..left.min(slice.len())).unwrap_or_default();
            frames.send(taken);
            left -= taken.len();
        }
        Poll::Ready(Ok(count))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io.borrow_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io.borrow_mut().stream).poll_shutdown(cx)
    }
}
