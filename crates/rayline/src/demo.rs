//! `rayline demo`: a real edge in front of a row of real, deliberately broken origins, all on loopback.

mod exhibits;
mod page;
mod traffic;
mod websocket;

use std::fmt::Write as _;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::time::{Duration, SystemTime};

use rayline_config::Source;
use rayline_observe::{TailFilter, Tailed};
use rayline_testkit::{Answer, Authority, Body, Dns, Origin, Reserved, Script};
use serde_json::json;

use crate::cli::{ADMIN, DemoArgs, Global};
use crate::output::{self, BOLD, Exit};
use crate::serve::{Signals, show};
use crate::service::{Reload, Service, TOKEN_FILE};
use crate::tail::printer::Printer;
use exhibits::{BROKEN_BY_A_RULE, Exhibit, NOT_SHOWN, PROXY, Place};
use websocket::Echo;

/// Where visitors connect, if nothing else does.
const HTTP: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
const HTTPS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8443);
/// The demo does not make people wait for the real timers.
const LIMITS: &str = "connect_timeout = \"2s\"\ntls_timeout = \"2s\"\nack_timeout = \"2s\"\nwrite_timeout = \"2s\"\n\
                      resolve_timeout = \"2s\"\ntcp_keepalive = \"1s\"\nwebsocket_idle_timeout = \"3s\"\n";
const PATIENCE: &str = "client_head_timeout = \"2s\"\nclient_body_timeout = \"2s\"\nclient_write_timeout = \"2s\"\n";
/// The file in the demo's folder that its alerts are told to.
const TOLD: &str = "alerts.ndjson";
/// Longer than the time in which a vanished origin is missed, so that both can be seen.
const READ_TIMEOUT: u64 = 5;
const DRAIN: Duration = Duration::from_secs(1);

pub(crate) fn run(args: &DemoArgs, global: &Global) -> io::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(show_all(args, global))
}

async fn show_all(args: &DemoArgs, global: &Global) -> io::Result<Exit> {
    let mut signals = Signals::new()?;
    let folder = tempfile::Builder::new().prefix("rayline-demo-").tempdir()?;
    let addresses = Addresses::choose(args)?;
    let demo = Demo::build(folder.path(), &addresses).await?;
    let source = Source { name: "demo.toml".to_owned(), text: demo.toml.clone(), base: folder.path().to_owned() };
    let (plan, problems) = rayline_config::compile(&source, SystemTime::now());
    let Some(plan) = plan else {
        show(&source, &problems);
        return Ok(Exit::CouldNotRun);
    };
    let service = match Service::start(plan, Reload::Fixed { running: source.text.clone() }) {
        Ok(service) => service,
        Err(problem) => {
            output::fail(&problem, None);
            return Ok(Exit::CouldNotRun);
        }
    };
    let plays = traffic::planned(&demo.exhibits);
    demo.greet(&addresses, &service, folder.path(), plays.len(), global)?;
    // it ends with the demo, or before
    let _traffic = traffic::send(plays, addresses.http);
    let mut lines = service.observer().subscribe(TailFilter::default());
    let mut printer = Printer::new(global);
    loop {
        tokio::select! {
            () = signals.stop() => break,
            line = lines.next() => match line {
                // as JSON all is told; people read what they did themselves
                Some(Tailed::Line(line)) if !global.json && traffic::is_own(&line) => {}
                Some(Tailed::Line(line)) => printer.record(&line, &TailFilter::default())?,
                Some(Tailed::Missed(count)) => output::say(&format!("{count} lines were missed")),
                None => break,
            },
        }
    }
    // The origins are on this thread: they must go on while the edge finishes with them.
    let _ = tokio::task::spawn_blocking(move || service.stop(DRAIN)).await;
    drop(demo);
    folder.close()?;
    output::say("the demo has ended and left nothing behind");
    Ok(Exit::Fine)
}

/// Where the demo listens.
struct Addresses {
    http: SocketAddr,
    https: SocketAddr,
    admin: SocketAddr,
    /// Kept from everybody who takes any free port, this program's own origins included, until the edge has them.
    _held: Vec<Reserved>,
}

impl Addresses {
    fn choose(args: &DemoArgs) -> io::Result<Self> {
        let mut held = Vec::new();
        // The start page names the ports, so port 0 is turned into a number before the edge is started.
        let mut choose = |named: Option<SocketAddr>, usual| {
            let reserved = match named {
                Some(named) if named.port() != 0 => return Ok(named),
                Some(any) => Reserved::on(any)?,
                None if TcpListener::bind(usual).is_ok() => return Ok(usual),
                None => Reserved::new()?,
            };
            reserved.lend()?;
            let address = reserved.addr();
            held.push(reserved);
            Ok::<_, io::Error>(address)
        };
        // Whoever says where to listen may run several demos: the usual port for HTTPS is for the first alone.
        let https = args.listen.map(|listen| SocketAddr::new(listen.ip(), 0));
        let (http, https, admin) = (choose(args.listen, HTTP)?, choose(https, HTTPS)?, choose(args.admin, ADMIN)?);
        Ok(Self { http, https, admin, _held: held })
    }
}

