//! The visitors: `wrk` and `h2load`, what they are told and what they counted.
//!
//! Both are told how long to ask, not how often, and tell how often they did.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use super::scenario::{Question, Scenario, Visitors};
use crate::process::run;

/// The host that visitors ask for.
pub(crate) const HOST: &str = "bench.example";

/// What came of one run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Answered {
    /// Requests that were answered.
    pub(crate) requests: u64,
    /// How many of them with a status of failure.
    pub(crate) failures: u64,
    /// How often a connection ended, or the time, without an answer.
    pub(crate) broken: u64,
    /// Bytes received, heads too where they were counted.
    pub(crate) bytes: u64,
    pub(crate) seconds: f64,
    /// Microseconds within which half of the answers came, 99 % and 99.9 %.
    pub(crate) latency: [f64; 3],
}

impl Answered {
    /// How many requests did not get the answer that they should.
    pub(crate) fn wrong(&self, scenario: &Scenario) -> u64 {
        let otherwise = if scenario.fails() { self.requests.saturating_sub(self.failures) } else { self.failures };
        otherwise + self.broken
    }
}

/// Where a proxy takes visitors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Doors {
    pub(crate) http: SocketAddr,
    pub(crate) https: SocketAddr,
}

/// The program that a scenario's visitors need, and the Debian package that has it.
pub(crate) fn program(visitors: Visitors) -> Option<(&'static str, &'static str)> {
    match visitors {
        Visitors::Http1 { .. } => Some(("wrk", "wrk")),
        Visitors::Http2 { .. } => Some(("h2load", "nghttp2-client")),
        Visitors::Idle { .. } => None,
    }
}

/// Asks for `seconds`. `folder` is for files of this run.
///
/// # Errors
/// The tool fails, does not say what it should, or was answered with less than the scenario asks for.
pub(crate) fn ask(scenario: &Scenario, doors: Doors, seconds: u32, folder: &Path) -> io::Result<Answered> {
    let answered = match scenario.visitors {
        Visitors::Http1 { tls, connections } => {
            let url = if tls { format!("https://{}", doors.https) } else { format!("http://{}", doors.http) };
            wrk(&scenario.question, &url, connections, seconds, folder)?
        }
        Visitors::Http2 { connections, streams } => {
            h2load(&scenario.question, doors.https, connections, streams, seconds, folder)?
        }
        Visitors::Idle { .. } => return Err(io::Error::other("idle visitors ask nothing")),
    };
    if answered.requests == 0 {
        return Err(io::Error::other("no request was answered"));
    }
    let expected = answered.requests.saturating_sub(answered.failures) * scenario.question.answer as u64;
    if answered.bytes < expected {
        return Err(io::Error::other(format!("{} bytes where {expected} should have come", answered.bytes)));
    }
    Ok(answered)
}

fn wrk(question: &Question, url: &str, connections: u32, seconds: u32, folder: &Path) -> io::Result<Answered> {
    let script = folder.join("wrk.lua");
    std::fs::write(&script, lua(question))?;
    let mut command = Command::new("wrk");
    command.args(["--threads", "1", "--timeout", "30s", "--header", &format!("Host: {HOST}")]);
    command.args(question.fields.iter().flat_map(|field| ["--header", field]));
    command.args(["--connections", &connections.to_string(), "--duration", &format!("{seconds}s"), "--script"]);
    let printed = run(command.arg(script).arg(format!("{url}{}", question.path)))?;
    counted_by_wrk(&printed).ok_or_else(|| io::Error::other(format!("`wrk` did not say what it counted: {printed}")))
}

/// Sends the body, if there is one, and says at the end what was counted.
fn lua(question: &Question) -> String {
    let body = match question.upload {
        0 => String::new(),
        bytes => format!("wrk.method = 'POST'\nwrk.body = string.rep('x', {bytes})\n"),
    };
    body + "function done(summary, latency, requests)
    local errors = summary.errors
    print('counted', summary.requests, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
        summary.bytes, summary.duration,
        latency:percentile(50), latency:percentile(99), latency:percentile(99.9))
end
"
}

