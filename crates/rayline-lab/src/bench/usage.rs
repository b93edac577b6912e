//! What a process group has used: CPU time and memory, by the kernel's count.

use std::fs;
use std::io;

/// Clock ticks per second in `/proc`: `USER_HZ`, which is 100 on every architecture Linux has today.
const TICKS: f64 = 100.0;

/// How far a process's time in ticks may be from what the scheduler counted: a tick each of user and system time, at the
/// beginning and at the end.
const TICKS_OFF: f64 = 4.0;

/// CPU time in seconds, of processes that run and of their children that ended.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Cpu {
    /// In whole ticks.
    pub(crate) user: f64,
    /// In whole ticks.
    pub(crate) system: f64,
    /// Both together as the scheduler counts them, to the nanosecond, of threads that run.
    exact: f64,
}

impl Cpu {
    /// What was used since `earlier`. User and system time are in the proportion of their ticks, their sum is the
    /// scheduler's, unless it lacks the time of a thread that ended meanwhile.
    pub(crate) fn since(self, earlier: Self) -> Self {
        let (user, system) = (self.user - earlier.user, self.system - earlier.system);
        let (ticks, exact) = (user + system, self.exact - earlier.exact);
        if ticks > 0.0 && (ticks - exact).abs() <= TICKS_OFF / TICKS {
            return Self { user: user * exact / ticks, system: system * exact / ticks, exact };
        }
        Self { user, system, exact: ticks }
    }
}

/// CPU time of all processes of this group.
///
/// # Errors
/// There is none.
pub(crate) fn cpu(group: u32) -> io::Result<Cpu> {
    let mut sum = Cpu::default();
    for (_, cpu) in members(group)? {
        sum.user += cpu.user;
        sum.system += cpu.system;
        sum.exact += cpu.exact;
    }
    Ok(sum)
}

/// Bytes of memory of all processes of this group, what several share counted once (PSS).
///
/// # Errors
/// There is none, or its memory is not ours to look at.
pub(crate) fn memory(group: u32) -> io::Result<u64> {
    let mut sum = 0;
    for (id, _) in members(group)? {
        let text = fs::read_to_string(format!("/proc/{id}/smaps_rollup"))?;
        let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
        sum += kilobytes.ok_or_else(|| io::Error::other("no `Pss` in smaps_rollup"))? * 1024;
    }
    Ok(sum)
}

fn members(group: u32) -> io::Result<Vec<(u32, Cpu)>> {
    let mut members = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(id) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        // A process that is gone by now has nothing to tell.
        let Ok(text) = fs::read_to_string(format!("/proc/{id}/stat")) else { continue };
        if let Some((of, cpu)) = parse(&text)
            && of == group
        {
            members.push((id, Cpu { exact: scheduled(id), ..cpu }));
        }
    }
    if members.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, format!("no process in group {group}")));
    }
    Ok(members)
}

/// Seconds that the threads of a process were on a processor, by its scheduler's count (`/proc/PID/task/TID/schedstat`).
/// A kernel without that count says 0.
fn scheduled(id: u32) -> f64 {
    let threads = fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten();
    let ran = |thread: io::Result<fs::DirEntry>| {
        let text = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        text.split_ascii_whitespace().next()?.parse::<f64>().ok()
    };
    threads.filter_map(ran).sum::<f64>() / 1e9
}

/// The process group and the CPU time in a line of `/proc/PID/stat` (proc_pid_stat(5)). The name in it may hold
/// anything, so what counts begins behind the last parenthesis.
fn parse(line: &str) -> Option<(u32, Cpu)> {
    let (_, behind) = line.rsplit_once(')')?;
    let fields: Vec<&str> = behind.split_ascii_whitespace().collect();
    let seconds = |at: usize| Some(fields.get(at)?.parse::<f64>().ok()? / TICKS);
    let group = fields.get(2)?.parse().ok()?;
    let (user, system) = (seconds(11)? + seconds(13)?, seconds(12)? + seconds(14)?);
    Some((group, Cpu { user, system, exact: 0.0 }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_whatever_the_name() {
        let line = "7 (a) b (c) S 1 42 7 0 -1 4194560 1 2 3 4 150 250 50 100 20 0 1 0 3 4";
        assert_eq!(parse(line), Some((42, Cpu { user: 2.0, system: 3.5, exact: 0.0 })));
        assert_eq!(parse("7 (x) S 1"), None);
    }

    #[test]
    fn the_sum_is_the_schedulers_unless_it_lacks_a_thread() {
        let earlier = Cpu { user: 1.0, system: 1.0, exact: 2.004 };
        let later = Cpu { user: 2.0, system: 4.0, exact: 6.016 };
        let Cpu { user, system, exact } = later.since(earlier);
        assert!((user - 1.003).abs() < 1e-9 && (system - 3.009).abs() < 1e-9 && (exact - 4.012).abs() < 1e-9);
        let later = Cpu { exact: 3.0, ..later };
        assert_eq!(later.since(earlier), Cpu { user: 1.0, system: 3.0, exact: 4.0 });
    }

    #[test]
    fn a_group_has_memory_until_it_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = std::process::Command::new("sleep");
        let process = crate::process::Process::start(command.arg("60"), &folder.path().join("output")).unwrap();
        let group = process.id();
        assert!(memory(group).unwrap() > 0);
        assert!(cpu(group).unwrap().since(Cpu::default()).user < 1.0);
        drop(process);
        assert!(cpu(group).is_err());
    }
}
