//! Reading a request log, and following it through rotations.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::thread;
use std::time::Duration;

use rayline_observe::TailFilter;

use super::lines::Lines;
use super::printer::Printer;
use crate::output::say;

/// How often the end of the file is looked at for more.
const PAUSE: Duration = Duration::from_millis(100);

/// Prints the file's records from its beginning; after its end what comes then, if `follow`.
///
/// # Errors
///
/// If the file cannot be read, or standard output not written.
pub(crate) fn read(path: &Path, follow: bool, filter: &TailFilter, mut printer: Printer) -> io::Result<()> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("cannot read `{}`: {error}", path.display()));
    let mut file = File::open(path).map_err(named)?;
    let mut lines = Lines::default();
    let mut piece = vec![0; 64 * 1024];
    loop {
        let count = file.read(&mut piece).map_err(named)?;
        if count > 0 {
            lines.feed(piece.get(..count).unwrap_or_default(), |line| printer.record(line, filter))?;
            continue;
        }
        if !follow {
            return lines.rest().map_or(Ok(()), |line| printer.record(&line, filter));
        }
        match change(path, &mut file) {
            Change::None => thread::sleep(PAUSE),
            Change::Replaced(next) => {
                say(&format!("`{}` is a new file now", path.display()));
                // what was written between the last read and the look has to be read first
                let mut last = Vec::new();
                file.read_to_end(&mut last).map_err(named)?;
                lines.feed(&last, |line| printer.record(line, filter))?;
                lines.clear();
                file = next;
            }
            Change::Truncated => {
                say(&format!("`{}` was emptied", path.display()));
                lines.clear();
                file.seek(SeekFrom::Start(0)).map_err(named)?;
            }
        }
    }
}

/// What became of a file at whose end we are.
enum Change {
    None,
    Replaced(File),
    Truncated,
}

/// A name that leads nowhere for a moment, as in a rotation, is no change yet.
fn change(path: &Path, file: &mut File) -> Change {
    let Ok(ours) = file.metadata() else { return Change::None };
    if !ours.is_file() {
        return Change::None;
    }
    if let Ok(other) = File::open(path)
        && other.metadata().is_ok_and(|other| (other.dev(), other.ino()) != (ours.dev(), ours.ino()))
    {
        return Change::Replaced(other);
    }
    let truncated = file.stream_position().is_ok_and(|position| ours.len() < position);
    if truncated { Change::Truncated } else { Change::None }
}
