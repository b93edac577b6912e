//! HTTP/1.1 for both sides, sans-io and strict: heads, framing, bodies, trailers (RFC 9112).
//!
//! Bytes go in, messages come out, and whatever is not HTTP/1.1 beyond doubt becomes a [`Refusal`]
//! that names the cause, the clause, the place and the bytes. There are no sockets here, no clocks,
//! no policy, and no opinion on whose fault anything is.
//!
//! # Reading
//!
//! One [`RequestParser`] or [`ResponseParser`] per connection takes heads off the front of a buffer
//! of yours. The head says how its body is framed; one [`BodyDecoder`] per body takes that off the
//! same buffer. What is left belongs to the next message. `Partial` and `NeedMore` mean: read from
//! the socket to the end of the buffer, and ask again; at the end of the stream, ask `eof`.
//!
//! ```
//! use bytes::BytesMut;
//! use rayline_http1::{BodyDecoder, Decoded, Limits, Parsed, RequestParser};
//!
//! # fn main() -> Result<(), rayline_http1::Refusal> {
//! let limits = Limits::default();
//! let mut buf = BytesMut::from(
//!     "POST /form HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 5\r\n\r\nhelloGET /next",
//! );
//!
//! let mut parser = RequestParser::new(limits);
//! let Parsed::Complete(head) = parser.parse(&mut buf)? else {
//!     unreachable!("the head is whole");
//! };
//! assert_eq!((head.method(), head.target(), head.host()), ("POST", "/form", Some("shop.example")));
//!
//! let mut body = BodyDecoder::new(head.framing(), &limits);
//! assert_eq!(body.decode(&mut buf)?, Decoded::Data("hello".into()));
//! assert_eq!(body.decode(&mut buf)?, Decoded::End);
//! assert_eq!(buf, "GET /next");
//! # Ok(())
//! # }
//! ```
//!
//! Nothing is copied: a head keeps its bytes in one piece with a list of offsets, and content comes
//! out as slices of the buffer it came in. [`RequestParser::recycle`] gives the list back, so that a
//! connection in steady state allocates nothing here.
//!
//! # Writing
//!
//! [`encode`] appends start lines, fields, chunks and trailers to a buffer, and refuses whatever
//! would break out of its line.
//!
//! # How strict
//!
//! A refusal depends on the bytes alone: not on how they were cut into reads, and not on what comes
//! after them. It falls at the first byte that no legal message can have there, so garbage is known
//! by its first byte and a limit by the first byte beyond it.
//!
//! Where RFC 9112 and RFC 9110 leave a choice, it is made for the reading that no peer can take for
//! another. The places where this codec is **narrower** than the grammar or than the leniency it
//! permits:
//!
//! - lines end in CRLF only; a CR or LF alone is refused, in chunk framing too (§2.2);
//! - folded lines are refused, never joined (§5.2);
//! - a repeated `Content-Length` is refused even if all agree, also as a list; so are leading zeros
//!   (RFC 9110 §8.6);
//! - `Content-Length` beside `Transfer-Encoding` is refused, never repaired (§6.3);
//! - the only transfer coding is one plain `chunked`, without empty list members or parameters; a
//!   response in another coding is refused where §6.3 would read it to the end of the stream;
//! - framing fields are checked in every head, also where no body follows;
//! - versions 1.0 and 1.1 only (RFC 9110 §2.5); a status is 100 to 599 (RFC 9110 §15);
//! - a method has at most [`MAX_METHOD`] bytes; a target is visible ASCII without `#` (§3.2);
//! - a host is never empty, has no user information, no port beyond 65535 (RFC 9110 §4.2);
//! - a chunk size has at most 16 digits, and extensions must keep to their grammar (§7.1.1);
//! - trailers must not be fields that framing, routing or the connection depend on (RFC 9110 §6.5.1).
//!
//! And **wider**, where it harms nobody:
//!
//! - a status line may lack the space before an absent reason phrase (§4), as many servers have it;
//! - a target may hold `"<>\^{|}` and the backquote, as browsers send them in queries.
//!
//! # Where to find what
//!
//! `request`, `response` and `body` are what callers see. `section` finds the end of a section of
//! lines and has it tokenized by `httparse`; `examine` is the automaton that says what is wrong with
//! a section, and the only place that does; `framing` and `target` hold the rules for what the lines
//! mean. `laws`, behind a feature of the same name, is what the property tests and the fuzz targets
//! assert.

pub mod encode;

mod body;
mod examine;
mod fields;
mod framing;
#[cfg(any(test, feature = "laws"))]
pub mod laws;
mod limits;
mod reason;
mod refusal;
mod request;
mod response;
mod section;
mod syntax;
mod target;

pub use body::{BodyDecoder, Decoded};
pub use encode::{CHUNK_END, ChunkHead, IllegalField, LAST_CHUNK, chunk_head};
pub use examine::MAX_METHOD;
pub use fields::{Fields, Iter};
pub use framing::Framing;
pub use limits::{Limits, Parsed, Version};
pub use reason::standard_reason;
pub use refusal::{BodyLengthFault, ChunkSizeFault, Part, Refusal, RefusalKind, TransferEncodingFault};
pub use request::{RequestHead, RequestParser};
pub use response::{RequestKind, ResponseHead, ResponseParser};
pub use target::TargetForm;
