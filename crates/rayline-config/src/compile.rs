//! From a text to a plan: read every key, check what belongs together, resolve what can be resolved.
//!
//! It neither opens sockets nor asks name servers, and it has no clock: the time is an argument. The files a
//! configuration names (certificates, pages) are read here, so that a plan needs nothing more.

mod certificates;
mod checks;
mod client_identity;
mod error_pages;
mod file;
mod maintenance;
mod pem;
mod records;
mod rollout;
mod rules;
mod server;
mod sight;
mod trust;
mod zone;

use std::sync::Arc;
use std::time::SystemTime;

use toml::de::DeTable;

use crate::certificate::CertificateTable;
use crate::document::{Fields, Place, Report, shown};
use crate::hosts::HostTable;
use crate::keys::ROOT;
use crate::plan::{Plan, Zone};
use crate::problem::{Problem, Severity};
use crate::source::Source;

pub(crate) use records::read_name;
pub(crate) use rollout::read_rollout;
pub(crate) use rules::{
    AccessTargetKind, ActionKind, Algorithm, CacheLevel, LockdownTarget, OperationKind, UserAgentMode,
};
pub(crate) use server::{read_limits, read_log, read_server};
pub(crate) use sight::read_sight;
pub(crate) use zone::read_settings;

/// The least a configuration needs, shown to who has nothing yet.
const LEAST: &str = r#"the least it needs is

[server]
http = ["127.0.0.1:8080"]

[[zone]]
name = "example.com"
settings.ssl = "flexible"
dns_records = [{ type = "A", name = "@", content = "192.0.2.10" }]"#;

/// Compiles a configuration: a plan unless some problem is an error, and every problem found, in the order of the text.
///
/// `now` decides which certificates have expired.
pub fn compile(source: &Source, now: SystemTime) -> (Option<Plan>, Vec<Problem>) {
    let (table, faults) = DeTable::parse_recoverable(&source.text);
    let syntax: Vec<Problem> = faults.iter().map(|fault| syntax_problem(fault, source)).collect();
    if syntax.is_empty() && table.get_ref().is_empty() {
        return (None, vec![Place::default().error("the configuration is empty").hint(LEAST)]);
    }

    let torn_lines: Vec<usize> = syntax.iter().filter_map(|problem| line_of(source, problem)).collect();
    // behind a header that cannot be read every key would be taken for another table's
    let lost = torn_lines.iter().any(|line| starts_with_header(source, *line));
    let report = Report::new(source, !syntax.is_empty());
    let plan = (!lost).then(|| read(table.get_ref(), &report, now)).flatten();

    let mut problems = report.into_problems();
    // what the parser made of a torn line is no one's mistake but that line's
    problems.retain(|problem| line_of(source, problem).is_none_or(|line| !torn_lines.contains(&line)));
    problems.extend(syntax);
    problems.sort_by_key(|problem| (problem.place, problem.severity));
    let failed = problems.iter().any(|problem| problem.severity == Severity::Error);
    (plan.filter(|_| !failed), problems)
}

/// The plan as far as it can be read; whether it may run depends on the problems left behind.
fn read(table: &DeTable<'_>, report: &Report<'_>, now: SystemTime) -> Option<Plan> {
    let root = Fields::root(&ROOT, table, report);
    let server_fields = root.table("server");
    let (server, listeners) = read_server(&server_fields, now);
    let log = read_log(&root.table("log"), &server.data_dir);
    let limits = read_limits(&root.table("limits"));
    let named = rules::read_named(&root, &server_fields);
    let zones = zone::read_zones(&root.tables("zone"), &limits, &named, now);
    let names: Vec<String> = zones.iter().filter_map(|zone| Some(zone.name.as_ref()?.value.clone())).collect();
    let rollout = read_rollout(&root.table("rollout"));
    let sight = read_sight(&root, &names);
    if report.torn {
        return None;
    }

    checks::listeners(&listeners, &server_fields.place, report);
    checks::zones(&zones, report);
    let plan_zones: Vec<Arc<Zone>> = zones.iter().filter_map(zone::WrittenZone::to_zone).map(Arc::new).collect();
    let mut hosts = HostTable::new(&plan_zones);
    checks::names(hosts.follow_names(), &zones, report);
    checks::loops(&zones, &listeners, report);
    let certificates = CertificateTable::new(plan_zones.iter().flat_map(|zone| &zone.certificates));
    checks::certificates(&zones, &certificates, &listeners, server.development_ca, report);

    Some(Plan {
        source_name: report.source.name.clone(),
        server,
        log,
        limits,
        rollout,
        sight,
        zones: plan_zones,
        hosts,
        certificates,
    })
}

/// What the parser says, in our words where its are for those who know the grammar.
fn syntax_problem(fault: &toml::de::Error, source: &Source) -> Problem {
    let place = Place { span: fault.span().map(Into::into), path: String::new() };
    let text = fault.span().and_then(|span| source.text.get(span)).unwrap_or_default();
    match fault.message() {
        "duplicate key" => place
            .error(format!("`{}` is written a second time", shown(text)))
            .hint("write it once; tables of which there are several have two brackets, as `[[zone]]`"),
        message if message.starts_with("string values must be quoted") && text.is_empty() => {
            place.error("there is no value")
        }
        message if message.starts_with("string values must be quoted") => place
            .error(format!("`{}` is no value", shown(text)))
            .hint(format!("if it is a text, put it in quotes: `\"{}\"`", shown(text))),
        message => place.error(message),
    }
}

fn line_of(source: &Source, problem: &Problem) -> Option<usize> {
    problem.place.map(|place| source.position(place.start).line)
}

fn starts_with_header(source: &Source, line: usize) -> bool {
    source.text.lines().nth(line - 1).is_some_and(|text| text.trim_start().starts_with('['))
}
