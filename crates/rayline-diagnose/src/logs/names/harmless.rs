//! What is no fault, though it looks like one: visitors who left, noise from scanners, deprecations, reloads.

use super::pattern::{Pattern, harmless};

pub(super) const PATTERNS: &[Pattern] = &[
    // visitors who left
    harmless(
        &["client prematurely closed connection", "client closed connection", "client timed out ("],
        r"client (?:prematurely closed|closed (?:keepalive )?connection|timed out \()",
    ),
    harmless(&["ClientAbortException"], r"ClientAbortException"),
    harmless(
        &["writing to a closed pipe", "uwsgi_response_write"],
        r"SIGPIPE: writing to a closed pipe|uwsgi_response_write[a-z_]*\(\): (?:Broken pipe|Connection reset)",
    ),
    harmless(
        &["ap_pass_brigade failed", "prefetch request body failed"],
        r"ap_pass_brigade failed|AH01095: prefetch request body failed",
    ),
    harmless(
        &["context canceled", "request aborted"],
        r"context canceled|BadRequestError: request aborted|\brequest aborted\b",
    ),
    harmless(
        &["while waiting for request", "while keepalive", "while reading client"],
        r"while (?:waiting for request|keepalive|reading client (?:request|pipelined))",
    ),
    harmless(
        &["client intended to send invalid", "client sent invalid", "client sent too long"],
        r"client (?:sent (?:invalid|too long)|intended to send invalid)",
    ),
    harmless(
        &["TLS handshake error from"],
        r"http: TLS handshake error from [^ ]+: (?:EOF|read tcp|write tcp|.*(?:i/o timeout|connection reset by peer|offered only unsupported versions|unsupported application protocols|first record does not look like a TLS handshake|client sent an HTTP request to an HTTPS server))",
    ),
    harmless(
        &["peer closed connection in SSL handshake"],
        r"peer closed connection in SSL handshake[^,\n]* while SSL handshaking, client",
    ),
    harmless(
        &["while SSL handshaking, client", "while SSL handshaking,client"],
        r"SSL_do_handshake\(\) failed \((?:[0-9]+: |SSL: error:[0-9A-F]+:[^)\n]*:(?:unexpected eof while reading|bad key share|http request|https proxy request|bad packet length|bad record type)\))",
    ),
    harmless(
        &["AH01382", "AH00566", "AH00567", "AH00126", "AH00135", "AH10244", "AH00127"],
        r"AH(?:01382|00566|00567|00126|00135|10244|00127): ",
    ),
    // what browsers and scanners ask for
    harmless(
        &[
            "favicon",
            "robots.txt",
            "apple-touch-icon",
            ".well-known",
            "browserconfig.xml",
            "ads.txt",
            "apple-app-site-association",
        ],
        r#"(?:open\(\) "|File does not exist: |script ')[^"'\n]*/(?:favicon[^/"'\n]*|robots\.txt|apple-touch-icon[^/"'\n]*|browserconfig\.xml|(?:app-)?ads\.txt|apple-app-site-association|\.well-known/[^"'\n]*)["',\n ]"#,
    ),
    harmless(
        &["File does not exist: "],
        r"File does not exist: [^\n]*/(?:favicon\.ico|robots\.txt|\.well-known/[^\n]*)$",
    ),
    // an attacker at the door of the machine itself
    harmless(&["sshd"], r"\bsshd(?:-session)?(?:\[[0-9]+\])?: "),
    // warnings of what will be wrong one day
    harmless(
        &["Deprecat"],
        r"(?:PHP )?Deprecated:\s|DeprecationWarning|DEPRECATION WARNING|\bis deprecated\b|\[DEP[0-9]+\]|User Deprecated:",
    ),
    harmless(
        &[
            "conflicting server name",
            "duplicate MIME type",
            "could not build optimal",
            "is deprecated, use",
            "ssl_stapling\" ignored",
        ],
        r#"conflicting server name|duplicate MIME type|could not build optimal|is deprecated, use|"ssl_stapling" ignored"#,
    ),
    harmless(
        &["is buffered to a temporary file"],
        r"(?:an upstream response|a client request body) is buffered to a temporary file",
    ),
    harmless(&["delaying request, excess"], r"delaying request, excess"),
    // reloads, and workers that come and go as they should
    harmless(
        &["graceful", "AH00493", "SIGUSR1", "SIGHUP"],
        r"(?i)\bgraceful(?:ly)? (?:restart|shutting down|shutdown of worker)|AH00493|AH00171|signal [0-9]+ \(SIG(?:HUP|USR1|USR2|WINCH|QUIT|CHLD)\)|received SIGHUP",
    ),
    harmless(
        &["exited with code 0", "status=0/SUCCESS", "code=exited, status=0"],
        r"exited with code 0\b|status=0/SUCCESS",
    ),
    harmless(
        &["exited on signal 15", "exited on signal 3", "terminated due to signal 15", "was sent SIGTERM"],
        r"exited on signal (?:15|3)\b|terminated due to signal 15\b|was sent SIGTERM",
    ),
    // a remark that Apache makes of what it has just said with its reason
    harmless(&["AH00898"], r"AH00898: Error reading from remote server"),
    harmless(
        &["AH01997", "AH01998", "AH02568", "AH01909", "AH01906", "AH01873"],
        r"AH(?:01997|01998|02568|01909|01906|01873): ",
    ),
    // the database is told by clients to stop
    harmless(&["due to user request"], r"canceling statement due to user request"),
    harmless(&["overcommit"], r"WARNING (?:overcommit_memory is set|Memory overcommit must be enabled)"),
    harmless(
        &["This connection closed normally", "Got timeout reading communication packets"],
        r"Aborted connection [^\n]*(?:closed normally|Got timeout reading communication packets)",
    ),
    // a firewall that lets in
    harmless(
        &["PROTO="],
        r"\[(?:UFW )?(?:ALLOW|AUDIT|ACCEPT|LIMIT ALLOW)[^\]]*\]|(?i:\b(?:accept|allow)(?:ed)?\b)[^\n]* SRC=[^\n]* PROTO=",
    ),
];
