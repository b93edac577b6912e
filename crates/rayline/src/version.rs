//! `rayline version`: what this build is.

use std::io::{self, Write as _};

use serde_json::json;

use crate::cli::Global;
use crate::output::{self, Exit};

const VERSION: &str = env!("CARGO_PKG_VERSION");
const TARGET: &str = env!("RAYLINE_TARGET");

/// What depends on the system: on others than Linux a verdict rests on less evidence.
const FEATURES: &[&str] = if cfg!(target_os = "linux") {
    &["http/1.1", "tls/1.2", "tls/1.3", "tcp-info", "icmp-errors"]
} else {
    &["http/1.1", "tls/1.2", "tls/1.3"]
};

pub(crate) fn run(global: &Global) -> io::Result<Exit> {
    let mut out = output::stdout();
    if global.json {
        writeln!(out, "{}", json!({ "version": VERSION, "target": TARGET, "features": FEATURES }))?;
    } else {
        writeln!(out, "rayline {VERSION} ({TARGET})\nfeatures: {}", FEATURES.join(", "))?;
    }
    Ok(Exit::Fine)
}
