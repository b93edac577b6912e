//! systemd: services that stopped, failed or were killed. Its own services and those that keep house are left out.

use super::pattern::{Pattern, harmless, means};
use crate::logs::Cause::{
    AppEnvironment, DatabaseGone, HostOutOfMemory, ServerFileMissing, ServerPermissionDenied, ServerStopped,
    ServerWorkerCrashed, ServerWorkerKilled,
};

pub(super) const PATTERNS: &[Pattern] = &[
    harmless(
        &[".service", "Stopped ", "Failed to start "],
        r"\b(?:systemd-[a-z0-9@-]+|user@[0-9]+|user-runtime-dir@[0-9]+|session-[0-9]+|getty@\S+|apt-\S+|logrotate|man-db|e2scrub\S*|fstrim|motd-news|certbot|fwupd\S*|snapd\S*|unattended-upgrades|packagekit|ssh|sshd|cron|rsyslog|dbus|polkit|plymouth\S*|NetworkManager\S*|networking|ua-timer|update-notifier\S*|phpsessionclean|dpkg-db-backup|anacron|rpcbind|lvm2\S*|multipathd?|keyboard-setup|console-setup|apparmor|bolt|udisks2|ModemManager|accounts-daemon|sysstat\S*|cloud-\S+|google-\S+|amazon-\S+|walinuxagent)\.service\b",
    ),
    means(
        HostOutOfMemory,
        &["oom-kill"],
        r"(?P<unit>\S+\.(?:service|scope)): Failed with result 'oom-kill'",
        "`{unit}` was ended: the kernel killed one of its processes for want of memory",
    ),
    means(
        HostOutOfMemory,
        &["killed by the OOM killer"],
        r"(?P<unit>\S+\.(?:service|scope|slice)): A process of this unit has been killed by the OOM killer",
        "the kernel killed a process of `{unit}` for want of memory",
    ),
    means(
        ServerWorkerKilled,
        &["status=9/KILL"],
        r"(?P<unit>\S+\.service): (?:Main|Control) process exited, code=killed, status=9/KILL",
        "the main process of `{unit}` was killed (signal 9)",
    ),
    means(
        ServerWorkerCrashed,
        &["/SEGV", "/ABRT", "/BUS", "/ILL", "/FPE", "/TRAP"],
        r"(?P<unit>\S+\.service): (?:Main|Control) process exited, code=(?:killed|dumped), status=(?P<signal>[0-9]+/(?:SEGV|ABRT|BUS|ILL|FPE|TRAP))",
        "the main process of `{unit}` crashed ({signal})",
    ),
    means(
        ServerFileMissing,
        &["Failed at step", "Failed to locate executable", "status=203/EXEC"],
        r"(?P<unit>\S+\.service): Failed (?:at step [A-Z_]+ spawning|to locate executable) (?P<name>[^\s:]+): No such file or directory",
        "`{unit}` cannot start `{name}`: it is not there",
    ),
    means(
        ServerPermissionDenied,
        &["Failed at step"],
        r"Failed at step [A-Z_]+ spawning (?P<name>[^\s:]+): Permission denied",
        "the service cannot start `{name}`: permission denied",
    ),
    means(
        AppEnvironment,
        &["Failed to load environment files"],
        r"(?P<unit>\S+\.service): Failed to load environment files: (?P<why>[^\n]+)",
        "`{unit}` misses the file with its environment: {why}",
    ),
    means(
        ServerStopped,
        &["process exited, code=exited"],
        r"(?P<unit>\S+\.service): (?:Main|Control) process exited, code=exited, status=(?P<status>[1-9][0-9]*(?:/[A-Z0-9_]+)?)",
        "the main process of `{unit}` ended with status {status}",
    ),
    means(
        ServerStopped,
        &["Failed with result"],
        r"(?P<unit>\S+\.service): Failed with result '(?P<result>[a-z-]+)'",
        "`{unit}` failed ({result})",
    ),
    means(
        ServerStopped,
        &["Start request repeated too quickly", "start-limit"],
        r"(?P<unit>\S+\.service): (?:Start request repeated too quickly|Scheduled restart job, restart counter is at (?P<count>[0-9]+))",
        "`{unit}` fails again and again, and is not started any more",
    ),
    means(
        ServerStopped,
        &["restart counter is at"],
        r"(?P<unit>\S+\.service): Scheduled restart job, restart counter is at (?P<count>[0-9]+)",
        "`{unit}` has been started again {count} times",
    ),
    means(
        DatabaseGone,
        &["Stopped "],
        r"\bStopped (?P<unit>(?:mysql|mariadb|postgresql)\S*\.service|MariaDB [^\n]*database server|MySQL Community Server|PostgreSQL (?:Cluster|RDBMS|database server)[^\n]*)",
        "the database was stopped: `{unit}`",
    ),
    means(
        ServerStopped,
        &["Stopped ", "Failed to start "],
        r"\b(?P<what>Stopped|Failed to start) (?P<unit>[A-Za-z0-9@_.:-]+\.service)\b",
        "the service is not running: `{what} {unit}`",
    ),
    means(
        ServerStopped,
        &["Stopped ", "Failed to start "],
        r"\b(?P<what>Stopped|Failed to start) (?P<unit>The Apache HTTP Server|A high performance web server and a reverse proxy server|The nginx HTTP and reverse proxy server|The PHP [0-9.]* ?FastCGI Process Manager|Caddy|HAProxy Load Balancer|Apache Tomcat[^\n.]*|Advanced key-value store|Redis[^\n.]*|memcached daemon|RabbitMQ[^\n.]*|uWSGI[^\n.]*|[Gg]unicorn[^\n.]*|Puma[^\n.]*)",
        "the service is not running: `{what} {unit}`",
    ),
];