/// An exhibit that cannot be shown on this machine.
struct Missing {
    exhibit: Exhibit,
    why: String,
}

/// Those that this machine and its user can show, and the others with the reason.
fn possible(exhibits: Vec<Exhibit>) -> (Vec<Exhibit>, Vec<Missing>) {
    let Err(error) = rayline_testkit::can_vanish() else { return (exhibits, Vec::new()) };
    let vanishes = |exhibit: &Exhibit| matches!(&exhibit.place, Place::Origin(script) if script.vanishes());
    let (missing, possible) = exhibits.into_iter().partition(vanishes);
    let why = error.to_string();
    let missing: Vec<Exhibit> = missing;
    (possible, missing.into_iter().map(|exhibit| Missing { exhibit, why: why.clone() }).collect())
}

/// Everything behind the edge, and the edge's configuration.
struct Demo {
    exhibits: Vec<Exhibit>,
    missing: Vec<Missing>,
    toml: String,
    /// They play as long as they live.
    _origins: Vec<Origin>,
    _echo: Echo,
    _dns: Dns,
}

impl Demo {
    async fn build(folder: &Path, addresses: &Addresses) -> io::Result<Self> {
        let authority = Authority::new("Rayline demo CA")?;
        std::fs::write(folder.join("origin-ca.pem"), authority.root_pem())?;
        let (exhibits, missing) = possible(exhibits::all(&authority, &["*.demo.localhost"])?);
        // After the certificates: the list names those that were revoked by then.
        std::fs::write(folder.join("origin.crl"), authority.crl_pem()?)?;
        let place = page::Place { http_port: addresses.http.port(), https_port: addresses.https.port() };
        let dns = Dns::start(exhibits.iter().filter_map(|exhibit| match &exhibit.place {
            Place::Content(name, Some(answer)) => Some((*name, answer.clone())),
            Place::Content(_, None)
            | Place::Origin(_)
            | Place::Edge
            | Place::DnsOnly
            | Place::Fine
            | Place::Ruled(_)
            | Place::Echo => None,
        }))?;
        let mut toml = format!(
            "[server]\nhttp = [\"{}\"]\nhttps = [\"{}\"]\nadmin = \"{}\"\ndata_dir = \"data\"\ncolo = \"DMO\"\n\
             development_ca = true\ndrain_timeout = \"1s\"\norigin_ca = [\"origin-ca.pem\"]\norigin_crl = [\"origin.crl\"]\n\
             resolvers = [\"{}\"]\nproxy_protocol = \"any\"\ntrusted_proxies = [\"{PROXY}\"]\n{PATIENCE}[limits]\n{LIMITS}[log]\nrequests = \"requests.ndjson\"\n",
            addresses.http,
            addresses.https,
            addresses.admin,
            dns.addr()
        );
        toml.push_str(&alerts(&folder.join(TOLD)));
        let html = page::render(&exhibits, &missing, &place);
        let start = Answer::status(200)
            .field("Content-Type", "text/html; charset=utf-8")
            .field("Cache-Control", "no-store")
            .body(Body::Bytes(html.into()));
        let start = Origin::start(Script::answer("start", "shows the start page", start))?;
        let works = Origin::start(Script::ok())?;
        let echo = Echo::start().await?;
        zone(&mut toml, "demo.localhost", "flexible", "127.0.0.1", start.addr().port(), true);
        let mut origins = Vec::new();
        for exhibit in &exhibits {
            let (content, port, proxied) = match &exhibit.place {
                Place::Origin(script) => {
                    let origin = Origin::start((**script).clone())?;
                    let port = origin.addr().port();
                    origins.push(origin);
                    ("127.0.0.1", port, true)
                }
                Place::Content(content, _) => (*content, works.addr().port(), true),
                Place::Edge => ("127.0.0.1", addresses.http.port(), true),
                Place::DnsOnly => ("127.0.0.1", works.addr().port(), false),
                Place::Fine | Place::Ruled(_) => ("127.0.0.1", works.addr().port(), true),
                Place::Echo => ("127.0.0.1", echo.addr().port(), true),
            };
            zone(&mut toml, &format!("{}.demo.localhost", exhibit.name), exhibit.ssl, content, port, proxied);
            if let Place::Ruled(rules) = &exhibit.place {
                toml.push_str(rules);
            }
        }
        origins.extend([start, works]);
        Ok(Self { exhibits, missing, toml, _origins: origins, _echo: echo, _dns: dns })
    }

