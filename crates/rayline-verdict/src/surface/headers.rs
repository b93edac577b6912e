//! The header fields that a verdict sets.
//!
//! They are for answers that carry a verdict. A good answer gets none of them on the hot path: `Proxy-Status` has
//! nothing to say of it, and an origin's own fields pass through untouched.

use std::borrow::Cow;

use crate::code::Retry;
use crate::evidence::Fact;
use crate::party::Phase;
use crate::record::{CacheStatus, Record};
use crate::surface::{Format, Notice};
use crate::verdict::Verdict;
use crate::write;

/// Seconds to wait where repeating may help and the number has no time of its own: a failed name resolution, a
/// broken handshake.
const RETRY_AFTER: u32 = 120;

/// The methods that are served, for the `Allow` that every 405 must carry (RFC 9110 §15.5.6).
const ALLOW: &[u8] = b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/// Calls `emit` with every field of a page made by the edge, names in lower case.
///
/// `Server`, `Date`, `CF-Ray`, `Content-Length` and `Connection` are the caller's: it sets them on every answer.
/// There is no `Cache-Status`: RFC 9211 §2 leaves it to answers that were not made by the intermediary itself. A
/// preview carries no field that says that something failed.
pub fn page_headers(notice: &Notice<'_>, format: Format, mut emit: impl FnMut(&'static str, Cow<'static, [u8]>)) {
    let mut say = |name, value: &'static str| emit(name, Cow::Borrowed(value.as_bytes()));
    say("content-type", format.content_type());
    say("cache-control", "private, max-age=0, no-store, no-cache, must-revalidate, post-check=0, pre-check=0");
    say("expires", "Thu, 01 Jan 1970 00:00:01 GMT");
    say("vary", "accept");
    say("referrer-policy", "same-origin");
    say("x-frame-options", "SAMEORIGIN");
    say("x-content-type-options", "nosniff");
    let verdict = notice.verdict;
    if notice.preview {
        return;
    }
    if let Some(number) = cf_error_type(verdict) {
        emit("cf-error-type", decimal(number));
    }
    let mut value = Vec::with_capacity(128);
    proxy_status(verdict, origin_status(verdict), &mut value);
    emit("proxy-status", value.into());
    if let Some(seconds) = retry_after(verdict) {
        emit("retry-after", decimal(seconds));
    }
    if verdict.number == 405 {
        emit("allow", Cow::Borrowed(ALLOW));
    }
}

fn decimal(number: impl Into<u64>) -> Cow<'static, [u8]> {
    let mut value = Vec::with_capacity(8);
    write::int(&mut value, number);
    value.into()
}

/// The value of `Proxy-Status` (RFC 9209): `rayline; error=connection_refused; details="origin.connect.refused"`.
///
/// `received` is the status that the origin sent, 0 if none came. An answer of the origin's own has no `error`:
/// nothing failed between the edge and the origin. `next-hop` is left out, for the origin's address is not the
/// visitor's to know. Code names are made of `[a-z0-9_.]`, so `details` needs no escape.
pub fn proxy_status(verdict: &Verdict, received: u16, out: &mut Vec<u8>) {
    out.extend_from_slice(b"rayline");
    if let Some(error) = verdict.code.entry().proxy_error {
        out.extend_from_slice(b"; error=");
        out.extend_from_slice(error.as_bytes());
    }
    if received != 0 {
        out.extend_from_slice(b"; received-status=");
        write::int(out, received);
    }
    out.extend_from_slice(b"; details=\"");
    out.extend_from_slice(verdict.code.name().as_bytes());
    out.push(b'"');
}

/// The status that the origin sent, as the evidence has it; 0 if none came.
pub fn origin_status(verdict: &Verdict) -> u16 {
    let sent = verdict.evidence.find(|fact| match fact {
        Fact::OriginStatus(status) => Some(*status),
        _ => None,
    });
    sent.unwrap_or_default()
}

/// The value of `Cache-Status` (RFC 9211) on an answer that is passed through: the cache was not to handle the
/// request. `None` where the answer did not come past the cache.
pub const fn cache_status(cache: CacheStatus) -> Option<&'static str> {
    match cache {
        CacheStatus::Dynamic => Some("rayline; fwd=bypass"),
        CacheStatus::None => None,
    }
}

/// The value of `cf-error-type`, the number on the page; `None` where the answer is not a page of ours.
pub fn cf_error_type(verdict: &Verdict) -> Option<u16> {
    verdict.page_status().map(|_| verdict.number)
}

/// Seconds for `Retry-After`, and `retry_after` in structured errors: where waiting may help. What the zone says wins.
pub fn retry_after(verdict: &Verdict) -> Option<u32> {
    let said = verdict.evidence.find(|fact| match fact {
        Fact::RetryAfter(seconds) => Some(*seconds),
        _ => None,
    });
    match verdict.code.entry().retry {
        Retry::Later => {
            said.or_else(|| Some(verdict.shown().and_then(|number| number.retry_after).unwrap_or(RETRY_AFTER)))
        }
        // At once, or never: there is no time to name.
        Retry::Now | Retry::Never => None,
    }
}

/// The value of `Server-Timing`: what each phase of the way to the origin took, in milliseconds. It is for the owner,
/// and sent only where the zone asks for it: visitors could learn from it where the origin is.
///
/// Phases that took no time, as on a reused connection, are left out; nothing is written if all did.
pub fn server_timing(record: &Record, out: &mut Vec<u8>) {
    let Some(origin) = &record.origin else { return };
    let phases = [
        (Phase::Resolve, origin.dns_us),
        (Phase::Connect, origin.tcp_us),
        (Phase::OriginTls, origin.tls_us),
        (Phase::Send, origin.send_us),
        (Phase::Wait, origin.header_us),
    ];
    for (place, (phase, micros)) in phases.into_iter().filter(|(_, micros)| *micros > 0).enumerate() {
        if place > 0 {
            out.extend_from_slice(b", ");
        }
        out.extend_from_slice(phase.name().as_bytes());
        out.extend_from_slice(b";dur=");
        write::millis(out, micros);
    }
}
