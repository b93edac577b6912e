//! A case: what is broken, what must be found, and from where it is looked at.

use std::fmt;
use std::io;

use rayline_testkit::Flaw;

use super::site::Site;
use crate::net::Unavailable;
use crate::servers::Unstarted;

/// Something that is broken in a known way, or nothing that is.
#[derive(Debug)]
pub struct Case {
    /// Its name, in snake case.
    pub name: &'static str,
    /// What is broken, in one sentence without its stop.
    pub broken: &'static str,
    /// Breaks it.
    build: fn() -> Result<Site, Unbuilt>,
    /// The code to be found; `None`: there is no fault.
    pub code: Option<&'static str>,
    /// The cause inside the origin to be found in its logs, and those that are no mistake in its stead.
    pub causes: &'static [&'static str],
    /// What stands in a log once a visitor has been there; empty if no log has anything of it.
    pub logged: &'static str,
    /// From where it is looked at.
    pub views: &'static [View],
}

impl Case {
    /// Nothing is broken, however it looks.
    pub(super) const fn fine(name: &'static str, broken: &'static str, build: fn() -> Result<Site, Unbuilt>) -> Self {
        Self { name, broken, build, code: None, causes: &[], logged: "", views: &[] }
    }

    /// This code is to be found.
    pub(super) const fn new(
        name: &'static str,
        broken: &'static str,
        build: fn() -> Result<Site, Unbuilt>,
        code: &'static str,
    ) -> Self {
        Self { code: Some(code), ..Self::fine(name, broken, build) }
    }

    /// For one of these causes, the first rather than the others, which this text in a log tells of.
    pub(super) const fn because(self, causes: &'static [&'static str], logged: &'static str) -> Self {
        Self { causes, logged, ..self }
    }

    /// From these views.
    pub(super) const fn seen(self, views: &'static [View]) -> Self {
        Self { views, ..self }
    }

    /// Breaks it.
    ///
    /// # Errors
    /// Something that it needs is missing, or does not work.
    pub(super) fn build(&self) -> Result<Site, Unbuilt> {
        (self.build)()
    }
}

/// Who stands in front of the origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// Nobody.
    None,
    /// Rayline.
    Rayline,
    /// nginx, as a CDN of few words, which shows visitors a certificate with this flaw.
    Nginx(Flaw),
    /// nginx, which fails every request over HTTP/2 on its own.
    NginxWithoutHttp2,
    /// Somebody whose port nobody listens at any more.
    Gone,
}

/// From where a case is looked at: who stands in front of it, and what the program is given.
#[derive(Debug)]
pub struct View {
    /// Who stands in front.
    pub edge: Edge,
    /// What a visitor meets: a status, or 0 if there is no answer.
    pub status: u16,
    /// Whether the program is told where the origin is.
    pub origin: bool,
    /// Whether it is given the origin's logs.
    pub logs: bool,
    /// Whether it is given the configuration of a Rayline in front.
    pub config: bool,
    /// Whether it runs on the origin's machine.
    pub here: bool,
    /// Codes that are as right as the case's from here.
    pub also: &'static [&'static str],
    /// Whether the likeliest of several explanations will do for a verdict, because from here one cannot be sure.
    pub guess: bool,
    /// Codes that are no mistake as a guess, because from here one cannot know.
    pub or: &'static [&'static str],
}

impl View {
    pub(super) const fn new(edge: Edge, status: u16) -> Self {
        Self { edge, status, origin: false, logs: false, config: false, here: false, also: &[], guess: false, or: &[] }
    }

    /// Knowing where the origin is.
    pub(super) const fn origin(self) -> Self {
        Self { origin: true, ..self }
    }

    /// Knowing the origin's logs.
    pub(super) const fn logs(self) -> Self {
        Self { logs: true, ..self }
    }

    /// Knowing the edge's configuration.
    pub(super) const fn config(self) -> Self {
        Self { config: true, ..self }
    }

    /// On the origin's machine.
    pub(super) const fn here(self) -> Self {
        Self { here: true, ..self }
    }

    /// These codes are as right.
    pub(super) const fn also(self, also: &'static [&'static str]) -> Self {
        Self { also, ..self }
    }

    /// A guess will do.
    pub(super) const fn guess(self) -> Self {
        Self { guess: true, ..self }
    }

    /// These codes are no mistake as a guess.
    pub(super) const fn or(self, or: &'static [&'static str]) -> Self {
        Self { guess: true, or, ..self }
    }
}

/// Behind Rayline.
pub(super) const fn rayline(status: u16) -> View {
    View::new(Edge::Rayline, status)
}

/// Behind nginx.
pub(super) const fn nginx(status: u16) -> View {
    View::new(Edge::Nginx(Flaw::None), status)
}

/// Straight at the origin.
pub(super) const fn bare(status: u16) -> View {
    View::new(Edge::None, status)
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.edge {
            Edge::None => "no edge",
            Edge::Rayline => "Rayline",
            Edge::Nginx(_) | Edge::NginxWithoutHttp2 => "nginx",
            Edge::Gone => "an edge that is gone",
        })?;
        for (given, name) in
            [(self.origin, "origin"), (self.logs, "logs"), (self.config, "config"), (self.here, "here")]
        {
            if given {
                write!(f, " + {name}")?;
            }
        }
        Ok(())
    }
}

/// Why a case cannot be looked at.
#[derive(Debug)]
pub enum Unbuilt {
    /// A server or a privilege is missing here.
    Missing(String),
    /// It is there, and it did not work.
    Failed(io::Error),
}

impl From<io::Error> for Unbuilt {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<Unstarted> for Unbuilt {
    fn from(unstarted: Unstarted) -> Self {
        match unstarted {
            Unstarted::Failed(error) => Self::Failed(error),
            missing @ Unstarted::Missing { .. } => Self::Missing(missing.to_string()),
        }
    }
}

impl From<Unavailable> for Unbuilt {
    fn from(unavailable: Unavailable) -> Self {
        match unavailable {
            Unavailable::Failed(error) => Self::Failed(error),
            Unavailable::Missing(what) => Self::Missing(what),
        }
    }
}
