//! How a failed handshake is told: what came over the wire first, then what rustls made of it, then the socket's error.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::time::Duration;

use rayline_verdict::evidence::End;
use rayline_verdict::fault::{Cause, OriginTlsCause, ReplyCause};
use rayline_verdict::{Fact, Fault, Snippet};
use rustls::{CertificateError, PeerIncompatible};

use crate::connect::milliseconds;
use crate::dial::Target;
use crate::errno::errno;
use crate::sys;
use crate::tls::alert::{alert_cause, alert_fact};
use crate::tls::chain::{self, Chain, Trust};
use crate::tls::witness::Seen;
use crate::wire::Wire;

/// The handshake that failed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Handshake<'a> {
    pub(crate) address: SocketAddr,
    pub(crate) target: &'a Target<'a>,
    pub(crate) limit: Duration,
}

impl Handshake<'_> {
    /// What it means that the handshake failed with `error`, when `first` was what came over the wire first.
    pub(crate) fn fault(&self, error: &io::Error, seen: &Seen, first: &[u8], wire: &Wire) -> Fault {
        let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        if let Some(error @ (rustls::Error::InvalidCertificate(_) | rustls::Error::InvalidCertRevocationList(_))) = tls
        {
            return self.certificate_fault(error, seen);
        }
        let mut fault = match (foreign(first), tls) {
            (Some(cause), _) => self.raise(cause),
            (None, Some(error)) => self.tls_fault(error, seen, first),
            (None, None) => self.io_fault(error),
        };
        if let Some(error) = tls {
            fault.evidence.add(Fact::TlsError(error.to_string()));
        }
        // An alert says it all; otherwise what came is the evidence.
        if !first.is_empty() && !matches!(tls, Some(rustls::Error::AlertReceived(_))) {
            fault.evidence.add(Fact::FirstBytes(Snippet::first(first)));
        }
        if let Some(state) = sys::tcp_state(wire.stream().as_fd()) {
            fault.evidence.add(Fact::Tcp(state));
        }
        fault
    }

    /// What it means that the origin's certificate was not accepted.
    pub(crate) fn certificate_fault(&self, error: &rustls::Error, seen: &Seen) -> Fault {
        let rejection = seen.rejection.as_ref();
        let chain = rejection.and_then(|rejection| Chain::read(&rejection.chain));
        let trust = rejection.map_or_else(Trust::default, |rejection| rejection.trust);
        // A revocation list that speaks of this certificate and does not hold is no reason of the name or the dates.
        let reason = match error {
            rustls::Error::InvalidCertificate(reason) => reason,
            _ => &CertificateError::ApplicationVerificationFailure,
        };
        let cause = chain::cause(reason, chain.as_ref(), trust, self.target.server_name);
        let mut fault = self
            .raise(cause)
            .with(Fact::ExpectedName(self.target.server_name.to_owned()))
            .with(Fact::TlsError(error.to_string()));
        if let Some(chain) = chain {
            fault.evidence.add(Fact::Certificate(chain.facts()));
        }
        if let Some(rejection) = rejection {
            fault.evidence.add(Fact::CheckedAt(i64::try_from(rejection.at.as_secs()).unwrap_or(i64::MAX)));
            if let Some(by) = rejection.revoked_by {
                fault.evidence.add(Fact::RevokedBy(by));
            }
        }
        fault
    }

    fn raise(&self, cause: impl Into<Cause>) -> Fault {
        Fault::new(cause)
            .with(Fact::OriginAddress(self.address))
            .with(Fact::SslMode(self.target.ssl_mode))
            .with(Fact::ServerName(self.target.server_name.to_owned()))
    }

    fn tls_fault(&self, error: &rustls::Error, seen: &Seen, first: &[u8]) -> Fault {
        match error {
            rustls::Error::AlertReceived(alert) => {
                self.raise(alert_cause(*alert, seen.asked)).with(alert_fact(*alert, End::Theirs))
            }
            rustls::Error::PeerIncompatible(reason) => self.raise(incompatibility(reason)),
            // Errors that only this end can make.
            rustls::Error::EncryptError
            | rustls::Error::FailedToGetCurrentTime
            | rustls::Error::FailedToGetRandomBytes
            | rustls::Error::HandshakeNotComplete
            | rustls::Error::BadMaxFragmentSize
            | rustls::Error::InconsistentKeys(_)
            | rustls::Error::UnsupportedNameType
            | rustls::Error::InvalidEncryptedClientHello(_)
            | rustls::Error::General(_) => self.raise(ReplyCause::Unclassified).with(Fact::Internal(error.to_string())),
            rustls::Error::InappropriateMessage { .. }
            | rustls::Error::InappropriateHandshakeMessage { .. }
            | rustls::Error::InvalidMessage(_)
            | rustls::Error::NoCertificatesPresented
            | rustls::Error::DecryptError
            | rustls::Error::PeerMisbehaved(_)
            | rustls::Error::InvalidCertificate(_)
            | rustls::Error::InvalidCertRevocationList(_)
            | rustls::Error::PeerSentOversizedRecord
            | rustls::Error::NoApplicationProtocol
            | rustls::Error::Other(_) => self.raise(malformed(first)),
            // rustls may add errors: they are about what came over the wire, as all others that end a handshake.
            _ => self.raise(malformed(first)),
        }
    }

    /// The connection ended or stood still. An errno other than a reset comes when the kernel has given up sending.
    fn io_fault(&self, error: &io::Error) -> Fault {
        match errno(error) {
            Some(fact) => {
                let cause = match error.raw_os_error() {
                    Some(libc::ECONNRESET | libc::EPIPE | libc::ECONNABORTED) => OriginTlsCause::Reset,
                    _ => OriginTlsCause::TimedOut,
                };
                self.raise(cause).with(fact)
            }
            None if error.kind() == io::ErrorKind::TimedOut => self
                .raise(OriginTlsCause::TimedOut)
                .with(Fact::Timer { setting: "tls_timeout", limit_ms: milliseconds(self.limit) }),
            None => self.raise(OriginTlsCause::Closed),
        }
    }
}

