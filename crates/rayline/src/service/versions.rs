//! The versions of the configuration, in `data_dir/versions`: which text had which number, so that what a record says of
//! its plan can be looked up after a restart as well.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use rayline_control::{Configurations, Version};
use rayline_verdict::Moment;
use serde::{Deserialize, Serialize};

use crate::output;

/// Versions that are kept; the oldest go.
const KEPT: usize = 100;
/// The list of them, beside their texts.
const LIST: &str = "versions.json";
/// Bytes of a text that are read back.
const LONGEST: u64 = 16 << 20;

/// Every version that is still known.
#[derive(Debug)]
pub(crate) struct Versions {
    folder: PathBuf,
    /// The oldest first.
    known: Mutex<Vec<Entry>>,
}

/// One line of the list.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    number: u64,
    /// Nanoseconds since 1970.
    since: i64,
    source: String,
}

impl Versions {
    /// Reads the list. One that cannot be read is begun anew, and that is said.
    pub(crate) fn open(folder: PathBuf) -> Self {
        let known = match fs::read(folder.join(LIST)) {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_else(|error| {
                output::say(&format!("the list of versions in `{}` is begun anew: {error}", folder.display()));
                Vec::new()
            }),
            Err(_) => Vec::new(),
        };
        Self { folder, known: Mutex::new(known) }
    }

    /// The number of a text that is to run: that of the last version if the text is the same, else the next.
    pub(crate) fn number(&self, text: &str) -> u64 {
        let last = self.known().last().map(|entry| entry.number);
        match last {
            Some(last) if self.read(last).as_deref() == Some(text) => last,
            last => last.map_or(1, |last| last + 1),
        }
    }

    /// Notes that a version runs, unless it is the last that is known.
    pub(crate) fn follow(&self, number: u64, text: &str, source: &str) {
        let known = self.known().last().is_some_and(|entry| entry.number == number);
        if !known {
            self.add(number, text, source);
        }
    }

    /// Notes that a version runs from now on. What cannot be written is said, and the edge goes on without it.
    fn add(&self, number: u64, text: &str, source: &str) {
        let mut known = self.known();
        known.retain(|entry| entry.number < number);
        known.push(Entry { number, since: now().0, source: source.to_owned() });
        let surplus = known.len().saturating_sub(KEPT);
        let gone: Vec<u64> = known.drain(..surplus).map(|entry| entry.number).collect();
        if let Err(error) = self.write(number, text, &known) {
            output::say(&format!("version {number} of the configuration is not kept: {error}"));
        }
        for number in gone {
            // one that stays takes room, and is never asked for
            let _ = fs::remove_file(self.path(number));
        }
    }

    fn write(&self, number: u64, text: &str, known: &[Entry]) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        write_whole(&self.path(number), text.as_bytes())?;
        write_whole(&self.folder.join(LIST), &serde_json::to_vec_pretty(known)?)
    }

    fn read(&self, number: u64) -> Option<String> {
        let mut text = String::new();
        File::open(self.path(number)).ok()?.take(LONGEST).read_to_string(&mut text).ok()?;
        Some(text)
    }

    fn path(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{number}.toml"))
    }

    fn known(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Configurations for Versions {
    fn versions(&self) -> Vec<Version> {
        let version =
            |entry: &Entry| Version { number: entry.number, since: Moment(entry.since), source: entry.source.clone() };
        self.known().iter().rev().map(version).collect()
    }

    fn text(&self, number: u64) -> Option<String> {
        let known = self.known().iter().any(|entry| entry.number == number);
        known.then(|| self.read(number)).flatten().map(|text| rayline_config::masked(&text))
    }
}

/// Replaces a file by one that is whole; others on the machine may not read it, for it may hold secrets.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let fresh = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    file.write_all(bytes)?;
    fs::rename(&fresh, path)
}

fn now() -> Moment {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Moment(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn numbers_go_on_and_the_same_text_keeps_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Versions::open(folder.path().join("versions"));
        let start = |text: &str| {
            let versions = open();
            let number = versions.number(text);
            versions.follow(number, text, "rayline.toml");
            number
        };
        assert_eq!(start("a = 1\n"), 1);
        assert_eq!(start("a = 1\n"), 1, "nothing has changed");
        assert_eq!(start("secret = \"hunter2\"\n"), 2);
        let versions = open();
        versions.add(3, "c = 1\n", "rayline.toml");
        let numbers: Vec<u64> = open().versions().iter().map(|version| version.number).collect();
        assert_eq!(numbers, [3, 2, 1]);
        assert_eq!(open().text(2).as_deref(), Some("secret = \"***\"\n"));
        assert_eq!(open().text(7), None);
        let mode = fs::metadata(folder.path().join("versions/2.toml")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn the_oldest_go_and_a_torn_list_is_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let versions = Versions::open(folder.path().to_owned());
        for number in 1..=120 {
            versions.add(number, "", "x");
        }
        assert_eq!((versions.versions().len(), versions.text(20), versions.text(21)), (100, None, Some(String::new())));
        assert!(!folder.path().join("20.toml").exists());
        fs::write(folder.path().join(LIST), "[{").unwrap();
        assert!(Versions::open(folder.path().to_owned()).versions().is_empty());
    }
}
