//! What a failed system call says: its name, and which happening it is when connecting.

use std::io;

use rayline_verdict::Fact;
use rayline_verdict::fault::ConnectCause;

/// The errno of this error as a fact; `None` when no system call made it.
pub(crate) fn errno(error: &io::Error) -> Option<Fact> {
    error.raw_os_error().map(|number| Fact::Errno { number, name: errno_name(number) })
}

/// The happening that `connect()` means by this errno, as far as the number alone tells: when it failed and what the error
/// queue holds tell the rest.
///
/// An errno that has no row is this machine's own doing (a security module, a bug of ours): the network cannot cause it.
pub(crate) fn connect_cause(number: i32) -> ConnectCause {
    match number {
        // The other end answered the SYN with a reset.
        libc::ECONNREFUSED | libc::ECONNRESET | libc::ECONNABORTED => ConnectCause::Refused,
        libc::ETIMEDOUT => ConnectCause::TimedOut,
        // A router, or this machine's routing table, knows no way. No IPv6 on this machine (`EAFNOSUPPORT`) is one.
        libc::EHOSTUNREACH
        | libc::ENETUNREACH
        | libc::ENETDOWN
        | libc::EHOSTDOWN
        | libc::ENETRESET
        | libc::ENOPROTOOPT
        | libc::EPROTO
        | libc::EAFNOSUPPORT
        | libc::EPROTONOSUPPORT => ConnectCause::Unreachable,
        #[cfg(target_os = "linux")]
        libc::ENONET => ConnectCause::Unreachable,
        // No descriptor, buffer, memory, local port or route-cache entry left.
        libc::EMFILE
        | libc::ENFILE
        | libc::ENOBUFS
        | libc::ENOMEM
        | libc::EADDRNOTAVAIL
        | libc::EADDRINUSE
        | libc::EAGAIN => ConnectCause::Exhausted,
        // A prohibiting route (`EACCES`), a local firewall (`EPERM`), a blackhole route (`EINVAL`).
        libc::EACCES | libc::EPERM | libc::EINVAL => ConnectCause::Forbidden,
        _ => ConnectCause::Forbidden,
    }
}

/// The name in `<errno.h>` of an error that a socket may meet.
fn errno_name(number: i32) -> &'static str {
    macro_rules! names {
        ($($name:ident),+ $(,)?) => {
            match number {
                $(libc::$name => stringify!($name),)+
                #[cfg(target_os = "linux")]
                libc::ENONET => "ENONET",
                _ => "unnamed",
            }
        };
    }
    names![
        E2BIG,
        EACCES,
        EADDRINUSE,
        EADDRNOTAVAIL,
        EAFNOSUPPORT,
        EAGAIN,
        EALREADY,
        EBADF,
        ECONNABORTED,
        ECONNREFUSED,
        ECONNRESET,
        EDESTADDRREQ,
        EFAULT,
        EHOSTDOWN,
        EHOSTUNREACH,
        EINPROGRESS,
        EINTR,
        EINVAL,
        EIO,
        EISCONN,
        EMFILE,
        EMSGSIZE,
        ENETDOWN,
        ENETRESET,
        ENETUNREACH,
        ENFILE,
        ENOBUFS,
        ENODEV,
        ENOMEM,
        ENOPROTOOPT,
        ENOSPC,
        ENOTCONN,
        ENOTSOCK,
        EOPNOTSUPP,
        EPERM,
        EPIPE,
        EPROTO,
        EPROTONOSUPPORT,
        EPROTOTYPE,
        ESHUTDOWN,
        ETIMEDOUT,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_errno_that_connect_gives_has_its_cause() {
        let rows = [
            (libc::ECONNREFUSED, "ECONNREFUSED", ConnectCause::Refused),
            (libc::ECONNRESET, "ECONNRESET", ConnectCause::Refused),
            (libc::ETIMEDOUT, "ETIMEDOUT", ConnectCause::TimedOut),
            (libc::EHOSTUNREACH, "EHOSTUNREACH", ConnectCause::Unreachable),
            (libc::ENETUNREACH, "ENETUNREACH", ConnectCause::Unreachable),
            (libc::ENETDOWN, "ENETDOWN", ConnectCause::Unreachable),
            (libc::EHOSTDOWN, "EHOSTDOWN", ConnectCause::Unreachable),
            (libc::ENOPROTOOPT, "ENOPROTOOPT", ConnectCause::Unreachable),
            (libc::EAFNOSUPPORT, "EAFNOSUPPORT", ConnectCause::Unreachable),
            (libc::EACCES, "EACCES", ConnectCause::Forbidden),
            (libc::EPERM, "EPERM", ConnectCause::Forbidden),
            (libc::EINVAL, "EINVAL", ConnectCause::Forbidden),
            (libc::EMFILE, "EMFILE", ConnectCause::Exhausted),
            (libc::ENFILE, "ENFILE", ConnectCause::Exhausted),
            (libc::ENOBUFS, "ENOBUFS", ConnectCause::Exhausted),
            (libc::ENOMEM, "ENOMEM", ConnectCause::Exhausted),
            (libc::EADDRNOTAVAIL, "EADDRNOTAVAIL", ConnectCause::Exhausted),
            (4095, "unnamed", ConnectCause::Forbidden),
        ];
        for (number, name, cause) in rows {
            assert_eq!((errno_name(number), connect_cause(number)), (name, cause));
        }
    }

    #[test]
    fn an_error_without_a_system_call_has_no_errno() {
        assert_eq!(errno(&io::Error::other("no call")), None);
    }
}
