//! The phases of a request's life, one file each, with the names and in the order of the vocabulary's `Phase`.
//!
//! `worker`, `cache` and `balance` have no file until they have work to do.

pub(crate) mod accept;
pub(crate) mod client_tls;
pub(crate) mod connect;
pub(crate) mod origin_tls;
pub(crate) mod receive;
pub(crate) mod reply;
pub(crate) mod request;
pub(crate) mod resolve;
pub(crate) mod route;
pub(crate) mod rules;
pub(crate) mod send;
pub(crate) mod wait;
