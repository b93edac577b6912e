//! HTTP/2 to real servers: agreed in the handshake, shared by many requests, and ended by the server as it likes.

use std::collections::HashSet;
use std::time::Duration;

use rayline_lab::program::{Rayline, Setup};
use rayline_lab::servers::{Nginx, Node, Place, Server};
use rayline_testkit::{Authority, Flaw};

use super::bodies::{LENGTH, downloads, long_body, uploaded};
use super::crowd::Crowd;
use super::scene::{Watched, blamed, fine, nth_record, started};

/// A certificate for every host of the zone, as `own.pem` and `own.key`.
fn certificate(place: &Place) -> std::io::Result<()> {
    Authority::new("Lab")?.issue(Flaw::SelfSigned, &["*.example.com"])?.write_to(place.folder(), "own").map(drop)
}

/// nginx that serves its folder and `hello` by HTTP/2, with these further lines in its `server`. `connections.log` has
/// the connection and the protocol of each request.
fn nginx(lines: &str) -> Option<Nginx> {
    let block = block(lines);
    started(Nginx::start_with(&block, |place| {
        certificate(place)?;
        std::fs::write(place.folder().join("long"), long_body())
    }))
}

fn block(lines: &str) -> String {
    format!(
        "log_format connections '$connection $server_protocol';
         server {{ listen @HTTP@; listen @HTTPS@ ssl http2; root @FOLDER@; client_max_body_size 0;
         ssl_certificate @FOLDER@/own.pem; ssl_certificate_key @FOLDER@/own.key;
         access_log @FOLDER@/access.log joined; access_log @FOLDER@/connections.log connections;
         location = / {{ return 200 'hello'; }} location = /slow {{ limit_rate 256k; try_files /long =404; }} {lines} }}"
    )
}

/// The edge in front of it by TLS whatever the visitor comes by.
#[track_caller]
fn edge(server: &Server, settings: &str) -> Rayline {
    let own = format!("origin_ca = [\"{}/own.pem\"]", server.folder().display());
    let settings = format!("ssl = \"origin_pull\"\n{settings}");
    let setup = Setup::new().server("threads = 1").server(&own);
    setup.origin(server.http(), server.https(), &settings).start().unwrap()
}

/// The protocols of nginx's requests, and over how many connections they came.
fn connections(nginx: &Nginx) -> (HashSet<String>, usize) {
    let log = nginx.file("connections.log");
    let lines = log.lines().filter_map(|line| line.split_once(' '));
    let (numbers, protocols): (HashSet<&str>, HashSet<String>) =
        lines.map(|(number, protocol)| (number, protocol.to_owned())).unzip();
    (protocols, numbers.len())
}

#[test]
fn many_visitors_share_few_connections() {
    let Some(nginx) = nginx("") else { return };
    let edge = edge(&nginx, "");
    let crowd = Crowd::start(edge.http().unwrap(), 16, |_| Duration::ZERO);
    crowd.served(400);
    crowd.was_happy();
    let (protocols, count) = connections(&nginx);
    assert_eq!(protocols, HashSet::from(["HTTP/2.0".to_owned()]));
    assert!(count <= 4, "{count} connections for 16 visitors");
    let (reply, _) = fine(edge.curl("/"), 200);
    let joined = format!("200 {} \"GET / HTTP/2.0\"", reply.field("cf-ray").unwrap());
    assert!(nginx.file("access.log").contains(&joined), "{joined}\n{}", nginx.file("access.log"));
}

#[test]
fn version_1_is_spoken_where_the_zone_says_so() {
    let Some(nginx) = nginx("") else { return };
    let edge = edge(&nginx, "origin_max_http_version = \"1\"");
    fine(edge.curl("/"), 200);
    assert_eq!(connections(&nginx).0, HashSet::from(["HTTP/1.1".to_owned()]));
}

#[test]
fn long_bodies_come_through_in_both_directions() {
    let Some(nginx) = nginx("location /put { dav_methods PUT; }") else { return };
    let edge = edge(&nginx, "");
    downloads(edge.curl("/long"));
    downloads(edge.curl("/long").http2());
    let file = edge.folder().join("upload");
    std::fs::write(&file, long_body()).unwrap();
    for (request, path) in [(edge.curl("/put1"), "put1"), (edge.curl("/put2").http2(), "put2")] {
        fine(request.arg("--upload-file").arg(file.to_string_lossy()), 201);
        assert!(std::fs::read(nginx.folder().join(path)).unwrap() == long_body());
    }
    assert_eq!(connections(&nginx).0, HashSet::from(["HTTP/2.0".to_owned()]));
}

