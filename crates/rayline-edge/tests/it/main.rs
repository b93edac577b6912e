//! The scenario book: the edge over real sockets, in front of real and of broken origins.
//!
//! `faults` has one module per phase and at least one scenario per code; every scenario looks at all surfaces at once,
//! through [`scene::Scene::blames`]. The other modules hold what must work.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "all of this crate is tests, their shared functions included: one that cannot go on should stop"
)]

mod again;
mod allocations;
mod by_hand;
mod cdn_cgi;
mod curl;
mod drain;
mod faults;
mod http2;
mod maintenance;
mod pages;
mod raw;
mod reload;
mod replay;
mod rules;
mod scene;
mod serving;
mod seventeen;
mod trial;
