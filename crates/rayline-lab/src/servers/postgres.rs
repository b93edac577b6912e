//! PostgreSQL: one server with a small shop in it.

use std::io;
use std::path::PathBuf;
use std::process::Command;

use super::{Place, Server, Unstarted, installed, is_a_server};
use crate::process::is_root;

/// Where Debian's packages keep it, a folder for each version.
const VERSIONS: &str = "/usr/lib/postgresql";
/// It runs as nobody if root starts it: it refuses to be root's.
const NOBODY: u32 = 65_534;

/// What it has from the start, in a database of its own. The user `shop` has the password `secret`, and its table is in a
/// folder of its own, which may be a small disk.
const DATABASE: &str = "CREATE ROLE shop LOGIN PASSWORD 'secret';
CREATE TABLESPACE disk LOCATION '@FOLDER@/disk';
CREATE DATABASE shop OWNER shop;
";
const TABLE: &str = "CREATE TABLE orders (id INT PRIMARY KEY, n INT, note TEXT) TABLESPACE disk;
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders OWNER TO shop;
";

/// Makes the data, and becomes the server, whose log is all that is printed.
const START: &str = r#"
cd @FOLDER@/data
{ initdb --no-sync --pgdata=shop --auth=scram-sha-256 --pwfile=../password --username=postgres --locale=C --encoding=UTF8 &&
  postgres --single -c exit_on_error=true -F -D shop postgres <../database.sql &&
  postgres --single -c exit_on_error=true -F -D shop shop <../table.sql
} >made.log 2>&1 || { cat made.log; exit 1; }
exec postgres -F -D shop -p @HTTP_PORT@ -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c shared_buffers=2MB \
  -c max_wal_size=64MB -c log_line_prefix='%m [%p] %q%u@%d ' "$@"
"#;

/// A running PostgreSQL, at its address for plain HTTP. Its log is `printed.log` in its folder.
#[derive(Debug)]
pub struct Postgres {
    server: Server,
}

is_a_server!(Postgres);

impl Postgres {
    /// Starts it with these settings, such as `max_connections=5`.
    ///
    /// # Errors
    /// It is missing or does not start.
    pub fn start(settings: &[&str]) -> Result<Self, Unstarted> {
        Self::start_behind(&[], settings)
    }

    /// The same, with its table on a disk of one megabyte, in a mount namespace that nobody else sees.
    ///
    /// # Errors
    /// It is missing or does not start, as where this user may mount nothing.
    pub fn start_on_small_disk() -> Result<Self, Unstarted> {
        let mount = format!("mount -t tmpfs -o size=1m,uid={NOBODY},gid={NOBODY} none @FOLDER@/disk; exec \"$@\"");
        Self::start_behind(&["unshare", "--mount", "--propagation", "private", "sh", "-ec", &mount, "sh"], &[])
    }

    /// The same behind these words, which run it elsewhere.
    fn start_behind(words: &[&str], settings: &[&str]) -> Result<Self, Unstarted> {
        let folder = newest().map_or_else(|| installed("postgres", "postgresql"), Ok)?;
        let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
        let server = Server::start(|place| {
            make(place)?;
            let mut command = Command::new("env");
            command.env("PATH", &path).args(words.iter().map(|word| place.fill(word)));
            if is_root() {
                command.args(["setpriv", &format!("--reuid={NOBODY}"), &format!("--regid={NOBODY}"), "--clear-groups"]);
            }
            command.args(["sh", "-ec", &place.fill(START), "sh"]);
            command.args(settings.iter().flat_map(|setting| ["-c", setting]));
            Ok(command)
        })?;
        Ok(Self { server })
    }
}

/// The folder of the newest version's programs.
fn newest() -> Option<PathBuf> {
    let versions = std::fs::read_dir(VERSIONS).ok()?.filter_map(|entry| {
        let entry = entry.ok()?;
        let number: u32 = entry.file_name().to_str()?.parse().ok()?;
        Some((number, entry.path().join("bin"))).filter(|(_, folder)| folder.join("postgres").is_file())
    });
    versions.max().map(|(_, folder)| folder)
}

/// The folders that are its own, and what it begins with.
fn make(place: &Place) -> io::Result<()> {
    for name in ["data", "disk"] {
        let folder = place.folder().join(name);
        std::fs::create_dir(&folder)?;
        if is_root() {
            std::os::unix::fs::chown(folder, Some(NOBODY), Some(NOBODY))?;
        }
    }
    for (name, text) in [("password", "secret\n"), ("database.sql", DATABASE), ("table.sql", TABLE)] {
        place.write(name, text)?;
    }
    Ok(())
}
