//! The program under test, as people run it: `rayline serve` with a configuration file, and the log it writes.

use std::io;
use std::path::PathBuf;
use std::process::Command;

/// Builds the program if it is not up to date, and returns where it is.
///
/// # Errors
/// It does not build.
pub fn rayline(release: bool) -> io::Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--package", "rayline", "--message-format", "json"]);
    if release {
        command.arg("--release");
    }
    let printed = crate::process::run(command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")))?;
    let artifacts = printed.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let executable = artifacts.filter_map(|artifact| Some(PathBuf::from(artifact["executable"].as_str()?))).last();
    executable.ok_or_else(|| io::Error::other("cargo named no executable"))
}
