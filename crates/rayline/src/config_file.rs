//! Finding and reading the configuration file. What it says is for `rayline-config` to judge.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use rayline_config::Source;

/// Where the configuration lies if nobody says where, the first that is there.
const PLACES: [&str; 2] = ["rayline.toml", "/etc/rayline/rayline.toml"];

/// The one that is meant: the one named, else the first in its usual places.
pub(crate) fn find(named: Option<&Path>) -> Option<PathBuf> {
    named.map(Path::to_owned).or_else(|| PLACES.iter().map(PathBuf::from).find(|path| path.exists()))
}

/// Reads it; `-` is standard input, whose relative paths start here.
///
/// # Errors
///
/// If it cannot be read or is not UTF-8; the message names the file.
pub(crate) fn read(path: &Path) -> io::Result<Source> {
    let name = path.display().to_string();
    let read = || {
        if path == Path::new("-") {
            let mut text = String::new();
            io::stdin().read_to_string(&mut text)?;
            Ok(text)
        } else {
            std::fs::read_to_string(path)
        }
    };
    let text =
        read().map_err(|error: io::Error| io::Error::new(error.kind(), format!("cannot read `{name}`: {error}")))?;
    let base = path.parent().unwrap_or(Path::new("")).to_owned();
    Ok(Source { name, text, base })
}
