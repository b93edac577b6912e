//! Applications in Node, Python and Java: their own mistakes, and those of what they need.

use std::net::{Ipv4Addr, TcpListener};

use super::proxies::logged;
use crate::clinic::case::{Case, Unbuilt, bare, nginx, rayline};
use crate::clinic::site::Site;
use crate::process::free_port;
use crate::servers::{Dnsmasq, Gunicorn, Nginx, Node, Place, Tomcat};

const STATUS: &str = "origin.wait.error_status";
const REFUSED: &str = "origin.connect.refused";

pub(super) const CASES: &[Case] = &[
    Case::new("node_crashed", "an exception that nobody catches ended the Node application", crashed, REFUSED)
        .because(&["app.exception"], "TypeError")
        .seen(&[rayline(521).origin().logs(), nginx(502).origin().logs()]),
    Case::new(
        "node_crashes",
        "each request ends a worker of the Node application",
        crashing,
        "origin.wait.closed_empty",
    )
    .because(&["app.exception"], "TypeError")
    .seen(&[
        rayline(520).origin().logs().also(&["origin.connect.refused"]),
        nginx(502).origin().logs().also(&["origin.connect.refused"]),
    ]),
    Case::new("node_exception", "the Node application logs an exception and answers 500", caught, STATUS)
        .because(&["app.exception"], "TypeError")
        .seen(&[rayline(500).origin().logs(), nginx(500).origin().logs(), bare(500).logs()]),
    Case::new("node_heap", "the Node application needs more memory than it may have", heap, REFUSED)
        .because(&["app.out_of_memory"], "heap out of memory")
        .seen(&[rayline(521).origin().logs(), nginx(502).origin().logs()]),
    Case::new("node_module", "the Node application needs a module that is not installed", module, REFUSED)
        .because(&["app.module_missing"], "Cannot find module")
        .seen(&[rayline(521).origin().logs(), nginx(502).origin().logs()]),
    Case::new("node_environment", "the Node application misses an environment variable", environment, REFUSED)
        .because(&["app.environment"], "SESSION_SECRET")
        .seen(&[rayline(521).origin().logs()]),
    Case::new("node_port_taken", "another program has the port that the Node application wants", taken, STATUS)
        .because(&["app.port_taken", "server.upstream_refused"], "EADDRINUSE")
        .seen(&[rayline(502).origin().logs(), nginx(502).origin().logs()]),
    Case::new("node_names", "the Node application cannot look up a name", names, STATUS)
        .because(&["dns.failed"], "ENOTFOUND")
        .seen(&[rayline(500).origin().logs()]),
    Case::new("third_party_slow", "a service that the Node application calls does not answer", slow_service, STATUS)
        .because(&["third_party.timed_out"], "TimeoutError")
        .seen(&[rayline(500).origin().logs(), nginx(500).origin().logs()]),
    Case::new("third_party_down", "a service that the Node application calls is down", service_down, STATUS)
        .because(&["third_party.failed"], "ECONNREFUSED")
        .seen(&[nginx(500).origin().logs()]),
    Case::new("gunicorn_timeout", "Gunicorn ends a worker that takes too long", timeout, "origin.wait.closed_empty")
        .because(&["app.worker_timeout"], "WORKER TIMEOUT")
        .seen(&[rayline(520).origin().logs(), nginx(502).origin().logs()]),
    Case::new("python_exception", "a Python application raises what nobody catches", exception, STATUS)
        .because(&["app.exception"], "KeyError: 'price'")
        .seen(&[rayline(500).origin().logs(), nginx(500).origin().logs()]),
    Case::new("python_memory", "a Python application needs more memory than it may have", shortage, STATUS)
        .because(&["app.out_of_memory"], "MemoryError")
        .seen(&[rayline(500).origin().logs(), nginx(500).origin().logs()]),
    Case::new("python_module", "a Python application needs a module that is not installed", import, REFUSED)
        .because(&["app.module_missing"], "ModuleNotFoundError")
        .seen(&[rayline(521).origin().logs(), nginx(502).origin().logs()]),
    Case::new("python_environment", "a Python application misses an environment variable", setting, REFUSED)
        .because(&["app.environment", "app.exception"], "KeyError: 'DATABASE_URL'")
        .seen(&[rayline(521).origin().logs()]),
    Case::new("java_exception", "a Java application throws what nobody catches", java, STATUS)
        .because(&["app.exception"], "NullPointerException")
        .seen(&[rayline(500).origin().logs(), nginx(500).origin().logs()]),
];

