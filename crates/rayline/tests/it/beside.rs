//! What stands beside the edge: the store, log push, alerts, versions, from a configuration to what a person gets.

use std::net::TcpListener;

use serde_json::Value;

use super::Dir;
use super::running::{Running, ask, eventually, get};

/// Where `name` is followed by an address in what the edge says.
fn address(line: &str, name: &str) -> String {
    let rest = line.split(name).nth(1).unwrap_or_else(|| panic!("no {name} in {line}"));
    rest.trim_start_matches("http://").split([',', ' ', '/', ';']).next().unwrap().to_owned()
}

/// A port where nobody listens: held here, and never accepted from, it would be silence; let go, it refuses.
fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn config(dir: &Dir, more: &str) {
    config_with(dir, "", more);
}

fn config_with(dir: &Dir, zone: &str, more: &str) {
    let told = dir.path().join("told.json");
    let pushed = dir.path().join("pushed");
    dir.file(
        "rayline.toml",
        &format!(
            r#"
[server]
http = ["127.0.0.1:0"]
admin = "127.0.0.1:0"
data_dir = "data"

[log]
requests = "off"

[[zone]]
name = "shop.test"
settings.ssl = "flexible"
settings.origin_http_port = {port}
dns_records = [{{ type = "A", name = "@", content = "127.0.0.1" }}]
{zone}

[[logpush]]
name = "archive"
destination_conf = "file://{pushed}"
filter = "failures&party=origin"
max_upload_interval = "1s"

[[alert]]
name = "fails"
alert_type = "failure_rate"
min_requests = 1
receivers = ["file"]

[[alert_receiver]]
name = "file"
type = "command"
command = ["/bin/sh", "-c", "cat > {told}.part && mv {told}.part {told}"]
{more}
"#,
            port = closed_port(),
            pushed = pushed.display(),
            told = told.display(),
        ),
    );
}

#[test]
fn a_failure_is_kept_pushed_told_and_found_again() {
    let dir = Dir::new();
    config(&dir, "");
    let mut edge = Running::start(&dir, &["serve"]);
    let visitors = address(&edge.stderr.until("serving shop.test on "), " on ");
    let admin = address(&edge.stderr.until("admin"), "http://");
    let answer = get(&visitors, "shop.test", "/cart?card=4111");
    let ray = answer.split("cf-ray: ").nth(1).or_else(|| answer.split("CF-Ray: ").nth(1)).unwrap()[..16].to_owned();

    let token = std::fs::read_to_string(dir.path().join("data/admin.token")).unwrap();
    let call = |target: &str| {
        let authorization = format!("Authorization: Bearer {}", token.trim());
        let answer = ask(
            &admin,
            &format!("GET {target} HTTP/1.1\r\nHost: {admin}\r\n{authorization}\r\nConnection: close\r\n\r\n"),
        );
        let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
        let from = body.find('{').unwrap_or_default();
        let to = body.rfind('}').map_or(from, |at| at + 1);
        serde_json::from_str::<Value>(&body[from..to]).unwrap_or_default()
    };
    let line = eventually("the store has it", || {
        let answer = call(&format!("/api/ray/{ray}"));
        answer["result"]["line"].is_object().then(|| answer["result"]["line"].clone())
    });
    assert_eq!(line["VerdictCode"], "origin.connect.refused");
    assert!(!line.to_string().contains("4111"), "values in queries are not stored: {line}");
    assert_eq!(call("/api/status")["result"]["zones"][0]["name"], "shop.test");

    let told = eventually("somebody is told", || std::fs::read_to_string(dir.path().join("told.json")).ok());
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((&told["zone"], &told["code"]), (&"shop.test".into(), &"origin.connect.refused".into()));

    let pushed = dir.path().join("pushed");
    eventually("the failure is pushed", || {
        let mut folders = vec![pushed.clone()];
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).ok()?.flatten() {
                if entry.path().is_dir() { folders.push(entry.path()) } else { files.push(entry.path()) }
            }
        }
        (!files.is_empty()).then_some(())
    });

    edge.signal("TERM");
    assert_eq!(edge.end(), 0);
    let outcome = dir.run(&["ray", &ray, "--json"]);
    assert_eq!(outcome.code, 1, "{}", outcome.stderr);
    let known: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(known["record"]["VerdictCode"], "origin.connect.refused", "without an edge and without a log");
}

#[test]
fn a_reload_of_the_same_text_makes_no_new_version_and_reads_what_it_names_again() {
    let dir = Dir::new();
    let page =
        |text: &str| dir.file("error.html", &format!("<head></head><p>{text} ::CLOUDFLARE_ERROR_500S_BOX::</p>"));
    page("first");
    config_with(&dir, "error_pages.500_errors = \"error.html\"", "");
    let mut edge = Running::start(&dir, &["serve"]);
    let visitors = address(&edge.stderr.until("serving shop.test on "), " on ");
    let admin = address(&edge.stderr.until("admin"), "http://");
    let token = std::fs::read_to_string(dir.path().join("data/admin.token")).unwrap();
    let reload = || {
        let authorization = format!("Authorization: Bearer {}", token.trim());
        ask(
            &admin,
            &format!("POST /api/reload HTTP/1.1\r\nHost: {admin}\r\n{authorization}\r\nConnection: close\r\n\r\n"),
        )
    };
    assert!(get(&visitors, "shop.test", "/").contains("<p>first "));
    page("second");
    let same = reload();
    assert!(same.contains(r#""plan_version":1"#) && same.contains(r#""is_new":false"#), "{same}");
    eventually("the page is read again", || get(&visitors, "shop.test", "/").contains("<p>second ").then_some(()));
    edge.signal("HUP");
    edge.stderr.until("version 1 runs on");
    assert!(!dir.path().join("data/versions/2.toml").exists());
    edge.signal("TERM");
    assert_eq!(edge.end(), 0);
}

#[test]
fn versions_go_on_after_a_restart() {
    let dir = Dir::new();
    config(&dir, "");
    let mut edge = Running::start(&dir, &["serve"]);
    edge.stderr.until("serving shop.test on ");
    config(&dir, "# another text\n");
    edge.stderr.until("running on version 2 of the configuration");
    edge.signal("TERM");
    assert_eq!(edge.end(), 0);
    let mut edge = Running::start(&dir, &["serve"]);
    edge.stderr.until("serving shop.test on ");
    config(&dir, "# a third\n");
    edge.stderr.until("running on version 3 of the configuration");
    edge.signal("TERM");
    assert_eq!(edge.end(), 0);
    assert!(dir.path().join("data/versions/2.toml").exists());
}
