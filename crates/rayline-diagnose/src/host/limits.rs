//! Limits that are nearly reached: files of the listening processes and of the machine, and the firewall's table of
//! connections.

use std::path::Path;
use std::time::Duration;

use super::{Part, listeners, trouble};
use crate::logs::Cause;
use crate::probe::Probe;

/// From this share on a limit counts as reached.
const REACHED: (u64, u64) = (95, 100);

pub(super) fn look(ports: &[u16]) -> Part {
    let mut part = Part::default();
    let mut probe = Probe::new("host.limits", Some(true), Duration::ZERO, "");
    let mut said = Vec::new();
    for (name, pid) in listeners::processes(ports) {
        let folder = Path::new("/proc").join(pid.to_string());
        let limit = std::fs::read_to_string(folder.join("limits")).ok().and_then(|text| open_files(&text));
        let used = std::fs::read_dir(folder.join("fd")).ok().map(|files| files.count() as u64);
        let (Some(limit), Some(used)) = (limit, used) else { continue };
        said.push(format!("`{name}` ({pid}) {used} of {limit} files"));
        if is_reached(used, limit) {
            let sentence =
                format!("`{name}` (process {pid}) has {used} of the {limit} files and connections open that it may");
            part.troubles.push(trouble(Cause::HostTooManyFiles, 0.8, sentence, &format!("Max open files {limit}")));
        }
    }
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let number = |path: &str| read(path)?.trim().parse::<u64>().ok();
    if let Some((used, limit)) = read("/proc/sys/fs/file-nr").and_then(|text| machine_files(&text)) {
        probe = probe.with("open_files", used).with("most_open_files", limit);
        if is_reached(used, limit) {
            let sentence = format!("the machine has {used} of the {limit} files open that it may");
            part.troubles.push(trouble(Cause::HostTooManyFiles, 0.8, sentence, "/proc/sys/fs/file-nr"));
        }
    }
    let conntrack = |file: &str| number(&format!("/proc/sys/net/netfilter/nf_conntrack_{file}"));
    if let (Some(used), Some(limit)) = (conntrack("count"), conntrack("max")) {
        said.push(format!("connections tracked: {used} of {limit}"));
        probe = probe.with("tracked_connections", used).with("most_tracked_connections", limit);
        if is_reached(used, limit) {
            let sentence =
                format!("the firewall tracks {used} of the {limit} connections that it may: new ones are dropped");
            part.troubles.push(trouble(Cause::HostConntrackFull, 0.8, sentence, "nf_conntrack_count"));
        }
    }
    if let Some(most) = number("/proc/sys/net/core/somaxconn") {
        said.push(format!("queues of at most {most} connections"));
        probe = probe.with("somaxconn", most);
    }
    probe.ok = if said.is_empty() { None } else { Some(part.troubles.is_empty()) };
    probe.said = if said.is_empty() { "no limit could be read".to_owned() } else { said.join(", ") };
    part.probes.push(probe);
    part
}

fn is_reached(used: u64, limit: u64) -> bool {
    limit > 0 && used.saturating_mul(REACHED.1) >= limit.saturating_mul(REACHED.0)
}

/// The soft limit of open files in `/proc/PID/limits`; `None` where there is none.
pub(super) fn open_files(limits: &str) -> Option<u64> {
    limits.lines().find_map(|line| line.strip_prefix("Max open files")?.split_whitespace().next()?.parse().ok())
}

/// Files that are open, and how many may be, in `/proc/sys/fs/file-nr`.
pub(super) fn machine_files(text: &str) -> Option<(u64, u64)> {
    let mut numbers = text.split_whitespace().map(str::parse::<u64>);
    let (used, _free, limit) = (numbers.next()?.ok()?, numbers.next()?, numbers.next()?.ok()?);
    Some((used, limit))
}
