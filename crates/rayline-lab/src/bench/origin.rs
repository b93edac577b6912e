//! The origin behind every proxy: one nginx that serves files, over plain HTTP and TLS, and takes uploads.
//!
//! It writes no log and keeps connections as long as it is asked to: what it costs is not measured, but on a machine of
//! few cores it is in the way of what is.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{Process, find, free_port};

/// The path of another small answer, as long as paths are.
pub(crate) const PAGE: &str = "/catalogue/shoes/item-4711.html";
/// Bytes of the small answer.
pub(crate) const SMALL: usize = 1024;
/// Bytes of the middle answer, and of an upload.
pub(crate) const MIDDLE: usize = 100 * 1024;
/// Bytes of the large answer.
pub(crate) const LARGE: usize = 10 * 1024 * 1024;

/// The running origin.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) http: SocketAddr,
    pub(crate) https: SocketAddr,
    _process: Process,
}

impl Server {
    /// Starts it with its files in `folder`.
    ///
    /// # Errors
    /// There is no nginx, or it does not start.
    pub(crate) fn start(folder: &Path, certificate: &Path, key: &Path) -> io::Result<Self> {
        let nginx = program().ok_or_else(|| io::Error::other("no `nginx` to be the origin"))?;
        std::fs::create_dir_all(folder.join("catalogue/shoes"))?;
        let page = PAGE.trim_start_matches('/');
        for (name, bytes) in [("small", SMALL), (page, SMALL), ("middle", MIDDLE), ("large", LARGE)] {
            std::fs::write(folder.join(name), filler(bytes))?;
        }
        let [http, https] = [SocketAddr::from(([127, 0, 0, 1], free_port()?)), ([127, 0, 0, 1], free_port()?).into()];
        let file = folder.join("nginx.conf");
        std::fs::write(&file, config(folder, http, https, certificate, key))?;
        let mut command = Command::new(nginx);
        command.arg("-p").arg(folder).arg("-e").arg(folder.join("error.log")).arg("-c").arg(&file);
        let mut process = Process::start(&mut command, &folder.join("output"))?;
        process.listens(http)?;
        process.listens(https)?;
        Ok(Self { http, https, _process: process })
    }
}

/// The nginx that is the origin.
pub(crate) fn program() -> Option<PathBuf> {
    find("nginx")
}

/// Bytes that no two neighbours of which are alike, without being worth compressing less than a real page.
fn filler(bytes: usize) -> Vec<u8> {
    (b'a'..=b'z').chain([b'\n']).cycle().take(bytes).collect()
}

/// A request's body is read to its end before it is answered: nginx does so only in front of another server, which here
/// is itself.
fn config(folder: &Path, http: SocketAddr, https: SocketAddr, certificate: &Path, key: &Path) -> String {
    let [folder, certificate, key] = [folder, certificate, key].map(Path::display);
    format!(
        "user root;
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
events {{ worker_connections 12000; }}
http {{
    access_log off;
    client_body_temp_path {folder}/t1;
    proxy_temp_path {folder}/t2;
    fastcgi_temp_path {folder}/t3;
    uwsgi_temp_path {folder}/t4;
    scgi_temp_path {folder}/t5;
    keepalive_requests 1000000000;
    keepalive_timeout 3600s;
    open_file_cache max=16;
    server {{
        listen {http};
        listen {https} ssl;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        root {folder};
        location = /upload {{
            client_body_buffer_size 1m;
            client_max_body_size 100m;
            proxy_pass http://unix:{folder}/answer.sock:/;
            proxy_pass_request_body off;
            proxy_set_header Content-Length \"\";
        }}
    }}
    server {{
        listen unix:{folder}/answer.sock;
        return 204;
    }}
}}
"
    )
}
