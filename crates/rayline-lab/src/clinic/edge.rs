//! Edges in front of a broken site, the visitor who sees that it is broken, and the program that is asked of it.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rayline_testkit::Flaw;
use tempfile::TempDir;

use super::case::{Case, Edge, Unbuilt, View};
use super::site::{Site, Way, authority};
use crate::net::Web;
use crate::process::free_port;
use crate::program::{Rayline, Setup, ZONE};
use crate::servers::Nginx;

/// How long a log may take to hold what it must.
const LOGGED: Duration = Duration::from_secs(10);
/// What a visitor waits at most, in seconds.
const PATIENCE: &str = "20";
/// What the program may take before it is ended, in seconds.
const LONGEST: &str = "60";

/// Timers short enough to wait for.
const LIMITS: &str = "connect_timeout = \"2s\"\nack_timeout = \"2s\"\ntls_timeout = \"2s\"";

/// nginx as a CDN: by HTTP and HTTPS, HTTP/2 included, to one origin.
const CDN: &str = "
server {
    listen @HTTP@;
    listen @HTTPS@ ssl http2;
    ssl_certificate @FOLDER@/edge.pem;
    ssl_certificate_key @FOLDER@/edge.key;
    @HTTP2@
    location / {
        @PASS@
        proxy_ssl_verify on;
        proxy_ssl_verify_depth 3;
        proxy_ssl_trusted_certificate @FOLDER@/root.pem;
        proxy_ssl_server_name on;
        proxy_ssl_name www.example.com;
    }
}
";

/// The same in a namespace, by HTTP alone.
const CDN_IN_NAMESPACE: &str = "server { listen @HTTP@; location / { @PASS@ } }";

/// How it asks the origin.
const PASS: &str = "
        proxy_pass @ORIGIN@;
        proxy_http_version 1.1;
        proxy_set_header Host $http_host;
        proxy_set_header Connection '';
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_connect_timeout 2s;
        proxy_read_timeout @WAITS@s;
";

/// What stands in front of a site, and where it is asked.
#[derive(Debug)]
pub(super) struct Standing {
    server: Server,
    /// Authorities: those whom the edge trusts, and those whom visitors trust.
    folder: TempDir,
    at: SocketAddr,
    tls: bool,
}

