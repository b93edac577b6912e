//! nginx, and the servers built from it.

use super::pattern::{Pattern, means};
use crate::logs::Cause::{
    AppException, AppPortTaken, HostOutOfMemory, HostTooManyProcesses, ServerBodyTooLarge, ServerConfiguration,
    ServerFileMissing, ServerHeaderTooBig, ServerPermissionDenied, ServerPoolExhausted, ServerStopped, ServerTlsFailed,
    ServerUpstreamClosed, ServerUpstreamInvalid, ServerUpstreamRefused, ServerUpstreamTimedOut,
    ServerUpstreamUnresolved, ServerWorkerCrashed, ServerWorkerKilled,
};

pub(super) const PATTERNS: &[Pattern] = &[
    // connecting
    means(
        ServerPermissionDenied,
        &["(13: Permission denied) while connecting to upstream"],
        r#"connect\(\) (?:to (?P<socket>\S+) )?failed \(13: Permission denied\) while connecting to upstream(?:[^\n]*upstream: "(?P<upstream>[^"]+)")?"#,
        "the web server may not use the application's socket[ `{socket}`]",
    ),
    means(
        ServerPoolExhausted,
        &["(11: Resource temporarily unavailable) while connecting to upstream"],
        r#"connect\(\) to (?P<socket>\S+) failed \(11: "#,
        "the queue of the application's socket `{socket}` is full: its workers take no more",
    ),
    means(
        ServerUpstreamRefused,
        &["(2: No such file or directory) while connecting to upstream"],
        r#"connect\(\) to (?P<socket>\S+) failed \(2: "#,
        "the application's socket `{socket}` is not there: it does not run, or listens elsewhere",
    ),
    means(
        ServerUpstreamRefused,
        &["(99: Cannot assign requested address) while connecting to upstream"],
        r#"failed \(99: [^\n]*upstream: "(?P<upstream>[^"]+)""#,
        "the web server has no free port left to connect to the application at `{upstream}` from",
    ),
    means(
        ServerUpstreamRefused,
        &["while connecting to upstream"],
        r#"connect\(\) (?:to (?P<socket>\S+) )?failed \((?:111|61|113|101|112|104): (?P<why>[A-Za-z ]+)\) while connecting to upstream(?:[^\n]*upstream: "(?P<upstream>[^"]+)")?"#,
        "the web server cannot connect to the application[ at `{upstream}`]: {why}",
    ),
    means(
        ServerUpstreamRefused,
        &["no live upstreams"],
        r#"no live upstreams while connecting to upstream(?:[^\n]*upstream: "(?P<upstream>[^"]+)")?"#,
        "the web server takes every server of the application for down[: `{upstream}`]",
    ),
    // slow
    means(
        ServerUpstreamTimedOut,
        &["upstream timed out"],
        r#"upstream timed out \((?:110|60|10060): [A-Za-z ]+\) while (?P<doing>[a-zA-Z ]+?)(?:,|$)(?:[^\n]*upstream: "(?P<upstream>[^"]+)")?"#,
        "the application[ at `{upstream}`] took longer than the web server waits, while {doing}",
    ),
    means(
        ServerUpstreamTimedOut,
        &["upstream timed out"],
        r"upstream timed out",
        "the application took longer than the web server waits",
    ),
    // closed
    means(
        ServerUpstreamClosed,
        &["upstream prematurely closed"],
        r#"upstream prematurely closed (?:connection|FastCGI stdout|[A-Za-z]+)(?: while (?P<doing>[a-z ]+))?(?:[^\n]*upstream: "(?P<upstream>[^"]+)")?"#,
        "the application[ at `{upstream}`] closed the connection before it had answered[, while {doing}]",
    ),
    means(
        ServerUpstreamClosed,
        &["to upstream", "from upstream", "reading upstream"],
        r#"(?:recv|readv|send|writev|sendfile|sendfile64|kevent|SSL_read|SSL_write)\(\) (?:reported about an closed connection|(?:reported that upstream closed connection )?failed) \((?:104|32|54): (?P<why>[A-Za-z ]+)\) while (?P<doing>[a-zA-Z ]*upstream)(?:[^\n]*upstream: "(?P<upstream>[^"]+)")?"#,
        "the application[ at `{upstream}`] broke the connection off ({why}), while {doing}",
    ),
    means(
        ServerUpstreamClosed,
        &["upstream rejected request with error", "upstream sent goaway"],
        r"upstream (?:rejected request|sent goaway) with error (?P<error>[0-9]+)",
        "the application ended an HTTP/2 request with error {error}",
    ),
    // answers that cannot be read
    means(
        ServerHeaderTooBig,
        &["upstream sent too big header"],
        r#"upstream sent too big header(?:[^\n]*upstream: "(?P<upstream>[^"]+)")?"#,
        "the application[ at `{upstream}`] sent a header section larger than the web server's buffer",
    ),
    means(
        ServerUpstreamInvalid,
        &["upstream sent "],
        r#"upstream sent (?P<what>(?:invalid|no valid|unsupported|unexpected|duplicate|too large|more data than|frame|data frame|header with|response body larger|"Content-Length" and|"Transfer-Encoding")[^\n]*?)(?: while [a-z ]+)?(?:, client: (?:[^\n]*upstream: "(?P<upstream>[^"]+)")?[^\n]*)?$"#,
        "the application[ at `{upstream}`] sent what the web server cannot read: {what}",
    ),
    means(
        ServerUpstreamInvalid,
        &["auth request unexpected status"],
        r"auth request unexpected status: (?P<status>[0-9]+)",
        "the service that the web server asks for authorization answered with status {status}",
    ),
    // TLS
    means(
        ServerTlsFailed,
        &["while SSL handshaking to upstream"],
        r#"(?P<what>SSL_do_handshake\(\) failed|upstream SSL certificate verify error|upstream SSL certificate does not match|peer closed connection in SSL handshake|SSL_connect\(\) failed)[^\n]*?(?:\((?:SSL: )?(?P<why>[^()\n]*(?:\([^()]*\)[^()\n]*)*)\)|"(?P<name>[^"]+)")[^\n]*?while SSL handshaking to upstream(?:[^\n]*upstream: "(?P<upstream>[^"]+)")?"#,
        "the TLS handshake with the application[ at `{upstream}`] failed[: {why}][: its certificate is not for `{name}`]",
    ),
    means(
        ServerTlsFailed,
        &["while SSL handshaking"],
        r"SSL_do_handshake\(\) failed \(SSL: (?P<why>[^)\n]+)\) while SSL handshaking",
        "a TLS handshake with a client failed: {why}",
    ),
    means(
        ServerTlsFailed,
        &["cannot load certificate"],
        r#"cannot load certificate(?: key)? "(?P<name>[^"]+)": (?P<why>[^\n]+)"#,
        "the web server cannot load the certificate or key `{name}`: {why}",
    ),
    means(
        ServerTlsFailed,
        &["SSL_CTX_use_PrivateKey", "key values mismatch"],
        r#"SSL_CTX_use_PrivateKey[A-Za-z_]*\((?:"(?P<name>[^"]+)")?|key values mismatch"#,
        "the web server's key does not belong to its certificate[: `{name}`]",
    ),
    means(
        ServerTlsFailed,
        &["no \"ssl_certificate"],
        r#"no "ssl_certificate(?:_key)?" is defined"#,
        "the web server has no certificate for a TLS port",
    ),
    // names
    means(
        ServerUpstreamUnresolved,
        &["host not found in upstream"],
        r#"host not found in upstream "(?P<name>[^"]+)"(?: in (?P<file>\S+?):(?P<line>[0-9]+))?"#,
        "the web server cannot resolve the application's name `{name}`",
    ),
    means(
        ServerUpstreamUnresolved,
        &["could not be resolved"],
        r"(?P<name>\S+) could not be resolved \([0-9]+: (?P<why>[^)]+)\)",
        "the web server cannot resolve the application's name `{name}`: {why}",
    ),
    means(
        ServerUpstreamUnresolved,
        &["no resolver defined"],
        r"no resolver defined to resolve (?P<name>[^\s,]+)",
        "the web server has no `resolver` to resolve the application's name `{name}` with",
    ),
    means(
        ServerUpstreamUnresolved,
        &["while resolving, resolver"],
        r"failed \([0-9]+: (?P<why>[A-Za-z ]+)\) while resolving, resolver: (?P<address>\S+)",
        "the web server cannot reach its name server {address}: {why}",
    ),
    // requests
    means(
        ServerBodyTooLarge,
        &["client intended to send too large"],
        r"client intended to send too large (?:chunked )?body: (?P<bytes>[0-9+]+) bytes",
        "a request's body of {bytes} bytes is larger than `client_max_body_size` allows",
    ),
    means(
        ServerConfiguration,
        &["internal redirection cycle"],
        r#"rewrite or internal redirection cycle while (?:processing|internally redirecting to) "(?P<path>[^"]*)""#,
        "the rules of the web server send `{path}` round in circles",
    ),
    means(
        ServerConfiguration,
        &["limiting requests, excess", "limiting connections by zone"],
        r#"limiting (?P<what>requests|connections)[^\n]* zone "(?P<zone>[^"]+)""#,
        "the web server's own limit of {what} (zone `{zone}`) turns requests away",
    ),
    means(
        ServerConfiguration,
        &[
            "invalid URL prefix in",
            "no host in upstream",
            "invalid port in upstream",
            "invalid host in upstream",
            "no port in upstream",
            "unknown \"",
        ],
        r#"(?P<what>(?:invalid URL prefix|no host|no port|invalid port|invalid host) in(?: upstream)? "[^"\n]*"|unknown "[^"]+" variable)"#,
        "the web server's configuration leads nowhere: {what}",
    ),
    means(
        ServerPermissionDenied,
        &["access forbidden by rule"],
        r"access forbidden by rule(?:, client: (?P<from>[^,\s]+))?",
        "a rule of the web server denies access[ to {from}]",
    ),
    means(
        ServerPermissionDenied,
        &["ModSecurity: Access denied"],
        r#"ModSecurity: Access denied with code (?P<status>[0-9]{3})(?:[^\n]*\[id "(?P<id>[0-9]+)"\])?"#,
        "the web server's firewall ModSecurity turned a request away with status {status}[, by rule {id}]",
    ),
    // files
    means(
        ServerFileMissing,
        &["(2: No such file or directory)"],
        r#"(?:open|stat|lstat|opendir)\(\) "(?P<name>[^"]+)" failed \(2: [^)]*\)(?: in (?P<file>\S+?):(?P<line>[0-9]+))?"#,
        "the web server misses the file `{name}`",
    ),
    means(
        ServerFileMissing,
        &["(20: Not a directory)"],
        r#"(?:open|stat|lstat|opendir)\(\) "(?P<name>[^"]+)" failed \(20: "#,
        "the web server misses the file `{name}`: something above it is no folder",
    ),
    means(
        ServerFileMissing,
        &["directory index of"],
        r#"directory index of "(?P<name>[^"]+)" is forbidden"#,
        "the folder `{name}` has no index file, and may not be listed",
    ),
    means(
        ServerFileMissing,
        &["\" is not found (2"],
        r#""(?P<name>[^"]+)" is not found \(2: "#,
        "the web server misses the file `{name}`",
    ),
    means(
        ServerPermissionDenied,
        &["(13: Permission denied)"],
        r#"[a-z_]+\(\) "(?P<name>[^"]+)" failed \(13: "#,
        "the web server may not open `{name}`",
    ),
    means(
        ServerPermissionDenied,
        &["(13: Permission denied)"],
        r"bind\(\) to (?P<address>\S+) failed \(13: ",
        "the web server may not listen on {address}",
    ),
    means(
        ServerPermissionDenied,
        &["\" is forbidden (13"],
        r#""(?P<name>[^"]+)" is forbidden \(13: "#,
        "the web server may not open `{name}`",
    ),
    // FastCGI
    means(
        ServerFileMissing,
        &["Primary script unknown"],
        r"Primary script unknown",
        "PHP-FPM does not find the script that the web server asks for: `Primary script unknown`",
    ),
    means(
        ServerFileMissing,
        &["Unable to open primary script"],
        r"Unable to open primary script: (?P<name>\S+) \(No such file or directory\)",
        "PHP-FPM does not find the script `{name}`",
    ),
    means(
        ServerPermissionDenied,
        &["Unable to open primary script"],
        r"Unable to open primary script: (?P<name>\S+) \((?P<why>[^)]+)\)",
        "PHP-FPM may not open the script `{name}`: {why}",
    ),
    means(
        ServerPermissionDenied,
        &["see security.limit_extensions"],
        r"Access to the script '(?P<name>[^']+)' has been denied",
        "PHP-FPM may not run `{name}` (`security.limit_extensions`)",
    ),
    // workers
    means(
        ServerPoolExhausted,
        &["worker_connections are not enough"],
        r"(?P<count>[0-9]+ )?worker_connections are not enough",
        "the web server has all of its[ {count}] `worker_connections` in use",
    ),
    means(
        ServerWorkerCrashed,
        &["exited on signal"],
        r"worker process (?P<pid>[0-9]+) exited on signal (?P<signal>4|5|6|7|8|11)\b",
        "the web server's worker {pid} crashed with signal {signal}",
    ),
    means(
        ServerWorkerKilled,
        &["exited on signal"],
        r"worker process (?P<pid>[0-9]+) exited on signal 9\b",
        "the web server's worker {pid} was killed (signal 9)",
    ),
    means(
        ServerWorkerCrashed,
        &["exited with fatal code"],
        r"worker process (?P<pid>[0-9]+) exited with fatal code (?P<code>[0-9]+)",
        "the web server's worker {pid} cannot go on (code {code}), and is not started again",
    ),
    means(
        ServerStopped,
        &["(SIGTERM) received", "(SIGINT) received"],
        r"signal (?:15|2) \(SIG(?P<signal>TERM|INT)\) received",
        "the web server was told to stop (SIG{signal})",
    ),
    means(
        HostTooManyProcesses,
        &["fork() failed"],
        r"fork\(\) failed \(11: ",
        "the web server cannot start a process: there are as many as there may be",
    ),
    means(
        HostOutOfMemory,
        &["(12: Cannot allocate memory)"],
        r"(?P<call>[a-z_]+)\([^)]*\) failed \(12: Cannot allocate memory\)",
        "the web server could get no memory (`{call}`)",
    ),
    // configuration
    means(
        AppPortTaken,
        &["(98: Address already in use)", "(98: Unknown error)"],
        r"bind\(\) to (?P<address>\S+) failed \(98: ",
        "the web server cannot listen on {address}: the port is taken",
    ),
    means(
        ServerConfiguration,
        &["(99: Cannot assign requested address)"],
        r"bind\(\) to (?P<address>\S+) failed \(99: ",
        "the web server cannot listen on {address}: the machine does not have that address",
    ),
    means(
        AppException,
        &["lua entry thread aborted", "failed to run "],
        r"(?:lua entry thread aborted: runtime error: |failed to run [a-z_]+\*?: )(?P<file>[^\s:]+\.lua|[a-z_]+_by_lua\([^)]*\)):(?P<line>[0-9]+): (?P<what>[^\n]+)",
        "a Lua script of the web server failed: {what}",
    ),
    means(
        ServerConfiguration,
        &["[emerg]", "/nginx", "conf:", "is not terminated by", "unknown directive"],
        r#"(?P<what>(?:unknown directive|unexpected|invalid (?:number of arguments|value|parameter)|duplicate (?:upstream|location|listen|default server)|directive|"[a-z_]+" directive|a duplicate|unknown|could not build|location|upstream|no "[a-z_]+"|"server" directive|conflicting|getpwnam|cannot|host not found|still could not bind)[^\n]*?) in (?P<file>/[^\s:]+):(?P<line>[0-9]+)"#,
        "the web server's configuration is wrong: {what}",
    ),
];
