//! What the kernel says: memory, processes, connections, disks, packets that its firewall dropped.

use super::pattern::{Pattern, means};
use crate::logs::Cause::{
    HostClockWrong, HostConntrackFull, HostDiskFailed, HostFirewallBlocksEdge, HostOutOfMemory, HostTooManyFiles,
    HostTooManyProcesses, ServerPoolExhausted, ServerWorkerCrashed,
};

pub(super) const PATTERNS: &[Pattern] = &[
    means(
        HostOutOfMemory,
        &["emory cgroup out of memory"],
        r"[Mm]emory cgroup out of memory: Kill(?:ed)? process (?P<pid>[0-9]+),? \(?(?P<process>[^),]+)\)?(?:.*anon-rss:(?P<kib>[0-9]+)kB)?",
        "the kernel killed `{process}` (process {pid}): its container or service was out of the memory that it may use[; it held {kib} KiB]",
    ),
    means(
        HostOutOfMemory,
        &["out of memory: kill"],
        r"Out of memory(?: \(oom_kill_allocating_task\))?: Kill(?:ed)? process (?P<pid>[0-9]+),? \(?(?P<process>[^),]+)\)?(?:.*anon-rss:(?P<kib>[0-9]+)kB)?",
        "the kernel killed `{process}` (process {pid}): the machine was out of memory[; it held {kib} KiB]",
    ),
    means(
        HostOutOfMemory,
        &["oom-kill:constraint"],
        r"oom-kill:constraint=CONSTRAINT_MEMCG.*oom_memcg=(?P<group>[^,]+).*task=(?P<process>[^,]+),pid=(?P<pid>[0-9]+)",
        "the kernel chose `{process}` (process {pid}) to be killed: its group `{group}` was out of the memory that it may use",
    ),
    means(
        HostOutOfMemory,
        &["oom-kill:constraint"],
        r"oom-kill:constraint=.*task=(?P<process>[^,]+),pid=(?P<pid>[0-9]+)",
        "the kernel chose `{process}` (process {pid}) to be killed: the machine was out of memory",
    ),
    means(
        HostOutOfMemory,
        &["invoked oom-killer"],
        r"(?P<process>[^\s:\]]+) invoked oom-killer",
        "`{process}` asked for memory when there was none left, and the kernel killed a process",
    ),
    means(
        HostOutOfMemory,
        &["oom_reaper"],
        r"oom_reaper: reaped process (?P<pid>[0-9]+) \((?P<process>[^)]+)\)",
        "the kernel killed `{process}` (process {pid}): memory had run out",
    ),
    means(
        HostOutOfMemory,
        &["TCP: out of memory"],
        r"TCP: out of memory",
        "the kernel has no more memory for TCP connections (`net.ipv4.tcp_mem`)",
    ),
    means(
        HostOutOfMemory,
        &["page allocation failure"],
        r"(?P<process>[^\s:\]]+): page allocation failure",
        "the kernel could give `{process}` no memory",
    ),
    means(
        ServerWorkerCrashed,
        &[": segfault at"],
        r"(?P<process>[^\s\[\]]+)\[(?P<pid>[0-9]+)\]: segfault at [^\n]*? in (?P<library>[^\s\[]+)\[",
        "`{process}` (process {pid}) crashed with a segmentation fault in `{library}`",
    ),
    means(
        ServerWorkerCrashed,
        &[": segfault at"],
        r"(?P<process>[^\s\[\]]+)\[(?P<pid>[0-9]+)\]: segfault at",
        "`{process}` (process {pid}) crashed with a segmentation fault",
    ),
    means(
        ServerWorkerCrashed,
        &["general protection", "trap invalid opcode", "trap divide error"],
        r"traps: (?P<process>[^\s\[]+)\[(?P<pid>[0-9]+)\] (?P<what>general protection(?: fault)?|trap [a-z ]+?)(?: ip:|:)",
        "`{process}` (process {pid}) crashed: {what}",
    ),
    means(
        HostConntrackFull,
        &["table full, dropping packet", "conntrack: table full"],
        r"n?f?_?conntrack: (?:n?f?_?conntrack: )?table full",
        "the table of connections (`nf_conntrack`) is full, and new connections are dropped",
    ),
    means(
        ServerPoolExhausted,
        &["possible SYN flooding"],
        r"[Pp]ossible SYN flooding on port (?P<port>[^\s]+?)\.(?:\s|$)",
        "connections to port {port} come faster than the server accepts them: its queue is full",
    ),
    means(
        HostTooManyFiles,
        &["file-max limit"],
        r"VFS: file-max limit (?P<limit>[0-9]+) reached",
        "the machine has as many files open as it may: {limit}",
    ),
    means(
        HostTooManyProcesses,
        &["fork rejected by pids controller"],
        r"cgroup: fork rejected by pids controller in (?P<group>\S+)",
        "`{group}` has as many processes and threads as it may (`TasksMax`)",
    ),
    means(
        HostDiskFailed,
        &["EXT4-fs error", "EXT3-fs error"],
        r"EXT[34]-fs error \(device (?P<device>[^)]+)\)[^:\n]*: (?P<what>[^\n]+)",
        "the file system on `{device}` has an error: {what}",
    ),
    means(
        HostDiskFailed,
        &["Remounting filesystem read-only", "Remounting read-only"],
        r"(?:EXT[34]-fs|BTRFS[^(]*) \((?:device )?(?P<device>[^)]+)\): Remounting (?:filesystem )?read-only",
        "the file system on `{device}` failed, and can only be read now",
    ),
    means(
        HostDiskFailed,
        &["XFS ("],
        r"XFS \((?P<device>[^)]+)\): (?P<what>[^\n]*(?:[Cc]orruption|I/O error|Filesystem has been shut down|metadata I/O|log I/O)[^\n]*)",
        "the file system on `{device}` has an error: {what}",
    ),
    means(
        HostDiskFailed,
        &["BTRFS"],
        r"BTRFS (?:error|critical) \(device (?P<device>[^)]+)\)[^:\n]*: (?P<what>[^\n]+)",
        "the file system on `{device}` has an error: {what}",
    ),
    means(
        HostDiskFailed,
        &["I/O error"],
        r"(?:[Bb]uffer )?I/O error,? (?:on )?dev(?:ice)? (?P<device>[^\s,]+),",
        "the disk `{device}` fails to read or write",
    ),
    means(
        HostDiskFailed,
        &["I/O error, dev", "critical medium error", "critical target error"],
        r"(?:I/O|critical (?:medium|target)) error, dev (?P<device>[^\s,]+)",
        "the disk `{device}` fails to read or write",
    ),
    means(
        HostFirewallBlocksEdge,
        &["DPT="],
        r"SRC=(?P<from>[0-9a-fA-F.:]+) [^\n]*PROTO=TCP [^\n]*DPT=(?P<port>80|443|8080|8443|8880|2052|2053|2082|2083|2086|2087|2095|2096)\b",
        "the firewall kept a packet from {from} to port {port} out",
    ),
    means(
        HostClockWrong,
        &["System clock wrong by"],
        r"System clock wrong by (?P<off>-?[0-9.]+) seconds",
        "the machine's clock was wrong by {off} s",
    ),
    means(
        HostClockWrong,
        &["adjusting local clock by"],
        r"adjusting local clock by (?P<off>-?[0-9]{2,}\.?[0-9]*)s",
        "the machine's clock was wrong by {off} s",
    ),
    means(
        HostClockWrong,
        &["RequestTimeTooSkewed", "request time and the current time is too large"],
        r"RequestTimeTooSkewed|request time and the current time is too large",
        "another service refuses requests: this machine's clock differs too much from its own",
    ),
    means(
        HostClockWrong,
        &["used before issued", "is not yet valid"],
        r"(?:[Tt]oken|JWT)(?: was)? used before issued|certificate has expired or is not yet valid: current time (?P<now>\S+) is before|certificate is not yet valid",
        "something is not valid yet by this machine's clock[, which says {now}]",
    ),
];