/// Functions, so that traces have something to show.
const FUNCTIONS: &str = "function total(order) {\n  return order.items.length * 3;\n}\n";

/// Node's HTTP server with this as its handler of `request` and `response`.
fn node(handler: &str) -> Result<Node, Unbuilt> {
    let script = format!(
        "{FUNCTIONS}require('http').createServer(async (request, response) => {{\n{handler}\n}})\
         .listen(@HTTP_PORT@, '127.0.0.1');\n"
    );
    Ok(Node::start(&script)?)
}

/// A running application with what it printed for a log.
fn running(node: Node) -> Site {
    Site::at(node.http()).log(node.folder().join("printed.log")).keeping(node)
}

/// An application that has ended, with what it printed for a log.
fn ended(place: Place) -> Site {
    Site::at(place.http()).log(place.folder().join("printed.log")).keeping(place)
}

/// An application that its first visitor ends.
fn first_visitor_ends(mut node: Node) -> Result<Site, Unbuilt> {
    let visit = format!("curl --silent --noproxy '*' --max-time 20 http://{}/cart || true", node.http());
    crate::clinic::shell(&visit)?;
    node.process_mut().wait(std::time::Duration::from_secs(20))?;
    Ok(running(node))
}

fn crashed() -> Result<Site, Unbuilt> {
    let script = format!(
        "{FUNCTIONS}require('http').createServer((request, response) => {{\n  if (request.url === '/cart') total({{}});\n  \
         response.end('Welcome');\n}}).listen(@HTTP_PORT@, '127.0.0.1');\n"
    );
    first_visitor_ends(Node::start(&script)?)
}

fn crashing() -> Result<Site, Unbuilt> {
    let script = format!(
        "{FUNCTIONS}const cluster = require('cluster');
if (cluster.isPrimary) {{
  for (let i = 0; i < 5; i++) cluster.fork();
  cluster.on('exit', () => cluster.fork());
}} else {{
  require('http').createServer((request, response) => {{ if (request.url === '/cart') total({{}}); response.end('ok'); }})
    .listen(@HTTP_PORT@, '127.0.0.1');
}}\n"
    );
    Ok(running(Node::start(&script)?).asked("/cart"))
}

pub(super) fn caught() -> Result<Site, Unbuilt> {
    let handler = "  try { total({}); response.end('Welcome'); } catch (error) {\n    console.error(error);\n    \
                   response.statusCode = 500;\n    response.end('Internal Server Error');\n  }";
    Ok(running(node(handler)?))
}

fn heap() -> Result<Site, Unbuilt> {
    let script = "require('http').createServer((request, response) => {
  if (request.url !== '/cart') return response.end('Welcome');
  const all = [];
  for (;;) all.push({ text: 'x' + all.length, numbers: [all.length] });
}).listen(@HTTP_PORT@, '127.0.0.1');\n";
    first_visitor_ends(Node::start_behind("export NODE_OPTIONS=--max-old-space-size=24", script, |_| Ok(()))?)
}

fn module() -> Result<Site, Unbuilt> {
    Ok(ended(Node::run("const express = require('express-of-the-shop');\n")?))
}

fn environment() -> Result<Site, Unbuilt> {
    let script = "if (!process.env.SESSION_SECRET) {
  throw new Error('Missing required environment variable SESSION_SECRET');
}\n";
    Ok(ended(Node::run(script)?))
}

