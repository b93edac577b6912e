//! The admin server: API and dashboard, closed unless opened.
//!
//! `GET /metrics` and the login page at `/` answer to anybody on the same machine; all else wants a token from the data
//! directory, or the session that it opened. It runs on a thread of its own and asks the edge, the store and whatever else
//! runs through what [`Seats`] holds; it serves no visitors, and changes nothing but on a `POST` of whoever holds the
//! administrator's token.

mod access;
mod api;
mod control;
mod envelope;
mod facts;
mod gate;
mod login;
mod page;
mod scope;
mod seat;
mod session;
mod show;
mod token;

pub use control::Control;
pub use seat::{
    Alert, Applied, Asked, Change, CodeCount, Configurations, Diagnose, Edge, Event, Evidence, Facts, Job,
    MaintenanceOrder, Pace, Part, Replays, Rollout, Sample, Seats, Senders, Signed, SignedReplay, State, Step, Version,
    ZoneMaintenance,
};
pub use token::Token;
