//! What a process group has used: CPU time and memory, by the kernel's count.

use std::fs;
use std::io;

/// Clock ticks per second in `/proc`: `USER_HZ`, which is 100 on every architecture Linux has today.
const TICKS: f64 = 100.0;

/// CPU time in seconds, of processes that run and of their children that ended.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Cpu {
    pub(crate) user: f64,
    pub(crate) system: f64,
}

impl Cpu {
    /// What was used since `earlier`.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self { user: self.user - earlier.user, system: self.system - earlier.system }
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
            members.push((id, cpu));
        }
    }
    if members.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, format!("no process in group {group}")));
    }
    Ok(members)
}

/// The process group and the CPU time in a line of `/proc/PID/stat` (proc_pid_stat(5)). The name in it may hold
/// anything, so what counts begins behind the last parenthesis.
fn parse(line: &str) -> Option<(u32, Cpu)> {
    let (_, behind) = line.rsplit_once(')')?;
    let fields: Vec<&str> = behind.split_ascii_whitespace().collect();
    let seconds = |at: usize| Some(fields.get(at)?.parse::<f64>().ok()? / TICKS);
    let group = fields.get(2)?.parse().ok()?;
    Some((group, Cpu { user: seconds(11)? + seconds(13)?, system: seconds(12)? + seconds(14)? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_whatever_the_name() {
        let line = "7 (a) b (c) S 1 42 7 0 -1 4194560 1 2 3 4 150 250 50 100 20 0 1 0 3 4";
        assert_eq!(parse(line), Some((42, Cpu { user: 2.0, system: 3.5 })));
        assert_eq!(parse("7 (x) S 1"), None);
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
