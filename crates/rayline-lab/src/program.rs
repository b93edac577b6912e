//! The program under test, as people run it: `rayline serve` with a configuration file, and the log it writes.
//!
//! It knows nothing of the edge's code: what it learns, it learns from the command line, the wire and the log.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::process::{Process, run};

pub mod curl;

pub use curl::{Curl, Reply};

/// How long a line of the request log may take after the answer. Lines are written in batches.
const LOGGED: Duration = Duration::from_secs(10);
/// How long the program may take to end once nobody is served any more.
const STOPPED: Duration = Duration::from_secs(20);
/// What is printed once it listens, before the addresses.
const SERVING: &str = "serving ";

/// The zone that [`Setup::origin`] makes.
pub const ZONE: &str = "example.com";
/// A host name in [`ZONE`].
pub const HOST: &str = "www.example.com";

/// Builds the program if it is not up to date, and returns where it is. It is built once per process, and not at all if
/// `RAYLINE_PROGRAM` in the environment names one that is.
///
/// # Errors
/// It does not build.
pub fn rayline(release: bool) -> io::Result<PathBuf> {
    static DEBUG: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    static RELEASE: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let once = if release { &RELEASE } else { &DEBUG };
    once.get_or_init(|| build(release).map_err(|error| error.to_string())).clone().map_err(io::Error::other)
}

