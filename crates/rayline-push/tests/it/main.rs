//! What leaves the edge, received: every destination over real sockets, with receivers that fail in every way.

#![expect(clippy::unwrap_used, clippy::panic, reason = "all of this crate is tests: one that cannot go on should stop")]

mod alert;
mod client;
#[expect(dead_code, reason = "log push uses the rest of it")]
mod receiver;
