//! Servers that die or freeze while they are asked.

use rayline_lab::servers::{Nginx, Place};

use super::scene::{Watched, blamed, edge, fine, nth_record, started};

#[test]
fn a_worker_killed_in_mid_answer_is_the_origins_and_the_visitor_notices() {
    let place = |place: &Place| {
        std::fs::write(place.folder().join("long"), vec![b'.'; 4 << 20])?;
        place.write("short", "hello\n").map(drop)
    };
    let server = "server { listen @HTTP@; root @FOLDER@; location /long { limit_rate 256k; } }";
    let Some(nginx) = started(Nginx::start_with(server, place)) else { return };
    let edge = edge(&nginx, "");
    let mut visitor = Watched::start(&edge.curl("/long"));
    visitor.until("........");
    nginx.kill_workers().unwrap();
    assert_eq!(visitor.end(), 18, "curl says of an answer that is cut short");
    let record = nth_record(&edge, 1);
    assert_eq!(record["VerdictCode"], "origin.receive.truncated", "{record:#}");
    assert_eq!(record["OriginResponseStatus"], 200, "{record:#}");
    assert_eq!(record["VerdictReached"], "yes", "{record:#}");
    // The master has started another worker.
    fine(edge.curl("/short"), 200);
}

#[test]
fn a_frozen_server_is_no_broken_network() {
    let Some(nginx) = started(Nginx::start("server { listen @HTTP@; return 200 'hello'; }")) else { return };
    let edge = edge(&nginx, "proxy_read_timeout = 1");
    fine(edge.curl("/"), 200);
    nginx.pause().unwrap();
    // On the kept connection, and on fresh ones, which the kernel takes for the server.
    for _ in 0..2 {
        let (_, record) = blamed(edge.curl("/"), 524, "origin.wait.timed_out");
        assert_eq!(record["VerdictReached"], "maybe", "{record:#}");
    }
    nginx.resume().unwrap();
    fine(edge.curl("/"), 200);
}