#[test]
fn nobody_sees_a_server_say_goaway() {
    // After a hundred requests each connection is given up, and again at every reload.
    let lines = "keepalive_requests 100;";
    let Some(nginx) = nginx(lines) else { return };
    let edge = edge(&nginx, "");
    let crowd = Crowd::start(edge.http().unwrap(), 16, |_| Duration::ZERO);
    for _ in 0..3 {
        crowd.served(300);
        nginx.reload(&block(lines)).unwrap();
    }
    crowd.served(300);
    crowd.was_happy();
    assert!(connections(&nginx).1 >= 10, "{:?}", connections(&nginx));
}

#[test]
fn nobody_sees_a_kept_connection_time_out() {
    let Some(nginx) = nginx("keepalive_timeout 50ms;") else { return };
    let edge = edge(&nginx, "");
    let crowd = Crowd::start(edge.http().unwrap(), 2, |sent| Duration::from_millis(46 + (sent as u64 % 9)));
    crowd.served(150);
    crowd.was_happy();
}

#[test]
fn nobody_sees_a_server_that_takes_one_request_at_a_time() {
    let Some(nginx) = nginx("http2_max_concurrent_streams 1;") else { return };
    let edge = edge(&nginx, "");
    let crowd = Crowd::start(edge.http().unwrap(), 8, |_| Duration::ZERO);
    crowd.served(200);
    crowd.was_happy();
}

#[test]
fn a_killed_worker_cuts_every_answer_on_its_connection_short() {
    let Some(nginx) = nginx("") else { return };
    let edge = edge(&nginx, "");
    let mut visitors = [Watched::start(&edge.curl("/slow")), Watched::start(&edge.curl("/slow").http2())];
    for visitor in &mut visitors {
        visitor.until("content-length");
    }
    nginx.kill_workers().unwrap();
    let [first, second] = visitors;
    assert_eq!((first.end(), second.end()), (18, 92));
    for count in 1..=2 {
        let record = nth_record(&edge, count);
        assert!(record["VerdictCode"].as_str().unwrap().starts_with("origin.receive."), "{record:#}");
        assert_eq!(record["OriginResponseStatus"], 200, "{record:#}");
    }
    fine(edge.curl("/"), 200);
}

/// Node by HTTP/2, which breaks off in several ways.
const APP: &str = r#"
const fs = require('fs'), http2 = require('http2');
const files = { key: fs.readFileSync('@FOLDER@/own.key'), cert: fs.readFileSync('@FOLDER@/own.pem') };
const codes = http2.constants;
const app = http2.createSecureServer(files);
app.on('stream', (stream, head) => {
  stream.on('error', () => {});
  switch (head[':path']) {
    case '/reset': return stream.close(codes.NGHTTP2_INTERNAL_ERROR);
    case '/refused': return stream.close(codes.NGHTTP2_REFUSED_STREAM);
    case '/reset-later':
      stream.respond({ ':status': 200 });
      return stream.write('half a page', () => setImmediate(() => stream.destroy(new Error('broken'))));
    case '/goaway':
      stream.session.goaway(codes.NGHTTP2_ENHANCE_YOUR_CALM, stream.id);
      return setTimeout(() => process.kill(process.pid, 'SIGKILL'), 50);
    case '/count': {
      let count = 0;
      return stream.on('data', piece => count += piece.length).on('end', () => {
        stream.respond({ ':status': 200 }); stream.end(String(count));
      });
    }
    default: stream.respond({ ':status': 200 }); return stream.end('hello');
  }
});
app.listen(@HTTPS_PORT@, '127.0.0.1', () => require('net').createServer().listen(@HTTP_PORT@, '127.0.0.1'));
"#;

#[test]
fn each_way_to_break_off_is_told_apart() {
    let Some(node) = started(Node::start_with(APP, certificate)) else { return };
    let edge = edge(&node, "");
    fine(edge.curl("/"), 200);
    blamed(edge.curl("/reset"), 520, "origin.wait.http2_reset");
    blamed(edge.curl("/refused"), 520, "origin.wait.http2_refused_stream");
    let before = edge.log().unwrap().len();
    assert_eq!(edge.curl("/reset-later").send().unwrap().exit, 18);
    let record = nth_record(&edge, before + 1);
    assert_eq!(record["VerdictCode"], "origin.receive.http2_reset", "{record:#}");
    fine(edge.curl("/"), 200);
    assert_eq!(uploaded(&edge, edge.curl("/count")), LENGTH.to_string());
    // It says why it goes, and goes without an answer.
    let (_, record) = blamed(edge.curl("/goaway"), 520, "origin.wait.http2_goaway");
    assert_eq!(record["VerdictReached"], "maybe", "{record:#}");
    assert_eq!(record["VerdictEvidence"]["http2_error"]["name"], "ENHANCE_YOUR_CALM", "{record:#}");
}
