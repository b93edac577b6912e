//! `rayline serve`: runs the edge until it is told to stop, and on another plan when it is told to read again.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rayline_config::{LogTarget, Plan, Problem, Source};
use rayline_observe::Target;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::cli::{Global, ServeArgs};
use crate::config_file;
use crate::output::{self, Exit};
use crate::service::{Reload, ReloadProblem, Reloaded, Service, TOKEN_FILE};
use crate::watch::Watch;

pub(crate) fn run(args: &ServeArgs, _global: &Global) -> io::Result<Exit> {
    let (plan, reload) = match plan(args)? {
        Ok(found) => found,
        Err(exit) => return Ok(exit),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(serve(plan, reload))
}

/// The plan to run and where it comes from again; or how to exit, when what is wrong has been shown.
fn plan(args: &ServeArgs) -> io::Result<Result<(Plan, Reload), Exit>> {
    let overridden = Overridden { admin: args.admin, log: args.log.as_ref().map(|log| log.0.clone()) };
    if let (Some(zone), Some(origin)) = (&args.zone, &args.origin) {
        return Ok(match rayline_config::one_zone(zone, origin, args.listen, None) {
            Ok(mut plan) => {
                overridden.apply(&mut plan);
                Ok((plan, Reload::Fixed { running: String::new() }))
            }
            Err(problems) => {
                show(&Source { name: "command line".to_owned(), text: String::new(), base: PathBuf::new() }, &problems);
                Err(Exit::Usage)
            }
        });
    }
    let Some(path) = config_file::find(args.config.as_deref()) else {
        output::fail(
            "there is no configuration: neither `rayline.toml` here nor `/etc/rayline/rayline.toml`",
            Some("name one with `--config FILE`, or serve one zone with `--zone NAME --origin URL`"),
        );
        return Ok(Err(Exit::Usage));
    };
    let source = config_file::read(&path)?;
    let (plan, problems) = rayline_config::compile(&source, SystemTime::now());
    show(&source, &problems);
    Ok(match plan {
        Some(mut plan) => {
            overridden.apply(&mut plan);
            Ok((plan, Reload::File { path, running: source.text, overridden }))
        }
        None => Err(Exit::Fault),
    })
}

/// What the command line says whatever the configuration says.
#[derive(Clone, Debug)]
pub(crate) struct Overridden {
    admin: Option<SocketAddr>,
    log: Option<Target>,
}

impl Overridden {
    pub(crate) fn apply(&self, plan: &mut Plan) {
        if self.admin.is_some() {
            plan.server.admin = self.admin;
        }
        match &self.log {
            None => {}
            Some(Target::File(path)) => plan.log.requests = LogTarget::File(path.clone()),
            Some(Target::Stdout) => plan.log.requests = LogTarget::Stdout,
            Some(Target::Off) => plan.log.requests = LogTarget::Off,
        }
    }
}

/// Shows problems on standard error.
pub(crate) fn show(source: &Source, problems: &[Problem]) {
    for problem in problems {
        output::say(&format!("{}\n", problem.render(source, true)));
    }
}

async fn serve(plan: Plan, reload: Reload) -> io::Result<Exit> {
    let mut signals = Signals::new()?;
    let drain = plan.server.drain_timeout;
    let greeting = Greeting::of(&plan, &reload);
    let service = match Service::start(plan, reload.clone()) {
        Ok(service) => service,
        Err(problem) => {
            output::fail(&problem, None);
            return Ok(Exit::CouldNotRun);
        }
    };
    greeting.say(&service);
    let mut watch = watch(&reload);
    loop {
        tokio::select! {
            told = signals.next() => match told {
                Told::Stop => break,
                Told::Hangup => tell(service.reload()),
                Told::User1 => service.observer().reopen(),
            },
            () = changed(&mut watch) => service.reload_if_changed().into_iter().for_each(tell),
        }
    }
    output::say(&format!("stopping: no more visitors, up to {} s for those there are", drain.as_secs()));
    stop(service, drain, &mut signals).await;
    Ok(Exit::Fine)
}

fn watch(reload: &Reload) -> Option<Watch> {
    let Reload::File { path, running, .. } = reload else { return None };
    match Watch::start(path, running) {
        Ok(watch) => Some(watch),
        Err(error) => {
            output::say(&format!("the configuration is not watched for changes ({error}); SIGHUP reads it again"));
            None
        }
    }
}

async fn changed(watch: &mut Option<Watch>) {
    match watch {
        Some(watch) => watch.changed().await,
        None => std::future::pending().await,
    }
}

/// Stops, at once if told to a second time.
async fn stop(service: Service, drain: std::time::Duration, signals: &mut Signals) {
    let edge = std::sync::Arc::clone(service.edge());
    let mut stopping = tokio::task::spawn_blocking(move || service.stop(drain));
    tokio::select! {
        _ = &mut stopping => {}
        () = signals.stop() => {
            output::say("stopping at once");
            edge.hurry();
            let _ = stopping.await;
        }
    }
}

fn tell(outcome: Result<Reloaded, ReloadProblem>) {
    match outcome {
        Ok(reloaded) => {
            show(&reloaded.source, &reloaded.warnings);
            for key in reloaded.needs_restart {
                output::say(&format!("`{key}` has changed, which takes effect after a restart"));
            }
            let version = reloaded.version;
            output::say(&match reloaded.is_new {
                true => format!("running on version {version} of the configuration"),
                false => format!(
                    "the configuration has not changed: version {version} runs on, and the files that it names were read again"
                ),
            });
        }
        Err(problem) => {
            match &problem {
                ReloadProblem::Problems(source, problems) => show(source, problems),
                ReloadProblem::Unreadable(why) => output::fail(why, None),
                ReloadProblem::CannotStart(error) => output::fail(&error.to_string(), None),
                ReloadProblem::NothingToRead => output::say("there is no configuration file to read again"),
            }
            output::say("nothing has changed: the edge runs on as before");
        }
    }
}

/// What is said at the start.
struct Greeting {
    from: String,
    zones: Vec<String>,
    log: String,
    every_host: bool,
    token: PathBuf,
}

impl Greeting {
    fn of(plan: &Plan, reload: &Reload) -> Self {
        Self {
            from: reload.path().map_or_else(|| "the command line".to_owned(), |path| path.display().to_string()),
            zones: plan.zones.iter().map(|zone| zone.name.clone()).collect(),
            log: match &plan.log.requests {
                LogTarget::File(path) => path.display().to_string(),
                LogTarget::Stdout => "standard output".to_owned(),
                LogTarget::Off => "off".to_owned(),
            },
            every_host: reload.path().is_none(),
            token: plan.server.data_dir.join(TOKEN_FILE),
        }
    }

    fn say(&self, service: &Service) {
        let urls = |scheme: &str, addresses: Vec<SocketAddr>| -> Vec<String> {
            addresses.into_iter().map(|address| format!("{scheme}://{}", reachable(address))).collect()
        };
        let mut served = urls("http", service.edge().http());
        served.extend(urls("https", service.edge().https()));
        let hosts = if self.every_host { " (every host name)" } else { "" };
        output::say(&format!("serving {}{hosts} on {}", self.zones.join(", "), served.join(", ")));
        output::say(&format!("configuration: {}; request log: {}", self.from, self.log));
        match service.admin() {
            Some(admin) => {
                output::say(&format!("admin: http://{admin} (the dashboard; its token is in {})", self.token.display()))
            }
            None => output::say(
                "admin: off (`admin` under `[server]`, or `--admin 127.0.0.1:8787`, opens the dashboard and the API)",
            ),
        }
    }
}

/// An address that a person on this machine can connect to.
pub(crate) fn reachable(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => SocketAddr::new(Ipv4Addr::LOCALHOST.into(), address.port()),
        IpAddr::V6(ip) if ip.is_unspecified() => SocketAddr::new(std::net::Ipv6Addr::LOCALHOST.into(), address.port()),
        _ => address,
    }
}

/// The signals that a running edge obeys.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    user1: Signal,
}

impl Signals {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            user1: signal(SignalKind::user_defined1())?,
        })
    }

    /// Waits to be told to stop, by SIGTERM or Ctrl-C.
    pub(crate) async fn stop(&mut self) {
        while self.next().await != Told::Stop {}
    }

    async fn next(&mut self) -> Told {
        let Self { terminate, interrupt, hangup, user1 } = self;
        tokio::select! {
            _ = terminate.recv() => Told::Stop,
            _ = interrupt.recv() => Told::Stop,
            _ = hangup.recv() => Told::Hangup,
            _ = user1.recv() => Told::User1,
        }
    }
}

/// What a signal says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Stop,
    Hangup,
    User1,
}

impl Reload {
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::File { path, .. } => Some(path),
            Self::Fixed { .. } => None,
        }
    }
}
