//! One TCP connection to one address, and what it means that it failed.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use rayline_verdict::fault::ConnectCause;
use rayline_verdict::{Fact, Fault};
use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};
use tokio::net::TcpStream;

use crate::errno::{connect_cause, errno};
use crate::sys;

/// Quiet time before the first keep-alive probe (Cloudflare: Connection limits, and HTTP/2 to origin).
const PROBE_AFTER: Duration = Duration::from_secs(30);
/// Time between two probes.
const PROBE_EVERY: Duration = Duration::from_secs(15);
/// Unanswered probes after which the kernel resets the connection.
const PROBES: u32 = 2;

/// A connection whose SYN is under way.
#[derive(Debug)]
pub(crate) struct Connecting {
    pub(crate) address: SocketAddr,
    pub(crate) started: Instant,
    stream: TcpStream,
}

impl Connecting {
    /// Sends the SYN.
    ///
    /// ICMP errors are queued on the socket until it is connected, and no longer: on a connection that stands they must
    /// not break what TCP would carry on by itself (RFC 1122 §4.2.3.9), and with the option on, Linux lets them.
    pub(crate) fn begin(address: SocketAddr) -> Result<Self, Fault> {
        let started = Instant::now();
        match open(address) {
            Ok(stream) => Ok(Self { address, started, stream }),
            Err(error) => Err(connect_fault(&error, address, None)),
        }
    }

    /// Ready when the handshake is over, one way or the other.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        let ready = ready!(self.stream.poll_write_ready(cx));
        let error = match ready.and_then(|()| self.stream.take_error()) {
            Ok(None) => return Poll::Ready(Ok(())),
            Ok(Some(error)) | Err(error) => error,
        };
        let icmp = sys::next_icmp(self.stream.as_fd()).map(sys::IcmpError::fact);
        Poll::Ready(Err(connect_fault(&error, self.address, icmp)))
    }

    /// The connected stream.
    pub(crate) fn finish(self) -> TcpStream {
        sys::queue_icmp(self.stream.as_fd(), self.address.is_ipv6(), false);
        self.stream
    }

    /// What it means that the budget ran out meanwhile.
    pub(crate) fn timed_out(&self, budget: Duration) -> Fault {
        let mut fault = timed_out(self.address, budget);
        if let Some(state) = sys::tcp_state(self.stream.as_fd()) {
            fault.evidence.add(Fact::Tcp(state));
        }
        fault
    }
}

/// The time-out of a connection to `address`, whether or not its SYN was sent at all.
pub(crate) fn timed_out(address: SocketAddr, budget: Duration) -> Fault {
    Fault::new(ConnectCause::TimedOut)
        .with(Fact::OriginAddress(address))
        .with(Fact::Timer { setting: "connect_timeout", limit_ms: milliseconds(budget) })
}

/// What it means that `connect()` to `address` failed so; `icmp` is what the error queue held.
///
/// An error that no system call made (the runtime is shutting down) is this machine's own: it stands in the evidence.
pub fn connect_fault(error: &io::Error, address: SocketAddr, icmp: Option<Fact>) -> Fault {
    let cause = error.raw_os_error().map_or(ConnectCause::Forbidden, connect_cause);
    let why = errno(error).unwrap_or_else(|| Fact::Internal(error.to_string()));
    let fault = Fault::new(cause).with(Fact::OriginAddress(address)).with(why);
    match icmp {
        Some(icmp) => fault.with(icmp),
        None => fault,
    }
}

/// A duration as the facts carry it.
pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn open(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    socket.set_tcp_keepalive(
        &TcpKeepalive::new().with_time(PROBE_AFTER).with_interval(PROBE_EVERY).with_retries(PROBES),
    )?;
    sys::queue_icmp(socket.as_fd(), address.is_ipv6(), true);
    match socket.connect(&address.into()) {
        Ok(()) => {}
        Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {}
        Err(error) => return Err(error),
    }
    TcpStream::from_std(socket.into())
}
