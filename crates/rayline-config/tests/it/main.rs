//! What a stranger can hold the crate to: texts and files in, problems and plans out.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "all of this crate is tests, their shared functions included: one that cannot go on should stop"
)]

mod client_identity;
mod examples;
mod files;
mod import;
mod mutations;
mod one_zone;
mod plans;
mod problems;
mod rules;
mod support;
