//! What a diagnosis leaves beside the screen: report, HAR, ticket; and a browser's HAR that is read instead.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use rayline_diagnose::conclude::Outcome;
use rayline_diagnose::diagnosis::Diagnosis;
use rayline_diagnose::har::{self, Through};
use rayline_diagnose::report::{self, Masking};

use super::screen;
use crate::cli::Global;
use crate::cli::diagnose::{DiagnoseArgs, OutputArgs, Side};
use crate::output::{self, Exit, say};

/// The largest HAR that is read, in bytes: browsers write bodies into it.
const MOST_BYTES: u64 = 256 * 1024 * 1024;

/// Writes the files that were asked for; `false` if some could not be written, which has been said.
pub(crate) fn write(diagnosis: &Diagnosis, wanted: &OutputArgs) -> bool {
    let masking = masking(wanted);
    let mut written = true;
    if let Some(path) = &wanted.report {
        let is_markdown = path.extension().is_some_and(|extension| extension == "md");
        let text = if is_markdown { report::markdown(diagnosis, masking) } else { report::html(diagnosis, masking) };
        written &= put(path, text.as_bytes(), true);
    }
    if let Some(path) = &wanted.har {
        written &= put_har(path, diagnosis, Through::Edge, masking);
        if diagnosis.seen.direct.is_some() {
            written &= put_har(&beside(path), diagnosis, Through::Nothing, masking);
        }
    }
    written
}

/// The ticket that was asked for; where there is nothing to hand on, that is said.
pub(crate) fn ticket(diagnosis: &Diagnosis, wanted: &OutputArgs) -> Option<String> {
    let side = match wanted.ticket? {
        Side::Hosting => report::Side::Hosting,
        Side::Edge => report::Side::Edge,
    };
    match diagnosis.conclusion.outcome {
        Outcome::Fine => {
            say("no ticket is made: nothing fails");
            None
        }
        Outcome::Fault | Outcome::CannotTell if side == report::Side::Edge && !diagnosis.conclusion.edge_seen => {
            say("no ticket is made: no edge is seen in front of the site's server, `--ticket hosting` is for that");
            None
        }
        Outcome::Fault | Outcome::CannotTell => Some(report::ticket(diagnosis, side, masking(wanted))),
    }
}

pub(crate) const fn masking(wanted: &OutputArgs) -> Masking {
    if wanted.unmask { Masking::Off } else { Masking::On }
}

fn put_har(path: &Path, diagnosis: &Diagnosis, through: Through, masking: Masking) -> bool {
    let text = format!("{:#}\n", har::write(diagnosis, through, masking));
    put(path, text.as_bytes(), false)
}

/// `shop.har` becomes `shop.direct.har`.
fn beside(path: &Path) -> PathBuf {
    path.with_extension("direct.har")
}

/// Writes a file. What a browser wrote may lie under a HAR's name: that is not replaced.
fn put(path: &Path, bytes: &[u8], may_replace: bool) -> bool {
    let mut options = OpenOptions::new();
    options.write(true);
    if may_replace {
        options.create(true).truncate(true)
    } else {
        options.create_new(true)
    };
    let put = options.open(path).and_then(|mut file| file.write_all(bytes));
    match put {
        Ok(()) => {
            say(&format!("written: {}", path.display()));
            true
        }
        Err(error) => {
            let hint = (error.kind() == io::ErrorKind::AlreadyExists)
                .then_some("nothing is replaced here: choose another name, or leave the URL out to read it");
            output::fail(&format!("cannot write `{}`: {error}", path.display()), hint);
            false
        }
    }
}

/// Reads a browser's HAR, and says what failed in it.
pub(crate) fn read_har(args: &DiagnoseArgs, global: &Global) -> io::Result<Exit> {
    let Some(path) = &args.output.har else { return Ok(Exit::Usage) };
    let examined = read(path).and_then(|bytes| har::examine(&bytes));
    let examination = match examined {
        Ok(examination) => examination,
        Err(why) => {
            output::fail(&format!("cannot read `{}`: {why}", path.display()), None);
            return Ok(Exit::CouldNotRun);
        }
    };
    let mut out = output::stdout();
    if global.json {
        for line in format!("{:#}", examination.to_json()).lines() {
            writeln!(out, "{}", output::escaped_json(line))?;
        }
    } else {
        screen::print_har(&mut out, &examination)?;
    }
    Ok(if examination.failed() == 0 { Exit::Fine } else { Exit::Fault })
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let file = open_regular(path).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    // one byte more than may be tells that there is more, whatever length the file claims
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(format!("it has more than the {MOST_BYTES} bytes that are read"));
    }
    Ok(bytes)
}

/// Opens a file to read: no pipe, which would keep us waiting for its writer, and no device, which may never end.
///
/// # Errors
/// It cannot be opened, or is no regular file.
pub(crate) fn open_regular(path: &Path) -> io::Result<File> {
    if std::fs::metadata(path)?.is_file() { File::open(path) } else { Err(io::Error::other("it is no regular file")) }
}
