//! `rayline diagnose` and its side commands: what they print, and how they end.

use rayline_testkit::{Origin, Script, Step};
use serde_json::Value;

use crate::running::Running;
use crate::{Dir, Outcome, run};

/// A site on loopback that plays a script; the runtime lets it play.
struct Site {
    _runtime: tokio::runtime::Runtime,
    origin: Origin,
    dir: Dir,
}

impl Site {
    fn new(script: Script) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let origin = runtime.block_on(async { Origin::start(script).unwrap() });
        Self { _runtime: runtime, origin, dir: Dir::new() }
    }

    fn url(&self) -> String {
        format!("http://www.shop.test:{}/cart?token=s3cret", self.origin.addr().port())
    }

    fn diagnose(&self, more: &[&str]) -> Outcome {
        let resolve = format!("www.shop.test:{}:127.0.0.1", self.origin.addr().port());
        let args = ["diagnose", &self.url(), "--resolve", &resolve];
        self.dir.run(&[&args[..], more].concat())
    }
}

fn json(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.stdout).unwrap()
}

#[test]
fn a_site_that_works_ends_with_0() {
    let outcome = Site::new(Script::ok()).diagnose(&["--json"]);
    assert_eq!(outcome.code, 0, "{}{}", outcome.stdout, outcome.stderr);
    let report = json(&outcome);
    assert_eq!((&report["outcome"], &report["verdict"]), (&Value::from("fine"), &Value::Null));
    assert!(report["probes"].as_array().unwrap().len() > 2);
}

#[test]
fn a_fault_ends_with_1_on_one_screen() {
    let outcome = Site::new(Script::status(500)).diagnose(&[]);
    assert_eq!(outcome.code, 1, "{}{}", outcome.stdout, outcome.stderr);
    for expected in ["You", "[✗", "origin.wait.error_status", "  why\n", "  do\n"] {
        assert!(outcome.stdout.contains(expected), "{expected} in {}", outcome.stdout);
    }
    assert!(outcome.stdout.lines().count() <= 50, "{}", outcome.stdout);
    assert!(!outcome.stdout.contains('\u{1b}'), "no colours where there is no terminal");
}

#[test]
fn what_the_fixes_point_at_is_on_the_screen() {
    let steps = [Step::ReadHead, Step::send("SSH-2.0-OpenSSH_9.2\r\n"), Step::Fin];
    let outcome = Site::new(Script::new("ssh", "answers as SSH does", steps)).diagnose(&[]);
    assert!(outcome.stdout.contains("first_bytes: SSH-2.0-OpenSSH_9.2"), "{}", outcome.stdout);
}

#[test]
fn what_is_handed_on_has_no_secrets() {
    let site = Site::new(Script::status(500));
    let outcome = site.diagnose(&[
        "--report",
        "r.html",
        "--har",
        "s.har",
        "--ticket",
        "hosting",
        "--header",
        "Cookie: id=s3cret",
        "--header",
        "X-Mine: s3cret",
    ]);
    assert_eq!(outcome.code, 1, "{}", outcome.stderr);
    assert!(outcome.stdout.contains("Subject: www.shop.test fails"), "{}", outcome.stdout);
    let ticket = outcome.stdout.split_once("Subject:").unwrap().1;
    let read = |name: &str| std::fs::read_to_string(site.dir.path().join(name)).unwrap();
    for text in [ticket, &read("r.html"), &read("s.har")] {
        assert!(text.contains("token=(masked)") && !text.contains("s3cret"), "{text}");
    }
    assert_eq!(site.diagnose(&["--report", "r.md"]).code, 1);
    assert!(read("r.md").starts_with("# http://www.shop.test:"));
    // nothing that is there is written over
    let again = site.diagnose(&["--har", "s.har"]);
    assert_eq!(again.code, 3);
    assert!(again.stderr.contains("nothing is replaced here"), "{}", again.stderr);
    // and what was written can be read
    let har = site.dir.run(&["diagnose", "--har", "s.har"]);
    assert_eq!(har.code, 1, "{}", har.stderr);
    assert!(har.stdout.contains("requests failed"), "{}", har.stdout);
}

