//! The proxies: a table of how each is told to do the same, and where it says what happened.
//!
//! Each is set up as a careful operator would: time-outs of 2 s, no second try, certificates held against the authority
//! that issued them, an access log with every field that may tell a cause, and whatever else it logs by itself.

use std::fmt;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::stage::Route;
use crate::tools::Tool;

mod caddy;
mod envoy;
mod haproxy;
mod nginx;
mod rayline;
mod traefik;
mod varnish;

/// One proxy.
pub(crate) struct Peer {
    pub(crate) tool: Tool,
    /// Its name in tables, before the version.
    pub(crate) title: &'static str,
    /// Why it cannot be asked for an origin, if it cannot.
    pub(crate) lacks: fn(&Route) -> Option<&'static str>,
    /// Writes what it needs, and says what is to be started: the proxy, then what reads its logs.
    pub(crate) configure: fn(&Setup) -> io::Result<Vec<Start>>,
    pub(crate) access: Log,
    pub(crate) second: Option<Log>,
    /// What else there is to know about how it was set up, in sentences.
    pub(crate) note: &'static str,
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer").field("tool", &self.tool.name).finish_non_exhaustive()
    }
}

/// A log.
pub(crate) struct Log {
    /// Its name in the folder of the proxy.
    pub(crate) file: &'static str,
    /// What it is called.
    pub(crate) title: &'static str,
    /// What one of its lines says of the cause; `None` if the line is about something else.
    pub(crate) read: fn(&str) -> Option<String>,
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").field("file", &self.file).finish_non_exhaustive()
    }
}

/// Every proxy, Rayline first, in the order of the report.
pub(crate) const PEERS: &[Peer] = &[
    rayline::PEER,
    nginx::DEBIAN,
    nginx::NEWEST,
    haproxy::PEER,
    envoy::PEER,
    caddy::DEBIAN,
    caddy::NEWEST,
    traefik::PEER,
    varnish::PEER,
];

/// What a configuration is written from.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    /// For the configuration and the logs.
    pub(crate) folder: PathBuf,
    /// Where visitors come to, without TLS.
    pub(crate) http: SocketAddr,
    pub(crate) routes: Vec<Route>,
    /// A name server that knows no name of the routes'.
    pub(crate) dns: SocketAddr,
    /// A file with the root that the origins' certificates lead to.
    pub(crate) authority: PathBuf,
}

/// How a process is started.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    /// `None` is the proxy itself.
    pub(crate) program: Option<PathBuf>,
    pub(crate) arguments: Vec<String>,
    /// The file in the folder that it prints into.
    pub(crate) output: &'static str,
}

/// Where the proxy itself prints.
const PRINTED: &str = "printed.log";

impl Start {
    /// The proxy itself.
    fn proxy<A: Into<String>>(arguments: impl IntoIterator<Item = A>) -> Self {
        Self { program: None, arguments: arguments.into_iter().map(Into::into).collect(), output: PRINTED }
    }
}

impl Setup {
    /// Writes a file of this name, and returns its path as text.
    fn write(&self, name: &str, text: &str) -> io::Result<String> {
        let path = self.folder.join(name);
        fs::write(&path, text)?;
        Ok(text_of(&path))
    }

    /// What `each` makes of every route.
    fn each(&self, each: impl Fn(&Route) -> String) -> String {
        self.routes.iter().map(each).collect()
    }
}

fn text_of(path: &Path) -> String {
    path.display().to_string()
}

fn everything(_: &Route) -> Option<&'static str> {
    None
}

/// These fields of an object, as `name=value`; those that it does not have are left out.
fn fields(object: &Value, names: &[&str]) -> String {
    let shown = names.iter().filter_map(|name| {
        let value = object.get(name)?;
        Some(format!("{name}={}", value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
    });
    shown.collect::<Vec<_>>().join(" ")
}

/// A line of a log in JSON.
fn json(line: &str) -> Option<Value> {
    serde_json::from_str(line).ok()
}
