//! The closed list of causes. Adding one means adding its sentence, its clause and its test row.

use std::fmt;

/// Every reason for which the codec refuses bytes.
///
/// Plain data: small, `Copy`, comparable. The list is meant to be matched exhaustively.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefusalKind {
    /// The bytes cannot be the start of an HTTP/1.x message: another protocol, or binary data.
    NotHttp,
    /// A reply that begins with text instead of a status line, or a request line without a
    /// version: the shape of HTTP/0.9.
    Http09,
    /// What stands in the place of the version is not one.
    BadVersion,
    /// A well-formed version other than 1.0 and 1.1.
    UnsupportedVersion {
        /// The digit before the point.
        major: u8,
        /// The digit after it; 0 when it was left out.
        minor: u8,
    },
    /// The method is empty, longer than [`MAX_METHOD`](crate::MAX_METHOD) or not a token.
    BadMethod,
    /// The request target is in none of the four forms, or in one that its method must not use.
    BadTarget,
    /// The request target is longer than [`Limits::uri`](crate::Limits::uri).
    UriTooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// The head section did not end within [`Limits::head`](crate::Limits::head).
    HeadTooLarge {
        /// The limit in bytes.
        limit: usize,
        /// Bytes that had been received when it was refused; the section may be longer still.
        seen: usize,
    },
    /// More field lines than [`Limits::headers`](crate::Limits::headers).
    TooManyHeaders {
        /// The limit in lines.
        limit: usize,
    },
    /// A line feed without a carriage return before it.
    BareLf,
    /// A carriage return without a line feed after it.
    BareCr,
    /// A zero byte in a head or trailer section.
    NulByte,
    /// A field line that begins with white space: a folded line.
    ObsoleteFold,
    /// White space between the start line and the first field line.
    SpaceBeforeHeaders,
    /// White space between a field name and its colon.
    SpaceBeforeColon,
    /// A field name that is empty or not a token.
    IllegalHeaderName,
    /// A control character in a field value or in the reason phrase.
    IllegalHeaderValue,
    /// A field line without a colon.
    MissingColon,
    /// An HTTP/1.1 request without `Host`.
    MissingHost,
    /// A request with more than one `Host` line.
    MultipleHosts,
    /// A `Host` (or the authority of the target) that is empty or not `host[:port]`.
    BadHost,
    /// The status is not three digits between 100 and 599.
    BadStatus,
    /// Several lengths that differ.
    ConflictingContentLength {
        /// The first length.
        first: u64,
        /// The first one that differs from it.
        second: u64,
    },
    /// The same length several times, on several lines or as a list.
    DuplicateContentLength {
        /// The length.
        length: u64,
    },
    /// A length that is not a plain decimal number.
    BadContentLength(BodyLengthFault),
    /// `Content-Length` and `Transfer-Encoding` in one head.
    LengthWithTransferEncoding,
    /// A `Transfer-Encoding` from which the end of the body cannot be told.
    BadTransferEncoding(TransferEncodingFault),
    /// A registered coding that this codec does not decode (all but `chunked`).
    UnsupportedTransferCoding,
    /// A chunk size that is not a plain hexadecimal number.
    BadChunkSize(ChunkSizeFault),
    /// A chunk extension that breaks its grammar.
    BadChunkExtension,
    /// Chunk extensions far out of proportion to the data they accompany.
    ChunkExtensionsTooLarge {
        /// The allowance in bytes.
        limit: usize,
    },
    /// A chunk size of more than 16 digits, or a body whose sizes add up to more than 2^64 - 1.
    ChunkSizeOverflow,
    /// A chunk-size line longer than [`Limits::chunk_line`](crate::Limits::chunk_line).
    ChunkLineTooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// Chunk data that is not followed by CRLF: the size was wrong, or the data.
    MissingChunkEnd,
    /// A trailer field that must not be one, because framing or routing depends on it.
    BadTrailer,
    /// The trailer section did not end within [`Limits::trailers`](crate::Limits::trailers).
    TrailersTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The stream ended inside a head.
    HalfHead {
        /// Bytes of the head that had come.
        received: usize,
    },
    /// The stream ended before the first byte of a response.
    Empty,
    /// The stream ended inside a body.
    Truncated {
        /// Bytes of the body that had come, chunk framing not counted.
        received: u64,
        /// Bytes it should have had, where that was announced.
        expected: Option<u64>,
    },
}

