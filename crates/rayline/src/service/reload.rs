//! The configuration again: where it comes from, and what runs on it then.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

use rayline_config::{Problem, Source};
use rayline_edge::{Edge, StartError};

use super::beside::Beside;
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

impl Reload {
    /// The text that the edge starts with.
    pub(super) fn running(&self) -> &str {
        match self {
            Self::File { running, .. } | Self::Fixed { running } => running,
        }
    }

    /// Reads the configuration again, and runs the edge and what stands beside it on it.
    pub(super) fn run(&self, edge: &Edge, beside: &Beside) -> Result<Reloaded, ReloadProblem> {
        let Self::File { path, overridden, .. } = self else { return Err(ReloadProblem::NothingToRead) };
        let _turn = beside.turn();
        let source = config_file::read(path).map_err(|error| ReloadProblem::Unreadable(error.to_string()))?;
        match rayline_config::compile(&source, SystemTime::now()) {
            (Some(mut plan), warnings) => {
                overridden.apply(&mut plan);
                let needs_restart = edge.fixed_changes(&plan);
                let wanted = beside.read(&plan);
                let version = beside.version(&source.text);
                let is_new = version != edge.counts().plan_version.load(Ordering::Relaxed);
                edge.reload_as(version, plan).map_err(ReloadProblem::CannotStart)?;
                beside.follow(wanted, version, &source.text, edge.lookout());
                Ok(Reloaded { version, is_new, source, warnings, needs_restart })
            }
            (None, problems) => Err(ReloadProblem::Problems(source, problems)),
        }
    }
}
