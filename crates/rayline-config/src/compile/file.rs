//! Reading a file that the configuration names.
//!
//! Only regular files are read, and only up to a length: opening a pipe would wait for its writer, perhaps for ever.

use std::fs::{self, File};
use std::io::{Error, ErrorKind, Read as _};
use std::path::Path;

use crate::document::{At, Report, shown};

/// Why a file was not read.
enum Unread {
    Failed(Error),
    NotAFile,
    Empty,
    TooLong,
}

impl From<Error> for Unread {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// A file named in the configuration, if it is one of `1..=longest` bytes.
pub(super) fn read_file(written: &At<String>, longest: u64, report: &Report<'_>) -> Option<Vec<u8>> {
    let path = report.source.path(&written.value);
    let unread = match read_bytes(&path, longest) {
        Ok(bytes) => return Some(bytes),
        Err(unread) => unread,
    };
    let file = shown(&written.value);
    let looked_for = format!("looked for `{}`", path.display().to_string().escape_debug());
    let (message, hint) = match unread {
        Unread::Failed(error) if error.kind() == ErrorKind::NotFound => (
            format!("there is no file `{file}`"),
            format!("relative paths start at the folder of the configuration: {looked_for}"),
        ),
        Unread::Failed(error) if error.kind() == ErrorKind::PermissionDenied => {
            (format!("`{file}` may not be read"), "let the user that runs the edge read it".to_owned())
        }
        Unread::Failed(error) => (format!("`{file}` cannot be read: {error}"), looked_for),
        Unread::NotAFile => (format!("`{file}` is not a file"), looked_for),
        Unread::Empty => (format!("`{file}` is empty"), looked_for),
        Unread::TooLong => (format!("`{file}` is longer than {longest} bytes"), looked_for),
    };
    report.refuse(written.place.error(message).hint(hint))
}

fn read_bytes(path: &Path, longest: u64) -> Result<Vec<u8>, Unread> {
    if !fs::metadata(path)?.is_file() {
        return Err(Unread::NotAFile);
    }
    let mut bytes = Vec::new();
    match File::open(path)?.take(longest + 1).read_to_end(&mut bytes)? {
        0 => Err(Unread::Empty),
        length if length as u64 > longest => Err(Unread::TooLong),
        _ => Ok(bytes),
    }
}
