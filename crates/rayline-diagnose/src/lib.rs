//! Whose fault it is, seen from outside: probes that share the edge's dialler and its vocabulary.
//!
//! [`tls::probe`] asks what each SSL mode would make of an origin. What a probe meets becomes a
//! [`Verdict`](rayline_verdict::Verdict) with the same codes as the edge's, by the same attribution.
//!
//! It deliberately knows no edge: it looks with other eyes than the proxy, and changes nothing anywhere. It prints
//! nothing either: reports are data and JSON.

mod certificate;
pub mod target;
pub mod tls;
pub mod trust;

pub use certificate::{Certificate, fingerprint, key_in_words};
pub use target::Target;
