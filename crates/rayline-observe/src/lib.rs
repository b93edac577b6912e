//! What happened: the request log, live tail and metrics, fed by records.
//!
//! Whoever serves visitors gives one [`Record`](rayline_verdict::Record) per request to a [`Lane`], which makes its line
//! and counts it; one writer thread takes both from there, and alone waits for the file. It knows nothing of the edge or
//! the configuration, and it never makes a visitor wait: what it cannot keep up with is counted as lost.

mod lane;
mod metrics;
mod observer;
mod request_log;
mod tail;
mod writer;

pub use lane::Lane;
pub use metrics::Gauges;
pub use observer::{Feed, Health, Observer, Options, Target};
pub use tail::{CodeFilter, StatusFilter, Subject, TailFilter, TailStream, Tailed};
