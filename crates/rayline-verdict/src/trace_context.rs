//! W3C Trace Context: which trace a request belongs to, and what its spans are called.
//!
//! It reads and writes `traceparent`, and makes ids out of a Ray ID, so that whoever sends a header and whoever exports the
//! spans later agree without telling each other. It does not touch `tracestate`, which is passed on as it came with a
//! `traceparent` that is valid, and dropped with one that is not (W3C Trace Context, "Processing model").

use std::fmt;
use std::str::FromStr;

use crate::ray::RayId;

/// The name of a trace: not zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId(u128);

/// The name of a span: not zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanId(u64);

/// What `traceparent` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceParent {
    /// The trace.
    pub trace: TraceId,
    /// The span that caused this request.
    pub parent: SpanId,
    /// Whether its sender may have recorded it, and whatever other flags it has.
    pub flags: u8,
}

/// The flag that says that the sender may have recorded its span.
pub const SAMPLED: u8 = 1;

impl TraceId {
    /// The trace of a request that came without one. Its last 16 digits are the Ray ID: whoever has the one can look for
    /// the other.
    pub fn of(ray: RayId) -> Self {
        Self((u128::from(mixed(ray.0, 0)) << 64) | u128::from(ray.0))
    }

    /// As OTLP wants it.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }
}

impl SpanId {
    /// The span of a request at this edge.
    pub fn edge(ray: RayId) -> Self {
        Self::nth(ray, 0)
    }

    /// The span of the request to the origin, which the origin is told as its parent.
    pub fn origin(ray: RayId) -> Self {
        Self::nth(ray, 1)
    }

    /// Another span of the same request; `edge` and `origin` are 0 and 1.
    pub fn nth(ray: RayId, place: u64) -> Self {
        Self(mixed(ray.0, place + 1))
    }

    /// As OTLP wants it.
    pub const fn to_bytes(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }
}

impl TraceParent {
    /// Reads the value of `traceparent`. `None` where it is invalid: it is then ignored, and a new trace begun.
    ///
    /// A version above 00 is read as far as 00 goes ("Versioning of traceparent").
    pub fn parse(value: &[u8]) -> Option<Self> {
        let value = std::str::from_utf8(value).ok()?.trim_matches([' ', '\t']);
        let mut parts = value.splitn(5, '-');
        let version = hex(parts.next()?, 2)?;
        let trace = parts.next()?.parse().ok()?;
        let parent = parts.next()?.parse().ok()?;
        let flags = u8::try_from(hex(parts.next()?, 2)?).ok()?;
        let rest = parts.next();
        (version != 0xff && (version > 0 || rest.is_none())).then_some(Self { trace, parent, flags })
    }

    /// What the origin is told: the trace that the visitor named or else a new one, and this edge's span as its parent.
    ///
    /// Without a visitor's trace the flag says whether a success of this Ray ID would be recorded.
    pub fn toward_origin(visitor: Option<Self>, ray: RayId, sample_rate: f64) -> Self {
        let parent = SpanId::origin(ray);
        match visitor {
            Some(Self { trace, parent: _, flags }) => Self { trace, parent, flags },
            None => Self { trace: TraceId::of(ray), parent, flags: u8::from(is_sampled(ray, sample_rate)) * SAMPLED },
        }
    }
}

/// Whether a request is among the share from 0 to 1 that is looked at. The same Ray ID always is, or never.
pub fn is_sampled(ray: RayId, share: f64) -> bool {
    // what is 1 or more must hold for every number, the greatest included
    share >= 1.0 || (mixed(ray.0, u64::MAX) as f64) < share * (u64::MAX as f64)
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { trace, parent, flags } = self;
        // only what version 00 defines may be sent under its number
        write!(f, "00-{trace}-{parent}-{:02x}", flags & SAMPLED)
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TraceId({self})")
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SpanId({self})")
    }
}

/// The text is no id: 32 or 16 lower-case hexadecimal digits that are not all zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseIdError;

