//! One real server behind the program.

use std::io::Read as _;
use std::process::{Child, ChildStdout, Stdio};

use rayline_lab::program::{Curl, Rayline, Reply, Setup};
use rayline_lab::servers::{Server, Unstarted, installed, or_skip};
use serde_json::Value;

/// The server; `None` where it, or the client that all scenes have, is not installed, which has been said.
#[track_caller]
pub(super) fn started<T>(server: Result<T, Unstarted>) -> Option<T> {
    or_skip(installed("curl", "curl").and(server)).unwrap()
}

/// The edge in front of it by plain HTTP, with these settings of the zone.
#[track_caller]
pub(super) fn edge(server: &Server, settings: &str) -> Rayline {
    setup(server, settings).start().unwrap()
}

/// The same before it is started.
pub(super) fn setup(server: &Server, settings: &str) -> Setup {
    let ssl = if settings.contains("ssl =") { "" } else { "ssl = \"flexible\"\n" };
    Setup::new().server("threads = 1").origin(server.http(), server.https(), &format!("{ssl}{settings}"))
}

/// The answer with its line of the log, when nobody is to be blamed.
#[track_caller]
pub(super) fn fine(request: Curl<'_>, status: u16) -> (Reply, Value) {
    let (reply, record) = request.recorded().unwrap();
    assert_eq!((reply.exit, reply.status), (0, status), "{}\n{record:#}", reply.text());
    assert_eq!(record["EdgeResponseStatus"], status, "{record:#}");
    assert_eq!(record["OriginResponseStatus"], status, "{record:#}");
    assert_eq!(record.get("VerdictCode"), None, "{record:#}");
    (reply, record)
}

/// The answer with its line of the log, when `code` is to be blamed and the visitor is told `status`.
#[track_caller]
pub(super) fn blamed(request: Curl<'_>, status: u16, code: &str) -> (Reply, Value) {
    let (reply, record) = request.recorded().unwrap();
    assert_eq!(record["VerdictCode"], code, "{}\n{record:#}", reply.text());
    assert_eq!(reply.status, status, "{}\n{record:#}", reply.text());
    assert_eq!(record["EdgeResponseStatus"], status, "{record:#}");
    (reply, record)
}

/// The same where the origin sent the status itself, and its own answer is what the visitor sees.
#[track_caller]
pub(super) fn passed(request: Curl<'_>, status: u16) -> (Reply, Value) {
    let (reply, record) = blamed(request, status, "origin.wait.error_status");
    assert_eq!(record["OriginResponseStatus"], status, "{record:#}");
    assert_eq!(record["VerdictReached"], "yes", "{record:#}");
    assert_eq!(reply.field("cf-error-type"), None, "the edge's own page stands in its place: {}", reply.text());
    (reply, record)
}

/// The last line of the log once there are `count`, for requests whose answer has no Ray ID to find it by.
#[track_caller]
pub(super) fn nth_record(edge: &Rayline, count: usize) -> Value {
    edge.log_until(|log| log.get(count - 1).cloned()).unwrap()
}

/// A request whose answer is watched as it comes.
pub(super) struct Watched {
    curl: Child,
    answer: ChildStdout,
    pub(super) seen: Vec<u8>,
}

impl Watched {
    #[track_caller]
    pub(super) fn start(request: &Curl<'_>) -> Self {
        let mut command = request.command().unwrap();
        let mut curl = command.arg("--no-buffer").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let answer = curl.stdout.take().unwrap();
        Self { curl, answer, seen: Vec::new() }
    }

    /// Waits until the answer, head included, has come as far as this text. The edge's own timers and curl's bound it.
    #[track_caller]
    pub(super) fn until(&mut self, text: &str) {
        let mut piece = [0; 4096];
        while !String::from_utf8_lossy(&self.seen).contains(text) {
            let count = self.answer.read(&mut piece).unwrap();
            assert_ne!(count, 0, "the answer ended: {}", String::from_utf8_lossy(&self.seen));
            self.seen.extend_from_slice(&piece[..count]);
        }
    }

    /// Waits for the end; curl's exit code.
    #[track_caller]
    pub(super) fn end(mut self) -> i32 {
        self.answer.read_to_end(&mut self.seen).unwrap();
        self.curl.wait().unwrap().code().unwrap()
    }
}
