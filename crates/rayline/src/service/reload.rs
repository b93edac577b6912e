//! Where a configuration comes from, and what it takes to make a plan of a text again.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rayline_config::{Plan, Problem, Source};
use rayline_edge::StartError;

use crate::config_file;
use crate::serve::Overridden;

/// Where a configuration comes from again, when it is to be read anew.
#[derive(Clone, Debug)]
pub(crate) enum Reload {
    /// This file, which said `running` when it was read, under what the command line says whatever the file says.
    File { path: PathBuf, running: String, overridden: Overridden },
    /// The command line or the demo, which said this: there is nothing to read again.
    Fixed { running: String },
}

/// What a reload came to.
pub(crate) struct Reloaded {
    pub(crate) version: u64,
    /// Whether the text is another than that which ran: if not, it runs anew under its old number, with the certificates,
    /// pages and other files that it names as they are now.
    pub(crate) is_new: bool,
    pub(crate) source: Source,
    pub(crate) warnings: Vec<Problem>,
    /// Keys that have changed and cannot change while the edge runs.
    pub(crate) needs_restart: Vec<&'static str>,
}

/// Why a reload changed nothing.
#[derive(Debug)]
pub(crate) enum ReloadProblem {
    NothingToRead,
    Unreadable(String),
    Problems(Source, Vec<Problem>),
    CannotStart(StartError),
}

/// A text that may run.
pub(super) struct Compiled {
    pub(super) plan: Plan,
    pub(super) source: Source,
    pub(super) warnings: Vec<Problem>,
}

impl Reload {
    /// The text that the edge starts with.
    pub(super) fn running(&self) -> &str {
        match self {
            Self::File { running, .. } | Self::Fixed { running } => running,
        }
    }

    fn file(&self) -> Result<(&Path, &Overridden), ReloadProblem> {
        match self {
            Self::File { path, overridden, .. } => Ok((path, overridden)),
            Self::Fixed { .. } => Err(ReloadProblem::NothingToRead),
        }
    }

    /// What the file says now.
    pub(super) fn source(&self) -> Result<Source, ReloadProblem> {
        let (path, _) = self.file()?;
        config_file::read(path).map_err(|error| ReloadProblem::Unreadable(error.to_string()))
    }

    /// The plan that `text` would come to in place of the file's.
    pub(super) fn compile_text(&self, text: String) -> Result<Compiled, ReloadProblem> {
        let (path, _) = self.file()?;
        let base = path.parent().unwrap_or(Path::new("")).to_owned();
        self.compile(Source { name: path.display().to_string(), text, base })
    }

    pub(super) fn compile(&self, source: Source) -> Result<Compiled, ReloadProblem> {
        let (_, overridden) = self.file()?;
        match rayline_config::compile(&source, SystemTime::now()) {
            (Some(mut plan), warnings) => {
                overridden.apply(&mut plan);
                Ok(Compiled { plan, source, warnings })
            }
            (None, problems) => Err(ReloadProblem::Problems(source, problems)),
        }
    }
}

impl ReloadProblem {
    /// Every problem, each in one text.
    pub(super) fn in_words(&self) -> Vec<String> {
        match self {
            Self::NothingToRead => vec![
                "this edge was started without a configuration file, so there is nothing to change; start it with `--config`"
                    .to_owned(),
            ],
            Self::Unreadable(why) => vec![why.clone()],
            Self::CannotStart(error) => vec![error.to_string()],
            Self::Problems(source, problems) => {
                problems.iter().map(|problem| problem.render(source, false)).collect()
            }
        }
    }
}
