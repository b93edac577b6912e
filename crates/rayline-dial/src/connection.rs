//! A connection to an origin, plain or TLS, that can say at any time what the wire and the kernel know of it.
//!
//! Reading and writing cost two additions more than the stream beneath. All else is read when something failed.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, Instant};

use rayline_verdict::Fact;
use rayline_verdict::evidence::{Evidence, TcpState};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::client::TlsStream;

use crate::connect::milliseconds;
use crate::errno::errno;
use crate::pipe::Pipe;
use crate::sys;
use crate::tls::{Secured, Session};
use crate::wire::Wire;

/// How long the parts of dialling took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// The TCP handshake with the address that won, in microseconds.
    pub tcp_us: u32,
    /// The TLS handshake, in microseconds; 0 without TLS.
    pub tls_us: u32,
}

impl Timings {
    pub(crate) fn new(tcp: Duration, tls: Duration) -> Self {
        let microseconds = |part: Duration| u32::try_from(part.as_micros()).unwrap_or(u32::MAX);
        Self { tcp_us: microseconds(tcp), tls_us: microseconds(tls) }
    }
}

/// A connection to an origin.
#[derive(Debug)]
pub struct Connection {
    /// In a box, for it is handed from request to request.
    state: Box<State>,
}

#[derive(Debug)]
struct State {
    stream: Stream,
    address: SocketAddr,
    timings: Timings,
    generation: u64,
    /// Whether HTTP/2 is spoken on it: agreed on in the handshake, or known beforehand.
    http2: bool,
    born: Instant,
    /// When the last request on it ended; when it was born, before that.
    last_used: Instant,
    /// How long it had been idle when the present request took it.
    idle: Duration,
    /// Requests served before the present one.
    served: u32,
    /// Bytes above TLS, sent and received since it was born.
    sent: u64,
    received: u64,
    /// The same when the present request took it.
    sent_before: u64,
    received_before: u64,
}

#[derive(Debug)]
enum Stream {
    Plain(Wire),
    Secured(Box<TlsStream<Wire>>, Session),
}

impl Connection {
    pub(crate) fn plain(wire: Wire, address: SocketAddr, timings: Timings, generation: u64, http2: bool) -> Self {
        Self::new(Stream::Plain(wire), address, timings, generation, http2)
    }

    pub(crate) fn secured(secured: Secured, address: SocketAddr, timings: Timings, generation: u64) -> Self {
        let Secured { stream, session } = secured;
        let http2 = session.http2;
        Self::new(Stream::Secured(Box::new(stream), session), address, timings, generation, http2)
    }

    fn new(stream: Stream, address: SocketAddr, timings: Timings, generation: u64, http2: bool) -> Self {
        let now = Instant::now();
        let state = State {
            stream,
            address,
            timings,
            generation,
            http2,
            born: now,
            last_used: now,
            idle: Duration::ZERO,
            served: 0,
            sent: 0,
            received: 0,
            sent_before: 0,
            received_before: 0,
        };
        Self { state: Box::new(state) }
    }

    /// The origin's address.
    pub fn address(&self) -> SocketAddr {
        self.state.address
    }

    /// How long dialling took. They stay the same over the connection's life: a reused connection cost nothing.
    pub fn timings(&self) -> Timings {
        self.state.timings
    }

    /// Whether HTTP/2 is to be spoken on it, and not HTTP/1.1.
    pub fn is_http2(&self) -> bool {
        self.state.http2
    }

