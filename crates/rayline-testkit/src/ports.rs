//! Loopback ports that nobody listens on.
//!
//! It does not guess: a reserved port is bound and stays bound, so that nobody else can start to listen on it meanwhile.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};

/// A TCP port that is taken but refuses every connection.
///
/// The socket is bound and never listens, so the kernel answers each SYN with a reset and `connect` fails with
/// `ECONNREFUSED`, for as long as this value lives.
#[derive(Debug)]
pub struct Reserved {
    addr: SocketAddr,
    socket: Socket,
}

impl Reserved {
    /// Reserves a free port of 127.0.0.1.
    ///
    /// # Errors
    /// Those of `socket` and `bind`.
    pub fn new() -> io::Result<Self> {
        Self::on((Ipv4Addr::LOCALHOST, 0).into())
    }

    /// Reserves `addr`; port 0 stands for any free port.
    ///
    /// # Errors
    /// Those of `socket` and `bind`.
    pub fn on(addr: SocketAddr) -> io::Result<Self> {
        let socket = tcp_socket(addr)?;
        Ok(Self { addr: local_addr(&socket)?, socket })
    }

    /// Lets whoever asks for the port by its number listen there, while nobody is given it who asks for any.
    ///
    /// # Errors
    /// Those of `setsockopt`.
    pub fn lend(&self) -> io::Result<()> {
        self.socket.set_reuse_address(true)
    }

    /// Where nobody listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}

/// A TCP socket bound to `addr` that does not listen yet.
pub(crate) fn tcp_socket(addr: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    if addr.port() != 0 {
        // old connections may linger on a port that was asked for by number; one that is to be free must not be shared
        socket.set_reuse_address(true)?;
    }
    socket.bind(&addr.into())?;
    Ok(socket)
}

pub(crate) fn local_addr(socket: &Socket) -> io::Result<SocketAddr> {
    socket.local_addr()?.as_socket().ok_or_else(|| io::Error::other("the socket has no internet address"))
}
