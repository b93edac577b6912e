//! A kernel that drops what arrives for one socket: a vanished machine or a silent firewall. Newer kernels want the
//! capability CAP_NET_ADMIN for it; older ones ask for nothing.
//!
//! A socket filter (classic BPF) decides before TCP sees the packet: nothing is acknowledged, answered or read. What the
//! socket itself sends goes out as ever. Linux only.

use std::io;

use socket2::SockRef;

/// Which packets are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    /// All of them: nobody is there any more.
    Everything,
    /// Those that carry data: connecting works, and nothing else does.
    Data,
}

/// Whether the scripts that drop packets can be played here.
///
/// # Errors
/// `PermissionDenied` or `Unsupported`, with a text that says what is missing.
pub fn can_vanish() -> io::Result<()> {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
    lose(SockRef::from(&socket), Loss::Everything).map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => io::Error::new(
            error.kind(),
            "this kernel lets only those with CAP_NET_ADMIN (such as root) drop the packets of one socket",
        ),
        _ => error,
    })
}

/// Drops what arrives for this socket from now on. Connections inherit the loss of the socket that listens.
#[cfg(target_os = "linux")]
pub(crate) fn lose(socket: SockRef<'_>, loss: Loss) -> io::Result<()> {
    use libc::{BPF_ABS, BPF_ALU, BPF_B, BPF_JEQ, BPF_JMP, BPF_K, BPF_LD, BPF_LEN, BPF_LSH, BPF_MISC, BPF_RET};
    use libc::{BPF_RSH, BPF_TAX, BPF_W, BPF_X};
    use socket2::SockFilter;

    /// Where the TCP header, with which the packet begins here, tells its own length in words: the upper half of a byte.
    const DATA_OFFSET: u32 = 12;
    const DROP: SockFilter = step(BPF_RET | BPF_K, 0);
    const KEEP: SockFilter = step(BPF_RET | BPF_K, u32::MAX);

    #[expect(clippy::cast_possible_truncation, reason = "all opcodes of classic BPF have 16 bits")]
    const fn step(code: u32, operand: u32) -> SockFilter {
        SockFilter::new(code as u16, 0, 0, operand)
    }

    #[expect(clippy::cast_possible_truncation, reason = "all opcodes of classic BPF have 16 bits")]
    const SKIP_UNLESS_EQUAL: SockFilter = SockFilter::new((BPF_JMP | BPF_JEQ | BPF_X) as u16, 0, 1, 0);

    match loss {
        Loss::Everything => socket.attach_filter(&[DROP]),
        Loss::Data => socket.attach_filter(&[
            step(BPF_LD | BPF_B | BPF_ABS, DATA_OFFSET),
            step(BPF_ALU | BPF_RSH | BPF_K, 4),
            step(BPF_ALU | BPF_LSH | BPF_K, 2),
            step(BPF_MISC | BPF_TAX, 0),
            step(BPF_LD | BPF_W | BPF_LEN, 0),
            SKIP_UNLESS_EQUAL,
            KEEP,
            DROP,
        ]),
    }
}

/// Other systems have other filters, or none.
#[cfg(not(target_os = "linux"))]
pub(crate) fn lose(_: SockRef<'_>, _: Loss) -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "packets of one socket can be dropped on Linux only"))
}
