//! `rayline tail`, with a running admin server and with files.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use rayline_control::{Control, Edge, Seats};
use rayline_observe::{Lane, Observer, Options, Target};
use rayline_verdict::{Code, Record, log_line};

use crate::{Dir, records};

/// An edge that says nothing: it is the records that count.
struct Silent;

impl Edge for Silent {
    fn plan_version(&self) -> u64 {
        1
    }

    fn reload(&self) -> Result<u64, Vec<String>> {
        Ok(1)
    }

    fn status(&self) -> serde_json::Value {
        serde_json::json!({})
    }
}

/// What an edge runs beside its workers.
struct Running {
    control: Control,
    observer: Observer,
    lane: Lane,
}

impl Running {
    /// With its token where an edge without a configuration has it.
    fn start(dir: &Dir, addr: &str) -> Self {
        let options = Options { log: Target::Off, lanes: 1, lane_capacity: 4096 };
        let (observer, mut lanes) = Observer::start(options).unwrap();
        let token = dir.path().join("rayline-data/admin.token");
        let control =
            Control::start(addr.parse().unwrap(), &token, observer.clone(), Arc::new(Silent), Seats::default())
                .unwrap();
        Self { control, observer, lane: lanes.remove(0) }
    }

    fn addr(&self) -> SocketAddr {
        self.control.addr()
    }

    fn stop(self) {
        self.control.stop();
        self.observer.stop();
    }
}

/// The program while it runs, its lines taken as they come.
struct Tail {
    child: Child,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
}

