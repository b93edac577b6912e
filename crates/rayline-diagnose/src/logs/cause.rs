//! The table of what can be wrong inside an origin: what no edge sees, and logs and machine name.
//!
//! A cause explains a code; it does not replace it. The code says what the edge met (`origin.wait.error_status`), the cause
//! why (`database.too_many_connections`).

use std::fmt;

use crate::conclude::Hop;

/// One row of the table.
#[derive(Debug)]
pub struct Row {
    /// `layer.trouble`.
    pub name: &'static str,
    /// Where on the way.
    pub hop: Hop,
    /// One plain sentence.
    pub sentence: &'static str,
    /// Steps that mend it, the likeliest first.
    pub fix: &'static [&'static str],
    /// Whether it is only what another trouble looks like from next door: another cause of the same moments explains it.
    pub is_symptom: bool,
}

macro_rules! causes {
    ($($variant:ident = $layer:literal . $trouble:literal at $hop:ident $(as $symptom:ident)? { $sentence:literal, [$($fix:literal),+ $(,)?] })+) => {
        /// What is wrong inside an origin.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Cause { $(#[doc = $sentence] $variant),+ }

        impl Cause {
            /// All of them, in the table's order.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// This cause's row.
            pub const fn row(self) -> &'static Row {
                match self {
                    $(Self::$variant => const {
                        &Row {
                            name: concat!($layer, ".", $trouble),
                            hop: Hop::$hop,
                            sentence: $sentence,
                            fix: &[$($fix),+],
                            is_symptom: !<[&str]>::is_empty(&[$(stringify!($symptom))?]),
                        }
                    }),+
                }
            }
        }
    };
}

