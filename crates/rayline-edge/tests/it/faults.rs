//! What goes wrong, by phase.

mod accept;
mod client_tls;
mod connect;
mod reply;
mod request;
mod resolve;
mod route;
mod smuggling;
