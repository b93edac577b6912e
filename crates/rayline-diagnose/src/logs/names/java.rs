//! Java and its kin, Tomcat and Spring; and .NET, whose exceptions look alike.

use super::pattern::{Pattern, means};
use crate::logs::Cause::{
    AppEnvironment, AppException, AppModuleMissing, AppOutOfMemory, AppPortTaken, ServerPoolExhausted, ServerStopped,
};

pub(super) const PATTERNS: &[Pattern] = &[
    means(
        AppOutOfMemory,
        &["OutOfMemoryError"],
        r"OutOfMemoryError(?:: (?P<what>[^\n]+))?",
        "Java used up its memory[: {what}]",
    ),
    means(
        AppOutOfMemory,
        &["System.OutOfMemoryException"],
        r"System\.OutOfMemoryException",
        ".NET could get no more memory",
    ),
    means(
        AppModuleMissing,
        &["ClassNotFoundException", "NoClassDefFoundError"],
        r"(?:ClassNotFoundException|NoClassDefFoundError): (?P<class>[A-Za-z0-9_$./]+)",
        "Java misses the class `{class}`",
    ),
    means(
        AppModuleMissing,
        &["NoSuchMethodError", "NoSuchFieldError", "UnsupportedClassVersionError", "UnsatisfiedLinkError"],
        r"(?P<kind>NoSuchMethodError|NoSuchFieldError|UnsupportedClassVersionError|UnsatisfiedLinkError)(?:: (?P<what>[^\n]+))?",
        "Java has another version of a library than the application was built for ({kind})[: {what}]",
    ),
    means(
        AppModuleMissing,
        &["Could not load file or assembly", "DllNotFoundException"],
        r"Could not load file or assembly '(?P<name>[^',]+)|DllNotFoundException: Unable to load (?:shared library|DLL) '(?P<library>[^']+)'",
        ".NET misses[ `{name}`][ `{library}`]",
    ),
    means(
        ServerPoolExhausted,
        &["are currently busy, waiting", "Maximum number of threads"],
        r"All threads \((?P<count>[0-9]+)\) are currently busy|Maximum number of threads \((?P<limit>[0-9]+)\) created",
        "every thread of Tomcat is busy[: {count}][: {limit}]",
    ),
    means(
        ServerPoolExhausted,
        &["RejectedExecutionException", "TaskRejectedException"],
        r"(?:RejectedExecutionException|TaskRejectedException)",
        "every thread of the application is busy, and it takes no more work",
    ),
    means(
        AppPortTaken,
        &["BindException"],
        r"BindException: [^\n]*in use[^\n]*",
        "the application cannot listen: its port is taken",
    ),
    means(
        AppEnvironment,
        &["Could not resolve placeholder"],
        r"Could not resolve placeholder '(?P<name>[^']+)'",
        "the application misses the setting `{name}`",
    ),
    means(
        AppEnvironment,
        &[
            "Failed to configure a DataSource",
            "Failed to bind properties under",
            "InvalidConfigurationPropertyValueException",
        ],
        r"(?P<what>Failed to configure a DataSource[^\n:]*|Failed to bind properties under '[^']+'|InvalidConfigurationPropertyValueException[^\n]*)",
        "the application cannot use its settings: {what}",
    ),
    means(
        AppException,
        &["threw exception"],
        r"Servlet\.service\(\) for servlet \[(?P<servlet>[^\]]+)\] in context with path \[(?P<path>[^\]]*)\] threw exception(?: \[(?P<what>[^\n]+?)\] with root cause|\s+(?P<first>[A-Za-z_][A-Za-z0-9_.$]*(?:Exception|Error)[^\n]*))?",
        "the servlet `{servlet}` ended with an exception[: {what}][: {first}]",
    ),
    means(
        AppException,
        &["Unhandled exception. ", "Unhandled exception:"],
        r"Unhandled exception[.:] (?P<kind>[A-Za-z_][A-Za-z0-9_.]*)(?: \(0x[0-9A-Fa-f]+\))?: (?P<what>[^\n]+)",
        ".NET ended with `{kind}`: {what}",
    ),
    means(
        AppException,
        &["An unhandled exception was thrown by the application", "An unhandled exception has occurred"],
        r"An unhandled exception (?:was thrown by the application|has occurred while executing the request)\.?(?:\s+(?P<kind>[A-Za-z_][A-Za-z0-9_.]*Exception)(?: \(0x[0-9A-Fa-f]+\))?: (?P<what>[^\n]+))?",
        ".NET ran into an exception that nothing caught[: `{kind}`: {what}]",
    ),
    means(
        AppException,
        &["Exception in thread"],
        r#"Exception in thread "(?P<thread>[^"]+)" (?P<kind>[A-Za-z_][A-Za-z0-9_.$]*)(?:: (?P<what>[^\n]+))?"#,
        "Java ended with `{kind}`[: {what}]",
    ),
    means(
        AppException,
        &["Exception", "Error"],
        r"^(?:Caused by: |[^\n]{0,160}?[\s:])?(?P<kind>(?:[a-z_][A-Za-z0-9_]*\.)+[A-Z][A-Za-z0-9_$]*(?:Exception|Error|Throwable))(?:: (?P<what>[^\n]*))?\n(?:[^\n]*\n)?\s+at [A-Za-z_]",
        "Java ended with `{kind}`[: {what}]",
    ),
    means(
        AppException,
        &["Exception: "],
        r"^(?P<kind>System\.(?:[A-Z][A-Za-z0-9]*\.)*[A-Z][A-Za-z0-9]*Exception)(?: \(0x[0-9A-Fa-f]+\))?: (?P<what>[^\n]*)",
        ".NET ended with `{kind}`: {what}",
    ),
    means(
        ServerStopped,
        &[
            "startup failed due to previous errors",
            "listeners failed to start",
            "APPLICATION FAILED TO START",
            "A child container failed during start",
            "Application run failed",
        ],
        r"(?P<what>Context \[[^\]]*\] startup failed|One or more listeners failed to start|APPLICATION FAILED TO START|A child container failed during start|Application run failed)",
        "the application did not start: {what}",
    ),
];
