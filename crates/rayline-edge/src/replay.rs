//! Requests that are replayed with parts of the plan switched off: a header field says which, signed by this very edge.
//!
//! It is for `rayline bisect`: nothing that a visitor sends has an effect, for only the edge's owner is given signatures,
//! and nothing but the request that bears one is served differently. While nobody bisects, no request is looked at.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rayline_http1::RequestHead;
use rayline_verdict::Moment;

use crate::phase::request::path_and_query;
use crate::phase::route::bare_host;

/// The field's name.
pub const FIELD: &str = "rayline-replay";
/// How long a signature is good.
const VALID_SECONDS: u64 = 60;
/// Parts that one request can switch off.
const MOST_PARTS: usize = 2000;
/// Bytes of a part's name.
const LONGEST_PART: usize = 200;

/// What one request is served without.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replay {
    /// Ids of rules and names of parts, sorted.
    off: Vec<Box<str>>,
    /// Which version of the configuration serves it; the one that serves everybody if `None`.
    pub version: Option<u64>,
}

impl Replay {
    /// Without these parts, by another version.
    pub fn new(off: impl IntoIterator<Item = impl Into<Box<str>>>, version: Option<u64>) -> Self {
        let mut off: Vec<Box<str>> = off.into_iter().map(Into::into).collect();
        off.sort_unstable();
        off.dedup();
        Self { off, version }
    }

    /// The parts that are switched off.
    pub fn off(&self) -> impl Iterator<Item = &str> {
        self.off.iter().map(AsRef::as_ref)
    }

    /// The form that is signed: a name per part, none of which has a line break or NUL.
    fn encode(&self) -> String {
        let mut text = self.version.map_or_else(String::new, |version| version.to_string());
        for part in &self.off {
            // writing to a text does not fail
            let _ = write!(text, "\n{part}");
        }
        text
    }

    fn decode(text: &str) -> Option<Self> {
        let mut lines = text.split('\n');
        let version = match lines.next()? {
            "" => None,
            number => Some(number.parse().ok()?),
        };
        Some(Self::new(lines, version))
    }
}

/// The one request that a signature is for: a field that is carried off to another is worth nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copy<'a> {
    /// Its method.
    pub method: &'a str,
    /// Its host, with or without a port.
    pub host: &'a str,
    /// Path and query, as they are sent.
    pub target: &'a [u8],
}

impl Copy<'_> {
    /// What is signed: of these parts, none but the last can have a line break.
    fn message(&self, signed: &str) -> Vec<u8> {
        let host = bare_host(self.host).to_ascii_lowercase();
        let mut message = format!("{signed}\n{}\n{host}\n", self.method).into_bytes();
        message.extend_from_slice(self.target);
        message
    }
}

/// Why parts cannot be switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsigned {
    /// There are more than 2,000.
    TooMany,
    /// A name is empty, longer than 200 bytes, or has a control character.
    NoName,
}

impl std::fmt::Display for Unsigned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooMany => write!(f, "more than {MOST_PARTS} parts cannot be switched off at once"),
            Self::NoName => {
                write!(f, "a part has a name of 1 to {LONGEST_PART} bytes, without control characters")
            }
        }
    }
}

impl std::error::Error for Unsigned {}

/// Signs replays and knows its own signatures. The key is this process's, and never leaves it.
#[derive(Debug)]
pub struct Replays {
    key: hmac::Key,
    /// Until when there may be a valid signature, in seconds since 1970.
    until: AtomicU64,
}

impl Replays {
    /// With a key of its own.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn new() -> std::io::Result<Self> {
        let mut secret = [0; 32];
        aws_lc_rs::rand::fill(&mut secret).map_err(|_| std::io::Error::other("the system gave no random bytes"))?;
        Ok(Self { key: hmac::Key::new(hmac::HMAC_SHA256, &secret), until: AtomicU64::new(0) })
    }

    /// The field's value for a replay of this request: good for a minute.
    ///
    /// # Errors
    /// Too many parts, or one whose name cannot be one.
    pub fn sign(&self, replay: &Replay, copy: Copy<'_>, now: Moment) -> Result<String, Unsigned> {
        if replay.off.len() > MOST_PARTS {
            return Err(Unsigned::TooMany);
        }
        let is_name = |part: &str| (1..=LONGEST_PART).contains(&part.len()) && !part.chars().any(char::is_control);
        if !replay.off.iter().all(|part| is_name(part)) {
            return Err(Unsigned::NoName);
        }
        let until = seconds(now) + VALID_SECONDS;
        self.until.fetch_max(until, Ordering::Relaxed);
        let signed = format!("{until}.{}", URL_SAFE_NO_PAD.encode(replay.encode()));
        let tag = URL_SAFE_NO_PAD.encode(hmac::sign(&self.key, &copy.message(&signed)));
        Ok(format!("{signed}.{tag}"))
    }

    /// What a request is served without, where it bears a good signature for itself.
    pub(crate) fn of(&self, head: &RequestHead, now: Moment) -> Option<Replay> {
        let value = head.fields.get(FIELD)?;
        let target = path_and_query(head);
        let copy = Copy { method: head.method(), host: head.host().unwrap_or_default(), target: &target };
        self.read(value, copy, now)
    }

    /// Whether any request needs to be looked at.
    pub fn are_expected(&self, now: Moment) -> bool {
        let until = self.until.load(Ordering::Relaxed);
        until != 0 && until >= seconds(now)
    }

    /// What a field's value says, if it is ours, still good, and for the request that bears it.
    pub fn read(&self, value: &[u8], copy: Copy<'_>, now: Moment) -> Option<Replay> {
        let value = std::str::from_utf8(value).ok()?;
        let (signed, tag) = value.rsplit_once('.')?;
        hmac::verify(&self.key, &copy.message(signed), &URL_SAFE_NO_PAD.decode(tag).ok()?).ok()?;
        let (until, replay) = signed.split_once('.')?;
        if until.parse::<u64>().ok()? < seconds(now) {
            return None;
        }
        Replay::decode(std::str::from_utf8(&URL_SAFE_NO_PAD.decode(replay).ok()?).ok()?)
    }
}

