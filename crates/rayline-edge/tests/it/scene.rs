//! One edge in front of one origin, and everything that can be seen of a request through it.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use rayline_config::{Plan, Source};
use rayline_edge::{Edge, Sink};
use rayline_observe::{Lane, Observer, Options, Target};
use rayline_testkit::{Authority, Origin, Response, Script, TlsVisitor, Visitor};
use rayline_verdict::Record;
use serde_json::Value;
use tempfile::TempDir;

mod blame;

pub(crate) use blame::{Blame, FORMATS};

/// The zone of every scene, and the host name asked for.
pub(crate) const HOST: &str = "shop.test";
/// The longest a record may take to be in the log.
const LOG_PATIENCE: Duration = Duration::from_secs(3);

/// Whether scenes can have an origin that vanishes from the network; says why not, where they cannot.
pub(crate) fn can_vanish() -> bool {
    rayline_testkit::can_vanish().inspect_err(|error| eprintln!("skipped: {error}")).is_ok()
}

/// A scene being set up.
pub(crate) struct Setup {
    origin: Option<Origin>,
    /// What stands in the zone's record instead of the origin's address.
    content: Option<String>,
    /// The origin's port, where there is no origin to ask.
    port: u16,
    http: &'static str,
    server: Vec<String>,
    limits: Vec<String>,
    zone: Vec<String>,
    settings: Vec<String>,
    more: String,
    https: bool,
    origin_is_tls: bool,
    folder: TempDir,
}

/// A running edge with its origin, log and metrics.
pub(crate) struct Scene {
    pub(crate) edge: Edge,
    pub(crate) origin: Option<Origin>,
    pub(crate) http: SocketAddr,
    pub(crate) https: Option<SocketAddr>,
    pub(crate) observer: Observer,
    pub(crate) folder: TempDir,
    /// The configuration it was started with.
    pub(crate) toml: String,
}

struct IntoLane(Lane);

impl Sink for IntoLane {
    fn record(&mut self, record: &Record) {
        self.0.record(record);
    }
}

impl Scene {
    /// A scene whose origin plays this script.
    pub(crate) fn with(script: Script) -> Setup {
        let origin_is_tls = script.scheme() == "https";
        let origin = Origin::start(script).expect("an origin on loopback");
        Setup { origin: Some(origin), ..Setup::bare(origin_is_tls) }
    }

    /// A scene without an origin: the record holds `content` instead, an address or a name.
    pub(crate) fn pointing_to(content: &str) -> Setup {
        Setup { content: Some(content.to_owned()), ..Setup::bare(false) }
    }

    /// A scene whose origin is played by the test itself.
    pub(crate) fn before(origin: SocketAddr) -> Setup {
        Setup { port: origin.port(), ..Self::pointing_to(&origin.ip().to_string()) }
    }
}

impl Setup {
    fn bare(origin_is_tls: bool) -> Self {
        Self {
            origin: None,
            content: None,
            port: 9,
            http: "127.0.0.1:0",
            server: vec!["threads = 1".to_owned(), "colo = \"TST\"".to_owned()],
            limits: Vec::new(),
            zone: Vec::new(),
            settings: Vec::new(),
            more: String::new(),
            https: false,
            origin_is_tls,
            folder: TempDir::new().expect("a temporary folder"),
        }
    }

    /// The addresses of the HTTP listeners, with `", "` between.
    pub(crate) fn listen(mut self, http: &'static str) -> Self {
        self.http = http;
        self
    }

    /// A key of `[server]`, its value as TOML.
    pub(crate) fn server(mut self, key: &str, value: &str) -> Self {
        self.server.push(format!("{key} = {value}"));
        self
    }

    /// A time-out or a size of `[limits]`: a number is taken as it is, anything else as text.
    pub(crate) fn limit(mut self, key: &str, value: &str) -> Self {
        self.limits.push(toml_line(key, value));
        self
    }

    /// A key of the zone itself, its value as TOML.
    pub(crate) fn zone(mut self, key: &str, value: &str) -> Self {
        self.zone.push(format!("{key} = {value}"));
        self
    }

    /// A setting of the zone: a number is taken as it is, anything else as text.
    pub(crate) fn setting(mut self, key: &str, value: &str) -> Self {
        self.settings.push(toml_line(key, value));
        self
    }

    /// A setting of the zone that is text, be it a number.
    pub(crate) fn word(mut self, key: &str, value: &str) -> Self {
        self.settings.push(format!("{key} = \"{value}\""));
        self
    }

    /// Configuration behind the zone's: more records, more zones.
    pub(crate) fn also(mut self, toml: &str) -> Self {
        self.more.push_str(toml);
        self.more.push('\n');
        self
    }

    /// Visitors are served over HTTPS too, with a certificate of the development CA.
    pub(crate) fn https(mut self) -> Self {
        self.https = true;
        self.server("https", "[\"127.0.0.1:0\"]").server("development_ca", "true")
    }

    /// The folder that relative paths of the configuration start at.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A file that the scene's origins' certificates are trusted by.
    pub(crate) fn trusting(self, authority: &Authority) -> Self {
        let path = self.folder().join("origin-ca.pem");
        std::fs::write(&path, authority.root_pem()).expect("a file in the folder");
        self.server("origin_ca", "[\"origin-ca.pem\"]")
    }

