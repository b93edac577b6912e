//! The crate as its users see it.

mod expressions;
mod laws;
mod problems;
