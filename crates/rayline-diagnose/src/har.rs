//! HAR 1.2, the format in which browsers export what they asked: written of a diagnosis, read from a browser.

mod read;
mod write;

pub use read::{Examination, Failure, examine};
pub use write::{Through, write};
