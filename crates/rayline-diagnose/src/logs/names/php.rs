//! PHP and its process manager. What PHP says turns up in the web server's log as well, quoted.

use super::pattern::{Pattern, means};
use crate::logs::Cause::{
    AppEnvironment, AppModuleMissing, AppPhpFatal, AppPhpMemory, AppPhpTime, AppPortTaken, AppWorkerTimeout,
    HostDiskFull, HostTooManyFiles, HostTooManyProcesses, ServerConfiguration, ServerMaintenance,
    ServerPermissionDenied, ServerPoolExhausted, ServerStopped, ServerWorkerCrashed, ServerWorkerKilled,
};

pub(super) const PATTERNS: &[Pattern] = &[
    // PHP-FPM
    means(
        ServerPoolExhausted,
        &["pm.max_children"],
        r"(?:\[pool (?P<pool>[^\]]+)\] )?server reached (?:pm\.)?max_children setting \((?P<count>[0-9]+)\)",
        "all {count} workers of PHP-FPM[ in the pool `{pool}`] are busy (`pm.max_children`)",
    ),
    means(
        ServerPoolExhausted,
        &["seems busy"],
        r"\[pool (?P<pool>[^\]]+)\] seems busy[^\n]*there are (?P<idle>[0-9]+) idle, and (?P<count>[0-9]+) total children",
        "the workers of PHP-FPM in the pool `{pool}` are busy: {idle} of {count} are idle",
    ),
    means(
        AppWorkerTimeout,
        &["execution timed out"],
        r#"\[pool (?P<pool>[^\]]+)\] child [0-9]+, script '(?P<script>[^']+)' \(request: "(?P<request>[^"?]*)[^)]*\) execution timed out \((?P<s>[0-9.]+) sec\), terminating"#,
        "PHP-FPM ended `{script}` after {s} s (`request_terminate_timeout`)",
    ),
    means(
        ServerWorkerCrashed,
        &["exited on signal"],
        r"\[pool (?P<pool>[^\]]+)\] child (?P<pid>[0-9]+) exited on signal (?:4|5|6|7|8|11) \((?P<signal>SIG[A-Z]+)",
        "PHP-FPM's worker {pid} in the pool `{pool}` crashed with {signal}",
    ),
    means(
        ServerWorkerKilled,
        &["exited on signal"],
        r"\[pool (?P<pool>[^\]]+)\] child (?P<pid>[0-9]+) exited on signal 9 ",
        "PHP-FPM's worker {pid} in the pool `{pool}` was killed (SIGKILL)",
    ),
    means(
        ServerPermissionDenied,
        &["unable to bind listening socket"],
        r"unable to bind listening socket for address '(?P<address>[^']+)': Permission denied",
        "PHP-FPM may not listen on `{address}`",
    ),
    means(
        AppPortTaken,
        &["unable to bind listening socket", "Another FPM instance seems to already listen"],
        r"unable to bind listening socket for address '(?P<address>[^']+)': Address already in use|Another FPM instance seems to already listen on (?P<other>\S+)",
        "PHP-FPM cannot listen[ on `{address}`][ on `{other}`]: it is taken",
    ),
    means(
        ServerConfiguration,
        &["unable to bind listening socket"],
        r"unable to bind listening socket for address '(?P<address>[^']+)': (?P<why>[A-Za-z ]+)",
        "PHP-FPM cannot listen on `{address}`: {why}",
    ),
    means(
        ServerConfiguration,
        &[
            "FPM initialization failed",
            "failed to load configuration file",
            "No pool defined",
            "user has not been defined",
            "cannot get uid for user",
            "cannot get gid for group",
        ],
        r"(?P<what>FPM initialization failed|failed to load configuration file[^\n]*|No pool defined[^\n]*|user has not been defined|cannot get [ug]id for (?:user|group) '[^']*')",
        "PHP-FPM does not start: {what}",
    ),
    means(
        ServerConfiguration,
        &["unknown entry", "value is NULL for"],
        r"\[(?P<file>/[^\]:]+):(?P<line>[0-9]+)\] (?P<what>unknown entry '[^']+'|value is NULL for[^\n]*)",
        "PHP-FPM's configuration is wrong: {what}",
    ),
    means(
        HostTooManyProcesses,
        &["fork() failed: Resource temporarily unavailable"],
        r"fork\(\) failed: Resource temporarily unavailable",
        "PHP-FPM cannot start a worker: there are as many processes as there may be",
    ),
    means(ServerStopped, &["exiting, bye-bye!"], r"exiting, bye-bye!", "PHP-FPM was told to stop"),
    // what a request may use
    means(
        AppPhpMemory,
        &["Allowed memory size of"],
        r"Allowed memory size of (?P<bytes>[0-9]+) bytes exhausted(?: \(tried to allocate (?P<more>[0-9]+) bytes\))?",
        "PHP used up the {bytes} bytes of memory that a request may use[, and wanted {more} more]",
    ),
    means(
        AppPhpMemory,
        &["Out of memory (allocated"],
        r"Out of memory \(allocated (?P<bytes>[0-9]+)",
        "PHP could get no more memory after {bytes} bytes",
    ),
    means(
        AppPhpTime,
        &["Maximum execution time of"],
        r"Maximum execution time of (?P<s>[0-9]+)(?:\+[0-9]+)? seconds? exceeded",
        "PHP ran longer than the {s} s that a request may take",
    ),
    // disks, files, rights
    means(
        HostDiskFull,
        &["errno=28", "possibly out of free disk space", "No space left on device"],
        r"PHP [A-Za-z ]+:\s+(?:Uncaught \S+: )?(?P<function>[a-z_0-9]+)\([^)]*\): [^\n]*(?:errno=28|possibly out of free disk space|No space left on device)",
        "PHP cannot write (`{function}`): no space left on the disk",
    ),
    means(
        HostTooManyFiles,
        &["ailed to open stream: Too many open files"],
        r"[Ff]ailed to open stream: Too many open files",
        "PHP has as many files open as it may",
    ),
    means(
        ServerPermissionDenied,
        &["could not be opened in append mode", "could not be opened: "],
        r#"The stream or file "(?P<name>[^"]+)" could not be opened[^\n]*Permission denied"#,
        "PHP may not write `{name}`",
    ),
    means(
        ServerPermissionDenied,
        &["ailed to open stream: Permission denied"],
        r"(?:(?P<function>[a-z_0-9]+)\((?P<name>[^)]*)\): )?[Ff]ailed to open stream: Permission denied",
        "PHP may not open[ `{name}`] a file: permission denied",
    ),
    means(
        ServerPermissionDenied,
        &["open_basedir restriction"],
        r"open_basedir restriction in effect\. File\((?P<name>[^)]+)\)",
        "PHP may not open `{name}` (`open_basedir`)",
    ),
    // modules
    means(
        AppModuleMissing,
        &["Call to undefined function"],
        r"Call to undefined function (?P<function>(?:mysqli?_|pg_|mb_|curl_|image|simplexml_|xml_|utf8_|json_|gd_|intl|numfmt_|bcadd|bcmul|bcdiv|bcsub|bccomp|gmp_|imap_|ldap_|openssl_|sodium_|iconv|ctype_|gz|zip_|apcu?_|opcache_|posix_|pcntl_|soap|ftp_|exif_|readline|socket_|sem_|shm_|token_|mcrypt_|oci_|sqlsrv_|odbc_|redis|memcache|dom_|random_bytes|finfo_|ssh2_|yaml_|igbinary_|msgpack_|mongodb_|amqp_|cal_|easter_|gregoriantojd|jdto|bz(?:open|read|write|compress|decompress)|dba_|enchant_|pspell_|snmp|shmop_|msg_(?:get|send|receive)|tidy_|xmlrpc_|xmlwriter_|libxml_|geoip_|gnupg_|inotify_|mailparse_|oauth_|rrd_|snappy_|stomp_|swoole_|uuid_|xdebug_|xhprof_|ibase_|fbird_|db2_|mssql_|sybase_|lzf_|brotli_|zstd_|newrelic_|sqlite_|bindtextdomain|textdomain|ngettext|gettext|grapheme_|normalizer_|collator_|datefmt_|idn_to_|transliterator_|filter_(?:var|input)|session_start)[A-Za-z0-9_]*)\(\)",
        "PHP misses the extension that has `{function}()`",
    ),
    means(
        AppModuleMissing,
        &["\" not found", "' not found"],
        r#"Class ["'](?P<class>\\?(?:PDO|mysqli|Redis|RedisCluster|Memcached?|Imagick|SoapClient|SoapServer|DOMDocument|DOMXPath|ZipArchive|IntlDateFormatter|NumberFormatter|Locale|Collator|Normalizer|Transliterator|SimpleXMLElement|XMLReader|XMLWriter|XSLTProcessor|SQLite3|MongoDB\\[A-Za-z\\]+|AMQPConnection|GearmanClient|tidy|CURLFile|GMP))["'] not found"#,
        "PHP misses the extension that has the class `{class}`",
    ),
    means(
        AppModuleMissing,
        &["vendor/autoload.php", "vendor/"],
        r"(?:Failed opening required|require(?:_once)?\(|include(?:_once)?\() ?'?(?P<name>[^')\s]*vendor/[^')\s]+)'?",
        "PHP misses `{name}`: its packages are not installed (`composer install`)",
    ),
    means(
        AppModuleMissing,
        &["Unable to load dynamic library"],
        r"Unable to load dynamic library '(?P<name>[^']+)'",
        "PHP cannot load its extension `{name}`",
    ),
    means(
        AppModuleMissing,
        &["Composer detected issues in your platform"],
        r"Composer detected issues in your platform: (?P<what>[^\n]+)",
        "PHP is not as the packages need it: {what}",
    ),
    // settings
    means(
        AppEnvironment,
        &[
            "No application encryption key has been specified",
            "MissingAppKeyException",
            "Unsupported cipher or incorrect key length",
        ],
        r"No application encryption key has been specified|MissingAppKeyException|Unsupported cipher or incorrect key length",
        "the application has no key: `APP_KEY` is not set, or not usable",
    ),
    means(
        AppEnvironment,
        &["Environment variable not found"],
        r#"Environment variable not found: "(?P<name>[^"]+)""#,
        "the application misses the environment variable `{name}`",
    ),
    means(
        AppEnvironment,
        &["Undefined array key", "Undefined index"],
        r#"Undefined (?:array key|index):? "?(?P<name>[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*_(?:URL|URI|DSN|HOST|KEY|SECRET|TOKEN|PASSWORD|USER|PORT|NAME))"?"#,
        "the application misses the setting `{name}`",
    ),
    means(
        AppEnvironment,
        &[
            "Please provide a valid cache path",
            "Dotenv\\Exception",
            "One or more environment variables failed assertions",
        ],
        r"Please provide a valid cache path|Dotenv\\+Exception\\+\S+|One or more environment variables failed assertions(?:: (?P<what>[^\n]+))?",
        "the application's settings are not usable[: {what}]",
    ),
    means(
        ServerMaintenance,
        &["Briefly unavailable for scheduled maintenance", "MaintenanceModeException"],
        r"Briefly unavailable for scheduled maintenance|MaintenanceModeException",
        "the site is in its maintenance mode",
    ),
    // errors
    means(
        AppPhpFatal,
        &["fatal error:", "Parse error:", "Compile error:", "Core error:"],
        r"(?:Fatal|Parse|Recoverable fatal|Compile|Core) error:\s+(?:Uncaught )?(?P<what>[^\n]+?) in (?P<file>(?:[A-Za-z]:)?/?[^\s:]+)(?:(?::| on line )(?P<at>[0-9]+))",
        "PHP ran into a fatal error: {what}",
    ),
    means(
        AppPhpFatal,
        &["fatal error:", "Parse error:"],
        r"PHP (?:Fatal|Parse|Recoverable fatal) error:\s+(?:Uncaught )?(?P<what>[^\n]+)",
        "PHP ran into a fatal error: {what}",
    ),
    means(
        AppPhpFatal,
        &["Uncaught PHP Exception"],
        r#"Uncaught PHP Exception (?P<kind>[^\s:]+): "(?P<what>(?:[^"\\]|\\.)*)" at (?P<file>\S+) line (?P<line>[0-9]+)"#,
        "PHP ran into `{kind}`: {what}",
    ),
    means(
        AppPhpFatal,
        &[".ERROR: ", ".CRITICAL: ", ".EMERGENCY: ", ".ALERT: "],
        r#"\b(?:production|local|staging|testing|app|request)\.(?:ERROR|CRITICAL|EMERGENCY|ALERT): (?P<what>[^\n{]+)(?:\{"exception":"\[object\] \((?P<kind>[A-Za-z\\]+)\(code: [^)]*\): [^\n]*? at (?P<file>/[^\s:]+):(?P<line>[0-9]+))?"#,
        "PHP ran into an error: {what}",
    ),
];
