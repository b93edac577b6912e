//! The failure vocabulary of Rayline.
//!
//! A phase raises a [`Fault`]: what happened, with its [`Evidence`]. [`attribute()`] turns it into a [`Verdict`]: a
//! [`Code`] from one closed table, how certain it is, what else it could be, whether the request reached the
//! application, and what was tried. The verdict travels in the request's [`Record`], and every surface is rendered
//! here from these two: error page, structured errors, headers, log line.
//!
//! This crate knows nothing of sockets, files, clocks or configuration.

pub mod attribute;
pub mod code;
pub mod evidence;
pub mod explain;
pub mod fault;
pub mod log_line;
pub mod moment;
pub mod number;
pub mod party;
pub mod ray;
pub mod record;
pub mod rules;
pub mod snippet;
pub mod surface;
pub mod trace_context;
pub mod verdict;
mod write;

pub use attribute::attribute;
pub use code::{Code, Entry, Reached, Retry, Sent, TABLE};
pub use evidence::{Audience, Evidence, Fact, http2_error_name};
pub use fault::{Cause, Fault};
pub use moment::Moment;
pub use number::Number;
pub use party::{Hop, Party, Phase};
pub use ray::{Colo, RayId};
pub use record::{Country, Record};
pub use snippet::Snippet;
pub use trace_context::{SpanId, TraceId, TraceParent};
pub use verdict::{Attempt, Certainty, Outcome, Verdict};
pub use write::put_address;
