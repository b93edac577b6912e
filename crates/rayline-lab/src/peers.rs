//! The peer table: what each proxy says of the same broken origins.
