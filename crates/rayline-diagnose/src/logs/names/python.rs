//! Python, and the servers that run it: Gunicorn, uWSGI, mod_wsgi, Celery.

use super::pattern::{Pattern, means};
use crate::logs::Cause::{
    AppEnvironment, AppException, AppModuleMissing, AppOutOfMemory, AppWorkerTimeout, ServerPoolExhausted,
    ServerStopped, ServerWorkerCrashed, ServerWorkerKilled,
};

pub(super) const PATTERNS: &[Pattern] = &[
    // servers
    means(AppWorkerTimeout, &["WORKER TIMEOUT"], r"WORKER TIMEOUT \(pid: ?(?P<pid>[0-9]+)\)", "Gunicorn ended its worker {pid}: a request took longer than `--timeout`"),
    means(ServerWorkerKilled, &["was sent SIGKILL"], r"Worker \(pid: ?(?P<pid>[0-9]+)\) was sent SIGKILL", "Gunicorn's worker {pid} was killed, perhaps for want of memory"),
    means(ServerWorkerCrashed, &["was sent SIG"], r"Worker \(pid: ?(?P<pid>[0-9]+)\) was sent (?P<signal>SIG(?:SEGV|ABRT|BUS|ILL))", "Gunicorn's worker {pid} crashed with {signal}"),
    means(ServerWorkerKilled, &["was terminated due to signal"], r"Worker with pid (?P<pid>[0-9]+) was terminated due to signal 9\b", "Gunicorn's worker {pid} was killed (signal 9)"),
    means(ServerWorkerCrashed, &["was terminated due to signal"], r"Worker with pid (?P<pid>[0-9]+) was terminated due to signal (?P<signal>4|6|7|8|11)\b", "Gunicorn's worker {pid} crashed with signal {signal}"),
    means(ServerStopped, &["Worker failed to boot"], r"Worker failed to boot", "Gunicorn stopped: its workers fail to start"),
    means(AppEnvironment, &["Failed to find attribute", "Failed to find application object", "Error loading ASGI app", "Error loading WSGI app"], r"(?P<what>Failed to find (?:attribute|application object) '[^']+' in '[^']+'|Error loading [AW]SGI app[^\n]*)", "the server does not find the application: {what}"),
    means(AppWorkerTimeout, &["HARAKIRI"], r"HARAKIRI (?:ON|!!!) (?:WORKER|worker) (?P<worker>[0-9]+)(?: \(pid: (?P<pid>[0-9]+))?", "uWSGI ended its worker {worker}: a request took longer than `harakiri`"),
    means(ServerPoolExhausted, &["uWSGI listen queue"], r#"uWSGI listen queue of socket "(?P<socket>[^"]+)" [^\n]*full !!! \((?P<queue>[0-9/]+)\)"#, "every worker of uWSGI is busy: the queue of `{socket}` is full ({queue})"),
    means(ServerWorkerKilled, &["killed by signal"], r"DAMN ! worker (?P<worker>[0-9]+) \(pid: (?P<pid>[0-9]+)\) died, killed by signal 9\b", "uWSGI's worker {worker} was killed (signal 9)"),
    means(ServerWorkerCrashed, &["killed by signal", "got Segmentation Fault"], r"DAMN ! worker (?P<worker>[0-9]+) \(pid: [0-9]+\) died, killed by signal (?P<signal>4|6|7|8|11)\b|uWSGI process (?P<pid>[0-9]+) got Segmentation Fault", "a worker of uWSGI crashed[: {worker}, signal {signal}][: process {pid}]"),
    means(AppModuleMissing, &["unable to load app", "no python application found"], r"unable to load app [0-9]+|no python application found", "uWSGI could not load the application"),
    // what is missing
    means(AppModuleMissing, &["No module named"], r"No module named '?(?P<module>[A-Za-z0-9_.-]+)", "Python misses the module `{module}`"),
    means(AppModuleMissing, &["cannot import name"], r"cannot import name '?(?P<name>[A-Za-z0-9_]+)'? from '?(?P<module>[A-Za-z0-9_.]+)", "Python's module `{module}` has no `{name}`: another version than the application needs"),
    means(AppModuleMissing, &["cannot open shared object file"], r"(?P<library>\S+): cannot open shared object file", "the library `{library}` is missing"),
    means(AppModuleMissing, &["DistributionNotFound", "VersionConflict"], r"pkg_resources\.(?:DistributionNotFound|\S*VersionConflict): (?P<what>[^\n]+)", "Python misses a package: {what}"),
    // settings
    means(AppEnvironment, &["KeyError: '"], r"(?:os\.environ|environ\[|getenv|<frozen os>|/os\.py)(?s:.*)^KeyError: '(?P<name>[^'\n]+)'", "the application misses the environment variable `{name}`"),
    means(AppEnvironment, &["KeyError: '"], r"^KeyError: '(?P<name>[A-Z][A-Z0-9]*_[A-Z0-9_]+)'", "the application misses the environment variable `{name}`"),
    means(AppEnvironment, &["ImproperlyConfigured"], r"ImproperlyConfigured: (?P<what>[^\n]+)", "Django cannot use its settings: {what}"),
    means(AppEnvironment, &["UndefinedValueError"], r"UndefinedValueError: (?P<name>\S+) not found", "the application misses the setting `{name}`"),
    means(AppEnvironment, &["validation error"], r"validation errors? for (?P<settings>\S*(?:Settings|Config)\S*)\s+(?P<name>\S+)?", "the application cannot use its settings[: `{name}` of] `{settings}`"),
    means(AppEnvironment, &["DisallowedHost"], r"DisallowedHost[^\n]*Invalid HTTP_HOST header: '(?P<name>[^']+)'", "Django does not serve the host `{name}` (`ALLOWED_HOSTS`)"),
    // memory
    means(AppOutOfMemory, &["MemoryError"], r"^(?:numpy\S*)?_?(?:Array)?MemoryError\b(?:: (?P<what>[^\n]+))?", "Python could get no more memory[: {what}]"),
    // exceptions
    means(AppException, &["Traceback (most recent call last)"], r"Traceback \(most recent call last\):(?:\n(?:[ \t][^\n]*)?)*\n(?P<kind>[A-Za-z_][A-Za-z0-9_.]*)(?:: (?P<what>[^\n]*))?", "Python ended with `{kind}`[: {what}]"),
    means(AppException, &["Error: ", "Exception: "], r#"^(?P<kind>(?:[a-z_]+\.)*(?:AttributeError|TypeError|ValueError|NameError|IndexError|ZeroDivisionError|RuntimeError|UnicodeDecodeError|UnicodeEncodeError|RecursionError|AssertionError|IndentationError|NotImplementedError|UnboundLocalError|TemplateDoesNotExist|TemplateSyntaxError)): (?P<what>[^\n]+)"#, "Python ended with `{kind}`: {what}").by(&[crate::logs::Source::Python, crate::logs::Source::Gunicorn, crate::logs::Source::Uwsgi]),
];
