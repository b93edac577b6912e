//! Answers that do not come, come late, or come broken: from Node, with nothing but an edge in front.

use rayline_testkit::Flaw;

use super::{ANY_5XX, ANY_502, ANY_504};
use crate::clinic::case::{Case, Edge, Unbuilt, View, bare, nginx, rayline};
use crate::clinic::site::{Site, authority};
use crate::servers::{Nginx, Node};

pub(super) const CASES: &[Case] = &[
    Case::new("slow_application", "the application takes a minute for an answer", slow, "origin.wait.timed_out")
        .seen(&[rayline(524).origin(), rayline(524), nginx(504).origin(), nginx(504).or(ANY_504)]),
    Case::new(
        "closes_without_a_byte",
        "the application closes every connection unanswered",
        closes,
        "origin.wait.closed_empty",
    )
    .seen(&[rayline(520).origin(), rayline(520), nginx(502).origin(), nginx(502).or(ANY_502), bare(0).origin()]),
    Case::new("resets", "the application resets every connection", resets, "origin.wait.reset")
        .seen(&[rayline(520).origin(), nginx(502).origin()]),
    Case::new("header_too_large", "the application sends 200 KB of header", header, "origin.wait.header_too_large")
        .seen(&[rayline(520).origin(), rayline(520), nginx(502).origin()]),
    Case::new("truncated", "the application dies in the middle of its answer", truncated, "origin.receive.truncated")
        .seen(&[rayline(200).origin(), nginx(200).origin()]),
    Case::new(
        "not_http",
        "another program than a web server listens at the origin's port",
        not_http,
        "origin.wait.not_http",
    )
    .seen(&[rayline(520).origin(), rayline(520), nginx(0).origin()]),
    Case::new(
        "intermittent",
        "one of three application servers fails every request",
        intermittent,
        "origin.wait.error_status",
    )
    .seen(&[rayline(500).origin(), nginx(500).origin()]),
    Case::new("one_path", "one page of the site fails, the others are fine", one_path, "origin.wait.error_status")
        .seen(&[rayline(500).origin(), rayline(500).or(ANY_5XX), nginx(500).origin(), nginx(500).or(ANY_5XX)]),
    Case::new(
        "one_host",
        "the origin serves other hosts well, and fails this one",
        one_host,
        "origin.wait.error_status",
    )
    .seen(&[rayline(503).origin(), nginx(503).origin()]),
    Case::new("blank", "the application answers 200 without a byte of page", blank, "origin.wait.blank").seen(&[
        rayline(200).origin(),
        nginx(200).origin(),
        bare(200).origin(),
        nginx(200).or(&["edge.reply.error_status"]),
    ]),
    Case::new("only_http2", "the edge fails whatever comes over HTTP/2", fine, "edge.reply.error_status")
        .seen(&[View::new(Edge::NginxWithoutHttp2, 500).origin().guess()]),
    Case::new("maintenance", "the site is in maintenance", maintenance, "origin.wait.error_status")
        .because(&["server.maintenance"], "")
        .seen(&[rayline(503).origin(), nginx(503).origin(), bare(503).origin()]),
    Case::new(
        "broken_http2",
        "the site resets every stream of HTTP/2, and is fine over HTTP/1.1",
        http2,
        "origin.wait.http2_reset",
    )
    .seen(&[bare(0).origin(), bare(0).or(&["edge.reply.error_status", "origin.wait.http2_protocol_error"])]),
    Case::new("wordpress_database", "WordPress says that it has no database", wordpress, "origin.wait.error_status")
        .because(&["database.refused"], "")
        .seen(&[rayline(500).origin(), nginx(500).origin(), nginx(500).or(ANY_5XX)]),
    Case::new("return_444", "nginx is told to close without an answer", return_444, "origin.wait.closed_empty")
        .seen(&[rayline(520).origin(), nginx(502).origin()]),
];

/// Node's HTTP server with this as its handler of `request` and `response`.
fn http(handler: &str) -> Result<Site, Unbuilt> {
    node(&format!(
        "require('http').createServer((request, response) => {{ {handler} }}).listen(@HTTP_PORT@, '127.0.0.1');"
    ))
}

/// A TCP server of Node's with this as its handler of `socket`, once a request's head is there.
fn tcp(handler: &str) -> Result<Site, Unbuilt> {
    node(&format!(
        "require('net').createServer((socket) => {{ let head = ''; socket.on('error', () => {{}});
           socket.on('data', (data) => {{ head += data; if (!head.includes('\\r\\n\\r\\n')) return; {handler} }}); }})
           .listen(@HTTP_PORT@, '127.0.0.1');"
    ))
}

