//! `rayline ray`: everything known of one request: the edge's record, and the lines of the origin's logs that belong to it.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use rayline_diagnose::logs::{Reading, Request, Wanted, Window, read};
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use super::view::View;
use super::{known, logs, records};
use crate::cli::Global;
use crate::cli::diagnose::RayArgs;
use crate::config_file;
use crate::output::{self, BOLD, DIM, Exit, escaped, styled};
use crate::service::stored;
use crate::tail::admin::Trouble;
use crate::tail::{find_admin, printer};

pub(crate) fn run(args: &RayArgs, global: &Global) -> io::Result<Exit> {
    let digits = args.ray.to_string();
    let kept = asked(args, &digits)?.or_else(|| stored(args));
    let record = match kept.map_or_else(|| logged(args, &digits), |record| Ok(Some(record))) {
        Ok(record) => record,
        Err(why) => {
            output::fail(&why, None);
            return Ok(Exit::CouldNotRun);
        }
    };
    let reading = read_logs(args, &digits, record.as_ref());
    let joined = reading.as_ref().is_some_and(|reading| !reading.joined.is_empty());
    if record.is_none() && !joined {
        output::fail(
            &format!("nothing is known of `{digits}`"),
            Some(
                "`--config FILE` or `--file FILE` names the edge's request log, `--admin URL` a running edge, `--logs PATH` \
                 the origin's logs",
            ),
        );
        return Ok(Exit::CouldNotRun);
    }
    let mut out = output::stdout();
    if global.json {
        let known = json!({
            "ray_id": digits,
            "record": record,
            "logs": reading.as_ref().map(Reading::to_json),
        });
        for line in format!("{known:#}").lines() {
            writeln!(out, "{}", output::escaped_json(line))?;
        }
    } else {
        print(&mut out, record.as_ref(), reading.as_ref(), global.verbose > 0)?;
    }
    let has_failed = record.as_ref().is_some_and(|record| record.get("VerdictCode").is_some());
    Ok(if has_failed { Exit::Fault } else { Exit::Fine })
}

/// What a running edge has kept of the request. Where it cannot be asked, or knows nothing, the request log will do: that is
/// said if a person named the edge.
fn asked(args: &RayArgs, digits: &str) -> io::Result<Option<Value>> {
    if args.file.is_some() && args.admin.is_none() {
        return Ok(None);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let asked = match find_admin(args.config.as_deref(), args.admin) {
        Ok(admin) => runtime.block_on(admin.ray(digits)),
        Err(trouble) => Err(trouble),
    };
    Ok(match asked {
        Ok(record) => Some(record),
        Err(Trouble { message, .. }) => {
            if args.admin.is_some() || args.config.is_some() {
                output::say(&format!("{}; what is on disk is looked through instead", output::escaped(&message)));
            }
            None
        }
    })
}

/// What the store of an edge that does not run has kept of it. One that cannot be read is no reason to stop: the log may do.
fn stored(args: &RayArgs) -> Option<Value> {
    if args.file.is_some() {
        return None;
    }
    let plan = known::plan(&config_file::find(args.config.as_deref())?).ok()?;
    let lines = stored::read(&plan.server.data_dir).and_then(|store| store.rays(args.ray)).ok()?;
    lines.last().and_then(|line| serde_json::from_slice(line).ok())
}

/// What the edge's request log has of it.
fn logged(args: &RayArgs, digits: &str) -> Result<Option<Value>, String> {
    log(args)?.map_or(Ok(None), |log| find(&log, digits))
}

/// The request log that was named, or that of the configuration.
fn log(args: &RayArgs) -> Result<Option<PathBuf>, String> {
    if args.file.is_some() {
        return Ok(args.file.clone());
    }
    let Some(config) = config_file::find(args.config.as_deref()) else { return Ok(None) };
    let plan = known::plan(&config)?;
    match known::request_log(&plan) {
        Some(log) => Ok(Some(log)),
        None if args.config.is_some() => Err("the configuration writes no request log into a file".to_owned()),
        None => Ok(None),
    }
}

fn find(log: &std::path::Path, digits: &str) -> Result<Option<Value>, String> {
    records::find_in(log, digits).map_err(|error| format!("cannot read `{}`: {error}", log.display()))
}

/// The lines of the origin's logs that belong to the request. Without a record all of each file is looked through.
fn read_logs(args: &RayArgs, digits: &str, record: Option<&Value>) -> Option<Reading> {
    if args.logs.is_empty() {
        return None;
    }
    let text = |name: &str| record.and_then(|record| record.get(name)?.as_str()).unwrap_or_default().to_owned();
    let at = time::OffsetDateTime::parse(&text("EdgeStartTimestamp"), &Rfc3339).ok().map(SystemTime::from);
    let request = Request {
        at: at.unwrap_or_else(SystemTime::now),
        took: Duration::ZERO,
        method: text("ClientRequestMethod"),
        path_and_query: text("ClientRequestURI"),
        host: text("ClientRequestHost"),
        status: None,
        ray_id: Some(digits.to_owned()),
        client: text("ClientIP").parse().ok(),
        body_bytes: None,
    };
    let window = at.map(|_| Window::default());
    let wanted = Wanted { paths: args.logs.clone(), requests: vec![request], window, ..Wanted::default() };
    let view = View::new(true);
    let reading = read(&wanted, &view);
    view.end();
    Some(reading)
}

fn print(out: &mut impl Write, record: Option<&Value>, reading: Option<&Reading>, is_verbose: bool) -> io::Result<()> {
    match record {
        Some(record) => write!(out, "{}\n{}", styled(BOLD, "the edge's record"), printer::to_text(record, true))?,
        None => writeln!(out, "{}", styled(DIM, "no record of the edge was found"))?,
    }
    let Some(reading) = reading else { return Ok(()) };
    writeln!(out, "\n{}", styled(BOLD, "the origin's lines"))?;
    if reading.joined.is_empty() {
        writeln!(out, "  none belongs to this request")?;
    }
    for joined in &reading.joined {
        let (file, number) = &joined.found;
        let how = format!("{}:{number}, by {}, {:.0} %", file.display(), joined.by, joined.likelihood * 100.0);
        writeln!(out, "  {}\n    {}", styled(DIM, escaped(&how)), escaped(&joined.line))?;
    }
    logs::print(out, reading, is_verbose)
}
