//! The program among real servers and in real networks.
//!
//! What needs a server or a privilege that is missing names it on standard error, and passes.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that meets what it does not expect fails; helpers of tests are no tests to the lints"
)]

mod bench;
mod clinic;
mod imports;
mod large_log;
mod net;
mod peers;
mod servers;
