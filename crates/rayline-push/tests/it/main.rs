//! What leaves the edge, received: every destination over real sockets, with receivers that fail in every way.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "all of this crate is tests: one that cannot go on should stop"
)]

mod alert;
mod client;
mod contrib;
mod formats;
mod job;
mod receiver;
mod records;
