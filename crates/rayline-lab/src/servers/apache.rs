//! Apache httpd: the event MPM, in the foreground.

use std::io;
use std::process::Command;

use super::{Place, Server, Unstarted, installed, is_a_server};
use crate::process::is_root;

/// What stands before the rest. `mod_log_config` and `mod_unixd` are built into Debian's httpd.
const FRAME: &str = r#"
ServerRoot @FOLDER@
DefaultRuntimeDir @FOLDER@
PidFile @FOLDER@/httpd.pid
ServerName localhost
Listen @HTTP@
ErrorLog @FOLDER@/error.log
LoadModule mpm_event_module @MODULES@/mod_mpm_event.so
LoadModule authz_core_module @MODULES@/mod_authz_core.so
LoadModule dir_module @MODULES@/mod_dir.so
LoadModule proxy_module @MODULES@/mod_proxy.so
LoadModule proxy_fcgi_module @MODULES@/mod_proxy_fcgi.so
LoadModule proxy_http_module @MODULES@/mod_proxy_http.so
LoadModule alias_module @MODULES@/mod_alias.so
LoadModule filter_module @MODULES@/mod_filter.so
LoadModule deflate_module @MODULES@/mod_deflate.so
LogFormat "%>s %{CF-Ray}i \"%r\"" joined
CustomLog @FOLDER@/access.log joined
StartServers 1
ServerLimit 2
ThreadsPerChild 16
MaxRequestWorkers 32
DocumentRoot @FOLDER@/documents
"#;

/// Where Debian keeps its modules.
const MODULES: &str = "/usr/lib/apache2/modules";

/// A running httpd. It serves `documents` in its folder; `access.log` and `error.log` are there.
#[derive(Debug)]
pub struct Apache {
    server: Server,
}

is_a_server!(Apache);

impl Apache {
    /// Starts it with these further directives, and with files that `prepare` puts into the folder first.
    ///
    /// # Errors
    /// It is missing or does not start, or `prepare` fails.
    pub fn start(directives: &str, prepare: impl Fn(&Place) -> io::Result<()>) -> Result<Self, Unstarted> {
        let program = installed("apache2", "apache2")?;
        // httpd refuses to serve as root; `www-data` is the user that Debian's package serves as.
        let user = if is_root() { "User www-data\nGroup www-data\n" } else { "" };
        let configuration = format!("{}{user}{directives}\n", FRAME.replace("@MODULES@", MODULES));
        let server = Server::start(|place| {
            std::fs::create_dir(place.folder().join("documents"))?;
            prepare(place)?;
            let mut command = Command::new(&program);
            command.arg("-DFOREGROUND").arg("-f").arg(place.write("httpd.conf", &configuration)?);
            Ok(command)
        })?;
        Ok(Self { server })
    }

    /// Starts new workers, and lets the old ones end their requests (SIGUSR1). It returns when the signal is sent.
    ///
    /// # Errors
    /// It is gone.
    pub fn restart_gracefully(&self) -> io::Result<()> {
        self.server.process.signal("USR1")
    }
}
