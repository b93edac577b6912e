//! What only the kernel knows of a socket: `TCP_INFO`, the error queue, and the option that fills it.
//!
//! The one file of this crate with `unsafe`: each block is a single system call on a descriptor that the caller
//! borrows, into a buffer that lives on this stack. What comes back is read as bytes, never as a foreign struct, so a
//! kernel that returns less than expected yields fewer facts and nothing else. Only Linux has these calls; elsewhere
//! everything here answers that it knows nothing.

use std::net::IpAddr;
use std::os::fd::BorrowedFd;

use rayline_verdict::evidence::TcpState;

/// An ICMP message about one of our segments, as the kernel's error queue keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IcmpError {
    /// The type in the message's header.
    pub(crate) kind: u8,
    /// The code in the message's header.
    pub(crate) code: u8,
    /// Whether it is a message of ICMPv6.
    pub(crate) v6: bool,
    /// Who sent it.
    pub(crate) from: Option<IpAddr>,
}

/// Switches on that ICMP errors are queued on this socket (`IP_RECVERR`, `IPV6_RECVERR`), or off. Failure costs a fact
/// and nothing else, so it is not reported.
pub(crate) fn queue_icmp(socket: BorrowedFd<'_>, v6: bool, on: bool) {
    imp::queue_icmp(socket, v6, on);
}

/// The next ICMP error in the socket's error queue.
pub(crate) fn next_icmp(socket: BorrowedFd<'_>) -> Option<IcmpError> {
    imp::next_icmp(socket)
}

/// `TCP_INFO`.
pub(crate) fn tcp_state(socket: BorrowedFd<'_>) -> Option<TcpState> {
    imp::tcp_state(socket)
}

#[cfg(target_os = "linux")]
mod imp {
    use std::io::IoSliceMut;
    use std::mem::size_of;
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
    use std::os::fd::{AsRawFd, BorrowedFd};
    use std::ptr;

    use rayline_verdict::evidence::TcpState;

    use super::IcmpError;

    pub(super) fn queue_icmp(socket: BorrowedFd<'_>, v6: bool, on: bool) {
        let (level, option) =
            if v6 { (libc::IPPROTO_IPV6, libc::IPV6_RECVERR) } else { (libc::IPPROTO_IP, libc::IP_RECVERR) };
        let value = libc::c_int::from(on);
        // SAFETY: `value` outlives the call and its size is the one passed.
        let _ = unsafe {
            libc::setsockopt(
                socket.as_raw_fd(),
                level,
                option,
                ptr::from_ref(&value).cast(),
                length(size_of_val(&value)),
            )
        };
    }

    /// Room for a control message of any kind that the error queue holds: 64-bit aligned, as its header wants.
    #[repr(align(8))]
    struct Control([u8; 512]);

    /// The queue holds one entry per ICMP message; those of another origin (time stamps) are passed over.
    const MOST_ENTRIES: usize = 8;

    pub(super) fn next_icmp(socket: BorrowedFd<'_>) -> Option<IcmpError> {
        (0..MOST_ENTRIES).map_while(|_| next_entry(socket)).flatten().next()
    }

