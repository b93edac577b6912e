//! What a stranger can hold the crate to: files in, problems and plans out.
