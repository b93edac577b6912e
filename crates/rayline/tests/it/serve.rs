//! `rayline serve`, run as a process: one line, a configuration, signals.

use rayline_testkit::{Origin, Script};

use super::Dir;
use super::running::{Running, eventually, get};

/// An origin that works, and the runtime it plays on.
fn origin() -> (tokio::runtime::Runtime, Origin) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let origin = runtime.block_on(async { Origin::start(Script::ok()).unwrap() });
    (runtime, origin)
}

/// The first address in a line such as `serving shop.test on http://127.0.0.1:4000`.
fn address(line: &str) -> String {
    line.split("http://").nth(1).unwrap().split([',', ' ']).next().unwrap().to_owned()
}

fn config(dir: &Dir, port: u16, more: &str) -> String {
    let text = format!(
        "[server]\nhttp = [\"127.0.0.1:0\"]\nadmin = \"127.0.0.1:0\"\ndata_dir = \"data\"\n[log]\nrequests = \"log\"\n\
         [[zone]]\nname = \"shop.test\"\n[zone.settings]\nssl = \"flexible\"\norigin_http_port = {port}\n{more}\n\
         [[zone.dns_records]]\ntype = \"A\"\nname = \"@\"\ncontent = \"127.0.0.1\"\nproxied = true\n"
    );
    dir.file("rayline.toml", &text).display().to_string()
}

#[test]
fn one_line_puts_it_in_front_of_a_server() {
    let (_runtime, origin) = origin();
    let dir = Dir::new();
    let url = format!("http://{}", origin.addr());
    let args = ["serve", "--zone", "shop.test", "--origin", &url, "--listen", "127.0.0.1:0", "--log", "stdout"];
    let mut edge = Running::start(&dir, &args);
    let edge_address = address(&edge.stderr.until("serving shop.test (every host name) on "));
    let answer = get(&edge_address, "127.0.0.1", "/hello");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("GET /hello HTTP/1.1") && answer.contains("CF-Ray: "), "{answer}");
    assert!(edge.stdout.until("RayID").contains("\"ClientRequestURI\":\"/hello\""));
    edge.signal("TERM");
    assert_eq!(edge.end(), 0);
}

#[test]
fn reads_its_configuration_again_when_it_changes_or_is_told_to() {
    let (_runtime, origin) = origin();
    let dir = Dir::new();
    config(&dir, origin.addr().port(), "");
    let mut edge = Running::start(&dir, &["serve"]);
    let edge_address = address(&edge.stderr.until("serving shop.test on "));
    assert!(get(&edge_address, "shop.test", "/").starts_with("HTTP/1.1 200"));

    config(&dir, origin.addr().port(), "max_upload = 1\n");
    edge.stderr.until("running on version 2 of the configuration");
    config(&dir, origin.addr().port(), "sll = \"strict\"\n");
    edge.stderr.until("nothing has changed");
    assert!(get(&edge_address, "shop.test", "/").starts_with("HTTP/1.1 200"), "the old plan runs on");
    config(&dir, origin.addr().port(), "");
    edge.stderr.until("running on version 3 of the configuration");
    edge.signal("HUP");
    edge.stderr.until("the configuration has not changed: version 3 runs on");
    assert!(get(&edge_address, "shop.test", "/").starts_with("HTTP/1.1 200"));
    edge.signal("INT");
    assert_eq!(edge.end(), 0);
}

#[test]
fn opens_its_log_anew_when_it_is_told_to() {
    let (_runtime, origin) = origin();
    let dir = Dir::new();
    config(&dir, origin.addr().port(), "");
    let mut edge = Running::start(&dir, &["serve"]);
    let edge_address = address(&edge.stderr.until("serving shop.test on "));
    let log = dir.path().join("data/log");
    get(&edge_address, "shop.test", "/before");
    eventually("the first record", || std::fs::read_to_string(&log).ok().filter(|text| text.contains("/before")));
    std::fs::rename(&log, dir.path().join("data/log.1")).unwrap();
    edge.signal("USR1");
    eventually("the new file", || {
        get(&edge_address, "shop.test", "/after");
        std::fs::read_to_string(&log).ok().filter(|text| text.contains("/after"))
    });
    edge.signal("TERM");
    assert_eq!(edge.end(), 0);
}

#[test]
fn tells_metrics_and_tails() {
    let (_runtime, origin) = origin();
    let dir = Dir::new();
    config(&dir, origin.addr().port(), "");
    let mut edge = Running::start(&dir, &["serve"]);
    let edge_address = address(&edge.stderr.until("serving shop.test on "));
    let admin = address(&edge.stderr.until("admin: http://"));
    let token = std::fs::read_to_string(dir.path().join("data/admin.token")).unwrap();
    let mut tail = dir.rayline(&["tail", "--json", "--failures", "--admin", &format!("http://{admin}")]);
    let mut tail = tail.env("RAYLINE_TOKEN", token.trim()).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let stdout = tail.stdout.take().unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(stdout));
    // The tail hears what happens from when it is connected: asks until it has heard.
    let heard = std::thread::spawn(move || lines.next().unwrap().unwrap());
    eventually("a tailed line", || {
        get(&edge_address, "elsewhere.test", "/");
        heard.is_finished().then_some(())
    });
    assert!(heard.join().unwrap().contains("owner.route.unknown_host"));
    let _ = tail.kill();
    let _ = tail.wait();
    let metrics = get(&admin, &admin, "/metrics");
    assert!(metrics.contains("code=\"owner.route.unknown_host\""), "{metrics}");
    edge.signal("TERM");
    assert_eq!(edge.end(), 0);
}

#[test]
fn says_what_is_wrong_and_does_not_start() {
    let dir = Dir::new();
    let outcome = dir.run(&["serve"]);
    assert_eq!(outcome.code, 2, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("--zone NAME --origin URL"), "{}", outcome.stderr);

    dir.file("rayline.toml", "[server]\nhtp = []\n");
    let outcome = dir.run(&["serve"]);
    assert_eq!(outcome.code, 1, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("htp"), "{}", outcome.stderr);

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let args = ["serve", "--zone", "shop.test", "--origin", "http://127.0.0.1:1", "--listen", &listen];
    let outcome = dir.run(&args);
    assert_eq!(outcome.code, 3, "{}", outcome.stderr);
    assert!(outcome.stderr.contains(&format!("cannot listen on {listen}")), "{}", outcome.stderr);
}
