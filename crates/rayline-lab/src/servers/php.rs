//! PHP-FPM: a master and a fixed number of workers, spoken to by FastCGI over TCP.

use std::io;
use std::process::Command;

use super::{Server, Unstarted, is_a_server};
use crate::process::{find, is_root};

/// The names that distributions give the program, the one without a version first.
const NAMES: [&str; 6] = ["php-fpm", "php-fpm8.2", "php-fpm8.4", "php-fpm8.3", "php-fpm8.1", "php-fpm83"];

/// Errors go to the log and output is buffered, as the distributed `php.ini-production` has it.
const CONFIGURATION: &str = "
[global]
daemonize = no
pid = @FOLDER@/fpm.pid
error_log = @FOLDER@/error.log
[www]
@USER@
listen = @HTTP@
pm = static
pm.max_children = @CHILDREN@
php_admin_flag[log_errors] = on
php_admin_flag[display_errors] = off
@LOG@
php_admin_value[output_buffering] = 4096
php_admin_value[post_max_size] = 0
@POOL@
";

/// What nginx has to tell it: `location` has to set `SCRIPT_FILENAME` by its own `root`.
const PARAMETERS: &str = "
fastcgi_param SCRIPT_FILENAME @PHP@$fastcgi_script_name;
fastcgi_param QUERY_STRING $query_string;
fastcgi_param REQUEST_METHOD $request_method;
fastcgi_param CONTENT_TYPE $content_type;
fastcgi_param CONTENT_LENGTH $content_length;
fastcgi_param SCRIPT_NAME $fastcgi_script_name;
fastcgi_param REQUEST_URI $request_uri;
fastcgi_param SERVER_PROTOCOL $server_protocol;
";

/// What PHP-FPM is told.
#[derive(Clone, Copy, Debug)]
pub struct Pool<'a> {
    /// How many workers, which are all there from the start unless `lines` say otherwise.
    pub children: u32,
    /// Further lines of the pool, which win over those before.
    pub lines: &'a str,
    /// Extensions that Debian has in packages of their own, such as `mysqli`, those that others need first.
    pub extensions: &'a [&'a str],
    /// Whether its scripts' messages go to a log of its own, rather than to the web server.
    pub own_log: bool,
    /// Scripts by file name.
    pub scripts: &'a [(&'a str, &'a str)],
}

/// A running PHP-FPM. Its scripts are in its folder; `php.log` and `error.log` are there too.
#[derive(Debug)]
pub struct PhpFpm {
    server: Server,
}

is_a_server!(PhpFpm);

impl PhpFpm {
    /// Starts it with so many workers and these scripts, by file name.
    ///
    /// # Errors
    /// It is missing or does not start.
    pub fn start(children: u32, scripts: &[(&str, &str)]) -> Result<Self, Unstarted> {
        Self::start_pool(&Pool { children, lines: "", extensions: &[], own_log: true, scripts })
    }

    /// The same with more said.
    ///
    /// # Errors
    /// It or an extension is missing, or it does not start.
    pub fn start_pool(pool: &Pool<'_>) -> Result<Self, Unstarted> {
        let program = NAMES.into_iter().find_map(find).ok_or_else(|| missing("php-fpm", "php-fpm"))?;
        for extension in pool.extensions {
            if !has_extension(extension) {
                return Err(missing(&format!("PHP's `{extension}`"), &format!("php-{extension}")));
            }
        }
        let user = if is_root() { "user = root\ngroup = root" } else { "" };
        let log = if pool.own_log { "php_admin_value[error_log] = @FOLDER@/php.log" } else { "" };
        let children = pool.children.to_string();
        let configuration = CONFIGURATION
            .replace("@USER@", user)
            .replace("@CHILDREN@", &children)
            .replace("@POOL@", pool.lines)
            .replace("@LOG@", log);
        let server = Server::start(|place| {
            for (name, text) in pool.scripts {
                place.write(name, text)?;
            }
            let mut command = Command::new(&program);
            command.args(["--nodaemonize", "--allow-to-run-as-root", "--no-php-ini"]);
            for extension in pool.extensions {
                command.arg("-d").arg(format!("extension={extension}"));
            }
            command.arg("--fpm-config").arg(place.write("fpm.conf", &configuration)?);
            Ok(command)
        })?;
        Ok(Self { server })
    }

    /// What has nginx ask it for a script: the content of a `location`.
    pub fn for_nginx(&self) -> String {
        let parameters = PARAMETERS.replace("@PHP@", &self.server.folder().to_string_lossy());
        format!("{parameters}fastcgi_pass {};\n", self.server.http())
    }

    /// Ends it at once, as `systemctl stop` does; nobody listens at its port then.
    ///
    /// # Errors
    /// It does not end.
    pub fn stop(&mut self) -> io::Result<()> {
        self.server.process.signal("TERM")?;
        self.server.process.wait(super::STOPPED).map(drop)
    }
}

fn missing(program: &str, package: &str) -> Unstarted {
    Unstarted::Missing { program: program.to_owned(), remedy: format!("Debian has it in the package `{package}`") }
}

/// Extensions are in a folder named after the version of PHP's interface for them.
fn has_extension(name: &str) -> bool {
    let Ok(folders) = std::fs::read_dir("/usr/lib/php") else { return false };
    folders.filter_map(Result::ok).any(|folder| folder.path().join(format!("{name}.so")).is_file())
}
