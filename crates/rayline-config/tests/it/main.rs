//! What a stranger can hold the crate to: texts and files in, problems and plans out.

mod examples;
mod files;
mod keys;
mod mutations;
mod one_zone;
mod plans;
mod problems;
mod support;
