//! Node.js, and the browsers' language in general.

use super::pattern::{Pattern, means};
use crate::logs::Cause::{AppEnvironment, AppException, AppModuleMissing, AppOutOfMemory};

pub(super) const PATTERNS: &[Pattern] = &[
    means(
        AppOutOfMemory,
        &["heap out of memory", "Reached heap limit", "ERR_WORKER_OUT_OF_MEMORY"],
        r"heap out of memory|Reached heap limit|ERR_WORKER_OUT_OF_MEMORY",
        "Node.js used up its heap: `JavaScript heap out of memory`",
    ),
    means(
        AppModuleMissing,
        &["Cannot find module", "Cannot find package"],
        r"Cannot find (?:module|package) '(?P<module>[^']+)'",
        "Node.js misses the module `{module}`",
    ),
    means(
        AppModuleMissing,
        &["different Node.js version"],
        r"was compiled against a different Node\.js version",
        "a module was built for another version of Node.js",
    ),
    means(
        AppModuleMissing,
        &["invalid ELF header", "ERR_DLOPEN_FAILED"],
        r"invalid ELF header|ERR_DLOPEN_FAILED",
        "a module was built for another system",
    ),
    means(
        AppEnvironment,
        &["environment variable", "env var"],
        r"(?i:(?:missing|required|undefined|unset|invalid)[^\n]{0,40}(?:environment variable|env var)s?)[: ]+[`'\x22]?(?P<name>[A-Z][A-Z0-9_]{2,})",
        "the application misses the environment variable `{name}`",
    ),
    means(
        AppEnvironment,
        &["environment variable", "env var"],
        r"(?i:environment variables?|env vars?) [`'\x22]?(?P<name>[A-Z][A-Z0-9_]{2,})[`'\x22]? (?i:is (?:not (?:set|defined)|missing|required|undefined)|must be (?:set|defined)|not found)",
        "the application misses the environment variable `{name}`",
    ),
    means(
        AppEnvironment,
        &["Environment variable not found"],
        r"Environment variable not found: (?P<name>[A-Z][A-Z0-9_]+)",
        "the application misses the environment variable `{name}`",
    ),
    means(
        AppEnvironment,
        &["ERR_INVALID_URL"],
        r"ERR_INVALID_URL(?s:.*)input: '(?:undefined|null|)'",
        "a setting that should be a URL is not set",
    ),
    means(
        AppEnvironment,
        &["secretOrPrivateKey must have a value", "secret option required"],
        r"(?P<what>secretOrPrivateKey must have a value|secret option required)",
        "the application has no secret to sign with: {what}",
    ),
    means(
        AppException,
        &["UnhandledPromiseRejection", "ERR_UNHANDLED_REJECTION"],
        r"UnhandledPromiseRejection(?:Warning)?: (?P<what>[^\n]+)",
        "a promise failed, and nothing caught it: {what}",
    ),
    means(
        AppException,
        &["uncaughtException", "Uncaught Exception", "Uncaught Error", "Unhandled Rejection", "unhandledRejection"],
        r"(?:[Uu]ncaught ?[Ee]xception|Uncaught Error|[Uu]nhandled ?[Rr]ejection)[^\n:]*: (?P<what>[^\n]+)",
        "nothing caught an exception: {what}",
    ),
    means(
        AppException,
        &["Error: ", "Error [", "Error\\n"],
        r"^(?:[^\n]{0,120}?[\s\[:])?(?:Uncaught )?(?P<kind>[A-Z][A-Za-z0-9]*Error|Error)(?: \[(?P<code>[A-Z0-9_]+)\])?: (?P<what>[^\n]*)(?:\n(?:[^\n]*\n){0,12}?\s+at |\\n\s+at )",
        "Node.js ended with `{kind}`: {what}",
    ),
    means(AppException, &["SyntaxError: "], r"^SyntaxError: (?P<what>[^\n]+)", "the code has a syntax error: {what}"),
    means(
        AppException,
        &[
            "Error: Cannot read propert",
            "is not a function",
            "is not defined",
            "Cannot set propert",
            "is not iterable",
            "Cannot destructure",
        ],
        r"(?P<kind>TypeError|ReferenceError): (?P<what>[^\n]*(?:Cannot (?:read|set) propert(?:y|ies)|is not a function|is not defined|is not iterable|Cannot destructure)[^\n]*)",
        "Node.js ended with `{kind}`: {what}",
    ),
];
