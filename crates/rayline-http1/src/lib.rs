//! HTTP/1.1 for both sides, sans-io and strict: heads, framing, bodies, trailers (RFC 9112).

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
