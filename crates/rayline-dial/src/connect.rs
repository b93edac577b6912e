//! One TCP connection to one address, and what it means that it failed.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use rayline_verdict::fault::ConnectCause;
use rayline_verdict::{Fact, Fault};
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::TcpStream;

use crate::errno::{connect_cause, errno};
use crate::icmp::Speaker;
use crate::sys::{self, IcmpError};

/// Unanswered probes after which the kernel gives the connection up (Cloudflare: Connection limits, and HTTP/2 to origin).
const PROBES: u32 = 2;

/// How much the kernel may hold of a connection that it has not sent yet, in bytes. Left to itself it takes megabytes, and
/// room for more is known only when a third of them is gone: on a slow way that takes longer than an origin that does not
/// read is waited for, and both would look the same.
const UNSENT: u32 = 128 * 1024;

/// A connection whose SYN is under way.
#[derive(Debug)]
pub(crate) struct Connecting {
    pub(crate) address: SocketAddr,
    pub(crate) started: Instant,
    stream: TcpStream,
    /// The silence after which the kernel probes.
    keepalive: Duration,
}

impl Connecting {
    /// Sends the SYN, at `started`.
    ///
    /// ICMP errors are queued on the socket until it is connected, and no longer: on a connection that stands they must
    /// not break what TCP would carry on by itself (RFC 1122 §4.2.3.9), and with the option on, Linux lets them.
    pub(crate) fn begin(address: SocketAddr, keepalive: Duration, started: Instant) -> Result<Self, Fault> {
        let socket = open(address).map_err(|error| unsent(&error, address))?;
        // An origin that is near has refused by now, and the runtime need never hear of the socket.
        if let Ok(Some(error)) = socket.take_error() {
            return Err(heard(socket.as_fd(), &error, address));
        }
        let stream = TcpStream::from_std(socket.into()).map_err(|error| unsent(&error, address))?;
        Ok(Self { address, started, stream, keepalive })
    }

