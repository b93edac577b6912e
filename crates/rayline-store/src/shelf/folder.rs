//! The folder: which files lie in it, how a new one comes into being, what is cleared away. A file counts from the moment
//! it has its name, and all that it replaces no longer counts from that same moment.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayline_verdict::Moment;

use super::step;
use crate::chunk::Table;
use crate::segment::{Facts, Ranges, Segment, Slot, Writer};

const WHOLE: &str = "parquet";
const UNFINISHED: &str = "unfinished";
const DAMAGED: &str = "damaged";

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The files that count.
    pub(super) segments: Vec<Arc<Segment>>,
    /// Files whose rows are in others.
    pub(super) replaced: Vec<Arc<Segment>>,
    /// Files that cannot be read, and why.
    pub(super) damaged: Vec<(PathBuf, io::Error)>,
    /// What a crash has left.
    pub(super) unfinished: Vec<PathBuf>,
    /// The greatest number that any name has.
    pub(super) greatest: u64,
}

/// Reads the folder. Files that are `known` are not opened again.
///
/// # Errors
///
/// If the folder cannot be listed, or a file not be opened; [`io::ErrorKind::NotFound`] if one went away meanwhile.
pub(super) fn read(folder: &Path, known: &[Arc<Segment>]) -> io::Result<Found> {
    let known: HashMap<&Path, &Arc<Segment>> = known.iter().map(|segment| (segment.path.as_path(), segment)).collect();
    let mut found = Found::default();
    let mut all = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let Some(number) = number_in(&path) else { continue };
        found.greatest = found.greatest.max(number);
        match path.extension().and_then(|extension| extension.to_str()) {
            Some(WHOLE) => {}
            Some(UNFINISHED) => {
                found.unfinished.push(path);
                continue;
            }
            _ => continue,
        }
        match known
            .get(path.as_path())
            .map_or_else(|| Segment::open(&path).map(Arc::new), |known| Ok(Arc::clone(known)))
        {
            Ok(segment) => all.push(segment),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => found.damaged.push((path, error)),
            Err(error) => return Err(error),
        }
    }
    let mut replaced = Ranges::default();
    for segment in &all {
        replaced.extend(&segment.facts.replaces);
    }
    (found.replaced, found.segments) = all.into_iter().partition(|segment| replaced.contains(segment.facts.number));
    Ok(found)
}

/// The number at the end of a file's name.
fn number_in(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?;
    let (stem, _) = name.split_once('.')?;
    stem.rsplit('_').next()?.parse().ok()
}

/// Puts a damaged file out of the way, without deleting it.
pub(super) fn set_aside(path: &Path) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(DAMAGED);
    fs::rename(path, name)
}

/// Makes a file: written under another name, synced, and renamed when it is whole.
///
/// # Errors
///
/// If it cannot be written; nothing is left of it then.
pub(super) fn create(
    folder: &Path,
    slots: Vec<Slot>,
    facts: &Facts,
    write: impl FnOnce(&mut Writer<BufWriter<File>>) -> io::Result<()>,
) -> io::Result<Arc<Segment>> {
    let temporary = folder.join(format!("{}_{}.{UNFINISHED}", facts.table.name(), facts.number));
    let made = (|| {
        let file = BufWriter::with_capacity(256 * 1024, File::create(&temporary)?);
        let mut writer = Writer::new(file, slots, facts)?;
        if facts.table == Table::Requests {
            writer.keep_failed_apart();
        }
        step::reached("begun");
        write(&mut writer)?;
        let file = writer.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
        step::reached("written");
        file.sync_all()?;
        step::reached("synced");
        let mut segment = Segment::open(&temporary)?;
        segment.path = folder.join(name(facts.table, segment.bounds(), facts.number));
        fs::rename(&temporary, &segment.path)?;
        step::reached("named");
        sync(folder)?;
        Ok(Arc::new(segment))
    })();
    if made.is_err() {
        // It may not be there at all; and the next opening clears it away too.
        drop(fs::remove_file(&temporary));
    }
    made
}

/// Such as `requests_2026-11-21T141259Z_2026-11-21T141400Z_42.parquet`.
fn name(table: Table, (first, last): (i64, i64), number: u64) -> String {
    let [first, last] = [first, last].map(|at| Moment(at).to_seconds().replace(':', ""));
    format!("{}_{first}_{last}_{number}.{WHOLE}", table.name())
}

/// Makes the folder's names durable.
pub(super) fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Removes files; one that is gone already is no error.
pub(super) fn remove<'a>(paths: impl IntoIterator<Item = &'a Path>) -> io::Result<()> {
    for path in paths {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => step::reached("removed"),
        }
    }
    Ok(())
}
