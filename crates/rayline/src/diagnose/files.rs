//! What a diagnosis leaves beside the screen: report, HAR, ticket; and a browser's HAR that is read instead.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use rayline_diagnose::diagnosis::Diagnosis;
use rayline_diagnose::har::Through;
use rayline_diagnose::har::{self, Examination};
use rayline_diagnose::report::{self, Masking};

use super::screen;
use crate::cli::Global;
use crate::cli::diagnose::{DiagnoseArgs, OutputArgs, Side};
use crate::output::{self, Exit, say};

/// The largest HAR that is read, in bytes: browsers write bodies into it.
const MOST_BYTES: u64 = 256 * 1024 * 1024;

/// Writes what was asked for; `false` if some of it could not be written, which has been said.
pub(crate) fn write(diagnosis: &Diagnosis, wanted: &OutputArgs) -> io::Result<bool> {
    let masking = if wanted.unmask { Masking::Off } else { Masking::On };
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
    if let Some(side) = wanted.ticket {
        let side = match side {
            Side::Hosting => report::Side::Hosting,
            Side::Edge => report::Side::Edge,
        };
        let mut out = output::stdout();
        for line in report::ticket(diagnosis, side, masking).lines() {
            writeln!(out, "{}", output::escaped(line))?;
        }
    }
    Ok(written)
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
    let Examination { failures, .. } = &examination;
    Ok(if failures.is_empty() { Exit::Fine } else { Exit::Fault })
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let length = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if length > MOST_BYTES {
        return Err(format!("it has {length} bytes, and at most {MOST_BYTES} are read"));
    }
    std::fs::read(path).map_err(|error| error.to_string())
}
