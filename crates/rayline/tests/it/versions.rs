//! Versions of the configuration: applied, rolled out to some visitors under load, taken back for what they broke and for
//! nothing else.

use std::collections::HashMap;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

use rayline_testkit::{Origin, Script};
use serde_json::Value;

use super::running::{Running, ask, eventually};
use super::{Dir, Outcome};

/// Visitors that send requests.
const VISITORS: u64 = 40;

/// A running edge with its configuration, in a folder of its own.
pub(super) struct Scene {
    dir: Dir,
    edge: Running,
    visitors: String,
    admin: String,
    toml: String,
    /// Held so that it goes on answering.
    _origin: Acting,
}

/// An origin that plays its part on a thread of its own.
type Acting = (tokio::runtime::Runtime, Origin);

fn acting(script: Script) -> Acting {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let origin = runtime.block_on(async { Origin::start(script).unwrap() });
    (runtime, origin)
}

/// The address behind `name` in what the edge says.
fn address(line: &str, name: &str) -> String {
    let rest = line.split(name).nth(1).unwrap_or_else(|| panic!("no {name} in {line}"));
    rest.trim_start_matches("http://").split([',', ' ', '/', ';']).next().unwrap().to_owned()
}

fn toml(port: u16, more: &str) -> String {
    format!(
        r#"
[server]
http = ["127.0.0.1:0"]
admin = "127.0.0.1:0"
data_dir = "data"
threads = 2
trusted_proxies = ["127.0.0.1"]

[log]
requests = "requests.ndjson"

[limits]
resolve_timeout = "200ms"

[rollout]
steps = [50]
dwell = "1s"
min_requests = 30

[[zone]]
name = "shop.test"
settings.ssl = "flexible"
settings.origin_http_port = {port}
dns_records = [{{ type = "A", name = "@", content = "127.0.0.1" }}]
{more}
"#
    )
}

impl Scene {
    pub(super) fn new(more: &str) -> Self {
        let origin = acting(Script::ok());
        let toml = toml(origin.1.addr().port(), more);
        let dir = Dir::new();
        dir.file("rayline.toml", &toml);
        let (edge, visitors, admin) = Self::start(&dir);
        Self { dir, edge, visitors, admin, toml, _origin: origin }
    }

    fn start(dir: &Dir) -> (Running, String, String) {
        let edge = Running::start(dir, &["serve"]);
        let visitors = address(&edge.stderr.until("serving shop.test on "), " on ");
        let admin = address(&edge.stderr.until("admin"), "http://");
        (edge, visitors, admin)
    }

    /// Ends the edge and starts another in its place; `between` is done while none runs. What the new one said first.
    fn restart(&mut self, between: impl FnOnce(&Dir)) {
        self.edge.signal("TERM");
        assert_eq!(self.edge.end(), 0);
        between(&self.dir);
        self.edge = Running::start(&self.dir, &["serve"]);
    }

    fn look_again(&mut self) {
        self.visitors = address(&self.edge.stderr.until("serving shop.test on "), " on ");
        self.admin = address(&self.edge.stderr.until("admin"), "http://");
    }

    /// Where the visitors' listener is.
    pub(super) fn visitors(&self) -> &str {
        &self.visitors
    }

    /// A command that asks this edge.
    pub(super) fn asks(&self, args: &[&str]) -> Outcome {
        let admin = format!("http://{}", self.admin);
        self.dir.run(&[args, &["--admin", &admin, "--config", "rayline.toml"]].concat())
    }

    /// A file in its folder.
    pub(super) fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    /// Another configuration.
    pub(super) fn write_whole(&self, toml: &str) {
        self.dir.file("next.toml", toml);
    }

    /// The configuration, and this.
    pub(super) fn write(&self, more: &str) {
        self.dir.file("next.toml", &format!("{}{more}", self.toml));
    }

    pub(super) fn config(&self, args: &[&str]) -> Outcome {
        let admin = format!("http://{}", self.admin);
        self.dir.run(&[&["config", "--admin", &admin, "--config", "rayline.toml"], args].concat())
    }

    /// The object that `rayline config … --json` prints.
    fn json(&self, args: &[&str]) -> Value {
        let outcome = self.config(&[args, &["--json"]].concat());
        serde_json::from_str(&outcome.stdout).unwrap_or_else(|_| panic!("{}{}", outcome.stdout, outcome.stderr))
    }

    fn roll_out(&self, text: &str, more: &[&str]) {
        self.dir.file("new.toml", text);
        self.config(&[&["apply", "new.toml", "--author", "maria", "-m", "a try", "--rollout"], more].concat()).fine();
    }