/// What the first bytes are, when they are not TLS: a record begins with its type (20 to 24) and the major version 3.
fn foreign(first: &[u8]) -> Option<OriginTlsCause> {
    match first {
        [] | [20..=24] | [20..=24, 3, ..] => None,
        bytes if looks_like_http(bytes) => Some(OriginTlsCause::PlainHttp),
        _ => Some(OriginTlsCause::Malformed),
    }
}

/// A status line, or a page without one, as servers send that take a ClientHello for a request of HTTP/0.9.
fn looks_like_http(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii_start();
    let begins_with = |prefix: &[u8]| text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    [b"HTTP/".as_slice(), b"<!doctype", b"<html", b"<head", b"<?xml"].into_iter().any(begins_with)
}

/// A ServerHello that chose a version below TLS 1.2 is no broken one: the version stands behind the record header and the
/// message header.
fn malformed(first: &[u8]) -> OriginTlsCause {
    match first {
        [22, 3, _, _, _, 2, _, _, _, 3, 0..=2, ..] => OriginTlsCause::NoCommonVersion,
        _ => OriginTlsCause::Malformed,
    }
}

fn incompatibility(reason: &PeerIncompatible) -> OriginTlsCause {
    match reason {
        PeerIncompatible::ServerDoesNotSupportTls12Or13
        | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
        | PeerIncompatible::SupportedVersionsExtensionRequired
        | PeerIncompatible::Tls12NotOffered
        | PeerIncompatible::Tls12NotOfferedOrEnabled
        | PeerIncompatible::Tls13RequiredForQuic => OriginTlsCause::NoCommonVersion,
        PeerIncompatible::EcPointsExtensionRequired
        | PeerIncompatible::ExtendedMasterSecretExtensionRequired
        | PeerIncompatible::KeyShareExtensionRequired
        | PeerIncompatible::NamedGroupsExtensionRequired
        | PeerIncompatible::NoCertificateRequestSignatureSchemesInCommon
        | PeerIncompatible::NoCipherSuitesInCommon
        | PeerIncompatible::NoEcPointFormatsInCommon
        | PeerIncompatible::NoKxGroupsInCommon
        | PeerIncompatible::NoSignatureSchemesInCommon
        | PeerIncompatible::NullCompressionRequired
        | PeerIncompatible::SignatureAlgorithmsExtensionRequired
        | PeerIncompatible::UncompressedEcPointsRequired => OriginTlsCause::NoCommonCipher,
        PeerIncompatible::IncorrectCertificateTypeExtension
        | PeerIncompatible::UnsolicitedCertificateTypeExtension
        | PeerIncompatible::ServerSentHelloRetryRequestWithUnknownExtension
        | PeerIncompatible::ServerRejectedEncryptedClientHello(_) => OriginTlsCause::Malformed,
        // rustls may add reasons: each is something that the two ends do not have in common.
        _ => OriginTlsCause::NoCommonCipher,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_tell_http_and_other_protocols_from_tls() {
        let rows: [(&[u8], Option<OriginTlsCause>); 9] = [
            (b"", None),
            (b"\x16", None),
            (b"\x16\x03\x03\x00\x7a", None),
            (b"\x15\x03\x01\x00\x02\x02\x28", None),
            (b"HTTP/1.1 400 Bad Request\r\n", Some(OriginTlsCause::PlainHttp)),
            (b"\r\n<HTML><head>", Some(OriginTlsCause::PlainHttp)),
            (b"HT", Some(OriginTlsCause::Malformed)),
            (b"SSH-2.0-OpenSSH_9.2p1\r\n", Some(OriginTlsCause::Malformed)),
            (b"\x16\x02\x00", Some(OriginTlsCause::Malformed)),
        ];
        for (first, cause) in rows {
            assert_eq!(foreign(first), cause, "{}", first.escape_ascii());
        }
    }

    #[test]
    fn an_old_server_hello_is_a_version_and_not_broken() {
        let hello = |minor: u8| [22, 3, minor, 0, 60, 2, 0, 0, 56, 3, minor, 9, 9];
        assert_eq!(malformed(&hello(1)), OriginTlsCause::NoCommonVersion);
        assert_eq!(malformed(&hello(2)), OriginTlsCause::NoCommonVersion);
        assert_eq!(malformed(&hello(3)), OriginTlsCause::Malformed);
        assert_eq!(malformed(b"\x16\x03\x01"), OriginTlsCause::Malformed);
    }

    #[test]
    fn incompatibilities_are_of_the_version_or_the_cipher() {
        assert_eq!(incompatibility(&PeerIncompatible::ServerDoesNotSupportTls12Or13), OriginTlsCause::NoCommonVersion);
        assert_eq!(incompatibility(&PeerIncompatible::NoCipherSuitesInCommon), OriginTlsCause::NoCommonCipher);
        assert_eq!(incompatibility(&PeerIncompatible::NoKxGroupsInCommon), OriginTlsCause::NoCommonCipher);
    }
}
