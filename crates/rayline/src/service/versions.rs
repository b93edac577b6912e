//! The versions of the configuration, in `data_dir/versions`: which text had which number, who brought it, why, and what
//! became of it, so that what a record says of its plan can be looked up after a restart as well.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use rayline_control::{Event, Evidence, Signed, State, Version};
use rayline_verdict::Moment;
use serde::{Deserialize, Serialize};

use super::rollout::Rollout;
use crate::output;

/// Versions that are kept; the oldest go.
const KEPT: usize = 100;
/// The list of them, beside their texts.
const LIST: &str = "versions.json";
/// The rollout that goes on, if one does.
const ROLLOUT: &str = "rollout.json";
/// Bytes of a text that are read back.
pub(super) const LONGEST: u64 = 16 << 20;
/// What is kept of who did something, and why.
const LONGEST_WORDS: usize = 1000;

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
    #[serde(default)]
    author: String,
    #[serde(default)]
    comment: String,
    #[serde(default)]
    state: State,
    #[serde(default)]
    history: Vec<Event>,
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

    /// The number of a text that is to run: that of the last version in use if the text is the same, else the next.
    pub(crate) fn number(&self, text: &str) -> u64 {
        let last = self.known().iter().rev().find(|entry| entry.state == State::Used).map(|entry| entry.number);
        last.filter(|last| self.read(*last).as_deref() == Some(text)).unwrap_or_else(|| self.next())
    }

    /// The number of the next version.
    pub(crate) fn next(&self) -> u64 {
        self.known().last().map_or(1, |entry| entry.number + 1)
    }

    /// The last version in use before this one.
    pub(crate) fn before(&self, number: u64) -> Option<u64> {
        let known = self.known();
        known.iter().rev().find(|entry| entry.number < number && entry.state == State::Used).map(|entry| entry.number)
    }

    /// Notes that an edge has started with a version, unless that is known.
    pub(crate) fn begin(&self, number: u64, text: &str, source: &str) {
        let known = self.known().iter().any(|entry| entry.number == number);
        if !known {
            let signed = Signed { author: String::new(), comment: String::new() };
            self.add(number, text, source, &signed, State::Used, "the edge started with it");
        }
    }

    /// Notes that a version runs from now on, or is rolled out. What cannot be written is said, and the edge goes on
    /// without it.
    pub(crate) fn add(&self, number: u64, text: &str, source: &str, signed: &Signed, state: State, what: &str) {
        let mut known = self.known();
        known.retain(|entry| entry.number < number);
        let (author, comment) = (short(&signed.author), short(&signed.comment));
        let begun = Event { at: now().0, what: what.to_owned(), by: author.clone(), evidence: None };
        known.push(Entry {
            number,
            since: now().0,
            source: source.to_owned(),
            author,
            comment,
            state,
            history: vec![begun],
        });
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

    /// Notes what has happened to a version.
    pub(crate) fn note(&self, number: u64, state: State, what: &str, by: &Signed, evidence: Option<Evidence>) {
        let mut known = self.known();
        let Some(entry) = known.iter_mut().find(|entry| entry.number == number) else { return };
        entry.state = state;
        let comment = if by.comment.is_empty() { String::new() } else { format!(": {}", short(&by.comment)) };
        entry.history.push(Event { at: now().0, what: format!("{what}{comment}"), by: short(&by.author), evidence });
        if let Err(error) = self.write_list(&known) {
            output::say(&format!("what happened to version {number} of the configuration is not kept: {error}"));
        }
    }

    /// The rollout that went on when it was last written down.
    pub(super) fn kept_rollout(&self) -> Option<Rollout> {
        let bytes = fs::read(self.folder.join(ROLLOUT)).ok()?;
        serde_json::from_slice(&bytes)
            .inspect_err(|error| output::say(&format!("the rollout that went on cannot be read, and ends: {error}")))
            .ok()
    }

    /// Writes down which rollout goes on, for the next start. What cannot be written is said.
    pub(super) fn keep_rollout(&self, rollout: Option<&Rollout>) {
        let path = self.folder.join(ROLLOUT);
        let written = match rollout {
            None => fs::remove_file(&path).or_else(|error| match error.kind() {
                io::ErrorKind::NotFound => Ok(()),
                _ => Err(error),
            }),
            Some(rollout) => serde_json::to_vec_pretty(rollout)
                .map_err(io::Error::other)
                .and_then(|bytes| write_whole(&path, &bytes)),
        };
        if let Err(error) = written {
            output::say(&format!("how far the rollout came is not kept: {error}"));
        }
    }

    /// Keeps what stood in a file that is about to be replaced and never ran. Where.
    pub(super) fn keep_aside(&self, number: u64, text: &[u8]) -> io::Result<PathBuf> {
        let path = self.folder.join(format!("unused-before-{number}.toml"));
        write_whole(&path, text).map(|()| path)
    }

    fn write(&self, number: u64, text: &str, known: &[Entry]) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        write_whole(&self.path(number), text.as_bytes())?;
        self.write_list(known)
    }

    fn write_list(&self, known: &[Entry]) -> io::Result<()> {
        write_whole(&self.folder.join(LIST), &serde_json::to_vec_pretty(known)?)
    }

    /// The text of a version, its secrets included.
    pub(crate) fn read(&self, number: u64) -> Option<String> {
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

    /// Every version that is still known, the newest first.
    pub(crate) fn versions(&self) -> Vec<Version> {
        let version = |entry: &Entry| Version {
            number: entry.number,
            since: Moment(entry.since),
            source: entry.source.clone(),
            author: entry.author.clone(),
            comment: entry.comment.clone(),
            state: entry.state,
            history: entry.history.clone(),
        };
        self.known().iter().rev().map(version).collect()
    }

    /// The text of one, its secrets masked.
    pub(crate) fn text(&self, number: u64) -> Option<String> {
        let known = self.known().iter().any(|entry| entry.number == number);
        known.then(|| self.read(number)).flatten().map(|text| rayline_config::masked(&text))
    }
}

