//! What it means that a connection broke after it was made: while a request was sent, awaited or answered on it.

use std::io;

use rayline_verdict::evidence::{End, Evidence};
use rayline_verdict::fault::{OriginTlsCause, ReceiveCause, ReplyCause, SendCause, WaitCause};
use rayline_verdict::{Cause, Fact};

use crate::connection::Connection;
use crate::errno::errno;
use crate::tls::alert::{alert_fact, refuses_certificate};

/// How a connection broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// The origin reset it, or had closed it before what we sent arrived.
    Reset,
    /// The origin closed it under TLS without `close_notify`: nobody can tell a true end from a cut. (A plain FIN is no
    /// error: the reader meets the end of the stream.)
    Closed,
    /// The TLS session broke: an alert, or bytes that do not decrypt.
    TlsBroken,
    /// The origin says after the handshake, as TLS 1.3 has it, that our client certificate will not do or is missing.
    ClientCertificateRefused,
    /// The origin's kernel stopped answering, so ours gave up: retransmissions or keep-alive probes ran out, or a router
    /// said in the end that the host cannot be reached.
    Silent,
    /// Something of this machine's: its errno or text stands in the facts.
    Other,
}

impl Break {
    /// What happened where nothing of a response's head had come; `is_sent`: the whole request was with the connection.
    pub fn before_head(self, is_sent: bool) -> Cause {
        match self {
            Self::ClientCertificateRefused => OriginTlsCause::ClientCertificateRefused.into(),
            Self::Silent => WaitCause::Lost.into(),
            Self::Other => ReplyCause::Unclassified.into(),
            Self::TlsBroken => WaitCause::TlsBroken.into(),
            // The origin would not take the rest of the request, and said nothing.
            Self::Closed | Self::Reset if !is_sent => SendCause::Reset.into(),
            Self::Closed => WaitCause::ClosedEmpty.into(),
            Self::Reset => WaitCause::Reset.into(),
        }
    }

    /// What happened where it broke in a response's body.
    pub fn in_body(self) -> Cause {
        match self {
            Self::Closed => ReceiveCause::Truncated.into(),
            Self::Reset => ReceiveCause::Reset.into(),
            Self::TlsBroken | Self::ClientCertificateRefused => ReceiveCause::TlsBroken.into(),
            Self::Silent => ReceiveCause::Lost.into(),
            Self::Other => ReplyCause::Unclassified.into(),
        }
    }
}

/// A broken connection.
#[derive(Debug)]
pub struct SessionFault {
    /// How it broke.
    pub how: Break,
    /// What shows it, with all that the connection knows of the present request.
    pub evidence: Box<Evidence>,
}

/// What it means that reading or writing failed with `error`.
///
/// After a failed *write*, read before you ask this: the origin may have said why before it closed (an early answer, an
/// alert), and the reader's error tells more than the writer's.
pub fn session_fault(connection: &Connection, error: &io::Error) -> SessionFault {
    let mut evidence = Box::<Evidence>::default();
    connection.testify(&mut evidence);
    let how = match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(tls) => tls_break(connection, tls, &mut evidence),
        None => io_break(error, &mut evidence),
    };
    SessionFault { how, evidence }
}

fn tls_break(connection: &Connection, error: &rustls::Error, evidence: &mut Evidence) -> Break {
    evidence.add(Fact::TlsError(error.to_string()));
    let rustls::Error::AlertReceived(alert) = error else { return Break::TlsBroken };
    evidence.add(alert_fact(*alert, End::Theirs));
    let asked = connection.session().is_some_and(|session| session.asked);
    if asked && refuses_certificate(*alert, asked) { Break::ClientCertificateRefused } else { Break::TlsBroken }
}

fn io_break(error: &io::Error, evidence: &mut Evidence) -> Break {
    let Some(fact) = errno(error) else {
        return match error.kind() {
            io::ErrorKind::UnexpectedEof => Break::Closed,
            // tokio and rustls say so of a stream whose other half is gone.
            io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset | io::ErrorKind::WriteZero => Break::Reset,
            _ => {
                evidence.add(Fact::Internal(error.to_string()));
                Break::Other
            }
        };
    };
    evidence.add(fact);
    break_of(error.raw_os_error().unwrap_or_default())
}

/// What an errno of reading or writing means.
fn break_of(number: i32) -> Break {
    match number {
        libc::ECONNRESET | libc::EPIPE | libc::ECONNABORTED | libc::ECONNREFUSED => Break::Reset,
        libc::ETIMEDOUT
        | libc::EHOSTUNREACH
        | libc::ENETUNREACH
        | libc::EHOSTDOWN
        | libc::ENETDOWN
        | libc::ENOPROTOOPT => Break::Silent,
        _ => Break::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_without_a_tls_reason_have_their_break() {
        let rows = [
            (io::Error::from_raw_os_error(libc::ECONNRESET), Break::Reset),
            (io::Error::from_raw_os_error(libc::EPIPE), Break::Reset),
            (io::Error::from_raw_os_error(libc::ETIMEDOUT), Break::Silent),
            (io::Error::from_raw_os_error(libc::EHOSTUNREACH), Break::Silent),
            (io::Error::from_raw_os_error(libc::ENOBUFS), Break::Other),
            (io::ErrorKind::UnexpectedEof.into(), Break::Closed),
            (io::ErrorKind::WriteZero.into(), Break::Reset),
            (io::Error::other("no such thing"), Break::Other),
        ];
        for (error, how) in rows {
            let mut evidence = Evidence::default();
            assert_eq!(io_break(&error, &mut evidence), how, "{error}");
        }
    }
}
