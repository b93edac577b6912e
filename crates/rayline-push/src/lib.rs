//! What leaves the edge by itself: records to where people already look, and alerts that carry the verdict.
//!
//! It is given the request log's lines and a store to ask; it knows neither the edge nor the configuration. Everything is
//! bounded: what a receiver does not take waits on disk, then is dropped and counted.

pub mod alert;
pub mod client;
pub mod job;
pub mod trace;
