//! HTTP/2 from visitors, in front of servers that speak HTTP/1.1.

use std::process::Command;

use rayline_lab::program::{HOST, Rayline};
use rayline_lab::servers::{Nginx, Node, Place, installed};

use super::scene::{Watched, edge, fine, nth_record, passed, started};

/// Requests by `h2load` over some connections with ten at a time on each; whether all were answered with 2xx.
fn load(edge: &Rayline, requests: usize) -> Option<Command> {
    let program = started(installed("h2load", "nghttp2-client"))?;
    let address = edge.https().unwrap();
    let mut command = Command::new(program);
    command.args(["-n", &requests.to_string(), "-c", "4", "-m", "10"]);
    command.arg(format!("--connect-to={address}")).arg(format!("https://{HOST}/"));
    Some(command)
}

#[test]
fn a_visitor_by_http2_gets_what_a_visitor_by_http1_gets() {
    let server = "server { listen @HTTP@; root @FOLDER@; location = /maintenance { return 503 'back at noon'; } }";
    let page = |place: &Place| place.write("index.html", "hello from nginx\n").map(drop);
    let Some(nginx) = started(Nginx::start_with(server, page)) else { return };
    let edge = edge(&nginx, "");
    let (reply, record) = fine(edge.curl("/").http2(), 200);
    assert_eq!((reply.version.as_str(), reply.text().as_str()), ("2", "hello from nginx\n"));
    assert_eq!(record["ClientRequestProtocol"], "HTTP/2", "{record:#}");
    let joined = format!("200 {} \"GET / HTTP/1.1\"", reply.field("cf-ray").unwrap());
    assert!(nginx.file("access.log").contains(&joined), "{joined}\n{}", nginx.file("access.log"));
    let (reply, _) = passed(edge.curl("/maintenance").http2(), 503);
    assert_eq!(reply.text(), "back at noon");
}

#[test]
fn events_and_hints_arrive_when_they_are_sent() {
    let Some(node) = started(Node::start(super::node::APP)) else { return };
    let edge = edge(&node, "");
    let mut events = Watched::start(&edge.curl("/events").http2());
    for count in 1..=5 {
        events.until(&format!("data: event {count}\n\n"));
        fine(edge.curl("/next").http2(), 200);
    }
    let (reply, _) = fine(edge.curl("/hints").http2(), 200);
    assert!(reply.interim.iter().any(|head| head.starts_with("HTTP/2 103")), "{reply:?}");
}

#[test]
fn a_worker_killed_in_mid_answer_ends_the_stream_with_an_error() {
    let long = |place: &Place| std::fs::write(place.folder().join("long"), vec![b'.'; 4 << 20]);
    let server = "server { listen @HTTP@; root @FOLDER@; limit_rate 256k; }";
    let Some(nginx) = started(Nginx::start_with(server, long)) else { return };
    let edge = edge(&nginx, "");
    let mut visitor = Watched::start(&edge.curl("/long").http2());
    visitor.until("........");
    nginx.kill_workers().unwrap();
    assert_eq!(visitor.end(), 92, "curl says of a stream that was reset");
    let record = nth_record(&edge, 1);
    assert_eq!(record["VerdictCode"], "origin.receive.truncated", "{record:#}");
    assert_eq!(record["OriginResponseStatus"], 200, "{record:#}");
}

#[test]
fn nobody_sees_nginx_reload() {
    let block = "server { listen @HTTP@; location / { return 200 'hello'; } }";
    let Some(nginx) = started(Nginx::start(block)) else { return };
    let edge = edge(&nginx, "");
    let Some(mut load) = load(&edge, 1000) else { return };
    let load = load.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null()).spawn().unwrap();
    for reload in 1..4 {
        edge.log_until(|log| (log.len() > reload * 200).then_some(())).unwrap();
        nginx.reload(block).unwrap();
    }
    let said = String::from_utf8_lossy(&load.wait_with_output().unwrap().stdout).into_owned();
    assert!(said.contains("1000 succeeded, 0 failed, 0 errored, 0 timeout"), "{said}");
    assert!(said.contains("status codes: 1000 2xx"), "{said}");
    let failures = edge.stop().unwrap().into_iter().find(|line| line.get("VerdictCode").is_some());
    assert_eq!(failures, None);
}
