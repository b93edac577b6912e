//! What was written (Document) and what runs (Plan): parsing, checking and compiling the configuration.
//!
//! [`compile`] turns a [`Source`] into a [`Plan`] and every [`Problem`] at once. It opens no sockets, serves no one, and
//! does not watch the file: whoever reloads calls it again, and swaps the plan if there is one.

mod certificate;
mod compile;
mod document;
mod hosts;
mod import;
mod keys;
mod masked;
mod name;
mod one_zone;
mod places;
mod plan;
mod problem;
mod quoted;
mod reference;
mod source;
mod value;

pub use certificate::{Certificate, CertificateTable};
pub use compile::compile;
pub use hosts::{HostMatch, HostOrigin, HostTable, Target};
pub use import::{Import, ImportFrom, ImportText, Untranslated, import};
pub use masked::masked;
pub use one_zone::one_zone;
pub use places::rule_lines;
pub use plan::*;
pub use problem::{Problem, ProblemJson, Severity};
pub use reference::reference;
pub use source::{Position, Source, Span};
