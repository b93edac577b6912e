//! HTTP/2 by hand (RFC 9113): frames, a raw client, and what scripted origins do with streams.
//!
//! [`Visitor`] sends whatever it is told to and says what it hears. [`Serving`] describes an origin's side as a list of
//! [`Act`]s, which [`Step::Http2`](crate::Step::Http2) plays; the scripts that are made of them are methods of
//! [`Script`](crate::Script) whose names begin with `http2`.
//!
//! What it deliberately does not do: it does not check the peer, beyond what it takes to understand it, and it has no
//! priorities. None of it comes from the library that the edge speaks HTTP/2 with.

mod act;
mod code;
mod ear;
mod fields;
mod frame;
mod response;
pub(crate) mod serve;
mod stream;
mod visitor;
mod windows;

pub use act::{Act, Last, Serving};
pub use code::Code;
pub use ear::Heard;
pub use fields::{Fields, encode};
pub use frame::{Frame, INITIAL_WINDOW, MAX_FRAME_SIZE, PREFACE, flag, kind, setting};
pub use response::{Ending, Response};
pub use visitor::Visitor;