/// A connection that ends without an answer is one that was not answered. `wrk` counts as a failed status whatever is
/// above 399.
fn counted_by_wrk(printed: &str) -> Option<Answered> {
    let line = printed.lines().find_map(|line| line.strip_prefix("counted"))?;
    let numbers: Vec<f64> = line.split_ascii_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [requests, status, broken, bytes, microseconds, p50, p99, p999] = numbers.try_into().ok()?;
    Some(Answered {
        requests: requests as u64,
        failures: status as u64,
        broken: broken as u64,
        bytes: bytes as u64,
        seconds: microseconds / 1e6,
        latency: [p50, p99, p999],
    })
}

fn h2load(
    question: &Question,
    address: SocketAddr,
    connections: u32,
    streams: u32,
    seconds: u32,
    folder: &Path,
) -> io::Result<Answered> {
    let log = folder.join("h2load.log");
    let mut command = Command::new("h2load");
    command.args(["--threads", "1", "--duration", &seconds.to_string(), "--npn-list", "h2"]);
    command.args(["--clients", &connections.to_string(), "--max-concurrent-streams", &streams.to_string()]);
    command.args(question.fields.iter().flat_map(|field| ["--header", field]));
    command.arg(format!("--connect-to={address}")).arg(format!("--log-file={}", log.display()));
    if question.upload > 0 {
        let body = folder.join("h2load.body");
        std::fs::write(&body, vec![b'x'; question.upload])?;
        command.arg("--data").arg(body);
    }
    // The log is appended to.
    let _ = std::fs::remove_file(&log);
    let printed = run(command.arg(format!("https://{HOST}:{}{}", address.port(), question.path)))?;
    if !printed.contains("Application protocol: h2") {
        return Err(io::Error::other("HTTP/2 is not offered"));
    }
    let answered = counted_by_h2load(&printed, &std::fs::read_to_string(&log)?);
    answered.ok_or_else(|| io::Error::other(format!("`h2load` did not say what it counted: {printed}")))
}

/// Its log has a line for each answer: when it was asked, the status, and the microseconds it took.
fn counted_by_h2load(printed: &str, log: &str) -> Option<Answered> {
    let (mut took, mut failures) = (Vec::new(), 0);
    for line in log.lines() {
        let mut words = line.split_ascii_whitespace().skip(1);
        let status: u16 = words.next()?.parse().ok()?;
        failures += u64::from(!(200..400).contains(&status));
        took.push(words.next()?.parse::<f64>().ok()?);
    }
    took.sort_by(f64::total_cmp);
    let (_, traffic) = printed.split_once("traffic: ")?;
    let data = traffic.lines().next()?.rsplit_once(") data")?.0.rsplit_once('(')?.1;
    let duration = printed.split_once("finished in ")?.1.split_once("s,")?.0;
    Some(Answered {
        requests: took.len() as u64,
        failures,
        broken: 0,
        bytes: data.parse().ok()?,
        seconds: duration.parse().ok()?,
        latency: [0.5, 0.99, 0.999].map(|share| quantile(&took, share)),
    })
}

/// The value that this share of the sorted values does not exceed.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(at.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_wrk_counted_is_read() {
        let printed = "Running 1s test\ncounted\t30\t2\t1\t40960\t1000000\t163.0\t356.0\t5440.0\nmore\n";
        let latency = [163.0, 356.0, 5440.0];
        let expected = Answered { requests: 30, failures: 2, broken: 1, bytes: 40960, seconds: 1.0, latency };
        assert_eq!(counted_by_wrk(printed), Some(expected));
        assert_eq!(counted_by_wrk("counted\t30"), None);
    }

    #[test]
    fn what_h2load_counted_is_read() {
        let printed = "finished in 1.50s, 2.00 req/s, 3KB/s\ntraffic: 3KB (3000) total, 48B (48) headers (space \
                       savings 0.00%), 2KB (2048) data\n";
        let log = "1700000000000000\t200\t90\n1700000000000001\t502\t70\n1700000000000002\t200\t80\n";
        let latency = [80.0, 90.0, 90.0];
        let expected = Answered { requests: 3, failures: 1, broken: 0, bytes: 2048, seconds: 1.5, latency };
        assert_eq!(counted_by_h2load(printed, log), Some(expected));
    }
}
