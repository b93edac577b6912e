//! What routers say of a connection under way, out of the kernel's error queue. Only Linux keeps one.

use std::net::IpAddr;

use socket2::Socket;

/// An ICMP message about a packet of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Icmp {
    /// Who sent it.
    pub(super) from: IpAddr,
    /// Whether the packet had gone as far as it was allowed to; else it was turned away.
    pub(super) expired: bool,
}

#[cfg(target_os = "linux")]
mod imp {
    use std::io::{self, IoSliceMut};
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
    use std::os::fd::RawFd;

    use nix::sys::socket::sockopt::{Ipv4RecvErr, Ipv6RecvErr};
    use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt};
    use socket2::Socket;

    use super::Icmp;

    /// Room for the one control message that is wanted, and for others beside it.
    const ROOM: usize = 512;
    /// The types of "time exceeded" in ICMP (RFC 792) and ICMPv6 (RFC 4443 section 3.3).
    const EXPIRED: [u8; 2] = [11, 3];

    pub(super) fn listen(socket: &Socket, v6: bool) -> io::Result<()> {
        let set = if v6 { setsockopt(socket, Ipv6RecvErr, &true) } else { setsockopt(socket, Ipv4RecvErr, &true) };
        set.map_err(io::Error::from)
    }

    pub(super) fn heard(socket: RawFd) -> Option<Icmp> {
        let mut payload = [0; 64];
        let mut parts = [IoSliceMut::new(&mut payload)];
        let mut control = vec![0; ROOM];
        let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
        let message = recvmsg::<SockaddrStorage>(socket, &mut parts, Some(&mut control), flags).ok()?;
        message.cmsgs().ok()?.find_map(|control| match control {
            ControlMessageOwned::Ipv4RecvErr(error, Some(from)) if error.ee_origin == libc::SO_EE_ORIGIN_ICMP => {
                let from = Ipv4Addr::from(u32::from_be(from.sin_addr.s_addr));
                Some(Icmp { from: IpAddr::V4(from), expired: error.ee_type == EXPIRED[0] })
            }
            ControlMessageOwned::Ipv6RecvErr(error, Some(from)) if error.ee_origin == libc::SO_EE_ORIGIN_ICMP6 => {
                let from = Ipv6Addr::from(from.sin6_addr.s6_addr);
                Some(Icmp { from: IpAddr::V6(from), expired: error.ee_type == EXPIRED[1] })
            }
            _ => None,
        })
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    use std::io;
    use std::os::fd::RawFd;

    use socket2::Socket;

    use super::Icmp;

    pub(super) fn listen(_: &Socket, _: bool) -> io::Result<()> {
        Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "only Linux tells a program what routers say of its connections",
        ))
    }

    pub(super) fn heard(_: RawFd) -> Option<Icmp> {
        None
    }
}

/// Has the kernel keep what routers say of this socket's packets.
///
/// # Errors
/// Where the system cannot.
pub(super) fn listen(socket: &Socket, v6: bool) -> std::io::Result<()> {
    imp::listen(socket, v6)
}

/// The next message that the kernel has kept.
pub(super) fn heard(socket: &impl std::os::fd::AsRawFd) -> Option<Icmp> {
    imp::heard(socket.as_raw_fd())
}
