//! The data plane: serves visitors, one single-threaded worker per core.
//!
//! Start reading at `pipeline.rs`: it is the data path, one line per phase. [`Edge`] starts the workers, gives them a
//! new plan, and stops them. What a request came to leaves through a [`Sink`]; nothing here knows what becomes of it.

mod answer;
mod cdn_cgi;
mod date;
mod deadline;
mod development;
mod edge;
mod edition;
mod exchange;
mod grpc;
mod guard;
mod hello;
mod hop;
mod lookout;
mod maintenance;
mod origin;
mod origin_ca;
mod output;
mod phase;
mod pipeline;
mod record;
pub mod replay;
mod running;
mod shared;
mod thread;
mod trial;
mod tunnel;
mod visitor;
mod worker;

pub use edge::{Edge, StartError};
pub use lookout::{Lookout, Section, Side};
pub use origin_ca::ORIGIN_CA_ROOT;
pub use rayline_dial::Shown;
pub use shared::Counts;
pub use trial::{Compared, Outcome, Share, Spread};

use rayline_verdict::Record;

/// Where a worker's closed records go. Called on the data path for every request: it must neither block nor fail.
pub trait Sink: Send {
    /// Takes note of one record.
    fn record(&mut self, record: &Record);
}