/// A person's words, as long as they may be.
fn short(words: &str) -> String {
    words.trim().chars().take(LONGEST_WORDS).collect()
}

/// Replaces a file by one that is whole; others on the machine may not read it, for it may hold secrets.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let fresh = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    file.write_all(bytes)?;
    fs::rename(&fresh, path)
}

pub(super) fn now() -> Moment {
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
            versions.begin(number, text, "rayline.toml");
            number
        };
        assert_eq!(start("a = 1\n"), 1);
        assert_eq!(start("a = 1\n"), 1, "nothing has changed");
        assert_eq!(start("secret = \"hunter2\"\n"), 2);
        let versions = open();
        let signed = Signed { author: "maria".to_owned(), comment: "a third".to_owned() };
        versions.add(3, "c = 1\n", "rayline.toml", &signed, State::Used, "applied");
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
            versions.add(number, "", "x", &Signed::default(), State::Used, "applied");
        }
        assert_eq!((versions.versions().len(), versions.text(20), versions.text(21)), (100, None, Some(String::new())));
        assert!(!folder.path().join("20.toml").exists());
        fs::write(folder.path().join(LIST), "[{").unwrap();
        assert!(Versions::open(folder.path().to_owned()).versions().is_empty());
    }

    #[test]
    fn what_happened_stays_and_what_never_ran_is_not_started_with() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Versions::open(folder.path().to_owned());
        let maria = Signed { author: "maria".to_owned(), comment: "new origin".to_owned() };
        let versions = open();
        versions.begin(1, "a = 1\n", "rayline.toml");
        versions.add(2, "a = 2\n", "rayline.toml", &maria, State::RollingOut, "rolled out to 1 % of the visitors");
        let evidence = Evidence { conclusion: "worse".to_owned(), ..Evidence::default() };
        versions.note(2, State::RolledBack, "rolled back", &Signed::default(), Some(evidence.clone()));
        let versions = open();
        let newest = versions.versions().remove(0);
        assert_eq!(
            (newest.author.as_str(), newest.comment.as_str(), newest.state),
            ("maria", "new origin", State::RolledBack)
        );
        let told: Vec<&str> = newest.history.iter().map(|event| event.what.as_str()).collect();
        assert_eq!(told, ["rolled out to 1 % of the visitors", "rolled back"]);
        assert_eq!(newest.history[1].evidence, Some(evidence));
        assert_eq!((versions.number("a = 1\n"), versions.number("a = 2\n"), versions.next()), (1, 3, 3));
        assert_eq!((versions.before(3), versions.before(1)), (Some(1), None));
    }

    #[test]
    fn a_list_of_an_earlier_edge_is_read() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(LIST), r#"[{"number":4,"since":5,"source":"rayline.toml"}]"#).unwrap();
        let version = Versions::open(folder.path().to_owned()).versions().remove(0);
        assert_eq!((version.number, version.state, version.author.as_str()), (4, State::Used, ""));
    }
}
