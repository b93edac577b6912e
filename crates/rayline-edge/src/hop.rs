//! Header fields that a proxy treats specially: those for one hop only, and those that only the edge may set.

use std::cmp::Ordering;

use bytes::BytesMut;
use rayline_http1::{Fields, encode};

/// A field with a role of its own on the way to an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// For one hop (RFC 9110 §7.6.1): never forwarded.
    Hop,
    Host,
    ContentLength,
    ForwardedFor,
    CdnLoop,
    /// Written by the edge; what a visitor sends under this name is dropped.
    Ours,
    /// Looked at, and forwarded.
    EndToEnd,
}

impl Known {
    /// The role of a field, by name; `None` for all the others.
    ///
    /// Applications behind CGI and its kin cannot tell `_` from `-` in a name (RFC 3875 §4.1.18), so a field that would
    /// pass for one that only the edge may set is taken for it.
    pub(crate) fn of(name: &[u8]) -> Option<Self> {
        Self::spelt(name).or_else(|| {
            let mut with_hyphens = [0_u8; LONGEST];
            let hyphens = with_hyphens.get_mut(..name.len()).filter(|_| name.contains(&b'_'))?;
            for (hyphen, byte) in hyphens.iter_mut().zip(name) {
                *hyphen = if *byte == b'_' { b'-' } else { *byte };
            }
            match Self::spelt(hyphens)? {
                Self::Ours | Self::ForwardedFor | Self::CdnLoop => Some(Self::Ours),
                Self::Hop | Self::Host | Self::ContentLength | Self::EndToEnd => None,
            }
        })
    }

    /// The role of a name as it is spelt. Looks at the length first: most names end there.
    fn spelt(name: &[u8]) -> Option<Self> {
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        match name.len() {
            2 if is("te") => Some(Self::Hop),
            4 if is("host") => Some(Self::Host),
            6 if is("expect") => Some(Self::EndToEnd),
            6 if is("cf-ray") => Some(Self::Ours),
            7 if is("upgrade") => Some(Self::Hop),
            8 if is("cdn-loop") => Some(Self::CdnLoop),
            9 if is("x-real-ip") => Some(Self::Ours),
            10 if is("connection") || is("keep-alive") => Some(Self::Hop),
            10 if is("cf-visitor") => Some(Self::Ours),
            12 if is("cf-ipcountry") => Some(Self::Ours),
            14 if is("content-length") => Some(Self::ContentLength),
            14 if is("true-client-ip") || is(crate::replay::FIELD) => Some(Self::Ours),
            15 if is("x-forwarded-for") => Some(Self::ForwardedFor),
            16 if is("proxy-connection") => Some(Self::Hop),
            16 if is("cf-connecting-ip") => Some(Self::Ours),
            17 if is("transfer-encoding") => Some(Self::Hop),
            17 if is("x-forwarded-proto") => Some(Self::Ours),
            18 if is("cf-connecting-ipv6") => Some(Self::Ours),
            _ => None,
        }
    }
}

/// The length of the longest name with a role.
const LONGEST: usize = 18;

/// What a message's `Connection` and `TE` say of this hop.
#[derive(Debug, Default)]
pub(crate) struct Hops<'a> {
    /// What `Connection` names beside the usual options, in order: a head has room for a thousand fields and for tens of
    /// thousands of names, and each field is looked up.
    nominated: Vec<&'a [u8]>,
    /// The sender takes trailers.
    pub(crate) trailers: bool,
}

impl<'a> Hops<'a> {
    pub(crate) fn of(fields: &'a Fields) -> Self {
        let usual = |value: &[u8]| value.eq_ignore_ascii_case(b"keep-alive") || value.eq_ignore_ascii_case(b"close");
        let mut hops = Self::default();
        // In one pass: most heads have neither.
        for (name, value) in fields {
            let mut members = value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
            match name.len() {
                2 if name.eq_ignore_ascii_case(b"te") => {
                    hops.trailers |= members.any(|member| member.eq_ignore_ascii_case(b"trailers"));
                }
                10 if name.eq_ignore_ascii_case(b"connection") && !usual(value) => {
                    hops.nominated.extend(members.filter(|name| !name.is_empty() && !usual(name)));
                }
                _ => {}
            }
        }
        hops.nominated.sort_unstable_by(|one, other| in_any_case(one, other));
        hops
    }

    /// Whether `Connection` names this field. A sender cannot have the end-to-end fields dropped that framing and
    /// routing rest on.
    pub(crate) fn nominates(&self, name: &[u8]) -> bool {
        let protected = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        self.nominated.binary_search_by(|nominated| in_any_case(nominated, name)).is_ok()
            && !["cache-control", "content-length", "content-type", "host"].into_iter().any(protected)
    }
}

/// The order of names, whose case does not count.
fn in_any_case(one: &[u8], other: &[u8]) -> Ordering {
    one.iter().map(u8::to_ascii_lowercase).cmp(other.iter().map(u8::to_ascii_lowercase))
}

/// Writes the last chunk and those of the trailers for which `passes` says so, and ends the body. Some recipients merge
/// trailers into the head: what a sender may not say there it may not say here.
pub(crate) fn put_trailers(out: &mut BytesMut, fields: &Fields, passes: impl Fn(&[u8]) -> bool) {
    encode::last_chunk(out);
    encode::copy_fields(out, fields, |name, _| passes(name));
    encode::end(out);
}

/// Whether a field of the origin's answer is passed on: neither for one hop, nor a directive to a proxy in front as
/// nginx has them, nor one that only the edge itself sends.
pub(crate) fn passes_to_visitor(name: &[u8], hops: &Hops<'_>) -> bool {
    let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
    let kept = match name.len() {
        6 => is("server") || is("cf-ray"),
        13 => is("cf-error-type"),
        15 => is("cf-cache-status") || is("x-accel-charset"),
        16 => is("x-accel-redirect"),
        17 => is("x-accel-buffering"),
        18 => is("x-accel-limit-rate"),
        _ => false,
    };
    !kept && Known::spelt(name) != Some(Known::Hop) && !hops.nominates(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_names_in_any_case() {
        assert_eq!(Known::of(b"Transfer-ENCODING"), Some(Known::Hop));
        assert_eq!(Known::of(b"cf-RAY"), Some(Known::Ours));
        assert_eq!(Known::of(b"X-Forwarded-Fox"), None);
        for forged in [b"CF_Connecting_IP".as_slice(), b"X_Forwarded-For", b"cdn_loop", b"X_REAL_IP"] {
            assert_eq!(Known::of(forged), Some(Known::Ours));
        }
        for other in [b"Content_Length".as_slice(), b"X_Forwarded_Foo", b"_", b"a_name_longer_than_any_of_ours"] {
            assert_eq!(Known::of(other), None);
        }
        let hops = Hops::default();
        assert!(!passes_to_visitor(b"X-Accel-Limit-Rate", &hops) && !passes_to_visitor(b"Keep-Alive", &hops));
        assert!(passes_to_visitor(b"X-Accel", &hops));
        let hops = Hops { nominated: vec![b"A", b"x-HOP"], trailers: false };
        assert!(hops.nominates(b"a") && hops.nominates(b"X-Hop") && !hops.nominates(b"X-Ho"));
    }
}
