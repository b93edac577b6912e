//! Every rendering of every code, seen from outside.

#![expect(clippy::unwrap_used, clippy::panic, reason = "all of this crate is tests: one that cannot go on should stop")]

mod grpc;
mod headers;
mod log_line;
mod negotiate;
mod pages;
mod sample;
mod shape;
