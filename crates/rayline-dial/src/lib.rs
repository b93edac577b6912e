//! Reaching an origin: resolve, connect, TLS by mode, timers and taps; every failure a typed fault.
//!
//! The way there: [`Resolver`] turns a name into addresses, [`Dialer`] turns addresses into a [`Connection`] (TCP by
//! happy eyeballs, then TLS as the mode asks), [`Pool`] keeps connections for the next request. Each failure is a
//! [`Fault`](rayline_verdict::Fault) that says what happened on the wire, with the facts that show it.
//!
//! What this crate deliberately does not do: it blames nobody and knows no HTTP status, it speaks no HTTP (`http1` only
//! translates the codec's refusals), and it reads no configuration.

mod connect;
pub mod connection;
pub mod dial;
mod errno;
mod eyeballs;
pub mod http1;
mod icmp;
pub mod pool;
pub mod prohibited;
pub mod resolve;
pub mod session;
#[allow(unsafe_code, reason = "socket options, TCP_INFO and the error queue have no safe interface")]
mod sys;
mod tls;
mod wire;

pub use connection::{Connection, Timings};
pub use dial::{Dialer, Target, Timeouts, Tls, TrustError, TrustSettings};
pub use pool::{Key, Pool, PoolLimits};
pub use prohibited::prohibited;
pub use resolve::{Resolved, Resolver};
pub use session::{Break, SessionFault, session_fault};
pub use tls::alert::{alert_fact, alert_name};
pub use tls::identity::Identity;
