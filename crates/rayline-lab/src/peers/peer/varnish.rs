//! Varnish: a backend for each origin, and its two log readers beside it.

use std::io;

use super::{Log, Peer, Setup, Start, text_of};
use crate::peers::stage::Route;
use crate::process::find;
use crate::tools;

pub(super) const PEER: Peer = Peer {
    tool: tools::VARNISH,
    title: "Varnish",
    lacks,
    configure,
    access: Log { file: "access.log", title: "`varnishncsa`", read: access },
    second: Some(Log { file: "second.log", title: "`varnishlog`", read: second }),
    note: "`varnishncsa` writes two lines, the visitor's and the backend's, with `%{VSL:FetchError}x` among their fields; \
           `varnishlog` shows the records about fetches. Both are asked for at the time: the log is in shared memory.",
};

fn lacks(route: &Route) -> Option<&'static str> {
    if route.tls {
        Some("it speaks no TLS to origins")
    } else if route.is_named() {
        Some("it looks names up when its configuration is loaded, and refuses one that does not exist")
    } else {
        None
    }
}

fn configure(setup: &Setup) -> io::Result<Vec<Start>> {
    let name = |route: &Route| format!("origin_{}", route.fault.name.replace('-', "_"));
    let backend = |route: &Route| {
        format!(
            "backend {} {{ .host = \"{}\"; .port = \"{}\"; .connect_timeout = 2s; .first_byte_timeout = 2s; \
             .between_bytes_timeout = 2s; }}\n",
            name(route),
            route.origin,
            route.port
        )
    };
    let choice = |route: &Route| {
        format!("    if (req.http.host == \"{}\") {{ set req.backend_hint = {}; }}\n", route.host, name(route))
    };
    let text = format!("vcl 4.1;\n{}sub vcl_recv {{\n{}}}\n", setup.each(backend), setup.each(choice));
    let file = setup.write("default.vcl", &text)?;
    let folder = text_of(&setup.folder.join("varnish"));
    let visitors = setup.http.to_string();
    let reader = |program: &str, arguments: &[&str], output| -> io::Result<Start> {
        let program = find(program).ok_or_else(|| io::Error::other(format!("`{program}` is missing")))?;
        let mut words: Vec<String> = ["-n", &folder, "-t", "30"].map(str::to_owned).to_vec();
        words.extend(arguments.iter().map(|&word| word.to_owned()));
        Ok(Start { program: Some(program), arguments: words, output })
    };
    let format = "%{Host}i side=%{Varnish:side}x %s handling=%{Varnish:handling}x FetchError=%{VSL:FetchError}x";
    Ok(vec![
        Start::proxy(["-F", "-j", "none", "-n", &folder, "-a", &visitors, "-f", &file, "-s", "default,16m"]),
        reader("varnishncsa", &["-b", "-c", "-F", format], "access.log")?,
        reader("varnishlog", &["-g", "request", "-u", "-i", RECORDS], "second.log")?,
    ])
}

/// The records of a transaction that are about how fetching went.
const RECORDS: &str = "FetchError,Error,BogoHeader,LostHeader,HttpGarbage";

fn access(line: &str) -> Option<String> {
    line.split_once(' ').map(|(_, rest)| rest.to_owned())
}

/// `--  FetchError     http format error`
fn second(line: &str) -> Option<String> {
    let (_, record) = line.trim_start().split_once(' ')?;
    let (tag, text) = record.trim_start().split_once(' ')?;
    RECORDS.split(',').any(|wanted| wanted == tag).then(|| format!("{tag}: {}", text.trim()))
}
