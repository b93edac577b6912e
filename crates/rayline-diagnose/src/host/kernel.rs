//! What the kernel said lately, named as its log would be.

use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::command::{self, Failed};
use super::{Part, trouble};
use crate::logs::{Cause, Named, Source, names};
use crate::probe::Probe;

/// The most records that are read: more than the kernel keeps.
const RECORDS: usize = 100_000;

/// The most processes that are looked at.
const PROCESSES: usize = 100_000;

pub(super) fn look() -> Part {
    let records = ring().or_else(|| journal().ok());
    let Some(records) = records else {
        let unseen = "the kernel's messages: run `sudo dmesg -T`, or this program as root".to_owned();
        let probe = Probe::new("host.kernel", None, Duration::ZERO, "the kernel's messages may not be read");
        return Part { unseen: vec![unseen], probes: vec![probe], ..Part::default() };
    };
    judge(&records, SystemTime::now(), &|program| is_running(Path::new("/proc"), program))
}

/// A message of the kernel, and when it was written.
type Record = (Option<SystemTime>, String);

/// Names the messages that are of faults; `is_running` says whether a program of this name runs now.
pub(super) fn judge(records: &[Record], now: SystemTime, is_running: &dyn Fn(&str) -> bool) -> Part {
    let mut troubles: Vec<Named> = Vec::new();
    for (time, message) in records {
        let Some(meaning) = names::name(Source::Kernel, message) else { continue };
        let age = time.map(|time| now.duration_since(time).unwrap_or_default());
        let likelihood = match age {
            None => 0.05,
            Some(age) if meaning.cause == Cause::HostOutOfMemory => {
                let missing = victim(message).is_some_and(|victim| is_server(victim) && !is_running(victim));
                by_kill(age, missing)
            }
            Some(age) => by_age(age),
        };
        let same = troubles.iter_mut().find(|other| other.cause == meaning.cause && other.sentence == meaning.sentence);
        if let Some(same) = same {
            same.count += 1;
            same.likelihood = same.likelihood.max(likelihood);
            same.between = match (same.between, time) {
                (Some((first, last)), Some(time)) => Some((first.min(*time), last.max(*time))),
                (between, None) => between,
                (None, Some(time)) => Some((*time, *time)),
            };
            continue;
        }
        let mut named = trouble(meaning.cause, likelihood, meaning.sentence, message);
        named.source = Source::Kernel.name();
        named.between = time.map(|time| (time, time));
        troubles.push(named);
    }
    let said = match troubles.len() {
        0 => format!("{} messages, none of them of a fault", records.len()),
        count => format!("{} messages, {count} of them of faults", records.len()),
    };
    let probe =
        Probe::new("host.kernel", Some(troubles.is_empty()), Duration::ZERO, said).with("messages", records.len());
    Part { troubles, probes: vec![probe], ..Part::default() }
}

/// What was a minute ago may be what fails now; what was days ago seldom is.
fn by_age(age: Duration) -> f64 {
    match age.as_secs() {
        0..300 => 0.7,
        300..3_600 => 0.4,
        3_600..86_400 => 0.2,
        _ => 0.05,
    }
}

/// A kill explains what fails while it happens; later on, only if what was killed served, and is still missing.
fn by_kill(age: Duration, is_missing: bool) -> f64 {
    match (age.as_secs(), is_missing) {
        (0..60, _) => 0.7,
        (60..3_600, true) => 0.5,
        (3_600..86_400, true) => 0.3,
        (60..3_600, false) => 0.2,
        _ => 0.05,
    }
}

/// The program that the kernel killed: `Killed process 77 (mysqld) ...`, `oom-kill:...,task=mysqld,pid=77,uid=0`.
fn victim(message: &str) -> Option<&str> {
    let tasked = || message.split_once(",task=")?.1.split(',').next();
    let killed = || message.split_once(" process ")?.1.split_once('(')?.1.split([')', ',']).next();
    tasked().or_else(killed)
}

/// Whether a program of this name is a server, or runs applications.
fn is_server(program: &str) -> bool {
    const SERVERS: &[&str] = &[
        "apache",
        "beam",
        "caddy",
        "deno",
        "dotnet",
        "gunicorn",
        "haproxy",
        "httpd",
        "java",
        "litespeed",
        "lsphp",
        "mariadb",
        "memcached",
        "mongo",
        "mysql",
        "nginx",
        "node",
        "openresty",
        "php",
        "postgres",
        "puma",
        "python",
        "rayline",
        "redis",
        "ruby",
        "uvicorn",
        "uwsgi",
        "valkey",
        "varnish",
    ];
    SERVERS.iter().any(|server| program.starts_with(server))
}

/// Whether a process of this name runs, as `proc` tells.
fn is_running(proc: &Path, program: &str) -> bool {
    let processes = proc.read_dir().into_iter().flatten().flatten().take(PROCESSES);
    processes
        .filter_map(|process| std::fs::read_to_string(process.path().join("comm")).ok())
        .any(|name| name.trim_end() == program)
}

/// The kernel's own ring of messages.
fn ring() -> Option<Vec<Record>> {
    let mut ring = std::fs::OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open("/dev/kmsg").ok()?;
    let uptime = std::fs::read_to_string("/proc/uptime").ok()?;
    let uptime = uptime.split_whitespace().next()?.parse::<f64>().ok()?;
    let booted = SystemTime::now().checked_sub(Duration::try_from_secs_f64(uptime).ok()?)?;
    let mut records = Vec::new();
    let mut buffer = [0_u8; 8192];
    // Each read is one record; a record that was overwritten meanwhile is an error that is got over (EPIPE).
    for _ in 0..RECORDS {
        match ring.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => {
                let record = String::from_utf8_lossy(buffer.get(..length).unwrap_or_default()).into_owned();
                records.extend(kmsg(&record, booted));
            }
            Err(error) if error.raw_os_error() == Some(libc::EPIPE) => {}
            Err(_) => break,
        }
    }
    Some(records)
}

/// A record as `/dev/kmsg` gives it: `6,1234,5678901,-;message`, the third being microseconds since the start.
pub(super) fn kmsg(record: &str, booted: SystemTime) -> Option<Record> {
    let (head, rest) = record.split_once(';')?;
    let mut fields = head.split(',');
    let facility = fields.next()?.parse::<u32>().ok()? >> 3;
    let since = fields.nth(1)?.parse().ok()?;
    // Programs may write into the ring as well: they are not the kernel.
    (facility == 0)
        .then(|| (booted.checked_add(Duration::from_micros(since)), rest.lines().next().unwrap_or_default().to_owned()))
}

/// The same from the journal, which more people may read.
fn journal() -> Result<Vec<Record>, Failed> {
    let text = command::run("journalctl", &["-k", "-b", "--no-pager", "-q", "-n", "5000", "-o", "short-unix"])?;
    let records: Vec<Record> = text.lines().filter_map(journal_line).collect();
    // Who may not read the journal is shown an empty one.
    if records.is_empty() { Err(Failed::NotPermitted) } else { Ok(records) }
}

/// A line as `journalctl -o short-unix` prints it: `1795258911.000000 host kernel: message`.
pub(super) fn journal_line(line: &str) -> Option<Record> {
    let (time, rest) = line.split_once(' ')?;
    let (_, message) = rest.split_once("kernel: ")?;
    let since = Duration::try_from_secs_f64(time.parse().ok()?).ok()?;
    Some((UNIX_EPOCH.checked_add(since), message.to_owned()))
}
