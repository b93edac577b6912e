//! nginx's own limits and mistakes.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::proxies::logged;
use crate::clinic::case::{Case, Unbuilt, bare, nginx, rayline};
use crate::clinic::site::Site;
use crate::net::Web;
use crate::process::{free_port, run};
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
    let held = (0..30).map(begun).collect::<io::Result<Vec<_>>>()?;
    Ok(logged(nginx).keeping(held))
}

fn rewrite_loop() -> Result<Site, Unbuilt> {
    let content = "location / { try_files $uri /index.html; } location = /index.html { rewrite ^ /index.html last; }";
    Ok(logged(Nginx::start(&served(content))?))
}

/// Requests that are not answered hold two files each. Then nginx may open one more: enough to hear those who come later,
/// and too few to ask the application for them.
fn files() -> Result<Site, Unbuilt> {
    let node = Node::start(
        "require('net').createServer((socket) => { socket.on('error', () => {}); socket.once('data', () => console.log('asked')); })
           .listen(@HTTP_PORT@, '127.0.0.1');",
    )?;
    let nginx = Nginx::start_tight(
        user(),
        200,
        &served(&format!("location / {{ proxy_pass http://{}; }}", node.http())),
        |_| Ok(()),
    )?;
    let worker = nginx.process().children()?.first().copied().ok_or_else(|| io::Error::other("nginx has no worker"))?;
    let mut site = logged(nginx).asked("/cart");
    for _ in 0..STAYING {
        site = site.occupied("/stay")?;
    }
    let deadline = Instant::now() + Duration::from_secs(20);
    while node.process().printed().lines().count() < STAYING {
        if Instant::now() > deadline {
            return Err(io::Error::other("nginx does not pass its requests on").into());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let open = files_of(worker)?;
    // The limit is on a file's number (getrlimit(2)), and the lowest that is free is given away first (open(2)).
    let second = (0..).filter(|number| !open.contains(number)).nth(1).unwrap_or_default();
    run(Command::new("prlimit").args([format!("--pid={worker}"), format!("--nofile={second}:{second}")]))?;
    Ok(site.keeping(node))
}

/// How many requests stay.
const STAYING: usize = 8;

/// The numbers of a process's open files: proc(5), `/proc/pid/fd`.
fn files_of(process: u32) -> io::Result<BTreeSet<u32>> {
    let files = std::fs::read_dir(format!("/proc/{process}/fd"))?;
    Ok(files.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect())
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