    /// Bytes above TLS, sent and received since it was made.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        (self.state.sent, self.state.received)
    }

    /// Whether it served a request before the present one.
    pub fn is_reused(&self) -> bool {
        self.state.served > 0
    }

    /// The requests it served before the present one.
    pub fn served(&self) -> u32 {
        self.state.served
    }

    /// The version of the trust settings under which it was made.
    pub fn generation(&self) -> u64 {
        self.state.generation
    }

    /// The TLS version and cipher suite by their names in the RFCs, such as `TLSv1.3` and `TLS_AES_128_GCM_SHA256`;
    /// `None` without TLS.
    pub fn tls(&self) -> Option<(&'static str, &'static str)> {
        self.session().map(|session| (session.version, session.cipher))
    }

    /// Whether its TLS handshake resumed an earlier session.
    pub fn is_resumed(&self) -> bool {
        self.session().is_some_and(|session| session.resumed)
    }

    pub(crate) fn session(&self) -> Option<&Session> {
        match &self.state.stream {
            Stream::Plain(_) => None,
            Stream::Secured(_, session) => Some(session),
        }
    }

    fn wire(&self) -> &Wire {
        match &self.state.stream {
            Stream::Plain(wire) => wire,
            Stream::Secured(stream, _) => stream.get_ref().0,
        }
    }

    /// Bytes sent and received since it was born, TLS included.
    pub fn wire_bytes(&self) -> (u64, u64) {
        self.wire().bytes()
    }

    /// Bytes of the present request sent, and of its response received; without TLS's own.
    pub fn request_bytes(&self) -> (u64, u64) {
        (self.state.sent - self.state.sent_before, self.state.received - self.state.received_before)
    }

    /// What the kernel knows of the connection; `None` where the system does not say.
    pub fn tcp_state(&self) -> Option<TcpState> {
        sys::tcp_state(self.wire().stream().as_fd())
    }

    /// The error that waits on the socket, cleared by being read. Linux also gives the soft errors here, such as an ICMP
    /// host-unreachable about an unacknowledged segment, which break no connection and show in no read or write.
    pub fn socket_error(&self) -> Option<io::Error> {
        self.wire().stream().take_error().ok().flatten()
    }

    /// Adds what this connection knows of the present request, the error that waits on the socket included unless there
    /// is an errno already: for the cold path.
    pub fn testify(&self, evidence: &mut Evidence) {
        self.testify_of(self.state.idle, self.state.served, self.request_bytes(), evidence);
    }

    /// The same of a request that knows for itself how long the connection had been idle before it, how many the
    /// connection had served, and its bytes sent and received.
    pub(crate) fn testify_of(&self, idle: Duration, served: u32, bytes: (u64, u64), evidence: &mut Evidence) {
        evidence.add(Fact::OriginAddress(self.state.address));
        let (age_ms, idle_ms) = (milliseconds(self.state.born.elapsed()), milliseconds(idle));
        evidence.add(Fact::Connection { age_ms, idle_ms, served });
        let (sent, received) = bytes;
        evidence.add(Fact::BytesSent(sent));
        evidence.add(Fact::BytesReceived(received));
        if let Some(state) = self.tcp_state() {
            evidence.add(Fact::Tcp(state));
        }
        if let Some(session) = self.session() {
            evidence.add(Fact::SslMode(session.ssl_mode));
        }
        let told = evidence.facts().iter().any(|fact| matches!(fact, Fact::Errno { .. }));
        if let (false, Some(fact)) = (told, self.socket_error().as_ref().and_then(errno)) {
            evidence.add(fact);
        }
    }

    /// When the last request on it ended; when it was born, before that.
    pub(crate) fn last_used(&self) -> Instant {
        self.state.last_used
    }

    /// The last request on it ended at `now`.
    pub(crate) fn put_down(&mut self, now: Instant) {
        self.state.last_used = now;
    }

    /// Starts the next request at `now`: what follows is counted for it.
    pub(crate) fn take_up(&mut self, now: Instant) {
        self.state.served = self.state.served.saturating_add(1);
        self.state.idle = now.saturating_duration_since(self.state.last_used);
        self.state.sent_before = self.state.sent;
        self.state.received_before = self.state.received;
    }

    /// Whether what it receives can go through a pipe: under TLS it has to be read.
    pub fn is_plain(&self) -> bool {
        matches!(self.state.stream, Stream::Plain(_))
    }

    /// Takes what waits in the socket into an empty pipe, all but the last `left` bytes and `most` at the most. 0 where that
    /// is not worth it, or anything is wrong: then it is to be read.
    pub fn fill(&mut self, pipe: &mut Pipe, most: u64, left: u64) -> usize {
        let Stream::Plain(wire) = &mut self.state.stream else { return 0 };
        let count = wire.fill(pipe, most, left);
        self.state.received += count as u64;
        count
    }

    /// Whether an idle connection still stands and is quiet, as far as this machine knows without asking the origin.
    ///
    /// Nearly free when the runtime saw nothing happen on it. With `thorough` it costs a system call, and sees also what
    /// came since the runtime last looked. Bytes that nobody asked for (a `408` of a server that closes) end it as a FIN
    /// does; over TLS, session tickets and the like are taken in first.
    pub(crate) fn is_quiet(&mut self, thorough: bool) -> bool {
        match &mut self.state.stream {
            Stream::Plain(wire) if thorough => kernel_is_quiet(wire),
            Stream::Plain(wire) => would_block(wire.stream().try_read(&mut [0])),
            Stream::Secured(stream, _) => {
                let mut cx = Context::from_waker(Waker::noop());
                let quiet = Pin::new(&mut **stream).poll_read(&mut cx, &mut ReadBuf::new(&mut [0])).is_pending();
                quiet && (!thorough || kernel_is_quiet(stream.get_ref().0))
            }
        }
    }
}

/// Whether the kernel has nothing to read: no byte, no FIN, no error.
fn kernel_is_quiet(wire: &Wire) -> bool {
    would_block(SockRef::from(wire.stream()).peek(&mut [MaybeUninit::uninit()]))
}

fn would_block(outcome: io::Result<usize>) -> bool {
    outcome.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        ready!(match &mut this.state.stream {
            Stream::Plain(wire) => Pin::new(wire).poll_read(cx, buf),
            Stream::Secured(stream, _) => Pin::new(stream).poll_read(cx, buf),
        })?;
        this.state.received += (buf.filled().len() - before) as u64;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = ready!(match &mut this.state.stream {
            Stream::Plain(wire) => Pin::new(wire).poll_write(cx, bytes),
            Stream::Secured(stream, _) => Pin::new(stream).poll_write(cx, bytes),
        })?;
        this.state.sent += written as u64;
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = ready!(match &mut this.state.stream {
            Stream::Plain(wire) => Pin::new(wire).poll_write_vectored(cx, slices),
            Stream::Secured(stream, _) => Pin::new(stream).poll_write_vectored(cx, slices),
        })?;
        this.state.sent += written as u64;
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().state.stream {
            Stream::Plain(wire) => Pin::new(wire).poll_flush(cx),
            Stream::Secured(stream, _) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().state.stream {
            Stream::Plain(wire) => Pin::new(wire).poll_shutdown(cx),
            Stream::Secured(stream, _) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
