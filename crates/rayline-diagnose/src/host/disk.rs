//! Room on the disks that servers write to.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Part, trouble};
use crate::logs::Cause;
use crate::probe::Probe;

/// Where servers write: the root, logs, sessions, uploads, databases.
const FOLDERS: [&str; 13] = [
    "/",
    "/var",
    "/tmp",
    "/var/tmp",
    "/run",
    "/var/log",
    "/var/lib",
    "/var/lib/mysql",
    "/var/lib/postgresql",
    "/var/lib/docker",
    "/var/www",
    "/srv",
    "/home",
];

/// From this share on a disk counts as full: what is reserved for root is not everybody's.
const FULL: f64 = 0.98;

/// What a file system has room for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// Bytes, those that anybody may use.
    pub(super) bytes: u64,
    /// Of these, how many are free.
    pub(super) free_bytes: u64,
    /// Files; 0: it does not count them.
    pub(super) files: u64,
    /// Of these, how many may still be made.
    pub(super) free_files: u64,
    /// Whether it can only be read.
    pub(super) is_read_only: bool,
}

pub(super) fn look() -> Part {
    let mut rooms: BTreeMap<u64, (&'static str, Room)> = BTreeMap::new();
    for folder in FOLDERS {
        if let Ok(room) = rustix::fs::statvfs(folder) {
            let unit = room.f_frsize;
            // The blocks that only root may use are nobody's here.
            let reserved = room.f_bfree.saturating_sub(room.f_bavail);
            rooms.entry(room.f_fsid).or_insert((
                folder,
                Room {
                    bytes: room.f_blocks.saturating_sub(reserved).saturating_mul(unit),
                    free_bytes: room.f_bavail.saturating_mul(unit),
                    files: room.f_files,
                    free_files: room.f_favail,
                    is_read_only: room.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY),
                },
            ));
        }
    }
    judge(rooms.into_values())
}

pub(super) fn judge(rooms: impl Iterator<Item = (&'static str, Room)>) -> Part {
    let mut part = Part::default();
    let mut said = Vec::new();
    let mut probe = Probe::new("host.disk", Some(true), Duration::ZERO, "");
    for (folder, room) in rooms.filter(|(_, room)| room.bytes > 0) {
        let used = share(room.bytes, room.free_bytes);
        let used_files = share(room.files, room.free_files);
        said.push(format!("`{folder}` {:.0} %", used * 100.0));
        probe = probe.with(&format!("{folder}_free_bytes"), room.free_bytes).with(&format!("{folder}_used"), used);
        // An image that is mounted to be read is always full.
        if room.is_read_only {
            continue;
        }
        let line = format!(
            "{folder}: {} of {} bytes and {} of {} files free",
            room.free_bytes, room.bytes, room.free_files, room.files
        );
        if used > FULL {
            let sentence = format!(
                "the disk of `{folder}` is full: {} of {} MiB are free",
                room.free_bytes >> 20,
                room.bytes >> 20
            );
            // With some room left, small files still fit.
            let likelihood = if room.free_bytes < 1 << 20 { 0.8 } else { 0.3 };
            part.troubles.push(trouble(Cause::HostDiskFull, likelihood, sentence, &line));
        } else if room.files > 0 && used_files > FULL {
            let sentence =
                format!("the disk of `{folder}` takes no more files: {} of {} are left", room.free_files, room.files);
            let likelihood = if room.free_files == 0 { 0.8 } else { 0.3 };
            part.troubles.push(trouble(Cause::HostDiskFull, likelihood, sentence, &line));
        }
    }
    probe.ok = if said.is_empty() { None } else { Some(part.troubles.is_empty()) };
    probe.said =
        if said.is_empty() { "no disk could be looked at".to_owned() } else { format!("used: {}", said.join(", ")) };
    part.probes.push(probe);
    part
}

#[expect(clippy::cast_precision_loss, reason = "a share for people needs no more than a few digits")]
fn share(all: u64, free: u64) -> f64 {
    if all == 0 { 0.0 } else { 1.0 - (free.min(all) as f64) / (all as f64) }
}
