//! The dashboard: pages that the server renders. Each is a link that shows the same again, and names the call that answers
//! the same as data.

pub(crate) mod assets;
pub(crate) mod chart;
pub(crate) mod configuration;
pub(crate) mod controls;
pub(crate) mod diagnose;
pub(crate) mod errors;
pub(crate) mod explain;
pub(crate) mod frame;
pub(crate) mod insight;
pub(crate) mod line;
pub(crate) mod origins;
pub(crate) mod overview;
pub(crate) mod parts;
pub(crate) mod ray;
pub(crate) mod system;
pub(crate) mod tail;
pub(crate) mod timeline;
pub(crate) mod view;
