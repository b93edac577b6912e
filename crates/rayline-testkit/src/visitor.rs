//! A raw client: sends the bytes it is given and keeps the bytes it gets.
//!
//! It corrects nothing, follows nothing, repeats nothing, and believes nobody: a response that ends badly is returned with
//! how it ended.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::head::{Head, end_of_head};
use crate::http2::Frame;
use crate::stream::Stream;
use tls::TlsVisitor;

pub(crate) mod tls;

/// How long a visitor waits for the next byte unless told otherwise.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most that a visitor keeps of one response, in bytes.
const LIMIT: usize = 64 << 20;

/// A connection to a server.
#[derive(Debug)]
pub struct Visitor {
    stream: Stream,
    buffer: BytesMut,
    patience: Duration,
}

/// How a stream of bytes ended, or why no more was read of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The peer closed in good order.
    Closed,
    /// The peer reset the connection.
    Reset,
    /// The peer closed the connection inside TLS, without `close_notify`.
    Cut,
    /// Nothing came for as long as the visitor's patience lasts.
    Silent,
    /// More came than a visitor keeps.
    TooLong,
    /// Another error, by its kind.
    Failed(io::ErrorKind),
}

/// What came until the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// All bytes, as they came.
    pub bytes: Vec<u8>,
    /// How it ended.
    pub end: End,
}

/// A response, as far as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The interim responses (1xx) before it.
    pub interim: Vec<Head>,
    /// Its head; empty if none came.
    pub head: Head,
    /// Its head as it came, with the empty line, or what came instead of one.
    pub raw_head: Vec<u8>,
    /// Its body, without chunks.
    pub body: Vec<u8>,
    /// The trailer section of a body in chunks.
    pub trailers: Head,
    /// `None` if it ended where it said it would; otherwise how the stream ended, which makes it whole only if the close of the
    /// connection is its end.
    pub end: Option<End>,
    /// Whether it is as long as it said.
    pub whole: bool,
}

impl Response {
    /// The status, if the start line has one.
    pub fn status(&self) -> Option<u16> {
        self.head.word(1)?.parse().ok()
    }

    /// The value of the first field of that name, in any case.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.head.field(name)
    }

    /// The body as text; bytes that are not UTF-8 become U+FFFD.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl From<TcpStream> for Visitor {
    /// A visitor on a connection of the caller's own making.
    fn from(tcp: TcpStream) -> Self {
        Self::over(Stream::Plain(tcp))
    }
}

impl Visitor {
    /// Connects over TCP.
    ///
    /// # Errors
    /// Those of `connect`; `TimedOut` after ten seconds.
    pub async fn connect(addr: SocketAddr) -> io::Result<Self> {
        let tcp = timeout(PATIENCE, TcpStream::connect(addr)).await??;
        tcp.set_nodelay(true)?;
        Ok(Self::over(Stream::Plain(tcp)))
    }

    /// Connects over TCP and performs a TLS handshake.
    ///
    /// # Errors
    /// Those of [`Visitor::connect`]; a `rustls::Error` inside, if the handshake failed.
    pub async fn connect_tls(addr: SocketAddr, tls: &TlsVisitor) -> io::Result<Self> {
        let tcp = timeout(PATIENCE, TcpStream::connect(addr)).await??;
        tcp.set_nodelay(true)?;
        let session = timeout(PATIENCE, tls.connect(tcp)).await??;
        Ok(Self::over(Stream::tls(session)))
    }

    /// Connects, asks for `target` with GET and `Connection: close`, and reads the response.
    ///
    /// # Errors
    /// Those of connecting and sending.
    pub async fn get(addr: SocketAddr, host: &str, target: &str) -> io::Result<Response> {
        let mut visitor = Self::connect(addr).await?;
        visitor.send(format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")).await?;
        Ok(visitor.read_response("GET").await)
    }

    fn over(stream: Stream) -> Self {
        Self { stream, buffer: BytesMut::new(), patience: PATIENCE }
    }

    /// How long to wait for the next byte, or for room to send one; ten seconds unless set.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The visitor's own address.
    ///
    /// # Errors
    /// Those of `getsockname`.
    pub fn addr(&self) -> io::Result<SocketAddr> {
        self.stream.tcp().local_addr()
    }

    /// The protocol agreed on by ALPN, if TLS is spoken and one was.
    pub fn protocol(&self) -> Option<String> {
        self.stream.protocol()
    }

    /// Sends these bytes.
    ///
    /// # Errors
    /// Those of sending; `TimedOut` if the server takes none of them for as long as patience lasts.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        let mut bytes = bytes.as_ref();
        while !bytes.is_empty() {
            timeout(self.patience, self.stream.write_buf(&mut bytes)).await??;
        }
        timeout(self.patience, self.stream.flush()).await?
    }

    /// Ends the visitor's direction, over TLS with `close_notify`.
    ///
    /// # Errors
    /// Those of shutting down.
    pub async fn finish(&mut self) -> io::Result<()> {
        self.stream.shutdown().await
    }

