//! What goes wrong, by phase.

mod accept;
mod certificate;
mod client_tls;
mod connect;
pub(crate) mod guards;
mod networks;
mod origin_tls;
mod receive;
mod reply;
mod request;
mod resolve;
mod route;
mod rules;
mod send;
mod smuggling;
mod wait;
