//! What goes wrong, by phase.

mod connect;
