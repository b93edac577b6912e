//! A broken site: its origin, what is asked of it, and everything that keeps it as broken as it is.

use std::any::Any;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rayline_testkit::Authority;
use tempfile::TempDir;

use super::case::Unbuilt;
use crate::process::Process;
use crate::program::HOST;

/// How long it may take until whoever occupies a site does.
const OCCUPIED: Duration = Duration::from_secs(20);

/// The authority of all certificates, for the length of the process.
///
/// # Errors
/// Keys cannot be made.
pub(super) fn authority() -> io::Result<&'static Authority> {
    static AUTHORITY: OnceLock<Result<Authority, String>> = OnceLock::new();
    let made = AUTHORITY.get_or_init(|| Authority::new("Clinic").map_err(|error| error.to_string()));
    made.as_ref().map_err(|error| io::Error::other(error.clone()))
}

/// A broken site.
pub(super) struct Site {
    /// Where the origin is; nobody need listen there.
    pub(super) origin: SocketAddr,
    /// Whether it speaks TLS.
    pub(super) tls: bool,
    /// Where the edge connects, if that is elsewhere, and whether it speaks TLS there.
    pub(super) edge_goes_to: Option<(SocketAddr, bool)>,
    /// Where edges are told to listen for plain HTTP, if that matters.
    pub(super) edge_listens_at: Option<SocketAddr>,
    /// An address more that the site's name leads to, which the visitor uses who sees that it is broken.
    pub(super) visitors_use: Option<IpAddr>,
    /// What is asked for.
    pub(super) path: String,
    /// The host that is asked for.
    pub(super) host: &'static str,
    /// The origin's logs.
    pub(super) logs: Vec<PathBuf>,
    /// The zone's rules at a Rayline in front, as TOML.
    pub(super) rules: String,
    /// How many seconds an edge waits for an answer to begin, or for more of it.
    pub(super) edge_waits: u32,
    /// How many visits may be needed to see it.
    pub(super) visits: u32,
    /// Further options of `rayline diagnose`.
    pub(super) options: Vec<OsString>,
    /// A name that `--resolve` does not help with: a name server is among the options.
    pub(super) unresolved: bool,
    /// The namespaces that it is in.
    pub(super) way: Option<Way>,
    /// What must go on.
    keeps: Vec<Box<dyn Any + Send + Sync>>,
}

/// Namespaces: commands before a program that make it run there.
#[derive(Debug)]
pub(super) struct Way {
    /// Where the edge runs.
    pub(super) edge: Vec<OsString>,
    /// Where the edge listens.
    pub(super) edge_at: SocketAddr,
    /// Where visitors are.
    pub(super) visitor: Vec<OsString>,
    /// Where the origin is.
    pub(super) origin: Vec<OsString>,
}

impl Site {
    /// One whose origin speaks plain HTTP here.
    pub(super) fn at(origin: SocketAddr) -> Self {
        Self {
            origin,
            tls: false,
            edge_goes_to: None,
            edge_listens_at: None,
            visitors_use: None,
            path: "/".to_owned(),
            host: HOST,
            logs: Vec::new(),
            rules: String::new(),
            edge_waits: 10,
            visits: 1,
            options: Vec::new(),
            unresolved: false,
            way: None,
            keeps: Vec::new(),
        }
    }

    /// One whose origin speaks TLS here.
    pub(super) fn tls_at(origin: SocketAddr) -> Self {
        Self { tls: true, ..Self::at(origin) }
    }

    /// Asked for this.
    pub(super) fn asked(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    /// Which has this log.
    pub(super) fn log(mut self, path: impl AsRef<Path>) -> Self {
        self.logs.push(path.as_ref().to_owned());
        self
    }

    /// Which edges look for here rather than where it is.
    pub(super) fn sought_at(mut self, address: SocketAddr, tls: bool) -> Self {
        self.edge_goes_to = Some((address, tls));
        self
    }

    /// Which has these rules at a Rayline in front.
    pub(super) fn ruled(mut self, toml: &str) -> Self {
        toml.clone_into(&mut self.rules);
        self
    }

    /// Which edges wait for no longer than this, in seconds.
    pub(super) fn awaited(mut self, seconds: u32) -> Self {
        self.edge_waits = seconds;
        self
    }

    /// Whose fault may take so many visits to be seen.
    pub(super) fn visited(mut self, times: u32) -> Self {
        self.visits = times;
        self
    }

    /// In namespaces.
    pub(super) fn on(mut self, way: Way) -> Self {
        self.way = Some(way);
        self
    }

    /// Where edges are told to listen.
    pub(super) fn listening_at(mut self, address: SocketAddr) -> Self {
        self.edge_listens_at = Some(address);
        self
    }

    /// Whose name leads here too, at the same port; visitors come by here.
    pub(super) fn used_at(mut self, address: IpAddr) -> Self {
        self.visitors_use = Some(address);
        self
    }

    /// Which has another name, that nobody resolves for the program but a name server among its options.
    pub(super) fn unresolved(mut self, host: &'static str) -> Self {
        self.host = host;
        self.unresolved = true;
        self
    }

    /// With more options for the program.
    pub(super) fn options<I: Into<OsString>>(mut self, options: impl IntoIterator<Item = I>) -> Self {
        self.options.extend(options.into_iter().map(Into::into));
        self
    }

    /// Which lasts as long as this.
    pub(super) fn keeping(mut self, thing: impl Any + Send + Sync) -> Self {
        self.keeps.push(Box::new(thing));
        self
    }

    /// A visitor who stays: one request for this path, straight to the origin, that is not answered for long.
    ///
    /// # Errors
    /// curl cannot be run.
    pub(super) fn occupied(self, path: &str) -> io::Result<Self> {
        let folder = TempDir::with_prefix("rayline-lab-")?;
        let mut command = Command::new("curl");
        command.args(["--disable", "--silent", "--max-time", "60", "--noproxy", "*", "--header"]);
        command.arg(format!("Host: {}", self.host)).arg(format!("http://{}{path}", self.origin));
        let process = Process::start(command.stdin(Stdio::null()), &folder.path().join("printed.log"))?;
        Ok(self.keeping(process).keeping(folder))
    }

    /// Once there is a file of this name beside one of the site's logs, which whoever occupies it makes.
    ///
    /// # Errors
    /// There is none within twenty seconds.
    pub(super) fn until(self, name: &str) -> Result<Self, Unbuilt> {
        let deadline = Instant::now() + OCCUPIED;
        let is_there = |log: &PathBuf| log.with_file_name(name).exists();
        while !self.logs.iter().any(is_there) {
            if Instant::now() > deadline {
                return Err(io::Error::other(format!("nobody made `{name}`")).into());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(self)
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site").field("origin", &self.origin).field("path", &self.path).finish_non_exhaustive()
    }
}