    /// Resets the connection.
    ///
    /// # Errors
    /// Those of `setsockopt`.
    pub fn reset(self) -> io::Result<()> {
        self.stream.tcp().set_zero_linger()
    }

    /// What was read and not taken yet: after a read that was given up, what had come until then.
    pub fn peek(&self) -> &[u8] {
        &self.buffer
    }

    /// Reads everything until the stream ends.
    pub async fn read_to_end(&mut self) -> Received {
        let end = loop {
            if let Err(end) = self.fill().await {
                break end;
            }
        };
        let bytes = self.buffer.split().to_vec();
        Received { bytes, end }
    }

    /// Reads one response to a request with this method: interim ones, head, and body as its head frames it. Bytes behind it
    /// stay for the next one.
    pub async fn read_response(&mut self, method: &str) -> Response {
        let mut response = Response {
            interim: Vec::new(),
            head: Head::default(),
            raw_head: Vec::new(),
            body: Vec::new(),
            trailers: Head::default(),
            end: None,
            whole: false,
        };
        response.end = self.read_into(&mut response, method).await.err();
        response
    }

    async fn read_into(&mut self, response: &mut Response, method: &str) -> Result<(), End> {
        loop {
            response.raw_head = match self.read_head().await {
                Ok(head) => head,
                Err(end) => {
                    response.raw_head = self.buffer.split().to_vec();
                    return Err(end);
                }
            };
            response.head = Head::split(&response.raw_head);
            match response.status() {
                Some(100 | 102..=199) => response.interim.push(std::mem::take(&mut response.head)),
                Some(_) | None => break,
            }
        }
        let head = &response.head;
        let length = head.field("content-length").map(str::parse::<u64>);
        if method == "HEAD" || matches!(response.status(), Some(101 | 204 | 304)) {
            response.whole = true;
        } else if head.has_token("transfer-encoding", "chunked") {
            self.read_chunks(response).await?;
        } else if let Some(Ok(mut left)) = length {
            while left > 0 {
                let piece = self.take(left).await?;
                left = left.saturating_sub(piece.len() as u64);
                response.body.extend_from_slice(&piece);
            }
            response.whole = true;
        } else {
            let rest = self.read_to_end().await;
            response.body = rest.bytes;
            response.whole = rest.end == End::Closed;
            return Err(rest.end);
        }
        Ok(())
    }

    /// Reads chunks and trailers; what is no chunk stays in the buffer and leaves the response not whole.
    async fn read_chunks(&mut self, response: &mut Response) -> Result<(), End> {
        loop {
            let line = self.read_line().await?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let Ok(mut left) = u64::from_str_radix(size, 16) else {
                return Ok(());
            };
            if left == 0 {
                break;
            }
            while left > 0 {
                let piece = self.take(left).await?;
                left = left.saturating_sub(piece.len() as u64);
                response.body.extend_from_slice(&piece);
            }
            if !self.read_line().await?.is_empty() {
                return Ok(());
            }
        }
        let mut trailers = String::from("\n");
        loop {
            let line = self.read_line().await?;
            if line.is_empty() {
                break;
            }
            trailers += &format!("{line}\n");
        }
        response.trailers = Head::split(trailers.as_bytes());
        response.whole = true;
        Ok(())
    }

    async fn read_head(&mut self) -> Result<Vec<u8>, End> {
        loop {
            if let Some(end) = end_of_head(&self.buffer) {
                return Ok(self.buffer.split_to(end).to_vec());
            }
            self.fill().await?;
        }
    }

    pub(crate) async fn read_frame(&mut self) -> Result<Frame, End> {
        loop {
            if let Some(frame) = Frame::split(&mut self.buffer) {
                return Ok(frame);
            }
            self.fill().await?;
        }
    }

    async fn read_line(&mut self) -> Result<String, End> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line = self.buffer.split_to(end + 1);
                return Ok(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned());
            }
            self.fill().await?;
        }
    }

    async fn take(&mut self, at_most: u64) -> Result<Vec<u8>, End> {
        if self.buffer.is_empty() {
            self.fill().await?;
        }
        let count = usize::try_from(at_most).unwrap_or(usize::MAX).min(self.buffer.len());
        let piece = self.buffer.get(..count).unwrap_or_default().to_vec();
        self.buffer.advance(count);
        Ok(piece)
    }

    /// Reads what is there, or says how the stream ended.
    async fn fill(&mut self) -> Result<(), End> {
        if self.buffer.len() > LIMIT {
            return Err(End::TooLong);
        }
        match timeout(self.patience, self.stream.read_buf(&mut self.buffer)).await {
            Err(_) => Err(End::Silent),
            Ok(Ok(0)) => Err(End::Closed),
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(match error.kind() {
                io::ErrorKind::ConnectionReset => End::Reset,
                io::ErrorKind::UnexpectedEof => End::Cut,
                kind => End::Failed(kind),
            }),
        }
    }
}
