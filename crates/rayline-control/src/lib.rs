//! The admin server: metrics and the live tail, closed unless opened.
//!
//! `GET /metrics` and `GET /` answer to anybody on the same machine; all else wants the token that lies in the data
//! directory. It runs on a thread of its own and asks the edge through the small trait [`Edge`]; it serves no
//! visitors, reads no request bodies and changes nothing but on `POST /api/reload`.

mod api;
mod control;
mod envelope;
mod gate;
mod page;
mod token;

pub use control::Control;
pub use token::Token;

/// What the admin server asks of the edge. Calls may come from any thread at any time.
pub trait Edge: Send + Sync {
    /// The version of the plan that decides now.
    fn plan_version(&self) -> u64;

    /// Reads the configuration again and runs it; the version that runs then. May block.
    ///
    /// # Errors
    ///
    /// Every problem, each in one text; the old plan runs on.
    fn reload(&self) -> Result<u64, Vec<String>>;

    /// An object of what else the edge can say of itself: zones, listeners, connections. Its entries stand beside
    /// those of the admin server in `GET /api/status`.
    fn status(&self) -> serde_json::Value;
}
