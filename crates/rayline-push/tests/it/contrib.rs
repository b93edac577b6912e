//! What is shipped for other people's tools, tried with those tools: each test says when its tool is missing, and passes.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rayline_observe::{Observer, Options, Target};
use rayline_verdict::log_line::FIELDS;
use serde_json::Value;
use tempfile::TempDir;

use crate::records::{fine, lines, refused};

fn contrib(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contrib").join(path)
}

fn read(path: &str) -> String {
    fs::read_to_string(contrib(path)).unwrap()
}

/// What a program says that must succeed; `None` without the program.
fn said(command: &mut Command) -> Option<String> {
    let Ok(Output { status, stdout, stderr }) = command.output() else {
        eprintln!("skipped: there is no {}", command.get_program().display());
        return None;
    };
    let said = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{said}");
    Some(said)
}

/// Every expression of the dashboard, its variables filled in.
fn expressions(dashboard: &Value, found: &mut Vec<String>) {
    match dashboard {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value.as_str() {
                    Some(text) if name == "expr" => {
                        let filled = ["$__rate_interval", "$__range"]
                            .iter()
                            .fold(text.to_owned(), |text, v| text.replace(v, "5m"));
                        found.push(filled.replace("$zone", ".*"));
                    }
                    _ => expressions(value, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| expressions(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn dashboard() -> Vec<String> {
    let mut found = Vec::new();
    expressions(&serde_json::from_str(&read("grafana/rayline.json")).unwrap(), &mut found);
    assert!(found.len() > 15, "{found:?}");
    found
}

/// The metrics that an expression names.
fn metrics_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':');
    let names = words.filter(|word| word.starts_with("rayline_") && !word.contains(':'));
    names.map(|name| name.trim_end_matches("_bucket").to_owned()).collect()
}

#[test]
fn only_metrics_that_there_are_are_asked_for() {
    let (observer, mut lanes) = Observer::start(Options { log: Target::Off, lanes: 1, lane_capacity: 16 }).unwrap();
    lanes[0].record(fine(1));
    lanes[0].record(refused(2));
    observer.clone().stop();
    let known: BTreeSet<String> = observer
        .metrics()
        .lines()
        .filter_map(|line| Some(line.strip_prefix("# TYPE ")?.split_once(' ')?.0.to_owned()))
        .collect();
    let rules: String = read("prometheus/rayline.rules.yml").lines().filter(|line| !line.contains("name:")).collect();
    // Those of the senders are put beside these by whoever answers `/metrics`, and looked for in the tests of that.
    let is_ours = |name: &String| !["rayline_sender_", "rayline_alerts_"].iter().any(|start| name.starts_with(start));
    let asked: BTreeSet<String> =
        dashboard().iter().chain([&rules]).flat_map(|text| metrics_in(text)).filter(is_ours).collect();
    assert!(asked.len() > 8, "{asked:?}");
    let unknown: Vec<_> = asked.difference(&known).collect();
    assert!(unknown.is_empty(), "{unknown:?} are not among {known:?}");
}

#[test]
fn prometheus_takes_the_rules_and_they_fire_when_they_should() {
    let dir = TempDir::new().unwrap();
    let mut rules = "groups:\n- name: dashboard\n  rules:\n".to_owned();
    for (number, expression) in dashboard().iter().enumerate() {
        rules += &format!("  - record: panel_{number}\n    expr: {}\n", serde_json::to_string(expression).unwrap());
    }
    let panels = dir.path().join("panels.yml");
    fs::write(&panels, rules).unwrap();
    if said(Command::new("promtool").args(["check", "rules"]).arg(contrib("prometheus/rayline.rules.yml")).arg(panels))
        .is_some()
    {
        said(Command::new("promtool").args(["test", "rules", "rayline.test.yml"]).current_dir(contrib("prometheus")));
    }
}

#[test]
fn lnav_reads_the_request_log() {
    let dir = TempDir::new().unwrap();
    let log = dir.path().join("requests.ndjson");
    fs::write(&log, lines([fine(1), refused(2), fine(3)])).unwrap();
    let lnav = || {
        let mut command = Command::new("lnav");
        // a configuration folder of its own: nothing is put into the user's
        command.env("HOME", dir.path()).env("XDG_CONFIG_HOME", dir.path().join("config")).env("TERM", "dumb");
        command
    };
    if said(lnav().arg("-i").arg(contrib("lnav/rayline.json"))).is_none() {
        return;
    }
    let query = ";SELECT log_level || ' ' || RayID || ' ' || ifnull(VerdictCode, '-') AS seen FROM rayline_log";
    let seen = said(lnav().args(["-n", "-c", query, "-c", ":write-json-to -"]).arg(&log)).unwrap();
    for expected in
        ["info 0000000000000001 -", "error 0000000000000002 origin.connect.refused", "info 0000000000000003 -"]
    {
        assert!(seen.contains(expected), "{expected} is not in {seen}");
    }
}

#[test]
fn clickhouse_has_a_column_for_every_field() {
    let schema = read("clickhouse/schema.sql");
    let columns: BTreeSet<&str> =
        schema.lines().filter_map(|line| line.strip_prefix("    ")?.split(' ').next()).collect();
    let missing: Vec<_> = FIELDS.iter().map(|field| field.name).filter(|name| !columns.contains(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn clickhouse_answers_the_queries() {
    const SCRIPT: &str = r#"
import sys
from chdb.session import Session
schema, queries, log = sys.argv[1:]
session = Session()
statements = lambda path: [s for s in "\n".join(l for l in open(path).read().split("\n") if not l.startswith("--")).split(";") if s.strip()]
for statement in statements(schema):
    session.query(statement)
insert = "INSERT INTO rayline.requests SETTINGS insert_deduplication_token='batch-1', input_format_skip_unknown_fields=1, date_time_input_format='best_effort' FORMAT JSONEachRow "
# the same batch twice is one batch
for _ in range(2):
    session.query(insert + open(log).read())
print("rows", str(session.query("SELECT count(), countIf(VerdictParty = 'origin') FROM rayline.requests", "TSV")).strip())
print("evidence", str(session.query("SELECT JSONExtractString(VerdictEvidence, 'errno') FROM rayline.requests WHERE VerdictCode != ''", "TSV")).strip())
for statement in statements(queries):
    session.query(statement, "TSV")
    print("answered")
"#;
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/lab/venv/bin/python");
    let has = Command::new(&python).args(["-c", "import chdb"]).output().is_ok_and(|output| output.status.success());
    if !has {
        eprintln!("skipped: the virtual environment has no `chdb`");
        return;
    }
    let dir = TempDir::new().unwrap();
    let log = dir.path().join("requests.ndjson");
    fs::write(&log, lines([fine(1), refused(2), fine(3)])).unwrap();
    let mut command = Command::new(&python);
    command.args(["-c", SCRIPT]).arg(contrib("clickhouse/schema.sql")).arg(contrib("clickhouse/queries.sql")).arg(&log);
    let seen = said(command.current_dir(dir.path())).unwrap();
    assert!(seen.contains("rows 3\t1\n") && seen.contains("ECONNREFUSED"), "{seen}");
    assert_eq!(seen.matches("answered").count(), 9, "{seen}");
}
