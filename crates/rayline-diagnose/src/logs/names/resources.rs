//! What any program says when the machine gives it no more: disk, files, processes, ports, rights. Tried after what says it
//! more closely.

use super::pattern::{Pattern, means};
use crate::logs::Cause::{
    AppPortTaken, HostDiskFull, HostOutOfMemory, HostTooManyFiles, HostTooManyProcesses, ServerFileMissing,
    ServerPermissionDenied, ServerStopped, ServerWorkerCrashed, ServerWorkerKilled,
};

pub(super) const PATTERNS: &[Pattern] = &[
    means(
        HostTooManyFiles,
        &["file watchers reached", "inotify"],
        r"System limit for number of file watchers reached|inotify_(?:init|add_watch)[^\n]*(?:Too many open files|No space left)",
        "no more files may be watched (`fs.inotify.max_user_watches`)",
    ),
    means(
        HostDiskFull,
        &["No space left on device", "ENOSPC"],
        r#"[a-z_]+\(\) (?:to )?"(?P<name>[^"]+)" failed \(28: "#,
        "`{name}` cannot be written: no space left on the disk",
    ),
    means(
        HostDiskFull,
        &["No space left on device", "ENOSPC", "There is not enough space on the disk"],
        r#"(?:No space left on device|no space left on device|ENOSPC|There is not enough space on the disk)(?:(?:: |, [a-z]+ )'(?P<name>[^']+)')?"#,
        "no space is left on the disk[: `{name}`]",
    ),
    means(
        HostDiskFull,
        &["has written only"],
        r#"pwritev?\(\) "(?P<name>[^"]+)" has written only [0-9]+ of [0-9]+"#,
        "`{name}` cannot be written whole: no space is left on the disk",
    ),
    means(
        HostDiskFull,
        &["Disk quota exceeded", "EDQUOT"],
        r"Disk quota exceeded|EDQUOT",
        "the quota of the disk is used up",
    ),
    means(
        HostTooManyFiles,
        &["Too many open files", "EMFILE", "ENFILE"],
        r"Too many open files|too many open files|EMFILE|ENFILE",
        "a process has as many files and connections open as it may: `Too many open files`",
    ),
    means(
        HostTooManyProcesses,
        &[
            "can't start new thread",
            "unable to create native thread",
            "unable to create new native thread",
            "Cannot create worker thread",
            "pthread_create",
            "failed to create new OS thread",
        ],
        r"can't start new thread|unable to create (?:new )?native thread|pthread_create(?:\(\))?:? (?:failed|Resource)[^\n]*|failed to create new OS thread",
        "no more threads may be started",
    ),
    means(
        HostTooManyProcesses,
        &["Resource temporarily unavailable", "spawn ", "EAGAIN"],
        r"(?:fork|clone|posix_spawn|spawn)[^\n]{0,80}(?:Resource temporarily unavailable|EAGAIN)|Failed to fork[^\n]*",
        "no more processes may be started",
    ),
    means(
        HostOutOfMemory,
        &["Cannot allocate memory", "ENOMEM"],
        r"Cannot allocate memory|\bENOMEM\b",
        "the machine has no memory left for a process: `Cannot allocate memory`",
    ),
    means(
        AppPortTaken,
        &["EADDRINUSE"],
        r"EADDRINUSE[^\n]*?(?P<address>\S*:[0-9]+)\b",
        "the application cannot listen on {address}: the port is taken",
    ),
    means(
        AppPortTaken,
        &["was already in use"],
        r"Port (?P<port>[0-9]+) was already in use",
        "the application cannot listen on port {port}: it is taken",
    ),
    means(
        AppPortTaken,
        &["Connection in use: "],
        r"Connection in use: \('?(?P<host>[^',]*)'?, (?P<port>[0-9]+)\)",
        "Gunicorn cannot listen on {host} port {port}: it is taken",
    ),
    means(
        AppPortTaken,
        &["port is already allocated"],
        r"Bind for (?P<address>\S+) failed: port is already allocated",
        "Docker cannot listen on {address}: the port is taken",
    ),
    means(
        AppPortTaken,
        &["ddress already in use"],
        r#"(?:listen (?:tcp|udp)[46]? (?P<go>\S+): bind|bind\(2\) for "?(?P<host>[^"\s]+)"? port (?P<port>[0-9]+)|to address (?P<url>https?://[^\s,]+)|BindException|Errno 98|\b)[^\n]*[Aa]ddress already in use"#,
        "the application cannot listen[ on {go}][ on {host} port {port}][ on {url}]: the port is taken",
    ),
    means(
        ServerPermissionDenied,
        &["listen EACCES", "bind: permission denied"],
        r"listen EACCES: permission denied (?P<address>\S+)|listen tcp (?P<go>\S+): bind: permission denied",
        "the application may not listen[ on {address}][ on {go}]",
    ),
    means(
        ServerPermissionDenied,
        &["EACCES", "EPERM", "[Errno 13]"],
        r"(?:EACCES: permission denied|EPERM: operation not permitted), [a-z]+ '(?P<name>[^']+)'|PermissionError: \[Errno 13\] Permission denied: '(?P<path>[^']+)'",
        "the application may not use[ `{name}`][ `{path}`]",
    ),
    means(
        ServerPermissionDenied,
        &["AccessDeniedException", "Errno::EACCES", "Permission denied @"],
        r"java\.nio\.file\.AccessDeniedException: (?P<name>\S+)|Errno::EACCES|Permission denied @ \S+ - (?P<path>\S+)",
        "the application may not use[ `{name}`][ `{path}`] a file",
    ),
    means(
        ServerFileMissing,
        &["ENOENT", "[Errno 2]"],
        r"ENOENT: no such file or directory, [a-z]+ '(?P<name>[^']+)'|FileNotFoundError: \[Errno 2\] No such file or directory: '(?P<path>[^']+)'",
        "the application misses the file[ `{name}`][ `{path}`]",
    ),
    means(
        ServerFileMissing,
        &["NoSuchFileException", "java.io.FileNotFoundException", "Errno::ENOENT"],
        r"(?:java\.nio\.file\.NoSuchFileException|java\.io\.FileNotFoundException): (?P<name>\S+)|Errno::ENOENT(?:[^\n]*@ \S+ - (?P<path>\S+))?",
        "the application misses the file[ `{name}`][ `{path}`]",
    ),
    means(
        ServerFileMissing,
        &["executable file not found in $PATH", "exec format error", "stat /"],
        r#"exec: "(?P<name>[^"]+)": executable file not found in \$PATH|exec (?P<path>/\S+): (?:no such file or directory|exec format error)"#,
        "the container cannot start[ `{name}`][ `{path}`]",
    ),
    means(
        ServerWorkerKilled,
        &["exited with code 137"],
        r"(?P<name>\S+) exited with code 137\b",
        "the container `{name}` was killed (137: signal 9)",
    ),
    means(
        ServerWorkerCrashed,
        &["exited with code 139", "exited with code 134"],
        r"(?P<name>\S+) exited with code (?P<code>139|134)\b",
        "the container `{name}` crashed ({code})",
    ),
    means(
        ServerStopped,
        &["exited with code "],
        r"^(?P<name>[A-Za-z0-9_.-]+) exited with code (?P<code>[1-9][0-9]*)\b",
        "the container `{name}` ended with code {code}",
    ),
    means(
        HostOutOfMemory,
        &["OOMKilled"],
        r#"OOMKilled"?[:=] ?true"#,
        "a container was killed: it was out of the memory that it may use",
    ),
];
