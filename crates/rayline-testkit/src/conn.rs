//! One accepted connection: its bytes, plain or through TLS, and the three ways to end it.
//!
//! It frames what a well-formed client sends and gives up on anything else: judging requests is the edge's work.

use std::io;
use std::net::Shutdown;

use bytes::{Buf, Bytes, BytesMut};
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::head::{Head, end_of_head};
use crate::http2::{Frame, PREFACE};
use crate::loss::{Loss, lose};
use crate::origin::SeenTls;
use crate::stream::Stream;

/// The longest request head that an origin reads, in bytes.
const HEAD_LIMIT: usize = 1 << 20;
/// The longest chunk line or trailer line that an origin reads, in bytes.
const LINE_LIMIT: usize = 8 << 10;
/// How much is read at once. Small, so that an origin that stops to read leaves the rest with the peer.
const PIECE: usize = 16 << 10;

pub(crate) struct Conn {
    stream: Stream,
    /// Read from the stream and not consumed yet.
    buffer: BytesMut,
    body: Framed,
    /// The client waits for a 100 before it sends the body.
    is_awaited: bool,
}

/// How much of the current request's body is still to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framed {
    Length(u64),
    /// Before a chunk-size line.
    Chunked,
    /// Inside a chunk, with that many bytes of data to come.
    Chunk(u64),
}

impl Framed {
    /// RFC 9112 section 6.3, for requests without a fault.
    fn of(head: &Head) -> Self {
        if head.has_token("transfer-encoding", "chunked") {
            return Self::Chunked;
        }
        let length = head.field("content-length").and_then(|value| value.parse().ok());
        Self::Length(length.unwrap_or(0))
    }
}

impl Conn {
    pub(crate) fn new(stream: Stream) -> Self {
        Self { stream, buffer: BytesMut::new(), body: Framed::Length(0), is_awaited: false }
    }

    /// Reads until there is at least one byte; `false` at the end of the stream.
    pub(crate) async fn await_byte(&mut self) -> io::Result<bool> {
        Ok(!self.buffer.is_empty() || self.fill(PIECE).await? > 0)
    }

    async fn fill(&mut self, at_most: usize) -> io::Result<usize> {
        self.buffer.reserve(at_most);
        let mut piece = (&mut self.stream).take(at_most as u64);
        piece.read_buf(&mut self.buffer).await
    }

    /// Reads a request head with its empty line; `None` if the peer closes before it has begun.
    pub(crate) async fn read_head(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            if let Some(end) = end_of_head(&self.buffer) {
                let head = self.buffer.split_to(end).freeze();
                let fields = Head::split(&head);
                self.body = Framed::of(&fields);
                self.is_awaited = fields.has_token("expect", "100-continue") && self.body != Framed::Length(0);
                return Ok(Some(head));
            }
            if self.buffer.len() > HEAD_LIMIT {
                return Err(invalid("the request head is too long"));
            }
            if self.fill(PIECE).await? == 0 {
                return if self.buffer.is_empty() { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
            }
        }
    }

    /// Whether HTTP/2 is spoken: because ALPN says so or, where it says nothing, because the client begins with its preface.
    pub(crate) async fn speaks_http2(&mut self) -> io::Result<bool> {
        if let Some(protocol) = self.stream.protocol() {
            return Ok(protocol == "h2");
        }
        // `PRI` is no method of HTTP/1.1
        let (beginning, _) = PREFACE.split_at(4);
        self.begins_with(beginning).await
    }

    /// Reads as many bytes as these are, and says whether they are the same; leaves them unread if not.
    pub(crate) async fn read_exactly(&mut self, wanted: &[u8]) -> io::Result<bool> {
        let same = self.begins_with(wanted).await?;
        if same {
            self.buffer.advance(wanted.len());
        }
        Ok(same)
    }

    async fn begins_with(&mut self, wanted: &[u8]) -> io::Result<bool> {
        while self.buffer.len() < wanted.len() && wanted.starts_with(&self.buffer) {
            if self.fill(PIECE).await? == 0 {
                return Ok(false);
            }
        }
        Ok(self.buffer.starts_with(wanted))
    }

    /// Reads one HTTP/2 frame; `None` at the end of the stream, be it inside a frame.
    pub(crate) async fn read_frame(&mut self) -> io::Result<Option<Frame>> {
        loop {
            if let Some(frame) = Frame::split(&mut self.buffer) {
                return Ok(Some(frame));
            }
            if self.fill(PIECE).await? == 0 {
                return Ok(None);
            }
        }
    }

