//! Whose fault it is, seen from outside: probes that share the edge's dialler and its vocabulary.
//!
//! A [`Case`] is what is asked. The steps, each a module, look without disturbing: [`visit`] as a visitor, [`direct`] past
//! the edge, [`tls`] as each SSL mode would, [`network`] at names and paths, [`host`] and [`logs`] at the origin itself,
//! [`edge`] at the edge's records. [`conclude`] weighs what they saw, and says whose fault it is. What a probe meets becomes
//! a [`Verdict`](rayline_verdict::Verdict) with the same codes as the edge's, by the same attribution.
//!
//! It deliberately knows no edge: it looks with other eyes than the proxy, and changes nothing anywhere. It prints
//! nothing either: what it finds is data and JSON.

pub mod author;
pub mod bisect;
pub mod case;
mod certificate;
pub mod conclude;
pub mod diagnosis;
pub mod direct;
pub mod edge;
pub mod fetch;
pub mod har;
pub mod host;
pub mod load;
pub mod logs;
mod mask;
pub mod network;
pub mod probe;
pub mod ranges;
pub mod report;
pub mod target;
pub mod tls;
pub mod trust;
pub mod visit;

pub use case::Case;
pub use certificate::{Certificate, fingerprint, key_in_words};
pub use probe::{Probe, Watcher};
pub use target::Target;
pub use url::Url;
