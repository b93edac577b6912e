//! curl as a visitor: a real client, and what it says of what it got.

use std::io;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{HOST, Rayline};

/// The most that one request may take, in seconds.
const PATIENCE: &str = "60";
/// What curl is told to print behind the answer, on standard error.
const SUMMARY: &str = "%{stderr}\n@%{http_version} %{http_code} %{time_total} %{num_connects}\n";

/// A request to come.
#[derive(Debug)]
pub struct Curl<'a> {
    edge: &'a Rayline,
    scheme: &'static str,
    host: &'a str,
    path: String,
    more: Vec<String>,
}

/// What came of a request.
#[derive(Clone, Debug)]
pub struct Reply {
    /// curl's exit code: 0 if the answer was whole, 18 if it was cut short, 52 if it was empty, 28 if it took too long.
    pub exit: i32,
    /// The status of the last response; 0 if none came.
    pub status: u16,
    /// The version of HTTP that was spoken: `1.1`, `2`.
    pub version: String,
    /// The last response's head, its start line included; empty if none came.
    pub head: String,
    /// The heads of the interim responses (1xx) before it.
    pub interim: Vec<String>,
    /// The body, as far as it came.
    pub body: Vec<u8>,
    /// What curl said on standard error.
    pub said: String,
    /// Seconds until everything was there.
    pub took_s: f64,
}

impl<'a> Curl<'a> {
    pub(super) fn new(edge: &'a Rayline, path: &str) -> Self {
        Self { edge, scheme: "http", host: HOST, path: path.to_owned(), more: Vec::new() }
    }

    /// Over TLS, trusting the edge's own authority.
    #[must_use]
    pub fn tls(mut self) -> Self {
        self.scheme = "https";
        self
    }

    /// By HTTP/2, over TLS.
    #[must_use]
    pub fn http2(self) -> Self {
        self.tls().arg("--http2")
    }

    /// Asks for another host.
    #[must_use]
    pub fn host(mut self, host: &'a str) -> Self {
        self.host = host;
        self
    }

    /// With another option of curl's.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<String>) -> Self {
        self.more.push(argument.into());
        self
    }

    /// With a header field, `Name: value`.
    #[must_use]
    pub fn header(self, field: impl Into<String>) -> Self {
        self.arg("--header").arg(field)
    }

    /// The command, for those who want to watch it.
    ///
    /// # Errors
    /// The edge does not listen for this scheme.
    pub fn command(&self) -> io::Result<Command> {
        let address = if self.scheme == "https" { self.edge.https()? } else { self.edge.http()? };
        let (host, port) = (self.host, address.port());
        let mut command = Command::new("env");
        command.args(&self.edge.wrapper).arg("curl");
        command.args(["--disable", "--silent", "--show-error", "--include", "--noproxy", "*", "--max-time", PATIENCE]);
        command.args(["--suppress-connect-headers", "--write-out", SUMMARY]);
        command.args(["--resolve".to_owned(), format!("{host}:{port}:{}", address.ip())]);
        command.arg("--cacert").arg(self.edge.root()).args(&self.more);
        command.arg(format!("{}://{host}:{port}{}", self.scheme, self.path)).stdin(Stdio::null());
        Ok(command)
    }

    /// Sends it, and waits for the answer's end.
    ///
    /// # Errors
    /// curl cannot be run. An error of curl's is none: it is in the [`Reply`].
    pub fn send(self) -> io::Result<Reply> {
        let output = self.command()?.output()?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let summary = said.rsplit_once("\n@").map_or("", |(_, summary)| summary.trim());
        let mut words = summary.split(' ');
        let version = words.next().unwrap_or_default().to_owned();
        let status = words.next().and_then(|word| word.parse().ok()).unwrap_or_default();
        let took_s = words.next().and_then(|word| word.parse().ok()).unwrap_or_default();
        let (mut heads, body) = split(&output.stdout);
        let head = heads.pop().unwrap_or_default();
        let exit = output.status.code().unwrap_or(-1);
        Ok(Reply { exit, status, version, head, interim: heads, body, said, took_s })
    }

    /// Sends it, and returns the answer with its line of the request log, found by the Ray ID that the answer bears.
    ///
    /// # Errors
    /// The answer has no Ray ID, or the log has no such line.
    pub fn recorded(self) -> io::Result<(Reply, Value)> {
        let edge = self.edge;
        let reply = self.send()?;
        let ray = reply.ray().ok_or_else(|| io::Error::other(format!("no Ray ID in {reply:?}")))?;
        let record = edge.record(ray)?;
        Ok((reply, record))
    }
}

/// The heads and the body that curl prints with `--include`.
fn split(mut bytes: &[u8]) -> (Vec<String>, Vec<u8>) {
    let mut heads = Vec::new();
    while bytes.starts_with(b"HTTP/") {
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { break };
        let (head, rest) = bytes.split_at(end.saturating_add(4));
        let head = String::from_utf8_lossy(head).into_owned();
        let interim = head.split(' ').nth(1).is_some_and(|status| status.starts_with('1') && status != "101");
        heads.push(head);
        bytes = rest;
        if !interim {
            break;
        }
    }
    (heads, bytes.to_vec())
}

impl Reply {
    /// The value of the first field of that name, in any case.
    pub fn field(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(':'));
        fields.filter(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next()
    }

    /// The Ray ID, without the name of the place.
    pub fn ray(&self) -> Option<&str> {
        self.field("cf-ray")?.split('-').next()
    }

    /// The body as text; bytes that are not UTF-8 become U+FFFD.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interim_heads_and_the_last_one_and_the_body_come_apart() {
        let (heads, body) =
            split(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nA: b\r\n\r\nHTTP/1.1 is a text\r\n\r\n");
        assert_eq!(heads, ["HTTP/1.1 103 Early Hints\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n\r\n"]);
        assert_eq!(body, b"HTTP/1.1 is a text\r\n\r\n");
    }
}