fn node(script: &str) -> Result<Site, Unbuilt> {
    let node = Node::start(script)?;
    Ok(Site::at(node.http()).keeping(node))
}

fn slow() -> Result<Site, Unbuilt> {
    Ok(http("setTimeout(() => response.end('at last'), 60000);")?.awaited(2))
}

fn closes() -> Result<Site, Unbuilt> {
    http("request.socket.destroy();")
}

fn resets() -> Result<Site, Unbuilt> {
    http("request.socket.resetAndDestroy();")
}

fn header() -> Result<Site, Unbuilt> {
    http("for (let i = 0; i < 50; i++) response.setHeader('x-trace-' + i, 'x'.repeat(4000)); response.end('ok');")
}

fn truncated() -> Result<Site, Unbuilt> {
    http(
        "response.writeHead(200, { 'content-type': 'text/html', 'content-length': 5000 });
        response.write('<p>half a page'); setTimeout(() => request.socket.destroy(), 30);",
    )
}

fn not_http() -> Result<Site, Unbuilt> {
    tcp("socket.end('220 mail.example.com ESMTP ready\\r\\n500 unrecognized command\\r\\n');")
}

fn intermittent() -> Result<Site, Unbuilt> {
    let nginx = Nginx::start(
        "upstream shop { server unix:@FOLDER@/1; server unix:@FOLDER@/2; server unix:@FOLDER@/3; }
         server { listen unix:@FOLDER@/1; listen unix:@FOLDER@/2; default_type text/html; return 200 '<p>Welcome</p>'; }
         server { listen unix:@FOLDER@/3; default_type text/html; return 500 '<p>the shop is broken</p>'; }
         server { listen @HTTP@; location / { proxy_pass http://shop; } }",
    )?;
    Ok(Site::at(nginx.http()).visited(3).keeping(nginx))
}

fn one_path() -> Result<Site, Unbuilt> {
    let site = http(
        "if (request.url === '/') return response.end('<p>Welcome</p>');
         response.statusCode = 500; response.setHeader('content-type', 'text/html'); response.end('<h1>Oops</h1>');",
    )?;
    Ok(site.asked("/checkout"))
}

fn one_host() -> Result<Site, Unbuilt> {
    let nginx = Nginx::start(
        "server { listen @HTTP@ default_server; return 200 'Welcome'; }
         server { listen @HTTP@; server_name www.example.com; return 503; }",
    )?;
    Ok(Site::at(nginx.http()).keeping(nginx))
}

fn blank() -> Result<Site, Unbuilt> {
    http(
        "response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'content-length': 0 }); response.end();",
    )
}

fn fine() -> Result<Site, Unbuilt> {
    http("response.setHeader('content-type', 'text/html'); response.end('<p>Welcome</p>');")
}

fn http2() -> Result<Site, Unbuilt> {
    let script = "const fs = require('fs');
        const options = { allowHTTP1: true, cert: fs.readFileSync('@FOLDER@/own.pem'), key: fs.readFileSync('@FOLDER@/own.key') };
        require('http2').createSecureServer(options, (request, response) => {
          if (request.httpVersionMajor === 2) return request.stream.close(2);
          response.setHeader('content-type', 'text/html'); response.end('<p>Welcome</p>');
        }).listen(@HTTP_PORT@, '127.0.0.1');";
    let node = Node::start_with(script, |place| {
        authority()?.issue(Flaw::None, &["www.example.com"])?.write_to(place.folder(), "own").map(drop)
    })?;
    Ok(Site::tls_at(node.http()).keeping(node))
}

/// The page that WordPress shows when it cannot connect, as far as visitors see it.
fn wordpress() -> Result<Site, Unbuilt> {
    http(
        "response.statusCode = 500; response.setHeader('content-type', 'text/html; charset=utf-8');
        response.end('<!DOCTYPE html><html><head><title>Database Error</title></head><body id=\"error-page\">' +
          '<div class=\"wp-die-message\"><h1>Error establishing a database connection</h1></div></body></html>');",
    )
}

fn maintenance() -> Result<Site, Unbuilt> {
    let nginx = Nginx::start(
        "server { listen @HTTP@; error_page 503 @maintenance; location / { return 503; }
         location @maintenance { default_type text/html; add_header Retry-After 3600 always;
           return 503 '<h1>Down for maintenance</h1><p>We are back soon.</p>'; } }",
    )?;
    Ok(Site::at(nginx.http()).keeping(nginx))
}

fn return_444() -> Result<Site, Unbuilt> {
    let nginx = Nginx::start("server { listen @HTTP@; return 444; }")?;
    Ok(Site::at(nginx.http()).keeping(nginx))
}
