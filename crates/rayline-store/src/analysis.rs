//! What follows from requests, in words of people who run a site: what changed, whose share of the loss is whose, how the
//! origins are, what the incidents were, whom they met, and what is about to go wrong.
//!
//! Every analysis is a function of a [`Source`](crate::Source) and a span, and changes nothing. None of them says more than
//! requests show: what is an estimate or an inference is called so in its type.

pub mod approaching;
pub mod budget;
pub mod changes;
mod failures;
pub mod impact;
pub mod incidents;
pub mod origins;
mod tally;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;

use crate::dimension::Dimension;
use crate::query::{Filter, Matching, QueryError};

/// Does two things that do not depend on each other, on two processors if there are two that have nothing to do.
fn both<A: Send, B>(
    one: impl FnOnce() -> Result<A, QueryError> + Send,
    other: impl FnOnce() -> Result<B, QueryError>,
) -> Result<(A, B), QueryError> {
    std::thread::scope(|scope| {
        let one = std::thread::Builder::new().name("store-reader".to_owned()).spawn_scoped(scope, one)?;
        let other = other()?;
        let broken = |_| io::Error::other("a thread that read broke off");
        Ok((one.join().map_err(broken)??, other))
    })
}

/// Whether a party's failures are the site's: a visitor who leaves, and a rule that refuses, are not.
fn counts_against_site(party: &str) -> bool {
    !matches!(party, "visitor" | "policy")
}

/// Whether a code is a failure of the origin, or of the way to it.
fn is_of_origin(code: &str) -> bool {
    code.starts_with("origin.") || code.starts_with("network.")
}

/// The first part of a code.
fn party_of(code: &str) -> &str {
    code.split('.').next().unwrap_or_default()
}

/// A filter that lets one value pass.
fn only(dimension: Dimension, value: &str) -> Filter {
    Filter { dimension, matching: Matching::Is, values: vec![value.to_owned()] }
}

/// `part` of `whole`; 0 of nothing.
fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

/// A share as people write it: two digits that mean something.
struct Percent(f64);

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = self.0 * 100.0;
        // never round up to all, nor down to nothing
        match percent {
            0.0 => f.write_str("0 %"),
            percent if percent < 0.01 => f.write_str("less than 0.01 %"),
            percent if percent < 1.0 => write!(f, "{percent:.2} %"),
            percent if percent < 10.0 => write!(f, "{percent:.1} %"),
            percent if percent > 99.0 && percent < 100.0 => write!(f, "{:.2} %", percent.min(99.99)),
            percent => write!(f, "{percent:.0} %"),
        }
    }
}
