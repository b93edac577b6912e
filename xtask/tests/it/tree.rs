//! The tree: its files, its crates, and how a test says what is wrong with them.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{Metadata, MetadataCommand, Package};

/// The folder of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// A file's text, by its path from the root.
#[track_caller]
pub(crate) fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every file that is in version control or about to be, by its path from the root.
pub(crate) fn files() -> Vec<PathBuf> {
    let mut command = Command::new("git");
    // whoever checks the tree need not be who cloned it
    command.args(["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let output =
        command.current_dir(root()).output().unwrap_or_else(|error| panic!("`git` cannot be started: {error}"));
    assert!(output.status.success(), "`git ls-files`: {}", String::from_utf8_lossy(&output.stderr));
    let listed = String::from_utf8(output.stdout).unwrap();
    let paths = listed.split('\0').filter(|path| !path.is_empty()).map(PathBuf::from);
    let mut paths: Vec<PathBuf> = paths.filter(|path| root().join(path).is_file()).collect();
    paths.sort();
    paths
}

/// Those with this ending.
pub(crate) fn files_ending(extension: &str) -> Vec<PathBuf> {
    files().into_iter().filter(|path| path.extension().is_some_and(|found| found == extension)).collect()
}

/// The names of the files in a folder that end so, without the ending, sorted.
pub(crate) fn stems(folder: &str, ending: &str) -> Vec<String> {
    let entries = fs::read_dir(root().join(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut stems: Vec<String> = names.filter_map(|name| Some(name.strip_suffix(ending)?.to_owned())).collect();
    stems.sort();
    stems
}

/// The crates of the workspace by name, as cargo sees them.
pub(crate) fn crates() -> BTreeMap<String, Package> {
    let manifest = root().join("Cargo.toml");
    let Metadata { packages, .. } = MetadataCommand::new().manifest_path(manifest).no_deps().exec().unwrap();
    packages.into_iter().map(|package| (package.name.to_string(), package)).collect()
}

/// What a test found wrong.
#[derive(Default)]
pub(crate) struct Findings(Vec<String>);

impl Findings {
    /// Adds one: where, why it is wrong, what to do.
    pub(crate) fn add(&mut self, place: impl Display, reason: impl Display, fix: impl Display) {
        self.0.push(format!("{place}: {reason}\n    fix: {fix}"));
    }

    /// Fails if there is any.
    #[track_caller]
    pub(crate) fn none(self) {
        assert!(self.0.is_empty(), "{} found\n\n{}\n", self.0.len(), self.0.join("\n"));
    }
}
