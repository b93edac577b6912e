//! Ruby, Rails, and the servers that run them: Puma, Unicorn, Passenger.

use super::pattern::{Pattern, means};
use crate::logs::Cause::{
    AppEnvironment, AppException, AppModuleMissing, AppOutOfMemory, AppWorkerTimeout, ServerPoolExhausted,
};

pub(super) const PATTERNS: &[Pattern] = &[
    means(
        AppWorkerTimeout,
        &["Terminating timed out worker"],
        r"Terminating timed out worker[^\n]*?(?:: (?P<pid>[0-9]+))?\s*$",
        "Puma ended a worker[ ({pid})] that did not answer in time",
    ),
    means(
        AppWorkerTimeout,
        &["Rack::Timeout::", "Request ran for longer than"],
        r"Rack::Timeout::Request(?:Timeout|Expiry)(?:Exception|Error)|Request ran for longer than (?P<ms>[0-9]+)ms",
        "a request ran longer than it may[: {ms} ms] (`rack-timeout`)",
    ),
    means(
        AppWorkerTimeout,
        &["timeout ("],
        r"worker=(?P<worker>[0-9]+) PID:[ ~]*(?P<pid>[0-9]+) timeout \((?P<s>[0-9]+)s > [0-9]+s\), killing",
        "Unicorn ended its worker {worker} after {s} s",
    ),
    means(
        ServerPoolExhausted,
        &["Request queue is full"],
        r"Request queue is full",
        "every worker of Passenger is busy, and its queue is full",
    ),
    means(
        AppModuleMissing,
        &["cannot load such file"],
        r"cannot load such file -- (?P<module>\S+)",
        "Ruby misses the file or gem `{module}`",
    ),
    means(
        AppModuleMissing,
        &["Bundler::GemNotFound", "in locally installed gems", "Could not find gem"],
        r"Could not find (?:gem '?)?(?P<module>[A-Za-z0-9_.-]+)",
        "Ruby misses the gem `{module}` (`bundle install`)",
    ),
    means(
        AppModuleMissing,
        &["Your Ruby version is"],
        r"Your Ruby version is (?P<have>\S+), but your Gemfile specified (?P<want>\S+)",
        "the application wants Ruby {want}; this is {have}",
    ),
    means(AppEnvironment, &["secret_key_base"], r"Missing `?secret_key_base`?", "Rails has no `secret_key_base`"),
    means(
        AppEnvironment,
        &["key not found: "],
        r#"key not found: \\?"(?P<name>[A-Z][A-Z0-9_]+)\\?""#,
        "the application misses the environment variable `{name}`",
    ),
    means(
        AppEnvironment,
        &["Missing encryption key to decrypt file", "ActiveSupport::MessageEncryptor::InvalidMessage"],
        r"Missing encryption key to decrypt file|ActiveSupport::MessageEncryptor::InvalidMessage",
        "Rails cannot read its credentials: the key is missing or wrong (`RAILS_MASTER_KEY`)",
    ),
    means(
        AppEnvironment,
        &["Blocked host: "],
        r"Blocked hosts?: (?P<name>\S+)",
        "Rails does not serve the host `{name}` (`config.hosts`)",
    ),
    means(
        AppOutOfMemory,
        &["failed to allocate memory (NoMemoryError)"],
        r"failed to allocate memory \(NoMemoryError\)",
        "Ruby could get no more memory",
    ),
    means(
        AppException,
        &["Error (", "Error: "],
        r"^(?:[^\n]{0,120}\] )?(?P<kind>[A-Z][A-Za-z]*(?:::[A-Z][A-Za-z]*)*(?:Error|Exception|Invalid|NotFound|Missing)) \((?P<what>[^\n]+)\):?\s*$",
        "Ruby ended with `{kind}`: {what}",
    ),
    means(
        AppException,
        &[".rb:"],
        r"\.rb:[0-9]+:in [`'][^'\n]+': (?P<what>[^\n]+) \((?P<kind>[A-Z][A-Za-z:]*)\)",
        "Ruby ended with `{kind}`: {what}",
    ),
    means(
        AppException,
        &[".rb:"],
        r"^(?:[^\n]{0,120}?[\s:])?(?P<kind>[A-Z][A-Za-z]*(?:::[A-Z][A-Za-z]*)*(?:Error|Exception)): (?P<what>[^\n]*)\n[^\n]*\.rb:[0-9]+:in ",
        "Ruby ended with `{kind}`: {what}",
    ),
];
