//! Go: panics, and calls of other services.

use super::pattern::{Pattern, means};
use crate::logs::Cause::{AppException, AppOutOfMemory, ThirdPartyFailed, ThirdPartyTimedOut};

pub(super) const PATTERNS: &[Pattern] = &[
    means(
        AppOutOfMemory,
        &["runtime: out of memory", "fatal error: runtime: cannot allocate memory"],
        r"runtime: (?:out of memory|cannot allocate memory)",
        "the Go program could get no more memory",
    ),
    means(
        AppException,
        &["http: panic serving"],
        r"http: panic serving [^\s]+: (?P<what>[^\n]+)",
        "a request ran into a panic: {what}",
    ),
    means(AppException, &["panic: "], r"(?:^|[\s\]])panic: (?P<what>[^\n]+)", "the program ended with a panic: {what}"),
    means(
        AppException,
        &["panicked at"],
        r"thread '(?P<thread>[^']+)' (?:\([0-9]+\) )?panicked at (?:'(?P<what>[^']+)', )?(?P<file>[^\s:]+):(?P<line>[0-9]+)",
        "the program's thread `{thread}` ended with a panic[: {what}]",
    ),
    means(
        AppException,
        &["fatal error: "],
        r"^fatal error: (?P<what>all goroutines are asleep[^\n]*|concurrent map [a-z ]+|stack overflow|unexpected signal[^\n]*)",
        "the program ended with a fatal error: {what}",
    ),
    means(
        ThirdPartyTimedOut,
        &["i/o timeout", "TLS handshake timeout"],
        r"dial tcp (?P<address>\S+): i/o timeout|TLS handshake timeout",
        "a service that the application calls[ ({address})] did not answer in time",
    ),
    means(
        ThirdPartyFailed,
        &["connection refused", "no route to host"],
        r"dial tcp (?P<address>\S+): connect: (?P<why>connection refused|no route to host|network is unreachable)",
        "a service that the application calls ({address}) cannot be reached: {why}",
    ),
    means(
        ThirdPartyFailed,
        &["x509: "],
        r"x509: (?P<why>[^\n\x22]+)",
        "the certificate of a service that the application calls does not pass: {why}",
    ),
];