    /// Ready when the handshake is over, one way or the other.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        let ready = ready!(self.stream.poll_write_ready(cx));
        let error = match ready.and_then(|()| self.stream.take_error()) {
            Ok(None) => return Poll::Ready(Ok(())),
            Ok(Some(error)) | Err(error) => error,
        };
        Poll::Ready(Err(heard(self.stream.as_fd(), &error, self.address)))
    }

    /// The connected stream.
    ///
    /// What matters from now on is set only here: an origin that refuses costs no more calls than that takes. An option
    /// that cannot be set breaks nothing: the connection is slower, or its loss is found out later.
    pub(crate) fn finish(self) -> TcpStream {
        sys::queue_icmp(self.stream.as_fd(), self.address.is_ipv6(), false);
        let socket = SockRef::from(&self.stream);
        let _ = socket.set_tcp_nodelay(true);
        let _ = socket.set_tcp_keepalive(&probing(self.keepalive));
        #[cfg(target_os = "linux")]
        let _ = socket.set_tcp_notsent_lowat(UNSENT);
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

/// What it means that `connect()` to `address` failed at once: no packet was sent, so that this machine alone has spoken.
fn unsent(error: &io::Error, address: SocketAddr) -> Fault {
    let no_source = || error.raw_os_error() == Some(libc::EADDRNOTAVAIL) && !has_source(address);
    let cause = match cause_of(error) {
        ConnectCause::Unreachable => ConnectCause::NoRoute,
        // A machine without IPv6 has no address to send from, and says it as if all its ports were taken.
        ConnectCause::Exhausted if no_source() => ConnectCause::NoRoute,
        cause @ (ConnectCause::Refused
        | ConnectCause::TimedOut
        | ConnectCause::Prohibited
        | ConnectCause::NoNeighbour
        | ConnectCause::NoRoute
        | ConnectCause::Forbidden
        | ConnectCause::Exhausted) => cause,
    };
    fault(cause, error, address)
}

/// The fault of a socket whose SYN was answered by `error`.
fn heard(socket: BorrowedFd<'_>, error: &io::Error, address: SocketAddr) -> Fault {
    let icmp = sys::next_icmp(socket);
    // The socket has forgotten by now where its SYN went out from.
    let local = icmp.and_then(|_| source_to(address).ok());
    answered(error, address, local, icmp)
}

/// What it means that `connect()` to `address` failed later: by its errno, and by who said what, where the error queue
/// holds the ICMP message.
///
/// Both are needed. A firewall far away that answers "administratively prohibited" gives `EACCES` over IPv6, as this
/// machine's own routes do, and over IPv4 the `EHOSTUNREACH` of a router without a way. This machine's own firewall sends
/// such messages too, and so does its kernel, when nobody answers ARP or NDP.
fn answered(error: &io::Error, address: SocketAddr, local: Option<IpAddr>, icmp: Option<IcmpError>) -> Fault {
    let by_errno = cause_of(error);
    let Some(icmp) = icmp else { return fault(by_errno, error, address) };
    let speaker = match icmp.from {
        // First: an origin on this machine speaks with the edge's address, and its word is the origin's.
        Some(from) if from == address.ip() => Speaker::Origin,
        Some(from) if Some(from) == local => Speaker::Edge,
        Some(_) | None => Speaker::Router,
    };
    let cause = icmp.connect_cause(speaker).unwrap_or(match by_errno {
        ConnectCause::Forbidden => ConnectCause::Unreachable,
        by_errno => by_errno,
    });
    fault(cause, error, address).with(icmp.fact())
}

/// An error that no system call made (the runtime is shutting down) is this machine's own.
fn cause_of(error: &io::Error) -> ConnectCause {
    error.raw_os_error().map_or(ConnectCause::Forbidden, connect_cause)
}

fn fault(cause: ConnectCause, error: &io::Error, address: SocketAddr) -> Fault {
    let why = errno(error).unwrap_or_else(|| Fact::Internal(error.to_string()));
    Fault::new(cause).with(Fact::OriginAddress(address)).with(why)
}

/// Whether this machine has an address to send from to `address`.
fn has_source(address: SocketAddr) -> bool {
    let none = |error: io::Error| matches!(error.raw_os_error(), Some(libc::EADDRNOTAVAIL | libc::ENETUNREACH));
    !source_to(address).is_err_and(none)
}

/// The address that this machine sends from to `address`. A datagram socket knows, and sends nothing.
fn source_to(address: SocketAddr) -> io::Result<IpAddr> {
    let any: IpAddr = if address.is_ipv6() { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(address)?;
    Ok(socket.local_addr()?.ip())
}

/// A duration as the facts carry it.
pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn open(address: SocketAddr) -> io::Result<Socket> {
    let socket = open_socket(address)?;
    sys::queue_icmp(socket.as_fd(), address.is_ipv6(), true);
    match socket.connect(&address.into()) {
        Ok(()) => {}
        Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {}
        Err(error) => return Err(error),
    }
    Ok(socket)
}

/// A socket that does not block: said in the same call where the system lets it.
fn open_socket(address: SocketAddr) -> io::Result<Socket> {
    let domain = Domain::for_address(address);
    #[cfg(target_os = "linux")]
    return Socket::new(domain, Type::STREAM.nonblocking(), Some(Protocol::TCP));
    #[cfg(not(target_os = "linux"))]
    {
        let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        Ok(socket)
    }
}

/// Probes after that much silence, and after half as much again between two: the kernel counts in whole seconds.
fn probing(keepalive: Duration) -> TcpKeepalive {
    let between = (keepalive / 2).max(Duration::from_secs(1));
    TcpKeepalive::new().with_time(keepalive).with_interval(between).with_retries(PROBES)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What connecting from 192.0.2.1 to 198.51.100.1 says in namespaces, by whom and over which way.
    #[test]
    fn who_said_it_decides_where_the_errno_does_not() {
        let (edge, router): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "192.0.2.254".parse().unwrap());
        let address = SocketAddr::new("198.51.100.1".parse().unwrap(), 80);
        let origin = address.ip();
        let v4 = |code, from| Some(IcmpError { kind: 3, code, v6: false, from: Some(from) });
        let v6 = |code, from| Some(IcmpError { kind: 1, code, v6: true, from: Some(from) });
        let expired = |from| Some(IcmpError { kind: 11, code: 0, v6: false, from: Some(from) });
        let rows = [
            // Routers that know no way, or meet nobody at its end.
            (libc::ENETUNREACH, v4(0, router), ConnectCause::Unreachable),
            (libc::EHOSTUNREACH, v4(1, router), ConnectCause::Unreachable),
            (libc::EHOSTUNREACH, v4(1, origin), ConnectCause::Unreachable),
            (libc::EHOSTUNREACH, expired(router), ConnectCause::Unreachable),
            (libc::ENETUNREACH, v6(0, router), ConnectCause::Unreachable),
            (libc::EHOSTUNREACH, v6(3, router), ConnectCause::Unreachable),
            (libc::EACCES, v6(2, router), ConnectCause::Unreachable),
            // Firewalls on the way, or on the origin's machine.
            (libc::ENETUNREACH, v4(9, router), ConnectCause::Prohibited),
            (libc::EHOSTUNREACH, v4(10, router), ConnectCause::Prohibited),
            (libc::EHOSTUNREACH, v4(13, router), ConnectCause::Prohibited),
            (libc::EHOSTUNREACH, v4(13, origin), ConnectCause::Prohibited),
            (libc::EACCES, v6(1, router), ConnectCause::Prohibited),
            (libc::EACCES, v6(5, router), ConnectCause::Prohibited),
            (libc::EACCES, v6(6, origin), ConnectCause::Prohibited),
            (libc::ENOPROTOOPT, v4(2, router), ConnectCause::Prohibited),
            (libc::ECONNREFUSED, v4(3, router), ConnectCause::Prohibited),
            (libc::ECONNREFUSED, v6(4, router), ConnectCause::Prohibited),
            // The origin's machine has the word on its own ports and protocols.
            (libc::ENOPROTOOPT, v4(2, origin), ConnectCause::Refused),
            (libc::ECONNREFUSED, v4(3, origin), ConnectCause::Refused),
            (libc::ECONNREFUSED, v6(4, origin), ConnectCause::Refused),
            // The host, or the next router, does not answer ARP or NDP: this machine says so itself.
            (libc::EHOSTUNREACH, v4(1, edge), ConnectCause::NoNeighbour),
            (libc::EHOSTUNREACH, v6(3, edge), ConnectCause::NoNeighbour),
            // This machine's own firewall.
            (libc::EHOSTUNREACH, v4(13, edge), ConnectCause::Forbidden),
            (libc::ENETUNREACH, v4(0, edge), ConnectCause::Forbidden),
            (libc::ECONNREFUSED, v4(3, edge), ConnectCause::Forbidden),
            (libc::EACCES, v6(1, edge), ConnectCause::Forbidden),
            (libc::ECONNREFUSED, v6(4, edge), ConnectCause::Forbidden),
            // Nobody is known to have said it.
            (libc::ECONNREFUSED, None, ConnectCause::Refused),
            (libc::EHOSTUNREACH, None, ConnectCause::Unreachable),
        ];
        for (number, icmp, cause) in rows {
            let fault = answered(&io::Error::from_raw_os_error(number), address, Some(edge), icmp);
            assert_eq!(fault.cause, cause.into(), "{number} {icmp:?}");
        }
    }

    #[test]
    fn what_fails_at_once_is_this_machines_own_word() {
        let address = SocketAddr::from(([127, 0, 0, 1], 80));
        let rows = [
            (libc::ENETUNREACH, ConnectCause::NoRoute),
            (libc::EHOSTUNREACH, ConnectCause::NoRoute),
            (libc::EAFNOSUPPORT, ConnectCause::NoRoute),
            (libc::EACCES, ConnectCause::Forbidden),
            (libc::EINVAL, ConnectCause::Forbidden),
            (libc::EMFILE, ConnectCause::Exhausted),
            // There is an address to send from: its ports must be gone.
            (libc::EADDRNOTAVAIL, ConnectCause::Exhausted),
        ];
        for (number, cause) in rows {
            assert_eq!(unsent(&io::Error::from_raw_os_error(number), address).cause, cause.into(), "{number}");
        }
    }
}
