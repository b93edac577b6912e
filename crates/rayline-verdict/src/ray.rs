//! Ray IDs and colos: which request, and where.

use std::fmt;
use std::str::FromStr;

/// Names one request: 16 lowercase hexadecimal digits. Not guaranteed to be unique ("Cloudflare Ray ID").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct RayId(pub u64);

impl fmt::Display for RayId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl RayId {
    /// The 16 digits, without going through a formatter: every answer carries one.
    pub fn digits(self) -> [u8; 16] {
        const HEX: [u8; 16] = *b"0123456789abcdef";
        let mut out = [0; 16];
        for (place, digit) in out.iter_mut().enumerate() {
            let nibble = (self.0 >> (60 - 4 * place)) & 0xf;
            *digit = HEX.get(nibble as usize).copied().unwrap_or(b'0');
        }
        out
    }

    /// The value of `CF-Ray`: digits, a dash, the colo.
    pub fn at(self, colo: Colo) -> [u8; 20] {
        let mut out = [b'-'; 20];
        let (digits, letters) = out.split_at_mut(17);
        digits.iter_mut().zip(self.digits()).for_each(|(place, digit)| *place = digit);
        letters.iter_mut().zip(colo.as_bytes()).for_each(|(place, letter)| *place = *letter);
        out
    }
}

/// Accepted with or without the suffix `-COLO`.
impl FromStr for RayId {
    type Err = ParseRayError;

    fn from_str(text: &str) -> Result<Self, ParseRayError> {
        let digits = text.split_once('-').map_or(text, |(digits, _)| digits);
        if digits.len() != 16 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(ParseRayError);
        }
        u64::from_str_radix(digits, 16).map(Self).map_err(|_| ParseRayError)
    }
}

/// The text is not a Ray ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseRayError;

impl fmt::Display for ParseRayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a Ray ID is 16 hexadecimal digits, such as `230b030023ae2822` or `230b030023ae2822-LHR`")
    }
}

impl std::error::Error for ParseRayError {}

/// Three capital letters that name the place of an edge, by custom its airport's.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Colo([u8; 3]);

impl Colo {
    /// The colo of that name; `None` unless it is three ASCII capital letters.
    pub fn new(text: &str) -> Option<Self> {
        let letters: [u8; 3] = text.as_bytes().try_into().ok()?;
        letters.iter().all(u8::is_ascii_uppercase).then_some(Self(letters))
    }

    /// The letters.
    pub const fn as_bytes(&self) -> &[u8; 3] {
        &self.0
    }

    /// The same as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }
}

impl Default for Colo {
    fn default() -> Self {
        Self(*b"DEV")
    }
}

impl fmt::Debug for Colo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Colo({self})")
    }
}

impl fmt::Display for Colo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ray_ids_read_what_they_write() {
        let ray = RayId(0x230b_0300_23ae_2822);
        assert_eq!(ray.to_string(), "230b030023ae2822");
        assert_eq!(ray.digits(), *b"230b030023ae2822");
        assert_eq!("230b030023ae2822-SJC".parse(), Ok(ray));
        for bad in ["", "230b030023ae282", "+30b030023ae2822", "230b030023ae2822f"] {
            assert!(bad.parse::<RayId>().is_err(), "{bad}");
        }
    }
}
