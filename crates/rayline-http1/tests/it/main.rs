//! The codec from outside: rows of bytes and what they mean, per clause of RFC 9112.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what the helpers of a test meet fails the test")]

mod bodies;
mod drive;
mod evidence;
mod limits;
mod requests;
mod responses;
mod smuggling;
mod writing;