impl Tail {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (stdout, stderr) = (lines(child.stdout.take().unwrap()), lines(child.stderr.take().unwrap()));
        Self { child, stdout, stderr }
    }

    #[track_caller]
    fn line(&self) -> String {
        self.stdout.recv_timeout(Duration::from_secs(20)).unwrap_or_else(|error| {
            panic!("{error}; on standard error: {:?}", self.stderr.try_iter().collect::<Vec<_>>())
        })
    }

    #[track_caller]
    fn complaint(&self) -> String {
        self.stderr.recv_timeout(Duration::from_secs(20)).unwrap()
    }

    /// Records `probe` until the program shows something: then it is following.
    #[track_caller]
    fn wait_until_it_follows(&self, running: &mut Running, probe: impl Fn() -> Record) -> String {
        for _ in 0..200 {
            running.lane.record(probe());
            if let Ok(line) = self.stdout.recv_timeout(Duration::from_millis(100)) {
                return line;
            }
        }
        panic!("nothing is shown: {:?}", self.stderr.try_iter().collect::<Vec<_>>())
    }

    /// The next line that is not another of the probes.
    #[track_caller]
    fn line_after(&self, probe: &str) -> String {
        loop {
            let line = self.line();
            if !line.contains(probe) {
                return line;
            }
        }
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(stream: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    receiver
}

fn log(records: &[Record]) -> String {
    let mut lines = Vec::new();
    for record in records {
        log_line::write(record, &mut lines);
    }
    String::from_utf8(lines).unwrap()
}

#[test]
fn a_running_edge_is_followed_with_filters_and_verdicts() {
    let dir = Dir::new();
    let mut running = Running::start(&dir, "127.0.0.1:0");
    let admin = format!("http://{}", running.addr());
    let tail = Tail::start(dir.rayline(&["tail", "--admin", &admin, "--party", "origin", "--status", "5xx"]));
    tail.wait_until_it_follows(&mut running, || records::refused("/probe"));
    for record in [records::fine("/fine"), records::nowhere("/nowhere"), records::refused("/refused")] {
        running.lane.record(record);
    }
    let sentence = Code::OriginConnectRefused.entry().sentence;
    let verdict = format!("    origin  origin.connect.refused  proven  {sentence}");
    let mut line = tail.line();
    while line.contains("/probe") || line == verdict {
        line = tail.line();
    }
    assert_eq!(line, "12:00:00.025  521  GET www.shop.example/refused  origin –  25 ms");
    assert_eq!(tail.line(), verdict);
    running.stop();
}

#[test]
fn json_lines_are_those_of_the_log() {
    let dir = Dir::new();
    let mut running = Running::start(&dir, "127.0.0.1:0");
    let admin = running.addr().to_string();
    let tail = Tail::start(dir.rayline(&["tail", "--json", "--admin", &admin]));
    tail.wait_until_it_follows(&mut running, || records::fine("/probe"));
    running.lane.record(records::refused("/refused"));
    assert_eq!(tail.line_after("/probe") + "\n", log(&[records::refused("/refused")]));
    running.stop();
}

#[test]
fn the_configuration_says_where_the_edge_is_and_a_restart_is_waited_for() {
    let dir = Dir::new();
    let mut running = Running::start(&dir, "127.0.0.1:0");
    let addr = running.addr();
    dir.file(
        "rayline.toml",
        &format!(
            r#"
[server]
http = ["127.0.0.1:8080"]
admin = "{addr}"

[[zone]]
name = "shop.example"
settings.ssl = "flexible"
dns_records = [{{ type = "A", name = "@", content = "192.0.2.10" }}]
"#
        ),
    );
    let tail = Tail::start(dir.rayline(&["tail"]));
    tail.wait_until_it_follows(&mut running, || records::fine("/before"));
    running.stop();
    let complaint = tail.complaint();
    assert!(complaint.starts_with(&format!("the edge at {addr} is gone (")), "{complaint}");
    let mut running = Running::start(&dir, &addr.to_string());
    assert_eq!(tail.complaint(), format!("the edge at {addr} is back"));
    running.lane.record(records::fine("/after"));
    assert!(tail.line_after("/before").contains("/after"));
    running.stop();
}

#[test]
fn without_an_edge_or_its_token_it_says_what_to_do() {
    let dir = Dir::new();
    let running = Running::start(&dir, "127.0.0.1:0");
    let admin = running.addr().to_string();
    let elsewhere = Dir::new();
    let no_token = elsewhere.run(&["tail", "--admin", &admin]);
    assert_eq!(no_token.code, 3);
    assert!(no_token.stderr.contains("cannot read the token `rayline-data/admin.token`"), "{}", no_token.stderr);
    assert!(no_token.stderr.contains("hint: "), "{}", no_token.stderr);

    let wrong = elsewhere.rayline(&["tail", "--admin", &admin]).env("RAYLINE_TOKEN", "0".repeat(64)).output().unwrap();
    assert_eq!(wrong.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("says 401: that is not the token"), "{wrong:?}");

    running.stop();
    let gone = dir.run(&["tail", "--admin", &admin]);
    assert_eq!(gone.code, 3);
    assert!(gone.stderr.starts_with(&format!("error: no edge answers at {admin}: ")), "{}", gone.stderr);

    dir.file("rayline.toml", "[server]\nhttp = [\"127.0.0.1:8080\"]\n");
    let bad = dir.run(&["tail"]);
    assert_eq!(bad.code, 3);
    assert!(bad.stderr.contains("`rayline.toml` has errors"), "{}", bad.stderr);
    assert!(bad.stderr.contains("rayline check rayline.toml"), "{}", bad.stderr);
}

#[test]
fn ctrl_c_ends_it_cleanly() {
    let dir = Dir::new();
    let mut running = Running::start(&dir, "127.0.0.1:0");
    let admin = running.addr().to_string();
    let mut tail = Tail::start(dir.rayline(&["tail", "--admin", &admin]));
    tail.wait_until_it_follows(&mut running, || records::fine("/probe"));
    interrupt(&tail.child);
    assert_eq!(tail.child.wait().unwrap().code(), Some(0));
    running.stop();
}

/// As a terminal does on Ctrl-C.
fn interrupt(child: &Child) {
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
}

#[test]
fn a_file_is_read_without_an_edge() {
    let dir = Dir::new();
    let mut text = log(&[records::fine("/fine"), records::refused("/refused")]);
    text.push_str("no record\n\n[1]\n");
    text.push_str(log(&[records::nowhere("/nowhere")]).trim_end());
    dir.file("requests.ndjson", &text);
    let read = |args: &[&str]| dir.run(&[&["tail", "--file", "requests.ndjson", "--no-follow"], args].concat());
    let all = read(&[]);
    assert_eq!(all.code, 0);
    assert_eq!(all.stdout.lines().count(), 5, "{}", all.stdout);
    assert_eq!(all.stderr, "some lines are no records, and are left out\n");
    let failures = read(&["--status", "1016", "--json"]);
    assert_eq!(failures.stdout, log(&[records::nowhere("/nowhere")]));
    assert_eq!(dir.run(&["tail", "--file", "nowhere.ndjson"]).code, 3);
}

#[test]
fn a_file_is_followed_through_rotation_and_truncation() {
    let dir = Dir::new();
    let path = dir.file("requests.ndjson", &log(&[records::fine("/one")]));
    let mut tail = Tail::start(dir.rayline(&["tail", "--file", "requests.ndjson"]));
    let append = |uri: &str| {
        let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(log(&[records::fine(uri)]).as_bytes()).unwrap();
    };
    assert!(tail.line().contains("/one"));
    append("/two");
    assert!(tail.line().contains("/two"));
    fs::rename(&path, dir.path().join("requests.ndjson.1")).unwrap();
    dir.file("requests.ndjson", &log(&[records::fine("/three")]));
    assert!(tail.line().contains("/three"));
    assert_eq!(tail.complaint(), "`requests.ndjson` is a new file now");
    fs::write(&path, "").unwrap();
    assert_eq!(tail.complaint(), "`requests.ndjson` was emptied");
    append("/four");
    assert!(tail.line().contains("/four"));
    interrupt(&tail.child);
    assert_eq!(tail.child.wait().unwrap().code(), Some(0));
}

#[test]
fn nothing_hostile_reaches_the_terminal() {
    let dir = Dir::new();
    let hostile = records::fine("/\x1b[2J\u{9b}31m\u{202e}\x07");
    dir.file("requests.ndjson", &log(&[hostile]));
    for more in [&["--color", "always"][..], &["--json"], &["-v"]] {
        let shown = dir.run(&[&["tail", "--file", "requests.ndjson", "--no-follow"], more].concat()).fine();
        let plain = anstream::adapter::strip_str(&shown).to_string();
        assert!(plain.contains("2J"), "{shown:?}");
        assert!(!plain.chars().any(|letter| letter != '\n' && letter.is_control()), "{shown:?}");
        assert!(!shown.contains("\x1b[2J") && !shown.contains('\u{9b}') && !shown.contains('\u{202e}'), "{shown:?}");
    }
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let dir = Dir::new();
    let many: Vec<Record> = (0..500).map(|_| records::fine("/")).collect();
    dir.file("requests.ndjson", &log(&many));
    let mut child = dir
        .rayline(&["tail", "--file", "requests.ndjson"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(0), ""));
}
