//! Databases that cannot be reached: what their clients say, and servers that do not start.

use crate::logs::Cause::{
    AppPortTaken, DatabaseRefused, HostOutOfMemory, HostTooManyProcesses, ServerPermissionDenied,
};
use crate::logs::names::pattern::{Pattern, means};

pub(in crate::logs::names) const PATTERNS: &[Pattern] = &[
    // clients
    means(
        DatabaseRefused,
        &["mysqli_sql_exception: "],
        r"mysqli_sql_exception: (?P<why>Connection refused|No such file or directory|Connection timed out|Operation timed out|No route to host|Permission denied) in ",
        "PHP cannot connect to MySQL: {why}",
    ),
    means(
        DatabaseRefused,
        &["[2002]", "HY000/2002", "(2002,", "ERROR 2002"],
        r"(?:\[2002\]|HY000/2002\)|\(2002,|ERROR 2002[^:]*)[: ]*(?P<why>[A-Z][A-Za-z]+(?: [A-Za-z]+)*?)(?: in /|[^A-Za-z ]|$)",
        "the application cannot connect to MySQL: {why}",
    ),
    means(
        DatabaseRefused,
        &["Can't connect to"],
        r#"Can't connect to (?:local )?(?:MySQL|MariaDB|server)[^\n]{0,24}? (?:on|through socket) '(?P<address>[^']+)'"#,
        "the application cannot connect to MySQL at `{address}`",
    ),
    means(
        DatabaseRefused,
        &["connection to server"],
        r#"connection to server (?:at "(?P<host>[^"]+)"(?: \([^)]*\))?, port (?P<port>[0-9]+)|on socket "(?P<socket>[^"]+)") failed: (?P<why>(?:Connection refused|No such file or directory|Connection timed out|timeout expired|No route to host|Network is unreachable|Permission denied|could not initiate[^\n]*))"#,
        "the application cannot connect to PostgreSQL[ at {host} port {port}][ at `{socket}`]: {why}",
    ),
    means(
        DatabaseRefused,
        &["connection to server at &quot;"],
        r"connection to server at &quot;(?P<host>[^&]+)&quot;, port (?P<port>[0-9]+) failed: (?P<why>[A-Z][A-Za-z ]+)",
        "the application cannot connect to PostgreSQL at {host} port {port}: {why}",
    ),
    means(
        DatabaseRefused,
        &["could not connect to server"],
        r"could not connect to server: (?P<why>[A-Z][A-Za-z ]+)",
        "the application cannot connect to PostgreSQL: {why}",
    ),
    means(
        DatabaseRefused,
        &["the database system is"],
        r"the database system is (?P<why>starting up|shutting down|in recovery mode|not accepting connections|not yet accepting connections)",
        "PostgreSQL takes no connections: it is {why}",
    ),
    means(
        DatabaseRefused,
        &["PSQLException: Connection to", "The connection attempt failed"],
        r"PSQLException: (?:Connection to (?P<address>\S+) refused|The connection attempt failed)",
        "the application cannot connect to PostgreSQL[ at {address}]",
    ),
    means(
        DatabaseRefused,
        &["Failed to connect to"],
        r"(?:Npgsql\S*|Exception)[^\n]*: Failed to connect to (?P<address>[^\s]+)",
        "the application cannot connect to PostgreSQL at {address}",
    ),
    means(
        DatabaseRefused,
        &["Unable to connect to any of the specified MySQL hosts", "Could not create connection to database server"],
        r"Unable to connect to any of the specified MySQL hosts|Could not create connection to database server",
        "the application cannot connect to MySQL",
    ),
    means(
        DatabaseRefused,
        &["establishing a connection to SQL Server", "The TCP/IP connection to the host"],
        r"establishing a connection to SQL Server|The TCP/IP connection to the host (?P<host>[^,\s]+), port (?P<port>[0-9]+) has failed",
        "the application cannot connect to SQL Server[ at {host} port {port}]",
    ),
    means(
        DatabaseRefused,
        &["ORA-12541", "ORA-12514", "ORA-12170", "ORA-12154"],
        r"(?P<code>ORA-(?:12541|12514|12170|12154)): ?(?P<what>[^\n]*)",
        "the application cannot connect to Oracle: {what} ({code})",
    ),
    means(
        DatabaseRefused,
        &["Can't reach database server", "P1001", "P1002"],
        r"(?:Can't reach database server at `?(?P<host>[^`\s:]+)`?:?`?(?P<port>[0-9]*)|\bP100[12]\b)",
        "the application cannot reach its database[ at {host} port {port}]",
    ),
    means(
        DatabaseRefused,
        &["buffering timed out after"],
        r"Operation `(?P<what>[^`]+)` buffering timed out after (?P<ms>[0-9]+)ms",
        "the application has no connection to MongoDB: `{what}` waited {ms} ms for one",
    ),
    means(
        DatabaseRefused,
        &["ServerSelectionError", "ServerSelectionTimeoutError", "Server selection timed out"],
        r"(?:Mongo(?:ose)?ServerSelectionError|ServerSelectionTimeoutError|Server selection timed out)(?:: (?P<what>[^\n,]+))?",
        "the application cannot connect to MongoDB[: {what}]",
    ),
    means(
        DatabaseRefused,
        &[
            "SequelizeConnectionRefusedError",
            "SequelizeConnectionError",
            "SequelizeHostNotReachableError",
            "SequelizeConnectionTimedOutError",
        ],
        r"Sequelize(?:ConnectionRefused|Connection|HostNotReachable|ConnectionTimedOut)Error(?:: (?P<what>[^\n]+))?",
        "the application cannot connect to its database[: {what}]",
    ),
    means(
        DatabaseRefused,
        &["Error establishing a database connection"],
        r"Error establishing a [Dd]atabase connection",
        "WordPress cannot connect to its database",
    ),
    means(
        DatabaseRefused,
        &["unable to open database file"],
        r"unable to open database file",
        "the application cannot open SQLite's file: its path, or the rights to its folder",
    ),
    means(
        DatabaseRefused,
        &["ActiveRecord::ConnectionNotEstablished", "PG::ConnectionBad", "ActiveRecord::DatabaseConnectionError"],
        r"ActiveRecord::(?:ConnectionNotEstablished|DatabaseConnectionError)|PG::ConnectionBad",
        "the application cannot connect to its database",
    ),
    means(
        DatabaseRefused,
        &["ECONNREFUSED", "ETIMEDOUT", "EHOSTUNREACH"],
        r"connect (?P<why>ECONNREFUSED|ETIMEDOUT|EHOSTUNREACH) (?P<address>\S*:(?:3306|3307|33060|5432|5433|6432|1433|1521|2701[789]|9042|26257))\b",
        "the application cannot connect to its database at {address} ({why})",
    ),
    means(
        DatabaseRefused,
        &["s.PGSQL.", "mysqld.sock", "mysql.sock", "mariadb.sock"],
        r"(?:ECONNREFUSED|ENOENT|EACCES|no such file or directory|connection refused|Connection refused)[^\n]{0,40}? ?(?P<socket>/\S*(?:\.s\.PGSQL\.[0-9]+|mysqld?\.sock|mariadb\.sock))",
        "the application cannot connect to its database at `{socket}`",
    ),
    means(
        DatabaseRefused,
        &["connection refused", "i/o timeout", "no route to host"],
        r"dial tcp (?P<address>\S*:(?:3306|3307|33060|5432|5433|6432|1433|1521|2701[789]|9042|26257)): (?:connect: )?(?P<why>connection refused|i/o timeout|no route to host)",
        "the application cannot connect to its database at {address}: {why}",
    ),
    means(
        DatabaseRefused,
        &["onnection refused", "ConnectionRefusedError", "timed out"],
        r"(?:pymysql|MySQLdb|psycopg[0-9]?|asyncpg|aiomysql|mysql/connector)(?s:.*)(?:Connection refused|ConnectionRefusedError|Connection timed out)",
        "the application cannot connect to its database",
    ),
    means(
        DatabaseRefused,
        &["server login has been failing", "server_login_retry"],
        r"server login has been failing|server_login_retry",
        "PgBouncer cannot log in to PostgreSQL",
    ),
    means(
        DatabaseRefused,
        &["ConnectException"],
        r"(?:org\.postgresql\.|com\.mysql\.|org\.mariadb\.|oracle\.(?:jdbc|net)\.|Socket\([^\n]*, (?:5432|3306|1521|1433)\))(?s:.*)ConnectException(?:: (?P<why>[^\n]+))?|ConnectException(?:: (?P<because>[^\n]+))?(?s:.*)(?:org\.postgresql\.|com\.mysql\.|org\.mariadb\.|oracle\.(?:jdbc|net)\.)",
        "the application cannot connect to its database[: {why}][: {because}]",
    ),
    // servers
    means(
        AppPortTaken,
        &["Bind on TCP/IP port", "could not bind IPv"],
        r#"(?:Bind on TCP/IP port(?:\.|:)[^\n]*Address already in use|could not bind IPv[46] address "(?P<address>[^"]+)": Address already in use)"#,
        "the database cannot listen[ on {address}]: its port is taken",
    ),
    means(
        HostOutOfMemory,
        &["Cannot allocate memory for the buffer pool"],
        r"Cannot allocate memory for the buffer pool",
        "MySQL cannot get the memory for its buffer pool",
    ),
    means(
        HostOutOfMemory,
        &["ERROR:  out of memory", "FATAL:  out of memory", "DETAIL:  Failed on request of size"],
        r"(?:ERROR|FATAL):\s+out of memory|Failed on request of size (?P<bytes>[0-9]+)",
        "PostgreSQL could get no more memory[: {bytes} bytes]",
    ),
    means(
        HostTooManyProcesses,
        &["could not fork new process for connection", "Can't create a new thread"],
        r"could not fork new process for connection|Can't create a new thread",
        "the database cannot start a process for a connection",
    ),
    means(
        ServerPermissionDenied,
        &["must be writable"],
        r"InnoDB: The data file '(?P<name>[^']+)' must be writable",
        "MySQL may not write its file `{name}`",
    ),
    means(
        DatabaseRefused,
        &["[ERROR] Aborting", "[MY-010119]"],
        r"\[ERROR\] (?:\[MY-010119\] \[Server\] )?Aborting",
        "the database server did not start",
    ),
    means(
        DatabaseRefused,
        &["Unable to lock ./ibdata1", "Check that you do not already have another"],
        r"InnoDB: Unable to lock \S+ error",
        "MySQL does not start: another process has its files open",
    ),
];
