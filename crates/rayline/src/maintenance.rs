//! `rayline maintenance`: a zone's maintenance on a running edge, switched by its admin server.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::cli::Global;
use crate::cli::maintenance::{MaintenanceArgs, MaintenanceCommand, OffArgs, OnArgs};
use crate::config::{self, Answered, words};
use crate::output::{BOLD, DIM, Exit, GREEN, YELLOW, escaped, styled};
use crate::tail::admin::Admin;

const PATH: &str = "/api/config/maintenance";

pub(crate) fn run(args: &MaintenanceArgs, global: &Global) -> io::Result<Exit> {
    config::asked(
        &args.edge,
        global,
        async |admin| ask(admin, &args.command).await,
        |out, result| match args.command {
            MaintenanceCommand::On(_) | MaintenanceCommand::Off(_) => config::applied(out, result),
            MaintenanceCommand::Status => status(out, result),
        },
    )
}

async fn ask(admin: &Admin, command: &MaintenanceCommand) -> Answered {
    match command {
        MaintenanceCommand::On(args) => admin.post(PATH, &on(args)).await.map(|result| (result, Exit::Fine)),
        MaintenanceCommand::Off(args) => admin.post(PATH, &off(args)).await.map(|result| (result, Exit::Fine)),
        MaintenanceCommand::Status => {
            let zones = admin.get(PATH).await?;
            let some_are = zones.as_array().into_iter().flatten().any(is_enabled);
            Ok((zones, if some_are { Exit::Fault } else { Exit::Fine }))
        }
    }
}

fn on(args: &OnArgs) -> Value {
    let mut order = words(&args.words);
    if let Value::Object(order) = &mut order {
        let seconds = args.retry_after.map(|time| format!("{}s", time.as_secs()));
        order.insert("enabled".to_owned(), true.into());
        order.insert("zone".to_owned(), json!(args.zone));
        order.insert("retry_after".to_owned(), json!(seconds));
        order.insert("allow".to_owned(), json!((!args.allow.is_empty()).then_some(&args.allow)));
        order.insert("lasts_seconds".to_owned(), json!(args.lasts.map(|time| time.as_secs())));
    }
    order
}

fn off(args: &OffArgs) -> Value {
    let mut order = words(&args.words);
    if let Value::Object(order) = &mut order {
        order.insert("enabled".to_owned(), false.into());
        order.insert("zone".to_owned(), json!(args.zone));
    }
    order
}

fn is_enabled(zone: &Value) -> bool {
    zone.get("enabled").and_then(Value::as_bool) == Some(true)
}

/// A line per zone.
fn status(out: &mut dyn Write, zones: &Value) -> io::Result<()> {
    for zone in zones.as_array().into_iter().flatten() {
        let text = |name: &str| zone.get(name).and_then(Value::as_str).map(escaped).unwrap_or_default();
        let name = styled(BOLD, text("zone"));
        if !is_enabled(zone) {
            writeln!(out, "{name}  {}", styled(GREEN, "is served"))?;
            continue;
        }
        let until = Some(text("until")).filter(|until| !until.is_empty());
        let until = until.map_or_else(|| "until it is switched off".to_owned(), |until| format!("until {until}"));
        writeln!(out, "{name}  {}  {until}", styled(YELLOW, "in maintenance"))?;
        for (key, said) in [("paths", "only"), ("allow", "but for")] {
            let listed = zone.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
            let listed: Vec<String> = listed.map(escaped).collect();
            if !listed.is_empty() {
                writeln!(out, "  {}", styled(DIM, format_args!("{said} {}", listed.join(", "))))?;
            }
        }
    }
    Ok(())
}
