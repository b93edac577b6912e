//! MariaDB: one server with a small shop in it.

use std::io;
use std::process::Command;

use super::{Place, Server, Unstarted, installed, is_a_server};
use crate::process::{find, is_root, run};

/// Where packages keep the tables that a new server begins with.
const TABLES: [&str; 2] = ["/usr/share/mysql", "/usr/share/mariadb"];
/// Where it keeps its data, and that it is small.
const SMALL: &str = "--no-defaults --datadir=@FOLDER@/data --tmpdir=@FOLDER@/tmp --innodb-buffer-pool-size=8M --innodb-log-file-size=4M \
                     --innodb-data-file-path=ibdata1:5M:autoextend --innodb-flush-method=nosync";
/// What it has from the start. The user `shop` has the password `secret`.
const SHOP: &str = "CREATE DATABASE shop;
CREATE USER shop@'127.0.0.1' IDENTIFIED BY 'secret';
GRANT ALL ON shop.* TO shop@'127.0.0.1';
CREATE USER shop@localhost IDENTIFIED BY 'secret';
GRANT ALL ON shop.* TO shop@localhost;
CREATE TABLE shop.orders (id INT PRIMARY KEY, n INT) ENGINE=InnoDB;
INSERT INTO shop.orders VALUES (1, 1), (2, 2);
";

/// A running MariaDB, at its address for plain HTTP. `data/error.log` is in its folder.
#[derive(Debug)]
pub struct MariaDb {
    server: Server,
}

is_a_server!(MariaDb);

impl MariaDb {
    /// Starts it with these further options, such as `--max-connections=10`.
    ///
    /// # Errors
    /// It is missing or does not start.
    pub fn start(options: &[&str]) -> Result<Self, Unstarted> {
        let program = installed("mariadbd", "mariadb-server-core")?;
        let server = Server::start(|place| {
            found(place)?;
            let mut command = Command::new(&program);
            command.args(place.fill(SMALL).split_whitespace()).args(user());
            command.args(["--bind-address=127.0.0.1", "--skip-name-resolve", "--log-warnings=4"]);
            command.arg(place.fill("--port=@HTTP_PORT@")).arg(place.fill("--socket=@FOLDER@/data/socket"));
            command.arg(place.fill("--log-error=@FOLDER@/data/error.log"));
            command.arg(place.fill("--pid-file=@FOLDER@/data/pid"));
            command.arg(format!("--init-file={}", place.write("shop.sql", SHOP)?.display())).args(options);
            Ok(command)
        })?;
        Ok(Self { server })
    }
}

/// It does not run as root, unless it is told to.
fn user() -> Option<&'static str> {
    is_root().then_some("--user=root")
}

/// Makes the tables that every server has, as `mariadb-install-db` does, which is in another package.
fn found(place: &Place) -> io::Result<()> {
    let tables = TABLES.into_iter().find(|folder| find_file(folder)).unwrap_or_default();
    std::fs::create_dir_all(place.folder().join("data/mysql"))?;
    // A server clears away what others left in the folder for temporary tables, and what they still need.
    std::fs::create_dir(place.folder().join("tmp"))?;
    let lines = format!(
        "(echo 'use mysql;'; cat {tables}/mysql_system_tables.sql {tables}/mysql_performance_tables.sql
        sed /@current_hostname/d {tables}/mysql_system_tables_data.sql) | mariadbd {} {} --bootstrap --log-warnings=0",
        place.fill(SMALL),
        user().unwrap_or_default(),
    );
    let program = find("mariadbd").and_then(|program| Some(program.parent()?.to_owned())).unwrap_or_default();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new("sh");
    command.arg("-ec").arg(lines).env("PATH", format!("{}:{path}", program.display()));
    run(&mut command).map(drop)
}

fn find_file(folder: &str) -> bool {
    std::path::Path::new(folder).join("mysql_system_tables.sql").is_file()
}
