//! The error codes of HTTP/2 by number and by name.
//!
//! It holds numbers that RFC 9113 does not define as well: a peer may send any.

use std::fmt;

/// An error code of RST_STREAM or GOAWAY (RFC 9113 section 7).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code(pub u32);

/// Defines the codes, and the static strings that are made of their names.
macro_rules! codes {
    ($($constant:ident = $number:literal $name:literal $kebab:literal)*) => {
        impl Code {
            $(
                #[doc = concat!("`", $name, "`")]
                pub const $constant: Self = Self($number);
            )*

            /// All that RFC 9113 defines.
            pub const ALL: [Self; 14] = [$(Self::$constant),*];

            /// The name in RFC 9113, or `None` for a code it does not define.
            pub fn name(self) -> Option<&'static str> {
                match self {
                    $(Self::$constant => Some($name),)*
                    Self(_) => None,
                }
            }

            /// Name and sentence of the script that sends it in a GOAWAY which covers the request.
            pub(crate) fn goaway(self) -> (&'static str, &'static str) {
                match self {
                    $(Self::$constant => (
                        concat!("http2-goaway-", $kebab),
                        concat!("answers a request with GOAWAY and the code ", $name, ", having begun with it"),
                    ),)*
                    Self(_) => ("http2-goaway", "answers a request with GOAWAY and a code that nobody knows"),
                }
            }

            /// Name and sentence of the script that sends it in RST_STREAM before a head.
            pub(crate) fn reset(self) -> (&'static str, &'static str) {
                match self {
                    $(Self::$constant => (
                        concat!("http2-reset-", $kebab),
                        concat!("answers a request with RST_STREAM and the code ", $name),
                    ),)*
                    Self(_) => ("http2-reset", "answers a request with RST_STREAM and a code that nobody knows"),
                }
            }
        }
    };
}

codes! {
    NO_ERROR = 0x0 "NO_ERROR" "no-error"
    PROTOCOL_ERROR = 0x1 "PROTOCOL_ERROR" "protocol-error"
    INTERNAL_ERROR = 0x2 "INTERNAL_ERROR" "internal-error"
    FLOW_CONTROL_ERROR = 0x3 "FLOW_CONTROL_ERROR" "flow-control-error"
    SETTINGS_TIMEOUT = 0x4 "SETTINGS_TIMEOUT" "settings-timeout"
    STREAM_CLOSED = 0x5 "STREAM_CLOSED" "stream-closed"
    FRAME_SIZE_ERROR = 0x6 "FRAME_SIZE_ERROR" "frame-size-error"
    REFUSED_STREAM = 0x7 "REFUSED_STREAM" "refused-stream"
    CANCEL = 0x8 "CANCEL" "cancel"
    COMPRESSION_ERROR = 0x9 "COMPRESSION_ERROR" "compression-error"
    CONNECT_ERROR = 0xa "CONNECT_ERROR" "connect-error"
    ENHANCE_YOUR_CALM = 0xb "ENHANCE_YOUR_CALM" "enhance-your-calm"
    INADEQUATE_SECURITY = 0xc "INADEQUATE_SECURITY" "inadequate-security"
    HTTP_1_1_REQUIRED = 0xd "HTTP_1_1_REQUIRED" "http-1-1-required"
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "{:#x}", self.0),
        }
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