    fn toml(&self) -> String {
        let (content, port) = match (&self.content, &self.origin) {
            (Some(content), origin) => {
                (content.clone(), origin.as_ref().map_or(self.port, |origin| origin.addr().port()))
            }
            (None, Some(origin)) => (origin.addr().ip().to_string(), origin.addr().port()),
            (None, None) => ("127.0.0.1".to_owned(), 9),
        };
        let kind = match content.parse::<std::net::IpAddr>() {
            Ok(ip) if ip.is_ipv4() => "A",
            Ok(_) => "AAAA",
            Err(_) => "CNAME",
        };
        let ssl = if self.settings.iter().any(|line| line.starts_with("ssl ")) {
            ""
        } else if self.origin_is_tls {
            "ssl = \"origin_pull\""
        } else {
            "ssl = \"flexible\""
        };
        format!(
            "[server]\nhttp = [\"{}\"]\ndata_dir = \"data\"\n{}\n[limits]\n{}\n[[zone]]\nname = \"{HOST}\"\n{}\n\
             [zone.settings]\n{ssl}\norigin_http_port = {port}\norigin_https_port = {port}\n{}\n\
             [[zone.dns_records]]\ntype = \"{kind}\"\nname = \"@\"\ncontent = \"{content}\"\nproxied = true\n{}",
            self.http,
            self.server.join("\n"),
            self.limits.join("\n"),
            self.zone.join("\n"),
            self.settings.join("\n"),
            self.more
        )
    }

    /// Starts the edge.
    #[track_caller]
    pub(crate) fn start(self) -> Scene {
        let toml = self.toml();
        let plan = compile(&toml, self.folder.path());
        let options = Options { log: Target::File(self.folder.path().join("log")), lanes: 1, lane_capacity: 1024 };
        let (observer, lanes) = Observer::start(options).expect("a log in the folder");
        let sinks = lanes.into_iter().map(|lane| Box::new(IntoLane(lane)) as Box<dyn Sink>).collect();
        let edge = Edge::start(plan, sinks).unwrap_or_else(|error| panic!("{error}"));
        Scene {
            http: edge.http()[0],
            https: edge.https().first().copied(),
            edge,
            origin: self.origin,
            observer,
            folder: self.folder,
            toml,
        }
    }
}

/// The zone's rules of one phase, for [`Setup::also`]: each rule is the keys of its table, in lines.
pub(crate) fn ruleset(phase: &str, rules: &[&str]) -> String {
    let rules: String = rules.iter().map(|rule| format!("[[zone.rulesets.rules]]\n{rule}\n")).collect();
    format!("[[zone.rulesets]]\nphase = \"{phase}\"\n{rules}")
}

#[track_caller]
fn compile(toml: &str, base: &Path) -> Plan {
    let source = Source { name: "scene.toml".to_owned(), text: toml.to_owned(), base: base.to_owned() };
    let (plan, problems) = rayline_config::compile(&source, SystemTime::now());
    let shown: Vec<String> = problems.iter().map(|problem| problem.render(&source, false)).collect();
    plan.unwrap_or_else(|| panic!("{}", shown.join("\n")))
}

fn toml_line(key: &str, value: &str) -> String {
    if value.parse::<u64>().is_ok() { format!("{key} = {value}") } else { format!("{key} = \"{value}\"") }
}

impl Scene {
    /// A request as bytes, its method and host by the scene.
    pub(crate) fn request(method: &str, target: &str, more: &str) -> String {
        format!("{method} {target} HTTP/1.1\r\nHost: {HOST}\r\n{more}Connection: close\r\n\r\n")
    }

    /// Connects as a visitor over HTTP.
    pub(crate) async fn visitor(&self) -> Visitor {
        Visitor::connect(self.http).await.expect("the edge accepts")
    }

    /// Connects as a visitor over HTTPS that trusts the development CA and asks for the scene's host.
    pub(crate) async fn tls_visitor(&self) -> Visitor {
        self.tls_visitor_as(HOST).await
    }

    /// The same with another server name.
    pub(crate) async fn tls_visitor_as(&self, name: &str) -> Visitor {
        let address = self.https.expect("a scene with https()");
        let root = std::fs::read_to_string(self.folder.path().join("data/development-ca.pem")).expect("the CA's root");
        let tls = TlsVisitor::new(name).trusting_pem(&root).expect("a root");
        Visitor::connect_tls(address, &tls).await.expect("a handshake")
    }

    /// The plan that another configuration comes to, for [`Edge::reload`].
    #[track_caller]
    pub(crate) fn plan(&self, toml: &str) -> Plan {
        compile(toml, self.folder.path())
    }

    /// One GET, on a connection of its own.
    pub(crate) async fn get(&self, target: &str, more: &str) -> Response {
        let mut visitor = self.visitor().await;
        visitor.send(Self::request("GET", target, more)).await.expect("the edge reads");
        visitor.read_response("GET").await
    }

    /// The record of an answer, by its Ray ID.
    pub(crate) async fn record_of(&self, response: &Response) -> Value {
        let field = response.field("cf-ray");
        let head = String::from_utf8_lossy(&response.raw_head).into_owned();
        let ray =
            field.unwrap_or_else(|| panic!("no cf-ray in {head:?}")).split('-').next().expect("digits").to_owned();
        self.record_where(|record| record["RayID"] == ray.as_str()).await
    }

    /// The first record that `wanted` picks, as soon as it is in the log.
    pub(crate) async fn record_where(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + LOG_PATIENCE;
        loop {
            let records = self.records();
            if let Some(record) = records.iter().find(|record| wanted(record)) {
                return record.clone();
            }
            assert!(Instant::now() < deadline, "no such record among {records:#?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// All records so far.
    pub(crate) fn records(&self) -> Vec<Value> {
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let whole = log.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.edge.stop(Duration::ZERO);
    }
}
