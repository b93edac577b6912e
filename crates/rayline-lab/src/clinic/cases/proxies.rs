//! nginx as the origin's own web server, with an application behind it that fails.

use super::{ANY_502, ANY_504};
use crate::clinic::case::{Case, Unbuilt, nginx, rayline};
use crate::clinic::site::Site;
use crate::process::free_port;
use crate::servers::{Dnsmasq, Nginx, Node};

const STATUS: &str = "origin.wait.error_status";

pub(super) const CASES: &[Case] = &[
    Case::new("application_stopped", "the application behind the origin's nginx is stopped", refused, STATUS)
        .because(&["server.upstream_refused"], "connect() failed (111")
        .seen(&[rayline(502).origin().logs(), nginx(502).origin().logs(), nginx(502).origin(), nginx(502).or(ANY_502)]),
    Case::new("rotated_logs", "the application is stopped, and the logs that say so are rotated", rotated, STATUS)
        .because(&["server.upstream_refused"], "")
        .seen(&[rayline(502).origin().logs(), nginx(502).logs()]),
    Case::new("socket_missing", "the socket of the application is not there", no_socket, STATUS)
        .because(&["server.upstream_refused"], "failed (2: No such file or directory)")
        .seen(&[rayline(502).origin().logs(), nginx(502).origin().logs()]),
    Case::new("application_slow", "the application behind the origin's nginx is too slow for it", slow, STATUS)
        .because(&["server.upstream_timed_out"], "upstream timed out (110")
        .seen(&[rayline(504).origin().logs(), nginx(504).origin().logs(), nginx(504).or(ANY_504)]),
    Case::new("application_closes", "the application closes before it answers the origin's nginx", closes, STATUS)
        .because(&["server.upstream_closed"], "prematurely closed")
        .seen(&[rayline(502).origin().logs(), nginx(502).origin().logs()]),
    Case::new("big_cookie", "the application sends more header than the origin's nginx takes", big, STATUS)
        .because(&["server.header_too_big"], "too big header")
        .seen(&[rayline(502).origin().logs(), nginx(502).origin().logs(), nginx(502).origin()]),
    Case::new("invalid_header", "the application sends a header that is none", invalid, STATUS)
        .because(&["server.upstream_invalid"], "sent invalid header")
        .seen(&[rayline(502).origin().logs(), nginx(502).origin().logs()]),
    Case::new("name_of_application", "the origin's nginx finds no address for the application", unresolved, STATUS)
        .because(&["server.upstream_unresolved"], "could not be resolved")
        .seen(&[rayline(502).origin().logs(), nginx(502).origin().logs()]),
    Case::new("mode_of_socket", "the origin's nginx may not use the application's socket", denied, STATUS)
        .because(&["server.permission_denied"], "failed (13: Permission denied)")
        .seen(&[rayline(502).origin().logs(), nginx(502).origin().logs()]),
];

/// nginx before `upstream`, which it gives a second.
pub(super) fn before(upstream: &str, more: &str) -> Result<Site, Unbuilt> {
    let nginx = Nginx::start(&block(upstream, more))?;
    Ok(logged(nginx))
}

fn block(upstream: &str, more: &str) -> String {
    format!(
        "server {{ listen @HTTP@; access_log @FOLDER@/visitors.log combined; {more}
           location / {{ proxy_read_timeout 1s; proxy_pass {upstream}; }} }}"
    )
}

/// With the logs that every nginx has.
pub(super) fn logged(nginx: Nginx) -> Site {
    let folder = nginx.folder();
    let (errors, visitors) = (folder.join("error.log"), folder.join("visitors.log"));
    Site::at(nginx.http()).log(errors).log(visitors).keeping(nginx)
}

fn refused() -> Result<Site, Unbuilt> {
    before(&format!("http://127.0.0.1:{}", free_port()?), "")
}

/// A visitor's failure is in a log that was rotated and compressed since; the folder with everything in it is given.
fn rotated() -> Result<Site, Unbuilt> {
    let nginx = Nginx::start(&block(&format!("http://127.0.0.1:{}", free_port()?), ""))?;
    crate::clinic::shell(&format!(
        "curl --silent --noproxy '*' --output /dev/null http://{}/cart
         cd '{}'; for log in error visitors; do mv $log.log $log.log.1; gzip $log.log.1; done; kill -USR1 {}",
        nginx.http(),
        nginx.folder().display(),
        nginx.process().id(),
    ))?;
    let folder = nginx.folder().to_owned();
    Ok(Site::at(nginx.http()).log(folder).keeping(nginx))
}

fn no_socket() -> Result<Site, Unbuilt> {
    before("http://unix:@FOLDER@/shop.sock", "")
}

/// nginx before a handler of Node's.
fn handled(handler: &str) -> Result<Site, Unbuilt> {
    let script = format!(
        "require('http').createServer((request, response) => {{ {handler} }}).listen(@HTTP_PORT@, '127.0.0.1');"
    );
    let node = Node::start(&script)?;
    Ok(before(&format!("http://{}", node.http()), "")?.keeping(node))
}

fn slow() -> Result<Site, Unbuilt> {
    handled("setTimeout(() => response.end('at last'), 60000);")
}

fn closes() -> Result<Site, Unbuilt> {
    handled("request.socket.destroy();")
}

fn big() -> Result<Site, Unbuilt> {
    handled("response.setHeader('set-cookie', 'session=' + 'x'.repeat(12000)); response.end('ok');")
}

fn invalid() -> Result<Site, Unbuilt> {
    handled("request.socket.end('HTTP/1.1 200 OK\\r\\nno colon here\\r\\n\\r\\n');")
}

fn unresolved() -> Result<Site, Unbuilt> {
    let names = Dnsmasq::start(&[])?;
    let resolver = format!("resolver {} ipv6=off; set $shop shop.internal;", names.http());
    Ok(before("http://$shop:3000", &resolver)?.keeping(names))
}

/// The socket is root's, or nobody's; nginx's workers are others.
fn denied() -> Result<Site, Unbuilt> {
    let user = if crate::process::is_root() { "user nobody nogroup;" } else { "" };
    let nginx = Nginx::start_tight(user, 64, &block("http://unix:@FOLDER@/shop.sock", ""), |place| {
        let path = place.folder().join("shop.sock");
        drop(std::os::unix::net::UnixListener::bind(&path)?);
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o000))
    })?;
    Ok(logged(nginx))
}