causes! {
    ServerPoolExhausted = "server" . "pool_exhausted" at Origin {
        "Every worker of the server is busy: requests wait or are turned away.",
        ["find what keeps the workers busy (slow queries, slow third parties): the slow log names it", "raise the number of workers (`pm.max_children`, `MaxRequestWorkers`, `worker_connections`) as far as memory goes"]
    }
    ServerUpstreamRefused = "server" . "upstream_refused" at App as symptom {
        "The web server cannot connect to the application behind it.",
        ["start the application, and have the system start it with the machine", "compare the address or socket in the web server's configuration with the one that the application listens on"]
    }
    ServerUpstreamClosed = "server" . "upstream_closed" at App as symptom {
        "The application closed its connection before it had answered.",
        ["look in the application's own log at this time: it crashed, was restarted, or gave up", "let the application keep idle connections longer than the web server reuses them"]
    }
    ServerUpstreamTimedOut = "server" . "upstream_timed_out" at App as symptom {
        "The application took longer than the web server waits.",
        ["find what the application waits for: its slow log, its database, its third parties", "let long work go on in the background, and answer before"]
    }
    ServerUpstreamUnresolved = "server" . "upstream_unresolved" at Origin {
        "The web server cannot resolve the application's name.",
        ["mend the name in the configuration, or the machine's name servers"]
    }
    ServerHeaderTooBig = "server" . "header_too_big" at App {
        "The application's header section is larger than the web server's buffer.",
        ["raise the web server's header buffers (`proxy_buffer_size`, `fastcgi_buffer_size`)", "send fewer and smaller cookies"]
    }
    ServerUpstreamInvalid = "server" . "upstream_invalid" at App {
        "The application's answer is not what the web server can read.",
        ["compare the protocol in the web server's configuration (HTTP, FastCGI, TLS) with what the application speaks"]
    }
    ServerBodyTooLarge = "server" . "body_too_large" at Origin {
        "The request's body is larger than the server allows.",
        ["raise the limit (`client_max_body_size`, `LimitRequestBody`, `post_max_size`)"]
    }
    ServerConfiguration = "server" . "configuration" at Origin {
        "The web server's configuration is wrong.",
        ["mend the line that the log names, and test it (`nginx -t`, `apachectl configtest`) before a reload", "where a limit or rule of the server turns requests away: let it count visitors, not the edge's addresses"]
    }
    ServerPermissionDenied = "server" . "permission_denied" at Origin {
        "The server may not read a file or use a socket that it needs.",
        ["give the server's user the right to the file or socket that the log names, and to the folders above it", "where a rule denies access: let it ask for the visitor's address, not the edge's"]
    }
    ServerFileMissing = "server" . "file_missing" at Origin {
        "The server misses a file that it should serve or run.",
        ["put the file where the log looks for it, or mend the path (`root`, `SCRIPT_FILENAME`) in the configuration"]
    }
    ServerWorkerCrashed = "server" . "worker_crashed" at Origin {
        "A worker process of the server crashed.",
        ["look at the last thing that changed: an extension, a library, an update", "collect a core dump: it names the library"]
    }
    ServerWorkerKilled = "server" . "worker_killed" at Origin {
        "A worker process of the server was killed.",
        ["look in the kernel's log for the out-of-memory killer, and in the history of whoever may kill processes here"]
    }
    ServerTlsFailed = "server" . "tls_failed" at Origin {
        "The server cannot do its part of TLS.",
        ["check certificate, key and chain: `rayline tls` says what each mode makes of them"]
    }
    ServerStopped = "server" . "stopped" at Origin as symptom {
        "The service was stopped, or failed to start.",
        ["start it, and read in its log why it stopped"]
    }
    ServerMaintenance = "server" . "maintenance" at Origin {
        "The site says that it is under maintenance.",
        ["end the maintenance mode, or let it run its course"]
    }
    AppPhpFatal = "app" . "php_fatal" at App {
        "PHP ended with a fatal error.",
        ["mend the code at the place that the log names, or go back to the version before"]
    }
    AppPhpMemory = "app" . "php_memory" at App {
        "PHP ran out of the memory that a request may use.",
        ["find what loads so much at once, at the place that the log names", "raise `memory_limit`, if the machine has the memory for all workers"]
    }
    AppPhpTime = "app" . "php_time" at App {
        "PHP ran longer than a request may.",
        ["find what takes so long at the place that the log names", "let long work go on in the background, in place of raising `max_execution_time`"]
    }
    AppException = "app" . "exception" at App {
        "The application ended with an exception that nothing caught.",
        ["mend the code at the place that the log names, or go back to the version before"]
    }
    AppModuleMissing = "app" . "module_missing" at App {
        "The application misses a module that it loads.",
        ["install what the log names, for the very version of the language that the service runs"]
    }
    AppOutOfMemory = "app" . "out_of_memory" at App {
        "The application ran out of the memory that it may use.",
        ["find what grows; then raise the limit (`--max-old-space-size`, `-Xmx`)"]
    }
    AppWorkerTimeout = "app" . "worker_timeout" at App {
        "A worker of the application took too long, and was ended.",
        ["find what it waits for at this time", "raise the limit (`--timeout`, `harakiri`, `request_terminate_timeout`) only if the work must take so long"]
    }
    AppEnvironment = "app" . "environment" at App {
        "The application misses a setting, or cannot use one.",
        ["set what the log names in the service's environment, and restart it"]
    }
    AppPortTaken = "app" . "port_taken" at App {
        "The application cannot listen: its port is taken.",
        ["end the other process on that port, or give one of them another port"]
    }
    DatabaseTooManyConnections = "database" . "too_many_connections" at App {
        "The database takes no more connections.",
        ["find who holds them, and use a pool", "raise `max_connections` as far as memory goes"]
    }
    DatabaseRefused = "database" . "refused" at App {
        "The application cannot connect to its database.",
        ["start the database, and compare host, port and socket in the application's settings with what it listens on"]
    }
    DatabaseAccessDenied = "database" . "access_denied" at App {
        "The database does not let the application in.",
        ["compare user, password and host in the application's settings with the database's grants"]
    }
    DatabaseGone = "database" . "gone" at App {
        "The database ended a connection that the application still used.",
        ["look in the database's own log at this time: restart, crash, idle limit, packet size"]
    }
    DatabaseLocked = "database" . "locked" at App {
        "A query waited for a lock that another one did not give.",
        ["find the transaction that holds the lock, and make it shorter"]
    }
    DatabaseTimedOut = "database" . "timed_out" at App {
        "The database took longer than the application waits.",
        ["find the slow query: the database's slow log names it", "check that the pool is large enough"]
    }
    DatabaseMissing = "database" . "missing" at App {
        "The application asks for a database, table or column that is not there.",
        ["run the migrations that belong to this version of the application", "check the database's name in its settings", "repair a table that is marked as crashed (`mysqlcheck --repair`)"]
    }
    DatabaseFull = "database" . "full" at App {
        "The database cannot write: its disk is full, or it is read only.",
        ["make room on its disk", "check whether it is a replica"]
    }
    CacheRefused = "cache" . "refused" at App {
        "The application cannot connect to its cache.",
        ["start it, and compare host and port in the application's settings with what it listens on"]
    }
    CacheFull = "cache" . "full" at App {
        "The cache takes no more writes.",
        ["make room, or set `maxmemory-policy`; for `MISCONF` mend the disk that it saves to"]
    }
    QueueFailed = "queue" . "failed" at App {
        "The application cannot reach its queue.",
        ["start it, and compare host, port and credentials in the application's settings"]
    }
    ThirdPartyTimedOut = "third_party" . "timed_out" at App {
        "A service that the application calls did not answer in time.",
        ["ask who runs that service", "give the call a short limit, and do without it when it fails"]
    }
    ThirdPartyFailed = "third_party" . "failed" at App {
        "A service that the application calls refuses, or answers with an error.",
        ["ask who runs that service", "do without it when it fails"]
    }
    DnsFailed = "dns" . "failed" at App {
        "The application's own look-ups of names fail.",
        ["check `/etc/resolv.conf` and the name servers in it, from where the application runs (containers have their own)"]
    }
    HostDiskFull = "host" . "disk_full" at Origin {
        "The disk is full.",
        ["make room: logs, caches and old releases first; `df -h` and `df -i` say where"]
    }
    HostOutOfMemory = "host" . "out_of_memory" at Origin {
        "The machine or its container ran out of memory, and the kernel killed a process.",
        ["find what grows; give it a limit, or the machine more memory"]
    }
    HostTooManyFiles = "host" . "too_many_files" at Origin {
        "A process has as many files and connections open as it may.",
        ["raise its limit (`LimitNOFILE`, `worker_rlimit_nofile`), and find what does not close them"]
    }
    HostTooManyProcesses = "host" . "too_many_processes" at Origin {
        "No more processes or threads may be started.",
        ["raise the limit (`TasksMax`, `nproc`), and find what starts so many"]
    }
    HostConntrackFull = "host" . "conntrack_full" at Origin {
        "The firewall's table of connections is full, and drops new ones.",
        ["raise `net.netfilter.nf_conntrack_max`, or shorten its time-outs"]
    }
    HostDiskFailed = "host" . "disk_failed" at Origin {
        "A disk or its file system fails.",
        ["look at the disk (`dmesg`, `smartctl -a`), save what is on it, and replace it", "a file system that can only be read now is repaired with `fsck`, unmounted"]
    }
    HostClockWrong = "host" . "clock_wrong" at Origin {
        "The machine's clock is wrong.",
        ["let it be set by NTP (`timedatectl`): certificates, tokens and logs depend on it"]
    }
    HostFirewallBlocksEdge = "host" . "firewall_blocks_edge" at Origin {
        "The machine's firewall keeps the edge's addresses out.",
        ["let the edge's addresses in: `rayline ips --format nft` prints the lines", "look for the program that added the rule (fail2ban, a rate limit): it takes the edge for one busy visitor"]
    }
    HostNotListening = "host" . "not_listening" at Origin {
        "Nothing listens on the port that the edge connects to.",
        ["start the server, or mend the port: in its configuration, or the edge's SSL mode"]
    }
    HostListensOnLoopback = "host" . "listens_on_loopback" at Origin {
        "The server listens on the machine itself alone.",
        ["have it listen on the address that the edge connects to (`0.0.0.0`, `[::]`), in place of `127.0.0.1`"]
    }
}

impl Cause {
    /// `layer.trouble`.
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// The cause of that name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|cause| cause.name() == name)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