/// nginx looks for it where it would be, had it the port that it wants.
fn taken() -> Result<Site, Unbuilt> {
    let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let script =
        format!("require('http').createServer(() => {{}}).listen({}, '127.0.0.1');\n", other.local_addr()?.port());
    let place = Node::run(&script)?;
    let nginx = Nginx::start(&format!(
        "server {{ listen @HTTP@; access_log @FOLDER@/visitors.log combined; location / {{ proxy_pass http://127.0.0.1:{}; }} }}",
        free_port()?
    ))?;
    Ok(logged(nginx).log(place.folder().join("printed.log")).keeping(place).keeping(other))
}

/// A handler that awaits this, and answers 500 when it fails.
fn awaiting(what: &str) -> Result<Site, Unbuilt> {
    let handler = format!(
        "  try {{ await {what}; response.end('Welcome'); }} catch (error) {{\n    console.error(error);\n    \
         response.statusCode = 500;\n    response.end('Internal Server Error');\n  }}"
    );
    Ok(running(node(&handler)?))
}

fn names() -> Result<Site, Unbuilt> {
    let names = Dnsmasq::start(&[])?;
    let resolver = format!(
        "(() => {{ const names = new (require('dns').promises.Resolver)(); names.setServers(['{}']); \
         return names.resolve4('database.internal'); }})()",
        names.http()
    );
    Ok(awaiting(&resolver)?.keeping(names))
}

/// Whoever connects waits in the kernel's queue.
fn slow_service() -> Result<Site, Unbuilt> {
    let service = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let call = format!("fetch('http://{}/rates', {{ signal: AbortSignal.timeout(500) }})", service.local_addr()?);
    Ok(awaiting(&call)?.keeping(service))
}

fn service_down() -> Result<Site, Unbuilt> {
    awaiting(&format!("fetch('http://127.0.0.1:{}/rates')", free_port()?))
}

/// A WSGI application with this in it.
fn gunicorn(body: &str, options: &[&str]) -> Result<Site, Unbuilt> {
    let source = format!(
        "import time\n\ndef total(cart):\n    return sum(item['price'] for item in cart)\n\ndef app(environ, start_response):\n    \
         {body}\n    start_response('200 OK', [('Content-Length', '2')])\n    return [b'ok']\n"
    );
    let gunicorn = Gunicorn::start(&source, options)?;
    Ok(Site::at(gunicorn.http()).log(gunicorn.folder().join("error.log")).keeping(gunicorn))
}

fn timeout() -> Result<Site, Unbuilt> {
    gunicorn("time.sleep(60)", &["--timeout", "1", "--workers", "4"])
}

pub(super) fn exception() -> Result<Site, Unbuilt> {
    gunicorn("total([{'prize': 3}])", &["--workers", "1"])
}

fn shortage() -> Result<Site, Unbuilt> {
    let limit =
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (400 << 20, 400 << 20)); rows = bytearray(1 << 30)";
    gunicorn(limit, &["--workers", "1"])
}

/// A WSGI application that cannot start.
fn unstartable(source: &str) -> Result<Site, Unbuilt> {
    let place = Gunicorn::run(source)?;
    Ok(Site::at(place.http()).log(place.folder().join("error.log")).keeping(place))
}

fn import() -> Result<Site, Unbuilt> {
    unstartable("import flask_of_the_shop\n\napp = flask_of_the_shop.Flask(__name__)\n")
}

fn setting() -> Result<Site, Unbuilt> {
    unstartable(
        "import os\n\nDATABASE_URL = os.environ['DATABASE_URL']\n\ndef app(environ, start_response):\n    return []\n",
    )
}

fn java() -> Result<Site, Unbuilt> {
    let page = "<% String coupon = request.getParameter(\"coupon\"); out.print(coupon.length()); %>";
    let tomcat = Tomcat::start(&[("cart.jsp", page)])?;
    Ok(Site::at(tomcat.http()).asked("/cart.jsp").log(tomcat.folder().join("printed.log")).keeping(tomcat))
}