#[test]
fn what_cannot_be_done_is_said_before_anything_is_asked() {
    for (args, code, why) in [
        (&["diagnose"][..], 2, "<URL>"),
        (&["diagnose", "ftp://shop.test"], 2, "asked by `http` or `https`"),
        (&["diagnose", "http://127.0.0.1:1", "--method", "POST"], 2, "may change something"),
        (&["diagnose", "http://127.0.0.1:1", "--logs", "not-there.log"], 3, "there is no `not-there.log`"),
        (&["diagnose", "http://127.0.0.1:1", "--report", "x.pdf"], 2, "`.html` or `.md`"),
        (&["diagnose", "http://127.0.0.1:1", "--load"], 2, "--origin"),
        (
            &["diagnose", "http://127.0.0.1:1", "--method", "POST", "--unsafe", "--load", "--origin", "127.0.0.1"],
            2,
            "GET and HEAD",
        ),
        (&["diagnose", "http://127.0.0.1:1", "--watch", "--ticket", "edge"], 2, "cannot be used with"),
        (&["diagnose", "--har", "x.har", "--report", "x.html"], 2, "<URL"),
        (&["diagnose", "--har", "not-there.har"], 3, "not-there.har"),
        (&["diagnose", "--har", "/dev/zero"], 3, "no regular file"),
        (&["ray", "0011223344556677", "--file", "/dev/zero"], 3, "no regular file"),
        (&["ips", "cloudflare", "--format", "nginx", "--port", "443"], 2, "--port is for firewalls"),
        (&["ips", "cloudflare", "--format", "ufw", "--only"], 2, "--only is for"),
        (&["ips", "--format", "nginx"], 2, "name an edge"),
        (&["logs", "not-there.log"], 3, "there is no `not-there.log`"),
        (&["ray", "xyz"], 2, "16 hexadecimal digits"),
        (&["ray", "0011223344556677"], 3, "nothing is known of"),
        (&["ips", "nobody"], 2, "known are"),
    ] {
        let outcome = run(args);
        assert_eq!(outcome.code, code, "{args:?}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(why), "{args:?}: {}", outcome.stderr);
    }
}

#[test]
fn what_a_person_writes_in_vain_is_not_repeated() {
    for args in [
        ["diagnose", "http://me:s3cret@shop.test"],
        ["diagnose", "http://me:s3cret@shop.test:99999"],
        ["probe", "http://me:s3cret@192.0.2.7:80"],
    ] {
        let outcome = run(&args);
        assert_eq!(outcome.code, 2, "{}", outcome.stderr);
        assert!(!outcome.stderr.contains("s3cret"), "{}", outcome.stderr);
    }
}

#[test]
fn a_ticket_is_a_member_of_the_json() {
    let outcome = Site::new(Script::status(500)).diagnose(&["--json", "--ticket", "hosting"]);
    assert!(json(&outcome)["ticket"].as_str().unwrap().starts_with("Subject: www.shop.test fails"));
    let outcome = Site::new(Script::ok()).diagnose(&["--json", "--ticket", "hosting"]);
    assert!(json(&outcome).get("ticket").is_none());
    assert!(outcome.stderr.contains("nothing fails"), "{}", outcome.stderr);
}

#[test]
fn a_ticket_for_an_edge_is_made_where_one_is_seen() {
    let outcome = Site::new(Script::status(500)).diagnose(&["--ticket", "edge"]);
    assert_eq!(outcome.code, 1, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("no edge is seen"), "{}", outcome.stderr);
    assert!(!outcome.stdout.contains("Subject:") && !outcome.stdout.contains("Edge ─"), "{}", outcome.stdout);
    let cloudflare =
        "HTTP/1.1 520 Said\r\nServer: cloudflare\r\nCF-Ray: 8a1b2c3d4e5f6789-AMS\r\nContent-Length: 0\r\n\r\n";
    let edge = || Script::new("edge", "answers as an edge does", [Step::ReadHead, Step::send(cloudflare)]);
    assert!(Site::new(edge()).diagnose(&["--ticket", "edge"]).stdout.contains("Subject: www.shop.test fails"));
}

#[test]
fn the_urls_values_are_masked_unless_they_are_wanted() {
    let site = Site::new(Script::status(500));
    for (more, token) in [(&[][..], "token=(masked)"), (&["--unmask"], "token=s3cret")] {
        let head = site.diagnose(more).stdout;
        assert!(head.contains(token), "{head}");
        let report = json(&site.diagnose(&[more, &["--json"]].concat()));
        assert!(report["url"].as_str().unwrap().ends_with(token), "{report}");
        assert_eq!(report["edge_seen"], false);
    }
}

#[test]
fn one_request_is_no_plural() {
    let outcome = Site::new(Script::status(500)).diagnose(&["--samples", "1", "--method", "GET", "--verbose"]);
    let line = outcome.stdout.lines().find(|line| line.contains("visit.rate")).unwrap();
    assert!(line.contains("requests fail") || line.contains("the only request fails"), "{line}");
    assert!(!line.contains("all of 1"), "{line}");
}

#[test]
fn logs_are_named_and_a_ray_finds_its_line() {
    let dir = Dir::new();
    dir.file(
        "error.log",
        "2026/11/21 11:01:59 [error] 5421#5421: *2 connect() failed (111: Connection refused) while connecting to upstream, \
         client: 203.0.113.7, server: www.shop.test, request: \"GET /cart HTTP/1.1\", upstream: \"http://127.0.0.1:3000/cart\", \
         host: \"www.shop.test\"\n",
    );
    dir.file(
        "access.log",
        "203.0.113.7 - - [21/Nov/2026:11:01:59 +0000] \"GET /cart HTTP/1.1\" 502 157 \"-\" \"curl/8\" 00aa11bb22cc33dd-LHR\n",
    );
    let outcome = dir.run(&["logs", ".", "--json"]);
    assert_eq!(outcome.code, 1, "{}", outcome.stderr);
    assert_eq!(json(&outcome)["named"][0]["name"], "server.upstream_refused");
    let text = dir.run(&["logs", "error.log"]);
    assert!(text.stdout.contains("server.upstream_refused  once") && text.stdout.contains("fix:"), "{}", text.stdout);
    let outcome = dir.run(&["ray", "00AA11BB22CC33DD-LHR", "--logs", "."]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert!(outcome.stdout.contains("by Ray ID"), "{}", outcome.stdout);
}

#[test]
fn a_running_edge_is_asked_for_a_ray_before_its_log() {
    const RAY: &str = "00aa11bb22cc33dd";
    let record = |code: &str| {
        format!(r#"{{"RayID":"{RAY}","VerdictCode":"{code}","EdgeStartTimestamp":"2026-11-21T11:01:59Z"}}"#)
    };
    let (kept, logged) = (record("origin.connect.refused"), record("origin.wait.reset"));
    let answers = |status: u16, body: &str| {
        let head = format!(
            "HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        Script::new("admin", "answers as an admin server does", [Step::ReadHead, Step::send(head + body), Step::Fin])
    };
    let ray = |script: Script| {
        let site = Site::new(script);
        site.dir.file("requests.ndjson", &format!("{logged}\n"));
        let admin = format!("http://{}", site.origin.addr());
        let args = ["ray", RAY, "--json", "--file", "requests.ndjson", "--admin", &admin];
        let outcome = Outcome::of(site.dir.rayline(&args).env("RAYLINE_TOKEN", "s3cret").output().unwrap());
        assert_eq!(outcome.code, 1, "{}", outcome.stderr);
        let found = json(&outcome)["record"]["VerdictCode"].as_str().unwrap().to_owned();
        (found, outcome.stderr)
    };
    let whole = format!(r#"{{"success":true,"errors":[],"messages":[],"result":{{"line":{kept}}}}}"#);
    let refusal = r#"{"success":false,"errors":[{"code":7000,"message":"no such ray"}],"messages":[],"result":null}"#;
    assert_eq!(ray(answers(200, &whole)), ("origin.connect.refused".to_owned(), String::new()));
    for (script, why) in [
        (answers(404, refusal), "says 404: no such ray"),
        (answers(401, refusal), "says 401"),
        (answers(404, "<html>"), "no edge's admin server"),
        (answers(200, "{}"), "answers with no result"),
        (Script::reset_after_request(), "no edge answers at"),
    ] {
        let (found, said) = ray(script);
        assert_eq!(found, "origin.wait.reset", "{why}");
        assert!(said.contains(why) && said.contains("what is on disk is looked through"), "{why}: {said}");
        assert!(!said.contains("s3cret"), "{said}");
    }
}

#[test]
fn what_is_no_text_is_not_read_as_a_log() {
    let dir = Dir::new();
    let noise: Vec<u8> = (0..20_000_u32).map(|place| (place.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    std::fs::write(dir.path().join("noise.log"), noise).unwrap();
    let outcome = dir.run(&["logs", "noise.log"]);
    assert_eq!(outcome.code, 3, "{}", outcome.stdout);
    assert!(outcome.stdout.contains("it is no text"), "{}", outcome.stdout);
    dir.file("calm.log", "all is well\n");
    assert_eq!(dir.run(&["logs", "calm.log"]).code, 0);
}

#[test]
fn load_is_repeated_where_that_was_asked_for() {
    let site = Site::new(Script::ok());
    let (url, port) = (site.url(), site.origin.addr().port());
    let (resolve, origin) = (format!("www.shop.test:{port}:127.0.0.1"), format!("http://127.0.0.1:{port}"));
    let args = ["diagnose", &url, "--resolve", &resolve, "--origin", &origin, "--samples", "1", "--watch", "100ms"];
    let load = ["--load", "2", "--load-rate", "4", "--yes", "--json"];
    let mut running = Running::start(&site.dir, &[&args[..], &load].concat());
    running.stderr.until("at each round: GET requests for");
    running.stdout.until("\"name\": \"load\"");
    // How far it gets is the machine's affair: what cannot be asked for on a busy one ends it.
    running.stdout.until("\"connections\": 2");
    running.stderr.until("no change");
    running.signal("INT");
    assert_eq!(running.end(), 0);
    for (args, why) in [(&["--load-rate", "5"][..], "--load"), (&["--load", "--load-rate", "0"], "0 is not in")] {
        let outcome = site.diagnose(&[args, &["--origin", &origin]].concat());
        assert_eq!(outcome.code, 2, "{}", outcome.stderr);
        assert!(outcome.stderr.contains(why), "{}", outcome.stderr);
    }
}

#[test]
fn on_the_origin_it_is_said_where_nothing_can_be_traced_toward_an_edge() {
    let site = Site::new(Script::ok());
    site.dir.file("access.log", "127.0.0.1 - - [21/Nov/2026:11:01:59 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"x\"\n");
    let report = json(&site.diagnose(&["--here", "--logs", "access.log", "--json"]));
    let probes = report["probes"].as_array().unwrap();
    let toward = probes.iter().find(|probe| probe["name"] == "network.toward").unwrap();
    assert_eq!(toward["ok"], Value::Null);
    assert!(toward["said"].as_str().unwrap().contains("nothing is traced toward the edge"), "{toward}");
}

#[test]
fn the_addresses_of_edges_come_in_every_format() {
    assert!(run(&["ips"]).fine().contains("Cloudflare"));
    let json: Value = run(&["ips", "cloudflare", "--json"]).json();
    assert!(json["ranges"].as_array().unwrap().len() > 20);
    for (format, line) in [
        ("ufw", "ufw allow"),
        ("nft", "ip saddr"),
        ("iptables", "iptables -"),
        ("nginx", "set_real_ip_from"),
        ("apache", "RemoteIPTrustedProxy"),
        ("plain", "173.245.48.0/20"),
    ] {
        let outcome = run(&["ips", "Cloudflare", "--format", format]);
        assert!(outcome.code == 0 && outcome.stdout.contains(line), "{format}: {}", outcome.stdout);
    }
    let dir = Dir::new();
    dir.file("rayline.toml", "[server]\nhttp = [\"192.0.2.9:80\"]\n[[zone]]\nname = \"shop.test\"\n");
    assert_eq!(dir.run(&["ips", "--config", "rayline.toml"]).fine(), "192.0.2.9/32\n");
}

#[test]
fn a_cause_within_an_origin_is_explained_too() {
    let text = run(&["explain", "database.too_many_connections"]).fine();
    assert!(text.contains("The database takes no more connections."), "{text}");
    assert_eq!(run(&["explain", "host.disk_full", "--json"]).json()["hop"], "origin");
}
