//! The broken origins, and a proxy in front of them that is asked for each in turn.

use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rayline_testkit::{Authority, Dns, DnsAnswer, Origin, Script};
use tempfile::TempDir;

use super::essence::{essence, without_addresses};
use super::fault::{Fault, Made, Role};
use super::peer::{Log, Peer, Setup, Start};
use super::score::{Observation, Outcome, Words};
use super::visit::visit;
use crate::process::{Process, free_port};

/// An address that nobody is reached at: one of many machines, to which there are no connections.
const UNROUTABLE: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 1);
/// A name that does not exist.
const UNNAMED: &str = "gone.test";
/// How long a proxy may take until all of it works.
const READY: Duration = Duration::from_secs(20);
/// How long a line of the access log may take after the visitor has left.
const LOGGED: Duration = Duration::from_secs(6);
/// How long other lines may take after that one; nothing says that none will come.
const SETTLED: Duration = Duration::from_millis(300);
/// How often logs are looked at.
const GLANCE: Duration = Duration::from_millis(20);

/// What one host name leads to.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) fault: &'static Fault,
    /// The host name that visitors ask for.
    pub(crate) host: String,
    /// The origin's address or name.
    pub(crate) origin: String,
    pub(crate) port: u16,
    pub(crate) tls: bool,
}

impl Route {
    /// Whether the origin is known by a name, which has to be looked up.
    pub(crate) fn is_named(&self) -> bool {
        matches!(self.fault.made, Made::Unnamed)
    }
}

/// The origins. They live as long as it, and it needs the runtime that it was started in.
#[derive(Debug)]
pub(crate) struct Stage {
    routes: Vec<Route>,
    _origins: Vec<Origin>,
    dns: Dns,
    authority: PathBuf,
    folder: TempDir,
}

impl Stage {
    /// Starts the origins of these faults.
    ///
    /// # Errors
    /// A port or a certificate cannot be had.
    pub(crate) fn start(faults: impl Iterator<Item = &'static Fault>) -> io::Result<Self> {
        let folder = TempDir::with_prefix("rayline-peers-")?;
        let authority = Authority::new("Peers")?;
        let root = authority.write_to(folder.path())?;
        let (mut routes, mut origins) = (Vec::new(), Vec::new());
        for fault in faults {
            let host = format!("{}.test", fault.name);
            let script = match fault.made {
                Made::Plays(script) => Some(script()),
                Made::Presents(flaw) => Some(Script::certificate(&authority.issue(flaw, &[&host])?)),
                Made::Unroutable | Made::Unnamed => None,
            };
            let tls = script.as_ref().is_some_and(|script| script.scheme() == "https");
            let (origin, port) = match (script.map(Origin::start).transpose()?, fault.made) {
                (Some(origin), _) => {
                    let address = origin.addr();
                    origins.push(origin);
                    (address.ip().to_string(), address.port())
                }
                (None, Made::Unnamed) => (UNNAMED.to_owned(), 80),
                (None, Made::Unroutable | Made::Plays(_) | Made::Presents(_)) => (UNROUTABLE.to_string(), 80),
            };
            routes.push(Route { fault, host, origin, port, tls });
        }
        let dns = Dns::start([("elsewhere.test", DnsAnswer::address(Ipv4Addr::LOCALHOST))])?;
        Ok(Self { routes, _origins: origins, dns, authority: root, folder })
    }

    /// Starts the proxy, asks it for every origin, and ends it.
    ///
    /// # Errors
    /// It does not start, does not log, or fails where nothing is broken.
    pub(crate) async fn ask(&self, peer: &Peer, program: &Path) -> io::Result<Vec<Observation>> {
        let folder = self.folder.path().join(peer.tool.name);
        std::fs::create_dir_all(&folder)?;
        let applies = |route: &&Route| (peer.lacks)(route).is_none();
        let setup = Setup {
            folder: folder.clone(),
            http: (Ipv4Addr::LOCALHOST, free_port()?).into(),
            routes: self.routes.iter().filter(applies).cloned().collect(),
            dns: self.dns.addr(),
            authority: self.authority.clone(),
        };
        let (starts, program, copy) = ((peer.configure)(&setup)?, program.to_owned(), setup.clone());
        // Not here: some look names up before they listen, and the name server lives in this thread.
        let started = tokio::task::spawn_blocking(move || start(&program, &copy, starts)).await;
        let _running = started.map_err(io::Error::other)??;
        ready(peer, &setup).await?;
        let mut observations = Vec::new();
        for route in &self.routes {
            let outcome = match (peer.lacks)(route) {
                Some(reason) => Outcome::Inapplicable(reason),
                None => Outcome::Said(question(peer, &setup, route).await?),
            };
            observations.push(Observation { fault: route.fault.name, role: route.fault.role, outcome });
        }
        Ok(observations)
    }
}

