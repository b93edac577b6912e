//! Tests over the tree itself: what no compiler checks and no reviewer should have to.
//!
//! They read files and ask cargo about the workspace; they build nothing and run nothing of the product.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what the helpers of a test meet fails the test")]

mod codes;
mod files;
mod floors;
mod guide;
mod links;
mod manifests;
mod phases;
mod tree;
mod words;
