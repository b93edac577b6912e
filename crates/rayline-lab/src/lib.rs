//! Real servers and real networks around the program: what the tests with nginx, Apache or PHP, those in network
//! namespaces, the benchmark and the peer table have in common.
//!
//! For development only; nothing of it is in the program that people run.

pub mod bench;
pub mod clinic;
pub mod net;
pub mod peers;
pub mod process;
pub mod program;
pub mod servers;
mod tools;
