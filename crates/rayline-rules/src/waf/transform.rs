//! What is done to bytes before a rule looks at them: the disguises that a server would take off.
//!
//! A transformation appends to a buffer and never fails: what it does not understand it leaves as it is. None makes a text
//! longer than four thirds of itself, and each takes time linear in it.

mod decode;
mod disguise;

use serde::Deserialize;

pub(super) use self::decode::{form as form_value, may_be_base64};
use super::alphabet::Bytes;

/// A transformation, by its name in the rules' data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Transform {
    /// `%41`, `%u0041`, up to three times over; overlong and full-width forms of ASCII characters too.
    Url,
    /// `&lt;`, `&#60;`, `&#x3c;`.
    Html,
    /// `\x41`, `\u0041`, `\101`, `\'`.
    Js,
    /// `\000041`: CSS.
    Css,
    /// Takes out what browsers and C programs skip: NUL, and tabs and line ends inside words.
    Controls,
    /// `/* … */` becomes a space; what stands in MySQL's `/*! … */` stays.
    Comments,
    /// `\` becomes `/`, `//` and `/./` become `/`.
    Path,
    /// Takes out what a shell takes out: quotes, backslashes, carets, empty expansions; `$IFS` becomes a space.
    Shell,
    /// What base64 stands for; nothing, if it is not base64 of a text.
    Base64,
}

impl Transform {
    /// Bytes of which a text must have one for this to change anything; `None` if that depends on more than bytes.
    pub(super) fn concerns(self) -> Option<Bytes> {
        Some(match self {
            Self::Url => Bytes::of(|byte| matches!(byte, b'%' | 0xc0 | 0xc1 | 0xe0 | 0xef)),
            Self::Html => Bytes::of(|byte| byte == b'&'),
            Self::Js | Self::Css => Bytes::of(|byte| byte == b'\\'),
            Self::Controls => Bytes::of(disguise::is_control),
            Self::Comments => Bytes::of(|byte| byte == b'*'),
            Self::Path => Bytes::of(|byte| matches!(byte, b'\\' | b'/')),
            Self::Shell => Bytes::of(|byte| matches!(byte, b'\\' | b'\'' | b'"' | b'^' | b'$' | b'`')),
            Self::Base64 => return None,
        })
    }

    /// Writes what `bytes` become into `out`, which is empty, and says whether that is something else.
    pub(super) fn apply(self, bytes: &[u8], out: &mut Vec<u8>) -> bool {
        match self {
            Self::Url => decode::url(bytes, out),
            Self::Html => decode::html(bytes, out),
            Self::Js => decode::js(bytes, out),
            Self::Css => decode::css(bytes, out),
            Self::Controls => disguise::controls(bytes, out),
            Self::Comments => disguise::comments(bytes, out),
            Self::Path => disguise::path(bytes, out),
            Self::Shell => disguise::shell(bytes, out),
            Self::Base64 => decode::base64(bytes, out),
        }
        out != bytes
    }
}

#[cfg(test)]
mod tests;
