//! `is_timed_hmac_valid_v0` (Rules language, "HMAC validation").

use aws_lc_rs::hmac;
use base64::Engine as _;

use super::{STANDARD, URL_SAFE, UrlDecode};

/// Bytes of a time in seconds, which stands in a token with ten digits.
const TIMESTAMP: usize = 10;
/// Characters of an HMAC-SHA256 in Base64 without padding.
const BARE_MAC: usize = 43;

/// What a token is held against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TimedHmac<'a> {
    /// The secret.
    pub(crate) key: &'a [u8],
    /// Seconds that a token lives.
    pub(crate) ttl: i64,
    /// Seconds since 1970.
    pub(crate) now: i64,
    /// Bytes between message and time.
    pub(crate) separator: i64,
    /// `s`: the MAC is in the URL alphabet of Base64, not percent-encoded.
    pub(crate) flags: &'a [u8],
}

/// Whether `message`, separator, time, `-` and MAC stand in the text, the MAC is right for message and time, and the
/// time is not too long ago.
pub(crate) fn is_timed_hmac_valid(text: &[u8], expected: TimedHmac<'_>) -> bool {
    checked(text, expected).is_some()
}

fn checked(text: &[u8], expected: TimedHmac<'_>) -> Option<()> {
    let (signed, mac) = mac(text, expected.flags.contains(&b's'))?;
    let (before, timestamp) = signed.split_at_checked(signed.len().checked_sub(TIMESTAMP)?)?;
    if !timestamp.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let separator = usize::try_from(expected.separator).ok()?;
    let message = before.get(..before.len().checked_sub(separator)?).filter(|message| !message.is_empty())?;
    let issued: i64 = std::str::from_utf8(timestamp).ok()?.parse().ok()?;
    if expected.now > issued.saturating_add(expected.ttl) {
        return None;
    }
    let key = hmac::Key::new(hmac::HMAC_SHA256, expected.key);
    let mut context = hmac::Context::with_key(&key);
    context.update(message);
    context.update(timestamp);
    // compared in constant time
    aws_lc_rs::constant_time::verify_slices_are_equal(context.sign().as_ref(), &mac).ok()
}

/// Parts a token at the `-` before the MAC.
fn mac(text: &[u8], url_safe: bool) -> Option<(&[u8], Vec<u8>)> {
    if url_safe {
        // its alphabet has the hyphen too, so the length says where it begins
        let (signed, mac) = text.split_at_checked(text.len().checked_sub(BARE_MAC)?)?;
        return Some((signed.strip_suffix(b"-")?, URL_SAFE.decode(mac).ok()?));
    }
    let hyphen = memchr::memrchr(b'-', text)?;
    let mut mac = Vec::new();
    // a plus sign that was not encoded is one, not a space
    let encoded = text.get(hyphen + 1..)?;
    for (index, piece) in encoded.split(|byte| *byte == b'+').enumerate() {
        if index > 0 {
            mac.push(b'+');
        }
        UrlDecode::new(b"").write(piece, &mut mac);
    }
    Some((text.get(..hyphen)?, STANDARD.decode(&mac).ok()?))
}
