//! HAProxy: a backend for each origin.

use std::io;

use super::{Log, PRINTED, Peer, Setup, Start, everything};
use crate::peers::essence::without_numbers;
use crate::peers::stage::Route;
use crate::tools;

pub(super) const PEER: Peer = Peer {
    tool: tools::HAPROXY,
    title: "HAProxy",
    lacks: everything,
    configure,
    access: Log { file: PRINTED, title: "log", read: access },
    second: None,
    note: "The line is `option httplog` with `%ts`, four times and the error of connection and TLS added. There is \
           no second log; `show errors` on its socket keeps the latest malformed answer of each backend, without a \
           request's identifier.",
};

fn configure(setup: &Setup) -> io::Result<Vec<Start>> {
    let backend = |route: &Route| {
        let Route { fault, host, origin, port, tls } = route;
        let tls = if *tls {
            let authority = setup.authority.display();
            format!("ssl verify required ca-file {authority} sni str({host}) verifyhost {host}")
        } else {
            String::new()
        };
        let lookup = if route.is_named() { "resolvers names init-addr none resolve-prefer ipv4" } else { "" };
        format!("backend {}\n    server origin {origin}:{port} {tls} {lookup}\n", fault.name)
    };
    let text = format!(
        "global
    log stdout format raw local0
defaults
    mode http
    log global
    retries 0
    timeout connect 2s
    timeout server 2s
    timeout client 20s
resolvers names
    nameserver local {dns}
    resolve_retries 1
    timeout resolve 1s
    timeout retry 1s
frontend visitors
    bind {http}
    http-request set-var(txn.host) req.hdr(host)
    log-format \"%[var(txn.host)] %ST %ts Tq=%Tq Tw=%Tw Tc=%Tc Tr=%Tr bc_err=%[bc_err] bc_err_str=%[bc_err_str] \
ssl_bc_err_str=%[ssl_bc_err_str] server=%s\"
    use_backend %[req.hdr(host),word(1,.)]
{backends}",
        http = setup.http,
        dns = setup.dns,
        backends = setup.each(backend),
    );
    Ok(vec![Start::proxy(["-db".to_owned(), "-f".to_owned(), setup.write("haproxy.cfg", &text)?])])
}

/// Of times it matters only whether there is one: `-1` says that it did not come that far.
fn access(line: &str) -> Option<String> {
    let (_, rest) = line.split_once(' ')?;
    let is_time = |word: &str| word.starts_with('T') && word.contains('=');
    let words = rest.split(' ').map(|word| if is_time(word) { without_numbers(word) } else { word.to_owned() });
    Some(words.collect::<Vec<_>>().join(" "))
}
