//! A web server in a namespace: nginx, with a page, a large file, and room for uploads.

use std::io;

use tempfile::TempDir;

use super::{Namespace, Unavailable};
use crate::process::{Process, find};

/// How large `/big` is, in bytes.
pub const BIG: u64 = 8 << 20;

/// Uploads go to a server behind, so that nginx reads them to their end before they are answered. No connection is used
/// twice: each request meets the network as it is.
const CONFIGURATION: &str = r#"
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
    server {
        listen 80;
        listen [::]:80;
        listen 443;
        root @FOLDER@;
        location = / { return 200 "hello from the origin\n"; }
        location = /upload { proxy_pass http://127.0.0.1:81; }
    }
    server { listen 127.0.0.1:81; return 200 "read\n"; }
}
"#;

/// A running nginx, at port 80 of all addresses of its namespace. (What listens at port 443 speaks no TLS: it is for those
/// who do not come so far.)
#[derive(Debug)]
pub struct Origin {
    // Before the folder: what still runs may still write there.
    process: Process,
    _folder: TempDir,
}

impl Origin {
    /// Starts it, and waits until it listens.
    ///
    /// # Errors
    /// [`Unavailable::Missing`]: it is not installed.
    pub fn start(namespace: &Namespace) -> Result<Self, Unavailable> {
        let Some(program) = find("nginx") else {
            return Err(Unavailable::Missing("nginx is not installed (Debian has it in `nginx-light`)".to_owned()));
        };
        let folder = TempDir::with_prefix("rayline-lab-")?;
        let path = |name: &str| folder.path().join(name);
        let configuration = CONFIGURATION.replace("@FOLDER@", &folder.path().to_string_lossy());
        std::fs::write(path("nginx.conf"), configuration)?;
        std::fs::File::create(path("big"))?.set_len(BIG)?;
        let mut command = namespace.command(&program.to_string_lossy());
        command.arg("-e").arg(path("error.log")).arg("-p").arg(folder.path()).arg("-c").arg(path("nginx.conf"));
        let mut process = Process::start(&mut command, &path("printed.log"))?;
        // It is written when the sockets listen.
        process.until("does not listen", |_| path("nginx.pid").exists().then_some(()))?;
        Ok(Self { process, _folder: folder })
    }

    /// Stops it where it is: its kernel goes on answering for it.
    ///
    /// # Errors
    /// It is gone.
    pub fn pause(&self) -> io::Result<()> {
        self.process.signal_all("STOP")
    }
}
