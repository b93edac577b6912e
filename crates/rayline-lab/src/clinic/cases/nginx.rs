//! nginx's own limits and mistakes.

use std::io::Write as _;
use std::net::TcpStream;

use super::proxies::logged;
use crate::clinic::case::{Case, Unbuilt, bare, nginx, rayline};
use crate::clinic::site::Site;
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
