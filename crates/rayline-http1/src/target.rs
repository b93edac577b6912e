//! The four forms of a request target (RFC 9112 §3.2) and the grammar of an authority.
//!
//! Says which form it is and whether it is well formed; paths are not decoded or normalised.

use std::net::Ipv6Addr;

use crate::syntax::{ascii, is_host};

/// The form of a request target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetForm<'a> {
    /// A path and perhaps a query: the target as it is.
    Origin,
    /// A whole URI, as sent to proxies.
    Absolute {
        /// The scheme in the case received.
        scheme: &'a str,
        /// `host[:port]`.
        authority: &'a str,
        /// Path and query. May be empty, which means `/` (and `*` for `OPTIONS`), or begin with
        /// `?`.
        path: &'a str,
    },
    /// `host:port`, only ever of `CONNECT`: the target as it is.
    Authority,
    /// `*`, only ever of `OPTIONS`.
    Asterisk,
}

/// The same with offsets into the target, as a head keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Origin,
    Absolute { scheme_end: u32, authority_end: u32 },
    Authority,
    Asterisk,
}

const SCHEME_END: &[u8] = b"://";

impl Form {
    /// `target` is asked for only where it has parts.
    pub(crate) fn of<'a>(self, target: impl FnOnce() -> &'a str) -> TargetForm<'a> {
        match self {
            Self::Origin => TargetForm::Origin,
            Self::Authority => TargetForm::Authority,
            Self::Asterisk => TargetForm::Asterisk,
            Self::Absolute { scheme_end, authority_end } => {
                let target = target();
                let scheme_end = scheme_end as usize;
                let authority = scheme_end + SCHEME_END.len();
                let authority_end = authority_end as usize;
                TargetForm::Absolute {
                    scheme: target.get(..scheme_end).unwrap_or_default(),
                    authority: target.get(authority..authority_end).unwrap_or_default(),
                    path: target.get(authority_end..).unwrap_or_default(),
                }
            }
        }
    }
}

/// What is wrong with a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TargetFault {
    Form,
    Host,
}

/// The form of `target`, if `method` may use it.
pub(crate) fn form(method: &[u8], target: &[u8]) -> Result<Form, TargetFault> {
    if method == b"CONNECT" {
        // RFC 9110 §9.3.6: host and port, both there.
        return match authority(target) {
            Some(Authority { has_port: true }) => Ok(Form::Authority),
            Some(Authority { has_port: false }) | None => Err(TargetFault::Form),
        };
    }
    match target {
        [b'/', ..] => Ok(Form::Origin),
        b"*" if method == b"OPTIONS" => Ok(Form::Asterisk),
        [first, ..] if first.is_ascii_alphabetic() => absolute(target),
        _ => Err(TargetFault::Form),
    }
}

fn absolute(target: &[u8]) -> Result<Form, TargetFault> {
    let in_scheme = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    let scheme_end = target.iter().position(|byte| !in_scheme(byte)).ok_or(TargetFault::Form)?;
    let rest = target.get(scheme_end..).and_then(|rest| rest.strip_prefix(SCHEME_END)).ok_or(TargetFault::Form)?;
    let length = rest.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(rest.len());
    rest.get(..length).and_then(authority).ok_or(TargetFault::Host)?;
    let narrow = |offset| u32::try_from(offset).map_err(|_| TargetFault::Form);
    Ok(Form::Absolute {
        scheme_end: narrow(scheme_end)?,
        authority_end: narrow(scheme_end + SCHEME_END.len() + length)?,
    })
}

/// A well-formed `host[:port]`.
pub(crate) struct Authority {
    has_port: bool,
}

/// Reads `uri-host [ ":" port ]` (RFC 9110 §7.2).
///
/// Narrower than the grammar where the wider reading has no use or is a danger: no empty host
/// (RFC 9110 §4.2.1), no user information (§4.2.4), no port above 65535, no address of a future
/// IP version, no zone in an IPv6 address.
pub(crate) fn authority(bytes: &[u8]) -> Option<Authority> {
    let port = if let Some(literal) = bytes.strip_prefix(b"[") {
        let end = memchr::memchr(b']', literal)?;
        let (address, rest) = literal.split_at_checked(end)?;
        ascii(address).parse::<Ipv6Addr>().ok()?;
        rest.strip_prefix(b"]")?
    } else {
        let end = memchr::memchr(b':', bytes).unwrap_or(bytes.len());
        let (host, rest) = bytes.split_at_checked(end)?;
        if host.is_empty() || !host.iter().copied().all(is_host) || !escapes_are_whole(host) {
            return None;
        }
        rest
    };
    match port {
        [] => Some(Authority { has_port: false }),
        [b':', digits @ ..] => {
            if digits.len() > 5 || !digits.iter().all(u8::is_ascii_digit) {
                return None;
            }
            // RFC 3986 §3.2.3: the port may be empty, which means the default one.
            if !digits.is_empty() {
                ascii(digits).parse::<u16>().ok()?;
            }
            Some(Authority { has_port: !digits.is_empty() })
        }
        _ => None,
    }
}

/// Whether each `%` is followed by two hexadecimal digits.
fn escapes_are_whole(mut bytes: &[u8]) -> bool {
    while let Some(at) = memchr::memchr(b'%', bytes) {
        match bytes.get(at + 1..) {
            Some([high, low, rest @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => bytes = rest,
            _ => return false,
        }
    }
    true
}
