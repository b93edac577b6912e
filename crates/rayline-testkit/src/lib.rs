//! For tests and the demo: scripted faulty origins, certificates, a tiny DNS server, ports.
//!
//! An [`Origin`] plays a [`Script`] on a loopback port: it refuses, resets, stalls, lies about its length, and so on, each
//! in exactly one way. An [`Authority`] issues the certificates that such origins present, good or with one [`Flaw`]. A
//! [`Dns`] server answers for their names. A [`Visitor`] is the raw client that looks at what came back, byte for byte;
//! [`http2`] has one for HTTP/2, and the frames that it and the origins send.
//!
//! ```
//! use rayline_testkit::{End, Origin, Script, Visitor};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let origin = Origin::start(Script::truncated_body(1000, 100))?;
//! let response = Visitor::get(origin.addr(), "origin.test", "/").await?;
//! assert_eq!(response.status(), Some(200));
//! assert_eq!((response.body.len(), response.end), (100, Some(End::Closed)));
//! # Ok(())
//! # }
//! ```
//!
//! What it deliberately does not do: it shares no code with the edge or its codec, so that a mistake there cannot hide
//! here; and it opens no port but those it is asked for.

mod certs;
mod conn;
mod dns;
mod head;
pub mod http2;
mod loss;
mod origin;
mod play;
mod ports;
mod script;
mod serve;
mod stream;
mod tls;
mod visitor;

pub use certs::{Authority, Flaw, Issued};
pub use dns::{Dns, DnsAnswer};
pub use head::Head;
pub use loss::can_vanish;
pub use origin::{Counts, Origin, Seen, SeenTls};
pub use ports::Reserved;
pub use script::answer::{Answer, Body, Framing};
pub use script::{Script, Step};
pub use tls::{Tls, Versions};
pub use visitor::tls::TlsVisitor;
pub use visitor::{End, Received, Response, Visitor};