    fn version(&self, number: u64) -> Value {
        self.json(&["show", &number.to_string()])
    }

    /// Who got which versions, one after the other, by the log: its lines come from two workers.
    fn decided(&self) -> HashMap<String, Vec<u64>> {
        let log = std::fs::read_to_string(self.dir.path().join("data/requests.ndjson")).unwrap_or_default();
        let mut records: Vec<Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        records.sort_by_key(|record| record.get("EdgeStartTimestamp").map(ToString::to_string));
        let mut decided: HashMap<String, Vec<u64>> = HashMap::new();
        for record in records {
            let version = record.get("PlanVersion").and_then(Value::as_u64).unwrap();
            let visitor = record.get("ClientIP").and_then(Value::as_str).unwrap();
            decided.entry(visitor.to_owned()).or_default().push(version);
        }
        decided
    }
}

/// Visitors that ask one after the other, again and again.
struct Load {
    ends: Arc<AtomicBool>,
    asked: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Load {
    /// `request` makes what the visitor of this address sends.
    fn of(edge: &str, request: impl Fn(&str) -> String + Send + 'static) -> Self {
        let (ends, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (edge, stop, count) = (edge.to_owned(), Arc::clone(&ends), Arc::clone(&asked));
        let thread = std::thread::spawn(move || {
            for visitor in (0..VISITORS).cycle() {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                ask(&edge, &request(&format!("192.0.2.{visitor}")));
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        Self { ends, asked, thread: Some(thread) }
    }

    fn start(edge: &str) -> Self {
        Self::of(edge, |visitor| {
            format!("GET / HTTP/1.1\r\nHost: shop.test\r\nCF-Connecting-IP: {visitor}\r\nConnection: close\r\n\r\n")
        })
    }

    /// Returns when every visitor has asked at least once more.
    fn round(&self) {
        let from = self.asked.load(Ordering::Relaxed);
        eventually("load", || (self.asked.load(Ordering::Relaxed) > from + VISITORS).then_some(()));
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn pointing_to(toml: &str, kind: &str, content: &str) -> String {
    let there = toml.replace("type = \"A\"", &format!("type = \"{kind}\""));
    let there = there.replace("content = \"127.0.0.1\"", &format!("content = \"{content}\""));
    assert_ne!(there, toml);
    there
}

#[test]
fn what_breaks_by_owner_or_edge_is_taken_back_with_the_evidence() {
    let scene = Scene::new(
        r#"
[[alert]]
name = "rollbacks"
alert_type = "rollback"
receivers = ["file"]

[[alert_receiver]]
name = "file"
type = "command"
command = ["/bin/sh", "-c", "cat > told.part && mv told.part told.json"]
"#,
    );
    let load = Load::start(&scene.visitors);
    for (version, broken, code) in [
        (2, pointing_to(&scene.toml, "CNAME", "localhost"), "owner.resolve.prohibited_address"),
        (3, pointing_to(&scene.toml, "A", "224.0.0.1"), "edge.connect.no_route"),
    ] {
        scene.roll_out(&broken, &[]);
        let said = scene.edge.stderr.until("rolled back by itself");
        assert!(said.contains(code) && said.contains("everybody is on version 1"), "{said}");
        let shown = scene.version(version);
        assert_eq!((&shown["state"], &shown["author"]), (&"rolled_back".into(), &"maria".into()));
        let evidence = &shown["history"].as_array().unwrap().last().unwrap()["evidence"];
        assert_eq!((&evidence["old"]["version"], &evidence["new"]["version"]), (&1.into(), &version.into()));
        assert_eq!((&evidence["old"]["blamed"], &evidence["codes"][0]["code"]), (&0.into(), &code.into()));
        assert_eq!(evidence["new"]["blamed"], evidence["new"]["requests"]);
        assert_eq!(evidence["confidence"], 99.997);
        assert!(scene.config(&["show", &version.to_string()]).fine().contains(code));
    }
    load.round();
    drop(load);
    // Nobody goes to and fro: from the old version to a new one and back, for each of the two at most once.
    for (visitor, versions) in scene.decided() {
        let changes = versions.windows(2).filter(|pair| pair[0] != pair[1]).count();
        assert!(changes <= 4, "{visitor}: {versions:?}");
    }
    assert_eq!(std::fs::read_to_string(scene.dir.path().join("rayline.toml")).unwrap(), scene.toml);
    let metrics =
        ask(&scene.admin, &format!("GET /metrics HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", scene.admin));
    for line in ["rayline_rollbacks_total 2", "rayline_rollout_version 0", "rayline_plan_version 1"] {
        assert!(metrics.contains(line), "no {line:?} in {metrics}");
    }
    let told = eventually("somebody is told", || std::fs::read_to_string(scene.dir.path().join("told.json")).ok());
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["alert_type"], "rollback");
    assert!(told["headline"].as_str().unwrap().contains("was rolled back"), "{told}");
}

#[test]
fn what_origin_network_or_a_policy_does_is_taken_for_no_fault_of_the_version() {
    let scene = Scene::new("");
    let load = Load::start(&scene.visitors);
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (failing, resetting) = (acting(Script::status(500)), acting(Script::reset_after_request()));
    let at_port = |port: u16| {
        let line = scene.toml.lines().find(|line| line.contains("origin_http_port")).unwrap();
        scene.toml.replace(line, &format!("settings.origin_http_port = {port}"))
    };
    let silent_resolver = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let resolver = format!("resolvers = [\"{}\"]\ntrusted_proxies", silent_resolver.local_addr().unwrap());
    let unresolved = pointing_to(&scene.toml, "CNAME", "origin.test").replace("trusted_proxies", &resolver);
    let closed_zone = format!("{}\n[zone.maintenance]\nenabled = true\n", scene.toml);
    // Each is followed by a version that goes back.
    for (number, text, party) in [
        (2, at_port(closed), "origin"),
        (4, at_port(failing.1.addr().port()), "origin"),
        (6, at_port(resetting.1.addr().port()), "origin"),
        (8, unresolved, "network"),
        (10, closed_zone, "policy"),
    ] {
        scene.roll_out(&text, &[]);
        scene.edge.stderr.until(&format!("running on version {number} of the configuration: its rollout is over"));
        let shown = scene.version(number);
        let evidence = &shown["history"].as_array().unwrap().last().unwrap()["evidence"];
        assert_eq!((&shown["state"], &evidence["new"]["blamed"]), (&"used".into(), &0.into()), "{shown}");
        let others = evidence["new"]["others"].as_array().unwrap();
        assert!(others.iter().any(|other| other[0] == party), "{number}: {evidence}");
        assert_eq!(std::fs::read_to_string(scene.dir.path().join("rayline.toml")).unwrap(), text, "{number}");
        // All is well again before the next: by way of the text that the edge has started with.
        scene.config(&["rollback", "1"]).fine();
    }
    drop(load);
}

#[test]
fn what_visitors_do_wrong_is_taken_for_no_fault_of_the_version() {
    let scene = Scene::new("");
    let load = Load::of(&scene.visitors, |visitor| {
        let number: u8 = visitor.rsplit('.').next().unwrap().parse().unwrap();
        let fields = format!("Host: shop.test\r\nCF-Connecting-IP: {visitor}\r\nConnection: close\r\n");
        match number % 3 {
            0 => format!("GET / HTTP/1.1\r\n{fields}\r\n"),
            1 => format!("TRACE / HTTP/1.1\r\n{fields}\r\n"),
            _ => format!("GET /a b HTTP/1.1\r\n{fields}\r\n"),
        }
    });
    scene.roll_out(&format!("{}# new\n", scene.toml), &[]);
    scene.edge.stderr.until("running on version 2 of the configuration: its rollout is over");
    drop(load);
}

#[test]
fn a_rollout_goes_on_after_a_restart_with_the_same_visitors() {
    let mut scene = Scene::new("");
    let new = format!("{}# new\n", scene.toml);
    scene.roll_out(&new, &["--dwell", "1h"]);
    let load = Load::start(&scene.visitors);
    load.round();
    drop(load);
    let status = scene.json(&["rollout", "status"]);
    assert_eq!((&status["version"], &status["from"], &status["percent"]), (&2.into(), &1.into(), &50.0.into()));
    let refused = scene.config(&["apply", "new.toml"]);
    assert!(refused.code != 0 && refused.stderr.contains("version 2 is being rolled out"), "{}", refused.stderr);
    scene.restart(|_| {});
    scene.edge.stderr.until("the rollout of version 2 goes on after a restart, at 50 % of the visitors");
    scene.look_again();
    let load = Load::start(&scene.visitors);
    load.round();
    drop(load);
    let decided = eventually("the log has it all", || {
        let decided = scene.decided();
        let twice = decided.values().filter(|versions| versions.len() > 1).count();
        (twice as u64 == VISITORS).then_some(decided)
    });
    for (visitor, versions) in &decided {
        assert!(versions.iter().all(|version| *version == versions[0]), "{visitor}: {versions:?}");
    }
    assert!(decided.values().any(|versions| versions[0] == 1) && decided.values().any(|versions| versions[0] == 2));
    let done = scene.config(&["rollout", "promote", "--whole", "-m", "good enough"]).fine();
    assert!(done.contains("version 2 runs for everybody"), "{done}");
    assert_eq!(std::fs::read_to_string(scene.dir.path().join("rayline.toml")).unwrap(), new);
    scene.restart(|_| {});
    scene.look_again();
    let listed = scene.json(&["list"]);
    assert_eq!(
        (&listed[0]["version"], &listed[0]["running"], listed.as_array().unwrap().len()),
        (&2.into(), &true.into(), 2)
    );
    let history = listed[0]["history"].to_string();
    assert!(history.contains("good enough") && history.contains("goes on after a restart"), "{history}");
}

#[test]
fn a_rollout_ends_at_a_restart_with_another_file() {
    let mut scene = Scene::new("");
    scene.roll_out(&format!("{}# new\n", scene.toml), &["5%", "--dwell", "1h"]);
    let other = format!("{}# other\n", scene.toml);
    scene.restart(|dir| {
        dir.file("rayline.toml", &other);
    });
    scene.edge.stderr.until("the rollout of version 2 ends: the edge has started with version 3, not with 1");
    scene.look_again();
    assert_eq!(scene.version(2)["state"], "aborted");
    assert!(scene.config(&["rollout", "status"]).fine().contains("no version is being rolled out"));
    assert_eq!(scene.version(3)["running"], true);
}

#[test]
fn versions_are_applied_compared_and_gone_back_to() {
    let scene = Scene::new("");
    let new = scene.toml.replace("dwell = \"1s\"", "dwell = \"2s\"");
    scene.dir.file("new.toml", &new);
    let applied = scene.config(&["apply", "new.toml", "--author", "maria", "--comment", "slower"]).fine();
    assert!(applied.contains("version 2 runs"), "{applied}");
    assert_eq!(std::fs::read_to_string(scene.dir.path().join("rayline.toml")).unwrap(), new);
    let listed = scene.config(&["list"]).fine();
    assert!(listed.lines().next().unwrap().contains("by maria  slower  runs"), "{listed}");
    let diff = scene.config(&["diff", "1", "2"]);
    assert_eq!(diff.code, 1);
    assert!(diff.stdout.contains("-dwell = \"1s\"\n+dwell = \"2s\"\n"), "{}", diff.stdout);
    assert!(scene.config(&["apply", "new.toml"]).fine().contains("version 2 runs, and has this very text"));
    let back = scene.json(&["rollback", "-m", "too slow"]);
    assert_eq!(back["version"], 3);
    assert_eq!(std::fs::read_to_string(scene.dir.path().join("rayline.toml")).unwrap(), scene.toml);
    assert_eq!(scene.version(3)["comment"], "back to the text of version 1: too slow");
    assert_eq!(scene.config(&["diff", "1", "3"]).code, 0);
    assert!(scene.config(&["show", "9"]).stderr.contains("version `9` is not known"));
}

#[test]
fn a_bad_file_changes_nothing_and_says_why() {
    let scene = Scene::new("");
    for bad in [scene.toml.replace("dwell", "dwel"), "[[zone]]\n".to_owned(), String::new()] {
        scene.dir.file("bad.toml", &bad);
        for more in [&["apply", "bad.toml"][..], &["apply", "bad.toml", "--rollout", "5%"]] {
            let outcome = scene.config(more);
            assert_eq!(outcome.code, 1, "{}", outcome.stderr);
            assert!(outcome.stderr.contains("error"), "{}", outcome.stderr);
        }
    }
    scene.dir.file("bad.toml", &scene.toml.replace("dwell", "dwel"));
    let told = scene.config(&["apply", "bad.toml"]).stderr;
    assert!(
        told.contains("there is no key `dwel`") && told.contains("did you mean `dwell`?") && told.contains("^"),
        "{told}"
    );
    assert_eq!(scene.json(&["list"]).as_array().unwrap().len(), 1);
    assert_eq!(std::fs::read_to_string(scene.dir.path().join("rayline.toml")).unwrap(), scene.toml);
    let wrong = scene.config(&["apply", "new.toml", "--rollout", "500%"]);
    assert_eq!(wrong.code, 2, "{}", wrong.stderr);
    assert_eq!(scene.config(&["rollout", "abort"]).code, 3);
}
