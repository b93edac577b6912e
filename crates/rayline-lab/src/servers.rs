//! Real servers, each started with a configuration of its own, in a temporary folder of its own, on free loopback ports,
//! as the user who runs the tests; gone when dropped.
//!
//! It touches no service of the system: nothing in `/etc` or `/var` is read or written, and nobody's ports are taken. It
//! installs nothing either: a server that is missing is [`Unstarted::Missing`], which a test names and passes.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::process::{self, Process};

pub mod apache;
pub mod collector;
pub mod dnsmasq;
pub mod gunicorn;
pub mod mariadb;
pub mod nginx;
pub mod node;
pub mod php;
mod place;
pub mod postgres;
pub mod python;
pub mod redis;
pub mod tomcat;

pub use apache::Apache;
pub use collector::Collector;
pub use dnsmasq::Dnsmasq;
pub use gunicorn::Gunicorn;
pub use mariadb::MariaDb;
pub use nginx::Nginx;
pub use node::Node;
pub use php::{PhpFpm, Pool};
pub use place::Place;
pub use postgres::Postgres;
pub use python::Python;
pub use redis::Redis;
pub use tomcat::Tomcat;

/// How often a start is tried when somebody else took the port first.
const TRIES: usize = 3;
/// How long a server may take to end when it is told to.
const STOPPED: Duration = Duration::from_secs(10);

/// Why a server does not run.
#[derive(Debug)]
pub enum Unstarted {
    /// It is not installed here.
    Missing {
        /// The program that was looked for.
        program: String,
        /// What brings it, for a person to read.
        remedy: String,
    },
    /// It is installed, and did not start; with what it said.
    Failed(io::Error),
}

impl fmt::Display for Unstarted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { program, remedy } => write!(f, "{program} is not installed ({remedy})"),
            Self::Failed(error) => write!(f, "{error}"),
        }
    }
}

impl From<io::Error> for Unstarted {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// The server, or `None` where it is not installed, which is said in one line on standard error.
///
/// # Errors
/// It is installed, and does not start.
pub fn or_skip<T>(started: Result<T, Unstarted>) -> io::Result<Option<T>> {
    match started {
        Ok(server) => Ok(Some(server)),
        Err(Unstarted::Failed(error)) => Err(error),
        Err(missing @ Unstarted::Missing { .. }) => {
            eprintln!("skipped: {missing}");
            Ok(None)
        }
    }
}

/// Where a program is.
///
/// # Errors
/// [`Unstarted::Missing`]: it is not installed, and the Debian package `package` brings it.
pub fn installed(program: &str, package: &str) -> Result<PathBuf, Unstarted> {
    process::find(program).ok_or_else(|| Unstarted::Missing {
        program: program.to_owned(),
        remedy: format!("Debian has it in the package `{package}`"),
    })
}

/// A running server with its folder.
#[derive(Debug)]
pub struct Server {
    // Before the folder: what still runs may still write there.
    process: Process,
    place: Place,
}

impl Server {
    /// Starts what `command` makes of a new place, and waits until it listens at the place's [`Place::http`].
    ///
    /// # Errors
    /// It does not start; with what it printed.
    pub fn start(command: impl Fn(&Place) -> io::Result<Command>) -> io::Result<Self> {
        let mut tries = 1;
        loop {
            let place = Place::new()?;
            let mut process = Process::start(&mut command(&place)?, &place.folder().join("printed.log"))?;
            match process.listens(place.http()) {
                Ok(()) => return Ok(Self { process, place }),
                Err(error) if tries < TRIES && error.to_string().contains("ddress already in use") => tries += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Runs what `command` makes of a new place to its end, such as a server that cannot start. What it printed is in
    /// `printed.log` there.
    ///
    /// # Errors
    /// It cannot be run, or does not end.
    pub fn run(command: impl Fn(&Place) -> io::Result<Command>) -> io::Result<Place> {
        let place = Place::new()?;
        let mut process = Process::start(&mut command(&place)?, &place.folder().join("printed.log"))?;
        process.wait(STOPPED)?;
        Ok(place)
    }

    /// Where it is asked for plain HTTP.
    pub fn http(&self) -> SocketAddr {
        self.place.http()
    }

    /// Where it is asked for TLS, if its configuration has it listen there.
    pub fn https(&self) -> SocketAddr {
        self.place.https()
    }

    /// Its folder: configuration, logs, documents.
    pub fn folder(&self) -> &Path {
        self.place.folder()
    }

    /// Its process, such as to send it a signal.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Its process, such as to wait for its end.
    pub fn process_mut(&mut self) -> &mut Process {
        &mut self.process
    }

    /// The text of a file in its folder, such as a log; empty if there is none.
    pub fn file(&self, name: &str) -> String {
        let bytes = std::fs::read(self.folder().join(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Stops the master and all workers where they are (SIGSTOP): the kernel goes on accepting connections for them.
    ///
    /// # Errors
    /// They are gone.
    pub fn pause(&self) -> io::Result<()> {
        self.process.signal_all("STOP")
    }

    /// Lets them go on (SIGCONT).
    ///
    /// # Errors
    /// They are gone.
    pub fn resume(&self) -> io::Result<()> {
        self.process.signal_all("CONT")
    }

    /// Kills every worker (SIGKILL) and leaves the master alone.
    ///
    /// # Errors
    /// It has no workers, or they are gone.
    pub fn kill_workers(&self) -> io::Result<()> {
        let workers = self.process.children()?;
        if workers.is_empty() {
            return Err(io::Error::other("the server has no workers"));
        }
        process::signal("KILL", workers)
    }
}

/// Gives a type that has a field `server` everything of [`Server`].
macro_rules! is_a_server {
    ($name:ty) => {
        impl std::ops::Deref for $name {
            type Target = crate::servers::Server;

            fn deref(&self) -> &crate::servers::Server {
                &self.server
            }
        }

        impl std::ops::DerefMut for $name {
            fn deref_mut(&mut self) -> &mut crate::servers::Server {
                &mut self.server
            }
        }
    };
}
use is_a_server;
