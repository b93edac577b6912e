//! What goes wrong, by phase.

mod accept;
mod client_tls;
mod connect;
