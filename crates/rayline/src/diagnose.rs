//! `rayline diagnose`: whose fault a failing site is, and what to do.

mod files;
pub(crate) mod ips;
pub(crate) mod known;
pub(crate) mod logs;
pub(crate) mod probe;
pub(crate) mod ray;
mod records;
mod screen;
pub(crate) mod view;

use std::future::Future;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use rayline_diagnose::conclude::Outcome;
use rayline_diagnose::diagnosis::{Diagnosing, Diagnosis};
use rayline_diagnose::edge::Records;
use rayline_diagnose::report::Masking;
use rayline_diagnose::trust::Trust;
use rayline_diagnose::{Case, load};

use crate::cli::Global;
use crate::cli::diagnose::{DiagnoseArgs, Field};
use crate::output::{self, Exit, say};
use crate::tail::admin::{Admin, Trouble};
use records::{Live, Logged};
use view::View;

/// Methods that change nothing (RFC 9110 section 9.2.1).
const SAFE: [&str; 3] = ["GET", "HEAD", "OPTIONS"];

pub(crate) fn run(args: &DiagnoseArgs, global: &Global) -> io::Result<Exit> {
    let case = match case(args) {
        Ok(Some(case)) => case,
        Ok(None) => return files::read_har(args, global),
        Err(Refused { message, hint, exit }) => {
            output::fail(&message, hint);
            return Ok(exit);
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(async {
        match args.watch {
            Some(pause) => watch(args, case, pause.0, global).await,
            None => once(args, case, global).await,
        }
    });
    // a name that the system still looks up is not waited for
    runtime.shutdown_background();
    outcome
}

/// Why nothing is looked at.
struct Refused {
    message: String,
    hint: Option<&'static str>,
    exit: Exit,
}

impl Refused {
    fn usage(message: impl Into<String>, hint: &'static str) -> Self {
        Self { message: message.into(), hint: Some(hint), exit: Exit::Usage }
    }
}

impl From<String> for Refused {
    fn from(message: String) -> Self {
        Self { message, hint: None, exit: Exit::CouldNotRun }
    }
}

/// What is asked; `None`: a HAR alone.
fn case(args: &DiagnoseArgs) -> Result<Option<Case>, Refused> {
    let Some(url) = &args.url else { return Ok(None) };
    let asking = &args.asking;
    if !asking.is_unsafe && !SAFE.contains(&asking.method.as_str()) {
        let message = format!("`{}` may change something on the site", asking.method);
        return Err(Refused::usage(message, "add --unsafe if that is meant, or ask with GET"));
    }
    if args.load.is_some() && !matches!(asking.method.as_str(), "GET" | "HEAD") {
        let message = format!("no load is made with `{}`", asking.method);
        return Err(Refused::usage(message, "--load goes with GET and HEAD alone"));
    }
    if let Some(missing) = args.known.logs.iter().find(|path| !path.exists()) {
        return Err(Refused::from(format!("there is no `{}`", missing.display())));
    }
    let mut case = Case {
        method: asking.method.clone(),
        fields: asking.header.iter().map(|Field(name, value)| (name.clone(), value.clone())).collect(),
        origins: args.known.origin.clone(),
        resolved: args.known.resolve.clone(),
        name_servers: args.known.name_server.iter().map(|server| server.0).collect(),
        logs: args.known.logs.clone(),
        here: args.known.here,
        trust: Trust::load(&asking.ca, std::env::var_os("SSL_CERT_FILE"))?,
        timeout: asking.timeout.0,
        samples: asking.samples,
        ..Case::new(url.0.clone())
    };
    if let Some(path) = &args.known.config {
        known::add_origins(&mut case, &known::plan(path)?);
    }
    Ok(Some(case))
}

/// One diagnosis, from the question to the exit code.
async fn once(args: &DiagnoseArgs, case: Case, global: &Global) -> io::Result<Exit> {
    let load = load_options(args, &case)?;
    let diagnosis = match diagnose(args, case, load, &View::new(global.json)).await? {
        Ok((diagnosis, _)) => diagnosis,
        Err(exit) => return Ok(exit),
    };
    let ticket = files::ticket(&diagnosis, &args.output);
    show(&diagnosis, ticket.as_deref(), files::masking(&args.output), global)?;
    let written = files::write(&diagnosis, &args.output);
    Ok(if written { exit(&diagnosis) } else { Exit::CouldNotRun })
}

/// Shows a diagnosis, and says how the program ends.
fn finish(diagnosis: &Diagnosis, global: &Global) -> io::Result<Exit> {
    show(diagnosis, None, Masking::On, global)?;
    Ok(exit(diagnosis))
}

/// A diagnosis that needs nothing but the case.
async fn one(case: Case, view: &View) -> io::Result<Diagnosis> {
    let diagnosing = Diagnosing::new(case).map_err(io::Error::other)?;
    until_interrupted(diagnosing.look(None, view)).await?;
    view.end();
    Ok(diagnosing.conclude())
}

/// How a look ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// All was looked at.
    Whole,
    /// A person had seen enough.
    Interrupted,
}

/// Does it, until a person has seen enough: what was found so far is kept.
async fn until_interrupted(steps: impl Future<Output = ()>) -> io::Result<End> {
    tokio::select! {
        () = steps => Ok(End::Whole),
        interrupted = tokio::signal::ctrl_c() => {
            interrupted?;
            say("ended before all was looked at: this is what was found so far");
            Ok(End::Interrupted)
        }
    }
}

/// Every step, and what follows; Ctrl-C ends the steps, and what was seen so far is concluded from.
async fn diagnose(
    args: &DiagnoseArgs,
    case: Case,
    load: Option<load::Options>,
    view: &View,
) -> io::Result<Result<(Diagnosis, End), Exit>> {
    let (live, edge) = match open_records(args).await {
        Ok(Some((live, edge))) => (Some(live), Some(edge)),
        Ok(None) => (None, None),
        Err(Trouble { message, hint }) => {
            output::fail(&message, hint.as_deref());
            return Ok(Err(Exit::CouldNotRun));
        }
    };
    let logged = match &args.known.config {
        Some(path) => known::plan(path).ok().and_then(|plan| known::request_log(&plan)).map(Logged),
        None => None,
    };
    let records: Option<&dyn Records> = match (&live, &logged) {
        (Some(live), _) => Some(live),
        (None, Some(logged)) => Some(logged),
        (None, None) => None,
    };
    let diagnosing = Diagnosing::new(case).map_err(io::Error::other)?;
    let steps = async {
        diagnosing.look(records, view).await;
        if let Some(edge) = &edge {
            diagnosing.bisect(edge, view).await;
        }
        if let Some(options) = load {
            diagnosing.load(&options, view).await;
        }
    };
    let beside = async {
        tokio::select! {
            () = steps => {}
            () = listening(live.as_ref()) => {}
        }
    };
    let end = until_interrupted(beside).await?;
    view.end();
    Ok(Ok((diagnosing.conclude(), end)))
}

/// Listens to the edge for as long as it is asked.
async fn listening(live: Option<&Live>) {
    if let Some(live) = live {
        live.listen().await;
    }
    std::future::pending().await
}

/// The running edge that a person named, with its records.
async fn open_records(args: &DiagnoseArgs) -> Result<Option<(Live, Admin)>, Trouble> {
    let known = &args.known;
    if known.admin.is_none() && known.config.is_none() {
        return Ok(None);
    }
    let opened = async {
        let admin = crate::tail::find_admin(known.config.as_deref(), known.admin)?;
        Ok((Live::open(&admin).await?, admin))
    };
    match opened.await {
        Ok(opened) => Ok(Some(opened)),
        // the request log that the configuration names will do
        Err(_) if known.admin.is_none() => Ok(None),
        Err(trouble) => Err(trouble),
    }
}

/// How much load is to be made, once the person knows and agrees. What is repeated is agreed to once, and lighter.
fn load_options(args: &DiagnoseArgs, case: &Case) -> io::Result<Option<load::Options>> {
    let Some(connections) = args.load else { return Ok(None) };
    let options = load::Options { connections, rate: args.load_rate, ..load::Options::default() };
    let (options, rounds) = match args.watch {
        Some(_) => (options.light(), "at each round: "),
        None => (options, ""),
    };
    say(&output::escaped(&format!("{rounds}{}", load::plan(case, &options))));
    if args.yes {
        return Ok(Some(options));
    }
    if !io::stdin().is_terminal() {
        output::fail("no load is made: nobody is there to be asked", Some("add --yes to go on without asking"));
        return Ok(None);
    }
    write!(io::stderr(), "go on? [y/N] ")?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes").then_some(options))
}

/// Prints a diagnosis, and the ticket after it or in it.
fn show(diagnosis: &Diagnosis, ticket: Option<&str>, masking: Masking, global: &Global) -> io::Result<()> {
    let mut out = output::stdout();
    if global.json {
        let mut report = diagnosis.to_json(masking);
        if let (Some(ticket), Some(members)) = (ticket, report.as_object_mut()) {
            members.insert("ticket".to_owned(), ticket.into());
        }
        for line in format!("{report:#}").lines() {
            writeln!(out, "{}", output::escaped_json(line))?;
        }
        return Ok(());
    }
    screen::print(&mut out, diagnosis, masking, global.verbose > 0)?;
    for line in ticket.unwrap_or_default().lines() {
        writeln!(out, "{}", output::escaped(line))?;
    }
    Ok(())
}

fn exit(diagnosis: &Diagnosis) -> Exit {
    match diagnosis.conclusion.outcome {
        Outcome::Fine => Exit::Fine,
        Outcome::Fault => Exit::Fault,
        Outcome::CannotTell => Exit::CouldNotRun,
    }
}

/// Diagnoses again and again, and says when the verdict changes. Ends with Ctrl-C, and with the last verdict's exit code.
async fn watch(args: &DiagnoseArgs, case: Case, pause: Duration, global: &Global) -> io::Result<Exit> {
    let load = load_options(args, &case)?;
    let mut last: Option<Diagnosis> = None;
    loop {
        let (diagnosis, end) = match diagnose(args, case.clone(), load, &View::new(true)).await? {
            Ok(looked) => looked,
            Err(exit) => return Ok(exit),
        };
        let essence = |diagnosis: &Diagnosis| {
            let conclusion = &diagnosis.conclusion;
            let code = conclusion.verdict.as_ref().map(|verdict| verdict.code);
            let limit = diagnosis.seen.load.as_ref().and_then(|load| load.limit).filter(|limit| limit.is_fault());
            (conclusion.outcome, code, conclusion.cause.as_ref().map(|named| named.cause), limit)
        };
        if end == End::Interrupted {
            // half a look changes no verdict
            show(&diagnosis, None, files::masking(&args.output), global)?;
            return Ok(exit(last.as_ref().unwrap_or(&diagnosis)));
        }
        if last.as_ref().map(essence) == Some(essence(&diagnosis)) {
            say(&format!("{}  no change: {}", diagnosis.began(), output::escaped(&diagnosis.conclusion.sentence)));
        } else {
            say(&format!(
                "{}  {}",
                diagnosis.began(),
                if last.is_some() { "the verdict has changed" } else { "the first verdict" }
            ));
            show(&diagnosis, None, files::masking(&args.output), global)?;
        }
        let code = exit(&diagnosis);
        last = Some(diagnosis);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            interrupted = tokio::signal::ctrl_c() => {
                interrupted?;
                return Ok(code);
            }
        }
    }
}
