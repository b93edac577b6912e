//! Sites that nothing is wrong with, however they look.

use super::proxies::logged;
use super::{connections, networks, php};
use crate::clinic::case::{Case, Unbuilt, bare, nginx, rayline};
use crate::clinic::site::Site;
use crate::servers::{Nginx, Node};

pub(super) const CASES: &[Case] = &[
    Case::fine("healthy", "nothing", connections::healthy).seen(&[
        rayline(200).origin(),
        rayline(200).config(),
        rayline(200),
        nginx(200).origin(),
        nginx(200),
        bare(200),
    ]),
    Case::fine("healthy_php", "nothing; PHP is well", application)
        .seen(&[rayline(200).origin().logs(), nginx(200).logs()]),
    Case::fine("not_found", "nothing; the page does not exist", not_found).seen(&[
        rayline(404).origin().logs(),
        nginx(404).origin(),
        bare(404),
    ]),
    Case::fine("moved", "nothing; the page has moved to one that works", moved)
        .seen(&[rayline(302).origin(), nginx(302)]),
    Case::fine("unhurried", "nothing; answers take a second", unhurried).seen(&[rayline(200).origin(), nginx(200)]),
    Case::fine("locked", "nothing; the page asks for a password", locked).seen(&[rayline(401).origin(), nginx(401)]),
    Case::fine("no_content", "nothing; the answer is 204", no_content).seen(&[rayline(204).origin(), nginx(204)]),
    Case::fine("other_pages_fail", "nothing on this page; others failed, and the logs say so", others)
        .seen(&[rayline(200).origin().logs(), nginx(200).origin().logs()]),
    Case::fine(
        "upload_refused",
        "nothing on this page; an upload was too large for nginx, and its log says so",
        upload,
    )
    .seen(&[rayline(200).origin().logs(), nginx(200).origin().logs()]),
    Case::fine("long_address", "nothing; the address is longer than nginx takes", long_address)
        .seen(&[rayline(414).origin().logs(), nginx(414).origin()]),
    Case::fine("far", "nothing; the origin is behind a router", networks::reachable).seen(&[rayline(200).origin()]),
];

fn application() -> Result<Site, Unbuilt> {
    php::script("<?php\necho '<p>Welcome</p>', $undefined;\n", "", &[])
}

fn not_found() -> Result<Site, Unbuilt> {
    let nginx =
        Nginx::start("server { listen @HTTP@; access_log @FOLDER@/visitors.log combined; root @FOLDER@/documents; }")?;
    Ok(logged(nginx).asked("/no-such-page"))
}

fn moved() -> Result<Site, Unbuilt> {
    let nginx = Nginx::start(
        "server { listen @HTTP@; absolute_redirect off; default_type text/html;
           location = /old { return 302 /new; } location / { return 200 '<p>Welcome</p>'; } }",
    )?;
    Ok(Site::at(nginx.http()).asked("/old").keeping(nginx))
}

fn unhurried() -> Result<Site, Unbuilt> {
    let node = Node::start(
        "require('http').createServer((request, response) => setTimeout(() => {
           response.setHeader('content-type', 'text/html'); response.end('<p>Welcome</p>'); }, 1000)).listen(@HTTP_PORT@, '127.0.0.1');",
    )?;
    Ok(Site::at(node.http()).keeping(node))
}

fn locked() -> Result<Site, Unbuilt> {
    let nginx = Nginx::start(
        "server { listen @HTTP@; location / { add_header WWW-Authenticate 'Basic realm=\"shop\"' always; return 401 'no'; } }",
    )?;
    Ok(Site::at(nginx.http()).keeping(nginx))
}

fn no_content() -> Result<Site, Unbuilt> {
    let nginx = Nginx::start("server { listen @HTTP@; return 204; }")?;
    Ok(Site::at(nginx.http()).keeping(nginx))
}

/// The logs have a visitor's 502 and a missing picture in them before anybody looks.
fn others() -> Result<Site, Unbuilt> {
    let nginx = Nginx::start(
        "server { listen @HTTP@; access_log @FOLDER@/visitors.log combined; default_type text/html;
           location / { return 200 '<p>Welcome</p>'; } location /api { proxy_pass http://127.0.0.1:9; }
           location /pictures { root @FOLDER@/documents; } }",
    )?;
    let at = nginx.http();
    crate::clinic::shell(&format!(
        "for path in api/orders pictures/cat.jpg; do curl --silent --noproxy '*' --output /dev/null http://{at}/$path; done"
    ))?;
    Ok(logged(nginx))
}

/// A visitor's upload was answered 413 before anybody looks.
fn upload() -> Result<Site, Unbuilt> {
    let nginx = Nginx::start(
        "server { listen @HTTP@; access_log @FOLDER@/visitors.log combined; default_type text/html;
           client_max_body_size 1k; location / { return 200 '<p>Welcome</p>'; } }",
    )?;
    let form = "x".repeat(5000);
    let visit = format!("curl --silent --noproxy '*' --output /dev/null --data {form} http://{}/photo", nginx.http());
    crate::clinic::shell(&visit)?;
    Ok(logged(nginx))
}

fn long_address() -> Result<Site, Unbuilt> {
    let nginx = Nginx::start(
        "large_client_header_buffers 4 1k;
         server { listen @HTTP@; access_log @FOLDER@/visitors.log combined; return 200 'Welcome'; }",
    )?;
    Ok(logged(nginx).asked(&format!("/{}", "shoe-".repeat(400))))
}
