//! nginx: a master and one worker, in the foreground.

use std::io;
use std::path::Path;
use std::process::Command;

use super::{Place, Server, Unstarted, installed, is_a_server};
use crate::process::is_root;

/// What stands around the content of the `http` block. The access log begins with the status and the edge's Ray ID, so
/// that its lines can be joined with the edge's.
const FRAME: &str = r#"
daemon off;
worker_processes 1;
pid @FOLDER@/nginx.pid;
error_log @FOLDER@/error.log info;
@MAIN@
events { worker_connections @CONNECTIONS@; }
http {
    log_format joined '$status $http_cf_ray "$request"';
    access_log @FOLDER@/access.log joined;
    default_type text/plain;
    client_body_temp_path @FOLDER@/body;
    proxy_temp_path @FOLDER@/proxy;
    fastcgi_temp_path @FOLDER@/fastcgi;
    scgi_temp_path @FOLDER@/scgi;
    uwsgi_temp_path @FOLDER@/uwsgi;
    @HTTP_BLOCK@
}
"#;

/// A running nginx. `access.log` and `error.log` are in its folder.
#[derive(Debug)]
pub struct Nginx {
    server: Server,
}

is_a_server!(Nginx);

impl Nginx {
    /// Starts Debian's nginx with this content of its `http` block. A `server` in it must `listen @HTTP@`, which it is
    /// waited for at; `@HTTPS@`, `@FOLDER@` and the like are there too ([`Place::fill`]).
    ///
    /// # Errors
    /// It is missing or does not start.
    pub fn start(http_block: &str) -> Result<Self, Unstarted> {
        Self::start_with(http_block, |_| Ok(()))
    }

    /// The same, with files that `prepare` puts into the folder first: certificates, documents.
    ///
    /// # Errors
    /// It is missing or does not start, or `prepare` fails.
    pub fn start_with(http_block: &str, prepare: impl Fn(&Place) -> io::Result<()>) -> Result<Self, Unstarted> {
        let program = installed("nginx", "nginx-light")?;
        Ok(Self::start_program(&program, http_block, prepare)?)
    }

    /// The same with these directives outside of all blocks, such as `user nobody;`, and room for so many connections.
    ///
    /// # Errors
    /// It is missing or does not start, or `prepare` fails.
    pub fn start_tight(
        main: &str,
        connections: u32,
        http_block: &str,
        prepare: impl Fn(&Place) -> io::Result<()>,
    ) -> Result<Self, Unstarted> {
        let program = installed("nginx", "nginx-light")?;
        let configuration = framed(main, connections, http_block);
        Ok(Self::start_configured(&program, &configuration, prepare)?)
    }

    /// The same with another nginx than Debian's.
    ///
    /// # Errors
    /// It does not start, or `prepare` fails.
    pub fn start_program(
        program: &Path,
        http_block: &str,
        prepare: impl Fn(&Place) -> io::Result<()>,
    ) -> io::Result<Self> {
        Self::start_configured(program, &configuration(http_block), prepare)
    }

    fn start_configured(
        program: &Path,
        configuration: &str,
        prepare: impl Fn(&Place) -> io::Result<()>,
    ) -> io::Result<Self> {
        let server = Server::start(|place| {
            prepare(place)?;
            let configuration = place.write("nginx.conf", configuration)?;
            let mut command = Command::new(program);
            command.arg("-e").arg(place.folder().join("error.log"));
            command.arg("-p").arg(place.folder()).arg("-c").arg(configuration);
            Ok(command)
        })?;
        Ok(Self { server })
    }

    /// Starts workers with another `http` block and lets the old ones end their requests (SIGHUP). It returns when the
    /// signal is sent.
    ///
    /// # Errors
    /// It is gone, or the file cannot be written.
    pub fn reload(&self, http_block: &str) -> io::Result<()> {
        self.server.place.write("nginx.conf", &configuration(http_block))?;
        self.server.process.signal("HUP")
    }
}

/// With room for more connections than any test opens.
fn configuration(http_block: &str) -> String {
    // nginx's workers would be `nobody` if root started it, and could not write into the folder.
    framed(if is_root() { "user root;" } else { "" }, 4096, http_block)
}

fn framed(main: &str, connections: u32, http_block: &str) -> String {
    let frame = FRAME.replace("@MAIN@", main).replace("@CONNECTIONS@", &connections.to_string());
    frame.replace("@HTTP_BLOCK@", http_block)
}
