//! Apache HTTP Server: its messages have numbers (`AH00957`), and errors of the system stand before them: `(111)…`.

use super::pattern::{Pattern, means};
use crate::logs::Cause::{
    AppException, AppPortTaken, HostOutOfMemory, HostTooManyProcesses, ServerBodyTooLarge, ServerConfiguration,
    ServerFileMissing, ServerPermissionDenied, ServerPoolExhausted, ServerStopped, ServerTlsFailed,
    ServerUpstreamClosed, ServerUpstreamInvalid, ServerUpstreamRefused, ServerUpstreamTimedOut,
    ServerUpstreamUnresolved, ServerWorkerCrashed, ServerWorkerKilled,
};

pub(super) const PATTERNS: &[Pattern] = &[
    // connecting
    means(
        ServerUpstreamTimedOut,
        &["AH00957"],
        r"\((?:110|70007)\)[^\n]*AH00957: [^\n]*?attempt to connect to (?P<address>\S+)",
        "the application at {address} does not take the web server's connections in time",
    ),
    means(
        ServerUpstreamRefused,
        &["AH00957"],
        r"(?:\([0-9]+\)(?P<why>[A-Za-z ]+): (?:\[[^\]]*\] )?)?AH00957: [^\n]*?attempt to connect to (?P<address>\S+)",
        "the web server cannot connect to the application at {address}[: {why}]",
    ),
    means(
        ServerPermissionDenied,
        &["AH02454"],
        r"\(13\)[^\n]*AH02454: [^\n]*Unix domain socket (?P<socket>\S+)",
        "the web server may not use the application's socket `{socket}`",
    ),
    means(
        ServerPoolExhausted,
        &["AH02454"],
        r"\(11\)[^\n]*AH02454: [^\n]*Unix domain socket (?P<socket>\S+)",
        "the queue of the application's socket `{socket}` is full: its workers take no more",
    ),
    means(
        ServerUpstreamRefused,
        &["AH02454"],
        r"(?:\([0-9]+\)(?P<why>[A-Za-z ]+): (?:\[[^\]]*\] )?)?AH02454: [^\n]*Unix domain socket (?P<socket>\S+)",
        "the web server cannot connect to the application's socket `{socket}`[: {why}]",
    ),
    means(
        ServerUpstreamRefused,
        &["AH01114", "AH01079", "AH00896"],
        r"AH(?:01114|01079|00896): [^\n]*failed to make connection to backend: (?P<address>\S+)",
        "the web server cannot connect to the application at {address}",
    ),
    means(
        ServerUpstreamRefused,
        &["AH00959", "AH00940"],
        r"AH(?:00959|00940): [^\n]*?(?:disabling worker|disabled connection) for \((?P<address>[^)]+)\)",
        "the web server takes the application at {address} for down",
    ),
    means(
        ServerUpstreamRefused,
        &["AH01170", "AH01167"],
        r"AH(?:01170|01167): (?P<balancer>balancer://\S+): All workers are in error state",
        "the web server takes every server of `{balancer}` for down",
    ),
    means(
        ServerUpstreamRefused,
        &["Unable to connect to WSGI daemon process"],
        r"Unable to connect to WSGI daemon process '(?P<name>[^']+)'",
        "the web server cannot connect to the WSGI process `{name}`",
    ),
    means(
        ServerUpstreamUnresolved,
        &["AH00898"],
        r"AH00898: DNS lookup failure for: (?P<name>\S+)",
        "the web server cannot resolve the application's name `{name}`",
    ),
    // slow
    means(
        ServerUpstreamTimedOut,
        &["AH01102", "AH01075", "AH01220", "AH00992", "AH01030", "AH01084", "AH01110"],
        r"\((?:70007|110)\)[^\n]*AH(?:01102|01075|01220|00992|01030|01084|01110): (?:[^\n]*?(?:remote server|CGI script|failed to|to) (?P<address>/?\S*[0-9a-z/]\S*))?",
        "the application[ ({address})] took longer than the web server waits",
    ),
    means(
        ServerUpstreamTimedOut,
        &["AH01220"],
        r"AH01220: Timeout waiting for output from CGI script (?P<script>\S+)",
        "the script `{script}` took longer than the web server waits",
    ),
    means(
        ServerUpstreamTimedOut,
        &["mod_fcgid: read data timeout"],
        r"mod_fcgid: read data timeout in (?P<s>[0-9]+) seconds",
        "the application took longer than the {s} s that the web server waits",
    ),
    means(
        ServerUpstreamTimedOut,
        &["Timeout when reading response headers from daemon process"],
        r"Timeout when reading response headers from daemon process '(?P<name>[^']+)'",
        "the WSGI process `{name}` took longer than the web server waits",
    ),
    // closed
    means(
        ServerUpstreamClosed,
        &["AH01102"],
        r"AH01102: error reading status line from remote server (?P<address>\S+)",
        "the application at {address} closed the connection before it had answered",
    ),
    means(
        ServerUpstreamClosed,
        &["AH01075", "AH01067"],
        r"(?:\((?:104|70014|32)\)(?P<why>[A-Za-z ]+): )[^\n]*AH(?:01075|01067): |AH01067: Failed to read FastCGI header",
        "the application closed the connection before it had answered[: {why}]",
    ),
    means(
        ServerUpstreamClosed,
        &["AH01084"],
        r"\((?:104|32|70014)\)(?P<why>[A-Za-z ]+): [^\n]*AH01084: pass request body failed to (?P<address>\S+)",
        "the application at {address} broke the connection off while it was sent a request: {why}",
    ),
    means(
        ServerUpstreamClosed,
        &["AH01110"],
        r"AH01110: error reading response",
        "the application closed the connection in the middle of its answer",
    ),
    means(
        ServerUpstreamClosed,
        &["AH00992", "AH01030", "AH00893"],
        r"AH(?:00992|01030|00893): (?P<what>[^\n]+)",
        "the application's AJP connection broke: {what}",
    ),
    means(
        ServerUpstreamClosed,
        &["nd of script output before headers"],
        r"[Ee]nd of script output before headers: (?P<script>\S+)",
        "the script `{script}` ended before it had answered",
    ),
    means(
        ServerUpstreamClosed,
        &["Truncated or oversized response headers received from daemon process"],
        r"Truncated or oversized response headers received from daemon process '(?P<name>[^']+)'",
        "the WSGI process `{name}` ended before it had answered",
    ),
    means(
        ServerUpstreamClosed,
        &["mod_fcgid: error reading data"],
        r"mod_fcgid: error reading data",
        "the application closed the connection before it had answered",
    ),
    // answers that cannot be read
    means(
        ServerUpstreamInvalid,
        &["AH01070", "malformed header from script", "AH01068"],
        r"AH01070: Error parsing script headers|malformed header from script '(?P<script>[^']+)'|AH01068: Got bogus version",
        "the application's answer has a malformed header section[: `{script}`]",
    ),
    means(
        ServerUpstreamInvalid,
        &["AH01106", "AH02429", "AH10160", "Corrupt status line", "AH00088"],
        r"AH(?:01106|02429|10160): (?P<what>[^\n]+)|Corrupt status line",
        "the application's answer is not what the web server can read[: {what}]",
    ),
    // workers
    means(
        ServerPoolExhausted,
        // AH10159 only says that few are idle, which is so from the start where few are allowed.
        &["server reached MaxRequestWorkers", "server reached MaxClients", "scoreboard is full"],
        r"server reached (?P<limit>MaxRequestWorkers|MaxClients) setting|scoreboard is full",
        "every worker of Apache is busy[: `{limit}` is reached]",
    ),
    means(
        ServerPoolExhausted,
        &["can't apply process slot"],
        r"mod_fcgid: can't apply process slot for (?P<script>\S+)",
        "every FastCGI process of Apache is busy: none is free for `{script}`",
    ),
    means(
        ServerWorkerCrashed,
        &["exit signal"],
        r"child pid (?P<pid>[0-9]+) exit signal (?P<signal>(?:Segmentation fault|Abort(?:ed)?|Bus error|Illegal instruction|Floating point exception)[^,\n]*)",
        "Apache's worker {pid} crashed: {signal}",
    ),
    means(
        ServerWorkerKilled,
        &["exit signal"],
        r"child pid (?P<pid>[0-9]+) exit signal Killed",
        "Apache's worker {pid} was killed (signal 9)",
    ),
    means(
        ServerStopped,
        &["caught SIGTERM, shutting down"],
        r"caught SIGTERM, shutting down",
        "Apache was told to stop (SIGTERM)",
    ),
    means(
        HostOutOfMemory,
        &["AH00159"],
        r"\(12\)[^\n]*AH00159",
        "Apache cannot start a process: there is no memory for it",
    ),
    means(
        HostTooManyProcesses,
        &["AH00159"],
        r"\(11\)[^\n]*AH00159",
        "Apache cannot start a process: there are as many as there may be",
    ),
    // TLS
    means(
        ServerTlsFailed,
        &["SSLCertificateFile: file", "SSLCertificateKeyFile: file"],
        r"(?:on line (?P<line>[0-9]+) of (?P<file>\S+?):\s+)?(?P<directive>SSLCertificate(?:Key|Chain)?File): file '(?P<name>[^']+)' does not exist or is empty",
        "the file of `{directive}` is not there, or empty: `{name}`",
    ),
    means(
        ServerTlsFailed,
        &["AH02565", "AH02561", "AH02562", "AH02572", "AH02312", "AH02564", "AH01961", "AH02577"],
        r"AH(?:02565|02561|02562|02572|02312|02564|01961|02577): (?P<what>[^\n]+)",
        "Apache's TLS is not set up: {what}",
    ),
    means(
        ServerTlsFailed,
        &["AH02276", "AH02039", "AH02040", "AH02411", "AH02412"],
        r"\[remote (?P<address>\S+)\] AH(?:02276|02039|02040|02411|02412): (?P<what>[^\[\n]+)",
        "the application's certificate ({address}) does not pass: {what}",
    ),
    means(
        ServerTlsFailed,
        &["AH02003", "Error during SSL Handshake with remote server", "AH02005"],
        r"AH(?:02003|02005): |Error during SSL Handshake with remote server",
        "the TLS handshake with the application failed",
    ),
    means(
        ServerTlsFailed,
        &["AH02039", "AH02276"],
        r"AH(?:02039|02276): Certificate Verification: Error \([0-9]+\): (?P<what>[^\[\n]+)",
        "a client's certificate does not pass: {what}",
    ),
    means(
        ServerTlsFailed,
        &["AH02008"],
        r"AH02008: SSL library error [0-9]+ in handshake \(server (?P<name>[^)]+)\)",
        "a TLS handshake with a client failed (server {name})",
    ),
    means(
        ServerTlsFailed,
        &["AH02032", "AH02033"],
        r"AH(?:02032|02033): (?P<what>[^\n]+)",
        "Apache turns away what TLS and request name differently: {what}",
    ),
    means(
        ServerTlsFailed,
        &["AH01084"],
        r"\(20014\)[^\n]*AH01084: pass request body failed to (?P<address>\S+:443)\b",
        "the TLS connection to the application at {address} failed",
    ),
    means(
        ServerUpstreamClosed,
        &["AH01084"],
        r"\(20014\)[^\n]*AH01084: pass request body failed to (?P<address>\S+)",
        "the application at {address} broke the connection off",
    ),
    // configuration
    means(
        ServerConfiguration,
        &["AH00526"],
        r"AH00526: Syntax error on line (?P<line>[0-9]+) of (?P<file>\S+?):(?:\s+(?P<what>[^\n]+))?",
        "Apache's configuration is wrong[: {what}]",
    ),
    means(
        ServerConfiguration,
        &[".htaccess: "],
        r"(?P<name>\S+/\.htaccess): (?P<what>[^\n]+)",
        "`{name}` is wrong: {what}",
    ),
    means(
        ServerConfiguration,
        &["AH00670"],
        r"AH00670: Options FollowSymLinks and SymLinksIfOwnerMatch are both off",
        "`Options` does not allow what a rewrite rule needs: `FollowSymLinks`",
    ),
    means(
        ServerConfiguration,
        &["not allowed here", "perhaps misspelled or defined by a module"],
        r"(?P<what>\S+ not allowed here|Invalid command '[^']+', perhaps misspelled[^\n]*)",
        "Apache's configuration is wrong: {what}",
    ),
    means(
        ServerConfiguration,
        &["AH00124", "AH01144", "AH00016", "AH00558: Failed", "AH00123"],
        r"AH(?P<number>00124|01144|00016|00123): (?P<what>[^\n.]+)",
        "Apache's configuration is wrong: {what}",
    ),
    means(
        AppPortTaken,
        &["AH00072"],
        r"\(98\)[^\n]*AH00072: make_sock: could not bind to address (?P<address>\S+)",
        "Apache cannot listen on {address}: the port is taken",
    ),
    means(
        ServerPermissionDenied,
        &["AH00072"],
        r"\(13\)[^\n]*AH00072: make_sock: could not bind to address (?P<address>\S+)",
        "Apache may not listen on {address}",
    ),
    // files
    means(
        ServerPermissionDenied,
        &["AH01630", "client denied by server configuration"],
        r"client denied by server configuration: (?P<name>\S+)",
        "Apache's configuration denies access to `{name}`",
    ),
    means(
        ServerPermissionDenied,
        &["AH01797"],
        r"AH01797: client denied by server configuration: (?P<name>\S+)",
        "Apache's configuration denies access to `{name}`",
    ),
    means(
        ServerPermissionDenied,
        &["AH00132", "AH00035", "AH00529"],
        r"AH(?:00132: file permissions deny server access: |00035: access to [^\n]*filesystem path '|00529: )(?P<name>[^\s':]+)",
        "Apache may not open `{name}`",
    ),
    means(
        ServerFileMissing,
        &["AH01276", "AH01276"],
        r"AH01276: Cannot serve directory (?P<name>\S+?):",
        "the folder `{name}` has no index file, and may not be listed",
    ),
    means(
        ServerFileMissing,
        &["AH00128", "File does not exist: "],
        r"File does not exist: (?P<name>\S+)",
        "Apache misses the file `{name}`",
    ),
    means(
        ServerFileMissing,
        &["not found or unable to stat"],
        r"script (?:'(?P<name>[^']+)' )?not found or unable to stat(?:: (?P<path>\S+))?",
        "Apache misses the script[ `{name}`][ `{path}`]",
    ),
    means(
        ServerFileMissing,
        &["AH01241"],
        r"\(2\)[^\n]*AH01241: [^\n]*exec of '(?P<name>[^']+)' failed",
        "Apache cannot run the script `{name}`: it, or the program in its first line, is not there",
    ),
    means(
        ServerPermissionDenied,
        &["AH01241"],
        r"\(13\)[^\n]*AH01241: [^\n]*exec of '(?P<name>[^']+)' failed",
        "Apache may not run the script `{name}`",
    ),
    means(
        ServerBodyTooLarge,
        &["AH01587", "AH01588", "exceeds MaxRequestLen", "AH00588"],
        r"AH0158[78]: [^\n]*?(?P<bytes>[0-9]+) is larger than the configured limit|HTTP request length (?P<length>[0-9]+) \(so far\) exceeds MaxRequestLen|AH00588",
        "a request's body is larger than Apache allows[: {bytes} bytes][: {length} bytes]",
    ),
    means(
        AppException,
        &["Exception occurred processing WSGI script", "cannot be loaded as Python module"],
        r"(?:Exception occurred processing WSGI script '|Target WSGI script '|Failed to exec Python script file ')(?P<script>[^']+)",
        "the WSGI application `{script}` ended with an exception",
    ),
];