/// What is wrong with a `Content-Length`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BodyLengthFault {
    /// No value, or an empty list member.
    Empty,
    /// Anything but digits: a sign, a space inside, hexadecimal, a fraction.
    NotDigits,
    /// More than one digit, the first of them 0. The grammar has it, nobody sends it, and some
    /// readers take it for octal.
    LeadingZero,
    /// More than 2^64 - 1.
    Overflow,
}

/// What is wrong with a `Transfer-Encoding`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TransferEncodingFault {
    /// It stands in an HTTP/1.0 message.
    InHttp10,
    /// No value, an empty list member, parameters, or something that is not a token.
    Malformed,
    /// A coding that nobody registered.
    Unknown,
    /// `chunked` is there, but not last.
    ChunkedNotLast,
    /// `chunked` is there more than once.
    ChunkedTwice,
    /// A request whose last coding is not `chunked`: it could only end with the connection.
    NotChunked,
}

/// What is wrong with a chunk size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChunkSizeFault {
    /// The line holds no digit before its end or its extension.
    Empty,
    /// A sign, a space, a prefix such as `0x`, or any other byte that is no hexadecimal digit.
    NotHex,
    /// White space between the size and the end of the line.
    TrailingSpace,
}

impl RefusalKind {
    /// The clause that the bytes break, or that permits to refuse them.
    pub fn clause(&self) -> &'static str {
        match self {
            Self::NotHttp | Self::BareCr | Self::SpaceBeforeHeaders => "RFC 9112 §2.2",
            Self::Http09 | Self::BadVersion => "RFC 9112 §2.3",
            Self::UnsupportedVersion { .. } => "RFC 9110 §2.5",
            Self::BadMethod => "RFC 9112 §3.1",
            Self::BadTarget => "RFC 9112 §3.2",
            Self::UriTooLong { .. } => "RFC 9112 §3",
            Self::HeadTooLarge { .. } | Self::TooManyHeaders { .. } => "RFC 9110 §5.4",
            Self::BareLf => "RFC 9112 §2.2",
            Self::NulByte | Self::IllegalHeaderValue => "RFC 9110 §5.5",
            Self::ObsoleteFold => "RFC 9112 §5.2",
            Self::SpaceBeforeColon | Self::MissingColon => "RFC 9112 §5.1",
            Self::IllegalHeaderName => "RFC 9110 §5.1",
            Self::MissingHost | Self::MultipleHosts => "RFC 9112 §3.2",
            Self::BadHost => "RFC 9110 §7.2",
            Self::BadStatus => "RFC 9110 §15",
            Self::ConflictingContentLength { .. } => "RFC 9112 §6.3",
            Self::DuplicateContentLength { .. } | Self::BadContentLength(_) => "RFC 9110 §8.6",
            Self::LengthWithTransferEncoding => "RFC 9112 §6.3",
            Self::BadTransferEncoding(fault) => match fault {
                TransferEncodingFault::NotChunked => "RFC 9112 §6.3",
                TransferEncodingFault::InHttp10
                | TransferEncodingFault::Malformed
                | TransferEncodingFault::Unknown
                | TransferEncodingFault::ChunkedNotLast
                | TransferEncodingFault::ChunkedTwice => "RFC 9112 §6.1",
            },
            Self::UnsupportedTransferCoding => "RFC 9112 §6.1",
            Self::BadChunkSize(_) | Self::ChunkSizeOverflow | Self::MissingChunkEnd => "RFC 9112 §7.1",
            Self::BadChunkExtension | Self::ChunkExtensionsTooLarge { .. } | Self::ChunkLineTooLong { .. } => {
                "RFC 9112 §7.1.1"
            }
            Self::BadTrailer => "RFC 9110 §6.5.1",
            Self::TrailersTooLarge { .. } => "RFC 9112 §7.1.2",
            Self::HalfHead { .. } | Self::Empty | Self::Truncated { .. } => "RFC 9112 §8",
        }
    }
}

