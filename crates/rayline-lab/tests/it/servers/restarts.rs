//! Restarts and time-outs of kept connections under load, which no visitor may notice.

use std::time::Duration;

use rayline_lab::servers::{Apache, Gunicorn, Nginx};

use super::crowd::Crowd;
use super::scene::{edge, started};

/// How often a server is restarted.
const RESTARTS: usize = 5;

const AT_ONCE: fn(usize) -> Duration = |_| Duration::ZERO;

#[test]
fn nobody_sees_nginx_reload() {
    let block = "server { listen @HTTP@; location / { return 200 'hello'; } }";
    let Some(nginx) = started(Nginx::start(block)) else { return };
    let edge = edge(&nginx, "");
    let crowd = Crowd::start(edge.http().unwrap(), 8, AT_ONCE);
    for _ in 0..RESTARTS {
        crowd.served(50);
        nginx.reload(block).unwrap();
    }
    crowd.served(50);
    crowd.was_happy();
    let failures = edge.stop().unwrap().iter().filter(|line| line.get("VerdictCode").is_some()).count();
    assert_eq!(failures, 0);
}

#[test]
fn nobody_sees_apache_restart_gracefully() {
    let Some(apache) = started(Apache::start("KeepAlive On", |place| {
        std::fs::write(place.folder().join("documents/index.html"), "hello")
    })) else {
        return;
    };
    let edge = edge(&apache, "");
    let crowd = Crowd::start(edge.http().unwrap(), 4, AT_ONCE);
    for _ in 0..2 {
        crowd.served(50);
        apache.restart_gracefully().unwrap();
    }
    crowd.served(50);
    crowd.was_happy();
}

#[test]
fn nobody_sees_gunicorn_reload() {
    let app = "def app(environ, start):\n    start('200 OK', [('Content-Length', '5')])\n    return [b'hello']\n";
    let Some(gunicorn) = started(Gunicorn::start(app, &["--workers", "2"])) else { return };
    let edge = edge(&gunicorn, "");
    let crowd = Crowd::start(edge.http().unwrap(), 4, AT_ONCE);
    for _ in 0..2 {
        crowd.served(50);
        gunicorn.process().signal("HUP").unwrap();
    }
    crowd.served(50);
    crowd.was_happy();
}

#[test]
fn nobody_sees_a_kept_connection_time_out() {
    // Each visitor comes back a little before, at, and a little after the moment when nginx closes.
    let around = |sent| Duration::from_millis(46 + (sent as u64 % 9));
    let server = "server { listen @HTTP@; keepalive_timeout 50ms; location / { return 200 'hello'; } }";
    let Some(nginx) = started(Nginx::start(server)) else { return };
    let edge = edge(&nginx, "");
    let crowd = Crowd::start(edge.http().unwrap(), 16, around);
    crowd.served(800);
    crowd.was_happy();
    let log = edge.stop().unwrap();
    let reused = log.iter().filter(|line| line["OriginConnectionReused"] == true).count();
    assert!(reused > 0 && reused < log.len(), "{reused} of {} requests found a kept connection", log.len());
}

#[test]
fn nobody_sees_a_kept_connection_run_out_of_requests() {
    let server = "server { listen @HTTP@; keepalive_requests 3; location / { return 200 'hello'; } }";
    let Some(nginx) = started(Nginx::start(server)) else { return };
    let edge = edge(&nginx, "");
    let crowd = Crowd::start(edge.http().unwrap(), 8, AT_ONCE);
    crowd.served(400);
    crowd.was_happy();
}
