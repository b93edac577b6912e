//! MariaDB behind PHP: stopped, full, locked, closed to this user.

use super::php::script;
use crate::clinic::case::{Case, Unbuilt, nginx, rayline};
use crate::clinic::site::Site;
use crate::process::free_port;
use crate::servers::MariaDb;

const STATUS: &str = "origin.wait.error_status";
/// The extension for MariaDB, and what that needs.
const MYSQLI: &[&str] = &["mysqlnd", "mysqli"];

pub(super) const CASES: &[Case] = &[
    Case::new("database_stopped", "MariaDB is stopped", stopped, STATUS)
        .because(&["database.refused"], "Connection refused")
        .seen(&[rayline(500).origin().logs(), nginx(500).origin().logs()]),
    Case::new("too_many_connections", "MariaDB has no connection left", connections, STATUS)
        .because(&["database.too_many_connections"], "Too many connections")
        .seen(&[rayline(500).origin().logs(), nginx(500).origin().logs()]),
    Case::new("database_access", "MariaDB refuses the application's password", access, STATUS)
        .because(&["database.access_denied"], "Access denied for user")
        .seen(&[rayline(500).origin().logs()]),
    Case::new("table_missing", "a table is missing in the database", table, STATUS)
        .because(&["database.missing"], "doesn't exist")
        .seen(&[nginx(500).origin().logs()]),
    Case::new("row_locked", "somebody holds the lock of a row that the application must change", locked, STATUS)
        .because(&["database.locked"], "Lock wait timeout exceeded")
        .seen(&[rayline(500).origin().logs()]),
    Case::new("database_gone", "MariaDB closes the connection in the middle of a request", gone, STATUS)
        .because(&["database.gone"], "server has gone away")
        .seen(&[nginx(500).origin().logs()]),
];

/// PHP that does this with an open database `$db`.
fn shop(maria: MariaDb, password: &str, then: &str) -> Result<Site, Unbuilt> {
    let port = maria.http().port();
    let text = format!(
        "<?php\n$db = new mysqli('127.0.0.1', 'shop', '{password}', 'shop', {port});\n{then}\necho 'Welcome';\n"
    );
    let log = maria.folder().join("data/error.log");
    Ok(script(&text, "", MYSQLI)?.log(log).keeping(maria))
}

fn stopped() -> Result<Site, Unbuilt> {
    let text = format!("<?php\n$db = new mysqli('127.0.0.1', 'shop', 'secret', 'shop', {});\n", free_port()?);
    script(&text, "", MYSQLI)
}

/// A script that holds more connections than the others leave it, and says when it has them.
fn connections() -> Result<Site, Unbuilt> {
    let maria = MariaDb::start(&["--max-connections=10"])?;
    let port = maria.http().port();
    let hold = format!(
        "if (isset($_GET['hold'])) {{ for ($i = 0; $i < 20; $i++) \
           try {{ $held[] = new mysqli('127.0.0.1', 'shop', 'secret', 'shop', {port}); }} catch (Exception $e) {{}} \
           touch('@FOLDER@/held'); sleep(60); }}"
    );
    let text =
        format!("<?php\n{hold}\n$db = new mysqli('127.0.0.1', 'shop', 'secret', 'shop', {port});\necho 'Welcome';\n");
    let log = maria.folder().join("data/error.log");
    let site = script(&text, "", MYSQLI)?.log(log).keeping(maria).occupied("/patient/cart.php?hold=1")?;
    site.until("held")
}

fn access() -> Result<Site, Unbuilt> {
    shop(MariaDb::start(&[])?, "wrong", "")
}

fn table() -> Result<Site, Unbuilt> {
    shop(MariaDb::start(&[])?, "secret", "$db->query('SELECT option_value FROM wp_options');")
}

fn locked() -> Result<Site, Unbuilt> {
    let change = "$db->query('SET innodb_lock_wait_timeout = 1');
if (isset($_GET['hold'])) { $db->begin_transaction(); }
$db->query('UPDATE orders SET n = n + 1 WHERE id = 1');
if (isset($_GET['hold'])) { touch('@FOLDER@/held'); sleep(60); }";
    shop(MariaDb::start(&[])?, "secret", change)?.occupied("/patient/cart.php?hold=1")?.until("held")
}

fn gone() -> Result<Site, Unbuilt> {
    shop(
        MariaDb::start(&[])?,
        "secret",
        "try { $db->query('KILL ' . $db->thread_id); } catch (Exception $e) {}\n$db->query('SELECT n FROM orders');",
    )
}