impl fmt::Display for ParseIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id is 32 or 16 lower-case hexadecimal digits that are not all zero")
    }
}

impl std::error::Error for ParseIdError {}

impl FromStr for TraceId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        hex(text, 32).filter(|id| *id != 0).map(Self).ok_or(ParseIdError)
    }
}

impl FromStr for SpanId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let id = hex(text, 16).and_then(|id| u64::try_from(id).ok());
        id.filter(|id| *id != 0).map(Self).ok_or(ParseIdError)
    }
}

/// A number of so many lower-case digits.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (text.len() == digits && text.bytes().all(lower)).then(|| u128::from_str_radix(text, 16).ok())?
}

/// Spreads a Ray ID over all 64 bits, differently for each place (the finalizer of SplitMix64). Never zero.
fn mixed(ray: u64, place: u64) -> u64 {
    let mut z = ray ^ place.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALID: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_valid_header_is_read_and_written() {
        let read = TraceParent::parse(VALID.as_bytes()).unwrap();
        assert_eq!((read.to_string().as_str(), read.flags), (VALID, 1));
        assert_eq!(TraceParent::parse(format!(" {VALID}\t").as_bytes()), Some(read));
        // a later version may say more, and is read as far as this one goes
        let later = TraceParent::parse(format!("cc-{}-what-else", &VALID[3..]).as_bytes()).unwrap();
        assert_eq!(later, read);
    }

    #[test]
    fn what_is_invalid_is_no_header() {
        let (trace, span) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
        for invalid in [
            String::new(),
            "00".to_owned(),
            format!("00-{trace}-{span}"),
            format!("00-{trace}-{span}-1"),
            format!("00-{trace}-{span}-01-more"),
            format!("00-{trace}-{span}-01-"),
            format!("cc-{trace}-{span}-01.what"),
            format!("ff-{trace}-{span}-01"),
            format!("0-{trace}-{span}-01"),
            format!("00-{}-{span}-01", trace.to_ascii_uppercase()),
            format!("00-{}-{span}-01", "0".repeat(32)),
            format!("00-{trace}-{}-01", "0".repeat(16)),
            format!("00-{trace}-{}-01", &span[1..]),
            format!("00-+{}-{span}-01", &trace[1..]),
            format!("00_{trace}_{span}_01"),
        ] {
            assert_eq!(TraceParent::parse(invalid.as_bytes()), None, "{invalid}");
        }
        assert_eq!(TraceParent::parse(b"00-\xff"), None);
    }

    #[test]
    fn the_origin_is_told_the_visitors_trace_or_a_new_one() {
        let ray = RayId(0x230b_0300_23ae_2822);
        let visitor = TraceParent::parse(VALID.as_bytes()).unwrap();
        let told = TraceParent::toward_origin(Some(visitor), ray, 0.0);
        assert_eq!((told.trace, told.parent, told.flags), (visitor.trace, SpanId::origin(ray), 1));
        let told = TraceParent::toward_origin(None, ray, 1.0);
        assert!(told.trace.to_string().ends_with("230b030023ae2822"), "{told}");
        assert_eq!(told.flags, SAMPLED);
        assert_eq!(TraceParent::toward_origin(None, ray, 0.0).flags, 0);
        assert_eq!(TraceParent::parse(told.to_string().as_bytes()), Some(told));
        let spans: std::collections::HashSet<_> = (0..20).map(|place| SpanId::nth(ray, place)).collect();
        assert_eq!(spans.len(), 20);
    }

    #[test]
    fn a_share_is_a_share() {
        for share in [0.0, 0.01, 0.5, 1.0] {
            let sampled = (0..100_000).filter(|ray| is_sampled(RayId(*ray), share)).count() as f64 / 100_000.0;
            assert!((sampled - share).abs() < 0.01, "{sampled} of {share}");
        }
        assert!(!is_sampled(RayId(7), f64::NAN));
    }
}
