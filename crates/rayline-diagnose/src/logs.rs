//! The origin's logs: found, read as they stream by, named, and joined to the request that failed.

use std::path::PathBuf;
use std::time::SystemTime;

use crate::probe::Probe;

pub mod cause;
pub mod entry;
pub mod names;
pub mod source;
pub mod stamp;

pub use cause::Cause;
pub use source::Source;

/// What the logs say.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// What is wrong, the most telling first.
    pub named: Vec<Named>,
    /// The lines that belong to the request that failed, the likeliest first.
    pub joined: Vec<Joined>,
    /// The files that were read.
    pub files: Vec<File>,
    /// How far the origin's clock is ahead of ours, in seconds, if joined lines tell.
    pub skew_seconds: Option<f64>,
    /// The line for the server's configuration that adds the Ray ID to its log, where it is not there yet.
    pub format_hint: Option<String>,
    /// What a person reads of all that.
    pub probes: Vec<Probe>,
}

/// A log file.
#[derive(Clone, Debug)]
pub struct File {
    /// Where it is.
    pub path: PathBuf,
    /// What it was read as: `nginx error log`; `None`: nothing known.
    pub format: Option<&'static str>,
    /// Lines read.
    pub lines: u64,
    /// Why it was not read, or not to its end.
    pub trouble: Option<String>,
}

/// A trouble that the logs or the machine name: all lines of one cause that say the same of the same.
#[derive(Clone, Debug)]
pub struct Named {
    /// What.
    pub cause: Cause,
    /// What was seen of it, in one sentence with its particulars: `PHP ran into a fatal error: Call to undefined function x()`.
    pub sentence: String,
    /// Where in the code, `file:line`, if it says so.
    pub place: Option<String>,
    /// Who wrote it: `nginx`, `PHP-FPM`, `kernel`.
    pub source: &'static str,
    /// One such line, masked, at most 512 bytes.
    pub line: String,
    /// The file, and the line's number, from 1.
    pub found: Option<(PathBuf, u64)>,
    /// How many lines say so.
    pub count: u64,
    /// When the first and the last of them were written.
    pub between: Option<(SystemTime, SystemTime)>,
    /// How likely it is that it is what failed the request, from 0 to 1: by Ray ID, time, path and kind.
    pub likelihood: f64,
}

/// A line of an access or error log that belongs to a request.
#[derive(Clone, Debug)]
pub struct Joined {
    /// The file, and the line's number, from 1.
    pub found: (PathBuf, u64),
    /// The line, masked, at most 512 bytes.
    pub line: String,
    /// The status that the server wrote down.
    pub status: Option<u16>,
    /// By what it was joined: `Ray ID`, or `time, method, path`.
    pub by: &'static str,
    /// How likely it is the one, from 0 to 1.
    pub likelihood: f64,
}
