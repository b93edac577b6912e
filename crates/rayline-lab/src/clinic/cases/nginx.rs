//! nginx's own limits and mistakes.

use std::ffi::OsString;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};

use tempfile::TempDir;

use super::proxies::logged;
use crate::clinic::case::{Case, Unbuilt, bare, nginx, rayline};
use crate::clinic::site::Site;
use crate::net::Web;
use crate::process::free_port;
use crate::servers::{Nginx, Node};

const STATUS: &str = "origin.wait.error_status";

pub(super) const CASES: &[Case] = &[
    Case::new("worker_connections", "nginx has no connection left", connections, "origin.wait.closed_empty")
        .because(&["server.pool_exhausted"], "worker_connections are not enough")
        .seen(&[
            rayline(520).origin().logs().also(&["origin.wait.reset"]),
            nginx(502).origin().logs().also(&["origin.wait.reset"]),
        ]),
    Case::new("rewrite_loop", "nginx's rewrite rules go in a circle", rewrite_loop, STATUS)
        .because(&["server.configuration"], "redirection cycle")
        .seen(&[rayline(500).origin().logs(), nginx(500).origin().logs(), bare(500).origin().logs()]),
    Case::new("too_many_files", "nginx has no file left", files, STATUS)
        .because(&["host.too_many_files"], "Too many open files")
        .seen(&[rayline(500).origin().logs(), nginx(500).origin().logs()]),
    Case::new("cache_disk", "the disk is full that nginx caches answers on", cache, "origin.wait.closed_empty")
        .because(&["host.disk_full"], "has written only")
        .seen(&[rayline(520).origin().logs(), nginx(502).origin().logs()]),
    Case::new("upstream_certificate", "nginx does not trust the application's certificate", tls, STATUS)
        .because(&["server.tls_failed"], "SSL certificate verify error")
        .seen(&[rayline(502).origin().logs(), nginx(502).origin().logs()]),
];

/// Others who never end their requests hold all connections.
fn connections() -> Result<Site, Unbuilt> {
    let nginx = Nginx::start_tight(user(), 12, &served("return 200 'Welcome';"), |_| Ok(()))?;
    let begun = |_| {
        let mut visitor = TcpStream::connect(nginx.http())?;
        visitor.write_all(b"GET / HTTP/1.1\r\nHost: www.example.com\r\n").map(|()| visitor)
    };
    let held = (0..30).map(begun).collect::<std::io::Result<Vec<_>>>()?;
    Ok(logged(nginx).keeping(held))
}

fn rewrite_loop() -> Result<Site, Unbuilt> {
    let content = "location / { try_files $uri /index.html; } location = /index.html { rewrite ^ /index.html last; }";
    Ok(logged(Nginx::start(&served(content))?))
}

/// Requests that are not answered hold two files each, so that those who come later get as far as nginx and no further.
fn files() -> Result<Site, Unbuilt> {
    let node = Node::start(
        "require('net').createServer((socket) => socket.on('error', () => {})).listen(@HTTP_PORT@, '127.0.0.1');",
    )?;
    let content =
        format!("location / {{ proxy_pass http://{0}; }} location /page {{ root @FOLDER@/documents; }}", node.http());
    let main = format!("{} worker_rlimit_nofile 24;", user());
    let nginx = Nginx::start_tight(&main, 200, &served(&content), |place| {
        let documents = place.folder().join("documents/page");
        std::fs::create_dir_all(&documents)?;
        std::fs::write(documents.join("index.html"), "<p>Welcome</p>")
    })?;
    let mut site = logged(nginx).keeping(node).asked("/cart");
    for _ in 0..8 {
        site = site.occupied("/stay")?;
    }
    Ok(site)
}

/// nginx in a mount namespace, with a file system of 64 KB for its cache, and an application whose page is larger.
fn cache() -> Result<Site, Unbuilt> {
    if crate::clinic::shell("unshare --mount --propagation private mount -t tmpfs none /mnt").is_err() {
        return Err(Unbuilt::Missing("this user may mount nothing".to_owned()));
    }
    let node = Node::start(
        "require('http').createServer((request, response) => {
           response.setHeader('content-length', 4000000); response.end('x'.repeat(4000000)); }).listen(@HTTP_PORT@, '127.0.0.1');",
    )?;
    let disk = TempDir::with_prefix("rayline-lab-")?;
    let mount = format!("mount -t tmpfs -o size=64k none {}; exec \"$@\"", disk.path().display());
    let behind = ["unshare", "--mount", "--propagation", "private", "sh", "-ec", &mount, "sh"].map(OsString::from);
    let at = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
    let cache = disk.path().display();
    let nginx = Web::start(
        &behind,
        &format!(
            "proxy_cache_path {cache} keys_zone=pages:1m use_temp_path=off;
             server {{ listen {at}; access_log @FOLDER@/visitors.log combined;
               location / {{ proxy_cache pages; proxy_cache_valid 200 1m; proxy_pass http://{}; }} }}",
            node.http()
        ),
    )?;
    let (errors, visitors) = (nginx.folder().join("error.log"), nginx.folder().join("visitors.log"));
    Ok(Site::at(at).log(errors).log(visitors).keeping(nginx).keeping(node).keeping(disk))
}

fn tls() -> Result<Site, Unbuilt> {
    let certificate = "ssl_certificate @FOLDER@/own.pem; ssl_certificate_key @FOLDER@/own.key;";
    let content = format!(
        "{} server {{ listen @HTTPS@ ssl; {certificate} return 200 'Welcome'; }}",
        served(
            "location / { proxy_pass https://@HTTPS@; proxy_ssl_verify on; proxy_ssl_name www.example.com;
               proxy_ssl_trusted_certificate @FOLDER@/root.pem; }"
        )
    );
    let nginx = Nginx::start_with(&content, |place| {
        let authority = crate::clinic::site::authority()?;
        authority.write_to(place.folder())?;
        authority.issue(rayline_testkit::Flaw::Expired, &["www.example.com"])?.write_to(place.folder(), "own").map(drop)
    })?;
    Ok(logged(nginx))
}

fn served(content: &str) -> String {
    format!("server {{ listen @HTTP@; access_log @FOLDER@/visitors.log combined; {content} }}")
}

fn user() -> &'static str {
    if crate::process::is_root() { "user root;" } else { "" }
}
