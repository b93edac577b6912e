//! Reaching an origin: resolve, connect, TLS by mode, timers and taps; every failure a typed fault.
//!
//! The way there: [`Resolver`] turns a name into addresses, [`Dialer`] turns addresses into a [`Connection`] (TCP by
//! happy eyeballs, then TLS as the mode asks), [`Pool`] keeps connections for the next request. Each failure is a
//! [`Fault`](rayline_verdict::Fault) that says what happened on the wire, with the facts that show it.
//!
//! What this crate deliberately does not do: it blames nobody and knows no HTTP status, it sends no requests (`http1`
//! only translates the codec's refusals; `http2` keeps shared connections going and says why a stream on one failed), and
//! it reads no configuration.

mod connect;
pub mod connection;
pub mod dial;
mod errno;
mod eyeballs;
pub mod http1;
pub mod http2;
mod icmp;
#[cfg_attr(not(target_os = "linux"), path = "pipe/none.rs")]
mod pipe;
pub mod pool;
mod presented;
pub mod prohibited;
pub mod resolve;
pub mod session;
#[allow(unsafe_code, reason = "socket options, TCP_INFO and the error queue have no safe interface")]
mod sys;
mod tls;
mod wire;

pub use connection::{Connection, Timings};
pub use dial::{Dialer, Protocols, Target, Timeouts, Tls, TrustError, TrustSettings};
pub use pipe::Pipe;
pub use pool::{Key, Pool, PoolLimits};
pub use presented::{Presented, Shown};
pub use prohibited::prohibited;
pub use resolve::{Resolved, Resolver};
pub use session::{Break, SessionFault, session_fault};
pub use tls::alert::{alert_fact, alert_name};
pub use tls::identity::Identity;