    /// Reads one TLS handshake record; or, from a peer that does not speak TLS, what comes at first.
    pub(crate) async fn read_record(&mut self) -> io::Result<()> {
        const HANDSHAKE: u8 = 22;
        loop {
            if self.buffer.first().is_some_and(|kind| *kind != HANDSHAKE) {
                self.buffer.clear();
                return Ok(());
            }
            if let [_, _, _, high, low, ..] = *self.buffer {
                let length = 5 + usize::from(u16::from_be_bytes([high, low]));
                if self.buffer.len() >= length {
                    self.buffer.advance(length);
                    return Ok(());
                }
            }
            if self.fill(PIECE).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Reads and discards `count` bytes of whatever comes, and no byte more.
    pub(crate) async fn read_bytes(&mut self, count: usize) -> io::Result<()> {
        let mut missing = count.saturating_sub(self.buffer.len());
        self.buffer.advance(count.min(self.buffer.len()));
        while missing > 0 {
            let read = self.fill(missing.min(PIECE)).await?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.buffer.advance(read);
            missing = missing.saturating_sub(read);
        }
        Ok(())
    }

    /// Sends the 100 that a client may wait for before it sends the body (RFC 9110 section 10.1.1).
    pub(crate) async fn invite_body(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.is_awaited) {
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        Ok(())
    }

    /// The next piece of the request body, at most 16 KiB; `None` at its end.
    pub(crate) async fn read_body(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            match self.body {
                Framed::Length(0) => return Ok(None),
                Framed::Length(left) => {
                    let piece = self.take(left).await?;
                    self.body = Framed::Length(left.saturating_sub(piece.len() as u64));
                    return Ok(Some(piece));
                }
                Framed::Chunk(0) => {
                    self.read_line().await?;
                    self.body = Framed::Chunked;
                }
                Framed::Chunk(left) => {
                    let piece = self.take(left).await?;
                    self.body = Framed::Chunk(left.saturating_sub(piece.len() as u64));
                    return Ok(Some(piece));
                }
                Framed::Chunked => {
                    let line = self.read_line().await?;
                    let size = line.split(';').next().unwrap_or_default().trim();
                    let size = u64::from_str_radix(size, 16).map_err(|_| invalid("the request has a bad chunk"))?;
                    if size > 0 {
                        self.body = Framed::Chunk(size);
                        continue;
                    }
                    while !self.read_line().await?.is_empty() {}
                    self.body = Framed::Length(0);
                }
            }
        }
    }

    pub(crate) fn body_framing(&self) -> Framed {
        self.body
    }

    async fn take(&mut self, at_most: u64) -> io::Result<Bytes> {
        if !self.await_byte().await? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let at_most = usize::try_from(at_most).unwrap_or(usize::MAX);
        Ok(self.buffer.split_to(at_most.min(self.buffer.len())).freeze())
    }

    async fn read_line(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line = self.buffer.split_to(end + 1);
                return Ok(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
            if self.buffer.len() > LINE_LIMIT {
                return Err(invalid("the request has a line that is too long"));
            }
            if self.fill(PIECE).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        // a TLS stream keeps records back until it is flushed
        self.stream.flush().await
    }

    pub(crate) async fn send_past_tls(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.tcp_mut().write_all(bytes).await
    }

    /// Keeps the connection open without reading, until the peer closes or resets it.
    pub(crate) async fn hold(&self) -> io::Result<()> {
        self.stream.hold().await
    }

    /// Closes our direction as a polite server does, with `close_notify` over TLS.
    ///
    /// What still comes is read and discarded until the peer closes too: closing with bytes unread would send a reset.
    pub(crate) async fn fin(mut self) -> io::Result<()> {
        self.stream.shutdown().await?;
        self.stream.drain().await
    }

    /// Closes our direction of the TCP connection only: over TLS this is a cut without `close_notify`.
    pub(crate) async fn cut(self) -> io::Result<()> {
        SockRef::from(self.stream.tcp()).shutdown(Shutdown::Write)?;
        self.stream.drain().await
    }

    /// Sends a TCP reset.
    pub(crate) fn reset(self) -> io::Result<()> {
        self.stream.tcp().set_zero_linger()
    }

    /// Has the kernel drop whatever arrives from now on.
    pub(crate) fn vanish(&self) -> io::Result<()> {
        lose(SockRef::from(self.stream.tcp()), Loss::Everything)
    }

    /// What a TLS client has shown of itself.
    pub(crate) fn tls(&self) -> Option<SeenTls> {
        match &self.stream {
            Stream::Plain(_) => None,
            Stream::Tls(tls) => SeenTls::of(tls),
        }
    }
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