/// Starts what has to run, the proxy first.
fn start(program: &Path, setup: &Setup, starts: Vec<Start>) -> io::Result<Vec<Process>> {
    let mut running = Vec::new();
    for (number, start) in starts.into_iter().enumerate() {
        let mut command = Command::new(start.program.as_deref().unwrap_or(program));
        command.args(start.arguments).env("HOME", &setup.folder).current_dir(&setup.folder);
        let mut process = Process::start(&mut command, &setup.folder.join(start.output))?;
        if number == 0 {
            process.listens(setup.http)?;
        }
        running.push(process);
    }
    Ok(running)
}

/// Waits until a good answer comes through it and is logged: some listen before they know their routes, and a reader of
/// logs begins where it is once it runs.
async fn ready(peer: &Peer, setup: &Setup) -> io::Result<()> {
    let deadline = Instant::now() + READY;
    let Some(good) = setup.routes.iter().find(|route| route.fault.role == Role::Success) else { return Ok(()) };
    let access = Reader::at_end(&setup.folder, &peer.access)?;
    loop {
        let visit = visit(setup.http, &good.host, "/ready").await?;
        tokio::time::sleep(SETTLED).await;
        if visit.seen.starts_with("200") && !access.lines(&good.host)?.is_empty() {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(io::Error::other(format!("is not ready: a good origin is answered for with {}", visit.seen)));
        }
    }
}

/// One request, and what is said of it in every place.
async fn question(peer: &Peer, setup: &Setup, route: &Route) -> io::Result<[Words; 4]> {
    let access = Reader::at_end(&setup.folder, &peer.access)?;
    let second = peer.second.as_ref().map(|log| Reader::at_end(&setup.folder, log)).transpose()?;
    let visit = visit(setup.http, &route.host, "/").await?;
    let expected = match route.fault.role {
        Role::Success => "200",
        Role::Own502 => "502",
        Role::Fault => "",
    };
    if !visit.seen.starts_with(expected) {
        return Err(io::Error::other(format!("{} was answered with {}", route.fault.title, visit.seen)));
    }
    let deadline = Instant::now() + LOGGED;
    while access.lines(&route.host)?.is_empty() {
        if Instant::now() > deadline {
            return Err(io::Error::other(format!("nothing is in the access log about {}", route.host)));
        }
        tokio::time::sleep(GLANCE).await;
    }
    tokio::time::sleep(SETTLED).await;
    let mut access = access.lines(&route.host)?;
    // Where there are several, whichever was written first was so by chance.
    access.sort();
    let access = access.join(" ⏎ ");
    let second = match &second {
        Some(second) => second.lines("")?.join(" ⏎ "),
        None => String::new(),
    };
    Ok([visit.seen, visit.fields, access, second].map(|said| words(&said, route)))
}

/// The names of what is behind this route are no part of what is said.
fn words(said: &str, route: &Route) -> Words {
    let target = format!("{}:{}", route.origin, route.port);
    let backend = format!("origin_{}", route.fault.name.replace('-', "_"));
    let mut said = said.replace(&target, "ORIGIN").replace(&backend, "ORIGIN").replace(&route.host, "HOST");
    if route.is_named() {
        said = said.replace(&route.origin, "ORIGIN");
    }
    let said = without_addresses(&said);
    Words { essence: essence(&said), said }
}

/// What is added to a log.
#[derive(Debug)]
struct Reader<'a> {
    path: PathBuf,
    start: usize,
    log: &'a Log,
}

impl<'a> Reader<'a> {
    fn at_end(folder: &Path, log: &'a Log) -> io::Result<Self> {
        let path = folder.join(log.file);
        Ok(Self { start: content(&path)?.len(), path, log })
    }

    /// What the whole lines say that were added and have `mark` in them.
    fn lines(&self, mark: &str) -> io::Result<Vec<String>> {
        let bytes = content(&self.path)?;
        let added = String::from_utf8_lossy(bytes.get(self.start..).unwrap_or_default()).into_owned();
        let whole = added.rsplit_once('\n').map_or("", |(whole, _)| whole);
        Ok(whole.lines().filter(|line| line.contains(mark)).filter_map(self.log.read).collect())
    }
}

fn content(path: &Path) -> io::Result<Vec<u8>> {
    match std::fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        other => other,
    }
}
