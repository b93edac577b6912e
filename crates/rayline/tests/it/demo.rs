//! The demo, as a stranger meets it: every exhibit is visited, with curl, and must come to what the start page says.

use std::process::Command;
use std::sync::Mutex;

use rayline_verdict::TABLE;
use serde_json::Value;

use super::Dir;
use super::running::{Running, eventually, get};

/// Visits at the same time: some exhibits take seconds, because a timer has to run out.
const VISITORS: usize = 12;

#[test]
fn every_exhibit_comes_to_what_it_says() {
    let curl = Command::new("curl").arg("--version").output().map(|output| output.stdout).unwrap_or_default();
    let curl = String::from_utf8_lossy(&curl);
    if !curl.contains(" telnet ") || !curl.contains(" HTTP2 ") {
        eprintln!("skipped: the exhibits are visited with a curl that knows HTTP/2 and telnet, which is not installed");
        return;
    }
    let dir = Dir::new();
    let mut demo = Running::start(&dir, &["demo", "--json", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
    let told: Value = serde_json::from_str(&demo.stdout.until("exhibits")).unwrap();
    let exhibits = told["exhibits"].as_array().unwrap().clone();
    let listed = exhibits.iter().chain(told["not_shown"].as_array().unwrap());
    let listed: Vec<_> = listed.filter_map(|row| row["code"].as_str()).collect();
    // What no edge reaches, no exhibit of one shows.
    for entry in TABLE.iter().filter(|entry| !entry.code.is_outside()) {
        assert!(listed.contains(&entry.name), "{} is neither shown nor said to be missing", entry.name);
    }
    let folder = told["folder"].as_str().unwrap().to_owned();

    let waiting = Mutex::new(exhibits.iter());
    std::thread::scope(|scope| {
        for _ in 0..VISITORS {
            scope.spawn(|| {
                loop {
                    let next = waiting.lock().unwrap().next();
                    let Some(exhibit) = next else { break };
                    visit(exhibit);
                }
            });
        }
    });
    let log = std::path::Path::new(&folder).join("data/requests.ndjson");
    for exhibit in &exhibits {
        let url = exhibit["url"].as_str().unwrap();
        let host = format!("{}:", url.split([':', '/']).nth(3).unwrap());
        let code = &exhibit["code"];
        // Of a request that was refused before it was understood, the record has no host: a code that nothing else shows
        // says enough.
        let only = !code.is_null() && exhibits.iter().filter(|other| &other["code"] == code).count() == 1;
        eventually(&format!("{url} with {code}"), || {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            let mut records = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let is_it = |record: Value| {
                (only || record["ClientRequestHost"].as_str().is_some_and(|seen| format!("{seen}:").starts_with(&host)))
                    && (&record["VerdictCode"] == code || is_left(exhibit, &record))
            };
            records.any(is_it).then_some(())
        });
    }
    let text = std::fs::read_to_string(&log).unwrap();
    assert!(!text.contains("edge.reply.unclassified"));

    demo.signal("INT");
    assert_eq!(demo.end(), 0);
    assert!(!std::path::Path::new(&folder).exists(), "{folder} is left behind");
}

/// Event streams have no end: their visitor leaves.
fn is_left(exhibit: &Value, record: &Value) -> bool {
    exhibit["code"].is_null() && record["VerdictCode"] == "visitor.reply.gone"
}

fn visit(exhibit: &Value) {
    let url = exhibit["url"].as_str().unwrap();
    let patience = if url.contains("//events.") { "2" } else { "15" };
    let mut command = match exhibit["command"].as_str() {
        Some(command) => {
            let mut shell = Command::new("sh");
            shell.args(["-c", &command.replace("curl ", "curl -s --max-time 15 ")]);
            shell
        }
        None => {
            let mut curl = Command::new("curl");
            curl.args(["-s", "-i", "-k", "--max-time", patience, url]);
            curl
        }
    };
    command.output().unwrap();
}

#[test]
fn the_start_page_is_served_through_the_edge() {
    let dir = Dir::new();
    let mut demo = Running::start(&dir, &["demo", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
    let line = demo.stderr.until("open");
    let url = line.split_whitespace().last().unwrap().trim_end_matches("\u{1b}[0m");
    let port = url.trim_end_matches('/').rsplit(':').next().unwrap().to_owned();
    let page = get(&format!("127.0.0.1:{port}"), "demo.localhost", "/");
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    for wanted in ["cf-ray: ", "Rayline", "origin.connect.refused", &format!("http://refused.demo.localhost:{port}/")] {
        assert!(page.contains(wanted), "no {wanted} in {page}");
    }
    demo.signal("TERM");
    assert_eq!(demo.end(), 0);
}
