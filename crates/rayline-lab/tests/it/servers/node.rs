//! Node by itself and behind nginx: lengths that are not true, and events that must not wait.

use std::time::Duration;

use rayline_lab::servers::{Nginx, Node};

use super::scene::{Watched, blamed, edge, fine, nth_record, started};

/// Wrong lengths of a good gzip stream, and events, of which the next is sent when somebody asks for `/next`.
pub(super) const APP: &str = r#"
const page = require('zlib').gzipSync('hello from Node\n'.repeat(100));
let next = () => {};
const server = require('http').createServer((request, response) => {
  const gzip = length => response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': length }).end(page);
  switch (request.url) {
    case '/right': return gzip(page.length);
    case '/long': return gzip(page.length + 100);
    case '/short': return gzip(page.length - 10);
    case '/events':
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      let count = 0;
      next = () => response.write(`data: event ${++count}\n\n`);
      return next();
    case '/next': next(); return response.end('sent');
    case '/hints': return response.writeEarlyHints({ link: '</style.css>; rel=preload' }, () => response.end('page'));
    case '/crash': return setImmediate(() => { throw new Error('nobody catches this'); });
    default: return response.writeHead(404).end();
  }
});
server.keepAliveTimeout = 200;
server.listen(@HTTP_PORT@, '127.0.0.1');
"#;

#[test]
fn a_gzip_body_longer_than_it_is_was_cut_short() {
    let Some(node) = started(Node::start(APP)) else { return };
    let edge = edge(&node, "proxy_read_timeout = 10");
    let (reply, _) = fine(edge.curl("/right").arg("--compressed"), 200);
    assert_eq!(reply.text(), "hello from Node\n".repeat(100));
    let reply = edge.curl("/long").send().unwrap();
    assert_eq!((reply.exit, reply.status), (18, 200), "{reply:?}");
    let record = nth_record(&edge, 2);
    assert_eq!(record["VerdictCode"], "origin.receive.truncated", "{record:#}");
}

#[test]
fn what_follows_a_body_that_is_too_long_is_no_answer_to_somebody_else() {
    let Some(node) = started(Node::start(APP)) else { return };
    let edge = edge(&node, "");
    for _ in 0..3 {
        // Nobody but the visitor's gzip can know that ten bytes are missing.
        fine(edge.curl("/short"), 200);
        let (reply, _) = fine(edge.curl("/right").arg("--compressed"), 200);
        assert_eq!(reply.text(), "hello from Node\n".repeat(100));
    }
}

#[test]
fn events_arrive_when_they_are_sent() {
    let Some(node) = started(Node::start(APP)) else { return };
    let edge = edge(&node, "");
    let mut events = Watched::start(&edge.curl("/events"));
    for count in 1..=5 {
        // The next one is not sent before this one was seen.
        events.until(&format!("data: event {count}\n\n"));
        fine(edge.curl("/next"), 200);
    }
}

#[test]
fn early_hints_come_before_the_page() {
    let Some(node) = started(Node::start(APP)) else { return };
    let edge = edge(&node, "");
    let (reply, _) = fine(edge.curl("/hints"), 200);
    let [hints] = reply.interim.as_slice() else { panic!("{reply:?}") };
    assert!(hints.starts_with("HTTP/1.1 103 ") && hints.contains("</style.css>; rel=preload"), "{hints}");
    assert_eq!(reply.text(), "page");
}

#[test]
fn a_process_that_crashes_answers_nobody_and_then_is_gone() {
    let Some(mut node) = started(Node::start(APP)) else { return };
    let edge = edge(&node, "");
    let (_, record) = blamed(edge.curl("/crash"), 520, "origin.wait.closed_empty");
    assert_eq!(record["VerdictReached"], "maybe", "{record:#}");
    node.process_mut().wait(Duration::from_secs(10)).unwrap();
    let (_, record) = blamed(edge.curl("/right"), 521, "origin.connect.refused");
    assert_eq!(record["VerdictReached"], "no", "{record:#}");
}

#[test]
fn nginx_and_node_in_a_row_are_one_origin() {
    let Some(node) = started(Node::start(APP)) else { return };
    let to_node = format!("server {{ listen @HTTP@; location / {{ proxy_pass http://{}; }} }}", node.http());
    let Some(nginx) = started(Nginx::start(&to_node)) else { return };
    let edge = edge(&nginx, "");
    let (reply, _) = fine(edge.curl("/right").arg("--compressed"), 200);
    assert_eq!(reply.text(), "hello from Node\n".repeat(100));
    fine(edge.curl("/missing"), 404);
}