    /// Prints what to open and try: for people, or as one JSON object.
    fn greet(
        &self,
        addresses: &Addresses,
        service: &Service,
        folder: &Path,
        own: usize,
        global: &Global,
    ) -> io::Result<()> {
        let place = page::Place { http_port: addresses.http.port(), https_port: addresses.https.port() };
        let start = format!("http://demo.localhost:{}/", place.http_port);
        let token = folder.join("data").join(TOKEN_FILE);
        // a quarter of an hour is all that a demo has to show at first
        let dashboard = service.login_link("/?from=-15m")?;
        if global.json {
            let exhibits: Vec<_> = self
                .exhibits
                .iter()
                .map(|exhibit| {
                    json!({
                        "url": page::url(exhibit, &place),
                        "code": exhibit.code,
                        "number": page::number(exhibit),
                        "what": exhibit.what,
                        "command": page::command(exhibit, &place),
                    })
                })
                .collect();
            let missing = self.missing.iter().map(
                |missing| json!({ "code": missing.exhibit.code, "what": missing.exhibit.what, "why": missing.why }),
            );
            let never = NOT_SHOWN.iter().map(|(code, why)| json!({ "code": code, "why": why }));
            let missing: Vec<_> = missing.chain(never).collect();
            let admin = service.admin().map(|admin| format!("http://{admin}"));
            let demo = json!({ "dashboard": dashboard, "token_file": token, "start": start, "admin": admin, "folder": folder, "exhibits": exhibits, "not_shown": missing });
            let mut out = output::stdout();
            serde_json::to_writer(&mut out, &demo)?;
            return io::Write::write_all(&mut out, b"\n");
        }
        output::say(&format!(
            "{} is running, with {} things to see",
            output::styled(BOLD, "rayline demo"),
            self.exhibits.len()
        ));
        if let Some(dashboard) = &dashboard {
            output::say(&format!("\n  dashboard   {}", output::styled(BOLD, dashboard)));
            output::say("              logs one browser in, once, within ten minutes; after that the token does:");
            output::say(&format!("              {}", token.display()));
        }
        output::say(&format!("\n  open   {}\n", output::styled(BOLD, &start)));
        output::say(&format!("  try    curl -i http://refused.demo.localhost:{}/", place.http_port));
        output::say("         rayline explain 521");
        if let Some(admin) = service.admin() {
            let (token, port) = (token.display(), place.http_port);
            output::say(&format!("         RAYLINE_TOKEN=$(cat '{token}') rayline bisect --admin http://{admin} \\"));
            output::say(&format!("           http://{BROKEN_BY_A_RULE}.demo.localhost:{port}/"));
        }
        for missing in &self.missing {
            output::say(&format!("  not shown here: {}, because {}", missing.exhibit.name, missing.why));
        }
        output::say(&format!("  folder {} (configuration and log, removed at the end)", folder.display()));
        output::say(&format!("  alerts are told to {}", folder.join(TOLD).display()));
        output::say(&format!(
            "\nthe demo sends {own} requests of its own over the next {} s, so that the dashboard has something to show",
            traffic::LENGTH.as_secs()
        ));
        output::say("your requests appear below; Ctrl-C ends the demo\n");
        std::fs::write(folder.join("demo.toml"), &self.toml)
    }
}

/// Alerts of what fails much and of certificates that end, told to a file: a command that appends what it is told.
fn alerts(file: &Path) -> String {
    let command = ["/bin/sh", "-c", r#"{ cat; echo; } >> "$0""#, &file.display().to_string()];
    // what is a string in JSON is one in TOML
    let command = json!(command);
    format!(
        "[[alert]]\nname = \"fails-much\"\nalert_type = \"failure_rate\"\nthreshold = 50\nmin_requests = 20\n\
         receivers = [\"file\"]\n[[alert]]\nname = \"certificate-ends\"\nalert_type = \"certificate\"\nbefore = \"14d\"\n\
         receivers = [\"file\"]\n[[alert_receiver]]\nname = \"file\"\ntype = \"command\"\ncommand = {command}\n"
    )
}

/// Adds a zone of one record.
fn zone(toml: &mut String, name: &str, ssl: &str, content: &str, port: u16, proxied: bool) {
    let kind = if content.parse::<Ipv4Addr>().is_ok() { "A" } else { "CNAME" };
    // Writing into a string does not fail.
    let _ = write!(
        toml,
        "\n[[zone]]\nname = \"{name}\"\n[zone.settings]\nssl = \"{ssl}\"\norigin_http_port = {port}\n\
         origin_https_port = {port}\nproxy_read_timeout = {READ_TIMEOUT}\n\
         [[zone.dns_records]]\ntype = \"{kind}\"\nname = \"@\"\ncontent = \"{content}\"\nproxied = {proxied}\n"
    );
}
