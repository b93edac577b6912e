//! The crate as its users see it.

mod allocations;
mod explain;
mod expressions;
mod laws;
mod problems;
mod reference;
#[cfg(test)]
mod request;
#[cfg(test)]
mod waf;