fn build(release: bool) -> io::Result<PathBuf> {
    if let Some(built) = std::env::var_os("RAYLINE_PROGRAM") {
        return Ok(built.into());
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--package", "rayline", "--message-format", "json-render-diagnostics"]);
    if release {
        command.arg("--release");
    }
    let printed = run(command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")))?;
    let artifacts = printed.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let executable =
        artifacts.filter_map(|artifact| Some(PathBuf::from(artifact.get("executable")?.as_str()?))).next_back();
    executable.ok_or_else(|| io::Error::other("cargo named no executable"))
}

/// A configuration in the making. Unless more is said, it listens on free ports of 127.0.0.1 for HTTP and HTTPS, issues
/// its own certificates, and logs into a folder of its own.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    server: String,
    limits: String,
    zones: String,
    release: bool,
    wrapper: Vec<OsString>,
    listeners: Option<String>,
    whole: Option<String>,
}

impl Setup {
    /// One without a zone yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Serves [`ZONE`] with every host in it from an origin at 127.0.0.1, with these lines in `[zone.settings]`.
    #[must_use]
    pub fn origin(self, http: SocketAddr, https: SocketAddr, settings: &str) -> Self {
        let (http_port, https_port) = (http.port(), https.port());
        let ip = http.ip();
        self.zone(&format!(
            "name = \"{ZONE}\"\n\
             [zone.settings]\norigin_http_port = {http_port}\norigin_https_port = {https_port}\n{settings}\n\
             [[zone.dns_records]]\ntype = \"A\"\nname = \"*\"\ncontent = \"{ip}\"\n",
        ))
    }

    /// Adds a zone: what stands below `[[zone]]`.
    #[must_use]
    pub fn zone(mut self, toml: &str) -> Self {
        self.zones = format!("{}[[zone]]\n{toml}\n", self.zones);
        self
    }

    /// Adds lines to `[server]`.
    #[must_use]
    pub fn server(mut self, lines: &str) -> Self {
        self.server = format!("{}{lines}\n", self.server);
        self
    }

    /// Adds lines to `[limits]`.
    #[must_use]
    pub fn limits(mut self, lines: &str) -> Self {
        self.limits = format!("{}{lines}\n", self.limits);
        self
    }

    /// Listens elsewhere: the lines `http = …` and `https = …`, of which there may be one.
    #[must_use]
    pub fn listeners(mut self, lines: &str) -> Self {
        self.listeners = Some(lines.to_owned());
        self
    }

    /// Runs this configuration, which begins with `[server]`, in place of one that is put together.
    #[must_use]
    pub fn written(mut self, toml: &str) -> Self {
        self.whole = Some(toml.replacen("[server]", "[server]\ndata_dir = \"data\"", 1));
        self
    }

    /// Runs the optimised program.
    #[must_use]
    pub fn release(mut self) -> Self {
        self.release = true;
        self
    }

    /// Runs it behind another command, such as `ip netns exec NAME`, and its visitors too.
    #[must_use]
    pub fn behind<I: Into<OsString>>(mut self, command: impl IntoIterator<Item = I>) -> Self {
        self.wrapper = command.into_iter().map(Into::into).collect();
        self
    }

    /// Starts it, and waits until it listens.
    ///
    /// # Errors
    /// It does not build or does not start; with what it printed.
    pub fn start(&self) -> io::Result<Rayline> {
        let program = rayline(self.release)?;
        let folder = TempDir::with_prefix("rayline-lab-")?;
        let file = folder.path().join("rayline.toml");
        std::fs::write(&file, self.toml())?;
        let words = self.wrapper.iter().cloned().chain([program.into_os_string()]);
        let words: Vec<OsString> = words.chain(["serve".into(), "--config".into(), file.into_os_string()]).collect();
        let (first, others) = words.split_first().ok_or_else(|| io::Error::other("no program"))?;
        let mut process = Process::start(Command::new(first).args(others), &folder.path().join("printed.log"))?;
        let line = process.until("does not serve", |process| greeting(&process.printed()))?;
        let (http, https) = (address(&line, "http://"), address(&line, "https://"));
        let admin = match self.server.contains("admin = ") {
            true => Some(process.until("opens no admin server", |process| admin(&process.printed()))?),
            false => None,
        };
        Ok(Rayline { process, http, https, admin, wrapper: self.wrapper.clone(), folder })
    }

    fn toml(&self) -> String {
        if let Some(whole) = &self.whole {
            return whole.clone();
        }
        let mut toml = String::from("[server]\n");
        toml.push_str(self.listeners.as_deref().unwrap_or("http = [\"127.0.0.1:0\"]\nhttps = [\"127.0.0.1:0\"]"));
        let _ = write!(toml, "\ndata_dir = \"data\"\ndevelopment_ca = true\n{}", self.server);
        let _ = write!(toml, "[log]\nrequests = \"requests.ndjson\"\n[limits]\n{}{}", self.limits, self.zones);
        toml
    }
}

/// The line that names the addresses, once it is whole.
fn greeting(printed: &str) -> Option<String> {
    let (whole, _) = printed.rsplit_once('\n')?;
    whole.lines().find(|line| line.starts_with(SERVING)).map(str::to_owned)
}

/// Where the admin server is, once the line that says so is whole.
fn admin(printed: &str) -> Option<SocketAddr> {
    let (whole, _) = printed.rsplit_once('\n')?;
    whole.lines().find(|line| line.starts_with("admin: ")).and_then(|line| address(line, "http://"))
}

/// The first address with this scheme.
fn address(line: &str, scheme: &str) -> Option<SocketAddr> {
    let words = line.split([' ', ',']);
    words.filter_map(|word| word.strip_prefix(scheme)).find_map(|address| address.parse().ok())
}

/// A running edge. It is killed when dropped; [`Rayline::stop`] ends it in good order.
#[derive(Debug)]
pub struct Rayline {
    process: Process,
    folder: TempDir,
    http: Option<SocketAddr>,
    https: Option<SocketAddr>,
    admin: Option<SocketAddr>,
    wrapper: Vec<OsString>,
}

impl Rayline {
    /// Where it serves plain HTTP.
    ///
    /// # Errors
    /// It does not.
    pub fn http(&self) -> io::Result<SocketAddr> {
        self.http.ok_or_else(|| io::Error::other("the edge does not serve plain HTTP"))
    }

    /// Where it serves HTTPS.
    ///
    /// # Errors
    /// It does not.
    pub fn https(&self) -> io::Result<SocketAddr> {
        self.https.ok_or_else(|| io::Error::other("the edge does not serve HTTPS"))
    }

    /// Where its admin server is, if its configuration has one.
    pub fn admin(&self) -> Option<SocketAddr> {
        self.admin
    }

    /// Its process.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// The folder of `rayline.toml` and `data`.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The root certificate of those it shows to visitors, a PEM file.
    pub fn root(&self) -> PathBuf {
        self.folder().join("data/development-ca.pem")
    }

    /// A request with curl, by plain HTTP to [`HOST`] unless more is said.
    pub fn curl(&self, path: &str) -> Curl<'_> {
        Curl::new(self, path)
    }

    /// The whole lines of the request log, as they are now.
    ///
    /// # Errors
    /// It cannot be read, or a line is not JSON.
    pub fn log(&self) -> io::Result<Vec<Value>> {
        let text = match std::fs::read_to_string(self.folder().join("data/requests.ndjson")) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole.lines().map(|line| serde_json::from_str(line).map_err(io::Error::other)).collect()
    }

    /// Waits until the request log satisfies `found`.
    ///
    /// # Errors
    /// It does not within ten seconds; with its last lines.
    pub fn log_until<T>(&self, mut found: impl FnMut(&[Value]) -> Option<T>) -> io::Result<T> {
        let deadline = std::time::Instant::now() + LOGGED;
        loop {
            let log = self.log()?;
            if let Some(found) = found(&log) {
                return Ok(found);
            }
            if std::time::Instant::now() > deadline {
                let last: Vec<String> = log.iter().rev().take(3).map(Value::to_string).collect();
                let printed = self.process.printed();
                return Err(io::Error::other(format!("not in the log: {}\n{printed}", last.join("\n"))));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The line of the request with this Ray ID.
    ///
    /// # Errors
    /// There is none within ten seconds.
    pub fn record(&self, ray: &str) -> io::Result<Value> {
        self.log_until(|log| log.iter().find(|line| line.get("RayID").is_some_and(|id| id == ray)).cloned())
    }

    /// Runs it on another configuration: with other zones or limits, on the same listeners.
    ///
    /// # Errors
    /// It does not take it.
    pub fn reload(&mut self, setup: &Setup) -> io::Result<()> {
        let said = "running on version";
        let before = self.process.printed().matches(said).count();
        std::fs::write(self.folder().join("rayline.toml"), setup.toml())?;
        self.process.signal("HUP")?;
        self.process
            .until("does not reload", |process| (process.printed().matches(said).count() > before).then_some(()))
    }

    /// Tells it to stop, waits for its end, and returns the whole log.
    ///
    /// # Errors
    /// It does not end, or not well.
    pub fn stop(mut self) -> io::Result<Vec<Value>> {
        self.process.signal("TERM")?;
        let status = self.process.wait(STOPPED)?;
        if status.success() {
            self.log()
        } else {
            Err(io::Error::other(format!("ended with {status}: {}", self.process.printed())))
        }
    }
}
