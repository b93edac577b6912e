//! The store as others see it: asked from any thread.

use std::path::PathBuf;
use std::time::Duration;

/// Where the store lies and how much it may keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Its folder; made if it is missing.
    pub folder: PathBuf,
    /// How long requests are kept.
    pub requests_age: Duration,
    /// How long counts are kept.
    pub counts_age: Duration,
    /// Bytes of all files together. Requests go first, the oldest before others.
    pub max_bytes: u64,
    /// Whether the last parts of visitors' addresses are removed (/24 of IPv4, /48 of IPv6).
    pub mask_addresses: bool,
    /// Whether the values in queries are removed from paths, referers and evidence.
    pub mask_queries: bool,
}

/// A handle on the store. Clones are the same store.
#[derive(Clone, Debug)]
pub struct Store {}