fn seconds(now: Moment) -> u64 {
    u64::try_from(now.0 / 1_000_000_000).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment(1_800_000_000 * 1_000_000_000);

    fn later(seconds: i64) -> Moment {
        Moment(NOW.0 + seconds * 1_000_000_000)
    }

    const COPY: Copy<'_> = Copy { method: "GET", host: "shop.test", target: b"/a?b" };

    #[test]
    fn a_signature_is_for_one_request() {
        let replays = Replays::new().unwrap();
        let replay = Replay::new(["waf"], None);
        let value = replays.sign(&replay, COPY, NOW).unwrap();
        let read = |copy| replays.read(value.as_bytes(), copy, NOW);
        for host in ["SHOP.test", "shop.test:8080", "shop.test."] {
            assert_eq!(read(Copy { host, ..COPY }).as_ref(), Some(&replay), "{host}");
        }
        for other in [
            Copy { method: "POST", ..COPY },
            Copy { host: "www.shop.test", ..COPY },
            Copy { target: b"/a", ..COPY },
            Copy { target: b"/a?b=", ..COPY },
        ] {
            assert_eq!(read(other), None, "{other:?}");
        }
    }

    #[test]
    fn what_was_signed_is_read_for_a_minute() {
        let replays = Replays::new().unwrap();
        assert!(!replays.are_expected(NOW));
        for replay in [Replay::default(), Replay::new(["b", "a", "a"], None), Replay::new(["phase:x"], Some(17))] {
            let value = replays.sign(&replay, COPY, NOW).unwrap();
            assert_eq!(replays.read(value.as_bytes(), COPY, later(60)), Some(replay));
            assert_eq!(replays.read(value.as_bytes(), COPY, later(61)), None);
        }
        assert!(replays.are_expected(later(60)) && !replays.are_expected(later(61)));
    }

    #[test]
    fn what_others_write_is_nothing() {
        let replays = Replays::new().unwrap();
        let value = replays.sign(&Replay::new(["waf"], None), COPY, NOW).unwrap();
        assert_eq!(Replays::new().unwrap().read(value.as_bytes(), COPY, NOW), None);
        for place in 0..value.len() {
            let mut damaged = value.clone().into_bytes();
            damaged[place] = if damaged[place] == b'A' { b'B' } else { b'A' };
            assert_eq!(replays.read(&damaged, COPY, NOW), None, "{place}");
            assert_eq!(replays.read(&value.as_bytes()[..place], COPY, NOW), None);
        }
        for nonsense in ["", ".", "..", "1.2.3", "\u{ff}"] {
            assert_eq!(replays.read(nonsense.as_bytes(), COPY, NOW), None);
        }
    }

    #[test]
    fn names_are_names_and_not_too_many() {
        let replays = Replays::new().unwrap();
        let sign = |parts: &[&str]| replays.sign(&Replay::new(parts.iter().copied(), None), COPY, NOW);
        assert_eq!(sign(&["a\nb"]), Err(Unsigned::NoName));
        assert_eq!(sign(&[""]), Err(Unsigned::NoName));
        assert_eq!(sign(&[&"x".repeat(201)]), Err(Unsigned::NoName));
        let many = Replay::new((0..=MOST_PARTS).map(|part| part.to_string()), None);
        assert_eq!(replays.sign(&many, COPY, NOW), Err(Unsigned::TooMany));
        let replay = Replay::new(["b", "c"], None);
        assert_eq!(replay.off().collect::<Vec<_>>(), ["b", "c"]);
    }
}
