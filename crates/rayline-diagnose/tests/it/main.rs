//! Probes of origins that play the faults, over real sockets.

#![expect(
    clippy::unwrap_used,
    reason = "all of this crate is tests, their shared functions included: one that cannot go on should stop"
)]

mod author;
mod conclude;
mod direct;
mod fetch;
mod load;
mod logs;
mod names;
mod network;
mod ranges;
mod revocation;
mod site;
mod tls;
mod visit;
