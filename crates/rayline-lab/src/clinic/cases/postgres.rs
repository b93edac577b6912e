//! PostgreSQL behind Python and PHP: stopped, full, locked, closed to this user.

use super::php::script;
use super::proxies::before;
use crate::clinic::case::{Case, Unbuilt, nginx, rayline};
use crate::clinic::site::Site;
use crate::process::free_port;
use crate::servers::{Gunicorn, Postgres, gunicorn};

const STATUS: &str = "origin.wait.error_status";
/// The extensions for PostgreSQL.
const PDO: &[&str] = &["pdo", "pdo_pgsql"];

pub(super) const CASES: &[Case] = &[
    Case::new("postgres_stopped", "PostgreSQL is stopped, and PHP needs it", stopped, STATUS)
        .because(&["database.refused"], "Connection refused")
        .seen(&[rayline(500).origin().logs(), nginx(500).origin().logs()]),
    Case::new("postgres_stopped_python", "PostgreSQL is stopped, and Python needs it", stopped_python, STATUS)
        .because(&["database.refused"], "Connection refused")
        .seen(&[rayline(500).origin().logs(), nginx(500).logs()]),
    Case::new("postgres_full", "PostgreSQL has no connection left", connections, STATUS)
        .because(&["database.too_many_connections"], "FATAL:  sorry, too many clients already")
        .seen(&[rayline(500).origin().logs(), nginx(500).origin().logs()]),
    Case::new("postgres_password", "PostgreSQL refuses the application's password", password, STATUS)
        .because(&["database.access_denied"], "password authentication failed")
        .seen(&[rayline(500).origin().logs(), nginx(500).origin().logs()]),
    Case::new("postgres_read_only", "PostgreSQL takes no changes", read_only, STATUS)
        .because(&["database.full"], "in a read-only transaction")
        .seen(&[rayline(500).origin().logs()]),
    Case::new("postgres_disk", "the disk is full that PostgreSQL keeps a table on", disk, STATUS)
        .because(&["database.full", "host.disk_full"], "No space left on device")
        .seen(&[rayline(500).origin().logs(), nginx(500).origin().logs()]),
    Case::new("postgres_statement", "PostgreSQL ends a query that takes too long", statement, STATUS)
        .because(&["database.timed_out"], "due to statement timeout")
        .seen(&[rayline(500).origin().logs(), nginx(500).origin().logs()]),
    Case::new("postgres_locked", "somebody holds the lock of a row that the application must change", locked, STATUS)
        .because(&["database.locked"], "due to lock timeout")
        .seen(&[rayline(500).origin().logs()]),
    Case::new("postgres_relation", "a table is missing in PostgreSQL's database", relation, STATUS)
        .because(&["database.missing"], "does not exist")
        .seen(&[rayline(500).origin().logs(), nginx(500).origin().logs()]),
    Case::new("postgres_terminated", "PostgreSQL ends the connection in the middle of a request", terminated, STATUS)
        .because(&["database.gone"], "terminating connection due to administrator command")
        .seen(&[nginx(500).origin().logs()]),
];

/// A WSGI application that does this with an open database `db`, in Gunicorn behind nginx.
fn shop(postgres: Postgres, password: &str, then: &str) -> Result<Site, Unbuilt> {
    let site = python(postgres.http().port(), password, then)?;
    Ok(site.log(postgres.folder().join("printed.log")).keeping(postgres))
}

/// The same with nobody or somebody at the database's port.
fn python(port: u16, password: &str, then: &str) -> Result<Site, Unbuilt> {
    gunicorn::needs("psycopg2", "python3-psycopg2")?;
    let source = format!(
        "import time
import psycopg2

def connect():
    return psycopg2.connect(host='127.0.0.1', port={port}, user='shop', password='{password}', dbname='shop')

def orders(environ):
    db = connect()
    query = db.cursor().execute
{then}

def app(environ, start_response):
    orders(environ)
    start_response('200 OK', [('Content-Type', 'text/html'), ('Content-Length', '7')])
    return [b'Welcome']
"
    );
    behind_nginx(Gunicorn::start(&source, &["--workers", "2", "--timeout", "120"])?)
}

/// nginx before Gunicorn, with the logs of both.
pub(super) fn behind_nginx(gunicorn: Gunicorn) -> Result<Site, Unbuilt> {
    let patient = format!("location /patient/ {{ proxy_read_timeout 60s; proxy_pass http://{}; }}", gunicorn.http());
    let site = before(&format!("http://{}", gunicorn.http()), &patient)?;
    Ok(site.log(gunicorn.folder().join("error.log")).keeping(gunicorn))
}

fn stopped() -> Result<Site, Unbuilt> {
    let text = format!(
        "<?php\n$db = new PDO('pgsql:host=127.0.0.1;port={};dbname=shop', 'shop', 'secret');\necho 'Welcome';\n",
        free_port()?
    );
    script(&text, "", PDO)
}

fn stopped_python() -> Result<Site, Unbuilt> {
    python(free_port()?, "secret", "")
}

/// A worker holds as many connections as it gets, and says when it has them; superusers have the others to themselves.
fn connections() -> Result<Site, Unbuilt> {
    let hold = "    if environ['QUERY_STRING'] == 'hold':
        held = [db]
        try:
            while True:
                held.append(connect())
        except psycopg2.OperationalError:
            open('held', 'w').close()
        time.sleep(60)";
    let postgres = Postgres::start(&["max_connections=4", "superuser_reserved_connections=0"])?;
    shop(postgres, "secret", hold)?.occupied("/patient/?hold")?.until("held")
}

fn password() -> Result<Site, Unbuilt> {
    shop(Postgres::start(&[])?, "wrong", "")
}

fn read_only() -> Result<Site, Unbuilt> {
    let postgres = Postgres::start(&["default_transaction_read_only=on"])?;
    shop(postgres, "secret", "    query('UPDATE orders SET n = n + 1 WHERE id = 1')")
}

fn disk() -> Result<Site, Unbuilt> {
    if crate::clinic::shell("unshare --mount --propagation private mount -t tmpfs none /mnt").is_err() {
        return Err(Unbuilt::Missing("this user may mount nothing".to_owned()));
    }
    let fill =
        "    query(\"INSERT INTO orders SELECT i, i, repeat('long note ', 100) FROM generate_series(10, 5000) i\")";
    shop(Postgres::start_on_small_disk()?, "secret", fill)
}

fn statement() -> Result<Site, Unbuilt> {
    shop(Postgres::start(&["statement_timeout=300ms"])?, "secret", "    query('SELECT n, pg_sleep(60) FROM orders')")
}

fn locked() -> Result<Site, Unbuilt> {
    let change = "    query('UPDATE orders SET n = n + 1 WHERE id = 1')
    if environ['QUERY_STRING'] == 'hold':
        open('held', 'w').close()
        time.sleep(60)";
    let postgres = Postgres::start(&["lock_timeout=300ms"])?;
    shop(postgres, "secret", change)?.occupied("/patient/?hold")?.until("held")
}

fn relation() -> Result<Site, Unbuilt> {
    shop(Postgres::start(&[])?, "secret", "    query('SELECT total FROM invoices')")
}

/// A user may end connections of his own.
fn terminated() -> Result<Site, Unbuilt> {
    let end = "    try:
        query('SELECT pg_terminate_backend(pg_backend_pid())')
    finally:
        query('SELECT n FROM orders')";
    shop(Postgres::start(&[])?, "secret", end)
}
