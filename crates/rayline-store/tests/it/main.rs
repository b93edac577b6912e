//! The store as its users meet it.