#[derive(Debug)]
enum Server {
    Nobody,
    Rayline(Box<Rayline>),
    Nginx(#[expect(dead_code, reason = "it is there as long as the edge stands")] Nginx),
    NginxInNamespace(#[expect(dead_code, reason = "it is there as long as the edge stands")] Web),
}

impl Standing {
    /// Puts the view's edge before a site.
    ///
    /// # Errors
    /// It is missing, or does not start.
    pub(super) fn before(site: &Site, view: &View) -> Result<Self, Unbuilt> {
        let folder = TempDir::with_prefix("rayline-lab-")?;
        authority()?.write_to(folder.path())?;
        let (server, at, tls) = match view.edge {
            Edge::None => (Server::Nobody, site.origin, site.tls),
            Edge::Gone => (Server::Nobody, (Ipv4Addr::LOCALHOST, free_port()?).into(), true),
            Edge::Rayline => {
                let rayline = rayline(site, &folder.path().join("root.pem"))?;
                match &site.way {
                    Some(way) => (Server::Rayline(Box::new(rayline)), way.edge_at, false),
                    None => {
                        let at = rayline.https()?;
                        (Server::Rayline(Box::new(rayline)), at, true)
                    }
                }
            }
            Edge::Nginx(flaw) => match &site.way {
                Some(way) => (Server::NginxInNamespace(cdn_in_namespace(site, way)?), way.edge_at, false),
                None => {
                    let nginx = cdn(site, flaw, "")?;
                    let at = nginx.https();
                    (Server::Nginx(nginx), at, true)
                }
            },
            Edge::NginxWithoutHttp2 => {
                let nginx = cdn(site, Flaw::None, "if ($server_protocol = HTTP/2.0) { return 500; }")?;
                let at = nginx.https();
                (Server::Nginx(nginx), at, true)
            }
        };
        let mut trusted = authority()?.root_pem();
        if let (Server::Rayline(rayline), true) = (&server, tls) {
            trusted.push_str(&std::fs::read_to_string(rayline.root())?);
        }
        std::fs::write(folder.path().join("trusted.pem"), trusted)?;
        Ok(Self { server, folder, at, tls })
    }

    /// Has a visitor see what the case and the view say is to be seen.
    ///
    /// # Errors
    /// It is not; with what is.
    pub(super) fn prove(&self, case: &Case, view: &View, site: &Site) -> io::Result<()> {
        let mut seen = 0;
        for _ in 0..site.visits {
            seen = self.visit(site)?;
            if seen == view.status {
                break;
            }
        }
        if seen != view.status {
            let (name, status) = (case.name, view.status);
            return Err(io::Error::other(format!("{name} ({view}): a visitor meets {seen}, not {status}")));
        }
        let deadline = Instant::now() + LOGGED;
        while !case.logged.is_empty() {
            let texts = site.logs.iter().map(|log| std::fs::read(log).unwrap_or_default());
            let text: String = texts.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect();
            if text.contains(case.logged) {
                break;
            }
            if Instant::now() > deadline {
                return Err(io::Error::other(format!("no log says `{}`:\n{text}", case.logged)));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// The status that one visitor meets; 0 if there is no answer.
    fn visit(&self, site: &Site) -> io::Result<u16> {
        if site.unresolved {
            // curl would ask the system's name servers.
            return Ok(0);
        }
        let mut command = behind(site.way.as_ref().map(|way| way.visitor.as_slice()), "curl");
        command.args(["--disable", "--silent", "--noproxy", "*", "--max-time", PATIENCE, "--output", "/dev/null"]);
        command.args(["--write-out", "%{http_code}"]).arg("--cacert").arg(self.root());
        command.arg("--resolve").arg(self.resolve(site, site.visitors_use.unwrap_or(self.at.ip())));
        let output = command.arg(self.url(site)).stdin(Stdio::null()).output()?;
        Ok(String::from_utf8_lossy(&output.stdout).parse().unwrap_or_default())
    }

    /// The program, asked of the site with what the view gives it.
    pub(super) fn diagnose(&self, program: &Path, view: &View, site: &Site) -> Command {
        let way = site.way.as_ref();
        let words = way.map(|way| if view.here { way.origin.as_slice() } else { way.visitor.as_slice() });
        let mut command = behind(words, "timeout");
        command.arg(LONGEST).arg(program).arg("diagnose").arg(self.url(site)).arg("--json");
        command.arg("--ca").arg(self.root()).args(&site.options);
        if !site.unresolved {
            for address in std::iter::once(self.at.ip()).chain(site.visitors_use) {
                command.arg("--resolve").arg(self.resolve(site, address));
            }
        }
        if view.origin {
            let scheme = if site.tls { "https" } else { "http" };
            command.arg("--origin").arg(format!("{scheme}://{}", site.origin));
        }
        if view.logs {
            // Some are made with their first line.
            command.arg("--logs").args(site.logs.iter().filter(|log| log.exists()));
        }
        if view.here {
            command.arg("--here");
        }
        if let (true, Server::Rayline(rayline)) = (view.config, &self.server) {
            command.arg("--config").arg(rayline.folder().join("rayline.toml"));
            if let Some(admin) = rayline.admin() {
                command.arg("--admin").arg(format!("http://{admin}"));
            }
        }
        command.stdin(Stdio::null());
        command
    }

    fn url(&self, site: &Site) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}:{}{}", site.host, self.at.port(), site.path)
    }

    /// Where the site's name leads, in curl's words.
    fn resolve(&self, site: &Site, address: IpAddr) -> String {
        match address {
            IpAddr::V4(address) => format!("{}:{}:{address}", site.host, self.at.port()),
            IpAddr::V6(address) => format!("{}:{}:[{address}]", site.host, self.at.port()),
        }
    }

    /// The authorities that visitors trust: the origin's, and the edge's own if it has one.
    fn root(&self) -> PathBuf {
        self.folder.path().join("trusted.pem")
    }
}

/// A program behind these words, which have it run elsewhere.
fn behind(words: Option<&[OsString]>, program: &str) -> Command {
    let mut command = Command::new("env");
    command.args(words.unwrap_or_default()).arg(program);
    command
}

/// Rayline with the site's settings.
fn rayline(site: &Site, root: &Path) -> io::Result<Rayline> {
    let (to, tls) = site.edge_goes_to.unwrap_or((site.origin, site.tls));
    let ssl = if tls { "strict" } else { "flexible" };
    let mut zone = format!("name = \"{ZONE}\"\n[zone.settings]\nproxy_read_timeout = {}\n", site.edge_waits);
    let _ = writeln!(zone, "ssl = \"{ssl}\"\norigin_http_port = {0}\norigin_https_port = {0}", to.port());
    let _ = writeln!(zone, "[[zone.dns_records]]\ntype = \"A\"\nname = \"*\"\ncontent = \"{}\"", to.ip());
    zone.push_str(&site.rules);
    let server = format!("threads = 1\norigin_ca = [\"{}\"]", root.display());
    let server = if site.rules.is_empty() { server } else { format!("{server}\nadmin = \"127.0.0.1:0\"") };
    let mut setup = Setup::new().server(&server).limits(LIMITS).zone(&zone);
    if let Some(address) = site.edge_listens_at {
        setup = setup.listeners(&format!("http = [\"{address}\"]\nhttps = [\"127.0.0.1:0\"]"));
    }
    if let Some(way) = &site.way {
        setup = setup.behind(way.edge.iter()).listeners(&format!("http = [\"{}\"]", way.edge_at));
    }
    setup.start()
}

/// nginx with the site's directives.
fn cdn(site: &Site, flaw: Flaw, http2: &str) -> Result<Nginx, Unbuilt> {
    let block = CDN.replace("@PASS@", &pass(site)).replace("@HTTP2@", http2);
    let nginx = Nginx::start_with(&block, |place| {
        authority()?.write_to(place.folder())?;
        authority()?.issue(flaw, &["www.example.com", "example.com"])?.write_to(place.folder(), "edge").map(drop)
    })?;
    Ok(nginx)
}

/// The same where the site's way has the edge.
fn cdn_in_namespace(site: &Site, way: &Way) -> Result<Web, Unbuilt> {
    let block = CDN_IN_NAMESPACE.replace("@PASS@", &pass(site)).replace("@HTTP@", &way.edge_at.to_string());
    Ok(Web::start(&way.edge, &block)?)
}

fn pass(site: &Site) -> String {
    let (to, tls) = site.edge_goes_to.unwrap_or((site.origin, site.tls));
    let origin = format!("{}://{to}", if tls { "https" } else { "http" });
    PASS.replace("@ORIGIN@", &origin).replace("@WAITS@", &site.edge_waits.to_string())
}
