//! The visitor's socket as the HTTP/2 library sees it: frames gather in front of it and go out together, and every byte
//! goes past the frame counter.
//!
//! The library flushes behind each frame of content. Here that does nothing: whoever polls the connection flushes when
//! it has nothing more to say for now.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::frames::SharedFrames;
use crate::visitor::io::SharedIo;
use crate::worker::Worker;

/// Bytes that may gather: four whole records of TLS (RFC 8446 §5.1).
const GATHERED: usize = 64 * 1024;

/// The socket, and what is on its way into it.
pub(super) struct Wire {
    worker: Rc<Worker>,
    io: SharedIo,
    frames: SharedFrames,
    /// What the library has written, and the socket has not taken. The room for it is lent by the worker.
    out: BytesMut,
    /// Something was written since the last flush.
    is_dirty: bool,
    /// The error that writing ended in. Whoever met it was not the library.
    failed: Option<io::ErrorKind>,
}

pub(super) type SharedWire = Rc<RefCell<Wire>>;

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wire").field("out", &self.out.len()).field("failed", &self.failed).finish_non_exhaustive()
    }
}

impl Wire {
    pub(super) fn new(worker: &Rc<Worker>, io: &SharedIo, frames: &SharedFrames) -> SharedWire {
        let (worker, io, frames) = (Rc::clone(worker), Rc::clone(io), Rc::clone(frames));
        Rc::new(RefCell::new(Self { worker, io, frames, out: BytesMut::new(), is_dirty: false, failed: None }))
    }

    /// Writes out what has gathered, as far as the socket takes it. True if it took anything: streams may go on then.
    /// An error is kept for the library to meet, which is to be polled again then too.
    pub(super) fn flush(&mut self, cx: &mut Context<'_>) -> bool {
        if !self.is_dirty || self.failed.is_some() {
            return false;
        }
        let before = self.out.len();
        let _ = self.poll_out(cx);
        self.out.len() < before || self.failed.is_some()
    }

    /// Writes until everything is out, and behind TLS too.
    fn poll_out(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = ready!(self.poll_drain(cx)).and_then(|()| {
            match Pin::new(&mut self.io.borrow_mut().stream).poll_flush(cx) {
                Poll::Ready(flushed) => flushed.map(|()| true),
                Poll::Pending => Ok(false),
            }
        });
        match flushed {
            Ok(false) => Poll::Pending,
            Ok(true) => {
                self.is_dirty = false;
                // An idle visitor holds no buffer.
                self.worker.give_back(std::mem::take(&mut self.out));
                Poll::Ready(Ok(()))
            }
            Err(error) => {
                self.failed = Some(error.kind());
                Poll::Ready(Err(error))
            }
        }
    }

    /// Writes until what has gathered is out.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.out.is_empty() {
            let count = ready!(Pin::new(&mut self.io.borrow_mut().stream).poll_write(cx, &self.out))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.frames.borrow_mut().send(self.out.get(..count).unwrap_or_default());
            if count == self.out.len() {
                self.out.clear();
            } else {
                self.out.advance(count);
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Takes what there is room for.
    fn poll_gather(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.check()?;
        if self.out.len() >= GATHERED {
            ready!(self.poll_drain(cx))?;
        }
        if self.out.capacity() == 0 {
            self.out = self.worker.buffer();
        }
        self.is_dirty = true;
        let before = self.out.len();
        for slice in slices {
            let room = GATHERED.saturating_sub(self.out.len());
            self.out.extend_from_slice(slice.get(..room.min(slice.len())).unwrap_or_default());
        }
        Poll::Ready(Ok(self.out.len() - before))
    }

    fn check(&self) -> io::Result<()> {
        self.failed.map_or(Ok(()), |kind| Err(kind.into()))
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
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

/// The library's side.
#[derive(Debug)]
pub(super) struct Tap(pub(super) SharedWire);

impl AsyncRead for Tap {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.0.borrow_mut().poll_read(cx, buf)
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
        self.0.borrow_mut().poll_gather(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.0.borrow().check())
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut wire = self.0.borrow_mut();
        wire.check()?;
        ready!(wire.poll_out(cx))?;
        let mut io = wire.io.borrow_mut();
        Pin::new(&mut io.stream).poll_shutdown(cx)
    }
}
