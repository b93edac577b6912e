//! One TCP connection to one address, and what it means that it failed.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use rayline_verdict::fault::ConnectCause;
use rayline_verdict::{Fact, Fault};
use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};
use tokio::net::TcpStream;

use crate::errno::{connect_cause, errno};
use crate::sys::{self, IcmpError};

/// Unanswered probes after which the kernel gives the connection up (Cloudflare: Connection limits, and HTTP/2 to origin).
const PROBES: u32 = 2;

/// A connection whose SYN is under way.
#[derive(Debug)]
pub(crate) struct Connecting {
    pub(crate) address: SocketAddr,
    pub(crate) started: Instant,
    stream: TcpStream,
    /// The address that the SYN went out from.
    local: Option<IpAddr>,
}

impl Connecting {
    /// Sends the SYN.
    ///
    /// ICMP errors are queued on the socket until it is connected, and no longer: on a connection that stands they must
    /// not break what TCP would carry on by itself (RFC 1122 §4.2.3.9), and with the option on, Linux lets them.
    pub(crate) fn begin(address: SocketAddr, keepalive: Duration) -> Result<Self, Fault> {
        let started = Instant::now();
        match open(address, keepalive) {
            Ok(stream) => {
                let local = stream.local_addr().ok().map(|local| local.ip());
                Ok(Self { address, started, stream, local })
            }
            Err(error) => Err(connect_fault(&error, address, None, None)),
        }
    }

    /// Ready when the handshake is over, one way or the other.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        let ready = ready!(self.stream.poll_write_ready(cx));
        let error = match ready.and_then(|()| self.stream.take_error()) {
            Ok(None) => return Poll::Ready(Ok(())),
            Ok(Some(error)) | Err(error) => error,
        };
        let icmp = sys::next_icmp(self.stream.as_fd());
        Poll::Ready(Err(connect_fault(&error, self.address, self.local, icmp)))
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

/// What it means that `connect()` to `address` failed so: by its errno, and by who said it, where the error queue holds the
/// ICMP message.
///
/// Both are needed: a firewall far away that answers "administratively prohibited" gives `EACCES` over IPv6, as this
/// machine's own routes do; and this machine's own firewall gives `EHOSTUNREACH`, with a message of its own. An error that
/// no system call made (the runtime is shutting down) is this machine's too.
fn connect_fault(error: &io::Error, address: SocketAddr, local: Option<IpAddr>, icmp: Option<IcmpError>) -> Fault {
    let by_errno = error.raw_os_error().map_or(ConnectCause::Forbidden, connect_cause);
    // An origin on this machine speaks with its own address too: its word is the origin's.
    let own = |from: IpAddr| Some(from) == local && from != address.ip();
    let cause = match icmp {
        Some(icmp) if icmp.forbids() && icmp.from.is_some_and(own) => ConnectCause::Forbidden,
        Some(_) if by_errno == ConnectCause::Forbidden => ConnectCause::Unreachable,
        Some(_) | None => by_errno,
    };
    let why = errno(error).unwrap_or_else(|| Fact::Internal(error.to_string()));
    let fault = Fault::new(cause).with(Fact::OriginAddress(address)).with(why);
    match icmp {
        Some(icmp) => fault.with(icmp.fact()),
        None => fault,
    }
}

/// A duration as the facts carry it.
pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn open(address: SocketAddr, keepalive: Duration) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    socket.set_tcp_keepalive(&probing(keepalive))?;
    sys::queue_icmp(socket.as_fd(), address.is_ipv6(), true);
    match socket.connect(&address.into()) {
        Ok(()) => {}
        Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {}
        Err(error) => return Err(error),
    }
    TcpStream::from_std(socket.into())
}

/// Probes after that much silence, and after half as much again between two: the kernel counts in whole seconds.
fn probing(keepalive: Duration) -> TcpKeepalive {
    let between = (keepalive / 2).max(Duration::from_secs(1));
    TcpKeepalive::new().with_time(keepalive).with_interval(between).with_retries(PROBES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_said_it_decides_where_the_errno_does_not() {
        let (edge, router): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "192.0.2.254".parse().unwrap());
        let address = SocketAddr::new("198.51.100.1".parse().unwrap(), 80);
        let v4 = |code, from| Some(IcmpError { kind: 3, code, v6: false, from: Some(from) });
        let v6 = |code, from| Some(IcmpError { kind: 1, code, v6: true, from: Some(from) });
        let rows = [
            (libc::EHOSTUNREACH, v4(1, router), ConnectCause::Unreachable),
            (libc::EHOSTUNREACH, v4(13, router), ConnectCause::Unreachable),
            // The host does not answer ARP: this machine says so itself.
            (libc::EHOSTUNREACH, v4(1, edge), ConnectCause::Unreachable),
            // This machine's own firewall.
            (libc::EHOSTUNREACH, v4(13, edge), ConnectCause::Forbidden),
            (libc::EACCES, v6(1, edge), ConnectCause::Forbidden),
            (libc::EACCES, v6(1, router), ConnectCause::Unreachable),
            (libc::EACCES, None, ConnectCause::Forbidden),
            (libc::ECONNREFUSED, v4(3, router), ConnectCause::Refused),
            (libc::ECONNREFUSED, v4(3, edge), ConnectCause::Forbidden),
            (libc::ECONNREFUSED, v4(3, address.ip()), ConnectCause::Refused),
            (libc::ENETUNREACH, None, ConnectCause::Unreachable),
        ];
        for (number, icmp, cause) in rows {
            let fault = connect_fault(&io::Error::from_raw_os_error(number), address, Some(edge), icmp);
            assert_eq!(fault.cause, cause.into(), "{number} {icmp:?}");
        }
    }
}
