//! Memory, swap and load; and the processes that the kernel killed for want of memory, by group.

use std::path::Path;
use std::time::Duration;

use super::{Part, trouble};
use crate::logs::{Cause, Named};
use crate::probe::Probe;

/// The most groups that are looked at.
const GROUPS: usize = 4096;

pub(super) fn look() -> Part {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let mut part = judge(&read("/proc/meminfo"), &read("/proc/loadavg"));
    part.troubles.extend(killed(Path::new("/sys/fs/cgroup")));
    part
}

pub(super) fn judge(meminfo: &str, loadavg: &str) -> Part {
    let kib = |name: &str| {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()
    };
    let (Some(all), Some(free)) = (kib("MemTotal"), kib("MemAvailable")) else {
        return Part { unseen: vec!["memory: `/proc/meminfo` could not be read".to_owned()], ..Part::default() };
    };
    let (swap, free_swap) = (kib("SwapTotal").unwrap_or(0), kib("SwapFree").unwrap_or(0));
    let load = loadavg.split_whitespace().next().and_then(|first| first.parse::<f64>().ok());
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut said = format!("{} of {} MiB of memory are available", free >> 10, all >> 10);
    if swap > 0 {
        said.push_str(&format!(", {} of {} MiB of swap free", free_swap >> 10, swap >> 10));
    }
    if let Some(load) = load {
        said.push_str(&format!("; load {load} on {processors} processors"));
    }
    let mut part = Part::default();
    // Less than a fiftieth, and no swap to turn to: what asks for memory next is killed.
    let is_short = free.saturating_mul(50) < all && free_swap.saturating_mul(50) < all;
    if is_short {
        let sentence =
            format!("the machine is nearly out of memory: {} of {} MiB are available", free >> 10, all >> 10);
        part.troubles.push(trouble(
            Cause::HostOutOfMemory,
            0.4,
            sentence,
            &format!("MemAvailable: {free} kB, SwapFree: {free_swap} kB"),
        ));
    }
    let mut probe = Probe::new("host.memory", Some(!is_short), Duration::ZERO, said)
        .with("memory_bytes", all.saturating_mul(1024))
        .with("available_bytes", free.saturating_mul(1024))
        .with("swap_bytes", swap.saturating_mul(1024))
        .with("free_swap_bytes", free_swap.saturating_mul(1024));
    if let Some(load) = load {
        probe = probe.with("load", load);
    }
    part.probes.push(probe);
    part
}

/// The groups in which the kernel killed processes, since they were made: services and containers.
pub(super) fn killed(root: &Path) -> Vec<Named> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    let mut seen = 0_usize;
    while let Some(folder) = folders.pop() {
        seen += 1;
        if seen > GROUPS {
            break;
        }
        let events = std::fs::read_to_string(folder.join("memory.events.local"))
            .or_else(|_| std::fs::read_to_string(folder.join("memory.events")))
            .or_else(|_| std::fs::read_to_string(folder.join("memory.oom_control")));
        let count = events.ok().map_or(0, |events| kills(&events));
        // The root has no limit of its own: its count is the whole machine's, which the kernel's log tells better.
        if let Some(name) = folder.strip_prefix(root).ok().filter(|name| count > 0 && !name.as_os_str().is_empty()) {
            let sentence = format!("the kernel killed {count} processes of `{}` for want of memory", name.display());
            // Nothing says when.
            let mut named =
                trouble(Cause::HostOutOfMemory, 0.1, sentence, &format!("{}: oom_kill {count}", folder.display()));
            named.count = count;
            found.push(named);
        }
        let inner = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        folders
            .extend(inner.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path()));
    }
    found
}

/// How many processes a group's counters say were killed.
pub(super) fn kills(events: &str) -> u64 {
    events.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok()).unwrap_or(0)
}