    /// Takes one entry off the queue: `None` when it is empty, `Some(None)` when the entry is no ICMP message.
    fn next_entry(socket: BorrowedFd<'_>) -> Option<Option<IcmpError>> {
        let mut payload = [0_u8; 64];
        let mut iov = IoSliceMut::new(&mut payload);
        let mut control = Control([0; 512]);
        // SAFETY: all-zero is a valid `msghdr`: null pointers with zero lengths.
        let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
        // `IoSliceMut` has the layout of `iovec` by its documentation.
        message.msg_iov = ptr::from_mut(&mut iov).cast();
        message.msg_iovlen = 1;
        message.msg_control = control.0.as_mut_ptr().cast();
        message.msg_controllen = control.0.len() as _;
        // SAFETY: `message` points at `iov` and `control`, which outlive the call, with their true lengths.
        let received =
            unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT) };
        if received < 0 {
            return None;
        }
        // `msg_controllen` is a `size_t` with glibc and a `socklen_t` with musl.
        #[allow(clippy::unnecessary_cast, reason = "needed where the C library has another width")]
        let filled = message.msg_controllen as usize;
        Some(parse_control(control.0.get(..filled).unwrap_or_default()))
    }

    /// Walks the control messages: a header of length (8 bytes), level and type (4 bytes each), then the data; the next
    /// one starts at a multiple of 8. (With 32-bit longs the length is 4 bytes and the multiple 4.)
    pub(super) fn parse_control(mut bytes: &[u8]) -> Option<IcmpError> {
        const WORD: usize = size_of::<usize>();
        const HEADER: usize = WORD + 8;
        loop {
            let length = usize::from_ne_bytes(bytes.get(..WORD)?.try_into().ok()?);
            let level = i32::from_ne_bytes(bytes.get(WORD..WORD + 4)?.try_into().ok()?);
            let kind = i32::from_ne_bytes(bytes.get(WORD + 4..HEADER)?.try_into().ok()?);
            let data = bytes.get(HEADER..length)?;
            let error = match (level, kind) {
                (libc::IPPROTO_IP, libc::IP_RECVERR) | (libc::IPPROTO_IPV6, libc::IPV6_RECVERR) => extended_error(data),
                _ => None,
            };
            if error.is_some() {
                return error;
            }
            bytes = bytes.get(length.next_multiple_of(WORD)..)?;
        }
    }

    /// `struct sock_extended_err` of `<linux/errqueue.h>`, followed by the address of who sent the ICMP message.
    fn extended_error(data: &[u8]) -> Option<IcmpError> {
        const SIZE: usize = 16;
        let [origin, kind, code] = *data.get(4..7)?.first_chunk()?;
        let v6 = match origin {
            libc::SO_EE_ORIGIN_ICMP => false,
            libc::SO_EE_ORIGIN_ICMP6 => true,
            _ => return None,
        };
        Some(IcmpError { kind, code, v6, from: data.get(SIZE..).and_then(offender) })
    }

    /// A `sockaddr_in` or `sockaddr_in6`: family, port, then (for IPv6, after the flow label) the address.
    fn offender(address: &[u8]) -> Option<IpAddr> {
        let family = u16::from_ne_bytes(*address.first_chunk()?);
        match i32::from(family) {
            libc::AF_INET => Some(Ipv4Addr::from(*address.get(4..)?.first_chunk::<4>()?).into()),
            libc::AF_INET6 => Some(Ipv6Addr::from(*address.get(8..)?.first_chunk::<16>()?).into()),
            _ => None,
        }
    }

    pub(super) fn tcp_state(socket: BorrowedFd<'_>) -> Option<TcpState> {
        let mut info = [0_u8; 512];
        let mut size = length(info.len());
        // SAFETY: `info` has `size` bytes and outlives the call; the kernel writes no more than that and says how many.
        let done = unsafe {
            libc::getsockopt(
                socket.as_raw_fd(),
                libc::IPPROTO_TCP,
                libc::TCP_INFO,
                info.as_mut_ptr().cast(),
                &raw mut size,
            )
        };
        if done != 0 {
            return None;
        }
        parse_tcp_info(info.get(..usize::try_from(size).ok()?)?)
    }

    /// Offsets in `struct tcp_info` of `<linux/tcp.h>`, which only ever grows at its end. A kernel before 5.4 does not
    /// say the peer's window: it then counts as open, so that silence is not taken for a peer that does not read.
    pub(super) fn parse_tcp_info(info: &[u8]) -> Option<TcpState> {
        let word = |at: usize| info.get(at..).and_then(|rest| rest.first_chunk()).copied().map(u32::from_ne_bytes);
        let state = state_name(*info.first()?);
        // Before the connection stands nothing was received, and the kernel counts from its own start.
        let last_received_ms = word(52).filter(|_| state != "SYN_SENT").unwrap_or(0);
        Some(TcpState {
            state,
            unacked_segments: word(24)?,
            unsent_bytes: word(144).unwrap_or(0),
            retransmits: word(100)?,
            timeouts: info.get(2).copied().map(u32::from)?,
            rtt_us: word(68)?,
            last_received_ms,
            peer_window: word(228).unwrap_or(u32::MAX),
        })
    }

    /// The states of `<net/tcp_states.h>`.
    fn state_name(state: u8) -> &'static str {
        match state {
            1 => "ESTABLISHED",
            2 => "SYN_SENT",
            3 => "SYN_RECV",
            4 => "FIN_WAIT1",
            5 => "FIN_WAIT2",
            6 => "TIME_WAIT",
            7 => "CLOSE",
            8 => "CLOSE_WAIT",
            9 => "LAST_ACK",
            10 => "LISTEN",
            11 => "CLOSING",
            12 => "NEW_SYN_RECV",
            _ => "unnamed",
        }
    }

    /// A buffer of this file as the kernel's length type: all are far below its range.
    fn length(size: usize) -> libc::socklen_t {
        libc::socklen_t::try_from(size).unwrap_or(libc::socklen_t::MAX)
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    use std::os::fd::BorrowedFd;

    use rayline_verdict::evidence::TcpState;

    use super::IcmpError;

    pub(super) fn queue_icmp(_: BorrowedFd<'_>, _: bool, _: bool) {}

    pub(super) fn next_icmp(_: BorrowedFd<'_>) -> Option<IcmpError> {
        None
    }

    pub(super) fn tcp_state(_: BorrowedFd<'_>) -> Option<TcpState> {
        None
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, TcpListener, TcpStream};
    use std::os::fd::AsFd;

    use super::imp::{parse_control, parse_tcp_info};
    use super::{IcmpError, next_icmp, queue_icmp, tcp_state};

    /// A control message as the kernel lays it out.
    fn control(level: i32, kind: i32, data: &[u8]) -> Vec<u8> {
        let mut bytes = (size_of::<usize>() + 8 + data.len()).to_ne_bytes().to_vec();
        bytes.extend(level.to_ne_bytes());
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(data);
        bytes.resize(bytes.len().next_multiple_of(size_of::<usize>()), 0);
        bytes
    }

    fn host_unreachable() -> Vec<u8> {
        let mut data = 113_u32.to_ne_bytes().to_vec();
        data.extend([libc::SO_EE_ORIGIN_ICMP, 3, 1, 0]);
        data.extend([0; 8]);
        data.extend(u16::try_from(libc::AF_INET).unwrap().to_ne_bytes());
        data.extend([0, 0, 192, 0, 2, 7, 0, 0, 0, 0, 0, 0, 0, 0]);
        data
    }

    #[test]
    fn finds_the_icmp_error_behind_another_control_message() {
        let mut bytes = control(libc::SOL_SOCKET, 29, &[0; 16]);
        bytes.extend(control(libc::IPPROTO_IP, libc::IP_RECVERR, &host_unreachable()));
        let from = Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)));
        assert_eq!(parse_control(&bytes), Some(IcmpError { kind: 3, code: 1, v6: false, from }));
    }

    #[test]
    fn broken_control_messages_say_nothing() {
        let whole = control(libc::IPPROTO_IP, libc::IP_RECVERR, &host_unreachable());
        for cut in 0..whole.len() {
            let _ = parse_control(&whole[..cut]);
        }
        // A length of zero must not loop for ever.
        assert_eq!(parse_control(&[0; 64]), None);
    }

    #[test]
    fn reads_the_state_of_a_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        queue_icmp(stream.as_fd(), false, true);
        let state = tcp_state(stream.as_fd()).unwrap();
        assert_eq!(state.state, "ESTABLISHED");
        assert_eq!(state.unsent_bytes, 0);
        assert!(state.peer_window > 0);
        assert_eq!(next_icmp(stream.as_fd()), None);
    }

    #[test]
    fn an_older_kernel_gives_fewer_facts() {
        let mut info = [0_u8; 104];
        info[0] = 2;
        let state = parse_tcp_info(&info).unwrap();
        assert_eq!((state.state, state.unsent_bytes, state.peer_window), ("SYN_SENT", 0, u32::MAX));
        assert_eq!(parse_tcp_info(&info[..60]), None);
        info[52..56].copy_from_slice(&u32::MAX.to_ne_bytes());
        assert_eq!(parse_tcp_info(&info).unwrap().last_received_ms, 0);
    }
}