impl fmt::Display for RefusalKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sentence = match self {
            Self::NotHttp => "the bytes do not begin an HTTP/1.x message",
            Self::Http09 => "the message has no HTTP version, as in HTTP/0.9",
            Self::BadVersion => "no HTTP version stands where the start line needs one",
            Self::UnsupportedVersion { major, minor } => {
                return write!(f, "the message is in HTTP/{major}.{minor}, not 1.0 or 1.1");
            }
            Self::BadMethod => "the method is not a token, or is too long",
            Self::BadTarget => "the request target is in no form that its method may use",
            Self::UriTooLong { limit } => {
                return write!(f, "the request target is longer than {limit} bytes");
            }
            Self::HeadTooLarge { limit, seen } => {
                return write!(f, "the head section did not end within {limit} bytes, {seen} had come");
            }
            Self::TooManyHeaders { limit } => {
                return write!(f, "there are more than {limit} field lines");
            }
            Self::BareLf => "a line ends in LF without CR",
            Self::BareCr => "a CR is not followed by LF",
            Self::NulByte => "there is a zero byte among the field lines",
            Self::ObsoleteFold => "a field line is folded onto the next",
            Self::SpaceBeforeHeaders => "white space precedes the first field line",
            Self::SpaceBeforeColon => "white space stands between a field name and its colon",
            Self::IllegalHeaderName => "a field name is empty or holds an illegal character",
            Self::IllegalHeaderValue => "a field value or reason phrase holds a control character",
            Self::MissingColon => "a field line has no colon",
            Self::MissingHost => "the request has no `Host`",
            Self::MultipleHosts => "the request has more than one `Host`",
            Self::BadHost => "the host is empty or not of the form `host[:port]`",
            Self::BadStatus => "the status is not a number from 100 to 599",
            Self::ConflictingContentLength { first, second } => {
                return write!(f, "the body has two lengths, {first} and {second}");
            }
            Self::DuplicateContentLength { length } => {
                return write!(f, "the body length {length} is given more than once");
            }
            Self::BadContentLength(fault) => match fault {
                BodyLengthFault::Empty => "`Content-Length` is empty",
                BodyLengthFault::NotDigits => "`Content-Length` is not a plain decimal number",
                BodyLengthFault::LeadingZero => "`Content-Length` begins with a zero",
                BodyLengthFault::Overflow => "`Content-Length` is beyond 64 bits",
            },
            Self::LengthWithTransferEncoding => "`Content-Length` stands beside `Transfer-Encoding`",
            Self::BadTransferEncoding(fault) => match fault {
                TransferEncodingFault::InHttp10 => "`Transfer-Encoding` stands in an HTTP/1.0 message",
                TransferEncodingFault::Malformed => "`Transfer-Encoding` is not a list of plain codings",
                TransferEncodingFault::Unknown => "`Transfer-Encoding` names an unknown coding",
                TransferEncodingFault::ChunkedNotLast => "`chunked` is not the last transfer coding",
                TransferEncodingFault::ChunkedTwice => "`chunked` is applied twice",
                TransferEncodingFault::NotChunked => "the request body ends in a coding other than `chunked`",
            },
            Self::UnsupportedTransferCoding => "the body is in a transfer coding other than `chunked`",
            Self::BadChunkSize(fault) => match fault {
                ChunkSizeFault::Empty => "a chunk has no size",
                ChunkSizeFault::NotHex => "a chunk size is not a plain hexadecimal number",
                ChunkSizeFault::TrailingSpace => "white space follows a chunk size",
            },
            Self::BadChunkExtension => "a chunk extension is malformed",
            Self::ChunkExtensionsTooLarge { limit } => {
                return write!(f, "chunk extensions exceed the data by more than {limit} bytes");
            }
            Self::ChunkSizeOverflow => "a chunk size is beyond 64 bits",
            Self::ChunkLineTooLong { limit } => {
                return write!(f, "a chunk-size line is longer than {limit} bytes");
            }
            Self::MissingChunkEnd => "chunk data is not followed by CRLF",
            Self::BadTrailer => "a trailer field is one that framing or routing depends on",
            Self::TrailersTooLarge { limit } => {
                return write!(f, "the trailer section did not end within {limit} bytes");
            }
            Self::HalfHead { received } => {
                return write!(f, "the stream ended inside the head, after {received} bytes");
            }
            Self::Empty => "the stream ended before the first byte",
            Self::Truncated { received, expected: Some(expected) } => {
                return write!(f, "the stream ended inside the body, after {received} of {expected} bytes");
            }
            Self::Truncated { received, expected: None } => {
                return write!(f, "the stream ended inside the body, after {received} bytes");
            }
        };
        f.write_str(sentence)
    }
}
