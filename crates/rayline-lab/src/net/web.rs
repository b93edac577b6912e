//! nginx in a namespace, as whatever it is told to be there.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::Unavailable;
use crate::process::{Process, find};

/// What stands around the servers. No connection is used twice: each request meets the network as it is.
const FRAME: &str = r#"
daemon off;
worker_processes 1;
user root;
pid @FOLDER@/nginx.pid;
error_log @FOLDER@/error.log info;
events { worker_connections 1024; }
http {
    access_log @FOLDER@/access.log;
    default_type text/plain;
    client_max_body_size 0;
    keepalive_timeout 0;
    client_body_temp_path @FOLDER@/body;
    proxy_temp_path @FOLDER@/proxy;
    fastcgi_temp_path @FOLDER@/fastcgi;
    scgi_temp_path @FOLDER@/scgi;
    uwsgi_temp_path @FOLDER@/uwsgi;
    @SERVERS@
}
"#;

/// A running nginx. `error.log` and `access.log` are in its folder.
#[derive(Debug)]
pub struct Web {
    // Before the folder: what still runs may still write there.
    process: Process,
    folder: TempDir,
}

impl Web {
    /// Starts it behind the words that make it run in a namespace, with these `server` blocks, in which `@FOLDER@` is its
    /// folder, and waits until it listens.
    ///
    /// # Errors
    /// [`Unavailable::Missing`]: it is not installed.
    pub fn start(behind: &[OsString], servers: &str) -> Result<Self, Unavailable> {
        Self::start_with(behind, servers, |_| Ok(()))
    }

    /// The same, with files that `prepare` puts into the folder first.
    ///
    /// # Errors
    /// As [`Self::start`], or `prepare` fails.
    pub fn start_with(
        behind: &[OsString],
        servers: &str,
        prepare: impl Fn(&Path) -> io::Result<()>,
    ) -> Result<Self, Unavailable> {
        let Some(program) = find("nginx") else {
            return Err(Unavailable::Missing("nginx is not installed (Debian has it in `nginx-light`)".to_owned()));
        };
        let folder = TempDir::with_prefix("rayline-lab-")?;
        let path = |name: &str| folder.path().join(name);
        prepare(folder.path())?;
        let configuration = FRAME.replace("@SERVERS@", servers).replace("@FOLDER@", &folder.path().to_string_lossy());
        std::fs::write(path("nginx.conf"), configuration)?;
        let mut command = Command::new("env");
        command.args(behind).arg(program);
        command.arg("-e").arg(path("error.log")).arg("-p").arg(folder.path()).arg("-c").arg(path("nginx.conf"));
        let mut process = Process::start(&mut command, &path("printed.log"))?;
        // It is written when the sockets listen.
        process.until("does not listen", |_| path("nginx.pid").exists().then_some(()))?;
        Ok(Self { process, folder })
    }

    /// Its process.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}
